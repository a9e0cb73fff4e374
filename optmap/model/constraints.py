"""What users demand of a mapping beyond what the chip does: where neurons are, and with whom.

A demand names neurons: a population, a neuron, or a range. It holds for all units that compute
them, partial sums included. A *tile* is where programs run, a *cluster* is what one crossbar holds.

- pin: every unit of these neurons is on one given tile;
- together: all units of these neurons are on one tile, whichever;
- apart: no tile holds units of two of the named groups;
- max_neurons, min_neurons: a cluster holds at most, at least, so many units;
- max_difference: no cluster holds more units above another than so many;
- max_imbalance: no cluster holds more than (1 + so much) times the mean of all clusters.

:mod:`optmap.model.unit_rules` says the same of units, :mod:`optmap.model.cluster_rules` of
clusters: what formulations and repairs need. The judge checks the demands themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np

from optmap.errors import InputError
from optmap.model.snn import SNN, IntArray

_NEURONS = re.compile(r"([0-9]{1,9})(?:\.\.([0-9]{1,9}))?")
#: The kinds of demand, as files and Python name them.
KINDS = (
    "pin", "together", "apart", "max_neurons", "min_neurons", "max_difference", "max_imbalance",
)  # fmt: skip
#: Those of the numbers of units that clusters hold.
SIZE_KINDS = KINDS[3:]


@dataclass(frozen=True, slots=True)
class Pin:
    """These neurons belong on tile ``tile``."""

    neurons: str
    tile: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many units clusters may hold; None demands nothing.

    Parameters
    ----------
    max_neurons, min_neurons : int or None
        Of each cluster, at most and at least.
    max_difference : int or None
        The largest cluster's less the smallest's, at most.
    max_imbalance : Fraction or None
        The largest cluster's over the mean of all clusters, less 1, at most.
    """

    max_neurons: int | None = None
    min_neurons: int | None = None
    max_difference: int | None = None
    max_imbalance: Fraction | None = None

    def largest(self, units: int, clusters: int) -> int:
        """Return the most units that one of so many clusters may hold of so many."""
        most = units if self.max_neurons is None else min(units, self.max_neurons)
        if self.max_imbalance is not None and clusters:
            most = min(most, floor((1 + self.max_imbalance) * units / clusters))
        return most

    def broken(self, sizes: Sequence[int]) -> Iterator[str]:
        """Yield, for the units of every cluster, which demands they break, with the numbers."""
        for k, size in enumerate(sizes):
            if self.max_neurons is not None and size > self.max_neurons:
                yield f"cluster {k} holds {size} units, at most {self.max_neurons} are allowed"
            if self.min_neurons is not None and size < self.min_neurons:
                yield f"cluster {k} holds {size} units, at least {self.min_neurons} are demanded"
        largest, smallest = max(sizes, default=0), min(sizes, default=0)
        if self.max_difference is not None and largest - smallest > self.max_difference:
            yield (
                f"clusters hold {smallest} to {largest} units, at most {self.max_difference}"
                " apart are allowed"
            )
        mean = Fraction(sum(sizes), max(len(sizes), 1))
        if self.max_imbalance is not None and largest > (1 + self.max_imbalance) * mean:
            yield (
                f"a cluster holds {largest} units, at most {1 + float(self.max_imbalance):g}"
                f" times the mean {float(mean):g} are allowed"
            )


