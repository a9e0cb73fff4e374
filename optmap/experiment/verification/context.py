"""What stands beside the rows and tables: environment, plan, best-known list, report, stars."""

from __future__ import annotations

import base64
import contextlib
import csv
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import optmap
from optmap.bounds.bound import Bound
from optmap.experiment.report.html import report_html
from optmap.experiment.row import GIVEN, Row
from optmap.experiment.run.environment import LIBRARIES, SOLVERS, code_version
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.store import MANIFEST, Store
from optmap.experiment.tables.best_known import BestKnown, Record
from optmap.experiment.tables.derived import ENVIRONMENT, REPORT, RUNS, limits_of
from optmap.experiment.tables.gaps import NOTHING_LESS, all_gaps, by_digest, end_to_end
from optmap.model.grade import Grade, stronger
from optmap.model.scope import END_TO_END

#: On what a star can rest.
EXACT, AGAIN, LISTED = "exact arithmetic", "solving again", "the best-known list"

#: What environment.json says of a run.
OF_ENVIRONMENT = (
    *("optmap", "code_version", "python", "libraries", "os", "processor", "cores", "started"),
    *("arguments", "planned", "seeds", "limits", "picked"),
)

#: Libraries without which nothing is read, judged or written.
NEEDED = ("numpy", "scipy", "numba", "networkx", "pandas")

#: How versions of Python and of libraries are written (PEP 440).
PYTHON = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?\+?")
VERSION = re.compile(
    r"(\d+!)?\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[A-Za-z0-9]+([._-][A-Za-z0-9]+)*)?"
)

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
    yield from _two_of_one_name(shown)
    yield from _odd_environment(found)
    codes = {row.code_version for row in shown}
    if codes != {found.get("code_version")}:
        stated = f"{found.get('code_version')!r}, the rows {', '.join(sorted(codes))}"
        yield f"{ENVIRONMENT}: code_version {stated}"
    own = found.get("code_version") == code_version()
    if own and found.get("optmap") != optmap.__version__:
        yield f"{ENVIRONMENT}: optmap {found.get('optmap')!r}, its code is {optmap.__version__}'s"
    libraries = found.get("libraries")
    versions = libraries if isinstance(libraries, dict) else {}
    solvers = " ".join(f"{n}-{versions.get(n)}" for n in SOLVERS)
    of_rows = {row.solver_versions for row in shown}
    if of_rows != {solvers}:
        yield f"{ENVIRONMENT}: solvers {solvers}, the rows {', '.join(sorted(of_rows))}"
    limits = {dumps(limits_of(row)) for row in shown}
    if "limits" in found and limits != {dumps(found["limits"])}:
        yield f"{ENVIRONMENT}: limits {found['limits']}, the rows {', '.join(sorted(limits))}"
    strange = sorted(set(found) - set(OF_ENVIRONMENT))
    yield from (f"{ENVIRONMENT}: {name} is nothing that a run says" for name in strange)
    yield from _unplanned(found, shown)


def _odd_environment(found: dict[str, Any]) -> Iterator[str]:
    """Yield what a run never says so of itself, of another type or twice; true or not."""
    for name in ("optmap", "code_version", "python", "os", "processor", "started"):
        if not isinstance(found.get(name), str) or (name != "processor" and not found[name]):
            yield f"{ENVIRONMENT}: {name} {found.get(name)!r} is no text"
    libraries, started = found.get("libraries"), str(found.get("started"))
    versions = libraries.values() if isinstance(libraries, dict) else [0]
    if any(own is not None and not VERSION.fullmatch(str(own)) for own in versions) or any(
        type(own) not in (str, type(None)) for own in versions
    ):
        yield f"{ENVIRONMENT}: libraries without a version"
    if not PYTHON.fullmatch(str(found.get("python"))):
        yield f"{ENVIRONMENT}: python {found.get('python')!r} is no version"
    if found.get("code_version") == code_version():
        yield from _odd_names(found)
    if isinstance(libraries, dict) and not set(LIBRARIES) <= set(libraries):
        yield f"{ENVIRONMENT}: says nothing of {', '.join(sorted(set(LIBRARIES) - set(libraries)))}"
    with contextlib.suppress(ValueError, TypeError):
        if datetime.fromisoformat(started) <= datetime.now(UTC) + timedelta(days=1):
            started = ""
    if started:
        yield f"{ENVIRONMENT}: started {started!r} is no time, or still to come"
    cores, arguments = found.get("cores"), found.get("arguments")
    if type(cores) is not int or cores < 1:
        yield f"{ENVIRONMENT}: {cores!r} cores"
    if not isinstance(arguments, list) or not all(isinstance(a, str) for a in arguments):
        yield f"{ENVIRONMENT}: arguments that are no texts"
    lists = [found.get("seeds", [0]), *(found.get("planned") or {}).values()]
    if any(not isinstance(own, list) or not own or len(set(own)) < len(own) for own in lists):
        yield f"{ENVIRONMENT}: a plan that names nothing, or something twice"


def _odd_names(found: dict[str, Any]) -> Iterator[str]:
    """Yield what this version of optmap names otherwise: libraries, and those it cannot lack."""
    libraries = found.get("libraries")
    if isinstance(libraries, dict) and list(libraries) != list(LIBRARIES):
        yield f"{ENVIRONMENT}: other libraries, or in another order, than a run names"
    if isinstance(libraries, dict) and any(libraries.get(name) is None for name in NEEDED):
        yield f"{ENVIRONMENT}: without a library that optmap cannot lack"
    missing = [name for name in ("seeds", "limits") if name not in found]
    yield from (f"{ENVIRONMENT}: no {name}, which every run writes" for name in missing)


def _two_of_one_name(shown: Sequence[Row]) -> Iterator[str]:
    """Yield names under which tables would show two instances as one."""
    digests: dict[str, str] = {}
    for row in shown:
        if digests.setdefault(row.instance, row.digest) != row.digest:
            yield f"rows.jsonl: two instances are called {row.instance!r}; one is {row.method}'s"


def _unplanned(found: dict[str, Any], shown: Sequence[Row]) -> Iterator[str]:
    """Yield the rows that were planned and are not shown.

    A run without a plan (of an earlier version) shows every method on every instance.
    """
    if "planned" not in found and found.get("code_version") == code_version():
        yield f"{ENVIRONMENT}: no plan, which every run writes"
    there = {(row.instance, row.method, row.seed) for row in shown}
    own = [row for row in shown if not row.method.startswith(GIVEN)]
    methods = list(dict.fromkeys(row.method for row in own))
    plan = {row.instance: methods for row in own}
    plan = found.get("planned", plan)
    seeds = found.get("seeds", list(dict.fromkeys(row.seed for row in own)))
    if not any(plan.values()) or any(type(seed) is not int for seed in seeds):
        yield f"{ENVIRONMENT}: a plan of nothing, or seeds that are none"
    asked = [
        (instance, method, seed)
        for instance, names in plan.items()
        for method in names
        for seed in (seeds[:1] if method.startswith(GIVEN) else seeds)
    ]
    grids = {
        frozenset(name for name in names if not name.startswith(GIVEN)) for names in plan.values()
    }
    if len(grids) > 1 and not found.get("picked"):
        yield f"{ENVIRONMENT}: a plan of other methods on some instances than on others"
    missing = [row for row in asked if row not in there]
    if missing:
        first = " / ".join(map(str, missing[0]))
        yield f"rows.jsonl: {len(missing)} of {len(asked)} planned rows are missing, as {first}"


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
