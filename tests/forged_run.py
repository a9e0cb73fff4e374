"""A forger's tools: rows, mappings and files changed, and all repaired that can be repaired."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from optmap.experiment.report.html import report_html
from optmap.experiment.row import Row
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.source import Source
from optmap.experiment.run.store import Store
from optmap.experiment.tables.best_known import read_copy
from optmap.experiment.tables.derived import BEST_KNOWN, ENVIRONMENT, REPORT, TABLES, derived
from optmap.experiment.verification.row import ODD, Checker
from optmap.experiment.verification.run import Verdict, verify_run
from optmap.model.outcome import Limits

#: A row, as it is stored.
Stored = dict[str, Any]

EDITED = "not what the rows give"


def verdict_of(folder: Path, *, again: bool = True) -> Verdict:
    checker = Checker(folder, Limits(wall_s=60.0, seed=9), again=again)
    return verify_run(folder, checker, lambda found, left: None)


def problems(folder: Path, *, again: bool = True) -> list[str]:
    return verdict_of(folder, again=again).problems


def row_problems(folder: Path, row: Stored, again: bool = False) -> list[str]:
    """Return what is found of one row, however well the rest of its run is repaired."""
    checker = Checker(folder, Limits(wall_s=60.0, seed=9), again=again)
    return checker.check(row, Source.from_json(row["source"]).load()).problems


def forged(
    folder: Path, change: Callable[[Stored, dict[str, Any]], None], method: str = "cpsat"
) -> Stored:
    """Change a row and its mapping file, and return the row."""
    row = next(row for row in rows_of(folder) if row["method"] == method)
    file = folder / "mappings" / f"{row['key']}.json"
    mapping = json.loads(file.read_text())
    change(row, mapping)
    file.write_text(dumps(mapping) + "\n")
    return row


def rows_of(folder: Path) -> list[Stored]:
    return [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]


def write_rows(folder: Path, rows: Iterable[Stored], sealed: bool = True) -> None:
    """Write rows as a forger would who knows the store: checksums, chain, tables, manifest fit."""
    (folder / "rows.jsonl").unlink()
    store = Store(folder)
    for row in rows:
        names = list(row["attached"])
        attached = {
            name: json.loads((folder / name / f"{row['key']}.json").read_text()) for name in names
        }
        bare = {k: v for k, v in row.items() if k not in ("attached", "checksum", "chain")}
        store.append(bare, attached)
    if sealed:
        seal(folder, store)


def seal(folder: Path, store: Store | None = None, more: Iterable[str] = ()) -> None:
    """Derive tables and report again, and write a manifest of all."""
    if store is None:
        store = Store(folder)
        store.read()
    texts = {name: (folder / name).read_text() for name in (*TABLES, REPORT)}
    with contextlib.suppress(*ODD):  # a row or details that nobody can read: old files stay
        typed, known = store.typed(), read_copy(folder / BEST_KNOWN)
        texts = derived(typed, known)
        made_on = json.loads((folder / ENVIRONMENT).read_text())
        drawn = store.attached("details", (row.key for row in typed))
        texts[REPORT] = report_html(typed, drawn, made_on, known)
    for name, text in texts.items():
        (folder / name).write_text(text)
    store.seal([*texts, ENVIRONMENT, BEST_KNOWN, *more])


def edit(
    folder: Path,
    change: Callable[[Stored, dict[str, Any]], None],
    method: str = "cpsat",
    sealed: bool = True,
) -> None:
    """Change a row and its mapping file; all that a forger can repair is repaired."""
    rows = [row for row in rows_of(folder) if row["method"] != method]
    write_rows(folder, [*rows, forged(folder, change, method)], sealed)


def as_written(file: Path, data: object) -> None:
    """Write environment.json or manifest.json as a run writes them."""
    file.write_text(json.dumps(data, indent=1) + "\n")


def claim_of(row: Stored, metric: str) -> dict[str, Any]:
    return next(claim for claim in row["claims"] if claim["metric"] == metric)


def typed_rows(folder: Path) -> list[Row]:
    store = Store(folder)
    store.read()
    return store.typed()
