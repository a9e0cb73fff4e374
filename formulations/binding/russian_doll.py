"""Exact spike-hops (B0a) for one cluster a tile: nested branch and bound, no solver.

The quadratic assignment of clusters to tiles is solved for the last cluster of a fixed order alone,
then for the last two, and so on; the optimum of each of these problems bounds, inside the next
ones, what the clusters not yet placed cost among themselves [1]_. A node of the search has placed
the first clusters of its problem; its bound is

    flows among the placed
    + sum over the others of the cheapest free tile as seen from the placed
    + regrets: of several that want the same tile, all but one pay their second choice
    + the optimum of the problem of the others.

Order: the busiest cluster first, then the one with most flow, above all to those already taken, so
that branching meets the expensive flows early. Symmetry (B6): of placements that automorphisms of
the tiles map to each other only the lexicographically least. Incumbents: annealing (annealing.py).

Where the optimum of one of the last problems is not proved in PLAIN_SHARE of its time, its bound is
raised step by step: a search for anything below a wanted value ends sooner than one for the
optimum, and where it finds nothing that value is a bound, which problems further out use likewise.

Bound         what a nested problem costs at least plus one hop for every other flow; exact integers
Check         spike-hops by recomputation

References
----------
.. [1] G. Verfaillie, M. Lemaitre, T. Schiex, "Russian doll search for solving constraint
   optimization problems", AAAI 1996.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from formulations.binding.annealing import anneal, nearest_tiles
from formulations.binding.bounds import hop_bounds
from formulations.binding.parts_bound import parts_bound
from formulations.binding.ruin_and_recreate import UNLIMITED, BindingProblem
from formulations.binding.russian_doll_kernel import HUGE, search
from formulations.binding.russian_doll_nodes import Problem
from formulations.binding.sets import BindingSets, keep_better, sets_of, usable_start
from formulations.joint.symmetry import automorphisms
from formulations.solvers.stopwatch import Stopwatch
from optmap.bounds.bound import best
from optmap.clock import did
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.grade import Grade
from optmap.model.mapping import Binding
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform
from optmap.model.snn import IntArray

#: Annealing: runs for the first incumbent, moves by cluster and tile; temperatures in the largest
#: flow, and in spike-hops.
NUM_RUNS, MOVES_A_PLACE = 8, 400
HOT, COLD = 1.3, 0.5
#: Moves that about a second of one core is counted as.
MOVES_A_UNIT = 2_000_000
#: Up to so many tiles automorphisms are looked for.
MOST_TILES_TURNED = 100
#: A search with more than HOPEFUL problems to come when HOPELESS_SHARE of its time is spent ends,
#: and the bound from parts has the rest. Else that has PARTS_SHARE of the time, and no less than
#: where a shorter search had just ended: a longer limit gives no weaker bound.
HOPEFUL, HOPELESS_SHARE, PARTS_SHARE = 3, 0.2, 0.1
#: The part of a problem's time for its optimum; then the bound is raised by such parts of the value
#: known, each of which takes 1.3 times as long as the one before.
PLAIN_SHARE, STEPS = 0.4, 50


def applies(sets: BindingSets) -> bool:
    """Tell whether this method's problem is the whole problem.

    Every tile takes one cluster, any of them; hops are symmetric; output buffers, which depend on
    where partners are, are not limited (input buffers are: one cluster's need is its own).
    """
    platform, hops = sets.platform, sets.platform.hops
    need = dict.fromkeys(sets.clusters, 0)
    for _, b, q in sets.channels:
        need[b] += q
    room = [t.input_buffer for t in platform.tiles if t.input_buffer is not None]
    return (
        0 < len(sets.clusters) <= platform.num_tiles
        and all(t.slots == 1 and t.output_buffer is None for t in platform.tiles)
        and all(sets.fits.values())
        and max(need.values()) <= min(room, default=max(need.values()))
        and bool((hops == hops.T).all())
    )


def solve(
    graph: ClusterGraph,
    platform: Platform,
    limits: Limits,
    *,
    max_load: int | None = None,
    warm: Binding | None = None,
) -> Outcome[Binding]:
    """Return the binding of fewest spike-hops with one cluster a tile.

    Parameters
    ----------
    max_load : int, optional
        As in the other binding methods; here it only says whether the longest cluster may run.
    warm : Binding, optional
        A first incumbent.

    Raises
    ------
    ValueError
        If the problem is not of this kind (:func:`applies`).
    """
    watch = Stopwatch(limits)
    sets = sets_of(graph, platform)
    if not applies(sets):
        raise ValueError("nested search binds one cluster to a tile, any cluster to any tile")
    if max_load is not None and max(sets.tau) > max_load:
        return Outcome(Status.INFEASIBLE, trace=watch.trace, grade=Grade.CERTIFIED)
    start, value = usable_start(sets, "hops", max_load, warm)
    search = _Search(sets.flow_matrix, sets, limits.seed)
    named = best(hop_bounds(sets, Stopwatch(Limits(max(watch.left / 4, 1e-3)))))
    low = 0 if named is None else named.whole
    tiles, found = search.run(watch, value, low, PARTS_SHARE * limits.wall_s)
    binding = None if tiles is None else Binding(tiles.astype(np.int32))
    status = Status.FEASIBLE if binding is not None else Status.UNKNOWN
    bound = max(low, search.floor())
    if binding is not None and not search.proved:
        bound = max(bound, parts_bound(sets, partial(optimum_of_part, sets), watch))
    outcome = keep_better(watch, status, binding, found, bound, start, value)
    return replace(outcome, grade=Grade.CERTIFIED)  # named bounds and our own search


def optimum_of_part(
    sets: BindingSets, members: tuple[int, ...], watch: Stopwatch
) -> tuple[int, bool]:
    """Return what these clusters pay at least when only they are placed, and if that is all."""
    flow = sets.flow_matrix[np.ix_(members, members)]
    search = _Search(np.ascontiguousarray(flow), sets, watch.limits.seed)
    search.run(watch, None, 0)
    return search.floor(), search.proved


class _Search:
    """The nested problems of one instance, clusters renumbered in the order of the search."""

    def __init__(self, flow: IntArray, sets: BindingSets, seed: int) -> None:
        n = len(flow)
        self.order = _search_order(flow)
        self.flow = np.ascontiguousarray(flow[np.ix_(self.order, self.order)])
        self.hops = np.ascontiguousarray(sets.platform.hops)
        self.group = tile_group(sets)
        self.nested = np.zeros(n + 1, dtype=np.int64)  # bound of the problem of k..n-1
        self.bounded_from, self.proved = n, n == 0
        self.seed = seed

    def floor(self) -> int:
        """Return what the problems so far prove for the whole: other flows go one hop."""
        k = self.bounded_from
        inside = int(np.triu(self.flow[k:, k:]).sum())
        others = int(np.triu(self.flow).sum()) - inside
        return int(self.nested[k]) + others * self._nearest()

    def _nearest(self) -> int:
        """Return the hops between the two tiles that are nearest to each other."""
        between = self.hops[~np.eye(len(self.hops), dtype=np.bool_)]
        return int(between.min()) if len(between) else 0

    def run(
        self, watch: Stopwatch, known: int | None, low: int, kept_s: float = 0.0
    ) -> tuple[IntArray | None, int | None]:
        """Return the tile of each cluster and the value; :meth:`floor` says what is proved.

        At least ``kept_s`` seconds are left over, and much more where the search is hopeless.
        """
        n, limit_s = len(self.order), watch.limits.wall_s
        if watch.left <= 0:
            return None, None
        best, places = self._annealed(0, NUM_RUNS, watch)
        watch.note(best, low)
        if best == low:
            return self._original(places), best
        begun, hopeful, steps = watch.spent, False, 1
        for k in range(n - 1, -1, -1):
            goal = self._annealed(k, 1, watch)[0] if k else best
            if k == 0 and known is not None:
                goal = min(goal, known)
            allowed = limit_s
            if kept_s and k > HOPEFUL:
                allowed = begun + HOPELESS_SHARE * (limit_s - begun)
            elif kept_s:
                if not hopeful:
                    kept_s = max(kept_s, (1 / HOPELESS_SHARE - 1) * (watch.spent - begun))
                hopeful, steps = True, STEPS
                allowed = watch.spent + (watch.left - kept_s) / (2 if k else 1)
            goal, improved, finished = self._raise(k, goal, 0 if k else low, watch, allowed, steps)
            if k == 0 and improved is not None:
                best, places = goal, improved
                watch.note(best, low)
            self.proved = k == 0 and finished
            if not finished and not hopeful:
                break
        return self._original(places), best

    def _raise(
        self, k: int, goal: int, low: int, watch: Stopwatch, allowed: float, steps: int
    ) -> tuple[int, IntArray | None, bool]:
        """Raise the bound of problem k until ``allowed``, to ``goal``, a value that can be had.

        A step is ``goal`` divided by ``steps``; of several, a share of the time goes to one first.

        Returns
        -------
        value, places, finished
            The goal or something better, then with places, and whether it is the bound as well.
        """
        problem = Problem(k, self.flow, self.hops, self.nested, self.group)
        own = int(self.flow[k, k + 1 :].sum()) * self._nearest()
        low, places = max(low, int(self.nested[k + 1]) + own), None
        if steps > 1 and low < goal:
            plain = watch.spent + PLAIN_SHARE * (allowed - watch.spent)
            goal, places, finished = search(problem, goal, watch, plain)
            low = goal if finished else low
        while low < goal:
            wanted = min(goal, low + max(1, goal // steps))
            value, better, finished = search(problem, wanted, watch, allowed)
            goal, places = (goal, places) if better is None else (value, better)
            if not finished:
                break
            low = value
        self.nested[k], self.bounded_from = low, k
        return goal, places, low >= goal

    def _annealed(self, first: int, runs: int, watch: Stopwatch) -> tuple[int, IntArray]:
        """Return a good solution of the problem of ``first``..n-1 and its value.

        One run takes half of the time that is left at most; no run is begun that would end later.
        """
        problem, near = _annealing_problem(self.flow[first:, first:], self.hops)
        rng, num = np.random.default_rng(self.seed), len(self.order) - first
        possible = int(0.5 * MOVES_A_UNIT * max(watch.left, 0.0))
        moves = min(MOVES_A_PLACE * num * len(self.hops), possible)
        least, places, longest = HUGE, np.zeros(len(self.order), dtype=np.int64), 0.0
        for number in range(runs):
            if number and watch.left < longest:
                break
            begun = watch.spent
            tile = rng.permutation(len(self.hops))[:num].astype(np.int64)
            seed = int(rng.integers(2**31))
            hot = max(1.0, HOT * float(self.flow.max()))
            did(moves / MOVES_A_UNIT)
            found, value = anneal(tile, near, problem, seed, moves, hot, COLD)
            longest = max(longest, watch.spent - begun)
            if value < least:
                least, places[first:] = int(value), found
        return least, places

    def _original(self, places: IntArray) -> IntArray:
        tiles = np.empty(len(places), dtype=np.int64)
        tiles[self.order] = places
        return tiles


def _annealing_problem(flow: IntArray, hops: IntArray) -> tuple[BindingProblem, IntArray]:
    """Return the problem of one cluster a tile and these flows; near tiles."""
    n, tiles = len(flow), len(hops)
    a, b = np.nonzero(flow)
    indptr = np.searchsorted(a, np.arange(n + 1)).astype(np.int64)
    none, room = np.zeros(n, dtype=np.int64), np.full(tiles, UNLIMITED, dtype=np.int64)
    once = flow[a, b].astype(np.int64)
    problem = BindingProblem(
        indptr,
        b.astype(np.int64),
        once,
        np.zeros_like(once),
        hops,
        np.ones((n, tiles), dtype=np.bool_),
        np.ones(tiles, dtype=np.int64),
        none,
        none,
        room,
        UNLIMITED,
    )
    return problem, nearest_tiles(hops)


def tile_group(sets: BindingSets) -> IntArray:
    """Return the automorphisms of the tiles, of many tiles the identity alone, one a row."""
    tiles = sets.platform.num_tiles
    if tiles > MOST_TILES_TURNED:
        return np.arange(tiles, dtype=np.int64)[None]
    return np.array(automorphisms(sets.platform), dtype=np.int64)


def _search_order(flow: IntArray) -> IntArray:
    """Return the busiest cluster, then always the one with most flow, twice where to those taken.

    Counting flow to the others too makes the inner problems light and the outer ones tight.
    """
    total = flow.sum(axis=0)
    order = [int(total.argmax())]
    while len(order) < len(flow):
        rest = [u for u in range(len(flow)) if u not in order]
        order.append(max(rest, key=lambda u: (4 * flow[u, order].sum() + total[u], -u)))
    return np.array(order, dtype=np.int64)
