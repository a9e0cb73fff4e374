"""The trade-off of storage and throughput within a limit of time, as plain data."""

from __future__ import annotations

import sys
from fractions import Fraction
from time import monotonic as now
from typing import Any

from optmap.sdf.buffers import BufferPoint, SearchLimitError, pareto_points
from optmap.sdf.graph import SDFG

#: A line of progress so often, in seconds.
EVERY_S = 10.0


def buffer_answer(
    graph: SDFG, at_least: Fraction | None, limit_s: float, failures: list[str]
) -> dict[str, Any]:
    """Return the Pareto points as plain data; what is missing of them is added to ``failures``.

    ``buffers`` are the points, None where there is no answer; ``buffers_all_below`` is None where
    they are all there are, else the total below which they are.

    Parameters
    ----------
    at_least : Fraction, optional
        Iterations per time unit at which to stop.
    limit_s : float
        Seconds, after which the points found so far are the answer. A line of progress goes to
        standard error every ten seconds.
    """
    begun = said = now()
    last: list[BufferPoint] = []
    below: int | None = None

    def expired() -> bool:
        nonlocal said
        if now() - said >= EVERY_S:
            said = now()
            so_far = f", {len(last)} points, the last of {last[-1].total} tokens" if last else ""
            print(f"buffers: {said - begun:.0f} s of {limit_s:g}{so_far}", file=sys.stderr)  # noqa: T201
        return now() - begun > limit_s

    try:
        points = pareto_points(graph, at_least=at_least, expired=expired, on_point=last.append)
    except SearchLimitError as error:
        failures.append(str(error))
        points, below = error.points, error.below
    except (ValueError, OverflowError) as error:
        failures.append(str(error))
        return {"buffers": None, "buffers_all_below": None}
    else:
        if at_least is not None and not (
            points and (points[-1].throughput is None or points[-1].throughput >= at_least)
        ):
            failures.append(f"buffers: no capacities reach a throughput of {at_least}")
    rows = [
        {
            "total": point.total,
            "throughput": "inf" if point.throughput is None else str(point.throughput),
            "capacities": dict(zip(graph.channel_names, point.capacities, strict=True)),
        }
        for point in points
    ]
    return {"buffers": rows, "buffers_all_below": below}


def buffer_lines(answer: dict[str, Any]) -> list[str]:
    """Return the points as lines for a terminal; the last says where a limit ended the search."""
    lines: list[str] = []
    if answer.get("buffers"):
        lines += ["", f"{'capacity':>12}  throughput"]
        for point in answer["buffers"]:
            spent = " ".join(f"{c}={k}" for c, k in point["capacities"].items())
            lines.append(f"{point['total']:>12}  {point['throughput']}  {spent}")
    below = answer.get("buffers_all_below")
    if below is not None:
        count = len(answer["buffers"])
        points = "no point" if count == 0 else "1 point" if count == 1 else f"{count} points"
        exact = " is exact, and the only one" if count == 1 else " are exact, and all there are"
        exact = " was found; there is none" if count == 0 else exact
        lines += ["", f"ended by the limit: {points}{exact} below a total of {below} tokens"]
        lines[-1] += "; --limit gives more time"
    return lines
