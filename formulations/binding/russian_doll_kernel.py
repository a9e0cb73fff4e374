"""The nodes of the nested search (russian_doll.py): depth first, on one thread or several.

A node places the first clusters of a problem. What each cluster not yet placed costs on each tile,
as seen from the placed ones, changes at a node only for those that have flow with the cluster it
places; the cheapest two free tiles of another change only where one of them is taken. Both are kept
by depth, so that a node costs little more than the flows of its cluster.

Several threads share out the pairs of tiles of a problem's first two clusters; between NODES_A_LOOK
nodes they tell each other what they found. What is proved does not depend on that; of several best
solutions, which one is found does: on one thread always the same.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from formulations.solvers.stopwatch import Stopwatch
from optmap.compiled import compiled
from optmap.model.snn import IntArray

#: Nodes between two looks at the clock.
NODES_A_LOOK = 200_000
#: Problems of fewer clusters are not shared out among threads.
MIN_SHARED = 10
HUGE = 2**60


class Nodes(NamedTuple):
    """Where a search stands; n clusters in all, of which ``first``.. are placed, on T tiles.

    Parameters
    ----------
    depth : (1,)
        How many clusters are placed.
    best_places, place : (n,)
        Tile of each cluster in the best solution, and now (-1: not placed).
    attach : (depths + 1, n, T)
        What each cluster costs on each tile as seen from those placed, of the depth ``row`` says.
    row, least, second, at, at_second : (depths + 1, n)
        By depth and cluster: where its costs stand in ``attach``; its cheapest two free tiles and
        what they cost.
    rest, cost : (depths + 1,)
        Sum of ``least`` over those not placed; cost of those placed.
    choice, bound : (depths + 1, T)
        Tiles to try for the next cluster, in order, and their bounds.
    tries, cursor : (depths + 1,)
        How many there are, and which is next.
    """

    depth: IntArray
    best_places: IntArray
    place: IntArray
    attach: IntArray
    row: IntArray
    least: IntArray
    second: IntArray
    at: IntArray
    at_second: IntArray
    rest: IntArray
    cost: IntArray
    choice: IntArray
    bound: IntArray
    tries: IntArray
    cursor: IntArray


class Problem(NamedTuple):
    """Place clusters ``first``..n-1 at least cost, given the optima of the problems inside."""

    first: int
    flow: IntArray
    hops: IntArray
    nested: IntArray
    first_tiles: IntArray


def search(
    problem: Problem, goal: int, watch: Stopwatch, until_s: float
) -> tuple[int, IntArray | None, bool]:
    """Return the least value below ``goal`` (else that), its places, and whether it is proved.

    Parameters
    ----------
    until_s : float
        What ``watch`` may have spent; the search then ends unproved.
    """
    shared = _Shared(problem, goal, watch, until_s)
    root, threads = begin(problem), watch.limits.threads
    if threads == 1 or len(problem.flow) - problem.first < MIN_SHARED:
        shared.finish(root)
        return shared.value, shared.places, not shared.stopped
    tasks = deque(
        (state, j)
        for state in (shared.opened(root, t) for t in problem.first_tiles.tolist())
        if state is not None
        for j in range(int(state.tries[1]))
    )

    def work() -> None:
        while not shared.stopped:
            try:
                state, j = tasks.popleft()
            except IndexError:
                return
            shared.finish(_only(state, 1, j))

    with ThreadPoolExecutor(threads) as pool:
        try:
            for worker in [pool.submit(work) for _ in range(threads)]:
                worker.result()
        except BaseException:  # an interruption must not wait for the others' time to pass
            shared.stopped = True
            raise
    return shared.value, shared.places, not shared.stopped


class _Shared:
    """What the threads of one problem know together."""

    def __init__(self, problem: Problem, goal: int, watch: Stopwatch, until_s: float) -> None:
        self.problem, self.value, self.watch, self.until_s = problem, goal, watch, until_s
        self.places: IntArray | None = None
        self.stopped = False
        self.lock = Lock()

    def finish(self, state: Nodes) -> None:
        """Search everything below a state, or until the time is up."""
        while not self.stopped:
            if self.watch.spent >= self.until_s:
                self.stopped = True
            elif self._go_on(state, NODES_A_LOOK):
                return

    def opened(self, root: Nodes, tile: int) -> Nodes | None:
        """Return the state with the first cluster on a tile; None if it needs no search."""
        state = _only(root, 0, root.choice[0].tolist().index(tile))
        return None if self._go_on(state, 1) else state

    def _go_on(self, state: Nodes, nodes: int) -> bool:
        p = self.problem
        found, finished = resume(p.first, p.flow, p.hops, p.nested, self.value, state, nodes)
        with self.lock:
            if found < self.value:
                self.value, self.places = int(found), state.best_places.copy()
        return bool(finished)


def begin(problem: Problem) -> Nodes:
    """Return the state of a search that has not begun."""
    n, tiles = len(problem.flow), len(problem.hops)
    depths = n - problem.first + 1

    def zeros(*shape: int) -> IntArray:
        return np.zeros(shape, dtype=np.int64)

    state = Nodes(
        depth=zeros(1),
        best_places=zeros(n),
        place=np.full(n, -1, dtype=np.int64),
        attach=zeros(depths, n, tiles),
        row=zeros(depths, n),
        least=zeros(depths, n),
        second=zeros(depths, n),
        at=zeros(depths, n),
        at_second=zeros(depths, n),
        rest=zeros(depths),
        cost=zeros(depths),
        choice=zeros(depths, tiles),
        bound=zeros(depths, tiles),
        tries=zeros(depths),
        cursor=zeros(depths),
    )
    state.at_second[0] = min(1, tiles - 1)  # nothing costs anything yet: any two tiles
    state.choice[0, : len(problem.first_tiles)] = problem.first_tiles
    state.tries[0] = len(problem.first_tiles)
    return state


def _only(state: Nodes, depth: int, j: int) -> Nodes:
    """Return a copy that tries only its ``j``-th tile at a depth."""
    made = Nodes(*(array.copy() for array in state))
    made.choice[depth, 0] = state.choice[depth, j]
    made.bound[depth, 0] = state.bound[depth, j]
    made.tries[depth], made.cursor[depth] = 1, 0
    return made


@compiled
def _cheapest(attach: Any, r: int, u: int, used: Any) -> Any:
    """Return the cheapest two free tiles of cluster u: cost, cost, tile, tile."""
    least, second, at, at_second = HUGE, HUGE, 0, 0
    for s in range(len(used)):
        v = attach[r, u, s]
        if v < second and not used[s]:
            if v < least:
                second, at_second = least, at
                least, at = v, s
            else:
                second, at_second = v, s
    return least, second, at, at_second


@compiled
def resume(
    first: int, flow: Any, hops: Any, nested: Any, best_value: int, state: Any, nodes: int
) -> Any:
    """Go on with the depth-first search of the problem of ``first``..n-1 for some nodes.

    Parameters
    ----------
    nested : (n + 1,) int64 array
        Optima of the problems inside this one.
    best_value : int
        Only better ones are looked for.
    state : Nodes
        Changed in place.

    Returns
    -------
    best_value : int
    finished : bool
    """
    attach, row, rest, cost = state.attach, state.row, state.rest, state.cost
    least, second, at, at_second = state.least, state.second, state.at, state.at_second
    choice, bound, tries, cursor = state.choice, state.bound, state.tries, state.cursor
    place, n, tiles = state.place, len(flow), len(hops)
    regret = np.empty(tiles, dtype=np.int64)
    used = np.zeros(tiles, dtype=np.bool_)
    for i in range(n):
        if place[i] >= 0:
            used[place[i]] = True
    d = state.depth[0]
    while d >= 0:
        a = first + d
        if place[a] >= 0:
            used[place[a]] = False
            place[a] = -1
        if cursor[d] >= tries[d] or (d > 0 and bound[d, cursor[d]] >= best_value):
            d -= 1
            continue
        if nodes == 0:
            state.depth[0] = d
            return best_value, False
        nodes -= 1
        t = choice[d, cursor[d]]
        cursor[d] += 1
        total = cost[d] + attach[row[d, a], a, t]
        if a == n - 1:
            if total < best_value:
                best_value = total
                state.best_places[:] = place
                state.best_places[a] = t
            continue
        place[a] = t
        used[t] = True
        low = total + nested[a + 1] + rest[d] - least[d, a]
        for u in range(a + 1, n):  # those with flow to a: dearer by what it costs from t
            f = flow[a, u]
            if f > 0:
                r = row[d, u]
                for s in range(tiles):
                    attach[d + 1, u, s] = attach[r, u, s] + f * hops[t, s]
                x, y, p, q = _cheapest(attach, d + 1, u, used)
                row[d + 1, u] = d + 1
                least[d + 1, u], second[d + 1, u] = x, y
                at[d + 1, u], at_second[d + 1, u] = p, q
                low += x - least[d, u]
                if low >= best_value:
                    break
        if low >= best_value:
            continue
        for u in range(a + 1, n):  # the others: only where a takes one of their two tiles
            if flow[a, u] == 0:
                r, x, y, p, q = row[d, u], least[d, u], second[d, u], at[d, u], at_second[d, u]
                if t in (p, q):
                    low -= x
                    x, y, p, q = _cheapest(attach, r, u, used)
                    low += x
                row[d + 1, u] = r
                least[d + 1, u], second[d + 1, u] = x, y
                at[d + 1, u], at_second[d + 1, u] = p, q
        if low >= best_value:
            continue
        rest[d + 1] = low - total - nested[a + 1]
        plain = low
        regret[:] = -1
        for u in range(a + 1, n):
            other, w = second[d + 1, u] - least[d + 1, u], at[d + 1, u]
            if regret[w] < 0:
                regret[w] = other
            else:
                low += min(other, regret[w])
                regret[w] = max(other, regret[w])
        if low >= best_value:
            continue
        d += 1
        cost[d] = total
        b, num = first + d, 0
        below = plain - least[d, b]  # a dearer tile for b costs the difference,
        for s in range(tiles):
            v = attach[row[d, b], b, s]
            if not used[s] and below + v < best_value:
                j = num
                while j > 0 and bound[d, j - 1] > v:
                    bound[d, j] = bound[d, j - 1]
                    choice[d, j] = choice[d, j - 1]
                    j -= 1
                bound[d, j] = v
                choice[d, j] = s
                num += 1
        for j in range(num):  # but may meet no regret
            bound[d, j] = max(low, below + bound[d, j])
        tries[d], cursor[d] = num, 0
    return best_value, True
