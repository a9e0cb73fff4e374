"""What stands beside the rows and tables: environment, plan, best-known list, report, stars."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from optmap.bounds.bound import Bound
from optmap.experiment.report.html import report_html
from optmap.experiment.row import GIVEN, Row
from optmap.experiment.run.environment import SOLVERS, code_version
from optmap.experiment.run.store import Store
from optmap.experiment.tables.best_known import BestKnown
from optmap.experiment.tables.derived import ENVIRONMENT, REPORT, RUNS
from optmap.experiment.tables.gaps import all_gaps, by_digest, end_to_end
from optmap.model.grade import Grade
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


def environment_problems(found: dict[str, Any], shown: Sequence[Row]) -> Iterator[str]:
    """Yield where environment.json is not of the rows that the tables show.

    Machine and libraries cannot be known afterwards; code, solvers and the plan can.
    """
    codes = {row.code_version for row in shown}
    if found.get("code_version") not in codes:
        stated = f"{found.get('code_version')!r}, the rows {', '.join(sorted(codes))}"
        yield f"{ENVIRONMENT}: code_version {stated}"
    libraries = found.get("libraries")
    solvers = " ".join(f"{n}-{(libraries or {}).get(n)}" for n in SOLVERS)
    if solvers not in {row.solver_versions for row in shown}:
        yield f"{ENVIRONMENT}: solvers {solvers}, the rows {shown[0].solver_versions}"
    yield from _unplanned(found, shown)


def _unplanned(found: dict[str, Any], shown: Sequence[Row]) -> Iterator[str]:
    """Yield the rows that were planned and are not shown.

    A run without a plan (of an earlier version) shows every method on every instance.
    """
    there = {(row.instance, row.method, row.seed) for row in shown}
    own = [row for row in shown if not row.method.startswith(GIVEN)]
    methods = list(dict.fromkeys(row.method for row in own))
    plan = {row.instance: methods for row in own}
    plan = found.get("planned", plan)
    seeds = found.get("seeds", list(dict.fromkeys(row.seed for row in own)))
    asked = [
        (instance, method, seed)
        for instance, names in plan.items()
        for method in names
        for seed in (seeds[:1] if method.startswith(GIVEN) else seeds)
    ]
    missing = [row for row in asked if row not in there]
    if missing:
        first = " / ".join(map(str, missing[0]))
        yield f"rows.jsonl: {len(missing)} of {len(asked)} planned rows are missing, as {first}"


def list_problems(copy: BestKnown, trusted: BestKnown, where: str) -> Iterator[str]:
    """Yield what a run's copy of the best-known list has better than the list itself.

    A list only ever gets better, so that an older copy of it knows no more than today's.
    """
    for digest, entry in copy.entries.items():
        listed = trusted.entries.get(digest)
        for name, record in entry.records.items():
            known = None if listed is None else listed.records.get(name)
            value, low = record.value, record.bound
            if value is not None and (known is None or known.value is None or value < known.value):
                yield f"{where}: {entry.instance}: {name} {value} stands in no list"
            if low is None:
                continue
            bound = None if known is None else known.bound
            if bound is None or low.value > bound.value or not low.scope.within(bound.scope):
                yield f"{where}: {entry.instance}: bound {low.value} on {name} stands in no list"


def report_problems(
    folder: Path, shown: Sequence[Row], environment: dict[str, Any], known: BestKnown
) -> Iterator[str]:
    """Yield where report.html is not what the rows give: its data, and page and script too.

    Where another version of optmap drew it, only its data are compared.
    """
    path = folder / REPORT
    if not path.is_file():
        return  # the manifest misses it
    stored = path.read_text(encoding="utf-8", errors="replace")
    drawn = Store(folder).attached("details", (row.key for row in shown))
    try:
        wanted = report_html(shown, drawn, environment, known)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        yield f"{REPORT}: its details cannot be drawn ({type(error).__name__})"
        return
    try:
        here, there = dict(_unpacked(stored)), dict(_unpacked(wanted))
        same = json.loads(here["data"]) == json.loads(there["data"])
    except (KeyError, ValueError, OSError, EOFError, zlib.error, RecursionError):
        same = False
    if not same:
        yield f"{REPORT}: its data are not what the rows give"
    elif environment.get("code_version") == code_version():
        bare = [PACKED.sub(r"\1", text) for text in (stored, wanted)]
        if bare[0] != bare[1] or here.get("plotly") != there["plotly"]:
            yield f"{REPORT}: its page is not what the rows give"


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
