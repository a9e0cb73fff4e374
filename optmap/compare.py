"""``python -m optmap.compare instances/``: every instance by every method, and how far each is off.

Results go to a folder: rows.jsonl (one line per finished row), runs.csv, gaps.csv, stages.csv,
tables.md, environment.json, report.html, mappings/. The same command continues after an
interruption; finished rows are kept and not run again, rows of another code version are not reused.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console

from optmap.command_line import (
    BAD_INPUT,
    CONSTRAINTS_HELP,
    DONE,
    FAILED,
    add_work,
    file_name,
    guarded,
    limits_of,
    parser,
    reading_arguments,
    reading_of,
    seconds,
    whole,
)
from optmap.errors import InputError, visible
from optmap.experiment.report.folder import write_tables
from optmap.experiment.row import Row
from optmap.experiment.run.children import Children
from optmap.experiment.run.dask_runner import sweep_on_cluster
from optmap.experiment.run.environment import cores, environment, jobs_at_once
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.job import Job
from optmap.experiment.run.plan import (
    Planned,
    given_mappings,
    mapping_files,
    on_platforms,
    plan_of,
    planned,
    sources_of,
)
from optmap.experiment.run.progress import LiveProgress, PlainProgress
from optmap.experiment.run.source import Source
from optmap.experiment.run.store import Store, StoreError
from optmap.experiment.run.sweep import sweep
from optmap.experiment.tables.baseline import TEST, TITLES, differences, lines_of
from optmap.experiment.tables.best_known import BestKnown, read_folder
from optmap.experiment.tables.derived import BEST_KNOWN, ENVIRONMENT, comparable
from optmap.experiment.tables.gaps import all_gaps
from optmap.experiment.tables.markdown import failed, summary_line
from optmap.experiment.tables.terminal import (
    decisions_text,
    headline_text,
    improvements_text,
    plan_lines,
)
from optmap.methods import (
    METHODS,
    OBJECTIVE_HELP,
    OBJECTIVES,
    Method,
    load_method_file,
    method_named,
)
from optmap.model.platform import TOKEN_MODES
from optmap.output import Output, number_table, print_text
from optmap.shipped import best_known_folder, platform_help
from optmap.simulation.encode import ENCODERS
from optmap.variants import add_axes, asked_for

#: New objects after which Python looks for cycles: rows have none, and looking through thousands of
#: them after each 700 objects takes a fifth of the time of a run whose rows are all there.
SWEEP_AFTER = 100_000

#: What a cluster runs besides the built-in methods; docs/compare.md says how.
CLUSTER_TAKES = "methods of an installed package (entry points), or no --cluster"


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of ``compare``."""
    made = parser(
        "compare",
        "Solve every instance by every method, judge all alike, print the gaps.",
        "python -m optmap.compare instances/ --limit 20 --methods song2020,cpsat\n"
        "  python -m optmap.compare my_net.nir --platform dynap_se --method-file my_method.py\n"
        "  python -m optmap.compare filter_8 --mapping mine.json theirs/",
    )
    made.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="instance files (.toml), folders of them, names of shipped ones (filter_8); with"
        " --platform also networks",
    )
    _platform_arguments(made)
    made.add_argument(
        "--predict",
        action="append",
        default=[],
        metavar="RUN",
        help="run first what rows of this run promise the most gain of, a second: an order, no"
        " value (several times; extra [predict])",
    )
    made.add_argument(
        "--mapping",
        nargs="+",
        type=file_name,
        default=[],
        metavar="FILE",
        help="mappings that somebody made (JSON, docs/formats.md), or folders of them",
    )
    made.add_argument(
        "--out",
        type=file_name,
        default="results/latest",
        help="result folder (default %(default)s)",
    )
    made.add_argument(
        "--limit", type=seconds, default=10.0, metavar="S", help="seconds per row, all stages (10)"
    )
    add_work(made)
    _method_arguments(made)
    made.add_argument("--seeds", default="0", help="comma-separated seeds (0)")
    made.add_argument(
        "--encodings",
        help=f"comma-separated, of: {', '.join(ENCODERS)}; each instance that says what its inputs"
        " are shown runs once in each code",
    )
    made.add_argument("--constraints", type=file_name, metavar="FILE", help=CONSTRAINTS_HELP)
    reading_arguments(made)
    _running_arguments(made)
    return made


def _method_arguments(made: argparse.ArgumentParser) -> None:
    """Add what solves the instances."""
    made.add_argument(
        "--methods",
        help=f"comma-separated, of: {', '.join(METHODS)}"
        f" (default: {', '.join(_default_methods())})",
    )
    made.add_argument("--objective", choices=OBJECTIVES, metavar="WHAT", help=OBJECTIVE_HELP)
    made.add_argument(
        "--method-file", type=file_name, metavar="FILE", help="Python file with methods of your own"
    )


