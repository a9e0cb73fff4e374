"""What ``compare`` prints: before, what is to come; after, the headline on one screen.

Numbers are never cut. Where a terminal is narrow only names get shorter ("~" stands for what is
left out), and titles of columns are abbreviated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import floor

from optmap.experiment.row import GIVEN, Row
from optmap.experiment.run.job import Job
from optmap.experiment.tables.aggregate import Headline
from optmap.experiment.tables.best_known import NOTHING, BestKnown
from optmap.experiment.tables.decisions import (
    ALL,
    DECISIONS,
    FLOW,
    decisions,
    geometric_mean,
)
from optmap.experiment.tables.gaps import all_gaps, by_digest
from optmap.experiment.tables.groups import by_group
from optmap.experiment.tables.headline import headline_lines, proofs
from optmap.experiment.tables.metrics import GAPPED, metric_named
from optmap.experiment.tables.text import compact, shortened, times
from optmap.methods import METHODS
from optmap.model.scope import END_TO_END

#: Shorter titles, for narrow terminals.
ABBREVIATED = {"clusters": "clust", "traffic": "traf", "spike_hops": "hops", "energy_pj": "energy"}

#: Seconds that a row takes beside its method: a heuristic's, and those of a solver's own process.
HEURISTIC_S, SOLVER_S = 0.3, 0.5


def plan_lines(jobs: Sequence[Job], kept: int, parallel: int) -> list[str]:
    """Return what a run is about to do: its size, how long it can take, and that kernels compile.

    Parameters
    ----------
    jobs : sequence of Job
        Those that are still to run.
    kept : int
        Rows that are finished already.
    parallel : int
        Jobs at a time.
    """
    instances = len({job.instance for job in jobs})
    methods = len({job.method for job in jobs})
    solved = [j for j in jobs if _takes_its_limit(j.method)]
    quick = (len(jobs) - len(solved)) * HEURISTIC_S
    least = (quick + len(solved) * SOLVER_S) / parallel
    most = (quick + sum(job.limits.wall_s + SOLVER_S for job in solved)) / parallel
    lines = [f"{kept} of {kept + len(jobs)} rows are finished already"] if kept else []
    if not jobs:
        return lines
    span = f"up to {_span(most)}" if most > 2 * least else f"about {_span(most)}"
    lines.append(
        f"{several(len(jobs), 'row')} to run ({several(instances, 'instance')},"
        f" {several(methods, 'method')}), {len(solved)} of them"
        f" with a solver or a search: {span}"
    )
    return lines


def several(count: int, thing: str) -> str:
    """Return "1 row", "2 rows"."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _takes_its_limit(method: str) -> bool:
    """Tell whether a method may run until its limit: unknown ones may, given mappings do not."""
    if method.startswith(GIVEN):
        return False
    known = METHODS.get(method)
    return known is None or known.uses_solver or bool(known.whole)


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def headline_text(rows: Sequence[Row], known: BestKnown = NOTHING, width: int = 100) -> list[str]:
    """Return the headline by method, in groups: end-to-end gap / distance, proofs, time.

    Parameters
    ----------
    width : int
        Columns of the terminal, 60 or more.
    """
    lines = headline_lines(rows, all_gaps(rows, known))
    metrics = [m for m in GAPPED if any(h[m.name].distance is not None for h, _ in lines.values())]
    long = [m.label for m in metrics]
    titles = [long, [ABBREVIATED.get(m.name, m.label) for m in metrics]]
    body = {
        method: (
            *(_cell(heads[m.name]) for m in metrics),
            _all_proofs(list(heads.values())),
            "-" if mean_s is None else f"{mean_s:.1f}",
        )
        for method, (heads, mean_s) in lines.items()
    }
    need = max(map(len, body), default=0) + 1
    for columns, between in [(titles[0], 2), (titles[1], 2), (titles[1], 1)]:
        headers = (*columns, "proved", "s")
        sizes = [
            between + max(map(len, column)) for column in zip(headers, *body.values(), strict=True)
        ]
        room = width - sum(sizes)
        if room >= need:
            break
    room = max(9, min(room, need))
    printed = ["end-to-end gap / distance to the best known value, mean, %"]
    printed.append(_line("", headers, sizes, room))
    for group, methods in by_group(lines).items():
        printed.append(group)
        printed += [_line(shortened(m, room - 1), body[m], sizes, room) for m in methods]
    counted = {h.counted for heads, _ in lines.values() for h in heads.values() if h.counted}
    printed += _averaged(rows, counted)
    printed.append("* + proved optimal end to end: certified, by two solvers")
    return printed


