"""What a row says of itself and nobody can run again: types, times that agree, whole traces.

Times are not known afterwards. A row whose times contradict each other, or the word for how it
ended, is none that a run writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import copysign, isfinite
from typing import Any

from optmap.exact import EXACT_SCHEDULES, EXACT_WHOLE
from optmap.experiment.row import OF_THE_STORE, Row
from optmap.experiment.run.environment import code_version
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.process import GRACE_S, SET_UP_S, SET_UP_WALL_S, ended_after_s
from optmap.flow import solver_stages
from optmap.methods import Method
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.snn import SNN
from optmap.stages.course import ENDED_EARLY
from optmap.whole.contract import WHOLE

#: Stages whose seconds a row can hold.
STAGES = ("clustering", "binding", "order", "binding and order", "whole")

#: Megabytes by which a peak is rounded.
ROUNDED_MB = 0.05

#: Seconds by which clocks that were read one after the other may differ.
CLOCKS_S = 0.5

#: Seconds by which a parent on a crowded machine may be late to end a child.
LATE_S = 60.0

#: Share of its limit after which a heuristic can be ended by it: a round is not begun that would
#: take longer than is left, and none took longer than all before.
EARLIEST = 0.5

#: How a row without a mapping ends: a method that gives up takes back what it reported.
WITHOUT_A_MAPPING = ("no_solution", "infeasible", "unsupported")

#: What a stage says that has no value.
NOTHING_KEEPS = "nothing found keeps to every limit"

#: Searches over all decisions that report mappings and note no course.
WITHOUT_A_COURSE = ("cover",)

#: The notes that a stage leaves in the reason of a row that is right.
NOTES = re.compile(
    r"no model of (the clustering|the binding|multicast hops|the classes): ([\d,]+|too many)"
    r" (terms|lines to cross)"
    r"(, at most [\d,]+ are tried|, too many for the limit| for the limit"
    r"| take some [\d,.]+ s to build, [\d,.]+ s are left)?"
    r"|no prices of the clustering: [\d,]+ terms take some [\d,.]+ s to build, [\d,.]+ s are left"
    r"|no (order|joint) model: ([\d,]+ (tasks|terms( of [\d,]+ clusters)?)"
    r"(, at most [\d,]+ are tried"
    r"| take some [\d,.]+ s to build, [\d,.]+ s are left)|the limit passed after"
    r" (\d+ of \d+ steps of longest paths|\d+ pairs of tasks( decided)?))"
    r"|more than \d+ sets fit a crossbar, or finding them takes too long"
    r"|the limit came after \d+ of the sets that fit a crossbar"
    rf"|{NOTHING_KEEPS}"
    rf"|{ENDED_EARLY}"
)

#: Numbers that bear a note out: more of something than is tried, more seconds than are left.
TOO_MANY = re.compile(r" ([\d,]+) [a-z]+(?: of [\d,]+ clusters)?, at most ([\d,]+) are tried")
TOO_LONG = re.compile(r" take some ([\d,.]+) s to build, ([\d,.]+) s are left")

TEXTS = (
    *("key", "instance", "digest", "method", "status", "check", "reason", "ended"),
    *("code_version", "solver_versions", "decomposition"),
)
#: Texts of which a run always says something.
NEVER_EMPTY = ("key", "instance", "digest", "method", "code_version", "solver_versions", "ended")
NUMBERS = ("wall_s", "cpu_s", "elapsed_s", "peak_rss_mb", "limit_s")
MEASURED = NUMBERS[:4]
COUNTS = ("seed", "threads", "memory_mb", "work")


def form_problems(row: dict[str, Any]) -> Iterator[str]:
    """Yield fields of a wrong type, and times that contradict each other."""
    for name in TEXTS:
        if not isinstance(row[name], str) or (name in NEVER_EMPTY and not row[name]):
            yield f"{name}: {row[name]!r} is no text"
    for name in COUNTS:
        count = row.get(name)  # rows of earlier versions have no "work"
        if count is not None and (type(count) is not int or count < 0):
            yield f"{name}: {count!r} is no whole number"
    numbers = {name: row[name] for name in NUMBERS if row[name] is not None}
    yield from (
        f"{name}: {row[name]!r} is no time as a run writes it"
        for name in (*MEASURED, "limit_s")
        if row[name] is not None and type(row[name]) is not float
    )
    judged = () if row["check"] == "not_run" else ("cpu_s",)
    yield from (
        f"{n}: none, which every run notes" for n in ("elapsed_s", *judged) if row[n] is None
    )
    yield from (
        f"stage_seconds.{stage}: {s!r} is no time as a run writes it"
        for stage, s in row["stage_seconds"].items()
        if type(s) is not float
    )
    numbers |= {f"stage_seconds.{stage}": s for stage, s in row["stage_seconds"].items()}
    odd = {name: value for name, value in numbers.items() if not _is_time(value)}
    yield from (f"{name}: {value!r} is no number >= 0" for name, value in odd.items())
    if odd:
        return
    wall, spent = row["wall_s"], sum(row["stage_seconds"].values())
    if spent > wall + CLOCKS_S:
        yield f"wall_s: {wall}, yet its stages took {spent:.4f} s"
    longest = SET_UP_WALL_S + _ended_after_s(row) + LATE_S
    if row["elapsed_s"] is not None and row["elapsed_s"] > longest:
        yield f"elapsed_s: {row['elapsed_s']}, yet a child is ended {longest} s after it is asked"
    if row["elapsed_s"] is not None and row["elapsed_s"] < wall - CLOCKS_S:
        yield f"elapsed_s: {row['elapsed_s']}, yet the method alone took {wall} s"
    yield from (
        f"stage_seconds: {s!r} is no stage" for s in row["stage_seconds"] if s not in STAGES
    )
    if not is_written_time(row["ended"]):
        yield f"ended: {row['ended']!r} is no time as a run writes it, or still to come"
    yield from _ending_problems(row)


def is_written_time(text: object) -> bool:
    """Tell whether a text is a time in UTC as a run writes it, and not still to come."""
    try:
        time = datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return time <= datetime.now(UTC) + timedelta(days=1) and text == time.isoformat(
        timespec="seconds"
    )


def _ended_after_s(row: dict[str, Any]) -> float:
    """Return the seconds of any clock after which the child of a row is ended."""
    return ended_after_s(float(row["limit_s"] or 0), row.get("work"))


def _ending_problems(row: dict[str, Any]) -> Iterator[str]:
    """Yield where the word for how a row ended is contradicted by its times, mapping or reason."""
    status, reason, elapsed = row["status"], row["reason"], row["elapsed_s"]
    hard = float(row["limit_s"]) + GRACE_S
    latest = _ended_after_s(row)
    if row["wall_s"] > latest + LATE_S and status != "timeout_hard":
        yield f"wall_s: {row['wall_s']}, yet a child is ended {latest} s after its start"
    if status == "timeout_hard" and (elapsed is None or elapsed < min(hard, SET_UP_S) - CLOCKS_S):
        yield f"status timeout_hard after {elapsed} s; a child is ended after {hard} s"
    if status == "memout":
        most, peak = row["memory_mb"], row["peak_rss_mb"]
        if most is None or peak is None or peak <= most:
            yield f"status memout with {peak} MB of {most or 'unlimited'}"
    elif status != "timeout_hard" and None not in (row["memory_mb"], row["peak_rss_mb"]):
        most, peak = row["memory_mb"], row["peak_rss_mb"]
        if peak > most + ROUNDED_MB:
            yield f"peak_rss_mb: {peak}, yet a child is ended above {most} MB"
    refused = status in WITHOUT_A_MAPPING and row["check"] not in ("violation", "mismatch")
    if refused and "mappings" in row["attached"]:
        yield f"status {status} of a row that has a mapping"
    ended = status in ("error", "crashed") and "mappings" in row["attached"]
    if ended and not reason.startswith("the solve ended by itself: "):
        yield f"status {status} of a row that has a mapping, and no word of what ended it"
    if ENDED_EARLY in reason and row["wall_s"] < EARLIEST * float(row["limit_s"]):
        yield f"reason: {ENDED_EARLY}, after {row['wall_s']} s of {row['limit_s']}"
    if row["check"] == "ok" and status in ("optimal", "feasible") and reason:
        metrics = {claim["metric"] for claim in row["claims"]}
        if len(set(parts := reason.split("; "))) < len(parts):
            yield f"reason: {reason[:80]!r} says something twice"
        if NOTHING_KEEPS in reason and all(c["value"] is not None for c in row["claims"]):
            yield f"reason: {NOTHING_KEEPS!r}, yet every stage claims a value"
        for part in parts:
            metric, _, note = part.partition(": ")
            if metric not in metrics and not NOTES.fullmatch(part):
                yield f"reason: {part[:80]!r} of a row that has nothing to explain"
            elif metric in metrics and not NOTES.fullmatch(note):
                yield f"reason: {part[:80]!r} is no note that a stage leaves"
            elif not _is_borne_out(part, max(float(row["limit_s"]), row.get("work") or 0)):
                yield f"reason: {part[:80]!r} is not borne out by its own numbers"


def _is_borne_out(note: str, limit: float) -> bool:
    """Tell whether the numbers of a note, those that it has, say that a model was too large."""
    many, long = TOO_MANY.search(note), TOO_LONG.search(note)
    if many is not None:
        there, tried = (int(number.replace(",", "")) for number in many.groups())
        return there > tried
    if long is not None:
        takes, left = (float(number.replace(",", "")) for number in long.groups())
        return left <= takes and left <= limit
    return True


def stage_problems(row: dict[str, Any], method: Method) -> Iterator[str]:
    """Yield stages for which seconds stand that are none of the method's, or none at all."""
    own = ["clustering"]
    if method.binding in EXACT_SCHEDULES:
        own += ["binding and order"]
    else:
        own += ["binding"] * (method.clustering != "imported") + ["order"]
    own += ["whole"] * bool(method.whole)
    said = list(row["stage_seconds"])
    yield from (f"stage_seconds: {s!r} is no stage of {method.name}" for s in said if s not in own)
    if row["status"] in ("optimal", "feasible") and said != own:
        text = f"of {', '.join(said) or 'nothing'}; {method.name} has {', '.join(own)}"
        yield f"stage_seconds: {text}"


