"""Tables of a run, derived from its rows: runs.csv, gaps.csv, stages.csv, tables.md, terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import floor

import pandas as pd

from optmap.experiment.run.exact_json import number
from optmap.experiment.tables.gaps import FORMULA, METRICS, Gap, Row, accepted, all_gaps
from optmap.experiment.tables.stages import SIGN, StageGap, stage_gaps

NOTES = (
    FORMULA,
    "Bounds on clusters and traffic hold for the row's decomposition (column 'dec'); traffic bounds"
    " for at most the row's number of clusters; spike-hops for the row's clustering and, where"
    " tiles hold several programs, tile load; period for the row's clustering, any binding and"
    " order (with prologue only in the rows that end in -prologue); energy: what computing alone"
    " costs.",
    "'loses': what a stage of a greedy flow costs, the stages before it fixed; '>=' at least that,"
    " for a better stage is not proved optimal; '<=' at most that, against a bound.",
    "'*' proved: nothing better exists within the bound's scope. '-' no solution or no bound."
    " '#' seed.",
)


def runs_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Return one line per row: what was asked, how it ended, every metric (exact, as text)."""
    lines = []
    for row in rows:
        network = row.get("network", {})
        line = {
            name: row.get(name)
            for name in (
                "instance",
                "method",
                "decomposition",
                "seed",
                "status",
                "check",
                "wall_s",
                "cpu_s",
                "peak_rss_mb",
                "limit_s",
                "threads",
                "memory_mb",
                "reason",
                "key",
                "digest",
                "code_version",
                "solver_versions",
            )
        }
        line |= {f"network_{name}": value for name, value in network.items()}
        line |= row.get("metrics", {})
        for claim in row.get("claims", ()):
            for part in ("status", "value", "bound"):
                line[f"{claim['metric']}_claim_{part}"] = claim[part]
        lines.append(line)
    return pd.DataFrame(lines)


def gaps_frame(gaps: Iterable[Gap]) -> pd.DataFrame:
    """Return one line per row and metric: value, bound, its name and scope, both gaps."""
    return pd.DataFrame(
        {
            "instance": g.instance,
            "method": g.method,
            "seed": g.seed,
            "metric": g.metric,
            "value": str(g.value),
            "bound": None if g.bound is None else str(g.bound),
            "bound_name": g.bound_name,
            "scope": g.scope,
            "gap_to_bound": None if g.to_bound is None else float(g.to_bound),
            "proved": g.proved,
            "best_known": str(g.best_known),
            "gap_to_best_known": float(g.to_best_known),
        }
        for g in gaps
    )


def stages_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Return one line per instance, flow and stage: what the stage loses, and how sure that is."""
    columns = ("instance", "flow", "stage", "metric", "value", "better", "loss", "sure")
    return pd.DataFrame([s.record() for s in stage_gaps(rows)], columns=columns)


#: Metrics with stage gaps, as sentences name them.
STAGED = {"clusters": "clusters", "period": "period", "spike_hops": "spike-hops"}


def stage_lines(group: Sequence[Row]) -> list[str]:
    """Return a sentence per greedy flow of one instance: what each of its stages loses."""
    lines = []
    gaps = stage_gaps(group)
    for flow in dict.fromkeys(s.flow for s in gaps):
        own = [s for s in gaps if s.flow == flow]
        parts = [
            f"of its {label} " + ", ".join(map(_loss, found))
            for metric, label in STAGED.items()
            if (found := [s for s in own if s.metric == metric])
        ]
        lines.append(f"{flow} loses " + "; ".join(parts))
    return lines


def _loss(stage: StageGap) -> str:
    by = "in all" if stage.stage == "together" else f"by {stage.stage}"
    return f"{SIGN[stage.sure]}{percent(stage.loss)} {by}"


HEADERS = (
    "method",
    "dec",
    "clust",
    "bound",
    "gap",
    "traffic",
    "gap",
    "sp-hops",
    "period",
    "gap",
    "nJ",
    "status",
    "s",
)
RIGHT = frozenset(range(2, 11)) | {12}


def instance_title(row: Row) -> str:
    """Return the line above an instance's table."""
    network = row.get("network")
    if not network:
        return f"{row['instance']}"
    return (
        f"{row['instance']}: {network['neurons']:,} neurons, {network['synapses']:,} synapses,"
        f" fan-in to {network['max_fan_in']:,}; {network['tiles']} tiles of {network['crossbars']};"
        f" spikes {short_origin(network['spikes_origin'])}"
    )


def short_origin(origin: str) -> str:
    """Return "assumed" or "given": the long text stands in runs.csv."""
    return "assumed" if origin == "assumed" else "given"


