"""One row as ``map`` prints it, and as the JSON object that it gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from rich.console import Console

from optmap.errors import wrapped
from optmap.experiment.component_shares import share_lines, shares
from optmap.experiment.row import Row
from optmap.experiment.tables.best_known import read_folder
from optmap.experiment.tables.gaps import Gap, all_gaps
from optmap.experiment.tables.metrics import metric_named
from optmap.experiment.tables.stage_gaps import OPTIMUM_OF, stage_gaps
from optmap.experiment.tables.text import compact, percent
from optmap.experiment.tables.title import instance_title
from optmap.experiment.verdict import energy_given, fits_sentence, one_tick_lines, speed_lines
from optmap.instance import Instance
from optmap.methods import METHODS
from optmap.model.claim import written
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.scope import END_TO_END
from optmap.output import print_text
from optmap.shipped import best_known_folder

#: Steps of a critical cycle that are printed; some have hundreds.
CYCLE_STEPS = 12
#: What the JSON object shows of the judge's row, besides energy.
SHOWN = (
    "clusters",
    "traffic",
    "external_spikes",
    "input_deliveries",
    "spike_hops",
    "period",
    "throughput",
    "latency",
    "tiles_used",
    "area_um2",
    "connectivity",
    "multicast_hops",
    "multicast_link_max",
    "multicast_link_variance",
    "spike_latency_mean",
    "spike_latency_max",
)
#: What is printed below the metrics with gaps, and how it is called there.
PRINTED = {
    "external_spikes": "external spikes",
    "input_deliveries": "input spikes",
    "tiles_used": "tiles used",
    "latency": "latency, ticks",
    "link_load_max": "link load, most",
    "connectivity": "connectivity",
    "multicast_hops": "multicast hops",
    "multicast_link_max": "multicast link",
    "spike_latency_mean": "spike latency",
    "spike_latency_max": "worst of these",
}


def summary(row: Row) -> dict[str, Any]:
    """Return the one-line JSON object: status, metrics, bounds with scope and grade, check."""
    stored = row.to_json()
    result: dict[str, Any] = {
        "instance": row.instance,
        "method": row.method,
        "decomposition": row.decomposition or METHODS[row.method].decomposition,
        "status": row.status,
        "check": row.check,
        "reason": row.reason,
        "seed": row.seed,
        "wall_s": row.wall_s,
        "spikes": row.network.get("spikes_origin"),
    }
    result |= {name: stored["metrics"].get(name) for name in SHOWN}
    energy = row.value("energy_pj")
    result["energy_pj"] = None if energy is None else float(energy)
    result["components"] = [share.record() for share in shares(row)]
    for g in all_gaps([row], read_folder(best_known_folder()).of(row.digest)):
        low = g.bound
        result[f"bound_{g.metric}"] = None if low is None else written(low.value)
        result[f"bound_scope_{g.metric}"] = None if low is None else str(low.scope)
        result[f"bound_grade_{g.metric}"] = None if low is None else low.grade.value
        result[f"bound_name_{g.metric}"] = None if low is None else low.name
        result[f"gap_{g.metric}"] = None if g.to_bound is None else round(float(g.to_bound), 6)
        known = g.best_known
        whole = known.denominator == 1
        result[f"best_known_{g.metric}"] = int(known) if whole else written(known)
    result.setdefault("bound_clusters", None)
    result["stage_bounds"] = [stage.record() for stage in stage_gaps([row])]
    result["network"] = dict(row.network) or None
    result["critical_cycle_length"] = len(row.critical_cycle)
    result["critical_cycle"] = list(row.critical_cycle[:CYCLE_STEPS])
    return result


def report(row: Row, document: dict[str, Any] | None, instance: Instance, console: Console) -> None:
    """Print what a person wants to know: does it fit, how fast, how far from the optimum, why."""
    platform = instance.platform

    def say(text: str) -> None:
        print_text(console, wrapped(text, console.width))

    say(instance_title(row))
    for line in _verdict_lines(row, document, instance):
        say(line)
    say(f"{row.method}: {row.status}, check {row.check}, {row.wall_s:.2f} s")
    if not row.metrics:
        return
    if row.reason and row.check == "ok":
        say(f"  note             {row.reason}")
    say(f"  spikes           {row.network['spikes_origin']}")
    if row.network.get("notes"):
        say(f"  read with        {row.network['notes']}")
    for name, text in platform.sources.items():
        if name.startswith("note "):
            say(f"  platform         {text}")
    gaps = all_gaps([row], read_folder(best_known_folder()).of(row.digest))
    for g in gaps:
        if g.metric != "energy_pj" or energy_given(platform):
            say(f"  {metric_named(g.metric).title:<16} {compact(g.value):<9} {_against(g)}")
    if not energy_given(platform):
        say("  energy           -         the platform gives no energies")
    for line in share_lines(row):
        say(line)
    for name, title in PRINTED.items():
        value = row.value(name)
        say(f"  {title:<16} {'-' if value is None else compact(value)}")
    use = ", ".join(
        f"{kind} {percent(value)}"
        for kind in ("row", "column", "synapse")
        if (value := row.value(f"{kind}_use_mean")) is not None
    )
    say(f"  mean use         {use or '-'}")
    for line in _stage_lines(row, gaps, energy_given(platform)):
        say(line)
    if row.critical_cycle:
        say("  critical cycle (why it is no faster):")
        for step in row.critical_cycle[:CYCLE_STEPS]:
            say(f"    {step}")
        if len(row.critical_cycle) > CYCLE_STEPS:
            say(f"    ... {len(row.critical_cycle) - CYCLE_STEPS} more")


def _verdict_lines(row: Row, document: dict[str, Any] | None, instance: Instance) -> Iterator[str]:
    """Yield whether the network fits, and how fast it is."""
    platform = instance.platform
    if document is None or row.check != "ok":
        open_question = row.status == "no_solution"
        none = "no mapping found" if open_question else "no valid mapping"
        yield f"verdict: {none} ({row.reason or row.status})"
        if open_question:
            yield f"  by {row.method}; `explain --needs` says whether any fits, and what would do"
        return
    yield f"verdict: {fits_sentence(document['mapping']['tile_of'], platform)}"
    period, windows = row.value("period"), row.source.windows
    per_window = None if period is None else period / windows
    yield from speed_lines(per_window, row.value("latency"), platform)
    yield from one_tick_lines(platform, isinstance(instance.snn, ClusteredSNN))


def _stage_lines(row: Row, gaps: Sequence[Gap], with_energy: bool) -> Iterator[str]:
    """Yield how far each stage is from the optimum of what its own earlier decisions leave open."""
    stages = [s for s in stage_gaps([row]) if s.given != "end to end"]
    stages = [s for s in stages if with_energy or s.metric != "energy_pj"]
    # of two bounds that cover the mapping the lower one says nothing
    floor = {g.metric: g.bound.value for g in gaps if g.bound is not None}
    stages = [s for s in stages if s.bound.value >= floor.get(s.metric, s.bound.value)]
    if stages:
        yield "  stages (what its own earlier decisions leave open):"
    for s in stages:
        label = f"{metric_named(s.metric).label} of {OPTIMUM_OF[s.given]}"
        reached = "the optimum" if s.value == s.bound.value else f"gap {percent(s.to_bound)}"
        yield f"    {label:<28} >= {compact(Fraction(s.bound.value))}, {reached} ({s.bound.name})"


def _against(g: Gap) -> str:
    """Return the end-to-end bound of a value in words."""
    if not g.value:
        return "nothing is less: optimal end to end"
    if g.bound is None or g.to_bound is None:
        return "no bound for every mapping"
    everywhere = g.bound.scope == END_TO_END
    optimal = "proved optimal end to end" if everywhere else "proved optimal among these"
    proof = optimal if g.proved else f"end-to-end gap {percent(g.to_bound)}"
    whose = "every mapping" if everywhere else "every mapping that divides no neuron that fits"
    far = ""
    if g.to_best_known:
        far = f"; best known {compact(g.best_known)}, {percent(g.to_best_known)} below"
    return f">= {compact(Fraction(g.bound.value))} for {whose}, {proof} ({g.bound.name}){far}"
