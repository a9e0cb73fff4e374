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

from math import gcd
from typing import Any

import numpy as np

from optmap.compiled import borrowing, compiled
from optmap.sdf.longest_path import LIMIT, OVERFLOW, SETTLED, Work, evaluate, peel, settle

DONE, NO_CYCLE, TOO_LARGE = 0, 1, 2


@borrowing
def cut_cycles(
    count: int,
    delay: Any,
    tokens: Any,
    choice: Any,
    successor: Any,
    degree: Any,
    order: Any,
) -> Any:
    """Find the chosen cycle of largest ratio, cut every chosen cycle and complete ``order``.

    Parameters
    ----------
    count : int
        How many actors :func:`optmap.sdf.longest_path.peel` put in ``order``.

    Returns
    -------
    status : int
        DONE, NO_CYCLE or TOO_LARGE (a comparison would leave int64).
    p, q : int
        Sum of delays and of tokens of the best cycle.
    begin, end, edge : int
        ``order[begin:end]`` are its actors, each before the one it chose; the last one's choice,
        ``edge``, is cut.
    """
    p, q, begin, end, edge = 0, 0, 0, 0, -1
    n = len(choice)
    for start in range(n):
        if degree[start] == 0:
            continue
        d, t, first = 0, 0, count
        u = start
        while degree[u] > 0:
            degree[u] = 0
            d += delay[choice[u]]
            t += tokens[choice[u]]
            order[count] = u
            count += 1
            u = successor[u]
        if float(d) * float(q) > LIMIT or float(p) * float(t) > LIMIT:
            return TOO_LARGE, p, q, begin, end, edge
        last = order[count - 1]
        if edge < 0 or d * q > p * t:
            p, q, begin, end, edge = d, t, first, count, choice[last]
        choice[last] = -1
        successor[last] = -1
    if edge < 0:
        return NO_CYCLE, p, q, begin, end, edge
    return DONE, p, q, begin, end, edge


@compiled
def howard(indptr: Any, head: Any, delay: Any, tokens: Any, choice: Any, value: Any) -> Any:
    """Return (status, p, q, cycle): the largest ratio p/q, q > 0, and a cycle that attains it.

    Parameters
    ----------
    indptr, head, delay, tokens : int arrays
        Edge i in ``indptr[u]..indptr[u + 1]`` leaves u for ``head[i]``. Every cycle has at least
        one token.
    choice : (n,) int64 array
        Start policy, overwritten by the last one: an edge of each actor, -1 where none leaves it.
    value : (n,) int64 array
        Overwritten by the potentials that prove the ratio, in units of 1/q ticks.
    """
    n, m = len(choice), len(head)
    successor = np.empty(n, dtype=np.int32)
    degree = np.empty(n, dtype=np.int32)
    order = np.empty(n, dtype=np.int32)
    gain = np.empty(n, dtype=np.int64)
    weight = np.empty(m, dtype=np.int64)
    cycle = np.empty(0, dtype=np.int64)
    most_delay, most_tokens = 0, 0
    for i in range(m):
        most_delay = max(most_delay, delay[i])
        most_tokens = max(most_tokens, abs(tokens[i]))
    p, q = 0, 0
    if float(most_delay) * n > LIMIT or float(most_tokens) * n > LIMIT:
        return TOO_LARGE, p, q, cycle
    count = peel(head, choice, successor, degree, order)
    while True:
        status, d, t, begin, end, edge = cut_cycles(
            count, delay, tokens, choice, successor, degree, order
        )
        if status != DONE:
            return status, d, t, cycle
        cycle = choice[order[begin:end]]
        cycle[-1] = edge
        divisor = gcd(d, t)
        p, q = d // divisor, t // divisor
        if float(q) * most_delay + float(p) * most_tokens > LIMIT:
            return TOO_LARGE, p, q, cycle
        for i in range(m):
            weight[i] = q * delay[i] - p * tokens[i]
        for u in range(n):
            if choice[u] < 0:
                value[u] = 0
        last = order[end - 1]
        if not evaluate(weight, choice, successor, order, value, gain):
            return TOO_LARGE, p, q, cycle
        work = Work(successor, degree, order, gain)
        status = settle(indptr, head, weight, value, choice, work)
        if status == OVERFLOW:
            return TOO_LARGE, p, q, cycle
        if status == SETTLED:
            # Give the cut actors an edge again, so that the policy can start another run.
            if choice[last] < 0:
                choice[last] = edge
            for u in range(n):
                if choice[u] < 0 and indptr[u] < indptr[u + 1]:
                    choice[u] = indptr[u]
            return DONE, p, q, cycle
        count = 0
        for u in range(n):
            count += degree[u] == 0
