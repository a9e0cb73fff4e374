"""One door for every kind of platform file: this project's own TOML, and architectures of others.

The suffix decides. What another tool's file does not say (SANA-FE: rows of a crossbar; SDF3: bits
of a token) is told by ``--architecture NAME=VALUE,...``; what this model cannot say of the file is
left out, and :attr:`Platform.sources` names it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from optmap.errors import InputError
from optmap.model.platform import Platform
from optmap.model.platform_file import load_platform
from optmap.readers.options import AS_WRITTEN, ReadOptions, pairs_of

#: What ``--architecture`` may name, and what it means.
ARCHITECTURE = {
    "rows": "rows of every crossbar (without it: not limited)",
    "columns": "columns of every crossbar, where the file does not say",
    "slots": "clusters that a tile holds (without it: not limited)",
    "base_ticks": "ticks of one firing of a cluster (1)",
    "event_ticks": "ticks of one spike read, where the file does not say (0)",
    "switch_ticks": "ticks more where several clusters share a tile (0)",
    "token_bits": "SDF3: bits of a token, against the bandwidth of a network interface",
}


@dataclass(frozen=True, slots=True)
class PlatformFormat:
    """One kind of platform file: its suffixes, its reader, and what it is, in a line."""

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path, dict[str, int]], Platform]
    help: str


def _sanafe(path: Path, told: dict[str, int]) -> Platform:
    from optmap.readers.sanafe_architecture import read_architecture

    return read_architecture(path, told)


def _sdf3(path: Path, told: dict[str, int]) -> Platform:
    from optmap.readers.sdf3_architecture import read_architecture

    return read_architecture(path, told)


def _own(path: Path, told: dict[str, int]) -> Platform:
    if told:
        expected = "the architecture of another tool; this file says all of it itself"
        raise InputError(str(path), "", "--architecture", expected)
    return load_platform(path)


PLATFORM_FORMATS: tuple[PlatformFormat, ...] = (
    PlatformFormat("optmap", (".toml",), _own, "this project's own: tiles, interconnect, costs"),
    PlatformFormat(
        "sanafe", (".yaml", ".yml"), _sanafe, "a SANA-FE architecture: each core is a tile"
    ),
    PlatformFormat(
        "sdf3", (".xml",), _sdf3, "an SDF3 architecture graph: tiles and their connections"
    ),
)


def platform_of_file(path: Path, options: ReadOptions = AS_WRITTEN) -> Platform:
    """Read a platform file of any kind.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        ``architecture`` counts.

    Raises
    ------
    InputError
        Naming the file, the field, what was found and what was expected.
    """
    told = pairs_of("--architecture", options.architecture, tuple(ARCHITECTURE))
    suffix = path.suffix.lower()
    chosen = next((f for f in PLATFORM_FORMATS if suffix in f.suffixes), PLATFORM_FORMATS[0])
    return chosen.read(path, told)
