"""A run's tables as data frames: what runs.csv, gaps.csv and the other CSV files hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields

import pandas as pd

from optmap.experiment.row import Row
from optmap.experiment.tables.best_known import NOTHING, BestKnown
from optmap.experiment.tables.curves import curves
from optmap.experiment.tables.decisions import decisions
from optmap.experiment.tables.gaps import Gap
from optmap.experiment.tables.ratios import Ratio, ratios
from optmap.experiment.tables.stage_gaps import stage_gaps
from optmap.experiment.tables.stages import stage_losses

#: What runs.csv says of a row before its metrics.
RUN_FIELDS = (
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


def runs_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Return one line per row: what was asked, how it ended, every metric (exact, as text)."""
    lines = []
    for row in rows:
        line: dict[str, object] = {name: getattr(row, name) for name in RUN_FIELDS}
        line |= {f"network_{name}": value for name, value in row.network.items()}
        line |= row.metrics
        for claim in row.claims:
            line[f"{claim.metric}_claim_status"] = claim.status.value
            line[f"{claim.metric}_claim_value"] = claim.value
            line[f"{claim.metric}_claim_bound"] = claim.bound
        lines.append(line)
    return pd.DataFrame(lines, columns=None if lines else list(RUN_FIELDS))


def gaps_frame(gaps: Iterable[Gap]) -> pd.DataFrame:
    """Return one line per row and metric: value, end-to-end bound, best known value, both gaps."""
    return pd.DataFrame(
        {
            **g.record(),
            "gap_to_bound": None if g.to_bound is None else float(g.to_bound),
            "proved": g.mark,
            "claimed_bound": None if g.claimed is None else str(g.claimed.value),
            "claimed_by": "" if g.claimed is None else g.claimed.name,
            "best_known": str(g.best_known),
            "best_known_by": g.best_known_by,
            "gap_to_best_known": float(g.to_best_known),
        }
        for g in gaps
    )


def stages_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Return one line per instance, flow and stage: what the stage loses, and how sure that is."""
    columns = ("instance", "flow", "stage", "metric", "value", "better", "loss", "sure")
    return pd.DataFrame([s.record() for s in stage_losses(rows)], columns=columns)


def stage_gaps_frame(rows: Sequence[Row], known: BestKnown = NOTHING) -> pd.DataFrame:
    """Return one line per row, metric and stage: the gap to that stage's own optimum."""
    return pd.DataFrame(s.record() for s in stage_gaps(rows, known))


def ratios_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Return one line per ordered pair of methods and metric: ratio, spread, wins and losses."""
    columns = [field.name for field in fields(Ratio)]
    lines = [asdict(ratio) for ratio in ratios(rows)]
    return pd.DataFrame(
        [{k: _rounded(v) for k, v in line.items()} for line in lines], columns=columns
    )


def _rounded(value: object) -> object:
    """Return a mean of logarithms with the digits that every machine's library gives."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def curves_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Return one line per metric, axis, method and value of the axis."""
    lines = [
        (c.metric, c.axis, c.method, value, _rounded(mean), c.cases)
        for c in curves(rows)
        for value, mean in zip(c.values, c.means, strict=True)
    ]
    return pd.DataFrame(lines, columns=["metric", "axis", "method", "value", "mean", "cases"])


def decisions_frame(rows: Sequence[Row], known: BestKnown) -> pd.DataFrame:
    """Return one line per instance and step: which decision brings how much throughput."""
    return pd.DataFrame(line for d in decisions(rows, known) for line in d.record())