def rewritten(row: dict[str, Any]) -> Iterator[str]:
    """Yield the fields that are not written as a run writes them: 2.0, true or "2" for 2, more."""
    typed = Row.from_json(row).to_json()
    if row["code_version"] == code_version():
        named = [[n for n in own if n not in OF_THE_STORE] for own in (row, typed)]
        yield from (f"{n}: missing, although a run writes it" for n in named[1] if n not in row)
        if sorted(named[0]) == sorted(named[1]) and named[0] != named[1]:
            yield "its fields stand in another order than a run writes them"
    for name, value in row.items():
        if name in OF_THE_STORE and name != "schema":
            continue
        if dumps(value) != dumps(typed.get(name)):
            yield f"{name}: written otherwise than a run writes it"


def _is_time(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return isfinite(value) and copysign(1, value) > 0


def trace_problems(row: dict[str, Any]) -> Iterator[str]:
    """Yield traces that run backwards, outlast their row, or do not end with what is claimed."""
    for claim in row["claims"]:
        name, trace = claim["metric"], claim["trace"]
        times = [0.0, *(point[0] for point in trace)]
        late = next((b for a, b in pairwise(times) if b < a), None)
        if late is not None:
            yield f"{name}: its trace runs backwards in time at {late} s"
        if any(type(time) is not float for time in times) or any(
            before[1:] == after[1:] for before, after in pairwise(trace)
        ):
            yield f"{name}: its trace is written otherwise than a run writes it"
        if not all(map(_is_time, times)) or times[-1] > row["wall_s"] + CLOCKS_S:
            yield f"{name}: its trace goes on to {times[-1]} s, its row to {row['wall_s']} s"
        if trace and trace[-1][1] != claim["value"]:
            yield f"{name}: claimed {claim['value']}, its trace ends with {trace[-1][1]}"
        if type(claim["value"]) is int:
            noted = [claim["bound"], *(x for point in trace for x in point[1:])]
            if any(isinstance(x, str) and Fraction(x).denominator == 1 for x in noted):
                yield f"{name}: a whole number written as text"
        proved = [Fraction(point[2]) for point in trace if point[2] is not None]
        if claim["value"] is not None and any(low > Fraction(claim["value"]) for low in proved):
            yield f"{name}: its trace proves {max(proved)}, above the claimed {claim['value']}"
        values = [Fraction(point[1]) for point in trace if point[1] is not None]
        if any(b > a for a, b in pairwise(values)):
            yield f"{name}: its trace loses a better value"


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
    if method.digest or method.whole in WITHOUT_A_COURSE:  # a stranger's stage notes what it likes
        return
    for claim in row["claims"]:
        if claim["value"] is not None and not claim["trace"]:
            yield f"{claim['metric']}: claimed {claim['value']}, and no course that leads to it"
