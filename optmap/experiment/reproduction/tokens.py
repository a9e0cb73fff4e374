"""Buffers in tokens: what space each program's mapping needs, and what period less of it costs.

Of mappings as they stand in the run, binding and orders kept. Every point is judged; both ends of
every front (the fewest tokens that run, the fewest of the shortest period) have a proved bound, and
a front that the limit ended says below which total its points are all there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from optmap.experiment.reproduction.programs import Program
from optmap.experiment.reproduction.results import Results, Shown, Table, number
from optmap.experiment.reproduction.svg import Picture
from optmap.experiment.run.mapping_file import read_document
from optmap.model.buffer_front import BufferPoint
from optmap.model.grade import Grade
from optmap.model.outcome import Limits
from optmap.trade_offs import BufferTradeOff, buffer_trade_off

#: Whose mappings are looked at: the published flow's and ours.
METHODS = ("song2020", "overlap-spikes")
#: A front's limit: so many times that of a row.
ROWS_LIMITS = 6


def tokens(
    programs: Sequence[Program],
    found: Results,
    run: Path,
    limits: Limits,
    say: Callable[[str], None] = lambda _: None,
) -> Shown:
    """Return the figure: tokens of every mapping as it is, at least, and the fronts."""
    longer = _times(limits, ROWS_LIMITS)
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
            if not channels:
                lines.append([name, "0", *["-"] * 6, "no channel"])
                continue
            instance = program.on({}).instance
            mapping = read_document(run / "mappings" / f"{row.key}.json", instance)[2]
            bought = buffer_trade_off(mapping, instance.platform, instance.tokens, longer)
            say(f"tokens: {name}")
            lines.append(_line(name, channels, bought))
            fronts += [_point(name, p) for p in bought.front.points]
            if bought.least is not None:
                fewer[method].append(1 - bought.least / bought.given)
            points = [(p.total, float(p.period)) for p in bought.front.points]
            if len(points) > 1:  # "overlap" for "overlap-spikes": the legend is narrow
                series[f"{program.name}, {method.partition('-')[0]}"] = _fastest(points)
    header = ["mapping", "channels", "tokens", "fewest that run", "their period"]
    header += ["fewest, own period", "fewer, %", "points", "proved"]
    tables = [
        Table("Tokens that keep the mapping's own period", header, lines),
        Table(
            "Fronts: no fewer tokens are as fast", ["mapping", "tokens", "period", "proved"], fronts
        ),
    ]
    means = "; ".join(
        f"{method} {100 * sum(v) / len(v):.0f} % fewer on average ({len(v)} mappings)"
        for method, v in fewer.items()
        if v
    )
    verdict = (
        "Windows, one number for all channels, move next to no period. Tokens do: the same period"
        f" needs, of double buffering, {means or 'nothing solved'}; claimed are 10 % of another"
        f" flow's buffers. Limit of a front: {_limit(longer)}; what it ended is in the table."
    )
    return Shown(tables, {"": picture(series)}, verdict)


#: Shares of the way between a front's ends at which the picture shows the shortest period.
SHARES = (0, 10, 25, 50, 75, 90, 100)


def picture(series: Mapping[str, Sequence[float | None]]) -> Picture:
    """Return the picture of fronts of more than one point, each from end to end."""
    return Picture(
        "Period over buffer space, from end to end of each front",
        "tokens, from the fewest that run (0 %) to those of the shortest period",
        "period / shortest period",
        [f"{share} %" for share in SHARES],
        dict(series),
    )


def _fastest(points: Sequence[tuple[int, float]]) -> list[float | None]:
    """Return the shortest period within each share of the way, relative to the shortest."""
    (fewest, _), (most, best) = points[0], points[-1]
    return [
        min(p / best for total, p in points if 100 * (total - fewest) <= share * (most - fewest))
        for share in SHARES
    ]


def _times(limits: Limits, times: int) -> Limits:
    """Return limits of so many times the seconds, and the work where that is counted."""
    work = None if limits.work is None else times * limits.work
    return replace(limits, wall_s=times * limits.wall_s, work=work)


def _limit(limits: Limits) -> str:
    work = limits.work
    return f"{limits.wall_s:g} s" if work is None else f"{work} units of counted work"


def _line(name: str, channels: int, bought: BufferTradeOff) -> list[str]:
    """Return a mapping's line: both ends with what is proved of them, and where the front ended."""
    front, least = bought.front, bought.least
    saved = "-" if least is None else f"{100 * (1 - least / bought.given):.1f}"
    points = number(len(front.points))
    below = front.all_below
    if below is not None:
        points += f", all below {number(below)}"
    run, period, proofs = "-", "-", []
    if front.points:
        first = front.points[0]
        floor = first.total if below is None else min(first.total, below)
        run, period = _known(first.total, floor), number(float(first.period))
        proofs.append((first.total == floor, first.grade))
    proofs.append((least is not None and least == bought.bound, bought.grade))
    proved = "both ends" if all(known for known, _ in proofs) else "bounds"
    weakest = max((grade for _, grade in proofs), key=list(Grade).index)
    own = _known(least, bought.bound)
    return [
        *(name, number(channels), number(bought.given), run, period, own, saved, points),
        f"{proved}, {weakest.value}",
    ]


def _known(value: int | None, bound: int | None) -> str:
    """Return a number of tokens, with its bound where it is not proved to be the least."""
    if value is None or value == bound:
        return number(value)
    return f"{number(value)} (>= {number(bound)})"


def _point(name: str, point: BufferPoint) -> list[str]:
    """Return a point's line."""
    proved = point.grade.value if point.is_proved else f">= {number(point.bound)}"
    return [name, number(point.total), number(float(point.period)), proved]
