"""``python -m optmap.submit RUN|MAPPING``: better values and bounds for the best-known list."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from optmap.bounds.bound import Bound
from optmap.command_line import DONE, FAILED, add_method_files, guarded, parser, seconds
from optmap.errors import InputError
from optmap.experiment.best_known_list import (
    Improvement,
    drop_unused_mappings,
    entry_problems,
    missing_values,
    open_gaps,
    with_bounds,
    with_value,
    write_entry,
    write_mapping,
)
from optmap.experiment.row import Row
from optmap.experiment.run.description import describe_network
from optmap.experiment.run.environment import cores
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.mapping_file import read_document
from optmap.experiment.tables.best_known import Entry, read_folder
from optmap.experiment.verification.row import Checker
from optmap.experiment.verification.run import verify_run
from optmap.experiment.verification.second_proof import SECOND_SEED
from optmap.experiment.verification.verdict import RowVerdict
from optmap.instance import Instance, load
from optmap.judge.case import Case
from optmap.model.claim import read
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits
from optmap.output import Output
from optmap.shipped import shipped_instances

DEFAULT = "results/best_known"


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of ``submit``."""
    made = parser(
        "submit",
        "Check a mapping, or a finished run, and write what it improves into the best-known list.",
        "python -m optmap.submit results/latest",
    )
    made.add_argument("paths", nargs="*", metavar="PATH", help="folders of runs, mapping files")
    made.add_argument("--to", default=DEFAULT, metavar="DIR", help=f"the list ({DEFAULT})")
    made.add_argument(
        "--limit", type=seconds, default=20.0, metavar="S", help="seconds per bound to prove (20)"
    )
    add_method_files(made)
    made.add_argument("--table", action="store_true", help="print the open gaps, as Markdown")
    made.add_argument("--check", action="store_true", help="check the whole list, write nothing")
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)
    folder, out, log = Path(args.to), Output(), Console(stderr=True)
    if args.table:
        for line in open_gaps(read_folder(folder).entries.values()):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
        return DONE
    if args.check:
        return _check(folder, out)
    if not args.paths:
        expected = "a run's folder, a mapping file, --check or --table"
        raise InputError("arguments", "", "no path", expected)
    date = datetime.date.today().isoformat()
    files = tuple(map(Path, args.method_file))
    limits = Limits(args.limit, seed=SECOND_SEED)
    found: list[Improvement] = []
    for path in map(Path, args.paths):
        if (path / "rows.jsonl").is_file():
            checker = Checker(path, limits, method_files=files)
            problems, better = _submit_run(checker, folder, date)
            for problem in problems:
                log.print(f"wrong: {problem}", markup=False, highlight=False, soft_wrap=True)
            if problems:
                return FAILED
            found += better
        else:
            found += _submit_mapping(path, folder, date)
    drop_unused_mappings(folder)
    lines = [*map(str, found)] or ["nothing is better than what is known"]
    for line in lines:
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    return DONE


def _submit_mapping(path: Path, folder: Path, date: str) -> list[Improvement]:
    """Judge one mapping file and write what it improves."""
    data, instance, mapping = read_document(path)
    case = Case(instance.snn, instance.platform, instance.tokens, mapping, instance.constraints)
    if case.evaluation is None:
        text = "; ".join(map(str, case.violations[:3]))
        raise InputError(str(path), "mapping", text, "a mapping that breaks no rule")
    method = str(data.get("method") or path.stem)
    digest = instance.digest()
    judged = json.loads(dumps(case.evaluation.row()))
    metrics = {name: read(value) for name, value in judged.items()}
    row = Row("", instance.name, digest, method, 0, "feasible", "ok", metrics=metrics)
    return _write(folder, row, instance, mapping, list(case.bounds), date)


def _submit_run(checker: Checker, folder: Path, date: str) -> tuple[list[str], list[Improvement]]:
    """Verify a run; where nothing is wrong with it, write what its rows and bounds improve."""
    rows: list[RowVerdict] = []
    run = checker.folder
    verdict = verify_run(run, checker, lambda found, left: rows.append(found), jobs=cores())
    if verdict.problems:
        return verdict.problems, []
    better: list[Improvement] = []
    for found in rows:
        row = None if found.row is None else Row.from_json(found.row)
        if row is not None and row.accepted:
            _, instance, mapping = read_document(run / "mappings" / f"{found.key}.json")
            better += _write(folder, row, instance, mapping, found.end_to_end, date)
    return [], better


def _write(
    folder: Path,
    row: Row,
    instance: Instance,
    mapping: Mapping,
    bounds: Sequence[Bound],
    date: str,
) -> list[Improvement]:
    network = describe_network(instance)
    platform = f"{network['platform']}: {network['tiles']} tiles, {network['crossbars']}"
    fresh = Entry(instance.name, row.digest, platform)
    entry = read_folder(folder).entries.get(row.digest, fresh)
    entry, values = with_value(entry, row, mapping, date)
    entry, proved = with_bounds(entry, bounds, row.method, date)
    if values:
        write_mapping(folder, mapping)
    if values or proved:
        write_entry(folder, entry)
    return [*values, *proved]


def _check(folder: Path, out: Output) -> int:
    """Judge every mapping of the list again, and prove nothing: ``verify`` proves runs.

    Every shipped instance has an entry with a value of every metric.
    """
    shipped = {load(file).name: file for file in shipped_instances().values()}
    entries = read_folder(folder).entries.values()
    problems = missing_values(entries, shipped)
    for entry in entries:
        if entry.instance not in shipped:
            problems.append(f"{entry.instance}: no shipped instance of this name")
            continue
        problems += entry_problems(folder, entry, load(shipped[entry.instance]))
    for problem in problems:
        out.print(f"wrong: {problem}", markup=False, highlight=False, soft_wrap=True)
    out.print(f"{len(entries)} entries, {len(problems)} problems", highlight=False)
    return FAILED if problems else DONE


if __name__ == "__main__":
    sys.exit(guarded(main))
