"""What is said of a solve: its row, judged, with bounds, details and the mapping itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from optmap.experiment.report.details import details
from optmap.experiment.row import EXAMPLE
from optmap.experiment.run.job import Job
from optmap.experiment.run.mapping_file import document
from optmap.instance import Instance
from optmap.judge.case import last_case
from optmap.model.claim import Run
from optmap.model.outcome import Status
from optmap.model.platform import Platform

STATUS_WORD = {
    Status.OPTIMAL: "optimal",
    Status.FEASIBLE: "feasible",
    Status.INFEASIBLE: "infeasible",
    Status.UNKNOWN: "no_solution",
}


def describe(result: Run, instance: Instance, job: Job) -> dict[str, Any]:
    """Return the row of a run: judged values, claims, bounds, the mapping itself."""
    row: dict[str, Any] = {
        "status": STATUS_WORD[result.status],
        "check": "not_run",
        "reason": result.reason,
        "network": describe_network(instance),
        "claims": [claim.to_json() for claim in result.claims],
        "certificates": [c.certificate.to_json() for c in result.claims if c.certificate],
        "stage_seconds": {stage: round(seconds, 4) for stage, seconds in result.seconds},
    }
    if result.mapping is None:
        return row
    mapping = result.mapping
    case = last_case(
        instance.snn, instance.platform, instance.tokens, mapping, instance.constraints
    )
    wrong = [claim for claim in result.claims if not claim.holds]
    row["decomposition"] = mapping.decomposition.policy
    row["mapping"] = document(mapping, job.instance, job.source, job.digest, job.method)
    row["bounds"] = [bound.to_json() for bound in case.bounds]
    if case.evaluation is None or case.place is None:
        row["check"] = "violation"
        row["reason"] = "; ".join(map(str, case.violations[:20]))
        return row
    row["metrics"] = case.evaluation.row()
    row["place"] = case.place.to_json()
    row["details"] = details(case)
    row["critical_cycle"] = [str(step) for step in case.evaluation.critical_cycle]
    row["check"] = "mismatch" if wrong else "ok"
    if wrong:
        row["reason"] = "; ".join(
            f"{c.metric}: {c.status.value}, claimed {c.value}, evaluated {c.evaluated},"
            f" bound {c.bound}"
            for c in wrong
        )
    return row


def platform_text(instance: Instance) -> str:
    """Return the platform of an instance in a few words: its name, tiles and crossbars."""
    platform = instance.platform
    return f"{platform.name}: {platform.num_tiles} tiles, {_crossbars(platform)}"


def describe_network(instance: Instance) -> dict[str, Any]:
    """Return the sizes that reports print beside an instance."""
    snn, platform = instance.snn, instance.platform
    return {
        "neurons": snn.num_neurons,
        "inputs": snn.num_neurons - snn.num_units,
        "synapses": snn.num_synapses,
        "max_fan_in": snn.max_fan_in,
        "spikes": int(snn.spikes.sum()),
        "spikes_origin": snn.spikes_origin,
        "platform": platform.name,
        "crossbars": _crossbars(platform),
        "tiles": platform.num_tiles,
        "tokens": instance.tokens,
        **({"notes": "; ".join(snn.notes)} if snn.notes else {}),
        **_code_of(instance),
        **({"set": EXAMPLE} if instance.is_example else {}),
    }


def _code_of(instance: Instance) -> dict[str, Any]:
    """Return the code of the inputs, and how many samples are answered rightly in it."""
    if instance.encoding is None or instance.encoding.kind is None:
        return {}
    from optmap.simulation.encoded import accuracy  # here: slow to load

    found = accuracy(Path(instance.network), instance.encoding)
    code = {"code": instance.encoding.kind}
    return code if found is None else {**code, "right": found.right, "tested": found.tested}


def _crossbars(platform: Platform) -> str:
    return " ".join(f"{rows}x{columns}" for rows, columns in platform.kinds)
