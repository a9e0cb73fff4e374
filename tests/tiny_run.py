"""A network of fifteen neurons on two small crossbars, as files, and a comparison of it."""

from __future__ import annotations

from pathlib import Path

from commands import run_command

from optmap.compare import main

PLATFORM = (
    'schema = 1\nname = "tiny"\n[interconnect]\nkind = "mesh"\nwidth = 2\nheight = 1\n'
    "[[tiles]]\nrows = 6\ncolumns = 4\n"
)


def write_tiny(folder: Path, network: str = "gen:mlp-9-4-2", more: str = "") -> Path:
    """Write ``p.toml`` and ``i.toml`` and return the instance file; ``more`` ends the platform."""
    (folder / "p.toml").write_text(PLATFORM + more)
    instance = folder / "i.toml"
    instance.write_text(f'schema = 1\nname = "i"\nnetwork = "{network}"\nplatform = "p.toml"\n')
    return instance


def compare_tiny(folder: Path, methods: str) -> Path:
    """Run ``compare`` with these methods and return the folder of its run."""
    instance = write_tiny(folder, more="[time]\nevent_ticks = 1\n")
    options = ["--limit", 30, "--out", folder / "run", "--methods", methods]
    done = run_command(main, instance, *options)
    assert done.returncode == 0, done.stderr
    return folder / "run"
