"""Put a run's tables where people read them: ``python -m optmap.experiment.tables.publish RUN``.

README.md shows the first part of the run's headline.md between two marks, docs/results.md the
whole of it and what each decision brings. A test compares them; nobody edits them by hand.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from optmap.command_line import DONE, guarded, parser
from optmap.errors import InputError
from optmap.experiment.row import Row
from optmap.experiment.run.store import Store
from optmap.experiment.tables.best_known import BestKnown, read_copy
from optmap.experiment.tables.decisions import decisions
from optmap.experiment.tables.derived import BEST_KNOWN
from optmap.experiment.tables.headline import README_END
from optmap.experiment.tables.markdown import NOTES, decisions_line
from optmap.experiment.tables.metrics import METRICS

BEGIN, END = "<!-- headline: begin -->\n", "<!-- headline: end -->"
README, RESULTS, HEADLINE = Path("README.md"), Path("docs/results.md"), "headline.md"


def readme_part(headline: str) -> str:
    """Return what README.md shows: which decision brings what, and the best of every group."""
    return headline.split(README_END)[0].strip() + "\n"


def _limits(rows: Sequence[Row]) -> str:
    """Say how long the rows were allowed to take."""
    work = sorted({row.work for row in rows if row.work is not None})
    if work:
        counts = ", ".join(map(str, work))
        return f"{counts} units of counted work (one repeats on any machine, in about a second)"
    limits = sorted({row.limit_s for row in rows if row.limit_s is not None})
    return f"{', '.join(f'{limit:g}' for limit in limits)} s"


def results_page(rows: Sequence[Row], known: BestKnown, headline: str) -> str:
    """Return docs/results.md: the run's headline, and its decisions in full."""
    methods, instances = {row.method for row in rows}, {row.instance for row in rows}
    parts = [
        "# Results of the reference run",
        "",
        f"{len(instances)} instances, {len(methods)} methods, {len(rows)} rows of at most"
        f" {_limits(rows)} each. All of it is in"
        " `results/reference/`; `python -m optmap.verify results/reference` checks it. This page is"
        " written by `python -m optmap.experiment.tables.publish results/reference`.",
        "",
        headline.strip(),
        "",
        "## From the published flow to the best mapping, instance by instance",
        "",
        "Each step frees one more decision and takes the best row that changes nothing else; in"
        " brackets the method that reached it.",
        "",
        *(f"- {d.instance}: {decisions_line(d)}" for d in decisions(rows, known)),
        "",
        "## What is measured",
        "",
        *(f"- *{m.title}*: {m.about}" + ("." if m.gap else "; no gap.") for m in METRICS),
        "",
        "## How to read the numbers",
        "",
        *(f"- {note}" for note in NOTES),
    ]
    return "\n".join(parts) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    made = parser(
        "experiment.tables.publish",
        "Write a run's headline into README.md and docs/results.md of this folder.",
        "python -m optmap.experiment.tables.publish results/reference",
    )
    made.add_argument("run", metavar="RUN", help="the folder that compare wrote")
    folder = Path(made.parse_args(arguments).run)
    store = Store(folder)
    store.read()
    if not store.rows:
        raise InputError(str(folder), "", "no finished row", "the folder of a run")
    with (folder / "runs.csv").open(encoding="utf-8", newline="") as table:
        keys = [row["key"] for row in csv.DictReader(table)]  # in the order of the run's tables
    rows, known = store.typed(keys), read_copy(folder / BEST_KNOWN)
    headline = (folder / HEADLINE).read_text(encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise InputError(str(README), "", "no marks", f"{BEGIN.strip()} and {END}")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    README.write_text(before + BEGIN + readme_part(headline) + END + after, encoding="utf-8")
    RESULTS.write_text(results_page(rows, known, headline), encoding="utf-8")
    return DONE


if __name__ == "__main__":
    sys.exit(guarded(main))
