"""Makes what heuristics find obey a user's demands, and names the methods that cannot.

A heuristic knows no demands. Its clusters are cut where members must not be together, clusters
that are too small are merged or filled; its binding is searched again from its own tiles, clusters
that share a tile moving together. Where nothing is found CapacityError says so with the numbers.
Solvers take demands into their models (families (P15), (P16), (B10), (B11)); those without such
families are refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from optmap.binding.contract import BINDERS
from optmap.bounds.resident_memory import MOST_TILES, MOST_UNITS, may_fit
from optmap.clustering.contract import CLUSTERERS, DIVIDERS
from optmap.errors import CapacityError
from optmap.judge.check import buffer_violations
from optmap.methods import Method
from optmap.model.capacity import (
    MEMORY,
    demands,
    fits_some,
    fitting_tiles,
    have,
    kinds_of_crossbars,
    overfull,
    shares_memory,
    stated,
    tile_memory,
)
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.cluster_rules import ClusterRules, no_rules, rules_of_graph
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.constraints import SIZE_KINDS, Constraints, neuron_rules
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Binding, Clustering, compact
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IntArray
from optmap.model.unit_rules import UnitRules, unit_rules

#: Exact stages whose models have the demands; heuristic stages are repaired.
EXACT_CLUSTERINGS_WITH_RULES = ("milp", "cpsat")
EXACT_BINDERS_WITH_RULES = ("milp", "cpsat")
#: Partial bindings that the repair of a binding looks at.
MAX_NODES = 20_000


def respects(method: Method, constraints: Constraints) -> bool:
    """Tell whether a method can keep these demands; ``max_neurons`` alone every one can."""
    if set(constraints.kinds) <= {"max_neurons"}:
        return True
    clusterings = (*CLUSTERERS, *DIVIDERS, *EXACT_CLUSTERINGS_WITH_RULES)
    return _binds_with_rules(method) and method.clustering in clusterings


def _binds_with_rules(method: Method) -> bool:
    binders = (*BINDERS, *EXACT_BINDERS_WITH_RULES)
    return not method.whole and method.binding in binders


def refuse(method: Method, constraints: Constraints, snn: SNN, platform: Platform) -> None:
    """Raise CapacityError if a method cannot keep the demands, or the network takes none."""
    if shares_memory(platform) and not _binds_with_rules(method):
        stage = f"whole {method.whole}" if method.whole else f"binding {method.binding}"
        raise CapacityError(
            f"method {method.name} ({stage}) does not know that programs stay resident"
        )
    sizes = [kind for kind in constraints.kinds if kind in SIZE_KINDS]
    if sizes and isinstance(snn, ClusteredSNN):
        raise CapacityError(f"{sizes[0]}: the clusters of this network are given")
    if not respects(method, constraints):
        stages = f"clustering {method.clustering}, binding {method.binding}"
        if method.whole:
            stages = f"whole {method.whole}"
        raise CapacityError(
            f"method {method.name} ({stages}) does not respect the constraints"
            f" {', '.join(constraints.kinds)}"
        )


def limited(platform: Platform, constraints: Constraints) -> Platform:
    """Return the platform with no more columns than ``max_neurons`` allows."""
    most = constraints.max_neurons
    if most is None:
        return platform
    if platform.cell_bits is not None:  # columns are no units there
        held = (replace(t, neurons=min(most, t.neurons or most)) for t in platform.tiles)
        return replace(platform, tiles=tuple(held))
    width = most * platform.cells_per_synapse
    tiles = (
        replace(t, crossbar=replace(t.crossbar, columns=min(t.crossbar.columns, width)))
        for t in platform.tiles
    )
    return replace(platform, tiles=tuple(tiles))


def with_rules(
    decomposition: Decomposition, constraints: Constraints, snn: SNN, platform: Platform
) -> Decomposition:
    """Return the units with what is demanded of them."""
    if not constraints:
        return decomposition
    owner = decomposition.owner[decomposition.network.units]
    rules = neuron_rules(constraints, snn, platform.num_tiles)
    return replace(decomposition, rules=unit_rules(rules, owner))


# --- clusters ---


def repaired_clusters(
    decomposition: Decomposition, clustering: Clustering, platform: Platform
) -> Clustering:
    """Return a clustering with clusters cut and filled until they obey the demands.

    Raises
    ------
    CapacityError
        If clusters stay smaller than ``min_neurons``, or out of balance.
    """
    rules = decomposition.rules
    if rules is None:
        return _cut_for_memory(decomposition, clustering, platform)
    if rules.allows(clustering.cluster_of):
        return clustering
    parts = [part for members in clustering.members() for part in _cut(rules, members.tolist())]
    fits = _fitting(decomposition, rules, platform)
    if rules.sizes.min_neurons is not None:
        parts = _filled(rules, parts, fits)
    return _clustering(_balanced(rules, parts, fits), decomposition.num_units)


def _clustering(parts: list[list[int]], num_units: int) -> Clustering:
    label = np.zeros(num_units, dtype=np.int64)
    for k, part in enumerate(parts):
        label[part] = k
    return compact(label)


def _cut_for_memory(
    decomposition: Decomposition, clustering: Clustering, platform: Platform
) -> Clustering:
    """Halve what takes most until the memories of the tiles may hold all programs.

    Programs that stay resident need not be few. Large networks are left as they are.
    """
    small = clustering.num_clusters <= MOST_UNITS and platform.num_tiles <= MOST_TILES
    if not shares_memory(platform) or not small:
        return clustering
    needs = zip(stated(platform), demands(decomposition.network, platform), strict=True)
    rooms = have(platform)
    memory = [(need, rooms[d]) for d, (x, need) in enumerate(needs) if x.field in MEMORY]
    parts = [members.tolist() for members in clustering.members()]

    def fits() -> bool:
        return all(
            may_fit(np.array([need[part].sum() for part in parts]), room) for need, room in memory
        )

    while not fits():
        whole = [part for part in parts if len(part) > 1]
        if not whole:
            break
        largest = max(whole, key=lambda part: [int(need[part].sum()) for need, _ in memory])
        parts.remove(largest)
        half = len(largest) // 2
        parts += [largest[:half], largest[half:]]
    return _clustering(parts, decomposition.num_units)


def _cut(rules: UnitRules, members: list[int]) -> list[list[int]]:
    """Cut a cluster into parts whose members go together: each unit joins the first that fits."""
    parts: list[list[int]] = []
    labels: list[set[int]] = []
    for u in members:
        own = int(rules.label[u])
        for part, there in zip(parts, labels, strict=True):
            if not any(rules.clash[own, other] for other in there):
                part.append(u)
                there.add(own)
                break
        else:
            parts.append([u])
            labels.append({own})
    return parts


def _fitting(
    decomposition: Decomposition, rules: UnitRules, platform: Platform
) -> Callable[[list[int]], bool]:
    """Return what tells whether units may share a cluster and fit a crossbar."""
    kinds = kinds_of_crossbars(platform)
    taken = demands(decomposition.network, platform)
    sources = [set(decomposition.network.sources_of(int(u)).tolist())
               for u in decomposition.network.units]  # fmt: skip

    def fits(part: list[int]) -> bool:
        labels = np.unique(rules.label[part])
        rows = len(set().union(*(sources[u] for u in part)))
        need = (rows, len(part), *taken[:, part].sum(axis=1).tolist())
        return not rules.clash[np.ix_(labels, labels)].any() and fits_some(need, kinds)

    return fits


def _filled(
    rules: UnitRules, parts: list[list[int]], fits: Callable[[list[int]], bool]
) -> list[list[int]]:
    """Merge parts that are too small, or give them units of parts that can spare some."""
    least = rules.sizes.min_neurons or 1
    done: list[list[int]] = []
    todo = sorted(parts, key=len)
    while todo:
        part = todo.pop(0)
        if len(part) >= least:
            done.append(part)
            continue
        other = next((q for q in (*todo, *done) if fits([*part, *q])), None)
        if other is not None:
            (todo if other in todo else done).remove(other)
            todo.append([*part, *other])
            todo.sort(key=len)
            continue
        for donor in sorted((*todo, *done), key=len, reverse=True):
            for u in list(donor):
                if len(part) < least < len(donor) and fits([*part, u]):
                    donor.remove(u)
                    part.append(u)
        if len(part) < least:
            raise CapacityError(
                f"no way found to fill a cluster of {len(part)} units to min_neurons {least}"
            )
        done.append(part)
    return done


def _balanced(
    rules: UnitRules, parts: list[list[int]], fits: Callable[[list[int]], bool]
) -> list[list[int]]:
    """Give units of the largest parts to the smallest that have room; halve the largest if none.

    A unit goes to a part that is smaller by two at least, so that the sizes come nearer with each
    move. Where the largest can give nothing it becomes two: parts of one unit each are balanced,
    but more of them than a smaller number of crossbars would hold.
    """
    parts = [list(part) for part in parts]
    while (broken := next(rules.sizes.broken(list(map(len, parts))), None)) is not None:
        parts.sort(key=len)
        largest = parts[-1]
        takers = (part for part in parts if len(part) < len(largest) - 1)
        moves = ((part, u) for part in takers for u in largest if fits([*part, u]))
        part, unit = next(moves, (None, -1))
        if part is not None:
            largest.remove(unit)
            part.append(unit)
            continue
        if len(largest) < 2 or len(largest) // 2 < (rules.sizes.min_neurons or 1):
            raise CapacityError(f"no way found to balance clusters: {broken}")
        half = len(largest) // 2
        parts[-1:] = [largest[:half], largest[half:]]
    return parts


# --- tiles ---


def repaired_binding(graph: ClusterGraph, platform: Platform, binding: Binding) -> Binding:
    """Return a binding that obeys the demands and the memory of tiles, near the one given.

    Raises
    ------
    CapacityError
        If none was found.
    """
    rules = rules_of_graph(graph.made_of)
    memory = tile_memory(graph.needs, platform)
    fits = next(overfull(memory, binding.tile_of), None) is None
    if fits and (rules is None or rules.allows(binding.tile_of)):
        return binding
    search = _Rebinding(graph, platform, binding, rules or no_rules(graph.num_clusters))
    for tiles in search.bindings():
        found = Binding(np.array(tiles)[search.rules.group])
        if not buffer_violations(graph, platform, found):
            return found
    asked = ["obeys the constraints"] * (rules is not None)
    asked += ["holds all programs resident"] * bool(memory)
    raise CapacityError(
        f"no binding of {graph.num_clusters} clusters was found that {' and '.join(asked)}"
        f" ({search.nodes} partial ones tried)"
    )


class _Rebinding:
    """Depth-first search for a tile of each group, the given binding's tiles first."""

    def __init__(
        self, graph: ClusterGraph, platform: Platform, binding: Binding, rules: ClusterRules
    ) -> None:
        self.rules, self.platform, self.nodes = rules, platform, 0
        self.members = [np.flatnonzero(rules.group == g) for g in range(len(rules.tile))]
        self.wished = [int(binding.tile_of[members[0]]) for members in self.members]
        #: of each memory that programs share: what a group takes, and what tiles have left
        self.memory = [
            ([int(part.need[members].sum()) for members in self.members], part.have.tolist())
            for part in tile_memory(graph.needs, platform)
        ]
        fits = fitting_tiles(graph.rows, graph.columns, graph.needs, platform)
        self.fits: list[list[bool]] = [
            list(map(all, fits[members].T.tolist())) for members in self.members
        ]
        #: by list of sets apart: colour on each tile, and how many groups have painted it
        self.paint = [[(-1, 0)] * platform.num_tiles for _ in rules.colour]
        painted = (rules.colour >= 0).sum(axis=0)
        self.order = sorted(
            range(len(self.members)),
            key=lambda g: (rules.tile[g] < 0, -int(painted[g]), -len(self.members[g]), g),
        )

    def bindings(self) -> Iterator[list[int]]:
        """Yield tiles by group, at most MAX_NODES partial ones looked at."""
        if not self.rules.possible:
            return
        tiles = [-1] * len(self.members)
        held: IntArray = np.zeros(self.platform.num_tiles, dtype=np.int64)
        choices: list[Iterator[int]] = [iter(self._tiles(0, held))]
        while choices:
            depth = len(choices) - 1
            g = self.order[depth]
            if tiles[g] >= 0:
                held[tiles[g]] -= len(self.members[g])
                self._brush(g, tiles[g], -1)
                self._take(g, tiles[g], -1)
                tiles[g] = -1
            tile = next(choices[-1], None)
            if tile is None or self.nodes >= MAX_NODES:
                choices.pop()
                continue
            self.nodes += 1
            tiles[g] = tile
            held[tile] += len(self.members[g])
            self._brush(g, tile, 1)
            self._take(g, tile, 1)
            if depth + 1 == len(self.order):
                yield list(tiles)
            else:
                choices.append(iter(self._tiles(depth + 1, held)))

    def _tiles(self, depth: int, held: IntArray) -> list[int]:
        """Return the tiles that a group may go to: its wished one, then the emptiest."""
        g = self.order[depth]
        fixed = self.rules.tile[g]
        every = range(self.platform.num_tiles) if fixed < 0 else (fixed,)
        able = [t for t in every if self._room(g, t, held)]
        return sorted(able, key=lambda t: (t != self.wished[g], int(held[t]), t))

    def _brush(self, g: int, t: int, change: int) -> None:
        """Paint tile ``t`` in the colours of a group, or take them away."""
        for row, painted in zip(self.rules.colour, self.paint, strict=True):
            if row[g] >= 0:
                count = painted[t][1] + change
                painted[t] = (int(row[g]) if count else -1, count)

    def _take(self, g: int, t: int, times: int) -> None:
        """Take a group's memory from tile ``t``, or give it back."""
        for need, left in self.memory:
            left[t] -= times * need[g]

    def _room(self, g: int, t: int, held: IntArray) -> bool:
        slots = self.platform.tiles[t].slots
        if not self.fits[g][t] or (slots is not None and held[t] + len(self.members[g]) > slots):
            return False
        if any(need[g] > left[t] for need, left in self.memory):
            return False
        return all(
            row[g] < 0 or painted[t][0] in (-1, row[g])
            for row, painted in zip(self.rules.colour, self.paint, strict=True)
        )
