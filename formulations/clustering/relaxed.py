"""Methods that know rows and columns alone, on platforms that limit more.

They are given the columns that the other limits leave at most: a relaxation, so that what they
prove of it holds for the platform. What they find is divided until it keeps to every limit. Where
nothing had to be divided, their optimum is the platform's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from formulations.clustering import large_neighbourhood_search as neighbourhoods
from formulations.clustering.column_generation import solve as column_generation
from optmap.clustering.kernels.within_limits import columns_left, exceeded, within_limits
from optmap.judge.metrics import traffic
from optmap.model.capacity import stated
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform

Measure = Callable[[Clustering], int | None]
Report = Callable[[Outcome[Clustering]], None]


def held(
    decomposition: Decomposition,
    platform: Platform,
    outcome: Outcome[Clustering],
    start: Clustering | None,
    measure: Measure,
) -> Outcome[Clustering]:
    """Return an outcome for the relaxed platform as one for the platform itself.

    Parameters
    ----------
    measure : callable
        The objective of a clustering; None where it is not allowed.
    """
    candidates = [] if start is None else [start]
    if outcome.solution is not None:
        candidates.insert(0, within_limits(decomposition, outcome.solution, platform))
    kept = [c for c in candidates if not exceeded(decomposition, c, platform)]
    values = [(value, c) for c in kept if (value := measure(c)) is not None]
    if not values:
        status = Status.INFEASIBLE if outcome.status is Status.INFEASIBLE else Status.UNKNOWN
        note = "; ".join(filter(None, (outcome.note, "nothing found keeps to every limit")))
        return replace(outcome, status=status, solution=None, claimed=None, note=note)
    value, best = min(values, key=lambda pair: pair[0])
    status = Status.OPTIMAL if outcome.bound == value else Status.FEASIBLE
    return replace(outcome, status=status, solution=best, claimed=value)


def fewest(
    solve: Callable[[Platform], Outcome[Clustering]],
    decomposition: Decomposition,
    platform: Platform,
    start: Clustering | None,
) -> Outcome[Clustering]:
    """Return what a search for fewest clusters finds, held to every limit."""
    if not stated(platform) and not platform.limits_outgoing:
        return solve(platform)
    outcome = solve(columns_left(decomposition.network, platform))
    return held(decomposition, platform, outcome, start, lambda c: c.num_clusters)


def least_traffic(
    solve: Callable[[Platform], Outcome[Clustering]],
    decomposition: Decomposition,
    platform: Platform,
    most: int,
    start: Clustering | None,
) -> Outcome[Clustering]:
    """Return what a search for least traffic of at most so many clusters finds, held likewise."""
    if not stated(platform) and not platform.limits_outgoing:
        return solve(platform)

    def measure(c: Clustering) -> int | None:
        return traffic(decomposition, c).total if c.num_clusters <= most else None

    outcome = solve(columns_left(decomposition.network, platform))
    return held(decomposition, platform, outcome, start, measure)


def fewest_by_columns(
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    *,
    start: Clustering | None = None,
    on_better: Report | None = None,
) -> Outcome[Clustering]:
    """(P0a) by column generation."""
    return fewest(
        lambda on: column_generation.solve(decomposition, on, limits, start, report=on_better),
        decomposition,
        platform,
        start,
    )


def fewest_by_neighbourhoods(
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    *,
    start: Clustering | None = None,
    on_better: Report | None = None,
) -> Outcome[Clustering]:
    """(P0a) by large neighbourhood search."""
    return fewest(
        lambda on: neighbourhoods.solve(decomposition, on, limits, start, report=on_better),
        decomposition,
        platform,
        start,
    )


def least_traffic_by_neighbourhoods(
    decomposition: Decomposition,
    platform: Platform,
    most: int,
    limits: Limits,
    *,
    start: Clustering | None = None,
    on_better: Report | None = None,
) -> Outcome[Clustering]:
    """(P0b) by large neighbourhood search; it tells of nothing on the way."""
    return least_traffic(
        lambda on: neighbourhoods.minimize_traffic(decomposition, on, most, limits, start),
        decomposition,
        platform,
        most,
        start,
    )
