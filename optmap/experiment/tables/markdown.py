"""tables.md: the tables of a run, derived from its rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from optmap.experiment.row import Row
from optmap.experiment.tables.best_known import NOTHING, BestKnown
from optmap.experiment.tables.curves import curve_lines, curves
from optmap.experiment.tables.decisions import Decisions, decisions
from optmap.experiment.tables.encodings import code_table
from optmap.experiment.tables.gaps import FORMULA, Gap, all_gaps
from optmap.experiment.tables.metrics import GAPPED
from optmap.experiment.tables.ratios import REFERENCE, ratio_lines
from optmap.experiment.tables.stage_gaps import OPTIMUM_OF, StageGap, stage_gaps
from optmap.experiment.tables.stages import SIGN, StageLoss, stage_losses
from optmap.experiment.tables.text import compact, no_markup, percent, seconds, times
from optmap.experiment.tables.title import instance_title

NOTES = (
    FORMULA,
    "gap / distance: to the best bound proved for every decomposition, clustering, binding and"
    " order, and to the best value known (of this run and of the best-known list). Where no row"
    " cuts a neuron that fits a crossbar, bounds count that hold while such neurons stay whole.",
    "'*' proved optimal end to end, by exact arithmetic or a search that `verify` repeats; '+' by"
    " two solvers of different kind. '?' rests on one solver's word: shown beside, never starred.",
    "Stage tables: gaps with the row's own earlier decisions given; 0% there is the optimum of that"
    " stage, not of the flow.",
    "'loses': what a stage of a greedy flow costs, the stages before it fixed; '>=' at least that,"
    " for a better stage is not proved optimal; '<=' at most that, against a bound.",
    "'-' no solution or no bound. '#' seed.",
)

#: Metrics with stage losses, as sentences name them.
STAGED = {"clusters": "clusters", "period": "period", "spike_hops": "spike-hops"}


def stage_lines(group: Sequence[Row]) -> list[str]:
    """Return a sentence per greedy flow of one instance: what each of its stages loses."""
    lines = []
    losses = stage_losses(group)
    for flow in dict.fromkeys(s.flow for s in losses):
        own = [s for s in losses if s.flow == flow]
        parts = [
            f"of its {label} " + ", ".join(map(_loss, found))
            for metric, label in STAGED.items()
            if (found := [s for s in own if s.metric == metric])
        ]
        lines.append(f"{flow} loses " + "; ".join(parts))
    return lines


def _loss(stage: StageLoss) -> str:
    by = "in all" if stage.stage == "together" else f"by {stage.stage}"
    return f"{SIGN[stage.sure]}{percent(stage.loss)} {by}"


HEADERS = (
    "method",
    "dec",
    *(title for metric in GAPPED for title in (metric.label, "gap / distance")),
    "status",
    "s",
)
RIGHT = frozenset(range(2, 2 + 2 * len(GAPPED))) | {len(HEADERS) - 1}


def described(group: Sequence[Row]) -> Row:
    """Return a row of the group that knows the sizes of its network, if there is one."""
    return next((row for row in group if row.network), group[0])


def instance_lines(rows: Sequence[Row], gaps: Sequence[Gap]) -> list[tuple[str, ...]]:
    """Return the lines of one instance's table, one per row, as texts in ``HEADERS``' order."""
    by_key = {(g.key, g.metric): g for g in gaps}
    lines: list[tuple[str, ...]] = []
    for row in rows:
        cells = [row_name(row, rows), row.decomposition or "-"]
        for metric in GAPPED:
            g = by_key.get((row.key, metric.name))
            cells += ["-" if g is None else metric.format(g.value, 7) + g.mark, gap_cell(g)]
        lines.append((*cells, status_word(row), seconds(row.wall_s)))
    return lines


def row_name(row: Row, rows: Sequence[Row]) -> str:
    """Return the method, and the seed where there are several."""
    several = len({other.seed for other in rows}) > 1
    return f"{row.method} #{row.seed}" if several else row.method


def gap_cell(g: Gap | None) -> str:
    """Return gap and distance; a better gap on one solver's word stands in brackets."""
    if g is None:
        return "-"
    shown = "-" if g.to_bound is None else percent(g.to_bound)
    if g.to_claimed is not None:
        shown += f" ({percent(g.to_claimed)}?)"
    return f"{shown} / {percent(g.to_best_known)}"


#: Statuses that a narrow column does not hold, as tables show them; runs.csv has the whole word.
SHORT = {
    "infeasible": "infeas.",
    "no_solution": "nothing",
    "timeout_hard": "timeout",
    "unsupported": "unsupp.",
    "violation": "violated",
    "optimal": "stages*",
}


