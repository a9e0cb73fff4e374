"""``python -m optmap.export INSTANCE``: a problem as a file for another solver."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from optmap.bounds.bound import best
from optmap.command_line import CONSTRAINTS_HELP, DONE, file_name, guarded, parser
from optmap.compiled import interpreted
from optmap.errors import CapacityError, InputError
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.in_process import SMALL
from optmap.experiment.run.mapping_file import document
from optmap.experiment.run.source import Source
from optmap.experiment.tables.best_known import read_folder
from optmap.flow import run
from optmap.instance import Instance, load
from optmap.judge.case import Case
from optmap.methods import METHODS, method_named
from optmap.model.capacity import shares_memory
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits
from optmap.model.scope import END_TO_END
from optmap.output import Output, print_text
from optmap.readers.constraints import load_constraints
from optmap.readers.solution_file import read_values
from optmap.shipped import best_known_folder, instance_file
from optmap.stages.complete import complete
from optmap.stages.constrain import limited
from optmap.stages.course import Course

if TYPE_CHECKING:
    from formulations.export import Problem

#: What ``--formulation`` and ``--as`` take; the formulations themselves load a solver.
FORMULATIONS = ("clustering", "traffic", "tile-load", "spike-hops", "order", "joint", "whole")
FORMATS = ("lp", "mps", "opb", "cpsat")
#: The metric that a formulation minimises, as the best-known list calls it; "" for tile loads.
METRIC_OF = dict(
    zip(FORMULATIONS, ("clusters", "traffic", "", "spike_hops", *["period"] * 3), strict=True)
)
#: What is said of a solution that comes back: columns of the judge's row.
SAID = ("clusters", "traffic", "tile_load_max", "spike_hops", "period")
#: Those whose models take users' constraints; an order keeps what its binding keeps.
WITH_CONSTRAINTS = ("clustering", "traffic", "tile-load", "spike-hops", "order")


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of ``export``."""
    made = parser(
        "export",
        "Write a problem for another solver, rows named by their label, a start in comments.",
        "python -m optmap.export filter_8 --formulation traffic --as lp --out filter_8.lp",
    )
    made.add_argument("instance", metavar="INSTANCE", help="an instance file, or a shipped name")
    made.add_argument("--formulation", default="clustering", choices=FORMULATIONS)
    made.add_argument("--as", dest="form", default="lp", choices=FORMATS)
    heuristics = ", ".join(name for name, method in METHODS.items() if not method.uses_solver)
    made.add_argument(
        "--method",
        default="overlap",
        help="whose mapping fixes what stands before the problem, and is the start (overlap);"
        f" one of {heuristics}",
    )
    made.add_argument("--constraints", type=file_name, metavar="FILE", help=CONSTRAINTS_HELP)
    made.add_argument("--seed", type=int, default=0, metavar="N", help="its seed (0)")
    made.add_argument(
        "--start",
        type=file_name,
        metavar="FILE",
        help="write the start, too, as a solution file in the form of HiGHS",
    )
    made.add_argument(
        "--solution",
        type=file_name,
        metavar="FILE",
        help="the way back: the file in which a solver wrote its solution of this problem (same"
        " --formulation, --as, --method and --seed); --out is then the mapping, judged",
    )
    made.add_argument(
        "--out", type=file_name, metavar="FILE", help="where to write (standard output)"
    )
    made.add_argument("--sizes", action="store_true", help="print how large each problem is")
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)
    method = method_named(args.method)
    if method.uses_solver:
        raise InputError("--method", "", args.method, "a heuristic: the start costs no solver")
    instance = load(instance_file(args.instance))
    if args.constraints is not None:
        instance = replace(instance, constraints=load_constraints(args.constraints))
    kinds = set(instance.constraints.kinds) - {"max_neurons"}
    if kinds and args.formulation not in WITH_CONSTRAINTS:
        found = f"{args.formulation} with constraints {', '.join(sorted(kinds))}"
        raise InputError("--formulation", "", found, "one of " + ", ".join(WITH_CONSTRAINTS))
    if shares_memory(instance.platform) and args.formulation in ("joint", "whole"):
        found = f"{args.formulation} of a platform whose programs stay resident"
        raise InputError("--formulation", "", found, "one of " + ", ".join(WITH_CONSTRAINTS))
    if method.runs_alone and instance.snn.num_synapses <= SMALL:
        with interpreted():  # the kernels' code would take longer to compile than it saves
            return _written(args, instance)
    return _written(args, instance)


def _written(args: argparse.Namespace, instance: Instance) -> int:
    demanded = instance
    mapping = _start(instance, args.method, args.seed)
    # models see what the demands leave of the crossbars, as every method does
    instance = replace(instance, platform=limited(instance.platform, instance.constraints))
    if args.sizes:
        _print_sizes(mapping, instance)
        return DONE
    from formulations.export import FORMATS as KINDS
    from formulations.export import FORMULATIONS as BUILDERS
    from formulations.export import lines_of, start_text

    milp = KINDS[args.form] == "milp"
    problem = BUILDERS[args.formulation](instance, mapping, milp)
    if args.solution is not None:
        return _take_solution(args, demanded, mapping, problem)
    head = [
        f"optmap: {args.formulation} of instance {instance.name}, digest {instance.digest()[:12]}",
        f"given and start: method {args.method}, seed {args.seed}",
        *_best_known(instance, mapping, METRIC_OF[args.formulation]),
    ]
    _write(args.out, lines_of(problem, args.form, head))
    if args.start is not None:
        _write(args.start, [start_text(problem)])
    return DONE


