"""tables.tex: the result tables for a paper (booktabs), one per instance and the headline."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from optmap.experiment.tables.aggregate import headline
from optmap.experiment.tables.gaps import FORMULA, METRICS, Row, all_gaps
from optmap.experiment.tables.markdown import (
    HEADERS,
    NOTES,
    RIGHT,
    grouped,
    instance_lines,
    instance_title,
)

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


def tables_latex(rows: Sequence[Row]) -> str:
    r"""Return a file to \input; its head says which package it needs."""
    gaps = all_gaps(rows)
    parts = ["% Written by optmap; needs \\usepackage{booktabs}."]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    groups = grouped(rows)
    heads = {(h.method, h.metric): h for h in headline(gaps, methods, len(groups))}
    lines = []
    for method in methods:
        cells = [method]
        for metric in METRICS:
            h = heads[method, metric]
            if h.mean is None or h.worst is None:
                cells.append("-")
            else:
                cells.append(f"{_percent(h.mean)} ({_percent(h.worst)}) {h.proved}/{h.counted}")
        lines.append(tuple(cells))
    caption = f"Mean (worst) gap to the proven bound and number proved. {FORMULA}."
    parts.append(_table(("method", *METRICS), lines, caption, "l" + "r" * len(METRICS)))
    spec = "".join("r" if i in RIGHT else "l" for i in range(len(HEADERS)))
    for group in groups:
        described = next((row for row in group if row.get("network")), group[0])
        own = [g for g in gaps if g.instance == group[0]["instance"]]
        parts.append(_table(HEADERS, instance_lines(group, own), instance_title(described), spec))
    parts += [f"% {note}" for note in NOTES]
    return "\n".join(parts) + "\n"


def _percent(value: Fraction) -> str:
    return f"{float(value) * 100:.1f}%"


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
