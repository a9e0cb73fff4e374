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

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType

import numpy as np

from optmap.model.interconnect import Interconnect as Interconnect
from optmap.model.interconnect import Places
from optmap.model.snn import IntArray

#: Rows of distances that are looked at together.
ROWS_A_TIME = 256
#: Most tiles, and the longest side of a crossbar, that a file may name.
MAX_TILES, MAX_SIDE = 65_536, 2**20

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
    """One tile; None means "not limited".

    0 slots put its crossbar out of use. What one program may take of the crossbar besides rows and
    columns is listed in :data:`optmap.model.capacity.LIMITS`.
    """

    crossbar: Crossbar
    input_buffer: int | None = None
    output_buffer: int | None = None
    slots: int | None = None
    # not in the repr, which digests of instances hold: see Platform.extras
    neurons: int | None = field(default=None, repr=False)
    synapses: int | None = field(default=None, repr=False)
    synapse_bits: int | None = field(default=None, repr=False)
    axons_out: int | None = field(default=None, repr=False)
    fan_out: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self) if f.name != "crossbar"):
            value = getattr(self, name)
            if value is not None and value < (name != "slots"):
                raise ValueError(f"{name} {value} must be >= 1, or absent for no limit")

    @property
    def in_use(self) -> bool:
        """Whether it holds any program."""
        return self.slots != 0


@dataclass(frozen=True, slots=True)
class Energy:
    """Picojoules per spike fired, synaptic event, spike and hop, spike delivered in its tile.

    The rest are prices of components (:mod:`optmap.model.components`), per read of a crossbar; one
    read takes ``read_ticks``, 0: reads are not counted. ``leakage_mw`` is per tile in use.
    """

    spike_pj: Fraction = Fraction(0)
    synapse_pj: Fraction = Fraction(0)
    route_pj: Fraction = Fraction(0)
    local_pj: Fraction = Fraction(0)
    # not in the repr, which digests of instances hold: see Platform.extras
    read_ticks: Fraction = field(default=Fraction(0), repr=False)
    cell_read_pj: Fraction = field(default=Fraction(0), repr=False)
    neuron_read_pj: Fraction = field(default=Fraction(0), repr=False)
    adc_read_pj: Fraction = field(default=Fraction(0), repr=False)
    mux_read_pj: Fraction = field(default=Fraction(0), repr=False)
    accumulator_read_pj: Fraction = field(default=Fraction(0), repr=False)
    buffer_read_pj: Fraction = field(default=Fraction(0), repr=False)
    htree_read_pj: Fraction = field(default=Fraction(0), repr=False)
    router_read_pj: Fraction = field(default=Fraction(0), repr=False)
    memory_read_pj: Fraction = field(default=Fraction(0), repr=False)
    leakage_mw: Fraction = field(default=Fraction(0), repr=False)

    def __post_init__(self) -> None:
        reads = [f.name for f in fields(self) if f.name.endswith("_read_pj")]
        if not self.read_ticks and any(getattr(self, name) for name in reads):
            raise ValueError("energies per read of a crossbar need read_ticks, the time of one")


