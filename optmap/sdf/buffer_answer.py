"""The trade-off of storage and throughput within a limit of time, as plain data."""

from __future__ import annotations

import sys
from fractions import Fraction
from time import monotonic as now
from typing import Any

from optmap.sdf.buffers import SearchLimitError, pareto_points
from optmap.sdf.graph import SDFG

#: A line of progress so often, in seconds.
EVERY_S = 10.0


def buffer_answer(
    graph: SDFG, at_least: Fraction | None, limit_s: float, failures: list[str]
) -> list[dict[str, Any]] | None:
    """Return the Pareto points as plain data; what is missing of them is added to ``failures``.

    Parameters
    ----------
    at_least : Fraction, optional
        Iterations per time unit at which to stop.
    limit_s : float
        Seconds, after which the points found so far are the answer. A line of progress goes to
        standard error every ten seconds.
    """
    begun = said = now()

    def expired() -> bool:
        nonlocal said
        if now() - said >= EVERY_S:
            said = now()
            print(f"buffers: searching for {said - begun:.0f} s", file=sys.stderr)  # noqa: T201
        return now() - begun > limit_s

    try:
        points = pareto_points(graph, at_least=at_least, expired=expired)
    except SearchLimitError as error:
        failures.append(str(error))
        points = error.points
    except (ValueError, OverflowError) as error:
        failures.append(str(error))
        return None
    else:
        if at_least is not None and not (
            points and (points[-1].throughput is None or points[-1].throughput >= at_least)
        ):
            failures.append(f"buffers: no capacities reach a throughput of {at_least}")
    return [
        {
            "total": point.total,
            "throughput": "inf" if point.throughput is None else str(point.throughput),
            "capacities": dict(zip(graph.channel_names, point.capacities, strict=True)),
        }
        for point in points
    ]
