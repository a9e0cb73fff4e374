"""``python -m optmap.export INSTANCE``: a problem as a file for another solver."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.table import Table

from optmap.command_line import CONSTRAINTS_HELP, DONE, file_name, guarded, parser
from optmap.compiled import interpreted
from optmap.errors import CapacityError, InputError
from optmap.experiment.run.in_process import SMALL
from optmap.experiment.tables.best_known import read_folder
from optmap.flow import run
from optmap.instance import Instance, load
from optmap.methods import METHODS, method_named
from optmap.model.capacity import shares_memory
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits
from optmap.output import Output
from optmap.readers.constraints import load_constraints
from optmap.shipped import best_known_folder, instance_file
from optmap.stages.constrain import limited

#: What ``--formulation`` and ``--as`` take; the formulations themselves load a solver.
FORMULATIONS = ("clustering", "traffic", "tile-load", "spike-hops", "order", "joint", "whole")
FORMATS = ("lp", "mps", "opb", "cpsat")
#: The metric that a formulation minimises, as the best-known list calls it; "" for tile loads.
METRIC_OF = dict(
    zip(FORMULATIONS, ("clusters", "traffic", "", "spike_hops", *["period"] * 3), strict=True)
)
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
    made.add_argument("--out", metavar="FILE", help="where to write (standard output)")
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
    mapping = _start(instance, args.method, args.seed)
    # models see what the demands leave of the crossbars, as every method does
    instance = replace(instance, platform=limited(instance.platform, instance.constraints))
    if args.sizes:
        _print_sizes(mapping, instance)
        return DONE
    from formulations.export import FORMATS as KINDS
    from formulations.export import FORMULATIONS as BUILDERS
    from formulations.export import text_of

    milp = KINDS[args.form] == "milp"
    problem = BUILDERS[args.formulation](instance, mapping, milp)
    head = [
        f"optmap: {args.formulation} of instance {instance.name}, digest {instance.digest()[:12]}",
        f"given and start: method {args.method}, seed {args.seed}",
        *_best_known(instance, METRIC_OF[args.formulation]),
    ]
    text = text_of(problem, args.form, head)
    if args.out is None:
        sys.stdout.write(text)
        return DONE
    try:
        Path(args.out).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(args.out, "", error.strerror or "unwritable", "a file to write") from None
    return DONE


def _best_known(instance: Instance, metric: str) -> Iterator[str]:
    """Yield what the best-known list says of all mappings, whatever the start decides upstream."""
    entry = read_folder(best_known_folder()).entries.get(instance.digest())
    record = None if entry is None else entry.records.get(metric)
    if record is None or record.value is None:
        return
    low = "no bound" if record.bound is None else f"proved for every mapping: {record.bound.value}"
    yield f"best known {metric}: {record.value} ({record.method}, {record.date}); {low}"


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
