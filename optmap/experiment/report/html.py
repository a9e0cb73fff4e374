"""report.html: one self-contained page; Plotly and the data travel inside it, gzipped."""

from __future__ import annotations

import base64
import gzip
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

from plotly.offline import get_plotlyjs

from optmap.experiment.report.pictures import pictures
from optmap.experiment.report.platforms import platform_data
from optmap.experiment.row import Row
from optmap.experiment.tables.aggregate import (
    Headline,
    data_profile,
    headline,
    mean_values,
    performance_profile,
    times,
)
from optmap.experiment.tables.best_known import NOTHING, BestKnown
from optmap.experiment.tables.decisions import FLOW, Decisions, Step, decisions
from optmap.experiment.tables.gaps import FORMULA, Gap, all_gaps
from optmap.experiment.tables.groups import GROUPS, by_group, group_of
from optmap.experiment.tables.headline import proofs
from optmap.experiment.tables.markdown import NOTES, summary_line
from optmap.experiment.tables.metrics import METRICS
from optmap.experiment.tables.stage_gaps import stage_gaps
from optmap.experiment.tables.stages import stage_losses

#: The page's script, in the order in which its parts stand.
SCRIPTS = ("report.overview.js", "report.tables.js", "report.platforms.js", "report.js")

#: Steps of a critical cycle that travel with a row.
CYCLE_STEPS = 12


def report_html(
    rows: Sequence[Row],
    details: Mapping[str, Any],
    environment: Mapping[str, Any],
    known: BestKnown = NOTHING,
) -> str:
    """Return the page.

    Parameters
    ----------
    rows : sequence of Row
        As stored.
    details : mapping
        Row key to what :func:`optmap.experiment.report.details.details` returned.
    environment : mapping
        As in environment.json.
    known : BestKnown
        What the run started from.
    """
    parts = files("optmap.experiment.report")
    instances = len({row.instance for row in rows})
    text = {
        "title": f"{instances} instances",
        "subtitle": html.escape(
            f"{instances} instances, {len({row.method for row in rows})} methods."
            f" {summary_line(rows)}. {environment.get('started', '')}"
        ),
        "formula": html.escape(FORMULA + "."),
        "notes": "".join(f"<li>{html.escape(note)}</li>" for note in NOTES),
        "environment": html.escape(_environment(environment)),
        "style": parts.joinpath("report.css").read_text(),
        "script": "".join(parts.joinpath(name).read_text() for name in SCRIPTS),
        "plotly": _packed_plotly(),
        "data": _packed(json.dumps(page_data(rows, details, known), separators=(",", ":"))),
    }
    return Template(parts.joinpath("report.html").read_text()).substitute(text)


@cache
def _packed_plotly() -> str:
    return _packed(get_plotlyjs())


def _packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _environment(environment: Mapping[str, Any]) -> str:
    libraries = ", ".join(f"{k} {v}" for k, v in environment.get("libraries", {}).items())
    return (
        f"optmap {environment.get('optmap')} ({environment.get('code_version')}),"
        f" Python {environment.get('python')}, {environment.get('os')},"
        f" {environment.get('processor')}, {environment.get('cores')} cores; {libraries}"
    )


def page_data(
    rows: Sequence[Row], details: Mapping[str, Any], known: BestKnown = NOTHING
) -> dict[str, Any]:
    """Return what the page's script draws from."""
    gaps = all_gaps(rows, known)
    groups = by_group(row.method for row in rows)
    methods = [m for own in groups.values() for m in own]
    periods = {pair: float(v) for pair, v in mean_values(gaps, "period").items() if v > 0}
    return {
        "flow": FLOW,
        "groups": {group: GROUPS[group] for group in groups},
        "methods": [{"name": m, "group": group_of(m)} for m in methods],
        "instances": list(dict.fromkeys(row.instance for row in rows)),
        "metrics": [
            {"name": m.name, "label": m.label, "title": m.title, "gap": m.gap} for m in METRICS
        ],
        "headline": [_headline(h) for h in headline(rows, gaps, methods)],
        "times": [asdict(t) for t in times(rows, methods)],
        "gaps": [_gap(g) for g in gaps],
        "decisions": [_decisions(d) for d in decisions(rows, known)],
        "stages": [s.record() for s in stage_gaps(rows, known)],
        "losses": [s.record() for s in stage_losses(rows)],
        "profile": performance_profile(periods, methods),
        "data_profile": data_profile(rows, methods),
        "platforms": platform_data(rows, gaps),
        "rows": [_row(row) for row in rows],
        "pictures": {row.key: pictures(row, details.get(row.key)) for row in rows},
    }


def _float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def _headline(h: Headline) -> dict[str, Any]:
    return {
        "method": h.method,
        "metric": h.metric,
        "mean": _float(h.mean),
        "worst": _float(h.worst),
        "distance": _float(h.distance),
        "farthest": _float(h.farthest),
        "proved": proofs(h.proved),
        "counted": h.counted,
        "left_out": h.left_out,
    }


def _gap(g: Gap) -> dict[str, Any]:
    return {
        "key": g.key,
        **g.record(),
        "gap": _float(g.to_bound),
        "claimed": _float(g.to_claimed),
        "mark": g.mark,
        "best": str(g.best_known),
        "best_by": g.best_known_by,
        "to_best": float(g.to_best_known),
    }


def _decisions(d: Decisions) -> dict[str, Any]:
    def step(s: Step) -> dict[str, Any]:
        return {
            "name": s.name,
            "period": float(s.period),
            "method": s.method,
            "factor": float(s.factor),
            "mark": s.mark,
            "tried": s.tried,
            "clusters": s.clusters,
        }

    return {
        "instance": d.instance,
        "period": float(d.period),
        "alone": [step(s) for s in d.alone],
        "waterfall": [step(s) for s in d.waterfall],
        "limit": _float(d.limit_factor),
        "gap": _float(d.gap),
    }


#: What a row shows of itself besides its metrics.
SHOWN = (
    "key",
    "instance",
    "method",
    "seed",
    "decomposition",
    "status",
    "check",
    "wall_s",
    "reason",
)


def _row(row: Row) -> dict[str, Any]:
    stored = row.to_json()
    wanted = {name: stored[name] for name in (*SHOWN, "network")}
    values = {m.name: stored["metrics"].get(m.name) for m in METRICS}
    wanted["metrics"] = values if row.metrics else None
    wanted["critical_cycle"] = stored["critical_cycle"][:CYCLE_STEPS]
    wanted["critical_cycle_length"] = len(row.critical_cycle)
    return wanted
