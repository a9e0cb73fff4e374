"""Platforms with changes, ``dynap_se:rows=64,tiles=16``, and grids of them.

What can be changed is listed in ``AXES``; everything else of the platform stays as it is.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from glob import glob
from itertools import product
from math import isqrt
from pathlib import Path
from typing import Any

from optmap.errors import InputError
from optmap.model.platform import MAX_SIDE, MAX_TILES, Crossbar, Interconnect, Platform, Tile
from optmap.readers.options import AS_WRITTEN, ReadOptions
from optmap.readers.platforms import platform_of_file
from optmap.shipped import platform_file
from optmap.toml_fields import MAX_WHOLE

#: A grid of more platforms than this is a slip of the pen.
MOST = 10_000
CHANGES = re.compile(r"(?P<base>.*):(?P<changes>[a-z_]+=[^:]*)")
RANGE = re.compile(r"(?P<first>\d+)\.\.(?P<last>\d+)(?:(?P<step>[x+])(?P<by>\d+))?")


@dataclass(frozen=True)
class Axis:
    """Something of a platform that can be varied; ``apply`` returns the changed platform."""

    text: str
    apply: Callable[[Platform, int], Platform]


def _crossbars(change: Callable[[Crossbar, int], Crossbar]) -> Callable[[Platform, int], Platform]:
    def apply(platform: Platform, value: int) -> Platform:
        if value > MAX_SIDE:
            raise ValueError(f"{value}, more than {MAX_SIDE}")
        tiles = (replace(t, crossbar=change(t.crossbar, value)) for t in platform.tiles)
        return replace(platform, tiles=tuple(tiles))

    return apply


def _every_tile(field: str) -> Callable[[Platform, int], Platform]:
    def apply(platform: Platform, value: int) -> Platform:
        changes: dict[str, Any] = {field: value}
        return replace(platform, tiles=tuple(replace(t, **changes) for t in platform.tiles))

    return apply


def _number(field: str) -> Callable[[Platform, int], Platform]:
    def apply(platform: Platform, value: int) -> Platform:
        kind = Fraction if field == "ni_tokens_per_tick" else int
        changed: dict[str, Any] = {field: kind(value)}
        return replace(platform, **changed)

    return apply


def _windows(platform: Platform, value: int) -> Platform:
    return replace(platform, buffer_windows=value, buffer_tokens=None)


def _tiles(platform: Platform, value: int) -> Platform:
    """Return ``value`` tiles like those there are, as a mesh or torus as square as can be."""
    kind = platform.interconnect.kind
    alike: set[Tile] = set(platform.tiles)
    if kind == "matrix" or len(alike) > 1:
        what = "hops are a matrix" if kind == "matrix" else "tiles differ"
        raise ValueError(f"{value} for a platform whose {what}")
    if value < 1:
        raise ValueError(f"{value}, none")
    if value > MAX_TILES:
        raise ValueError(f"{value}, more than {MAX_TILES}")
    height = next(h for h in range(isqrt(value), 0, -1) if value % h == 0)
    mesh = Interconnect(kind, value // height, height)
    return replace(platform, tiles=(platform.tiles[0],) * value, interconnect=mesh)


#: What ``--grid`` and a platform's changes can name, in the order of their names.
AXES: dict[str, Axis] = {
    "size": Axis("rows and columns of every crossbar", _crossbars(lambda c, n: Crossbar(n, n))),
    "rows": Axis("rows of every crossbar", _crossbars(lambda c, n: replace(c, rows=n))),
    "columns": Axis("columns of every crossbar", _crossbars(lambda c, n: replace(c, columns=n))),
    "tiles": Axis("number of tiles, of a mesh or torus as square as can be", _tiles),
    "slots": Axis("programs that a tile can hold", _every_tile("slots")),
    "input_buffer": Axis("tokens of every tile's input buffer", _every_tile("input_buffer")),
    "output_buffer": Axis("tokens of every tile's output buffer", _every_tile("output_buffer")),
    "buffers": Axis("windows of tokens that every channel holds", _windows),
    "buffers_tokens": Axis("tokens that every channel holds instead", _number("buffer_tokens")),
    **{
        name: Axis(f"[time] {name}", _number(name))
        for name in (
            "base_ticks",
            "event_ticks",
            "switch_ticks",
            "hop_ticks",
            "ni_tokens_per_tick",
        )
    },
    "cells_per_synapse": Axis("[cells] cells_per_synapse", _number("cells_per_synapse")),
}


def add_axes(made: argparse.ArgumentParser) -> None:
    """Add ``--platforms`` and ``--grid``: what every network runs on, and what is varied of it."""
    made.add_argument(
        "--platforms",
        action="append",
        default=[],
        metavar="P,P",
        help="every instance and network on each of these: files, folders of them, names, with"
        " changes after a colon (dynap_se,dynap_se:rows=64,tiles=9); may be given several times",
    )
    made.add_argument(
        "--grid",
        action="append",
        default=[],
        metavar="AXES",
        help="and with every change of it: size=64..512x2,tiles=1..16x2,slots=1|8; axes: "
        + ", ".join(AXES),
    )


def parts_of(platform: str) -> tuple[str, dict[str, int]]:
    """Return the name or file of a platform, and what is changed of it.

    Raises
    ------
    InputError
        If a change names no axis, or gives no whole number.

    Examples
    --------
    >>> parts_of("dynap_se:tiles=16,rows=64")
    ('dynap_se', {'rows': 64, 'tiles': 16})
    >>> parts_of("mine.toml")
    ('mine.toml', {})
    """
    found = CHANGES.fullmatch(platform)
    if found is None or Path(platform).exists():
        return platform, {}
    changes: dict[str, int] = {}
    for part in found["changes"].split(","):
        name, _, value = part.partition("=")
        _check_axis(name, platform)
        if not value.isdecimal() or name in changes:
            raise InputError(platform, name, repr(part), f"{name}=N once, N a whole number")
        changes[name] = int(value)
    _refuse_both(changes, platform)
    return found["base"], {name: changes[name] for name in AXES if name in changes}


def listed(text: str) -> list[str]:
    """Return the platforms of a comma-separated list, each with its own changes.

    A folder, or a pattern with ``*`` or ``?``, stands for the platform files that are there.

    Raises
    ------
    InputError
        If there is none, or one stands twice.

    Examples
    --------
    >>> listed("dynap_se,dynap_se:rows=64,tiles=9,mine.toml")
    ['dynap_se', 'dynap_se:rows=64,tiles=9', 'mine.toml']
    """
    found: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        goes_on = part.partition("=")[0] in AXES and "=" in part
        if found and goes_on and CHANGES.fullmatch(found[-1]):
            found[-1] += f",{part}"
        elif part:
            found.append(part)
    found = [one for part in found for one in _files_of(part)]
    if not found or len(set(found)) < len(found):
        raise InputError("--platforms", "", repr(text), "different platforms, with commas between")
    return found


def _files_of(platform: str) -> list[str]:
    """Return the platforms of a folder or a pattern of files, each with the changes behind it."""
    base, changes = parts_of(platform)
    if Path(base).is_dir() and base:
        files = sorted(Path(base).glob("*.toml"))
    elif set("*?[") & set(base) and not Path(base).exists():
        files = sorted(Path(file) for file in glob(base))
    else:
        return [platform]
    if not files:
        raise InputError("--platforms", base, "no file there", "platform files (.toml)")
    return [with_changes(str(file), changes) for file in files]


def asked_for(
    platforms: Sequence[str], grids: Sequence[str]
) -> tuple[list[str], list[dict[str, int]]]:
    """Return what ``--platforms`` and ``--grid`` name, each given any number of times.

    Parameters
    ----------
    platforms : sequence of str
        Lists as :func:`listed` takes them; together they are one list.
    grids : sequence of str
        As :func:`grid` takes them; together they are one grid, the product of all axes.
    """
    points = list(grid(",".join(grids))) if grids else []
    return (listed(",".join(platforms)) if platforms else []), points


def read_platform(platform: str | Path, options: ReadOptions = AS_WRITTEN) -> Platform:
    """Return a platform: a file, or the name of a shipped one, with changes after a colon.

    Raises
    ------
    InputError
        If there is none, it is not right, or a change does not fit it.

    Examples
    --------
    >>> read_platform("dynap_se:size=64,tiles=8").name
    'DYNAP-SE, 4 tiles [size=64,tiles=8]'
    """
    base, changes = parts_of(str(platform))
    found = platform_of_file(platform_file(base), options)
    for name, value in changes.items():
        try:
            if value > MAX_WHOLE:
                raise ValueError(f"{value}, more than 2^40")
            found = AXES[name].apply(found, value)
        except ValueError as error:
            raise InputError(str(platform), name, str(error), AXES[name].text) from None
    if not changes:
        return found
    return replace(found, name=f"{found.name} [{_text(changes)}]")


def with_changes(platform: str, changes: Mapping[str, int]) -> str:
    """Return the platform with more changes, later ones in place of earlier ones."""
    base, before = parts_of(platform)
    merged = {**before, **changes}
    return base if not merged else f"{base}:{_text({n: merged[n] for n in AXES if n in merged})}"


def short_name(platform: str) -> str:
    """Return a name for tables without comma or slash.

    Examples
    --------
    >>> short_name("chips/dynap_se.toml:rows=64,tiles=16")
    'dynap_se-rows64-tiles16'
    """
    base, changes = parts_of(platform)
    return "-".join([Path(base).stem, *(f"{name}{value}" for name, value in changes.items())])


def grid(text: str) -> Iterator[dict[str, int]]:
    """Yield the changes of every point of a grid, the last axis fastest.

    Parameters
    ----------
    text : str
        ``rows=64..512x2,tiles=1..4,slots=1|8``: a range with a factor, a range with steps of 1 (or
        ``1..9+2``), a list; between its values may be commas, too.

    Raises
    ------
    InputError
        If an axis is unknown or named twice, or its values are none.

    Examples
    --------
    >>> [p["size"] for p in grid("size=64..512x2")]
    [64, 128, 256, 512]
    >>> list(grid("tiles=1..2,slots=1,4"))[1]
    {'tiles': 1, 'slots': 4}
    """
    axes: dict[str, list[int]] = {}
    name = ""
    for part in text.split(","):
        before, equals, values = (word.strip() for word in part.partition("="))
        if equals or not name or before in AXES:
            name = before
            _check_axis(name, "--grid")
            if name in axes:
                raise InputError("--grid", name, "twice", "once")
            axes[name] = []
        else:  # one more value of the axis before
            values = before
        axes[name] += [n for one in values.split("|") for n in _values(one.strip(), name)]
    axes = {name: list(dict.fromkeys(values)) for name, values in axes.items()}
    _refuse_both(axes, "--grid")
    points = 1
    for found in axes.values():
        points *= len(found)
    if points > MOST:
        raise InputError("--grid", "", f"{points} platforms", f"at most {MOST}")
    for point in product(*axes.values()):
        yield dict(zip(axes, point, strict=True))


def _values(text: str, name: str) -> list[int]:
    if text.isdecimal():
        return [int(text)]
    found = RANGE.fullmatch(text)
    expected = "N, N..M, N..M+STEP or N..MxFACTOR, several with | between"
    if found is None:
        raise InputError("--grid", name, repr(text), expected)
    first, last, by = int(found["first"]), int(found["last"]), int(found["by"] or 1)
    factor = found["step"] == "x"
    if first > last or by < 1 + factor or (factor and first < 1):
        raise InputError("--grid", name, repr(text), expected + ", growing")
    if not factor:
        return list(range(first, last + 1, by)[: MOST + 1])
    values = [first]
    while values[-1] * by <= last:
        values.append(values[-1] * by)
    return values


def _check_axis(name: str, where: str) -> None:
    if name not in AXES:
        raise InputError(where, name, "no such axis", "one of " + ", ".join(AXES))


def _refuse_both(named: Collection[str], where: str) -> None:
    if {"buffers", "buffers_tokens"} <= set(named):
        raise InputError(where, "buffers_tokens", "buffers as well", "one of the two")


def _text(changes: Mapping[str, int]) -> str:
    return ",".join(f"{name}={value}" for name, value in changes.items())
