"""headline.md: what a run says at a glance; README.md shows the reference run's first tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from optmap.experiment.row import Row
from optmap.experiment.tables.aggregate import (
    SHIFT_S,
    Headline,
    headline,
    mean_values,
    seed_spread,
    times,
    wins,
)
from optmap.experiment.tables.best_known import NOTHING, BestKnown
from optmap.experiment.tables.decisions import (
    ALL,
    DECISIONS,
    FLOW,
    Decisions,
    decisions,
    geometric_mean,
)
from optmap.experiment.tables.gaps import FORMULA, MARK, Gap, all_gaps
from optmap.experiment.tables.groups import by_group, group_of
from optmap.experiment.tables.markdown import table
from optmap.experiment.tables.metrics import GAPPED, metric_named
from optmap.experiment.tables.stages import PROVED, SIGN, StageLoss, stage_losses
from optmap.experiment.tables.text import compact, no_markup, percent
from optmap.experiment.tables.text import times as ratio
from optmap.model.grade import Grade

#: Where the part of headline.md ends that README.md shows.
README_END = "**Every method**"

#: Metrics with a matrix of their own and with a count of wins.
MATRICES = ("clusters", "period")


def headline_markdown(rows: Sequence[Row], known: BestKnown = NOTHING) -> str:
    """Return the headline: decisions, groups; every method, instances by method, stages, wins."""
    gaps, steps = all_gaps(rows, known), decisions(rows, known)
    methods = [m for own in by_group(row.method for row in rows).values() for m in own]
    instances = list(dict.fromkeys(row.instance for row in rows))
    lines = headline_lines(rows, gaps)
    parts = summary_table(steps)
    parts += ["", *_groups_table(gaps, lines), ""]
    title = "end-to-end gap / distance to the best known value, mean over the instances"
    parts += [f"{README_END}: {title}, proved", "", *_methods_table(lines)]
    if steps:
        title = f"**Which decision brings how much throughput** (times {FLOW}'s)"
        parts += ["", title, "", *decisions_table(steps)]
    for name in MATRICES:
        metric = metric_named(name)
        title = f"**{metric.title.capitalize()}** (`*`, `+` proved optimal end to end)"
        parts += ["", title, "", *_matrix(gaps, name, methods, instances)]
    losses = stage_losses(rows)
    if losses:
        title = "**Which stage of a greedy flow loses what** (mean; `>=`, `<=`: not all proved)"
        parts += ["", title, "", *_losses_table(losses)]
    for name in MATRICES:
        title = f"**Wins in {metric_named(name).label}**: instances on which the row is better"
        parts += ["", title, "", *_wins_table(gaps, name, methods)]
    spread = seed_spread(gaps)
    if spread:
        parts += ["", "**Spread over seeds**: least, mean, largest", "", *_spread_table(spread)]
    parts += ["", f"{FORMULA}. Times are shifted geometric means, shift {SHIFT_S:g} s."]
    return no_markup("\n".join(parts)) + "\n"


# which decision brings what


def summary_table(steps: Sequence[Decisions]) -> list[str]:
    """Return the decisions over all instances, a line each: the eight lines of README.md."""
    if not steps:
        return []
    lines = [(f"published flow ({FLOW})", ratio(Fraction(1)), "", "")]
    for i, name in enumerate([*DECISIONS, "binding and order"]):
        tried = [d for d in steps if d.alone[i].tried]
        factors = [d.alone[i].factor for d in tried]
        lines.append(_summary_line(f"best {name} alone", tried, factors))
    together = [d.waterfall[-1].factor for d in steps]
    lines.append(_summary_line(ALL, steps, together))
    limits = [(d, d.limit_factor) for d in steps]
    known = [(d, f) for d, f in limits if f is not None]
    if known:
        found = _summary_line(
            "no mapping above (proved)", [d for d, _ in known], [f for _, f in known]
        )
        lines.append(found)
    title = f"throughput, times {FLOW}'s"
    headers = (title, "geometric mean", "largest", "on")
    return table(headers, lines, frozenset((1, 2)))


def _summary_line(
    name: str, steps: Sequence[Decisions], factors: Sequence[Fraction]
) -> tuple[str, str, str, str]:
    mean = geometric_mean(factors)
    if mean is None:
        return name, "-", "-", "no row"
    most = max(factors)
    where = steps[list(factors).index(most)].instance if most > 1 else ""
    return name, ratio(Fraction(mean)), ratio(most), where


def decisions_table(steps: Sequence[Decisions]) -> list[str]:
    """Return the decisions by instance: each alone, the waterfall's end, the proved limit."""
    headers = (
        "instance",
        f"period of {FLOW}",
        *(f"{step.name} alone" for step in steps[0].alone),
        ALL,
        "by",
        "period",
        "clusters",
        "limit",
        "gap",
    )
    lines = []
    for d in steps:
        last = d.waterfall[-1]
        limit = d.limit_factor
        lines.append(
            (
                d.instance,
                compact(d.period),
                *(ratio(step.factor) if step.tried else "-" for step in d.alone),
                ratio(last.factor),
                last.method,
                compact(last.period) + last.mark,
                f"{d.waterfall[0].clusters} -> {last.clusters}",
                "-" if limit is None else ratio(limit),
                "-" if d.gap is None else percent(d.gap),
            )
        )
    right = frozenset(range(1, len(headers))) - {headers.index("by")}
    return table(headers, lines, right)