def instance_lines(rows: Sequence[Row], gaps: Sequence[Gap]) -> list[tuple[str, ...]]:
    """Return the lines of one instance's table, one per row, as texts in ``HEADERS``' order."""
    by_key = {(g.method, g.seed, g.metric): g for g in gaps}
    several = len({row["seed"] for row in rows}) > 1
    lines: list[tuple[str, ...]] = []
    for row in rows:
        cell = {m: by_key.get((row["method"], row["seed"], m)) for m in METRICS}
        energy = cell["energy_pj"]
        lines.append(
            (
                f"{row['method']} #{row['seed']}" if several else row["method"],
                str(row.get("decomposition", "-")),
                _value(cell["clusters"]),
                _bound(cell["clusters"]),
                _gap(cell["clusters"]),
                _value(cell["traffic"]),
                _gap(cell["traffic"]),
                _value(cell["spike_hops"]) + _star(cell["spike_hops"]),
                _value(cell["period"]),
                _gap(cell["period"]),
                "-" if energy is None else compact(energy.value / 1000, 6),
                status_word(row),
                seconds(row["wall_s"]),
            )
        )
    return lines


#: Statuses that a narrow column does not hold, as tables show them; runs.csv has the whole word.
SHORT = {
    "infeasible": "infeas.",
    "no_solution": "nothing",
    "timeout_hard": "timeout",
    "unsupported": "unsupp.",
    "violation": "violated",
}


def status_word(row: Row) -> str:
    """Return the status, or what the check found, in at most eight characters."""
    word = row["check"] if row["check"] in ("violation", "mismatch") else row["status"]
    return SHORT.get(str(word), str(word))


def seconds(wall_s: float) -> str:
    """Return a time in at most four characters while it is below 10,000 s."""
    return f"{wall_s:.1f}" if wall_s < 99.95 else f"{wall_s:.0f}"


def compact(value: Fraction, width: int = 7) -> str:
    """Return a number in at most ``width`` characters (6 or more): exact while it is that short.

    Examples
    --------
    >>> compact(Fraction(1234567)), compact(Fraction(55, 2)), compact(Fraction(123456789))
    ('1234567', '27.5', '1.235e8')
    >>> compact(Fraction(15596123, 10), 6), compact(Fraction(46518, 10), 6)
    ('1.56e6', '4651.8')
    """
    if value.denominator == 1 and len(str(value)) <= width:
        return str(value)
    number = float(value)
    for text in (f"{number:.1f}", f"{number:.0f}"):
        if len(text) <= width and abs(number) >= 0.05:
            return text
    return f"{number:.{width - 4}e}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


def percent(value: Fraction) -> str:
    """Return a gap in percent, one decimal below ten; halves away from zero, as the report does.

    Examples
    --------
    >>> percent(Fraction(1, 8)), percent(Fraction(9, 200)), percent(Fraction(0))
    ('13%', '4.5%', '0%')
    """
    tenths = 10 if 0 < abs(value) < Fraction(1, 10) else 1
    rounded = floor(abs(value) * 100 * tenths + Fraction(1, 2)) * (1 if value >= 0 else -1)
    return f"{rounded / tenths:.1f}%" if tenths == 10 else f"{rounded}%"


def _value(gap: Gap | None) -> str:
    return "-" if gap is None else compact(gap.value)


def _bound(gap: Gap | None) -> str:
    return "-" if gap is None or gap.bound is None else compact(gap.bound)


def _gap(gap: Gap | None) -> str:
    if gap is None or gap.to_bound is None:
        return "-"
    return "0%*" if gap.proved else percent(gap.to_bound)


def _star(gap: Gap | None) -> str:
    return "*" if gap is not None and gap.proved else ""


def grouped(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows by instance, in order of appearance."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["instance"], []).append(row)
    return list(groups.values())


def tables_markdown(rows: Sequence[Row]) -> str:
    """Return tables.md: one table per instance, the formula and the scopes below."""
    gaps = all_gaps(rows)
    parts = ["# Results", ""]
    for group in grouped(rows):
        described = next((row for row in group if row.get("network")), group[0])
        instance = group[0]["instance"]
        parts += [instance_title(described), ""]
        parts += _markdown_table(instance_lines(group, [g for g in gaps if g.instance == instance]))
        parts += [""]
        parts += [f"- {row['method']}: {row['reason']}" for row in group if row.get("reason")]
        parts += [f"- {line}" for line in stage_lines(group)]
        parts += [""]
    parts += [f"- {note}" for note in NOTES]
    return "\n".join(parts) + "\n"


def _markdown_table(lines: Sequence[tuple[str, ...]]) -> list[str]:
    rule = ["---:" if i in RIGHT else "---" for i in range(len(HEADERS))]
    rows = [HEADERS, tuple(rule), *lines]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


def failed(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that make a run fail: a wrong claim, an invalid mapping, an error."""
    return [
        row
        for row in rows
        if row["check"] in ("violation", "mismatch") or row["status"] in ("error", "crashed")
    ]


def summary_line(rows: Sequence[Row]) -> str:
    """Return what a run amounts to, in one line."""
    solved = sum(accepted(row) for row in rows)
    proved = sum(row["status"] == "optimal" for row in rows)
    wrong = len(failed(rows))
    slowest = max((number(str(row["wall_s"])) or Fraction(0) for row in rows), default=Fraction(0))
    return (
        f"{len(rows)} rows: {solved} with a checked mapping, {proved} proved in every stage,"
        f" {wrong} failed; slowest {float(slowest):.1f} s"
    )
