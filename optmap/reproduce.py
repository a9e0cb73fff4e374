"""``python -m optmap.reproduce``: the publications' experiments, a table and a picture each."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from optmap.command_line import (
    DONE,
    FAILED,
    add_work,
    file_name,
    guarded,
    limits_of,
    parser,
    seconds,
    whole,
)
from optmap.errors import InputError, visible
from optmap.experiment.report.folder import write_tables
from optmap.experiment.reproduction.admission import admission
from optmap.experiment.reproduction.figures import FIGURES, Figure
from optmap.experiment.reproduction.page import files, page
from optmap.experiment.reproduction.programs import PROGRAMS, Program, program_named
from optmap.experiment.reproduction.results import Changes, Results, Shown
from optmap.experiment.reproduction.tokens import tokens
from optmap.experiment.row import Row
from optmap.experiment.run.children import Children
from optmap.experiment.run.environment import environment
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.job import Job
from optmap.experiment.run.plan import Planned, plan_of
from optmap.experiment.run.progress import PlainProgress
from optmap.experiment.run.store import Store, StoreError
from optmap.experiment.run.sweep import sweep
from optmap.experiment.tables.best_known import NOTHING
from optmap.experiment.tables.derived import BEST_KNOWN, ENVIRONMENT, comparable
from optmap.model.outcome import Limits
from optmap.output import Output, print_text

#: The figure that is measured at once and stored in no row.
ADMISSION = "admission"
ADMISSION_TITLE = "Run-time admission against the design-time flow"
ADMISSION_CLAIM = (
    "Song et al. 2020: a fast technique to admit at run time, without a number; Balaji et al. 2020"
    " (arXiv 2006.06777): mapping at run time takes a 780th of the time, 6.25 % worse."
)
#: The figure that is made of stored mappings, solved again for their buffers.
TOKENS = "tokens"
TOKENS_TITLE = "Period against buffer space in tokens"
TOKENS_CLAIM = next(figure.claim for figure in FIGURES if figure.name == "buffers")
NAMES = (*(figure.name for figure in FIGURES), TOKENS, ADMISSION)

#: The store of the rows, inside the result folder.
RUN, PAGE = "run", "README.md"

Place = tuple[str, str, Changes]


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of ``reproduce``."""
    made = parser(
        "reproduce",
        "Run the publications' experiments; every figure as table, CSV and picture, with a page.",
        "python -m optmap.reproduce\n"
        "  python -m optmap.reproduce --figure tiles --programs MLP,edges --limit 5",
    )
    made.add_argument(
        "--figure",
        action="append",
        choices=NAMES,
        default=[],
        help="only this one (can be given several times)",
    )
    names = ", ".join(p.name.replace(" ", "-") for p in PROGRAMS)
    made.add_argument("--programs", metavar="P,P", help=f"only these, of {names}")
    made.add_argument(
        "--limit", type=seconds, default=10.0, metavar="S", help="seconds per row (10)"
    )
    add_work(made)
    made.add_argument("--seed", type=whole(0), default=0, metavar="N", help="seed (0)")
    made.add_argument("--jobs", type=whole(1), default=2, help="rows at a time (2)")
    made.add_argument("--threads", type=whole(1), default=1, help="threads per row (1)")
    made.add_argument("--memory", type=whole(1), metavar="MB", help="kill a row above it (none)")
    made.add_argument(
        "--out", type=file_name, default="results/reproduce", help="result folder (%(default)s)"
    )
    made.add_argument("--page", type=file_name, metavar="FILE", help="write the page there, too")
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)
    programs = list(PROGRAMS)
    if args.programs:
        programs = [program_named(n.strip()) for n in args.programs.split(",") if n.strip()]
    if not programs:
        raise InputError("--programs", "", repr(args.programs), "a comma-separated list")
    asked = set(args.figure or NAMES)
    figures = [f for f in FIGURES if f.name in asked or (f.name == "buffers" and TOKENS in asked)]
    log, out = Console(stderr=True), Output()

    def say(text: str) -> None:
        log.print(text, highlight=False)

    shown: list[tuple[str, str, str, Shown]] = []
    failed: list[Row] = []
    folder, where = Path(args.out), visible(str(args.out))
    # said before minutes of work: output that cannot be written, or is read by nobody, ends it here
    out.print(f"to be written to {where}/, rows to {RUN}/ there", markup=False, highlight=False)
    limits = limits_of(args, args.seed)
    if figures:
        jobs = jobs_of(figures, programs, limits)
        try:
            with Store.opened(folder / RUN) as store:
                results, failed = run(jobs, store, args.jobs, log)
        except StoreError as error:
            print_text(log, f"error: {error}")
            return FAILED
        shown += [(f.name, f.title, f.claim, f.show(results)) for f in figures if f.name in asked]
        if TOKENS in asked:
            said = tokens(programs, results, folder / RUN, limits, say)
            shown.append((TOKENS, TOKENS_TITLE, TOKENS_CLAIM, said))
    if ADMISSION in asked:
        said = admission(programs, args.seed, say)
        shown.append((ADMISSION, ADMISSION_TITLE, ADMISSION_CLAIM, said))
    write(folder, shown, programs, _notes(args, programs, failed), args.page)
    for name, title, _, one in shown:
        out.print(f"{title} ({name}.md): {one.verdict}", markup=False, highlight=False)
    text = f"written to {where}/: {PAGE}, tables, pictures; rows in {RUN}/"
    out.print(text, markup=False, highlight=False)
    return FAILED if any(row.check not in ("ok", "not_run") for row in failed) else DONE


