"""headline.md: what a run says at a glance; README.md shows the reference run's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from optmap.experiment.tables.aggregate import (
    SHIFT_S,
    Headline,
    headline,
    mean_values,
    seed_spread,
    times,
    wins,
)
from optmap.experiment.tables.gaps import FORMULA, METRICS, Gap, Row, all_gaps
from optmap.experiment.tables.markdown import compact, percent
from optmap.experiment.tables.stages import PROVED, SIGN, StageGap, stage_gaps

LABEL = {
    "clusters": "clusters",
    "traffic": "traffic",
    "spike_hops": "spike hops",
    "period": "period",
    "energy_pj": "energy",
}


#: Where the part of headline.md ends that README.md shows.
README_END = "**Wins in clusters**"


def headline_markdown(rows: Sequence[Row]) -> str:
    """Return the headline tables: method by metric, instance by method, stages, wins, seeds."""
    gaps = all_gaps(rows)
    methods = list(dict.fromkeys(row["method"] for row in rows))
    instances = list(dict.fromkeys(row["instance"] for row in rows))
    parts = ["**Gap to the proven bound: mean (worst), proved / compared instances**", ""]
    parts += _gap_table(rows, gaps, methods, len(instances))
    parts += ["", "**Clusters** (`*` proved optimal for the row's decomposition)", ""]
    parts += _matrix(gaps, "clusters", methods, instances)
    parts += ["", "**Period in ticks** (`*` proved within the row's scope)", ""]
    parts += _matrix(gaps, "period", methods, instances)
    stages = stage_gaps(rows)
    if stages:
        title = "**Which stage of a greedy flow loses what** (mean; `>=`, `<=`: not all proved)"
        parts += ["", title, ""]
        parts += _stage_table(stages)
    for metric in ("clusters", "period"):
        parts += ["", f"**Wins in {LABEL[metric]}**: instances on which the row is better", ""]
        parts += _wins_table(gaps, metric, methods)
    spread = seed_spread(gaps)
    if spread:
        parts += ["", "**Spread over seeds**: least, mean, largest", ""]
        parts += _spread_table(spread)
    parts += ["", f"{FORMULA}. Times are shifted geometric means, shift {SHIFT_S:g} s."]
    return "\n".join(parts) + "\n"


def _gap_table(
    rows: Sequence[Row], gaps: Sequence[Gap], methods: Sequence[str], instances: int
) -> list[str]:
    found = {(h.method, h.metric): h for h in headline(gaps, methods, instances)}
    clocks = {t.method: t for t in times(rows, methods)}
    lines = [
        "| method | " + " | ".join(LABEL[m] for m in METRICS) + " | time, s |",
        "|---|" + "---:|" * (len(METRICS) + 1),
    ]
    for method in methods:
        cells = [_headline_cell(found[method, metric]) for metric in METRICS]
        mean_s = clocks[method].mean_s
        cells.append("-" if mean_s is None else f"{mean_s:.1f}")
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return lines


def _headline_cell(h: Headline) -> str:
    if h.mean is None or h.worst is None:
        return "-"
    return f"{percent(h.mean)} ({percent(h.worst)}) {h.proved}/{h.counted}"


def _matrix(
    gaps: Sequence[Gap], metric: str, methods: Sequence[str], instances: Sequence[str]
) -> list[str]:
    """Return instances by methods; the value over seeds is the mean."""
    values = mean_values(gaps, metric)
    proved: dict[tuple[str, str], bool] = {}
    for g in gaps:
        if g.metric == metric:
            pair = (g.method, g.instance)
            proved[pair] = proved.get(pair, True) and g.proved
    lines = [
        "| instance | " + " | ".join(methods) + " |",
        "|---|" + "---:|" * len(methods),
    ]
    for instance in instances:
        cells = []
        for method in methods:
            value = values.get((method, instance))
            star = "*" if proved.get((method, instance)) else ""
            cells.append("-" if value is None else compact(value) + star)
        lines.append(f"| {instance} | " + " | ".join(cells) + " |")
    return lines


def _wins_table(gaps: Sequence[Gap], metric: str, methods: Sequence[str]) -> list[str]:
    count = wins(gaps, metric, methods)
    lines = ["| better than | " + " | ".join(methods) + " |", "|---|" + "---:|" * len(methods)]
    for a in methods:
        cells = ("" if a == b else str(count[a, b]) for b in methods)
        lines.append(f"| {a} | " + " | ".join(cells) + " |")
    return lines


def _spread_table(spread: Mapping[tuple[str, str, str], tuple[Fraction, ...]]) -> list[str]:
    lines = [
        "| instance | method | metric | least | mean | largest |",
        "|---|---|---|---:|---:|---:|",
    ]
    for (instance, method, metric), values in spread.items():
        if metric in ("clusters", "traffic", "period") and values[0] != values[-1]:
            cells = " | ".join(compact(value) for value in values)
            lines.append(f"| {instance} | {method} | {LABEL[metric]} | {cells} |")
    return lines


def _stage_table(stages: Sequence[StageGap]) -> list[str]:
    lines = [
        "| flow | stage | metric | mean loss | worst | instances |",
        "|---|---|---|---:|---:|---:|",
    ]
    kinds = dict.fromkeys((s.flow, s.stage, s.metric) for s in stages)
    for kind in kinds:
        own = [s for s in stages if (s.flow, s.stage, s.metric) == kind]
        mean = sum((s.loss for s in own), Fraction(0)) / len(own)
        worst = max(s.loss for s in own)
        least = next((SIGN[s.sure] + " " for s in own if s.sure != PROVED), "")
        lines.append(
            f"| {kind[0]} | {kind[1]} | {LABEL[kind[2]]} | {least}{percent(mean)} |"
            f" {percent(worst)} | {len(own)} |"
        )
    return lines
