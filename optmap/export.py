"""``python -m optmap.export INSTANCE``: a problem as a file for another solver."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from optmap.command_line import DONE, Output, guarded, parser
from optmap.errors import CapacityError, InputError
from optmap.flow import run
from optmap.instance import Instance, load
from optmap.methods import METHODS, method_named
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits
from optmap.shipped import instance_file

#: What ``--formulation`` and ``--as`` take; the formulations themselves load a solver.
FORMULATIONS = ("clustering", "traffic", "tile-load", "spike-hops", "order", "joint", "whole")
FORMATS = ("lp", "mps", "opb", "cpsat")


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
    if instance.constraints:
        found = f"constraints {', '.join(instance.constraints.kinds)}"
        raise InputError(args.instance, "", found, "none: models are written without them")
    mapping = _start(instance, args.method, args.seed)
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


def _start(instance: Instance, method: str, seed: int) -> Mapping:
    """Return a heuristic's mapping; CapacityError where it finds none."""
    limits = Limits(seed=seed)
    platform, tokens = instance.platform, instance.tokens
    made = run(method_named(method), instance.snn, platform, tokens, limits, lambda _: None)
    if made.mapping is None:
        raise CapacityError(f"{method} maps nothing of {instance.name}: {made.reason}")
    return made.mapping


def _print_sizes(mapping: Mapping, instance: Instance) -> None:
    """Print variables and rows of every formulation, as each kind of model."""
    from formulations.export import FORMULATIONS as BUILDERS

    table = Table(box=None, pad_edge=False, title=f"{instance.name}: sizes", title_justify="left")
    for name in ("formulation", "model", "variables", "rows", "rows by label"):
        table.add_column(name, justify="right" if name in ("variables", "rows") else "left")
    for name, build in BUILDERS.items():
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