def status_word(row: Row) -> str:
    """Return the status, or what the check found, in at most eight characters.

    A method that proved the optimum of every stage says "stages*": that is no optimum of the flow.
    """
    word = row.check if row.check in ("violation", "mismatch") else row.status
    return SHORT.get(word, word)


def grouped(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows by instance, in order of appearance."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.instance, []).append(row)
    return list(groups.values())


def tables_markdown(rows: Sequence[Row], known: BestKnown = NOTHING) -> str:
    """Return tables.md: per instance the whole flows, what each decision brings, the stages."""
    gaps, stages = all_gaps(rows, known), stage_gaps(rows, known)
    steps = {d.instance: d for d in decisions(rows, known)}
    parts = ["# Results", ""]
    for group in grouped(rows):
        name = group[0].instance
        parts += [f"## {instance_title(described(group))}", ""]
        lines = instance_lines(group, [g for g in gaps if g.instance == name])
        parts += [*table(HEADERS, lines, RIGHT), ""]
        parts += [f"- {row.method}: {row.reason}" for row in group if row.reason]
        if name in steps:
            parts += [f"- {decisions_line(steps[name])}"]
        parts += [f"- {line}" for line in stage_lines(group)]
        parts += ["", *stage_table(group, [s for s in stages if s.instance == name]), ""]
    parts += code_table(rows)
    parts += _ratio_part(rows)
    for title, header, cells in curve_lines(list(curves(rows))):
        parts += [f"## {title}", "", *table(header, cells, frozenset(range(1, len(header)))), ""]
    parts += [f"- {note}" for note in NOTES]
    return no_markup("\n".join(parts)) + "\n"


def _ratio_part(rows: Sequence[Row]) -> list[str]:
    """Return the table of ratios to the published flow, if it and others were run."""
    header, lines = ratio_lines(rows)
    if not lines:
        return []
    title = f"## Relative to {REFERENCE}: geometric mean (x/ its spread), below 1 is better"
    return [title, "", *table(header, lines, frozenset(range(1, len(header)))), ""]


def decisions_line(found: Decisions) -> str:
    """Return the waterfall of one instance as a sentence."""
    start, *steps = found.waterfall
    text = f"throughput: {start.name} (period {compact(start.period)})"
    for step in steps:
        whose = step.method if step.tried else "no row"
        text += f"; + {step.name} {times(step.factor)}{step.mark} ({whose})"
    if found.limit_factor is not None:
        text += f"; no mapping above {times(found.limit_factor)} (proved)"
    return text


def stage_table(rows: Sequence[Row], stages: Sequence[StageGap]) -> list[str]:
    """Return the stage table of one instance: per row the gap to each stage's own optimum."""
    columns = [
        (metric.name, given, f"{metric.label} of {OPTIMUM_OF[given]}")
        for metric in GAPPED
        for given in OPTIMUM_OF
        if any((s.metric, s.given) == (metric.name, given) for s in stages)
    ]
    if not columns:
        return []
    found = {(s.method, s.seed, s.metric, s.given): s for s in stages}
    lines = []
    for row in rows:
        own = [found.get((row.method, row.seed, metric, given)) for metric, given, _ in columns]
        if any(own):
            cells = ("-" if s is None else percent(s.to_bound) + s.mark for s in own)
            lines.append((row_name(row, rows), *cells))
    headers = ("stage gap to the optimum", *(title for _, _, title in columns))
    return table(headers, lines, frozenset(range(1, len(headers))))


def table(
    headers: Sequence[str], lines: Iterable[Sequence[str]], right: frozenset[int] = frozenset()
) -> list[str]:
    """Return a Markdown table, line by line."""
    rule = ["---:" if i in right else "---" for i in range(len(headers))]
    rows = [headers, rule, *lines]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


def failed(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that make a run fail: a wrong claim, an invalid mapping, an error."""
    return [
        row
        for row in rows
        if row.check in ("violation", "mismatch") or row.status in ("error", "crashed")
    ]


def summary_line(rows: Sequence[Row]) -> str:
    """Return what a run amounts to, in one line."""
    solved = sum(row.accepted for row in rows)
    proved = sum(row.status == "optimal" for row in rows)
    slowest = max((Fraction(str(row.wall_s)) for row in rows), default=Fraction(0))
    return (
        f"{len(rows)} rows: {solved} with a checked mapping, {proved} proved in every stage,"
        f" {len(failed(rows))} failed; slowest {float(slowest):.1f} s"
    )
