"""What stands beside the rows and tables: best-known list, report, stars."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from optmap.bounds.bound import Bound
from optmap.experiment.report.html import report_html
from optmap.experiment.row import GIVEN, Row
from optmap.experiment.run.environment import code_version
from optmap.experiment.run.store import MANIFEST, Store
from optmap.experiment.tables.best_known import BestKnown, Record
from optmap.experiment.tables.derived import ENVIRONMENT, REPORT, RUNS
from optmap.experiment.tables.gaps import NOTHING_LESS, all_gaps, by_digest, end_to_end
from optmap.experiment.verification.environment import on_cluster
from optmap.model.grade import Grade, stronger
from optmap.model.scope import END_TO_END

#: On what a star can rest.
EXACT, AGAIN, LISTED = "exact arithmetic", "solving again", "the best-known list"

#: A part of report.html that travels packed.
PACKED = re.compile(r'(<script type="text/plain" id="packed-(\w+)">)([^<]*)')


def shown_rows(folder: Path, rows: Sequence[Row]) -> list[Row]:
    """Return the rows that the tables of a run show, in their order; all where it has none."""
    if not (folder / RUNS).is_file():
        return list(rows)
    by_key = {row.key: row for row in rows}
    with (folder / RUNS).open(encoding="utf-8", newline="") as lines:
        keys = [str(line.get("key")) for line in csv.DictReader(lines)]
    return [by_key[key] for key in keys if key in by_key]


def list_problems(copy: BestKnown, trusted: BestKnown, where: str) -> Iterator[str]:
    """Yield what a run's copy of the best-known list has better than the list itself.

    A list only ever gets better, so that an older copy of it knows no more than today's. What is
    as good as today's is what stands there, to the letter.
    """
    for digest, entry in copy.entries.items():
        listed = trusted.entries.get(digest)
        if listed is not None and (entry.instance, entry.platform) != (
            listed.instance,
            listed.platform,
        ):
            yield f"{where}: {entry.instance} on {entry.platform}: listed as {listed.instance}"
        for name, record in entry.records.items():
            known = (None if listed is None else listed.records.get(name)) or Record(name)
            value, low = record.value, record.bound
            if value is not None and (known.value is None or value < known.value):
                yield f"{where}: {entry.instance}: {name} {value} stands in no list"
            elif value is not None and value == known.value and _holder(record) != _holder(known):
                yield f"{where}: {entry.instance}: {name} {value} is listed as {known.method}'s"
            if low is None:
                continue
            bound = known.bound
            if bound is None or low.value > bound.value or not low.scope.within(bound.scope):
                yield f"{where}: {entry.instance}: bound {low.value} on {name} stands in no list"
            elif stronger(low.grade, bound.grade):
                text = f"{low.grade.value}, listed as {bound.grade.value}"
                yield f"{where}: {entry.instance}: bound {low.value} on {name} is graded {text}"
            elif low.value == bound.value and _prover(record) != _prover(known):
                yield f"{where}: {entry.instance}: bound {low.value} on {name} is listed otherwise"


def _holder(record: Record) -> tuple[object, ...]:
    file = None if record.mapping is None else record.mapping.get("file")
    return record.method, record.date, file


def _prover(record: Record) -> tuple[object, ...]:
    return record.bound_by, record.bound_date, record.bound


def behind(
    copy: BestKnown, trusted: BestKnown, shown: Sequence[Row]
) -> tuple[list[str], list[str]]:
    """Return what a run's copy of the list knows less than the list: before the run, and since.

    What was listed before the day of the run's first row stood in the list that it started from,
    unless an older optmap ran it.
    """
    first = min((row.ended[:10] for row in shown), default="")
    own = bool(shown) and all(row.code_version == code_version() for row in shown)
    before: list[str] = []
    since: list[str] = []
    for digest in {row.digest: None for row in shown}:
        if digest not in trusted.entries:
            continue
        entry, listed = copy.entries.get(digest), trusted.entries[digest]
        for name, known in listed.records.items():
            record = (entry.records.get(name) if entry is not None else None) or Record(name)
            low, bound = record.bound, known.bound
            for what, date, less in (
                (f"value {known.value}", known.date, _worse(record.value, known.value)),
                (
                    f"bound {None if bound is None else bound.value}",
                    known.bound_date,
                    bound is not None and (low is None or low.value < bound.value),
                ),
            ):
                if less:
                    text = f"{listed.instance}: {name}: the list has {what} since {date}"
                    (before if own and date and date < first else since).append(text)
    return before, since


def _worse(value: Fraction | None, known: Fraction | None) -> bool:
    return known is not None and (value is None or value > known)


def unverifiable(folder: Path, shown: Sequence[Row], made_on: dict[str, Any]) -> Iterator[str]:
    """Yield what nobody can know of a run afterwards, beside its times."""
    aside = Store(folder).aside
    if aside.is_file():
        lines = len(aside.read_bytes().splitlines())
        yield f"{aside.name}: {lines} lines of rows that were set aside, or of anything at all"
    planned = made_on.get("planned", {row.instance: [row.method] for row in shown})
    seeds = made_on.get("seeds", [row.seed for row in shown])
    more = [
        row
        for row in shown
        if row.method not in planned.get(row.instance, ())
        or (row.seed not in seeds and not row.method.startswith(GIVEN))
    ]
    if more and "planned" in made_on:
        name = f"{more[0].instance} / {more[0].method}"
        text = f"{len(more)} rows are of earlier calls, as {name}, whose plans are not kept"
        yield f"{ENVIRONMENT}: {text}: others of theirs may be missing"
    before = sum(row.ended < str(made_on.get("started", "")) for row in shown)
    if before:
        yield f"rows: {before} ended before this call began; what machine ran them is not kept"
    if on_cluster(made_on):
        yield "rows: workers of a cluster ran them, whose machines are not kept"
    if made_on.get("picked"):
        yield f"{ENVIRONMENT}: its rows were picked one by one, so that fewer may be a choice"
    if not (folder / MANIFEST).is_file():
        yield f"{MANIFEST}: none; the run was not finished, and what it planned may be missing"
    others = {row.code_version for row in shown} - {code_version()}
    if others:
        text = f"made by optmap {', '.join(sorted(others))}, checked by {code_version()}"
        yield f"rows: {text}; the page of the report is not compared"
    ended = [row for row in shown if row.status in ("timeout_hard", "memout", "crashed", "error")]
    if ended:
        yield f"rows: {len(ended)} say that they were ended from outside, which nobody can repeat"


def report_problems(
    folder: Path, shown: Sequence[Row], environment: dict[str, Any], known: BestKnown
) -> Iterator[str]:
    """Yield where report.html is not what the rows give: its data, and page and script too.

    Where another version of optmap drew it, only its data are compared.
    """
    path = folder / REPORT
    if not path.is_file():
        return  # the manifest misses it
    stored = path.read_bytes().decode("utf-8", "replace")  # line ends as they are
    drawn = Store(folder).attached("details", (row.key for row in shown))
    try:
        wanted = report_html(shown, drawn, environment, known)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        yield f"{REPORT}: its details cannot be drawn ({type(error).__name__})"
        return
    try:
        parts = list(_unpacked(stored))
        here, there = dict(parts), dict(_unpacked(wanted))
        same = len(parts) == len(here) and _plain(here["data"]) == _plain(there["data"])
    except (KeyError, ValueError, OSError, EOFError, zlib.error, RecursionError):
        same = False
    if not same:
        yield f"{REPORT}: its data are not what the rows give"
    elif environment.get("code_version") == code_version():
        bare = [PACKED.sub(r"\1", text) for text in (stored, wanted)]
        if bare[0] != bare[1] or here.get("plotly") != there["plotly"]:
            yield f"{REPORT}: its page is not what the rows give"


def _plain(text: str) -> str:
    """Return JSON written in one way, in which 1, 1.0 and true differ."""
    return json.dumps(json.loads(text), sort_keys=True)


def _unpacked(page: str) -> Iterator[tuple[str, str]]:
    for _, name, text in PACKED.findall(page):
        yield name, gzip.decompress(base64.b64decode(text, validate=True)).decode()


def star_problems(
    rows: Sequence[Row],
    known: BestKnown,
    proved: dict[str, list[tuple[str, Bound]]],
    stars: Counter[str],
) -> Iterator[str]:
    """Count on what the stars of the gap tables rest; yield those that rest on nothing.

    Parameters
    ----------
    proved : mapping
        Digest of an instance to what was proved of it just now, and how.
    stars : Counter
        What they rest on, counted here.
    """
    groups = by_digest(rows)
    digests = {row.key: row.digest for row in rows}
    for gap in all_gaps(rows, known):
        if gap.proved is None:
            continue
        digest = digests[gap.key]
        bounds = [
            *proved.get(digest, ()),
            *((LISTED, bound) for bound in known.of(digest).bounds(gap.metric)),
        ]
        how = {
            by
            for by, bound in bounds
            if bound.metric == gap.metric
            and bound.value >= gap.value
            and (by != AGAIN or gap.proved is not Grade.CERTIFIED)
            and (bound.scope == END_TO_END or end_to_end(bound, groups[digest]))
        }
        rests_on = next((by for by in (EXACT, AGAIN, LISTED) if by in how), None)
        if gap.value == 0 and gap.bound is not None and gap.bound.name == NOTHING_LESS:
            rests_on = EXACT
        if rests_on is None:
            yield (
                f"{gap.instance} / {gap.method}: the star on {gap.metric} {gap.value} rests on"
                + (" nothing that was proved again")
            )
        else:
            stars[rests_on] += 1


def proved_by_digest(
    found: Iterable[tuple[str, Sequence[Bound], Sequence[Bound]]],
) -> dict[str, list[tuple[str, Bound]]]:
    """Return what rows proved, by the digest of their instance: (digest, exact, again) a row."""
    proved: dict[str, list[tuple[str, Bound]]] = {}
    for digest, exact, again in found:
        known = proved.setdefault(digest, [])
        known += [(EXACT, bound) for bound in exact] + [(AGAIN, bound) for bound in again]
    return proved
