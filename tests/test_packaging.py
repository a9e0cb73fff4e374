"""The wheel, installed outside the clone: instances, platforms and the console script are there."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILT_FROM = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")
#: Kernels run as Python: compiling them anew for a new place would take a minute.
QUICK = {**os.environ, "NUMBA_DISABLE_JIT": "1"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the scripts folder of a venv that has the wheel; nothing comes from a network."""
    base = tmp_path_factory.mktemp("wheel")
    source = base / "source"
    source.mkdir()
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, source)
    for folder in ("optmap", "formulations", "instances"):
        shutil.copytree(
            ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    offline = [sys.executable, "-m", "pip"]
    build = ["wheel", "-q", "--no-build-isolation", "--no-deps", "--no-index", "-w", base, source]
    subprocess.run([*offline, *build], check=True, cwd=base)
    (wheel,) = base.glob("*.whl")
    venv.create(base / "venv", with_pip=False)
    python = base / "venv" / "bin" / "python"
    # the libraries of this environment, without what makes its optmap importable (nested .pth)
    (site,) = (base / "venv" / "lib").glob("python*/site-packages")
    (site / "outer.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = ["--python", python, "install", "-q", "--no-deps", "--no-index", wheel]
    subprocess.run([*offline, *install], check=True, cwd=base)
    return base / "venv" / "bin"


def run(installed: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(installed / arguments[0]), *arguments[1:]]
    return subprocess.run(command, cwd=folder, env=QUICK, capture_output=True, text=True)


def test_a_first_mapping_outside_the_clone(installed, tmp_path):
    done = run(installed, "optmap", "map", "mlp_tiny", "--out", "m.json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "check ok" in done.stdout
    named = run(
        installed,
        *("optmap", "map", "gen:mlp-9-4-2", "--platform", "dynap_se", "--json"),
        folder=tmp_path,
    )
    assert named.returncode == 0, named.stderr


def test_the_package_is_the_installed_one_and_carries_its_data(installed, tmp_path):
    code = (
        "import optmap, optmap.shipped as s; print(optmap.__file__);"
        "print(len(s.shipped_instances()), len(s.shipped_platforms()), s.shipped_folder().name)"
    )
    done = run(installed, "python", "-c", code, folder=tmp_path)
    file, counts = done.stdout.splitlines()
    assert str(installed.parent) in file
    instances = len(list((ROOT / "instances").glob("*.toml")))
    platforms = len(list((ROOT / "instances" / "platforms").glob("*.toml")))
    assert counts == f"{instances} {platforms} data"


def test_the_script_names_its_commands(installed, tmp_path):
    done = run(installed, "optmap", "map", "--help", folder=tmp_path)
    assert done.stdout.startswith("usage: optmap map")
    assert "optmap map gen:mlp" in done.stdout
    assert run(installed, "optmap", "mapp", folder=tmp_path).returncode == 2


@pytest.mark.parametrize("script", ["performance_page", "partition_table"])
def test_pages_of_measurements_can_be_made(script: str, tmp_path: Path):
    """Run alone, they find their tests' modules, and formulations, not tests/formulations."""
    command = [sys.executable, ROOT / "tests" / "benchmarks" / f"{script}.py", "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
