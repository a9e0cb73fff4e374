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
from optmap.command_line import (
    DONE,
    FAILED,
    add_method_files,
    file_name,
    guarded,
    parser,
    seconds,
)
from optmap.errors import InputError, visible
from optmap.experiment.best_known_check import (
    entry_problems,
    folder_problems,
    mapping_of,
    missing_values,
    strangers,
)
from optmap.experiment.best_known_list import (
    Improvement,
    drop_unused_mappings,
    open_gaps,
    with_bounds,
    with_value,
    write_entry,
    write_mapping,
)
from optmap.experiment.row import Row
from optmap.experiment.run.description import platform_text
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
from optmap.output import Output, print_text
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
    made.add_argument(
        "--to", type=file_name, default=DEFAULT, metavar="DIR", help=f"the list ({DEFAULT})"
    )
    made.add_argument(
        "--limit", type=seconds, default=20.0, metavar="S", help="seconds per bound to prove (20)"
    )
    add_method_files(made)
    made.add_argument("--table", action="store_true", help="print the open gaps, as Markdown")
    made.add_argument("--check", action="store_true", help="check the whole list, write nothing")
    made.add_argument("--renew", action="store_true", help="take over bounds that need no solver")
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)
    folder, out, log = Path(args.to), Output(), Console(stderr=True)
    if args.table:
        for line in open_gaps(read_folder(folder).entries.values()):
            print_text(out, line)
        return DONE
    limits = Limits(args.limit, seed=SECOND_SEED)
    if args.check:
        return _check(folder, limits, out)
    if not args.paths and not args.renew:
        expected = "a run's folder, a mapping file, --check, --renew or --table"
        raise InputError("arguments", "", "no path", expected)
    date = datetime.date.today().isoformat()
    files = tuple(map(Path, args.method_file))
    found: list[Improvement] = _renew(folder, date) if args.renew else []
    for path in map(Path, args.paths):
        if (path / "rows.jsonl").is_file():
            checker = Checker(path, limits, method_files=files)
            problems, better = _submit_run(checker, folder, date)
            for problem in problems:
                print_text(log, f"wrong: {problem}")
            if problems:
                return FAILED
            found += better
        else:
            found += _submit_mapping(path, folder, date)
    drop_unused_mappings(folder)
    lines = [*map(str, found)] or ["nothing is better than what is known"]
    for line in lines:
        print_text(out, line)
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
    fresh = Entry(instance.name, row.digest, platform_text(instance))
    entry = read_folder(folder).entries.get(row.digest, fresh)
    entry, values = with_value(entry, row, mapping, date)
    entry, proved = with_bounds(entry, bounds, row.method, date)
    if values:
        write_mapping(folder, mapping)
    if values or proved:
        write_entry(folder, entry)
    return [*values, *proved]


def _check(folder: Path, limits: Limits, out: Output) -> int:
    """Hold every field of the list against the judge and what can be proved.

    Every shipped instance has an entry with a value of every metric.
    """
    shipped = {load(file).name: file for file in shipped_instances().values()}
    entries = read_folder(folder).entries.values()
    problems = [*missing_values(entries, shipped), *folder_problems(folder, entries)]
    for entry in entries:
        if entry.instance not in shipped:
            problems.append(f"{entry.instance}: no shipped instance of this name")
            continue
        try:
            instance = load(shipped[entry.instance])
            problems += entry_problems(folder, entry, instance, limits)
        except InputError as error:
            problems.append(f"{entry.instance}: {error}")
    lines = [f"wrong: {problem}" for problem in problems]
    lines += [f"not known: {text}" for entry in entries for text in strangers(entry)]
    for line in lines:
        print_text(out, visible(line))
    said = f"{len(entries)} entries, {len(problems)} problems; who found what, and when, is as the"
    print_text(out, f"{said} list says, not checked")
    return FAILED if problems else DONE


def _renew(folder: Path, date: str) -> list[Improvement]:
    """Write the bounds that exact arithmetic gives today and that are better than the list's."""
    shipped = {load(file).name: file for file in shipped_instances().values()}
    better: list[Improvement] = []
    for entry in read_folder(folder).entries.values():
        record = next((r for r in entry.records.values() if r.mapping is not None), None)
        if record is None or entry.instance not in shipped:
            continue
        instance = load(shipped[entry.instance])
        mapping = mapping_of(folder, record, instance)
        case = Case(instance.snn, instance.platform, instance.tokens, mapping, instance.constraints)
        made, proved = with_bounds(entry, case.bounds, record.method, date)
        if proved:
            write_entry(folder, made)
        better += proved
    return better


if __name__ == "__main__":
    sys.exit(guarded(main))
