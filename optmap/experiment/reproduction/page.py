"""The files of a reproduction: a figure's tables as Markdown and CSV, its pictures, the page."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from optmap.experiment.reproduction.programs import BASE, PLATFORM, Program
from optmap.experiment.reproduction.results import Shown

#: A table of more lines stands in its figure's own file only.
MOST_LINES = 30

#: What the page says before its figures.
HEAD = """\
# The publications' experiments

Written by `python -m optmap.reproduce` (`make reproduce`); one figure alone: `python -m
optmap.reproduce --figure {first}`. Each figure stands beside what the publication's abstract says
of it. Only abstracts were read: the evaluation sections, with their figures, could not be, so that
no number of theirs stands here that is not in an abstract, and "agrees" means no more than that.

The methods are this project's own implementations of the published flows
([docs/heuristics.md]({docs}heuristics.md) says where they depart), judged by one model
([docs/model.md]({docs}model.md)). Platform: `{platform}` with {base}; what a figure varies is said
there. Throughput is the inverse of the judge's exact period. "Proved" holds for every
decomposition of what exceeds a crossbar, every clustering, binding and order.

`spinemap-clusters` is SpiNeMap's placement of the greedy clustering with the fewest clusters
(min-clusters), `spinemap` that of the one with the fewest spikes (min-comm, by Kernighan-Lin). The
public code's own `min-comm`, which draws clusters at random, is not remade.
"""


def page(
    figures: Sequence[tuple[str, str, str, Shown]],
    programs: Sequence[Program],
    notes: Sequence[str],
    results: str,
    docs: str,
) -> str:
    """Return the page.

    Parameters
    ----------
    figures : sequence of (name, title, claim, Shown)
        In their order.
    notes : sequence of str
        What is to be said of the run.
    results, docs : str
        Where the pictures and the other pages lie, seen from the page; "" or with a slash at the
        end.
    """
    base = ", ".join(f"{name} {value}" for name, value in BASE.items())
    first = figures[0][0] if figures else "tiles"
    lines = [HEAD.format(first=first, platform=PLATFORM, base=base, docs=docs)]
    lines += ["| program | what it is |", "|---|---|"]
    lines += [f"| {p.name} | {p.shape} (`{p.network}`) |" for p in programs]
    lines += ["", *notes, ""]
    for name, title, claim, shown in figures:
        lines += [f"## {title}", "", f"*Published:* {claim}", "", f"*Here:* {shown.verdict}", ""]
        for end, picture in shown.pictures.items():
            lines += [f"![{picture.title}]({results}{name}{end}.svg)", ""]
        short = [table for table in shown.tables[:2] if len(table.lines) <= MOST_LINES]
        for table in short:
            lines += table.markdown()
        if len(shown.tables) > len(short):
            lines += [f"All {len(shown.tables)} tables: [{name}.md]({results}{name}.md).", ""]
    return "\n".join(lines).rstrip() + "\n"


def files(name: str, title: str, claim: str, shown: Shown) -> Iterator[tuple[str, str]]:
    """Yield the files of one figure: name and text."""
    lines = [f"# {title}", "", f"*Published:* {claim}", "", f"*Here:* {shown.verdict}", ""]
    for table in shown.tables:
        lines += table.markdown()
    yield f"{name}.md", "\n".join(lines).rstrip() + "\n"
    yield f"{name}.csv", _csv(shown)
    for end, picture in shown.pictures.items():
        yield f"{name}{end}.svg", picture.svg()


def _csv(shown: Shown) -> str:
    """Return every cell of every table as one line: table, row, column, value."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["table", "row", "column", "value"])
    for table in shown.tables:
        for line in table.lines:
            for column, value in list(zip(table.header, line, strict=True))[1:]:
                lines.writerow([table.title, line[0], column, value])
    return text.getvalue()
