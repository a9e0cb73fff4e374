"""Howard's policy iteration for the maximum cycle ratio, in integers: numba kernels.

Each actor chooses one edge out. The chosen edges close cycles; the best ratio p/q among them is
the candidate. With the integer weights q * delay - p * tokens no cycle known so far is positive,
and :func:`optmap.sdf.longest_path.settle` either finds a positive cycle, whose ratio is larger and
becomes the next candidate, or ends with values that prove that no cycle exceeds p/q: for every
edge, value[source] >= weight + value[target]. Every candidate is the ratio of a real cycle and
the ratios rise strictly, so the loop ends; no rounding and no tolerance occurs.

References
----------
.. [1] J. Cochet-Terrasson, G. Cohen, S. Gaubert, M. McGettrick, J.-P. Quadrat, "Numerical
       computation of spectral elements in max-plus algebra", IFAC 1998.
.. [2] A. Dasdan, "Experimental analysis of the fastest optimum cycle ratio and mean algorithms",
       ACM TODAES 9(4), 2004.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from optmap.sdf.longest_path import LIMIT, OVERFLOW, SETTLED, evaluate_forest, settle

DONE, NO_CYCLE, TOO_LARGE = 0, 1, 2


@njit(cache=True)
def _gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


@njit(cache=True)
def cut_cycles(num_actors: int, head: Any, delay: Any, tokens: Any, choice: Any, seen: Any) -> Any:
    """Find the chosen cycle of largest ratio and cut every chosen cycle at one actor.

    Returns
    -------
    status : int
        DONE, NO_CYCLE or TOO_LARGE (a comparison would leave int64).
    p, q : int
        Sum of delays and of tokens of the best cycle.
    actor, edge : int
        Where it was cut: ``choice[actor]`` was ``edge``.
    """
    p, q, actor, edge = 0, 0, -1, -1
    for u in range(num_actors):
        seen[u] = -1
    for start in range(num_actors):
        u = start
        while seen[u] < 0 and choice[u] >= 0:
            seen[u] = start
            u = head[choice[u]]
        if choice[u] < 0 or seen[u] != start:
            continue
        d, t = 0, 0
        v = u
        while True:
            d += delay[choice[v]]
            t += tokens[choice[v]]
            v = head[choice[v]]
            if v == u:
                break
        if d > LIMIT or float(d) * float(q) > LIMIT or float(p) * float(t) > LIMIT:
            return TOO_LARGE, p, q, actor, edge
        if actor < 0 or d * q > p * t:
            p, q, actor, edge = d, t, u, choice[u]
        choice[u] = -1
    if actor < 0:
        return NO_CYCLE, p, q, actor, edge
    return DONE, p, q, actor, edge


@njit(cache=True)
def howard(
    num_actors: int, indptr: Any, head: Any, delay: Any, tokens: Any, choice: Any, value: Any
) -> Any:
    """Return (status, p, q, cycle): the largest ratio p/q, q > 0, and a cycle that attains it.

    Parameters
    ----------
    indptr, head, delay, tokens : int64 arrays
        Edge i in ``indptr[u]..indptr[u + 1]`` leaves u for ``head[i]``. Every actor has an edge
        out, every cycle at least one token.
    choice : (num_actors,) int64 array
        Start policy, overwritten by the last one (an edge of each actor).
    value : (num_actors,) int64 array
        Overwritten by the potentials that prove the ratio, in units of 1/q ticks.
    """
    m = len(head)
    seen = np.empty(num_actors, dtype=np.int64)
    path = np.empty(num_actors, dtype=np.int64)
    weight = np.empty(m, dtype=np.int64)
    cycle = np.empty(0, dtype=np.int64)
    most_delay, most_tokens = 0, 0
    for i in range(m):
        most_delay = max(most_delay, delay[i])
        most_tokens = max(most_tokens, abs(tokens[i]))
    p, q = 0, 0
    if float(most_delay) * num_actors > LIMIT or float(most_tokens) * num_actors > LIMIT:
        return TOO_LARGE, p, q, cycle
    while True:
        status, d, t, actor, edge = cut_cycles(num_actors, head, delay, tokens, choice, seen)
        if status != DONE:
            return status, d, t, cycle
        length = 0
        u = head[edge]
        path[length] = edge
        while u != actor:
            length += 1
            path[length] = choice[u]
            u = head[choice[u]]
        cycle = path[: length + 1].copy()
        divisor = _gcd(d, t)
        p, q = d // divisor, t // divisor
        if float(q) * most_delay + float(p) * most_tokens > LIMIT:
            return TOO_LARGE, p, q, cycle
        for i in range(m):
            weight[i] = q * delay[i] - p * tokens[i]
        for u in range(num_actors):
            if choice[u] < 0:
                value[u] = 0
        status, _ = evaluate_forest(num_actors, head, weight, value, choice, seen, path)
        if status == SETTLED:
            status, _ = settle(num_actors, indptr, head, weight, value, choice, seen, path)
        if status == OVERFLOW:
            return TOO_LARGE, p, q, cycle
        if status == SETTLED:
            # Give the cut actors an edge again, so that the policy can start another run.
            choice[actor] = edge if choice[actor] < 0 else choice[actor]
            for u in range(num_actors):
                if choice[u] < 0:
                    choice[u] = indptr[u]
            return DONE, p, q, cycle