#: Whose platform ``--platform`` is.
PLATFORM_OF = "of networks; of instances, in place of theirs, where only instances are named"


def _platform_arguments(made: argparse.ArgumentParser) -> None:
    """Add what networks run on, and what is varied of it."""
    made.add_argument("--platform", metavar="P", help=f"{PLATFORM_OF}: {platform_help()}")
    add_axes(made)
    made.add_argument("--spikes", type=file_name, metavar="FILE", help="of the networks")
    made.add_argument("--tokens", choices=TOKEN_MODES, default="dataflow", help="of the networks")


def _running_arguments(made: argparse.ArgumentParser) -> None:
    """Add how rows are run, and what they are compared with."""
    made.add_argument("--jobs", type=whole(1), help="rows at a time (cores / threads)")
    made.add_argument("--threads", type=whole(1), default=1, help="threads per row (1)")
    made.add_argument("--memory", type=whole(1), metavar="MB", help="kill a row above it (none)")
    made.add_argument("--cluster", metavar="ADDRESS", help="Dask scheduler, tcp://host:8786")
    made.add_argument("--baseline", metavar="RUN", help="compare with an earlier result folder")
    made.add_argument(
        "--best-known",
        metavar="FOLDER",
        help="values and bounds that are known already (the list that comes with optmap)",
    )
    made.add_argument(
        "--all", action="store_true", help="also the instances outside the default set"
    )


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    gc.set_threshold(SWEEP_AFTER)
    args = build_parser().parse_args(arguments)
    if args.cluster and (args.method_file or args.mapping):
        option = "--method-file" if args.method_file else "--mapping"
        raise InputError("--cluster", "", f"{option}, a file workers do not have", CLUSTER_TAKES)
    own = load_method_file(Path(args.method_file)) if args.method_file else ()
    methods = _asked_methods(args, own)
    seeds = dict.fromkeys(_whole(text, "--seeds") for text in _names(args.seeds, "--seeds"))
    limits = [limits_of(args, seed) for seed in seeds]
    log, out = Console(stderr=True), Output()
    if own and not {method.name for method in own} & set(methods):
        names = ", ".join(method.name for method in own)
        log.print(f"not run: {names} of {args.method_file}, for --methods names none of them")
    if not args.paths and not args.mapping:
        raise InputError("PATH", "", "nothing", "an instance, a network or --mapping")
    before = _earlier_rows(args.baseline) if args.baseline else []
    plans, unreadable = _planned(args)
    given, brought = given_mappings(mapping_files(args.mapping), plans, limits[0])
    files = dict.fromkeys((method.name for method in own), str(args.method_file))
    jobs = [
        plan.job(name, limit, files.get(name, ""))
        for plan in (*plans, *brought)
        for name in methods
        for limit in limits
    ]
    jobs += given
    if args.predict:
        jobs = _by_promise(jobs, [*plans, *brought], args.predict, limits[0].seed)
    for error in unreadable:
        print_text(log, f"skipped: {error}")
    if not jobs and not unreadable:
        raise InputError("PATH", "", "no instance of the default set", "some, or --all")
    if not jobs:
        return BAD_INPUT
    at_once = args.jobs or jobs_at_once(args.threads)
    if at_once * args.threads > cores():
        crowded = f"warning: {at_once} jobs x {args.threads} threads on {cores()} cores"
        print_text(log, f"{crowded}; times will not compare")
    try:
        with Store.opened(Path(args.out)) as store:
            known = read_folder(Path(args.best_known or best_known_folder())).of(
                *(job.digest for job in jobs)
            )
            rows = _run(jobs, store, log, known, at_once, args.cluster)
            print_headline(rows, known, out)
            if args.baseline:
                print_differences(rows, before, args.baseline, out)
            where = visible(str(args.out))
            text = f"written to {where}/: tables.md (by instance), report.html, gaps.csv, ..."
            out.print(text, markup=False, highlight=False)
    except StoreError as error:
        print_text(log, f"error: {error}")
        return FAILED
    return FAILED if unreadable or failed(rows) else DONE


def _asked_methods(args: argparse.Namespace, own: Sequence[Method]) -> list[str]:
    """Return the names of the methods to run; InputError if one is unknown."""
    default = [*_default_methods(), *(method.name for method in own)]
    methods = _names(args.methods, "--methods") if args.methods else default
    if args.objective:
        if "whole" not in methods:
            raise InputError("--objective", "", ", ".join(methods), "whole among the methods")
        methods = [OBJECTIVES[args.objective] if m == "whole" else m for m in methods]
    for name in methods:
        method_named(name)
    return methods


