"""The platform: crossbars on tiles, the network that joins them, what time and energy cost.

A tile holds a crossbar of R rows (axons in) and C columns (neurons out), buffers counted in
tokens, a network interface, and a store for the programs of at most ``slots`` clusters that share
the crossbar in time [S20]_. Times are whole ticks; rates and energies are exact fractions. Every
number of a platform file carries its source or the word "assumed".

References
----------
.. [S20] Song et al., "Compiling Spiking Neural Networks to Neuromorphic Hardware", LCTES 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np

from optmap.errors import InputError
from optmap.model.snn import IntArray, frozen
from optmap.toml_fields import Table, read_toml

SCHEMA = 1
MAX_TILES = 4096
MAX_SIDE = 2**20

#: Which channels hold tokens at the start: those on cycles of clusters, or all of them.
TOKEN_MODES = ("dataflow", "pipelined")


@dataclass(frozen=True, slots=True)
class Crossbar:
    """R input rows (axons) by C output columns."""

    rows: int
    columns: int

    def __post_init__(self) -> None:
        if self.rows < 2 or self.columns < 1:
            raise ValueError(
                f"crossbar {self.rows} x {self.columns}: needs rows >= 2, columns >= 1"
            )


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile; None for a buffer or for slots means "not limited"."""

    crossbar: Crossbar
    input_buffer: int | None = None
    output_buffer: int | None = None
    slots: int | None = None

    def __post_init__(self) -> None:
        for name in ("input_buffer", "output_buffer", "slots"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} {value} must be >= 1, or absent for no limit")


