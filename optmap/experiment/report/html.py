"""report.html: one self-contained page; Plotly and the data travel inside it, gzipped."""

from __future__ import annotations

import base64
import gzip
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from string import Template
from typing import Any

from plotly.offline import get_plotlyjs

from optmap.experiment.tables.aggregate import (
    data_profile,
    headline,
    mean_values,
    performance_profile,
    times,
)
from optmap.experiment.tables.gaps import FORMULA, METRICS, Gap, Row, all_gaps
from optmap.experiment.tables.markdown import NOTES, summary_line
from optmap.experiment.tables.stages import stage_gaps

#: Steps of a critical cycle that travel with a row.
CYCLE_STEPS = 12


def report_html(
    rows: Sequence[Row], details: Mapping[str, Any], environment: Mapping[str, Any]
) -> str:
    """Return the page.

    Parameters
    ----------
    rows : sequence of row
        As stored.
    details : mapping
        Row key to what :func:`optmap.experiment.report.details.details` returned.
    environment : mapping
        As in environment.json.
    """
    parts = files("optmap.experiment.report")
    instances = len({row["instance"] for row in rows})
    text = {
        "title": f"{instances} instances",
        "subtitle": html.escape(
            f"{instances} instances, {len({row['method'] for row in rows})} methods."
            f" {summary_line(rows)}. {environment.get('started', '')}"
        ),
        "formula": html.escape(FORMULA + "."),
        "notes": "".join(f"<li>{html.escape(note)}</li>" for note in NOTES),
        "environment": html.escape(_environment(environment)),
        "style": parts.joinpath("report.css").read_text(),
        "script": parts.joinpath("report.js").read_text(),
        "plotly": _packed(get_plotlyjs()),
        "data": _packed(json.dumps(page_data(rows, details), separators=(",", ":"))),
    }
    return Template(parts.joinpath("report.html").read_text()).substitute(text)


def _packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _environment(environment: Mapping[str, Any]) -> str:
    libraries = ", ".join(f"{k} {v}" for k, v in environment.get("libraries", {}).items())
    return (
        f"optmap {environment.get('optmap')} ({environment.get('code_version')}),"
        f" Python {environment.get('python')}, {environment.get('os')},"
        f" {environment.get('processor')}, {environment.get('cores')} cores; {libraries}"
    )


def page_data(rows: Sequence[Row], details: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page's script draws from."""
    gaps = all_gaps(rows)
    methods = list(dict.fromkeys(row["method"] for row in rows))
    instances = len({row["instance"] for row in rows})
    keys = {(row["instance"], row["method"], row["seed"]): row["key"] for row in rows}
    periods = {pair: float(v) for pair, v in mean_values(gaps, "period").items() if v > 0}
    return {
        "methods": methods,
        "metrics": METRICS,
        "headline": [
            {**asdict(h), "mean": _float(h.mean), "worst": _float(h.worst)}
            for h in headline(gaps, methods, instances)
        ],
        "times": [asdict(t) for t in times(rows, methods)],
        "gaps": [{"key": keys[g.instance, g.method, g.seed], **_gap(g)} for g in gaps],
        "stages": [s.record() for s in stage_gaps(rows)],
        "profile": performance_profile(periods, methods),
        "data_profile": data_profile(rows, methods),
        "rows": [_row(row) for row in rows],
        "details": {row["key"]: details[row["key"]] for row in rows if row["key"] in details},
    }


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _gap(g: Gap) -> dict[str, Any]:
    return {
        "instance": g.instance,
        "method": g.method,
        "metric": g.metric,
        "value": str(g.value),
        "bound": None if g.bound is None else str(g.bound),
        "bound_name": g.bound_name,
        "scope": g.scope,
        "gap": _float(g.to_bound),
        "proved": g.proved,
        "to_best": float(g.to_best_known),
    }


def _row(row: Row) -> dict[str, Any]:
    cycle = row.get("critical_cycle", [])
    names = (
        "key",
        "instance",
        "method",
        "seed",
        "decomposition",
        "status",
        "check",
        "wall_s",
        "reason",
        "network",
    )
    wanted = {name: row.get(name) for name in names}
    metrics = row.get("metrics")
    wanted["metrics"] = {m: metrics[m] for m in METRICS} if metrics else None
    wanted["claims"] = [
        {"metric": c["metric"], "trace": c["trace"][-200:]} for c in row.get("claims", ())
    ]
    wanted["critical_cycle"] = cycle[:CYCLE_STEPS]
    wanted["critical_cycle_length"] = len(cycle)
    return wanted