def _averaged(rows: Sequence[Row], counted: set[int]) -> Iterator[str]:
    """Yield over how many instances the means are, and why others are in none."""
    everywhere = {row.instance for row in rows}
    asked = {row.instance for row in rows if not row.is_example} or everywhere
    over = f"{min(counted)} to {max(counted)}" if len(counted) > 1 else str(max(counted, default=0))
    why = ": mapped by all, a bound known" if counted != {len(asked)} else ""
    yield f"over {over} of {several(len(asked), 'instance')}{why}"
    if len(asked) < len(everywhere):
        yield f"{several(len(everywhere) - len(asked), 'example')} in no mean"


def _line(name: str, cells: Sequence[str], sizes: Sequence[int], room: int) -> str:
    shown = "".join(f"{cell:>{size}}" for cell, size in zip(cells, sizes, strict=True))
    return f" {name:<{room - 1}}{shown}" if name else f"{'':<{room}}{shown}"


def _cell(h: Headline) -> str:
    if h.distance is None:
        return "-"
    return f"{'-' if h.mean is None else whole(h.mean)}/{whole(h.distance)}"


def whole(value: Fraction) -> str:
    """Return a share in whole percent; what is not quite nothing never reads as 0.

    Examples
    --------
    >>> whole(Fraction(1, 3)), whole(Fraction(1, 1000)), whole(Fraction(0))
    ('33', '<1', '0')
    """
    rounded = floor(100 * value + Fraction(1, 2))
    return "<1" if value > 0 and not rounded else str(rounded)


def _all_proofs(heads: Sequence[Headline]) -> str:
    total = {
        grade: sum(h.proved.get(grade, 0) for h in heads)
        for grade in {grade for h in heads for grade in h.proved}
    }
    return proofs(total) or "-"


def improvements_text(rows: Sequence[Row], known: BestKnown) -> list[str]:
    """Return a line for every value or end-to-end bound that beats the best-known list."""
    lines = []
    for name, value, whose, kind, before in improvements(rows, known):
        lines.append(f"better than known: {name} {kind} {compact(value)} ({whose}; {before})")
    return lines


def improvements(
    rows: Sequence[Row], known: BestKnown
) -> Iterator[tuple[str, Fraction, str, str, str]]:
    """Yield what beats the best-known list: metric, value, whose it is, its kind, what it was."""
    for digest, group in by_digest(rows).items():
        listed = known.of(digest)
        if not listed.entries:
            continue
        for g in {h.metric: h for h in all_gaps(group)}.values():
            label = f"{g.instance} {metric_named(g.metric).label}"
            values = [value for value, _ in listed.values(g.metric)]
            bounds = [Fraction(b.value) for b in listed.bounds(g.metric)]
            if values and g.best_known < min(values):
                before = f"was {compact(min(values))}"
                yield label, g.best_known, g.best_known_by, "value", before
            low = g.bound
            # the list takes bounds on every mapping alone
            if bounds and low and low.scope == END_TO_END and low.value > max(bounds):
                before = f"was {compact(max(bounds))}"
                yield label, Fraction(low.value), low.name, "bound", before


def decisions_text(rows: Sequence[Row], known: BestKnown = NOTHING) -> list[str]:
    """Return which decision brings how much throughput, a line each; nothing without the flow."""
    steps = decisions(rows, known)
    if not steps:
        return []
    lines = [f"throughput, times {FLOW}'s: geometric mean (largest)"]
    for i, name in enumerate([*DECISIONS, "binding and order"]):
        factors = [d.alone[i].factor for d in steps if d.alone[i].tried]
        lines.append(_step_line(f"best {name} alone", factors))
    lines.append(_step_line(ALL, [d.waterfall[-1].factor for d in steps]))
    limits = [f for d in steps if (f := d.limit_factor) is not None]
    return [*lines, _step_line("no mapping above (proved)", limits)] if limits else lines


def _step_line(name: str, factors: Sequence[Fraction]) -> str:
    mean = geometric_mean(factors)
    if mean is None:
        return f" {name:<28}       - (no row)"
    return f" {name:<28} {times(Fraction(mean)):>7} ({times(max(factors))})"