@dataclass(frozen=True, slots=True)
class Interconnect:
    """How tiles are joined: a mesh or torus of ``width`` x ``height``, or a given hop matrix.

    Tile t of a mesh or torus stands at x = t mod width, y = t div width; routing is XY.
    """

    kind: str
    width: int | None = None
    height: int | None = None
    matrix: tuple[tuple[int, ...], ...] | None = None

    def __post_init__(self) -> None:
        if self.kind in ("mesh", "torus"):
            if not (self.width and self.height and self.width > 0 and self.height > 0):
                raise ValueError(f"{self.kind} of {self.width} x {self.height}")
            if self.matrix is not None:
                raise ValueError(f"{self.kind} with a hop matrix")
        elif self.kind != "matrix" or not self.matrix:
            raise ValueError(f"interconnect {self.kind!r}: expected mesh, torus or a matrix")
        elif self.width is not None or self.height is not None:
            raise ValueError(f"hop matrix with a size of {self.width} x {self.height}")
        elif any(len(row) != len(self.matrix) or min(row) < 0 for row in self.matrix):
            raise ValueError("hop matrix: must be square, with hops >= 0")
        elif any(row[t] != 0 for t, row in enumerate(self.matrix)):
            raise ValueError("hop matrix: a tile must be 0 hops from itself")

    @property
    def num_tiles(self) -> int:
        """Number of tiles it joins."""
        if self.width is not None and self.height is not None:
            return self.width * self.height
        return len(self.matrix or ())

    def hops(self) -> IntArray:
        """Return the hop count between every two tiles, shape (T, T)."""
        if self.matrix is not None:
            return frozen(self.matrix, np.int64)
        width, height = self.width or 1, self.height or 1  # checked in __post_init__
        t = np.arange(self.num_tiles)
        total = np.zeros((len(t), len(t)), dtype=np.int64)
        for place, size in ((t % width, width), (t // width, height)):
            d = np.abs(place[:, None] - place[None, :])
            total += np.minimum(d, size - d) if self.kind == "torus" else d
        return frozen(total, np.int64)


@dataclass(frozen=True, slots=True)
class Energy:
    """Picojoules per spike fired, synaptic event, spike and hop, spike delivered in its tile."""

    spike_pj: Fraction = Fraction(0)
    synapse_pj: Fraction = Fraction(0)
    route_pj: Fraction = Fraction(0)
    local_pj: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Area:
    """Square micrometres per cell, per neuron (column) and per tile."""

    cell_um2: Fraction = Fraction(0)
    neuron_um2: Fraction = Fraction(0)
    tile_um2: Fraction = Fraction(0)


@dataclass(frozen=True)
class Platform:
    """A chip: tiles, interconnect, times, energies.

    Parameters
    ----------
    tiles : tuple of Tile
        Tile t, in the interconnect's numbering.
    hop_ticks : int
        Latency of one hop.
    ni_tokens_per_tick : Fraction
        Tokens a network interface sends per tick, > 0.
    tick_ns : Fraction
        Nanoseconds of one tick; only reports use it.
    base_ticks, event_ticks, switch_ticks : int
        Firing a cluster takes base + event x spikes it reads, + switch where its tile is shared.
    cells_per_synapse : int
        Columns one neuron takes (bit slicing), so C' = C div cells_per_synapse.
    buffer_windows : int
        Iterations of tokens every channel can hold (2: double buffering).
    sources : mapping
        Dotted field name to the source of its number, or "assumed".
    """

    name: str
    tiles: tuple[Tile, ...]
    interconnect: Interconnect
    hop_ticks: int = 1
    ni_tokens_per_tick: Fraction = Fraction(1)
    tick_ns: Fraction = Fraction(1)
    base_ticks: int = 1
    event_ticks: int = 0
    switch_ticks: int = 0
    cells_per_synapse: int = 1
    buffer_windows: int = 2
    energy: Energy = Energy()
    area: Area = Area()
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", MappingProxyType(dict(self.sources)))
        if len(self.tiles) != self.interconnect.num_tiles:
            raise ValueError(
                f"platform {self.name!r}: {len(self.tiles)} tiles on an interconnect of"
                f" {self.interconnect.num_tiles}"
            )
        least = {
            "hop_ticks": 0,
            "base_ticks": 1,
            "event_ticks": 0,
            "switch_ticks": 0,
            "cells_per_synapse": 1,
            "buffer_windows": 1,
        }
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise ValueError(f"{name} {getattr(self, name)} must be >= {lowest}")
        if self.ni_tokens_per_tick <= 0 or self.tick_ns <= 0:
            raise ValueError(
                f"ni_tokens_per_tick {self.ni_tokens_per_tick} and tick_ns {self.tick_ns}"
                " must be > 0"
            )
        if max(self.columns_of) < 1:
            raise ValueError(
                f"cells_per_synapse {self.cells_per_synapse} leaves no column on any crossbar"
            )

    @property
    def num_tiles(self) -> int:
        """Number of tiles."""
        return len(self.tiles)

    @cached_property
    def hops(self) -> IntArray:
        """Hops between every two tiles, shape (T, T)."""
        return self.interconnect.hops()

    @cached_property
    def rows_of(self) -> tuple[int, ...]:
        """Rows R of each tile's crossbar."""
        return tuple(tile.crossbar.rows for tile in self.tiles)

    @cached_property
    def columns_of(self) -> tuple[int, ...]:
        """Neurons C' = floor(C / cells_per_synapse) that each tile's crossbar holds."""
        return tuple(tile.crossbar.columns // self.cells_per_synapse for tile in self.tiles)

    @property
    def max_rows(self) -> int:
        """Largest R: what decomposition works for."""
        return max(self.rows_of)

    @property
    def max_columns(self) -> int:
        """Largest C'."""
        return max(self.columns_of)

    @cached_property
    def kinds(self) -> tuple[tuple[int, int], ...]:
        """Distinct (R, C') pairs, largest area first, then more rows."""
        pairs = set(zip(self.rows_of, self.columns_of, strict=True))
        return tuple(sorted(pairs, key=lambda p: (-p[0] * p[1], -p[0])))

    @cached_property
    def total_slots(self) -> int | None:
        """Clusters that all tiles together hold; None where some tile is not limited."""
        slots = [tile.slots for tile in self.tiles if tile.slots is not None]
        return sum(slots) if len(slots) == len(self.tiles) else None

    def fits(self, tile: int, rows: int, columns: int) -> bool:
        """Tell whether a cluster of so many rows and units fits the crossbar of ``tile``."""
        return rows <= self.rows_of[tile] and columns <= self.columns_of[tile]

    def send_ticks(self, tokens: int) -> int:
        """Return the ticks a network interface needs for so many tokens (rounded up)."""
        rate = self.ni_tokens_per_tick
        return -(-tokens * rate.denominator // rate.numerator)


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
        for name in ("interconnect", "time", "cells", "buffers", "energy", "area")
    }
    name = top.text("name")
    top.text("origin", "")
    interconnect = _interconnect(parts["interconnect"])
    tiles, tile_tables = _tiles(top, interconnect)
    time, cells, buffers = parts["time"], parts["cells"], parts["buffers"]
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
    buffer_windows = buffers.whole("buffer_windows", 1, 2)
    energy = Energy(*(parts["energy"].number(f.name, 0, 0) for f in fields(Energy)))
    area = Area(*(parts["area"].number(f.name, 0, 0) for f in fields(Area)))
    sources: dict[str, str] = {}
    for table in (top, *parts.values(), *tile_tables):
        table.close()
        sources |= table.sources
    for shape in ("schema", "interconnect.width", "interconnect.height"):
        sources.pop(shape, None)
    try:
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
            buffer_windows=buffer_windows,
            energy=energy,
            area=area,
            sources=sources,
        )
    except ValueError as error:
        raise InputError(str(path), "", str(error), "a consistent platform") from None


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
        if not 1 <= len(rows) <= MAX_TILES:
            raise table.fail("hops", f"{len(rows)} rows", f"1 to {MAX_TILES} rows")
        bad = [t for t, row in enumerate(rows) if row[t]]
        if bad:
            raise table.fail(
                "hops", f"{rows[bad[0]][bad[0]]} hops from tile {bad[0]} to itself", "0"
            )
        return Interconnect(kind, matrix=tuple(map(tuple, rows)))
    width, height = table.whole("width", 1), table.whole("height", 1)
    if width * height > MAX_TILES:
        raise table.fail("width", f"{width} x {height} tiles", f"at most {MAX_TILES} tiles")
    return Interconnect(kind, width, height)


def _side(table: Table, field: str, least: int) -> int:
    """Read rows or columns; kernels keep arrays of such lengths."""
    length = table.whole(field, least)
    if length > MAX_SIDE:
        raise table.fail(field, str(length), f"at most {MAX_SIDE}")
    return length


def _tiles(top: Table, interconnect: Interconnect) -> tuple[tuple[Tile, ...], list[Table]]:
    """Read the ``[[tiles]]`` tables, each repeated ``count`` times, in the tiles' numbering."""
    tables = top.tables("tiles")
    tiles: list[Tile] = []
    for table in tables:
        tile = Tile(
            Crossbar(_side(table, "rows", 2), _side(table, "columns", 1)),
            table.whole_or_none("input_buffer", 1),
            table.whole_or_none("output_buffer", 1),
            table.whole_or_none("slots", 1),
        )
        count = table.whole("count", 1, interconnect.num_tiles if len(tables) == 1 else 1)
        table.sources.pop(table.name_of("count"))
        if len(tiles) + count > interconnect.num_tiles:
            count = interconnect.num_tiles + 1 - len(tiles)
        tiles += [tile] * count
    if len(tiles) != interconnect.num_tiles:
        more = "more than " if len(tiles) > interconnect.num_tiles else ""
        found = f"{more}{min(len(tiles), interconnect.num_tiles)} tiles"
        raise top.fail("tiles", found, f"{interconnect.num_tiles}, as the interconnect has")
    return tuple(tiles), tables
