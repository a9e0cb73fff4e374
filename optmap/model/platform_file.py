"""Platform files: what they say, and how they are refused.

The keys of ``[[tiles]]`` that limit a crossbar come from :data:`optmap.model.capacity.LIMITS`;
docs/platforms.md explains every key.
"""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from optmap.errors import InputError
from optmap.model.capacity import LIMITS
from optmap.model.interconnect import MAX_MATRIX_TILES, Interconnect
from optmap.model.platform import MAX_SIDE, MAX_TILES, Area, Crossbar, Energy, Platform, Tile
from optmap.toml_fields import Table, read_toml

SCHEMA = 1

#: Whole numbers that need no source.
SHAPES = (
    "schema",
    "interconnect.width",
    "interconnect.height",
    "interconnect.chip_width",
    "interconnect.chip_height",
)


def load_platform(path: str | Path) -> Platform:
    """Read a platform file.

    Raises
    ------
    InputError
        Naming the file, the field, what was found and what was expected.
    """
    top = read_toml(Path(path))
    schema = top.whole("schema", 1)
    if schema != SCHEMA:
        raise top.fail("schema", str(schema), str(SCHEMA))
    parts = {
        name: top.table(name)
        for name in ("interconnect", "time", "cells", "buffers", "energy", "area",
                     "population_neurons")
    }  # fmt: skip
    name = top.text("name")
    top.text("origin", "")
    interconnect = _interconnect(parts["interconnect"])
    tiles, tile_tables, disabled = _tiles(top, interconnect)
    time, cells, buffers = parts["time"], parts["cells"], parts["buffers"]
    chip = _chip(top, time, cells)
    chip["population_neurons"] = tuple(parts["population_neurons"].wholes(1).items())
    hop_ticks = time.whole("hop_ticks", 0, 1)
    rate, tick_ns = _positive(time, "ni_tokens_per_tick"), _positive(time, "tick_ns")
    base_ticks = time.whole("base_ticks", 1, 1)
    event_ticks = time.whole("event_ticks", 0, 0)
    switch_ticks = time.whole("switch_ticks", 0, 0)
    cells_per_synapse = cells.whole("cells_per_synapse", 1, 1)
    widest = max(tile.crossbar.columns for tile in tiles)
    if cells_per_synapse > widest:
        raise cells.fail(
            "cells_per_synapse", str(cells_per_synapse), f"at most {widest}, the most columns"
        )
    chip |= _buffers(buffers)
    energy = _energy(parts["energy"])
    area = _area(parts["area"])
    sources: dict[str, str] = {}
    for table in (top, *parts.values(), *tile_tables):
        table.close()
        sources |= table.sources
    for shape in SHAPES:
        sources.pop(shape, None)
    try:
        if disabled:
            dead = (*interconnect.dead_tiles, *disabled)
            interconnect = replace(interconnect, dead_tiles=dead)
        return Platform(
            name,
            tiles,
            interconnect,
            hop_ticks=hop_ticks,
            ni_tokens_per_tick=rate,
            tick_ns=tick_ns,
            base_ticks=base_ticks,
            event_ticks=event_ticks,
            switch_ticks=switch_ticks,
            cells_per_synapse=cells_per_synapse,
            energy=energy,
            area=area,
            sources=sources,
            **chip,
        )
    except ValueError as error:
        raise InputError(str(path), "", str(error), "a consistent platform") from None


def _energy(table: Table) -> Energy:
    """Return the energies; InputError where reads have a price but no time."""
    prices = _prices(table, Energy)
    try:
        return Energy(**prices)
    except ValueError as error:
        raise InputError(table.file, table.path, str(error), "consistent energies") from None


def _area(table: Table) -> Area:
    prices = _prices(table, Area)
    prices.pop("columns_per_converter", None)
    if table.has("columns_per_converter"):
        prices["columns_per_converter"] = table.whole("columns_per_converter", 1)
    return Area(**prices)


def _prices(table: Table, kind: type[Energy] | type[Area]) -> dict[str, Any]:
    """Return the prices by name; of those that a repr leaves out, only the ones that are given.

    So an instance without them keeps its digest (:attr:`optmap.model.platform.Platform.extras`).
    """
    names = [f.name for f in fields(kind) if f.repr or table.has(f.name)]
    return {name: table.number(name, 0, 0) for name in names}


def _chip(top: Table, time: Table, cells: Table) -> dict[str, Any]:
    """Return what chips add to the model, absent or not."""
    return {
        "chip_hop_ticks": time.whole_or_none("chip_hop_ticks", 0),
        "weight_bits": cells.whole_or_none("weight_bits", 1),
        "cell_bits": cells.whole_or_none("cell_bits", 1),
        "fan_in": cells.whole_or_none("fan_in", 2),
        "inputs_on_cores": top.flag("inputs_on_cores", False),
        "resident": cells.flag("resident", False),
    }