def _planned(args: argparse.Namespace) -> tuple[list[Planned], list[str]]:
    """Return the instances that the arguments stand for, and a line for each that is none."""
    encodings = _names(args.encodings, "--encodings") if args.encodings else []
    for code in encodings:
        if code not in ENCODERS:
            raise InputError("--encodings", "", repr(code), "some of " + ", ".join(ENCODERS))
    platforms, points = asked_for(args.platforms, args.grid)
    networks = Source(
        platform=args.platform or (platforms[0] if platforms else None),
        spikes=args.spikes,
        tokens=args.tokens,
        reading=reading_of(args).to_text(),
        allow_outside=args.allow_outside,
        constraints=args.constraints,
    )
    sources = on_platforms(sources_of(args.paths, networks, args.all), platforms, points)
    return planned(sources, encodings)


def _by_promise(
    jobs: list[Job], plans: list[Planned], folders: Sequence[str], seed: int
) -> list[Job]:
    from optmap.experiment.prediction.hopes import stored_rows  # loads the judge
    from optmap.experiment.prediction.promise import by_promise

    return by_promise(jobs, plans, stored_rows(folders), seed)


def _default_methods() -> list[str]:
    return [name for name, method in METHODS.items() if method.by_default]


def _names(text: str, option: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise InputError(option, "", repr(text), "a comma-separated list")
    return list(dict.fromkeys(names))


def _whole(text: str, option: str) -> int:
    if not text.isdecimal():
        raise InputError(option, "", repr(text), "whole numbers >= 0")
    return int(text)


def _run(
    jobs: list[Job],
    store: Store,
    log: Console,
    known: BestKnown,
    parallel: int,
    cluster: str | None,
) -> list[Row]:
    """Run what is missing, write the derived files, return the rows they show.

    Those are the rows that were asked for and those of earlier calls that compare with them.
    """
    keys = [job.key() for job in jobs]
    missing = [job for job, key in zip(jobs, keys, strict=True) if key not in store.rows]
    for line in plan_lines(missing, len(jobs) - len(missing), parallel):
        print_text(log, line)
    made_on, known_text = environment() | plan_of(jobs), dumps(known.to_json()) + "\n"
    if not missing and store.is_sealed({BEST_KNOWN: known_text}) and _is_same_call(store, made_on):
        return _shown(store, keys)  # every table stands as it would be written
    store.write(ENVIRONMENT, json.dumps(made_on, indent=1) + "\n")
    store.write(BEST_KNOWN, known_text)
    kind = LiveProgress if log.is_terminal else PlainProgress
    try:
        with kind(log, len(missing)) as watcher:
            if cluster:
                sweep_on_cluster(missing, store, watcher, cluster)
            else:
                with Children() as children:
                    sweep(missing, store, watcher, parallel=parallel, runner=children.run)
    finally:
        rows = _shown(store, keys)
        write_tables(store, rows, known)
    return rows


def _is_same_call(store: Store, made_on: dict[str, Any]) -> bool:
    """Tell whether the stored environment is this one, but for when and how it was called."""
    before: object = json.loads((store.folder / ENVIRONMENT).read_text(encoding="utf-8"))
    if not isinstance(before, dict):
        return False
    of_a_call = {"started": "", "arguments": ""}
    now: dict[str, Any] = json.loads(json.dumps(made_on | of_a_call))
    return bool(before | of_a_call == now)


def _shown(store: Store, keys: Sequence[str]) -> list[Row]:
    """Return the rows of ``keys``, then those of earlier calls that compare with them."""
    typed = {row.key: row for row in store.typed()}
    asked = [typed[key] for key in dict.fromkeys(keys) if key in typed]
    mine = {row.key for row in asked}
    return [
        *asked,
        *(row for row in comparable(asked, list(typed.values())) if row.key not in mine),
    ]


def print_headline(rows: Sequence[Row], known: BestKnown, console: Console) -> None:
    """Print what failed, the headline by method, what each decision brings, a summary."""
    lines = [f"{r.instance} / {r.method}: {r.reason or r.status}" for r in failed(rows)]
    lines += ["", *headline_text(rows, known, console.width), ""]
    lines += [*decisions_text(rows, known), "", *improvements_text(rows, known)]
    lines.append(summary_line(rows))
    for line in lines:
        print_text(console, line)


def _earlier_rows(baseline: str) -> list[Row]:
    before = Store(Path(baseline))
    if not before.read():
        raise InputError(baseline, "", "no finished row", "the folder of an earlier run")
    return before.typed()


def print_differences(
    now: Sequence[Row], before: Sequence[Row], baseline: str, console: Console
) -> None:
    """Print what changed against an earlier run, and which changes are significant."""
    rows = lines_of(differences(all_gaps(now), all_gaps(before)))
    title = f"against {baseline} ({TEST})"
    console.print(number_table(title, TITLES, rows, console.width), markup=False, highlight=False)


class _Command(ModuleType):
    """A module that, called, is the function ``optmap.compare``, whose name it has."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run :func:`optmap.api.compare`."""
        from optmap.api import compare

        return compare(*args, **kwargs)


sys.modules[__name__].__class__ = _Command

if __name__ == "__main__":
    sys.exit(guarded(main))