@dataclass(frozen=True, slots=True)
class Area:
    """Square micrometres per cell, per neuron (column) and per tile.

    The rest are prices of components (:mod:`optmap.model.components`): ``adc_um2`` and ``mux_um2``
    of one for every ``columns_per_converter`` columns, ``memory_um2`` once for the chip.
    """

    cell_um2: Fraction = Fraction(0)
    neuron_um2: Fraction = Fraction(0)
    tile_um2: Fraction = Fraction(0)
    # not in the repr, which digests of instances hold: see Platform.extras
    adc_um2: Fraction = field(default=Fraction(0), repr=False)
    mux_um2: Fraction = field(default=Fraction(0), repr=False)
    accumulator_um2: Fraction = field(default=Fraction(0), repr=False)
    buffer_um2: Fraction = field(default=Fraction(0), repr=False)
    htree_um2: Fraction = field(default=Fraction(0), repr=False)
    router_um2: Fraction = field(default=Fraction(0), repr=False)
    memory_um2: Fraction = field(default=Fraction(0), repr=False)
    columns_per_converter: int = field(default=1, repr=False)

    def __post_init__(self) -> None:
        if self.columns_per_converter < 1:
            raise ValueError(f"columns_per_converter {self.columns_per_converter} must be >= 1")


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
    buffer_tokens : int, optional
        Tokens that every channel can hold instead, at each of its places; None: buffer_windows.
    sources : mapping
        Dotted field name to the source of its number, or "assumed".
    chip_hop_ticks : int, optional
        Latency of a link between chips; None: hop_ticks for each of the hops that it counts as.
    weight_bits : int, optional
        Bits of a weight where the network does not say.
    cell_bits : int, optional
        Bits that a cell holds: a unit whose weights have b bits takes ceil(b / cell_bits) columns
        of C'. None: weights are not counted.
    fan_in : int, optional
        Sources that one unit reads at most, >= 2, whatever the rows are.
    population_neurons : tuple of (str, int)
        Populations with how many of their neurons one crossbar holds at most; others as they fit.
    inputs_on_cores : bool
        Whether inputs take a column of some crossbar, as if they were self-driven neurons.
    resident : bool
        Whether programs stay in their tile's synapse memory while others run: ``synapses`` and
        ``synapse_bits`` of a tile then hold those of all its programs together.
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
    chip_hop_ticks: int | None = field(default=None, repr=False)
    weight_bits: int | None = field(default=None, repr=False)
    cell_bits: int | None = field(default=None, repr=False)
    fan_in: int | None = field(default=None, repr=False)
    inputs_on_cores: bool = field(default=False, repr=False)
    population_neurons: tuple[tuple[str, int], ...] = field(default=(), repr=False)
    buffer_tokens: int | None = field(default=None, repr=False)
    resident: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", MappingProxyType(dict(self.sources)))
        dead = set(self.interconnect.dead_tiles)
        if dead:
            tiles = (replace(x, slots=0) if t in dead else x for t, x in enumerate(self.tiles))
            object.__setattr__(self, "tiles", tuple(tiles))
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
        self._check_chip()

    def _check_chip(self) -> None:
        if self.fan_in is not None and self.fan_in < 2:
            raise ValueError(f"fan_in {self.fan_in} must be >= 2: sums of two sources")
        names = [name for name, _ in self.population_neurons]
        if len(set(names)) < len(names) or any(n < 1 for _, n in self.population_neurons):
            found = dict(self.population_neurons)
            raise ValueError(f"population_neurons {found}: expected each name once, numbers >= 1")
        for name in ("weight_bits", "cell_bits", "buffer_tokens"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} {value} must be >= 1")
        counted = self.cell_bits or any(tile.synapse_bits for tile in self.tiles)
        if counted and self.weight_bits is None:
            raise ValueError(
                "synapse_bits and cell_bits need weight_bits, the width of weights where a network"
                " does not say"
            )
        if self.chip_hop_ticks is not None and self.chip_hop_ticks < 0:
            raise ValueError(f"chip_hop_ticks {self.chip_hop_ticks} must be >= 0")
        if not self.in_use:
            raise ValueError(f"platform {self.name!r}: no tile is in use")
        if self.interconnect.dead_tiles or self.interconnect.dead_links:
            _ = self._distances  # ValueError where tiles in use are cut off
        if max(self.columns_of) < 1:
            raise ValueError(
                f"cells_per_synapse {self.cells_per_synapse} leaves no column on any crossbar"
            )

    @property
    def num_tiles(self) -> int:
        """Number of tiles."""
        return len(self.tiles)

    @cached_property
    def in_use(self) -> tuple[int, ...]:
        """The tiles that hold programs, ascending."""
        return tuple(t for t, tile in enumerate(self.tiles) if tile.in_use)

    @property
    def one_program_each(self) -> bool:
        """Whether no tile holds two programs: distinct clusters are on distinct tiles."""
        return all(tile.slots in (0, 1) for tile in self.tiles)

    @property
    def limits_outgoing(self) -> bool:
        """Whether axons out, fan-out or the fan-in of a unit are limited: no set decides alone."""
        sent = any(tile.axons_out or tile.fan_out for tile in self.tiles)
        return sent or self.fan_in is not None

    @property
    def extras(self) -> str:
        """What a repr leaves out, for digests; empty where all of it has its default."""
        given: tuple[Platform | Interconnect | Tile | Energy | Area, ...]
        given = (self, self.interconnect, *self.tiles, self.energy, self.area)
        found = [
            f"{number}.{f.name}={getattr(part, f.name)}"
            for number, part in enumerate(given)
            for f in fields(part)
            if not f.repr and getattr(part, f.name) != f.default
        ]
        return " ".join(found)

    @cached_property
    def _distances(self) -> tuple[IntArray, IntArray]:
        return self.interconnect.distances()

    @property
    def hops(self) -> IntArray:
        """Hops between every two tiles, shape (T, T); a link between chips may count as several."""
        return self._distances[0]

    @cached_property
    def latency(self) -> IntArray:
        """Ticks that a spike travels between every two tiles, shape (T, T)."""
        hops, links = self._distances
        slow = self.chip_hop_ticks
        if slow is None:
            return hops * self.hop_ticks
        return (hops - links * self.interconnect.chip_hops) * self.hop_ticks + links * slow

    def hops_between(self, a: Places, b: Places) -> IntArray:
        """Return the hops between tiles of two arrays; on plain grids no matrix is made."""
        found = self.interconnect.between(a, b)
        return np.asarray(self.hops[a, b]) if found is None else found

    def latency_between(self, a: Places, b: Places) -> IntArray:
        """Return the ticks that a spike travels between tiles of two arrays."""
        found = self.interconnect.between(a, b)
        return np.asarray(self.latency[a, b]) if found is None else found * self.hop_ticks

    @cached_property
    def has_latency(self) -> bool:
        """Whether some spike takes time to travel."""
        if self.interconnect.is_regular and self.interconnect.chip is None:
            return self.hop_ticks > 0 and self.num_tiles > 1
        return bool(self.latency.any())

    @cached_property
    def least_latency(self) -> int:
        """Ticks that any spike takes at least between two tiles in use; 0 if there is one."""
        if self.interconnect.is_regular and self.interconnect.chip is None:
            return self.least_hops * self.hop_ticks
        return self._least(self.latency_between)

    @cached_property
    def least_hops(self) -> int:
        """Hops between two tiles in use at least; 0 if there is one."""
        if self.interconnect.is_regular and len(self.in_use) == self.num_tiles:
            return min(self.num_tiles - 1, 1)
        return self._least(self.hops_between)

    def _least(self, between: Callable[[IntArray, IntArray], IntArray]) -> int:
        """Return the least distance of two tiles in use, a block of rows at a time."""
        used = np.array(self.in_use, dtype=np.int64)
        found: list[int] = []
        for first in range(0, len(used) if len(used) > 1 else 0, ROWS_A_TIME):
            rows = used[first : first + ROWS_A_TIME]
            apart = between(rows[:, None], used)[rows[:, None] != used]
            found.append(int(apart.min()))
        return min(found, default=0)

    @cached_property
    def rows_of(self) -> tuple[int, ...]:
        """Rows R of each tile's crossbar; 0 where it is out of use."""
        return tuple(tile.crossbar.rows if tile.in_use else 0 for tile in self.tiles)

    @cached_property
    def columns_of(self) -> tuple[int, ...]:
        """Neurons C' = floor(C / cells_per_synapse) of each tile's crossbar; 0 if out of use."""
        cells = self.cells_per_synapse
        return tuple(t.crossbar.columns // cells if t.in_use else 0 for t in self.tiles)

    @cached_property
    def max_rows(self) -> int:
        """Largest R: what decomposition works for."""
        return max(self.rows_of)

    @cached_property
    def max_columns(self) -> int:
        """Largest C'."""
        return max(self.columns_of)

    @cached_property
    def kinds(self) -> tuple[tuple[int, int], ...]:
        """Distinct (R, C') pairs, largest area first, then more rows."""
        pairs = {(self.rows_of[t], self.columns_of[t]) for t in self.in_use}
        return tuple(sorted(pairs, key=lambda p: (-p[0] * p[1], -p[0])))

    @cached_property
    def total_slots(self) -> int | None:
        """Clusters that all tiles together hold; None where some tile is not limited."""
        slots = [tile.slots for tile in self.tiles if tile.slots is not None]
        return sum(slots) if len(slots) == len(self.tiles) else None

    def send_ticks(self, tokens: int) -> int:
        """Return the ticks a network interface needs for so many tokens (rounded up)."""
        rate = self.ni_tokens_per_tick
        return -(-tokens * rate.denominator // rate.numerator)

    def send_times(self, tokens: IntArray) -> IntArray:
        """Return :meth:`send_ticks` of every entry, exactly."""
        rate = self.ni_tokens_per_tick
        if not len(tokens) or int(tokens.max()) < 2**62 // rate.denominator:
            return -(-tokens * rate.denominator // rate.numerator)
        return np.array([self.send_ticks(int(t)) for t in tokens], dtype=np.int64)
