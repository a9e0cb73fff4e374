"""Static orders with a prologue: modulo scheduling, then pulling actors ahead on critical cycles.

Pseudo-code::

    best = the given start
    for L from the lower bound upwards, in growing steps, below best's period:
        visit clusters and sends by earliest start without orders at L, then a few times by
            the same start and a random delay
        place each at the first free time modulo L on its tile or interface after its
            predecessors, pushing out what is in the way where there is none (modulo_schedule.py)
        read orders and offsets off the starts; keep them if the evaluator finds them better
    repeat while the period falls (or, a few times, stays):
        for every order edge x -> y on the critical cycle:
            try y one iteration further ahead; x one less; x and y exchanged
        for every run of order edges x -> ... -> z: try z before x, and x behind z
        take the best of these

Offsets let a tile work on several iterations at once (software pipelining), so a chain that leaves
a tile and comes back need not fit into one period. The evaluator's own graph is rebuilt for every
trial, so that the period returned is exact; the start is kept where nothing better is found.

Complexity: a placement on a resource of m tasks takes O(m^2) at worst; at most MOST_TRIALS
evaluations in the second phase.

References
----------
.. [1] B. R. Rau, "Iterative modulo scheduling", MICRO 1994.
.. [2] P. Brucker, T. Kampmeyer, "Tabu search algorithms for cyclic machine scheduling problems",
   Journal of Scheduling 8, 2005 (moves along the critical cycle).
.. [3] J. Grabowski, E. Nowicki, S. Zdrzalka, "A block approach for single-machine scheduling with
   release dates and due dates", European Journal of Operational Research 26, 1986 (only what
   leaves its block's inside shortens a critical path).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from optmap.clock import did
from optmap.errors import DeadlockError
from optmap.judge.binding_aware_graph import BindingAwareGraph, Reason, lower
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.platform import Platform
from optmap.model.snn import IntArray
from optmap.ordering.kernels.modulo_schedule import begin, place
from optmap.sdf.cycle_ratio import earliest_schedule, maximum_cycle_ratio
from optmap.sdf.marked_graph import MarkedGraph

#: Periods tried by modulo scheduling, in percent above the lower bound.
STEPS_PERCENT = (0, 1, 2, 4, 7, 11, 16, 22, 30, 40, 55, 75, 100)
#: Visiting orders per period: by earliest start, then with random delays of up to a period.
NUM_VISITS = 4
#: Evaluations in the second phase, and how many moves in a row may leave the period as it is.
MOST_TRIALS = 400
MOST_LEVEL_MOVES = 10
#: Edges that about a second's evaluations read.
EDGES_A_UNIT = 5_000_000


def order(
    graph: ClusterGraph,
    binding: Binding,
    platform: Platform,
    *,
    seed: int = 0,
    start: StaticOrders | None = None,
    expired: Callable[[], bool] = lambda: False,
    most_trials: int = MOST_TRIALS,
) -> StaticOrders:
    """Return orders with offsets for a binding.

    Parameters
    ----------
    seed : int
        Draws the random delays, and breaks ties between moves that leave the period as it is.
    start : StaticOrders, optional
        Where to start, usually the projected order; the result is never worse. Without one the
        clusters start in the order of their earliest starts.
    expired : callable, optional
        Asked now and then; once it says so, the best orders so far are the result.
    most_trials : int
        Evaluations in the second phase.

    Raises
    ------
    DeadlockError
        If ``start`` deadlocks.
    """
    if graph.num_clusters == 0:
        return start or StaticOrders(((),) * platform.num_tiles)
    problem = _Problem.of(graph, binding, platform)
    best = problem.rounds_of(start) if start is not None else problem.by_earliest_start()
    value, cycle = problem.period(best)
    given, rng = value, np.random.default_rng(seed)
    for percent in STEPS_PERCENT:
        length = -(-problem.floor * (100 + percent) // 100)
        if length >= value or expired():
            break
        starts = problem.modulo_schedule(int(length), rng, expired)
        if starts is None:
            continue
        rounds = problem.rounds_at(starts, int(length))
        found, its_cycle = problem.period(rounds)
        if found < value:
            best, value, cycle = rounds, found, its_cycle
        break
    best, value = _improved(problem, best, (value, cycle), rng, expired, most_trials)
    if start is not None and value >= given:
        return start
    return problem.orders(best)


@dataclass(frozen=True)
class _Rounds:
    """A cyclic sequence per resource and an offset per task (relative ones count)."""

    sequences: tuple[tuple[int, ...], ...]
    ahead: tuple[int, ...]


@dataclass(frozen=True)
class _Problem:
    """Tasks (clusters, then sends), their resources, and the evaluator's edges without orders."""

    bound: BindingAwareGraph
    base: MarkedGraph
    resource: IntArray
    num_tiles: int
    floor: Fraction

    @classmethod
    def of(cls, graph: ClusterGraph, binding: Binding, platform: Platform) -> _Problem:
        """Lower the binding once, under any order, and keep what no order changes."""
        tile, tiles = binding.tile_of.astype(np.int64), platform.num_tiles
        lists = [np.flatnonzero(tile == t).tolist() for t in range(tiles)]
        bound = lower(graph, platform, binding, StaticOrders(tuple(map(tuple, lists))))
        g, kept = bound.graph, bound.reason <= Reason.BUFFER
        base = MarkedGraph(
            g.num_actors, g.source[kept], g.target[kept], g.delay[kept], g.tokens[kept]
        )
        sender = tile[graph.source[bound.send_channel]]
        resource = np.concatenate((tile, tiles + sender))
        load = np.zeros(2 * tiles, dtype=np.int64)
        np.add.at(load, resource, bound.time)
        ratio, _ = maximum_cycle_ratio(base)
        floor = max(Fraction(int(load.max())), ratio or Fraction(0))
        return cls(bound, base, resource, tiles, floor)

    def rounds_of(self, orders: StaticOrders) -> _Rounds:
        """Read given orders; default send orders are made explicit."""
        task = {c: c for c in range(self.bound.clusters.num_clusters)}
        g, k = self.bound.clusters, self.bound.clusters.num_clusters
        send_of = {
            (int(g.source[e]), int(g.target[e])): k + i
            for i, e in enumerate(self.bound.send_channel)
        }
        place = {c: i for row in orders.clusters for i, c in enumerate(row)}
        ahead = dict.fromkeys(range(len(self.resource)), 0)
        rows = [tuple(task[c] for c in row) for row in orders.clusters]
        if orders.sends is None:
            default = sorted(send_of, key=lambda pair: (place[pair[0]], pair[1]))
            for t in range(self.num_tiles):
                mine = [send_of[p] for p in default if self.resource[p[0]] == t]
                rows.append(tuple(mine))
        else:
            rows += [tuple(send_of[pair] for pair in row) for row in orders.sends]
        offsets = [*(orders.offsets or ()), *(orders.send_offsets or ())]
        ahead_rows = rows[: self.num_tiles] if orders.offsets else []
        ahead_rows = ahead_rows + (rows[self.num_tiles :] if orders.send_offsets else [])
        for row, values in zip(ahead_rows, offsets, strict=True):
            ahead |= dict(zip(row, values, strict=True))
        return _Rounds(tuple(rows), tuple(ahead[i] for i in range(len(ahead))))

    def by_earliest_start(self) -> _Rounds:
        """Sort every resource by earliest start without orders; no iteration runs ahead."""
        starts = earliest_schedule(self.base, self.floor)
        return self._sorted(starts, np.zeros(len(starts), dtype=np.int64))

    def rounds_at(self, starts: IntArray, length: int) -> _Rounds:
        """Read a schedule: sequence by start modulo its period, a late task lags."""
        return self._sorted(starts % length, -(starts // length))

    def _sorted(self, key: IntArray, ahead: IntArray) -> _Rounds:
        by_key = np.lexsort((key, self.resource))
        cuts = np.searchsorted(self.resource[by_key], np.arange(1, 2 * self.num_tiles))
        sequences = tuple(tuple(part.tolist()) for part in np.split(by_key, cuts))
        return _Rounds(sequences, tuple(int(o) for o in ahead))

    def period(self, rounds: _Rounds) -> tuple[Fraction, list[tuple[int, int]]]:
        """Return the exact period and the order edges (x, y) on a critical cycle."""
        base, time = self.base, self.bound.time
        source = [np.array(s) for s in rounds.sequences if len(s) > 1]
        x = np.concatenate(source) if source else np.empty(0, dtype=np.int64)
        y = np.concatenate([np.roll(s, -1) for s in source]) if source else x
        ahead = np.array(rounds.ahead, dtype=np.int64)
        tokens = ahead[y] - ahead[x]
        tokens[np.cumsum([len(s) for s in source], dtype=np.int64) - 1] += 1
        graph = MarkedGraph(
            base.num_actors,
            np.concatenate((base.source, x)).astype(np.int32),
            np.concatenate((base.target, y)).astype(np.int32),
            np.concatenate((base.delay, time[x])),
            np.concatenate((base.tokens, tokens)),
        )
        ratio, cycle = maximum_cycle_ratio(graph)
        edges = [e - base.num_edges for e in cycle if e >= base.num_edges]
        return ratio or Fraction(0), [(int(x[e]), int(y[e])) for e in edges]

    def modulo_schedule(
        self, length: int, rng: np.random.Generator, expired: Callable[[], bool]
    ) -> IntArray | None:
        """Return starts of a periodic schedule of that period, or None if no visit finds one."""
        base = self.base
        try:
            earliest = earliest_schedule(base, Fraction(length))
        except ValueError:
            return None
        number = np.arange(len(earliest))
        for visit in range(NUM_VISITS):
            late = rng.integers(0, 1 + visit * length // NUM_VISITS, len(earliest)) * (visit > 0)
            rank = np.empty(len(earliest), dtype=np.int64)
            rank[np.lexsort((number, earliest + late))] = number
            edges = (
                base.source.astype(np.int64),
                base.target.astype(np.int64),
                base.delay - length * base.tokens,
            )
            starts = place(begin(length, rank, self.bound.time, self.resource, edges), expired)
            if starts is not None or expired():
                return starts
        return None

    def orders(self, rounds: _Rounds) -> StaticOrders:
        """Return the sequences with offsets from 0 up."""
        g, k = self.bound.clusters, self.bound.clusters.num_clusters
        offsets = []
        for row in rounds.sequences:
            least = min((rounds.ahead[i] for i in row), default=0)
            offsets.append(tuple(rounds.ahead[i] - least for i in row))
        channels = [self.bound.send_channel[i - k] for i in range(k, len(self.resource))]
        sends = tuple(
            tuple((int(g.source[channels[i - k]]), int(g.target[channels[i - k]])) for i in row)
            for row in rounds.sequences[self.num_tiles :]
        )
        clusters = rounds.sequences[: self.num_tiles]
        tiles = self.num_tiles
        return StaticOrders(clusters, tuple(offsets[:tiles]), sends, tuple(offsets[tiles:]))


def _improved(
    problem: _Problem,
    best: _Rounds,
    reached: tuple[Fraction, list[tuple[int, int]]],
    rng: np.random.Generator,
    expired: Callable[[], bool],
    most_trials: int,
) -> tuple[_Rounds, Fraction]:
    """Follow the critical cycle downhill, and a few times along level ground."""
    value, now_cycle = reached
    now, level, trials = best, 0, 0
    while value > problem.floor and level <= MOST_LEVEL_MOVES and trials < most_trials:
        found = []
        for rounds in _moves(now, now_cycle):
            if expired():
                return best, value
            trials += 1
            did(problem.base.num_edges / EDGES_A_UNIT)
            try:
                period, its_cycle = problem.period(rounds)
            except DeadlockError:
                continue
            found.append((period, float(rng.random()), rounds, its_cycle))
        if not found:
            break
        period, _, now, now_cycle = min(found, key=lambda f: f[:2])
        level = 0 if period < value else level + 1
        if period < value:
            best, value = now, period
        elif period > value:
            break
    return best, value


def _moves(rounds: _Rounds, cycle: list[tuple[int, int]]) -> Iterator[_Rounds]:
    """Yield the neighbours along the order edges x -> y of a critical cycle."""
    row_of = {task: r for r, row in enumerate(rounds.sequences) for task in row}
    for x, y in cycle:
        for task, by in ((y, 1), (x, -1)):
            ahead = list(rounds.ahead)
            ahead[task] += by
            yield _Rounds(rounds.sequences, tuple(ahead))
        row = rounds.sequences[row_of[x]]
        if len(row) < 3:
            continue  # exchanging two in a round of two is a rotation
        ahead = list(rounds.ahead)
        if row[0] == y:  # the closing edge: rotate first, which lets y lag one round less
            row = (*row[1:], y)
            ahead[y] += 1
        i = row.index(x)
        sequences = list(rounds.sequences)
        sequences[row_of[x]] = (*row[:i], y, x, *row[i + 2 :])
        yield _Rounds(tuple(sequences), tuple(ahead))
    for run in _runs(cycle):
        row = rounds.sequences[row_of[run[0]]]
        first, last = row.index(run[0]), row.index(run[-1])
        if first + len(run) - 1 != last or len(run) < 3:
            continue  # it passes the closing edge, or is an exchange
        inside = row[first : last + 1]
        for moved in ((inside[-1], *inside[:-1]), (*inside[1:], inside[0])):
            sequences = list(rounds.sequences)
            sequences[row_of[run[0]]] = (*row[:first], *moved, *row[last + 1 :])
            yield _Rounds(tuple(sequences), rounds.ahead)


def _runs(cycle: list[tuple[int, int]]) -> Iterator[list[int]]:
    """Yield the tasks of each run of order edges that follow one another, in their order."""
    run: list[int] = []
    for x, y in cycle:
        if run and run[-1] != x:
            yield run
            run = []
        run = [*run, y] if run else [x, y]
    if run:
        yield run
