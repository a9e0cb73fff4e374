"""The clustering rules in plain Python: sorted lists and sets, no index, no heap.

A second computation, on purpose, of what optmap/clustering does with kernels: tests compare them.
"""

from __future__ import annotations

from collections.abc import Iterable

from optmap.model.decomposition import Decomposition
from optmap.model.platform import Platform
from optmap.model.snn import SNN


class Plain:
    """Clusters as [rows, columns used], oldest first."""

    def __init__(self, platform: Platform) -> None:
        self.kinds = platform.kinds
        self.rows: list[set[int]] = []
        self.columns: list[int] = []

    def fits(self, k: int, sources: set[int]) -> bool:
        rows = len(self.rows[k] | sources)
        return any(rows <= r and self.columns[k] < c for r, c in self.kinds)

    def open(self) -> int:
        self.rows.append(set())
        self.columns.append(0)
        return len(self.rows) - 1

    def put(self, k: int, sources: set[int]) -> None:
        self.rows[k] |= sources
        self.columns[k] += 1

    def fullest_first(self) -> list[int]:
        used = [len(r) + c for r, c in zip(self.rows, self.columns, strict=True)]
        return sorted(range(len(used)), key=lambda k: (-used[k], k))


def greedy(decomposition: Decomposition, platform: Platform) -> list[int]:
    """Cluster by utilisation, units by owner, partial sums first."""
    network = decomposition.network
    order = sorted(
        network.units.tolist(),
        key=lambda u: (decomposition.owner[u], u < decomposition.num_neurons, u),
    )
    plain = Plain(platform)
    return _each(decomposition, plain, order, plain.fullest_first)


def first_fit(decomposition: Decomposition, platform: Platform, order: Iterable[int]) -> list[int]:
    """Put units, in the order given, into the oldest cluster they fit."""
    plain = Plain(platform)
    return _each(decomposition, plain, order, lambda: range(len(plain.rows)))


def _each(decomposition, plain, order, candidates):
    network, home = decomposition.network, {}
    for unit in order:
        sources = set(network.sources_of(unit).tolist())
        k = next((k for k in candidates() if plain.fits(k, sources)), None)
        k = plain.open() if k is None else k
        plain.put(k, sources)
        home[unit] = k
    return [home[u] for u in network.units.tolist()]


def slices(decomposition: Decomposition, platform: Platform) -> list[int]:
    """Slice every population in order of its units."""
    network, plain, before, labels = decomposition.network, Plain(platform), None, []
    for unit in network.units.tolist():
        sources, population = set(network.sources_of(unit).tolist()), network.population_of(unit)
        k = len(plain.rows) - 1
        if k < 0 or population != before or not plain.fits(k, sources):
            k = plain.open()
        plain.put(k, sources)
        before = population
        labels.append(k)
    return labels


def published(snn: SNN, platform: Platform) -> tuple[list[tuple[int, list[int], int]], int]:
    """Return (owner, pending inputs taken, cluster) of every piece, and how many clusters.

    Written from the description in words: pending lists, rescanned for every cluster. A piece that
    others wait for is a negative number.
    """
    plain, least = Plain(platform), max(platform.max_rows - 1, 2)
    pieces: list[tuple[int, list[int], int]] = []

    def take(k: int, pending: list[int]) -> int:
        limits = [r for r, c in plain.kinds if plain.columns[k] < c]
        if not limits:
            return 0
        rows, count = set(plain.rows[k]), 0
        for item in pending:
            rows.add(item)
            if len(rows) > max(limits):
                break
            count += 1
        enough = count >= least if len(pending) >= least else count == len(pending)
        return count if enough else 0

    def give(k: int, pending: list[int], count: int, owner: int) -> list[int]:
        plain.put(k, set(pending[:count]))
        pieces.append((owner, pending[:count], k))
        rest = pending[count:]
        return [-len(pieces), *rest] if rest else []

    for neuron in snn.units.tolist():
        pending = snn.sources_of(neuron).tolist()
        for k in plain.fullest_first():
            count = take(k, pending) if pending else 0
            if count:
                pending = give(k, pending, count, neuron)
        while pending:
            k = plain.open()
            pending = give(k, pending, take(k, pending), neuron)
    return pieces, len(plain.rows)
