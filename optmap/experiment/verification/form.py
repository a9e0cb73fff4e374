"""What a row says of itself and nobody can run again: types, times that agree, whole traces.

Times are not known afterwards. A row whose times contradict each other is none that a run writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from math import isfinite
from typing import Any

from optmap.exact import EXACT_WHOLE
from optmap.flow import solver_stages
from optmap.methods import Method
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.snn import SNN
from optmap.whole.contract import WHOLE

#: Stages whose seconds a row can hold.
STAGES = ("clustering", "binding", "order", "binding and order", "whole")

#: Seconds by which clocks that were read one after the other may differ.
CLOCKS_S = 0.5

TEXTS = ("key", "instance", "digest", "method", "status", "check", "reason", "ended")
NUMBERS = ("wall_s", "cpu_s", "elapsed_s", "peak_rss_mb", "limit_s")
COUNTS = ("seed", "threads", "memory_mb", "work")


def form_problems(row: dict[str, Any]) -> Iterator[str]:
    """Yield fields of a wrong type, and times that contradict each other."""
    for name in TEXTS:
        if not isinstance(row[name], str):
            yield f"{name}: {row[name]!r} is no text"
    for name in COUNTS:
        count = row.get(name)  # rows of earlier versions have no "work"
        if count is not None and (type(count) is not int or count < 0):
            yield f"{name}: {count!r} is no whole number"
    numbers = {name: row[name] for name in NUMBERS if row[name] is not None}
    numbers |= {f"stage_seconds.{stage}": s for stage, s in row["stage_seconds"].items()}
    odd = {name: value for name, value in numbers.items() if not _is_time(value)}
    yield from (f"{name}: {value!r} is no number >= 0" for name, value in odd.items())
    if odd:
        return
    wall, spent = row["wall_s"], sum(row["stage_seconds"].values())
    if spent > wall + CLOCKS_S:
        yield f"wall_s: {wall}, yet its stages took {spent:.4f} s"
    if row["elapsed_s"] is not None and row["elapsed_s"] < wall - CLOCKS_S:
        yield f"elapsed_s: {row['elapsed_s']}, yet the method alone took {wall} s"
    yield from (
        f"stage_seconds: {s!r} is no stage" for s in row["stage_seconds"] if s not in STAGES
    )
    try:
        datetime.fromisoformat(row["ended"])
    except ValueError:
        yield f"ended: {row['ended']!r} is no time"
    noted = tuple(f"{claim['metric']}: " for claim in row["claims"])  # what a stage left out
    ended = row["check"] == "ok" and row["status"] in ("optimal", "feasible")
    if ended and row["reason"] and not row["reason"].startswith(noted):
        yield f"reason: {row['reason'][:80]!r} of a row that has nothing to explain"


def _is_time(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return isfinite(value) and value >= 0


def trace_problems(row: dict[str, Any]) -> Iterator[str]:
    """Yield traces that run backwards, outlast their row, or do not end with what is claimed."""
    for claim in row["claims"]:
        name, trace = claim["metric"], claim["trace"]
        times = [0.0, *(point[0] for point in trace)]
        late = next((b for a, b in pairwise(times) if b < a), None)
        if late is not None:
            yield f"{name}: its trace runs backwards in time at {late} s"
        if not all(map(_is_time, times)) or times[-1] > row["wall_s"] + CLOCKS_S:
            yield f"{name}: its trace goes on to {times[-1]} s, its row to {row['wall_s']} s"
        if trace and trace[-1][1] != claim["value"]:
            yield f"{name}: claimed {claim['value']}, its trace ends with {trace[-1][1]}"


def claimed_metrics(method: Method, snn: SNN) -> tuple[str, ...]:
    """Return the metrics on which a method's stages each say something, in their order."""
    if method.whole:
        stage = WHOLE.get(method.whole) or EXACT_WHOLE[method.whole]
        return stage.metrics or ("period",)
    given = ("clusters", "traffic") if isinstance(snn, ClusteredSNN) else ()
    return tuple(metric for metric in solver_stages(method) if metric not in given)


def missing_claims(row: dict[str, Any], method: Method, snn: SNN) -> Iterator[str]:
    """Yield where stages of a run that ended say nothing, or speak twice or out of turn."""
    said, metrics = [claim["metric"] for claim in row["claims"]], claimed_metrics(method, snn)
    if row["status"] in ("optimal", "feasible") and said != list(metrics):
        expected = ", ".join(metrics) or "nothing"
        yield f"claims on {', '.join(said) or 'nothing'}; {method.name} says {expected}"
