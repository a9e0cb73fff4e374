"""Multilevel clustering for little traffic: coarsen, divide the coarsest level, refine every level.

Pseudo-code::

    while there are many nodes: match those that share most, each pair becomes one node (levels.py)
    grow parts on the coarsest level several times, improve each by moves, keep the least traffic
    for each level, coarsest first: the parts of its nodes, improved by moves (traffic_moves.py)
    parts that rows or columns do not hold are split and packed (fitting_blocks.py)

Coarser parts may hold a little more than a crossbar, for whole nodes rarely fill one exactly; what
is too much leaves them on the way down. Where little traffic is searched for longer
(:func:`least_traffic`), divisions of several seeds are made; then two of them are *combined*: only
nodes that both keep together are matched, so that the coarsest level has both, and moves take the
best of each.

Complexity: O(S log U) for S synapses, times the passes, which are few; O(S + U K + K N) memory for
K parts.

Source: this project's own, after multilevel partitioning [KK]_ and its recombination [KaHyPar-E]_.

References
----------
.. [KK] G. Karypis, V. Kumar, "Multilevel k-way hypergraph partitioning", VLSI Design 11, 2000.
.. [KaHyPar-E] R. Andre, S. Schlag, C. Schulz, "Memetic multilevel hypergraph partitioning", GECCO
   2018.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import NamedTuple

import numpy as np

from optmap.clock import did, left_s, now, over
from optmap.clustering.kernels.balancing import balance
from optmap.clustering.kernels.crossbar_fill import check_units_fit, row_limits
from optmap.clustering.kernels.fitting_blocks import fewest_blocks, fitted
from optmap.clustering.kernels.grown_parts import grown_parts
from optmap.clustering.kernels.levels import Level, contracted, finest, matched, ordered
from optmap.clustering.kernels.traffic_moves import cut, parts_of, pass_of_moves
from optmap.clustering.kernels.twins import twin_classes
from optmap.model.capacity import UNLIMITED
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering, compact
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray, IntArray

Expired = Callable[[], bool]

#: Nodes of the coarsest level for each part; a level that keeps more of the nodes of the one before
#: than WORTH is the last.
NODES_A_PART, WORTH = 10, 0.95
#: Where more than FULL of all columns are needed, nodes of the coarsest level are finer, for only
#: small ones fill a part: so many columns each, as long as a part has not more than so many nodes.
FULL, COLUMNS_A_NODE, MOST_NODES_A_PART = 0.9, 16, 40
#: A node holds at most so much of a crossbar's columns, and by so much more than these a part may
#: hold on the coarsest level, or where nearly all are needed.
NODE_SHARE, LOOSE, FULL_LOOSE = 1 / 3, 0.03, 0.06
#: Parts grown on the coarsest level; passes of a level at most; moves in vain that end a pass.
TRIES, PASSES, PATIENCE = 10, 20, 50
#: Rounds of :func:`partition`, the second for the number of clusters found.
ROUNDS = 2
#: Seconds that a pin takes: matched or moved on one level; on all, for each root of the parts.
PASS_S, PIN_S = 2e-7, 1.5e-6
#: Seconds that a pass takes to see of a net whether a part has it.
LOOK_S = 3e-7
#: Synapses from which on searches start with a division.
LARGE = 50_000
#: Entries of the tables of parts at most, 8 bytes each.
MAX_TABLE = 25_000_000
#: Divisions of one search; those that are combined; combinations in vain that end it.
DIVISIONS, PAIRED, IN_VAIN = 8, 6, 12


class Problem(NamedTuple):
    """A finest level, the number of parts, and the most rows by columns of a part, 0 to all."""

    finest: Level
    num: int
    room: IntArray

    @property
    def columns(self) -> int:
        """Columns that a part may hold."""
        return len(self.room) - 1

    @property
    def full(self) -> bool:
        """Whether nearly all columns are needed."""
        return len(self.finest.size) > FULL * self.num * self.columns

    @property
    def enough(self) -> int:
        """Nodes of the coarsest level, about."""
        fine = min(self.columns // COLUMNS_A_NODE, MOST_NODES_A_PART) if self.full else 0
        return self.num * max(fine, NODES_A_PART)

    @property
    def loose(self) -> float:
        """By how much more than its columns a part may hold on the coarsest level."""
        return FULL_LOOSE if self.full else LOOSE

    def seconds(self) -> float:
        """Return about what one division takes."""
        return PIN_S * len(self.finest.nets) * sqrt(self.num)


def partition(decomposition: Decomposition, platform: Platform, *, seed: int = 0) -> Clustering:
    """Cluster into few clusters of little traffic.

    Raises
    ------
    CapacityError
        If some unit fits no crossbar.
    """
    network = decomposition.network
    check_units_fit(network, platform)
    if not network.num_units:
        return Clustering(np.empty(0, dtype=np.int32))
    limits, twins = row_limits(platform.kinds, network.num_neurons), twin_classes(network)
    level, blocks = finest(network), fewest_blocks(network, platform)
    best: tuple[tuple[int, int], Clustering] | None = None
    for number in range(ROUNDS):
        problem = Problem(level, max(blocks, 1), limits[:-1])
        found = None if too_large(problem) else divided(problem, seed + number, over)
        block_of = np.zeros(network.num_units, dtype=np.int32) if found is None else found[0]
        score, clustering = fitted(network, twins, limits, block_of)
        if best is None or score < best[0]:
            best = score, clustering
        if found is None or best[1].num_clusters <= blocks or over():
            break
        blocks = best[1].num_clusters
    assert best is not None  # there is a round
    return best[1]


def worth_it(network: SNN) -> bool:
    """Tell whether a network is so large that searches begin with this rather than from afar."""
    return network.num_synapses >= LARGE


def seconds_for(network: SNN, platform: Platform) -> float:
    """Return about what a round of :func:`partition` takes; mostly the first is the last."""
    blocks = max(1, fewest_blocks(network, platform))
    return PIN_S * (network.num_synapses + network.num_units) * sqrt(blocks)


def too_large(problem: Problem) -> bool:
    """Tell whether the tables of parts would take too much memory."""
    larger = max(len(problem.finest.size), len(problem.finest.weight))
    return problem.num * larger > MAX_TABLE


def divided(problem: Problem, seed: int, expired: Expired) -> tuple[IndexArray, int] | None:
    """Return the part of every unit, and what rows and columns are short of; None if expired."""
    everywhere = np.zeros(len(problem.finest.size), dtype=np.int32)
    levels, groups, _ = _coarsened(problem, everywhere, seed)
    coarsest, rng = levels[-1], np.random.default_rng(seed)
    best: tuple[tuple[int, int], IndexArray] | None = None
    for _ in range(TRIES):
        grown = grown_parts(coarsest, problem.num, problem.room, int(rng.integers(2**31)))
        part, above = _improved(problem, coarsest, grown, problem.loose, expired)
        score = above, int(cut(coarsest, part, problem.num))
        if best is None or score < best[0]:
            best = score, part
        if expired():
            return None
    assert best is not None  # there is a try
    return _refined(problem, levels, groups, best[1], expired)


def combined(
    problem: Problem, first: IndexArray, second: IndexArray, seed: int, expired: Expired
) -> tuple[IndexArray, int] | None:
    """Return what is made of ``first`` where nodes move that a second division keeps together."""
    both = (first.astype(np.int64) * problem.num + second).astype(np.int32)
    levels, groups, part = _coarsened(problem, both, seed)
    return _refined(problem, levels, groups, part // problem.num, expired)


def least_traffic(
    network: SNN,
    start: Clustering,
    kinds: tuple[tuple[int, int], ...],
    expired: Callable[[float], bool],
    *,
    seed: int = 0,
) -> Clustering:
    """Return a clustering of no more clusters and no more traffic than one that fits.

    Parameters
    ----------
    kinds : tuple of (rows, columns)
        The crossbars; a cluster must fit one of them.
    expired : callable
        Says whether so many more seconds would end too late.
    """
    num = start.num_clusters
    problem = Problem(finest(network), num, row_limits(kinds)[:-1])
    if num < 2 or too_large(problem):
        return start
    # least first; the seed tells equal ones apart
    found = [(int(cut(problem.finest, start.cluster_of, num)), -1, start.cluster_of)]
    rng, in_vain, slowest = np.random.default_rng(seed), 0, problem.seconds()
    for attempt in range(DIVISIONS * PAIRED):
        if in_vain == IN_VAIN or expired(slowest * (1.0 if attempt < DIVISIONS else 0.5)):
            break
        began = now()
        if attempt < DIVISIONS:
            made = divided(problem, seed * DIVISIONS + attempt, lambda: expired(0.0))
        else:
            among = min(len(found), PAIRED)
            if among < 2:
                break
            one, two = sorted(rng.choice(among, 2, replace=False).tolist())
            made = combined(problem, found[one][2], found[two][2], attempt, lambda: expired(0.0))
        slowest = max(slowest, now() - began)
        if made is None or made[1]:
            continue
        value, least = int(cut(problem.finest, made[0], num)), found[0][0]
        if all(value != known for known, _, _ in found):
            found = sorted([*found, (value, attempt, made[0])], key=lambda one: one[:2])
        in_vain = 0 if value < least or attempt < DIVISIONS else in_vain + 1
    return start if found[0][1] < 0 else compact(found[0][2])


def _coarsened(
    problem: Problem, part: IndexArray, seed: int
) -> tuple[list[Level], list[IndexArray], IndexArray]:
    """Return the levels, the coarser node of each node, and the part of each coarsest node.

    Only nodes of one part are matched.
    """
    levels: list[Level] = [problem.finest]
    groups: list[IndexArray] = []
    enough = problem.enough
    most = min(2 * len(part) // max(enough, 1), int(NODE_SHARE * problem.columns))
    while len(levels[-1].size) > enough:
        level = levels[-1]
        order = ordered(level, seed)
        group, num = matched(level, order, part, max(most, 1), int(problem.room[1]), seed)
        did(2 * PASS_S * len(level.nets))
        if num > WORTH * len(level.size):
            break
        coarser = np.empty(num, dtype=np.int32)
        coarser[group] = part
        part = coarser
        levels.append(contracted(level, group, num))
        groups.append(group)
    return levels, groups, part


def _refined(
    problem: Problem,
    levels: list[Level],
    groups: list[IndexArray],
    part: IndexArray,
    expired: Expired,
) -> tuple[IndexArray, int] | None:
    """Return the finest level's parts, and what they are short of, from those of the coarsest."""
    above, last = 0, len(groups)
    for n in range(last, -1, -1):
        if n < last:
            part = part[groups[n]]
        loose = problem.loose * n / max(last, 1)
        part, above = _improved(problem, levels[n], part, loose, expired)
        if n and expired():
            return None
    return part, above


def _improved(
    problem: Problem, level: Level, part: IndexArray, loose: float, expired: Expired
) -> tuple[IndexArray, int]:
    """Return parts after passes of moves, and what rows and columns are short of.

    The pass after which ``expired`` says so is the last; one that takes a thousand times as long as
    others, since hardly anything fits, ends with the limit.
    """
    columns = int((1 + loose) * problem.columns)
    parts, slack, above = parts_of(level, part, problem.num), int(level.size.max()), 0
    if problem.full:
        balance(level, parts, columns, problem.room)
    for number in range(PASSES):
        most = UNLIMITED if left_s() == inf else int(max(left_s(), 0.0) / LOOK_S)
        saved, above = pass_of_moves(level, parts, columns, problem.room, slack, PATIENCE, most)
        did(PASS_S * len(level.nets))
        if (saved <= 0 and (number or not above)) or expired():
            break
    return parts.part, int(above)
