"""The files that are derived from rows, as texts: written by a sweep, made again by ``verify``."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from optmap.experiment.row import Row
from optmap.experiment.tables.best_known import NOTHING, BestKnown, read_copy
from optmap.experiment.tables.csv_text import csv_text
from optmap.experiment.tables.frames import (
    curves_frame,
    decisions_frame,
    gaps_frame,
    ratios_frame,
    runs_frame,
    stage_gaps_frame,
    stages_frame,
)
from optmap.experiment.tables.gaps import all_gaps
from optmap.experiment.tables.headline import headline_markdown
from optmap.experiment.tables.latex import tables_latex
from optmap.experiment.tables.markdown import tables_markdown

RUNS = "runs.csv"

#: What a run keeps of the best-known list that it started from.
BEST_KNOWN = "best_known.json"


#: File -> its text, from rows and what was known before.
TABLES: dict[str, Callable[[Sequence[Row], BestKnown], str]] = {
    RUNS: lambda rows, known: csv_text(runs_frame(rows)),
    "gaps.csv": lambda rows, known: csv_text(gaps_frame(all_gaps(rows, known))),
    "stages.csv": lambda rows, known: csv_text(stages_frame(rows)),
    "stage_gaps.csv": lambda rows, known: csv_text(stage_gaps_frame(rows, known)),
    "ratios.csv": lambda rows, known: csv_text(ratios_frame(rows)),
    "curves.csv": lambda rows, known: csv_text(curves_frame(rows)),
    "decisions.csv": lambda rows, known: csv_text(decisions_frame(rows, known)),
    "tables.md": tables_markdown,
    "headline.md": headline_markdown,
    "tables.tex": tables_latex,
}
#: What a finished run has besides: drawn, or written before the first row.
REPORT, ENVIRONMENT = "report.html", "environment.json"


def derived(rows: Sequence[Row], known: BestKnown = NOTHING) -> dict[str, str]:
    """Return the tables of rows by the name of their file; report.html is not among them."""
    return {name: make(rows, known) for name, make in TABLES.items()}


def limits_of(row: Row) -> dict[str, float | int | None]:
    """Return the limits of a row but for its seed: rows of one run have one."""
    return {
        "wall_s": row.limit_s,
        "threads": row.threads,
        "memory_mb": row.memory_mb,
        "work": row.work,
    }


def comparable(shown: Sequence[Row], rows: Sequence[Row]) -> list[Row]:
    """Return the rows of the instances that are shown, made under one of the same limits and codes.

    A folder keeps the rows of earlier calls: those of other limits or versions stay out of its
    tables, others do not, whatever methods were asked for last.
    """

    def made(row: Row) -> tuple[object, ...]:
        limits = tuple(limits_of(row).values())
        return row.digest, row.instance, limits, row.code_version, row.solver_versions

    known = set(map(made, shown))
    return [row for row in rows if made(row) in known]


def edited(folder: Path, rows: Sequence[Row]) -> Iterator[str]:
    """Yield what is wrong with the tables that stand in a result folder.

    runs.csv says which rows the tables show; none that is comparable with them may be missing.
    """
    if not (folder / RUNS).is_file():  # the sweep was killed before it wrote tables
        return
    by_key = {row.key: row for row in rows}
    with (folder / RUNS).open(encoding="utf-8", newline="") as lines:
        keys = [str(line.get("key")) for line in csv.DictReader(lines)]
    unknown = [key for key in keys if key not in by_key]
    if unknown:
        yield f"{RUNS}: of {len(keys)} lines {len(unknown)} belong to no row, as {unknown[0]}"
        return
    if len(set(keys)) < len(keys):
        yield f"{RUNS}: a row stands twice, so that means count it twice"
    hidden = [row for row in comparable([by_key[key] for key in keys], rows) if row.key not in keys]
    if hidden:
        names = ", ".join(f"{row.instance} / {row.method}" for row in hidden[:3])
        yield f"{RUNS}: {len(hidden)} rows of this run are not shown, as {names}"
    for name, text in derived(
        [by_key[key] for key in keys], read_copy(folder / BEST_KNOWN)
    ).items():
        path = folder / name
        stored = path.read_bytes().decode("utf-8", "replace") if path.is_file() else ""
        pairs = zip_longest(stored.splitlines(), text.splitlines())
        differing = (i for i, (old, new) in enumerate(pairs, 1) if old != new)
        line = next(differing, None)
        if line is not None:
            yield f"{name}, line {line}: not what the rows give"
        elif stored != text:
            yield f"{name}: its lines end otherwise than a run ends them"
