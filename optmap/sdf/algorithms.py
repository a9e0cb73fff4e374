"""The independent algorithms for a throughput, by name.

``periodic`` grows K where critical cycles ask for it, ``unfold`` takes the whole unfolding,
``maxplus`` the eigenvalue of the iteration's matrix, ``selftimed`` a simulation. They share the
repetition vector and, but for the simulation, the cycle ratio; they must agree.
"""

from __future__ import annotations

from fractions import Fraction

from optmap.sdf.graph import SDFG
from optmap.sdf.iteration_matrix import maxplus_period
from optmap.sdf.repetition import InconsistentError, repetition_vector
from optmap.sdf.selftimed import selftimed_period
from optmap.sdf.throughput import (
    DEADLOCK,
    INCONSISTENT,
    LIVE,
    UNBOUNDED,
    Throughput,
    throughput,
)

ALGORITHMS = ("periodic", "unfold", "maxplus", "selftimed")


def by_algorithm(graph: SDFG, algorithm: str) -> Throughput:
    """Return the throughput by one algorithm; ``maxplus`` and ``selftimed`` name no cycle.

    Raises
    ------
    OverflowError
        If the algorithm is too large for this graph: too many tokens for a matrix, too many
        firings to unfold.
    TooLongError
        If the simulation's state does not recur in time.
    ValueError
        If there is no such algorithm.
    """
    if algorithm in ("periodic", "unfold"):
        return throughput(graph, unfold=algorithm == "unfold", simulate=False)
    if algorithm not in ALGORITHMS:
        raise ValueError(f"no algorithm is called {algorithm!r}; there are {', '.join(ALGORITHMS)}")
    try:
        repetitions = tuple(repetition_vector(graph))
    except InconsistentError as error:
        return Throughput(INCONSISTENT, None, message=str(error))
    period = maxplus_period(graph) if algorithm == "maxplus" else selftimed_period(graph)
    if period is None:
        return Throughput(DEADLOCK, None, repetitions)
    status = LIVE if period else UNBOUNDED
    return Throughput(status, Fraction(period), repetitions)