def _write(out: str | None, lines: Iterable[str]) -> None:
    """Write to a file, or to standard output, as the lines are made."""
    if out is None:
        sys.stdout.writelines(lines)
        return
    try:
        with Path(out).open("w", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError as error:
        raise InputError(out, "", error.strerror or "unwritable", "a file to write") from None


def _take_solution(
    args: argparse.Namespace, instance: Instance, given: Mapping, problem: Problem
) -> int:
    """Judge what a solver's file decides, complete, and write it as a mapping."""
    from formulations.export import decided_by

    method, file = method_named(args.method), str(args.solution)
    platform = limited(instance.platform, instance.constraints)
    limits, constraints = Limits(seed=args.seed), instance.constraints
    course = Course(platform, instance.tokens, limits, lambda _: None, [], constraints)
    values = read_values(Path(file), problem.names)
    try:
        mapping = complete(course, method, given, decided_by(problem, values))
    except ValueError as error:
        raise InputError(file, "", str(error), "a solution of this problem") from None
    case = Case(instance.snn, instance.platform, instance.tokens, mapping, constraints)
    if case.evaluation is None:
        text = "; ".join(map(str, case.violations[:3]))
        raise InputError(file, "mapping", text, "a mapping that breaks no rule")
    out = None if args.out is None else Path(args.out)
    source = Source(file=args.instance, constraints=args.constraints)
    if out is not None:
        source = source.relative_to(out.parent)
    name = f"{args.formulation} by another solver"
    made = document(mapping, instance.name, source, instance.digest(), name)
    _write(args.out, [dumps(made), "\n"])
    judged = case.evaluation.row()
    said = ", ".join(f"{name} {judged[name]}" for name in SAID)
    console = Console(stderr=True) if out is None else Output()  # beside, not in, the mapping
    print_text(
        console,
        f"{problem.about}, start {problem.value}; judged: {said}",
    )
    return DONE


def _best_known(instance: Instance, mapping: Mapping, metric: str) -> Iterator[str]:
    """Yield what is known of all mappings, whatever the start decides upstream.

    The value and bound of the best-known list; of a problem without an entry the best bound that
    needs no solver.
    """
    entry = read_folder(best_known_folder()).entries.get(instance.digest())
    record = None if entry is None else entry.records.get(metric)
    low = None if record is None else record.bound
    if low is None and metric:
        case = Case(instance.snn, instance.platform, instance.tokens, mapping, instance.constraints)
        low = best(b for b in case.bounds if b.metric == metric and b.scope == END_TO_END)
    said = "no bound" if low is None else f"proved for every mapping: {low.value} ({low.name})"
    if record is not None and record.value is not None:
        yield f"best known {metric}: {record.value} ({record.method}, {record.date}); {said}"
    elif low is not None:
        yield f"{metric}: {said}"


def _start(instance: Instance, method: str, seed: int) -> Mapping:
    """Return a heuristic's mapping; CapacityError where it finds none."""
    limits = Limits(seed=seed)
    platform, tokens = instance.platform, instance.tokens
    made = run(
        method_named(method),
        instance.snn,
        platform,
        tokens,
        limits,
        lambda _: None,
        constraints=instance.constraints,
    )
    if made.mapping is None:
        raise CapacityError(f"{method} maps nothing of {instance.name}: {made.reason}")
    return made.mapping


def _print_sizes(mapping: Mapping, instance: Instance) -> None:
    """Print variables and rows of every formulation, as each kind of model."""
    from formulations.export import FORMULATIONS as BUILDERS

    table = Table(box=None, pad_edge=False, title=f"{instance.name}: sizes", title_justify="left")
    for name in ("formulation", "model", "variables", "rows", "rows by label"):
        table.add_column(name, justify="right" if name in ("variables", "rows") else "left")
    names = WITH_CONSTRAINTS if instance.constraints else tuple(BUILDERS)
    for name in names:
        build = BUILDERS[name]
        for kind in ("milp", "cpsat"):
            try:
                problem = build(instance, mapping, kind == "milp")
            except ValueError as error:
                table.add_row(name, kind, "-", "-", str(error))
                continue
            table.add_row(name, kind, *_counts(problem))
    Output().print(table, highlight=False)


def _counts(problem: Any) -> tuple[str, str, str]:
    by_label = " ".join(f"({label}) {n}" for label, n in sorted(problem.rows.items()))
    return f"{problem.num_variables:,}", f"{problem.num_rows:,}", by_label


if __name__ == "__main__":
    sys.exit(guarded(main))
