"""What a reproduction found: rows by program, method, change of the platform; means of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import Any

from optmap.experiment.reproduction.svg import Picture
from optmap.experiment.row import Row
from optmap.experiment.tables.gaps import all_gaps
from optmap.experiment.tables.markdown import table
from optmap.experiment.tables.metrics import METRICS

#: What is changed of the base platform, in the order of the axes.
Changes = tuple[tuple[str, int], ...]
AT_BASE: Changes = ()

NAMED = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a figure, as Markdown and CSV show it."""

    title: str
    header: Sequence[str]
    lines: Sequence[Sequence[str]]

    def markdown(self) -> list[str]:
        """Return its lines on a page."""
        return [f"**{self.title}**", "", *table(self.header, self.lines), ""]


@dataclass(frozen=True)
class Shown:
    """What a figure shows: tables, pictures by the end of their file's name, a verdict in words."""

    tables: Sequence[Table]
    pictures: Mapping[str, Picture]
    verdict: str


@dataclass(frozen=True)
class Results:
    """Rows by (program, method, changes).

    Parameters
    ----------
    rows : mapping
        Only what was run; a row without a mapping counts as none.
    channels : mapping
        Key of a row -> how many pairs of clusters talk.
    """

    programs: Sequence[str]
    rows: Mapping[tuple[str, str, Changes], Row]
    channels: Mapping[str, int] = field(default_factory=dict)

    def row(self, program: str, method: str, changes: Changes = AT_BASE) -> Row | None:
        """Return the row with a checked mapping; None without one."""
        found = self.rows.get((program, method, changes))
        return found if found is not None and found.check == "ok" else None

    def value(
        self, program: str, method: str, metric: str, changes: Changes = AT_BASE
    ) -> float | None:
        """Return a metric of the tables, or a column of the judge; None without a mapping."""
        row = self.row(program, method, changes)
        if row is None:
            return None
        if metric == "connections":
            return self.channels.get(row.key)
        value = NAMED[metric].value(row) if metric in NAMED else row.value(metric)
        return None if value is None else float(value)

    def bound(self, program: str, metric: str, changes: Changes = AT_BASE) -> float | None:
        """Return what is proved of every mapping of the program on the platform."""
        here = [r for (p, _, c), r in self.rows.items() if (p, c) == (program, changes)]
        known = [g.bound for g in all_gaps(here) if g.metric == metric and g.bound is not None]
        return float(known[0].value) if known else None

    def ratios(
        self, method: str, reference: str, metric: str, changes: Changes = AT_BASE
    ) -> list[float]:
        """Return value / value of the reference, over the programs that both map."""
        found = []
        for program in self.programs:
            own = self.value(program, method, metric, changes)
            other = self.value(program, reference, metric, changes)
            if own and other:
                found.append(own / other)
        return found


def geometric(values: Iterable[float]) -> float | None:
    """Return the geometric mean; None of nothing.

    Examples
    --------
    >>> geometric([2.0, 8.0]), geometric([])
    (4.0, None)
    """
    logs = [log(v) for v in values]
    return exp(sum(logs) / len(logs)) if logs else None


def number(value: Any, form: str = ".4g") -> str:
    """Return a number as the tables show it, "-" for None."""
    if value is None:
        return "-"
    if float(value) == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    if abs(value) >= 1e3:
        return f"{value:,.1f}" if abs(value) < 1e9 else f"{value:.3e}"
    return format(value, form)


def better(ratios: Sequence[float]) -> str:
    """Return "on n of m" for ratios below 1."""
    return f"on {sum(r < 1 for r in ratios)} of {len(ratios)}"