def jobs_of(
    figures: Sequence[Figure], programs: Sequence[Program], limits: Limits
) -> dict[Place, Job]:
    """Return the jobs that the figures need, by program, method and change of the platform."""
    needed = dict.fromkeys(need for figure in figures for need in figure.needs)
    plans: dict[tuple[str, Changes], Planned] = {}
    found: dict[Place, Job] = {}
    for program in programs:
        for method, changes in needed:
            at = (program.name, changes)
            if at not in plans:
                plans[at] = program.on(dict(changes))
            found[program.name, method, changes] = plans[at].job(method, limits)
    return found


def run(
    jobs: dict[Place, Job], store: Store, parallel: int, log: Console
) -> tuple[Results, list[Row]]:
    """Run what the store lacks, derive its tables; return what was found and what failed."""
    missing = [job for job in jobs.values() if job.key() not in store.rows]
    log.print(f"{len(missing)} of {len(jobs)} rows to run", highlight=False)
    made_on = environment() | plan_of(list(jobs.values()), picked=True)
    store.write(ENVIRONMENT, json.dumps(made_on, indent=1) + "\n")
    store.write(BEST_KNOWN, dumps(NOTHING.to_json()) + "\n")
    with PlainProgress(log, len(missing)) as watcher, Children() as children:
        sweep(missing, store, watcher, parallel=parallel, runner=children.run)
    typed = {row.key: row for row in store.typed()}
    rows = {place: typed[key] for place, job in jobs.items() if (key := job.key()) in typed}
    asked = list({row.key: row for row in rows.values()}.values())
    write_tables(store, comparable(asked, list(typed.values())), NOTHING)
    programs = list(dict.fromkeys(program for program, _, _ in jobs))
    drawn = store.attached("details", (row.key for row in rows.values()))
    channels = {key: len(d["channels"]) + d["channels_left_out"] for key, d in drawn.items()}
    return Results(programs, rows, channels), [row for row in asked if row.check != "ok"]


def write(
    folder: Path,
    shown: Sequence[tuple[str, str, str, Shown]],
    programs: Sequence[Program],
    notes: Sequence[str],
    page_file: str | None,
) -> None:
    """Write the figures' files and the page; a page of some figures only is no page of the run."""
    folder.mkdir(parents=True, exist_ok=True)
    for figure in shown:
        for name, text in files(*figure):
            (folder / name).write_text(text, encoding="utf-8")
    places = [folder / PAGE] if len(shown) == len(NAMES) else []
    if page_file:
        places.append(Path(page_file))
    for place in places:
        here = _seen(folder, place.parent)
        docs = _seen(Path("docs"), place.parent)
        place.write_text(page(shown, programs, notes, here, docs), encoding="utf-8")


def _seen(folder: Path, place: Path) -> str:
    """Return a folder as it is named from another, with a slash at the end; "" for itself."""
    name = Path(os.path.relpath(folder, place)).as_posix()
    return "" if name == "." else f"{name}/"


def _notes(
    args: argparse.Namespace, programs: Sequence[Program], failed: Sequence[Row]
) -> list[str]:
    """Return what the page says of the run: limits, what was not run, rows without a mapping."""
    limit = f"{args.limit:g} s" if args.work is None else f"{args.work} units of counted work"
    notes = [f"Limit of a row: {limit}; seed {args.seed}; `--jobs {args.jobs}`."]
    left = [p.name for p in PROGRAMS if p not in programs]
    if left:
        notes.append(f"Not run here: {', '.join(left)}.")
    reasons: dict[str, list[Row]] = {}
    for row in failed:
        reasons.setdefault(row.status, []).append(row)
    for status, rows in reasons.items():
        first = f"{rows[0].instance} by {rows[0].method}"
        why = rows[0].reason or status
        notes.append(f"Without a mapping: {len(rows)} rows ({status}), as {first}: {why}.")
    return notes


if __name__ == "__main__":
    sys.exit(guarded(main))
