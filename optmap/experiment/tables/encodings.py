"""What the code of the inputs changes: accuracy, spikes, and the best period and energy in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from optmap.experiment.row import Row
from optmap.experiment.tables.text import compact


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One network in one code.

    Parameters
    ----------
    right, tested : int or None
        Samples answered rightly, of so many; None where the instance has no labels.
    spikes : int
        Spikes of one iteration, inputs included.
    period, energy_pj : Fraction or None
        The best of all rows in ticks and pJ, and the methods that reach them.
    """

    instance: str
    code: str
    right: int | None
    tested: int | None
    spikes: int
    period: Fraction | None
    period_by: str
    energy_pj: Fraction | None
    energy_by: str


def code_lines(rows: Sequence[Row]) -> list[CodeLine]:
    """Return a line for each network and code of a run, networks and codes as they come."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if "code" in row.network:
            base = row.instance.removesuffix(f"@{row.network['code']}")
            groups.setdefault((base, str(row.network["code"])), []).append(row)
    return [_line(name, code, found) for (name, code), found in groups.items()]


def _line(name: str, code: str, rows: Sequence[Row]) -> CodeLine:
    network = rows[0].network
    right, tested = (int(network[k]) if k in network else None for k in ("right", "tested"))
    period, energy = (_best(rows, metric) for metric in ("period", "energy_pj"))
    return CodeLine(name, code, right, tested, int(network.get("spikes", 0)), *period, *energy)


def _best(rows: Sequence[Row], metric: str) -> tuple[Fraction | None, str]:
    """Return the least value among the checked rows, and whose it is; the first of equals."""
    known = [(row.value(metric), row.method) for row in rows if row.check == "ok"]
    found = [(Fraction(value), method) for value, method in known if value is not None]
    return min(found, key=lambda pair: pair[0]) if found else (None, "")


def code_table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the table in Markdown; nothing where no row says its code."""
    lines = code_lines(rows)
    if not lines:
        return
    yield "## Codes of the inputs"
    yield ""
    yield "| instance | code | accuracy | spikes | period | by | energy, nJ | by |"
    yield "|---|---|---|---|---|---|---|---|"
    for line in lines:
        accuracy = "-"
        if line.right is not None and line.tested:
            accuracy = f"{100 * line.right / line.tested:.1f} % of {line.tested}"
        period = "-" if line.period is None else compact(line.period)
        energy = "-" if not line.energy_pj else compact(line.energy_pj / 1000)
        yield (
            f"| {line.instance} | {line.code} | {accuracy} | {line.spikes:,} | {period} |"
            f" {line.period_by} | {energy} | {line.energy_by} |"
        )
    yield ""
