"""Why a mapping is no faster: what its binding can reach at best, and its critical cycle in words.

A binding has floors that no order undercuts, with or without prologue: its slowest actor, its
busiest tile, its busiest network interface, and the cycle ratio of the binding-aware graph without
the edges of the orders (recurrences and buffers). A period on a floor is explained by that floor,
whatever edges the critical cycle happens to use; only a period above all of them is the orders'
fault, and only then is another order named as a help.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from optmap.judge.binding_aware_graph import BindingAwareGraph, Reason
from optmap.judge.case import Case
from optmap.judge.evaluation import CycleStep, Evaluation, critical_cycle
from optmap.judge.metrics import loads
from optmap.sdf.marked_graph import MarkedGraph


@dataclass(frozen=True, slots=True)
class Explanation:
    """What limits the period, in one word and in sentences."""

    resource: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Floor:
    """A period that no order on this binding undercuts, in ticks, and what causes it."""

    cause: str
    ticks: Fraction


@dataclass(frozen=True, slots=True)
class Floors:
    """The floors of one binding.

    Parameters
    ----------
    actor, tile, interface : Floor
        Slowest actor; tile and network interface that are busiest per iteration.
    free : Fraction
        Least period if tiles and network interfaces could fire in any order at any time.
    free_cycle : tuple of CycleStep
        The cycle that causes ``free``.
    """

    actor: Floor
    tile: Floor
    interface: Floor
    free: Fraction
    free_cycle: tuple[CycleStep, ...]

    @property
    def least(self) -> Fraction:
        """The highest floor: no order reaches a shorter period on this binding."""
        return max(self.actor.ticks, self.tile.ticks, self.interface.ticks, self.free)


def floors(case: Case) -> Floors | None:
    """Return the floors of a valid mapping's binding; None if it has no cluster."""
    if not case.graph.num_clusters:
        return None
    bound = case.bound
    crossbar, interface = loads(bound, case.platform, case.mapping.binding)
    free, cycle = critical_cycle(_without_orders(bound))
    slowest = int(bound.time.argmax())
    return Floors(
        Floor(bound.name_of(slowest), Fraction(int(bound.time[slowest]))),
        Floor(f"tile {crossbar.argmax()}", Fraction(int(crossbar.max()))),
        Floor(f"tile {interface.argmax()}", Fraction(int(interface.max()))),
        free or Fraction(0),
        cycle,
    )


def _without_orders(bound: BindingAwareGraph) -> BindingAwareGraph:
    kept = np.flatnonzero((bound.reason != Reason.ORDER) & (bound.reason != Reason.SEND_ORDER))
    old = bound.graph
    parts = (old.source[kept], old.target[kept], old.delay[kept], old.tokens[kept])
    return BindingAwareGraph(
        MarkedGraph(old.num_actors, *parts),
        bound.reason[kept],
        bound.time,
        bound.send_channel,
        bound.clusters,
    )


def explain(evaluation: Evaluation, floors: Floors | None) -> Explanation:
    """Return what limits the period of an evaluated mapping, given its binding's floors."""
    period, cycle = evaluation.period, evaluation.critical_cycle
    if period is None or not cycle or floors is None:
        return Explanation("nothing", ("The network has no cluster: nothing bounds its speed.",))
    resource = _resource(period, floors)
    sentences = [
        _cycle_sentence(period, cycle),
        _SENTENCE[resource].format(**_names(floors, cycle)),
        _shares(cycle),
        _floor_sentence(period, floors),
    ]
    if floors.tile.ticks != period:
        sentences.append(
            f"The busiest crossbar, on {floors.tile.cause}, works {_ticks(floors.tile.ticks)} per"
            f" iteration, {_share(floors.tile.ticks, period)} of the period."
        )
    if resource != "network interface" and floors.interface.ticks:
        sentences.append(
            f"The busiest network interface, of {floors.interface.cause}, sends"
            f" {_ticks(floors.interface.ticks)} per iteration,"
            f" {_share(floors.interface.ticks, period)} of the period."
        )
    if evaluation.link_load is not None and evaluation.link_load > 1:
        sentences.append(
            f"The busiest link would have to carry {float(evaluation.link_load):.1f} times what its"
            " reservation allows: the period holds only if links are wider."
        )
    return Explanation(resource, tuple(sentences))


