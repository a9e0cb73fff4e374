"""The instances and platforms that come with optmap, by name: ``filter_8``, ``dynap_se``.

In a clone they are the folder ``instances/``; in an installed package the build has put a copy of
it beside this file. A file of the user's own always goes before a name.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from optmap.errors import InputError

HERE = Path(__file__).parent
#: Where a clone has the best-known list.
BEST_KNOWN = Path("results", "best_known")


def shipped_folder() -> Path:
    """Return the folder of the shipped instances; its sub-folder ``platforms`` has the chips.

    Raises
    ------
    InputError
        If neither the package nor a clone around it has one.
    """
    for folder in (HERE / "data", HERE.parent / "instances"):
        if (folder / "platforms").is_dir():
            return folder
    raise InputError(str(HERE), "", "no shipped instances", "a folder data/ or ../instances/")


def best_known_folder() -> Path:
    """Return the folder of the best-known list that comes with optmap; it may not be there."""
    return HERE / "data" / "best_known" if _is_installed() else HERE.parent / BEST_KNOWN


def _is_installed() -> bool:
    return (HERE / "data" / "platforms").is_dir()


def shipped_platforms() -> dict[str, Path]:
    """Return the files of the shipped platforms by name."""
    return {file.stem: file for file in sorted((shipped_folder() / "platforms").glob("*.toml"))}


def shipped_instances() -> dict[str, Path]:
    """Return the files of the shipped instances by name; without the folder ``scaling``."""
    return {file.stem: file for file in sorted(shipped_folder().glob("*.toml"))}


def platform_file(name: str | Path) -> Path:
    """Return the file of a platform: a path that exists, else the shipped one of that name.

    Examples
    --------
    >>> platform_file("dynap_se").name
    'dynap_se.toml'
    """
    return _file(name, shipped_platforms, "a platform file")


def instance_file(name: str | Path) -> Path:
    """Return the file of an instance: a path that exists, else the shipped one of that name."""
    return _file(name, shipped_instances, "an instance file")


def is_instance(name: str) -> bool:
    """Tell whether a command's argument is an instance: a TOML file, or a shipped name.

    Examples
    --------
    >>> is_instance("filter_8"), is_instance("gen:mlp-3-2"), is_instance("net.nir")
    (True, False, False)
    """
    return name.endswith(".toml") or (not _exists(Path(name)) and name in shipped_instances())


def platform_of_network(name: str, platform: str | None) -> str:
    """Return the platform that a network, which is no instance, needs beside it.

    Raises
    ------
    InputError
        Without one; where the network is no file either, this is said, with a name that is near.
    """
    if platform:
        return platform
    if ":" not in name:  # what is generated is no file
        instance_file(name)
    raise InputError("--platform", "", "nothing", "a platform file or " + platform_names())


def platform_names() -> str:
    """Return the names of the shipped platforms, for help and messages."""
    return "one of " + ", ".join(shipped_platforms())


def platform_help() -> str:
    """Return what ``--help`` says of a platform option."""
    return f"platform file, or {platform_names()}"


#: Share of their letters in which two names must agree for one to be meant by the other.
NEAR = 0.7


def did_you_mean(name: str, known: list[str]) -> str:
    """Return ``, did you mean 'x'?`` for a name that is nearly a known one, else nothing.

    Examples
    --------
    >>> did_you_mean("dynapse", ["dynap_se", "loihi_like"])
    ", did you mean 'dynap_se'?"
    """
    near = get_close_matches(name, known, n=1, cutoff=NEAR)
    return f", did you mean {near[0]!r}?" if near else ""


def _file(name: str | Path, shipped: Callable[[], dict[str, Path]], what: str) -> Path:
    path = Path(name)
    if _exists(path) or path.suffix or len(path.parts) != 1:
        return path
    files = shipped()
    if path.name in files:
        return files[path.name]
    raise InputError(
        str(name),
        "",
        "no such file, nor a shipped one" + did_you_mean(path.name, list(files)),
        f"{what}, or one of {', '.join(files)}",
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or with a zero byte: its reader says so
        return True
