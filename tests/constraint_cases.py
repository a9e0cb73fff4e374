"""Small random networks with random demands, and what their best mappings are, by enumeration."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np

from optmap.errors import InputError
from optmap.model.constraints import Constraints, Pin, neuron_rules
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, Population, from_edges


def case(seed: int) -> tuple[SNN, Platform, Constraints]:
    """Return two inputs with 4 to 6 units, 2 to 4 tiles, and demands that agree with each other."""
    rng = np.random.default_rng(seed)
    units = int(rng.integers(4, 7))
    reads = rng.random((2 + units, units)) < 0.4
    reads[rng.integers(0, 2, units), np.arange(units)] = True  # a unit reads something
    pre, post = np.nonzero(reads)
    half = 2 + units // 2
    snn = from_edges(
        pre,
        post + 2,
        2 + units,
        spikes=rng.integers(0, 9, 2 + units),
        populations=[
            Population("in", 0, 1),
            Population("a", 2, half - 1),
            Population("b", half, 1 + units),
        ],
    )
    width = int(rng.integers(1, 3))
    slots = None if rng.random() < 0.5 else int(rng.integers(2, 4))
    tiles = (Tile(Crossbar(8, int(rng.integers(2, 5))), slots=slots),) * (2 * width)
    platform = Platform(
        "small", tiles, Interconnect("mesh", width, 2), base_ticks=3, event_ticks=1, switch_ticks=2
    )
    while True:
        constraints = _demands(rng, units, platform.num_tiles)
        try:
            neuron_rules(constraints, snn, platform.num_tiles)
        except InputError:  # they contradict each other
            continue
        if constraints:
            return snn, platform, constraints


def _demands(rng: np.random.Generator, units: int, num_tiles: int) -> Constraints:
    def some() -> str:
        if rng.random() < 0.3:
            return str(rng.choice(["a", "b"]))
        first = int(rng.integers(2, 2 + units))
        return f"{first}..{int(rng.integers(first, min(first + 2, 2 + units)))}"

    def maybe(least: int, most: int) -> int | None:
        return int(rng.integers(least, most)) if rng.random() < 0.3 else None

    pins = [Pin(some(), int(rng.integers(num_tiles))) for _ in range(rng.integers(0, 3))]
    together = [(some(), some()) for _ in range(rng.integers(0, 2))]
    apart = [(some(), some()) for _ in range(rng.integers(0, 2))]
    sizes = maybe(2, 4), maybe(2, 3), maybe(0, 3)
    imbalance = Fraction(int(rng.integers(0, 5)), 4) if rng.random() < 0.3 else None
    return Constraints(tuple(pins), tuple(together), tuple(apart), *sizes, imbalance)


def groups(snn: SNN, constraints: Constraints) -> tuple[list[set[int]], list[list[set[int]]]]:
    """Return the sets of neurons that share a tile, and the lists of sets that must not."""

    def named(text: str) -> set[int]:
        for p in snn.populations:
            if p.name == text:
                return set(range(p.first, p.last + 1))
        first, _, last = text.partition("..")
        return set(range(int(first), int(last or first) + 1))

    shared = [named(pin.neurons) for pin in constraints.pin]
    shared += [set().union(*map(named, group)) for group in constraints.together]
    return shared, [[named(text) for text in sets] for sets in constraints.apart]


def on_one_tile(snn: SNN, constraints: Constraints, members: set[int]) -> bool:
    """Tell whether these neurons, and all that must be with them, may stand on one tile."""
    shared, apart = groups(snn, constraints)
    tiles = [pin.tile for pin in constraints.pin] + [-1] * len(constraints.together)
    while True:
        # pins on one tile belong together as well
        pinned = {t for s, t in zip(shared, tiles, strict=True) if t >= 0 and s & members}
        more = set().union(*(s for s in shared if s & members)) if shared else set()
        more |= {n for s, t in zip(shared, tiles, strict=True) if t in pinned for n in s}
        if more <= members:
            break
        members = members | more
    return len(pinned) < 2 and all(sum(bool(s & members) for s in sets) < 2 for sets in apart)


def partitions(units: list[int]) -> Iterator[list[int]]:
    """Yield every clustering as labels in order of appearance."""

    def grow(labels: list[int], most: int) -> Iterator[list[int]]:
        if len(labels) == len(units):
            yield labels
            return
        for k in range(most + 2):
            yield from grow([*labels, k], max(most, k))

    yield from grow([], -1)


def clusterings(snn: SNN, platform: Platform, constraints: Constraints) -> Iterator[list[int]]:
    """Yield every clustering that fits the crossbars and obeys the demands."""
    units = [int(u) for u in snn.units]
    crossbar = platform.tiles[0].crossbar
    for labels in partitions(units):
        clusters = [
            {u for u, at in zip(units, labels, strict=True) if at == k} for k in set(labels)
        ]
        sizes = [len(members) for members in clusters]
        if _balanced(sizes, constraints) and all(
            len(members) <= min(crossbar.columns, constraints.max_neurons or 99)
            and len(members) >= (constraints.min_neurons or 1)
            and len({int(i) for u in members for i in snn.sources_of(u)}) <= crossbar.rows
            and on_one_tile(snn, constraints, members)
            for members in clusters
        ):
            yield labels


def _balanced(sizes: list[int], constraints: Constraints) -> bool:
    over, more = constraints.max_difference, constraints.max_imbalance
    within = over is None or max(sizes) - min(sizes) <= over
    return within and (more is None or max(sizes) * len(sizes) <= (1 + more) * sum(sizes))


def bindings(
    snn: SNN, platform: Platform, constraints: Constraints, labels: list[int]
) -> Iterator[tuple[int, ...]]:
    """Yield every binding of a clustering that fits the slots and obeys the demands."""
    units = [int(u) for u in snn.units]
    shared, apart = groups(snn, constraints)
    for tiles in product(range(platform.num_tiles), repeat=max(labels) + 1):
        at = {u: tiles[k] for u, k in zip(units, labels, strict=True)}
        slots = platform.tiles[0].slots
        if slots is not None and any(tiles.count(t) > slots for t in tiles):
            continue
        pins = zip(shared, constraints.pin, strict=False)
        if (
            all(at[n] == pin.tile for s, pin in pins for n in s)
            and all(len({at[n] for n in s}) == 1 for s in shared)
            and all(
                not {at[n] for n in x} & {at[n] for n in y}
                for sets in apart
                for i, x in enumerate(sets)
                for y in sets[:i]
            )
        ):
            yield tiles