_SENTENCE = {
    "actor": "{actor} alone takes the whole period: only smaller clusters, or faster reading of"
    " spikes, can help.",
    "tile": "The crossbar of {tile} fires its clusters one after the other without a pause: it is"
    " saturated; fewer or smaller clusters on it, or a faster crossbar, would help.",
    "network interface": "The network interface of {interface} sends without a pause: it is"
    " saturated; a faster interface, or fewer spikes leaving that tile, would help.",
    "buffer": "A full buffer holds a producer back ({buffer}), whatever the order: more buffer"
    " windows would help, or a faster way from one to the other.",
    "recurrence": "A recurrent part of the network closes a cycle whose steps cannot overlap"
    " ({free}, ...): a shorter way round would help (same tile, faster sends, smaller clusters).",
    "order": "Tiles wait for each other: data from one tile arrives late in the static order of"
    " another ({first}, ...); another order or a prologue may help, at best down to {least}; below"
    " that only another binding.",
}


def _resource(period: Fraction, floors: Floors) -> str:
    """Return the floor that the period stands on, the simplest first; "order" above them all."""
    if period == floors.actor.ticks:
        return "actor" if floors.actor.cause.startswith("cluster") else "network interface"
    if period == floors.tile.ticks:
        return "tile"
    if period == floors.interface.ticks:
        return "network interface"
    if period == floors.free:
        reasons = {step.reason for step in floors.free_cycle}
        return "buffer" if "buffer" in reasons else "recurrence"
    return "order"


def _cycle_sentence(period: Fraction, cycle: Sequence[CycleStep]) -> str:
    total, tokens = sum(step.delay for step in cycle), sum(step.tokens for step in cycle)
    return (
        f"The period is {_ticks(period)}: a cycle of {len(cycle)}"
        f" step{'s' if len(cycle) != 1 else ''} takes {total} ticks for"
        f" {tokens} iteration{'s' if tokens != 1 else ''}."
    )


def _floor_sentence(period: Fraction, floors: Floors) -> str:
    if period == floors.least:
        return "No order of these clusters on these tiles is faster, with or without a prologue."
    return (
        f"No order on this binding goes below {_ticks(floors.least)},"
        f" {_share(floors.least, period)} of the period."
    )


def _names(floors: Floors, cycle: Sequence[CycleStep]) -> dict[str, str]:
    full = next((step for step in floors.free_cycle if step.reason == "buffer"), cycle[0])
    return {
        "actor": floors.actor.cause.capitalize(),
        "tile": floors.tile.cause,
        "interface": floors.interface.cause,
        "buffer": f"{full.target} waits for {full.source}",
        "free": floors.free_cycle[0].source if floors.free_cycle else "",
        "first": cycle[0].source,
        "least": _ticks(floors.least),
    }


def _shares(cycle: Sequence[CycleStep]) -> str:
    shares: Counter[str] = Counter()
    for step in cycle:
        sending = step.source.startswith("send")
        shares["sending and the network" if sending else "computing"] += step.delay
    total = sum(shares.values()) or 1
    parts = (f"{100 * ticks / total:.0f} % is {kind}" for kind, ticks in shares.most_common())
    return "Of the cycle's time " + ", ".join(parts) + "."


def _ticks(value: Fraction) -> str:
    exact = str(value) if value.denominator == 1 else f"{value} = {float(value):.2f}"
    return f"{exact} ticks"


def _share(part: Fraction, whole: Fraction) -> str:
    return f"{100 * float(part / whole):.0f} %"