def _buffers(table: Table) -> dict[str, Any]:
    """Return what channels hold: iterations, or tokens instead."""
    tokens = table.whole_or_none("buffer_tokens", 1)
    if tokens is not None and table.has("buffer_windows"):
        raise table.fail("buffer_tokens", str(tokens), "this or buffer_windows, not both")
    return {"buffer_windows": table.whole("buffer_windows", 1, 2), "buffer_tokens": tokens}


def _positive(table: Table, field: str) -> Fraction:
    """Return a number > 0; 1 where the field is absent."""
    value = table.number(field, 0, 1)
    if value == 0:
        raise table.fail(field, "0", "a number > 0")
    return value


def _interconnect(table: Table) -> Interconnect:
    kind = table.choice("kind", ("mesh", "torus", "matrix"))
    if kind == "matrix":
        rows = table.rows("hops")
        if not 1 <= len(rows) <= MAX_MATRIX_TILES:
            raise table.fail("hops", f"{len(rows)} rows", f"1 to {MAX_MATRIX_TILES} rows")
        bad = [t for t, row in enumerate(rows) if row[t]]
        if bad:
            raise table.fail(
                "hops", f"{rows[bad[0]][bad[0]]} hops from tile {bad[0]} to itself", "0"
            )
        links = table.rows("chip_links") if table.has("chip_links") else None
        return _made(
            table,
            Interconnect(kind, matrix=tuple(map(tuple, rows))),
            {} if links is None else {"chip_matrix": tuple(map(tuple, links))},
        )
    width, height = table.whole("width", 1), table.whole("height", 1)
    if width * height > MAX_TILES:
        raise table.fail("width", f"{width} x {height} tiles", f"at most {MAX_TILES} tiles")
    more: dict[str, Any] = {}
    if table.has("chip_width") or table.has("chip_height"):
        more["chip"] = (table.whole("chip_width", 1, width), table.whole("chip_height", 1, height))
    if table.has("dead_links"):
        more["dead_links"] = tuple(map(tuple, _pairs(table)))
    return _made(table, Interconnect(kind, width, height), more)


def _made(table: Table, plain: Interconnect, more: dict[str, Any]) -> Interconnect:
    """Return an interconnect with what is out of use, and chips."""
    if table.has("dead_tiles"):
        more["dead_tiles"] = tuple(_numbers(table, "dead_tiles", table.data["dead_tiles"]))
    if table.has("chip_hops"):
        more["chip_hops"] = table.whole("chip_hops", 1)
    try:
        return replace(plain, **more)
    except ValueError as error:
        raise InputError(table.file, table.path, str(error), "a consistent interconnect") from None


def _numbers(table: Table, field: str, value: object) -> list[int]:
    if not isinstance(value, list) or any(type(v) is not int for v in value):
        raise table.fail(field, f"{value!r:.80}", "a list of tiles, as [3, 5]")
    return value


def _pairs(table: Table) -> list[list[int]]:
    value = table.data["dead_links"]
    if not isinstance(value, list) or any(
        not isinstance(v, list) or len(_numbers(table, "dead_links", v)) != 2 for v in value
    ):
        raise table.fail("dead_links", f"{value!r:.80}", "a list of pairs of tiles, as [[0, 1]]")
    return value


def _side(table: Table, field: str, least: int) -> int:
    """Read rows or columns; kernels keep arrays of such lengths."""
    length = table.whole(field, least)
    if length > MAX_SIDE:
        raise table.fail(field, str(length), f"at most {MAX_SIDE}")
    return length


def _tiles(
    top: Table, interconnect: Interconnect
) -> tuple[tuple[Tile, ...], list[Table], list[int]]:
    """Read the ``[[tiles]]`` tables, each repeated ``count`` times, in the tiles' numbering.

    The last part of the answer are the tiles out of use.
    """
    tables = top.tables("tiles")
    tiles: list[Tile] = []
    dead: list[int] = []
    for table in tables:
        tile = Tile(
            Crossbar(_side(table, "rows", 2), _side(table, "columns", 1)),
            table.whole_or_none("input_buffer", 1),
            table.whole_or_none("output_buffer", 1),
            table.whole_or_none("slots", 0),
            **{limit.field: table.whole_or_none(limit.field, 1) for limit in LIMITS},
        )
        count = table.whole("count", 1, interconnect.num_tiles if len(tables) == 1 else 1)
        table.sources.pop(table.name_of("count"))
        if len(tiles) + count > interconnect.num_tiles:
            count = interconnect.num_tiles + 1 - len(tiles)
        if table.flag("disabled", False):
            dead += range(len(tiles), len(tiles) + count)
        tiles += [tile] * count
    if len(tiles) != interconnect.num_tiles:
        more = "more than " if len(tiles) > interconnect.num_tiles else ""
        found = f"{more}{min(len(tiles), interconnect.num_tiles)} tiles"
        raise top.fail("tiles", found, f"{interconnect.num_tiles}, as the interconnect has")
    return tuple(tiles), tables, dead
