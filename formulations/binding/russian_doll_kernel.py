"""The nodes of the nested search (russian_doll.py): depth first, on one thread or several.

A node places the first clusters of a problem. What each cluster not yet placed costs on each tile,
as seen from the placed ones, changes at a node only for those that have flow with the cluster it
places; the cheapest two free tiles of another change only where one of them is taken. Both are kept
by depth, so that a node costs little more than the flows of its cluster.

Several threads share out the pairs of tiles of a problem's first two clusters; between NODES_A_LOOK
nodes they share the best value found. What is proved does not depend on that; of several best
solutions, which one is found does: on one thread always the same.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import numpy as np

from formulations.binding.russian_doll_nodes import Nodes, Problem, begin, only
from formulations.solvers.stopwatch import Stopwatch
from optmap.clock import did
from optmap.compiled import compiled
from optmap.model.snn import IntArray

#: Nodes between two looks at the clock.
NODES_A_LOOK = 200_000
#: Nodes that about a second of one core is counted as.
NODES_A_UNIT = 2_000_000
#: Problems of fewer clusters are not shared out among threads.
MIN_SHARED = 10
HUGE = 2**60


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
        for state in (shared.opened(root, t) for t in root.choice[0, : root.tries[0]].tolist())
        if state is not None
        for j in range(int(state.tries[1]))
    )

    def work() -> None:
        while not shared.stopped:
            try:
                state, j = tasks.popleft()
            except IndexError:
                return
            shared.finish(only(state, 1, j))

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
        state = only(root, 0, root.choice[0].tolist().index(tile))
        return None if self._go_on(state, 1) else state

    def _go_on(self, state: Nodes, nodes: int) -> bool:
        did(nodes / NODES_A_UNIT)
        found, finished = resume(self.problem, self.value, state, nodes)
        with self.lock:
            if found < self.value:
                self.value, self.places = int(found), state.best_places.copy()
        return bool(finished)


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
def _dearer(d: int, t: int, low: int, best_value: int, problem: Any, state: Any, used: Any) -> Any:
    """Enter at depth d + 1 the clusters with flow to the one placed on t; return the raised bound.

    Stops early where the bound reaches ``best_value``.
    """
    a, flow, hops = problem.first + d, problem.flow, problem.hops
    for u in range(a + 1, len(flow)):
        f = flow[a, u]
        if f > 0:
            r = state.row[d, u]
            for s in range(len(hops)):
                state.attach[d + 1, u, s] = state.attach[r, u, s] + f * hops[t, s]
            x, y, p, q = _cheapest(state.attach, d + 1, u, used)
            state.row[d + 1, u] = d + 1
            state.least[d + 1, u], state.second[d + 1, u] = x, y
            state.at[d + 1, u], state.at_second[d + 1, u] = p, q
            low += x - state.least[d, u]
            if low >= best_value:
                break
    return low


@compiled
def _displaced(d: int, t: int, low: int, problem: Any, state: Any, used: Any) -> Any:
    """Enter the clusters without flow to the one placed: only who wanted tile t pays more."""
    a = problem.first + d
    for u in range(a + 1, len(problem.flow)):
        if problem.flow[a, u] == 0:
            r, x, y = state.row[d, u], state.least[d, u], state.second[d, u]
            p, q = state.at[d, u], state.at_second[d, u]
            if t in (p, q):
                low -= x
                x, y, p, q = _cheapest(state.attach, r, u, used)
                low += x
            state.row[d + 1, u] = r
            state.least[d + 1, u], state.second[d + 1, u] = x, y
            state.at[d + 1, u], state.at_second[d + 1, u] = p, q
    return low


@compiled
def _regrets(d: int, problem: Any, state: Any, regret: Any) -> Any:
    """Return what clusters that want one tile pay for their second choice, all but one of them."""
    total = 0
    regret[:] = -1
    for u in range(problem.first + d, len(problem.flow)):
        other, w = state.second[d, u] - state.least[d, u], state.at[d, u]
        if regret[w] < 0:
            regret[w] = other
        else:
            total += min(other, regret[w])
            regret[w] = max(other, regret[w])
    return total


@compiled
def _is_lowest(d: int, s: int, problem: Any, state: Any) -> bool:
    """Tell whether no automorphism that fixes the tiles taken at depth d moves s to a lower one."""
    if state.fixed_by[d] > 1:
        for g in range(len(problem.group)):
            if state.fixing[d, g] == 1 and problem.group[g, s] < s:
                return False
    return True


@compiled
def _fix(d: int, t: int, problem: Any, state: Any) -> None:
    """Enter at depth d + 1 which automorphisms fix tile t too."""
    if state.fixed_by[d] == 1:
        state.fixed_by[d + 1] = 1
        return
    num = 0
    for g in range(len(problem.group)):
        fixes = 1 if problem.group[g, t] == t else 0
        state.fixing[d + 1, g] = state.fixing[d, g] * fixes
        num += state.fixing[d + 1, g]
    state.fixed_by[d + 1] = num


@compiled
def _branch(
    d: int, plain: int, low: int, best_value: int, problem: Any, state: Any, used: Any
) -> None:
    """Sort the tiles of the cluster to be placed at depth d by their bounds; it may try them all.

    ``plain`` is the bound without regrets, ``low`` with them.
    """
    b, num, bound, choice = problem.first + d, 0, state.bound, state.choice
    below = plain - state.least[d, b]  # a dearer tile for b costs the difference,
    for s in range(len(problem.hops)):
        v = state.attach[state.row[d, b], b, s]
        if not used[s] and below + v < best_value and _is_lowest(d, s, problem, state):
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
    state.tries[d], state.cursor[d] = num, 0


@compiled
def _open(
    d: int, t: int, total: int, best_value: int, problem: Any, state: Any, scratch: Any
) -> bool:
    """Open the node below tile t at depth d; False if its bound reaches ``best_value``."""
    used, regret = scratch
    a = problem.first + d
    inner = problem.nested[a + 1]
    low = total + inner + state.rest[d] - state.least[d, a]
    low = _dearer(d, t, low, best_value, problem, state, used)
    if low >= best_value:
        return False
    low = _displaced(d, t, low, problem, state, used)
    if low >= best_value:
        return False
    state.rest[d + 1] = low - total - inner
    plain = low
    low += _regrets(d + 1, problem, state, regret)
    if low >= best_value:
        return False
    state.cost[d + 1] = total
    _fix(d, t, problem, state)
    _branch(d + 1, plain, low, best_value, problem, state, used)
    return True


@compiled
def resume(problem: Any, best_value: int, state: Any, nodes: int) -> Any:
    """Go on with a depth-first search for some nodes.

    Parameters
    ----------
    problem : Problem
    best_value : int
        Only better ones are looked for.
    state : Nodes
        Changed in place.

    Returns
    -------
    best_value : int
    finished : bool
    """
    place, tries, cursor, n = state.place, state.tries, state.cursor, len(problem.flow)
    used = np.zeros(len(problem.hops), dtype=np.bool_)
    scratch = used, np.empty(len(problem.hops), dtype=np.int64)
    for i in range(n):
        if place[i] >= 0:
            used[place[i]] = True
    d = state.depth[0]
    while d >= 0:
        a = problem.first + d
        if place[a] >= 0:
            used[place[a]] = False
            place[a] = -1
        if cursor[d] >= tries[d] or (d > 0 and state.bound[d, cursor[d]] >= best_value):
            d -= 1
            continue
        if nodes == 0:
            state.depth[0] = d
            return best_value, False
        nodes -= 1
        t = state.choice[d, cursor[d]]
        cursor[d] += 1
        total = state.cost[d] + state.attach[state.row[d, a], a, t]
        if a == n - 1:
            if total < best_value:
                best_value = total
                state.best_places[:] = place
                state.best_places[a] = t
            continue
        place[a] = t
        used[t] = True
        if _open(d, t, total, best_value, problem, state, scratch):
            d += 1
    return best_value, True
