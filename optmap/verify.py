"""``python -m optmap.verify results/RUN``: check every mapping, claim and certificate again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from optmap.command_line import DONE, FAILED, Output, guarded, parser
from optmap.exact import prove_again
from optmap.experiment.verify_run import verify_run
from optmap.instance import Instance
from optmap.model.certificate import from_dict
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of ``verify``."""
    made = parser(
        "verify",
        "Check a finished run again, trusting none of it: mappings, metrics, claims, certificates.",
        "python -m optmap.verify results/latest",
    )
    made.add_argument("run", metavar="RUN", help="the folder that compare wrote")
    made.add_argument(
        "--limit", type=float, default=120.0, metavar="S", help="seconds per certificate (120)"
    )
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)
    limits = Limits(wall_s=args.limit)
    log = Console(stderr=True)

    def prove(certificate: dict[str, Any], mapping: Mapping, instance: Instance) -> str | None:
        made = from_dict(certificate)
        verdict = prove_again(made, mapping.decomposition, instance.platform, limits)
        return None if verdict.holds else f"not proved again: {verdict.why}"

    def heard(name: str) -> None:
        if args.verbose:
            log.print(name, markup=False, highlight=False)

    verdict = verify_run(Path(args.run), prove, heard)
    out = Output()
    for problem in verdict.problems:
        out.print(f"wrong: {problem}", markup=False, highlight=False, soft_wrap=True)
    out.print(
        f"{verdict.rows} rows: {verdict.mappings} mappings judged again, {verdict.claims} claims"
        f" and {verdict.bounds} bounds compared, {verdict.certificates} certificates proved again,"
        f" {verdict.by_solver_only} bounds vouched for by a solver alone;"
        f" {len(verdict.problems)} problems",
        markup=False,
        highlight=False,
    )
    return FAILED if verdict.problems else DONE


if __name__ == "__main__":
    sys.exit(guarded(main))
