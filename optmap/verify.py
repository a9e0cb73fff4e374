"""``python -m optmap.verify results/RUN``: check every mapping, claim and certificate again."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from optmap.command_line import DONE, FAILED, add_method_files, file_name, guarded, parser
from optmap.errors import visible
from optmap.experiment.run.environment import cores
from optmap.experiment.verification.kept import Kept, cache_folder, purpose
from optmap.experiment.verification.row import Checker
from optmap.experiment.verification.run import verify_run
from optmap.experiment.verification.second_proof import SECOND_SEED, Word
from optmap.experiment.verification.verdict import RowVerdict
from optmap.model.outcome import Limits
from optmap.output import Output, print_text
from optmap.shipped import best_known_folder

#: A line of progress at most so often, in seconds.
EVERY_S = 5.0


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of ``verify``."""
    made = parser(
        "verify",
        "Check a finished run again, trusting none of it: mappings, metrics, claims, bounds.",
        "python -m optmap.verify results/latest",
    )
    made.add_argument("run", type=file_name, metavar="RUN", help="the folder that compare wrote")
    made.add_argument(
        "--limit",
        type=float,
        default=20.0,
        metavar="S",
        help="seconds for proving one certificate or bound again (20)",
    )
    made.add_argument("--jobs", type=int, default=cores(), help="processes (all cores)")
    made.add_argument(
        "--not-again", action="store_true", help="do not run any method of the run again"
    )
    made.add_argument(
        "--resume",
        action="store_true",
        help="take over what an earlier call with the same code and limits found of rows that are"
        " still the same; it is kept in your cache folder, never in RUN",
    )
    add_method_files(made)
    made.add_argument(
        "--best-known",
        metavar="FOLDER",
        help="the list that the run may have started from (the one that comes with optmap)",
    )
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)
    limits = Limits(wall_s=args.limit, seed=SECOND_SEED)
    log, started, last = Console(stderr=True), time.monotonic(), time.monotonic()
    done = 0

    def on_row(found: RowVerdict, left: int) -> None:
        nonlocal last, done
        done += 1
        now = time.monotonic()
        if args.verbose:
            print_text(log, visible(found.name))
        if left and now - last >= EVERY_S:
            last = now
            seconds = (now - started) / done * left
            text = f"{done} rows checked, {left} to come, about {seconds:.0f} s"
            print_text(log, text)

    folder = Path(args.run)
    files = tuple(map(Path, args.method_file))
    known = Path(args.best_known or best_known_folder())
    again = not args.not_again
    lists = sorted(known.glob("*.json"))
    kept = Kept(cache_folder(), purpose(limits, again, (*files, *lists)), resume=args.resume)
    checker = Checker(folder, limits, again, method_files=files, best_known=known, kept=kept)
    verdict = verify_run(folder, checker, on_row, jobs=max(1, args.jobs))
    out = Output()
    for problem in verdict.problems:
        print_text(out, f"wrong: {visible(problem)}")
    for line in verdict.notes:
        print_text(out, f"not known: {visible(line)}")
    for line in verdict.open_bounds if args.verbose else ():
        print_text(out, f"open: {visible(line)}")
    proofs = verdict.proofs
    print_text(
        out,
        f"{verdict.rows} rows: {verdict.mappings} mappings judged again, {verdict.claims} claims"
        f" and {verdict.bounds} bounds compared, {verdict.certificates} certificates proved again;"
        f" of the bounds that stages claim {proofs[Word.PROVED_AT_ONCE.value]} proved in exact"
        f" arithmetic, {proofs[Word.PROVED.value]} by solving again,"
        f" {proofs[Word.OPEN.value]} rest on the solver's word; {_stars(verdict.stars)};"
        f" times, memory, courses, machine, libraries and call are as the run says, not checked;"
        f" {len(verdict.problems)} problems",
    )
    return FAILED if verdict.problems else DONE


def _stars(stars: Counter[str]) -> str:
    """Say on what the values rest that tables mark as proved optimal end to end."""
    parts = [f"{count} on {what}" for what, count in stars.items()]
    return f"{sum(stars.values())} stars end to end rest " + (", ".join(parts) or "on nothing")


if __name__ == "__main__":
    sys.exit(guarded(main))
