"""Buffers in tokens: what space each program's mapping needs, and what period less of it costs.

Of mappings as they stand in the run, binding and orders kept; the front of period and space is that
of the SDF kernel, exact, the least space for the mapping's own period CP-SAT's, within the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from optmap.experiment.reproduction.programs import Program
from optmap.experiment.reproduction.results import Results, Shown, Table, number
from optmap.experiment.reproduction.svg import Picture
from optmap.experiment.run.mapping_file import read_document
from optmap.model.outcome import Limits
from optmap.trade_offs import BufferTradeOff, buffer_trade_off

#: Whose mappings are looked at: the published flow's and ours.
METHODS = ("song2020", "overlap-spikes")
#: Mappings in which more pairs of clusters talk are named, not solved.
MOST_CHANNELS = 650


def tokens(
    programs: Sequence[Program],
    found: Results,
    run: Path,
    limits: Limits,
    say: Callable[[str], None] = lambda _: None,
) -> Shown:
    """Return the figure: tokens of every mapping as it is, at least, and the fronts."""
    lines: list[list[str]] = []
    fronts: list[list[str]] = []
    fewer: dict[str, list[float]] = {method: [] for method in METHODS}
    series: dict[str, list[float | None]] = {}
    for program in programs:
        for method in METHODS:
            row = found.row(program.name, method)
            if row is None:
                continue
            name, channels = f"{program.name}, {method}", found.channels.get(row.key, 0)
            if not 0 < channels <= MOST_CHANNELS:
                why = "no channel" if not channels else "not tried"
                lines.append([name, number(channels), "-", "-", "-", "-", why])
                continue
            instance = program.on({}).instance
            mapping = read_document(run / "mappings" / f"{row.key}.json", instance)[2]
            bought = buffer_trade_off(mapping, instance.platform, instance.tokens, limits)
            say(f"tokens: {name}")
            points = [(p.total, float(p.period)) for p in bought.front.points]
            own = float(row.value("period") or 0)
            enough = next((total for total, period in points if period <= own), None)
            lines.append(_line(name, channels, bought, enough))
            fronts += [[name, number(total), number(period)] for total, period in points]
            least = bought.least if enough is None else enough
            if least is not None:
                fewer[method].append(1 - least / bought.given)
            if len(points) > 1:
                series[name] = _fastest(points, bought.given)
    header = ["mapping", "channels", "tokens", "fewest", "fewer, %", "points", "proved"]
    tables = [
        Table("Tokens that keep the mapping's own period", header, lines),
        Table("Fronts: no fewer tokens are as fast", ["mapping", "tokens", "period"], fronts),
    ]
    labels = [f"{share} %" for share in SHARES]
    picture = Picture(
        "Period over buffer space, of the shortest",
        "tokens, of those that two windows a channel take",
        "period / shortest period",
        labels,
        series,
    )
    means = "; ".join(
        f"{method} {100 * sum(v) / len(v):.0f} % fewer on average ({len(v)} mappings)"
        for method, v in fewer.items()
        if v
    )
    verdict = (
        "Windows, one number for all channels, move next to no period. Tokens do: the same period"
        f" needs, of double buffering, {means or 'nothing solved'}; claimed are 10 % of another"
        " flow's buffers. Each front is proved where the table says so."
    )
    return Shown(tables, {"": picture}, verdict)


#: Shares of the space of double buffering at which the picture shows the shortest period.
SHARES = (40, 45, 50, 55, 60, 70, 80, 100)


def _fastest(points: Sequence[tuple[int, float]], given: int) -> list[float | None]:
    """Return the shortest period within each share of the space, relative to the shortest."""
    best = min(period for _, period in points)
    return [
        min((p / best for total, p in points if 100 * total <= share * given), default=None)
        for share in SHARES
    ]


def _line(name: str, channels: int, bought: BufferTradeOff, enough: int | None) -> list[str]:
    """Return a mapping's line; ``enough``: what the front, by rising space, proves to be least."""
    least = bought.least if enough is None else enough
    known = enough is not None or (least is not None and least == bought.bound)
    proved = "yes" if known else f">= {number(bought.bound)}"
    saved = "-" if least is None else f"{100 * (1 - least / bought.given):.1f}"
    points = f"{len(bought.front.points)}{'' if bought.front.complete else ', open'}"
    return [name, number(channels), number(bought.given), number(least), saved, points, proved]