@dataclass(frozen=True)
class Constraints:
    """Demands of a user; the empty ones demand nothing.

    Parameters
    ----------
    pin : tuple of Pin
        Neurons with their tile.
    together : tuple of tuple of str
        Groups of neurons that share a tile.
    apart : tuple of tuple of str
        Lists of groups of which no two share a tile.
    max_neurons, min_neurons, max_difference, max_imbalance
        As :class:`Sizes` has them.
    """

    pin: tuple[Pin, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    apart: tuple[tuple[str, ...], ...] = ()
    max_neurons: int | None = None
    min_neurons: int | None = None
    max_difference: int | None = None
    max_imbalance: Fraction | None = None

    def __post_init__(self) -> None:
        for name in SIZE_KINDS:
            value, fewest = getattr(self, name), 1 if name.endswith("neurons") else 0
            if value is not None and value < fewest:
                raise ValueError(f"{name} {value}: expected at least {fewest}")
        most, least = self.max_neurons, self.min_neurons
        if most is not None and least is not None and least > most:
            raise ValueError(f"min_neurons {least} above max_neurons {most}")
        for groups in self.apart:
            if len(groups) < 2:
                raise ValueError(f"apart {list(groups)}: expected two groups at least")

    def __bool__(self) -> bool:
        return self != NONE

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that are demanded."""
        return tuple(kind for kind in KINDS if getattr(self, kind) not in ((), None))

    @property
    def sizes(self) -> Sizes:
        """What is demanded of the number of units in clusters."""
        return Sizes(*(getattr(self, kind) for kind in SIZE_KINDS))

    def single(self) -> list[tuple[str, Constraints]]:
        """Return what each demand is in words, and all others without it."""
        found = []
        for kind in ("pin", "together", "apart"):
            listed = getattr(self, kind)
            for i, one in enumerate(listed):
                rest: dict[str, Any] = {kind: listed[:i] + listed[i + 1 :]}
                found.append((_words(kind, one), replace(self, **rest)))
        for kind in SIZE_KINDS:
            value = getattr(self, kind)
            if value is not None:
                rest = {kind: None}
                shown = f"{float(value):g}" if isinstance(value, Fraction) else value
                found.append((f"{kind} {shown}", replace(self, **rest)))
        return found


NONE = Constraints()


def _words(kind: str, one: Pin | tuple[str, ...]) -> str:
    if isinstance(one, Pin):
        return f"pin {one.neurons} on tile {one.tile}"
    return f"{kind} {', '.join(one)}"


def neurons_of(snn: SNN, text: str) -> IntArray:
    """Return the neurons that a population, a number or a range 0..9 names.

    Raises
    ------
    InputError
        If there are none of that name, or no units among them.
    """
    named = [p for p in snn.populations if p.name == text]
    match = _NEURONS.fullmatch(text)
    if named:
        first, last = named[0].first, named[0].last
    elif match:
        first, last = int(match[1]), int(match[2] or match[1])
    else:
        known = ", ".join(p.name for p in snn.populations[:20])
        expected = f"a neuron, a range 0..9, or a population: {known}"
        raise InputError("constraints", "", repr(text), expected)
    if not 0 <= first <= last < snn.num_neurons:
        raise InputError("constraints", "", repr(text), f"neurons 0..{snn.num_neurons - 1}")
    found = np.arange(first, last + 1)
    found = found[snn.is_unit[found]]
    if not len(found):
        expected = "neurons with fan-in: inputs stand outside the crossbars"
        raise InputError("constraints", "", repr(text), expected)
    return found


@dataclass(frozen=True, eq=False)
class NeuronRules:
    """Demands by neuron: sites (sets that share a tile), their tiles, and colours.

    Parameters
    ----------
    site : (N,) int array
        Site of each neuron, -1: none. All units of a site are on one tile.
    tile : tuple of int
        Tile of each site, -1: open.
    colour : (L, N) int array
        For each list of groups apart the group of each neuron, -1: none.
    """

    site: IntArray
    tile: tuple[int, ...]
    colour: IntArray
    sizes: Sizes


def neuron_rules(constraints: Constraints, snn: SNN, num_tiles: int) -> NeuronRules:
    """Return the demands by neuron.

    Raises
    ------
    InputError
        If a demand names no neurons or no tile, or two demands contradict each other.
    """
    sets: list[tuple[IntArray, int, str]] = []
    for pin in constraints.pin:
        if not 0 <= pin.tile < num_tiles:
            expected = f"tiles 0..{num_tiles - 1}"
            raise InputError("constraints", "pin", f"tile {pin.tile}", expected)
        sets.append((neurons_of(snn, pin.neurons), pin.tile, _words("pin", pin)))
    for group in constraints.together:
        joined = np.unique(np.concatenate([neurons_of(snn, name) for name in group]))
        sets.append((joined, -1, _words("together", group)))
    site, tile = _sites(snn.num_neurons, sets)
    colour = np.full((len(constraints.apart), snn.num_neurons), -1, dtype=np.int64)
    for row, groups in zip(colour, constraints.apart, strict=True):
        for c, name in enumerate(groups):
            members = neurons_of(snn, name)
            _paint(row, members, c, f"{name!r} and another group of apart {', '.join(groups)}")
    for row in colour:  # what stands on the tile of a coloured unit is coloured alike
        for s in np.unique(site[(site >= 0) & (row >= 0)]):
            for c in np.unique(row[(site == s) & (row >= 0)]):
                _paint(row, np.flatnonzero(site == s), int(c), "neurons to be together and apart")
    return NeuronRules(site, tile, colour, constraints.sizes)


def _paint(row: IntArray, members: IntArray, colour: int, what: str) -> None:
    if ((row[members] >= 0) & (row[members] != colour)).any():
        raise InputError("constraints", "apart", what, "groups without a neuron in common")
    row[members] = colour


def _sites(
    num_neurons: int, sets: Sequence[tuple[IntArray, int, str]]
) -> tuple[IntArray, tuple[int, ...]]:
    """Return site of each neuron, tile of each site; sets that overlap or share a tile join."""
    site = np.full(num_neurons, -1, dtype=np.int64)
    tiles: list[int] = []
    on: dict[int, int] = {}  # tile -> its site
    for members, tile, what in sets:
        met = {s for s in site[members].tolist() if s >= 0}
        met |= {on[tile]} if tile in on else set()
        wanted = {t for t in (tile, *(tiles[s] for s in met)) if t >= 0}
        if len(wanted) > 1:
            found = f"{what}, and neurons of it on tiles {', '.join(map(str, sorted(wanted)))}"
            raise InputError("constraints", "", found, "one tile for all of them")
        new = len(tiles)
        tiles.append(max(wanted, default=-1))
        for s in met:
            site[site == s] = new
            tiles[s] = -2  # gone
        site[members] = new
        if tiles[new] >= 0:
            on[tiles[new]] = new
    kept = [s for s, t in enumerate(tiles) if t != -2]
    number = np.full(len(tiles) + 1, -1)
    number[kept] = np.arange(len(kept))
    return number[site], tuple(tiles[s] for s in kept)