# gaps by method


def headline_lines(
    rows: Sequence[Row], gaps: Sequence[Gap]
) -> dict[str, tuple[dict[str, Headline], float | None]]:
    """Return per method, group by group, its headline by metric and its mean seconds."""
    methods = [m for own in by_group(row.method for row in rows).values() for m in own]
    found = {(h.method, h.metric): h for h in headline(rows, gaps, methods)}
    clocks = {t.method: t.mean_s for t in times(rows, methods)}
    return {m: ({g.name: found[m, g.name] for g in GAPPED}, clocks[m]) for m in methods}


def _groups_table(
    gaps: Sequence[Gap], lines: Mapping[str, tuple[dict[str, Headline], float | None]]
) -> list[str]:
    """Return the published flow and, of every group, the method of the shortest periods."""
    chosen = [FLOW] if FLOW in lines else []
    for own in by_group(lines).values():
        ranked = [(h["period"].distance, m) for m in own for h in [lines[m][0]]]
        known = [(distance, m) for distance, m in ranked if distance is not None]
        best = min(known, default=None)
        if best is not None and best[1] not in chosen:
            chosen.append(best[1])
    headers = ("best of its group", "group", *(m.label for m in GAPPED), "time, s")
    body = [
        (m, group_of(m), *(_cell(lines[m][0][g.name]) for g in GAPPED), _clock(lines[m][1]))
        for m in chosen
    ]
    counted = {h.counted for m in chosen for h in [lines[m][0]["period"]]}
    note = (
        f"Mean end-to-end gap / mean distance to the best known value, {_words(counted)} instances;"
    )
    note += " `*`, `+`: how many are proved optimal end to end (on networks whose neurons fit a"
    note += " crossbar: among mappings that keep them whole)."
    return [*table(headers, body, frozenset(range(2, len(headers)))), "", note]


def _words(counted: set[int]) -> str:
    return " or ".join(map(str, sorted(counted))) or "no"


def _methods_table(
    lines: Mapping[str, tuple[dict[str, Headline], float | None]],
) -> list[str]:
    headers = ("method", "group", *(m.label for m in GAPPED), "time, s")
    body = [
        (method, group_of(method), *(_cell(h[g.name]) for g in GAPPED), _clock(mean_s))
        for method, (h, mean_s) in lines.items()
    ]
    return table(headers, body, frozenset(range(2, len(headers))))


def _clock(mean_s: float | None) -> str:
    return "-" if mean_s is None else f"{mean_s:.1f}"


def _cell(h: Headline) -> str:
    if h.distance is None:
        return "-"
    shown = "-" if h.mean is None else percent(h.mean)
    return f"{shown} / {percent(h.distance)} {proofs(h.proved)}".rstrip()


def proofs(proved: Mapping[Grade, int]) -> str:
    """Return how many are proved, each grade with its mark; "" for none."""
    return "".join(f"{proved[grade]}{mark}" for grade, mark in MARK.items() if proved.get(grade))


def _matrix(
    gaps: Sequence[Gap], metric: str, methods: Sequence[str], instances: Sequence[str]
) -> list[str]:
    """Return methods by instances; the value over seeds is the mean."""
    values = mean_values(gaps, metric)
    marks: dict[tuple[str, str], set[str]] = {}
    for g in gaps:
        if g.metric == metric:
            marks.setdefault((g.method, g.instance), set()).add(g.mark)
    lines = []
    for method in methods:
        cells = [method]
        for pair in ((method, instance) for instance in instances):
            own = marks.get(pair, set())
            mark = max(own) if "" not in own and own else ""
            cells.append("-" if pair not in values else compact(values[pair]) + mark)
        lines.append(cells)
    return table(("method", *instances), lines, frozenset(range(1, len(instances) + 1)))


def _wins_table(gaps: Sequence[Gap], metric: str, methods: Sequence[str]) -> list[str]:
    count = wins(gaps, metric, methods)
    lines = [(a, *("" if a == b else str(count[a, b]) for b in methods)) for a in methods]
    return table(("better than", *methods), lines, frozenset(range(1, len(methods) + 1)))


def _spread_table(spread: Mapping[tuple[str, str, str], tuple[Fraction, ...]]) -> list[str]:
    lines = [
        (instance, method, metric_named(metric).label, *map(compact, values))
        for (instance, method, metric), values in spread.items()
        if metric in ("clusters", "traffic", "period") and values[0] != values[-1]
    ]
    headers = ("instance", "method", "metric", "least", "mean", "largest")
    return table(headers, lines, frozenset((3, 4, 5)))


def _losses_table(losses: Sequence[StageLoss]) -> list[str]:
    lines = []
    for kind in dict.fromkeys((s.flow, s.stage, s.metric) for s in losses):
        own = [s for s in losses if (s.flow, s.stage, s.metric) == kind]
        mean = sum((s.loss for s in own), Fraction(0)) / len(own)
        least = next((SIGN[s.sure] + " " for s in own if s.sure != PROVED), "")
        label, worst = metric_named(kind[2]).label, max(s.loss for s in own)
        cells = (*kind[:2], label, f"{least}{percent(mean)}", percent(worst), str(len(own)))
        lines.append(cells)
    headers = ("flow", "stage", "metric", "mean loss", "worst", "instances")
    return table(headers, lines, frozenset((3, 4, 5)))
