"""tables.tex: the result tables for a paper (booktabs), one per instance and the headline."""

from __future__ import annotations

from collections.abc import Sequence

from optmap.experiment.row import Row
from optmap.experiment.tables.best_known import NOTHING, BestKnown
from optmap.experiment.tables.gaps import FORMULA, all_gaps
from optmap.experiment.tables.headline import headline_lines, proofs
from optmap.experiment.tables.markdown import (
    HEADERS,
    NOTES,
    RIGHT,
    described,
    grouped,
    instance_lines,
)
from optmap.experiment.tables.metrics import GAPPED
from optmap.experiment.tables.text import percent
from optmap.experiment.tables.title import instance_title

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}


def escape(text: str) -> str:
    r"""Return text that LaTeX prints as it stands.

    Examples
    --------
    >>> print(escape("50% & a_b"))
    50\% \& a\_b
    """
    return "".join(_ESCAPES.get(c, c) for c in text)


def tables_latex(rows: Sequence[Row], known: BestKnown = NOTHING) -> str:
    r"""Return a file to \input; its head says which package it needs."""
    gaps = all_gaps(rows, known)
    parts = ["% Written by optmap; needs \\usepackage{booktabs}."]
    lines = []
    for method, (heads, _) in headline_lines(rows, gaps).items():
        cells = [method]
        for h in heads.values():
            shown = "-" if h.mean is None else percent(h.mean)
            far = "-" if h.distance is None else percent(h.distance)
            cells.append(f"{shown} / {far} {proofs(h.proved)}".rstrip())
        lines.append(tuple(cells))
    caption = (
        "Mean end-to-end gap / mean distance to the best known value, and on how many instances"
        f" optimality is proved. {FORMULA}."
    )
    names = tuple(metric.label for metric in GAPPED)
    parts.append(_table(("method", *names), lines, caption, "l" + "r" * len(names)))
    spec = "".join("r" if i in RIGHT else "l" for i in range(len(HEADERS)))
    for group in grouped(rows):
        own = [g for g in gaps if g.instance == group[0].instance]
        title = instance_title(described(group))
        parts.append(_table(HEADERS, instance_lines(group, own), title, spec))
    parts += [f"% {note}" for note in NOTES]
    return "\n".join(parts) + "\n"


def _table(headers: Sequence[str], lines: Sequence[Sequence[str]], caption: str, spec: str) -> str:
    def line(cells: Sequence[str]) -> str:
        return " & ".join(map(escape, cells)) + r" \\"

    body = [line(cells) for cells in lines]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
            rf"\caption{{{escape(caption)}}}",
            rf"\begin{{tabular}}{{{spec}}}",
            r"\toprule",
            line(headers),
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )
