"""Why a mapping is no faster: its critical cycle in words.

The cycle's edges say who waits for whom and why (MODEL, reasons). The binding resource follows from
the reasons on the cycle: an actor alone, a tile's order, a network interface's sends, a full
buffer, a recurrence of the network, or the interplay of order and data between tiles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from optmap.judge.evaluation import CycleStep, Evaluation


@dataclass(frozen=True, slots=True)
class Explanation:
    """What limits the period, in one word and in sentences."""

    resource: str
    sentences: tuple[str, ...]


def explain(evaluation: Evaluation) -> Explanation:
    """Return what limits the period of an evaluated mapping."""
    period, cycle = evaluation.period, evaluation.critical_cycle
    if period is None or not cycle:
        return Explanation("nothing", ("The network has no cluster: nothing bounds its speed.",))
    resource = _resource(cycle)
    shares = _time_by_kind(cycle)
    total = sum(shares.values()) or 1
    tokens = sum(step.tokens for step in cycle)
    sentences = [
        f"The period is {_ticks(period)}: a cycle of {len(cycle)}"
        f" step{'s' if len(cycle) != 1 else ''} takes {total} ticks for"
        f" {tokens} iteration{'s' if tokens != 1 else ''}.",
        _SENTENCE[resource].format(**_actors(cycle)),
        "Of the cycle's time "
        + ", ".join(
            f"{100 * ticks / total:.0f} % is {kind}" for kind, ticks in shares.most_common()
        )
        + ".",
    ]
    if evaluation.tile_load is not None:
        busiest = evaluation.tile_load.extreme
        sentences.append(
            f"The busiest crossbar works {_ticks(busiest)} per iteration, {_share(busiest, period)}"
            " of the period; no order and no faster network can go below that on this binding."
        )
    if evaluation.ni_load is not None and evaluation.ni_load.extreme:
        busiest = evaluation.ni_load.extreme
        sentences.append(
            f"The busiest network interface sends {_ticks(busiest)} per iteration,"
            f" {_share(busiest, period)} of the period."
        )
    if evaluation.link_load is not None and evaluation.link_load > 1:
        sentences.append(
            f"The busiest link would have to carry {float(evaluation.link_load):.1f} times what its"
            " reservation allows: the period holds only if links are wider."
        )
    return Explanation(resource, tuple(sentences))


_SENTENCE = {
    "actor": "{first} alone takes the whole period: only smaller clusters, or faster reading of"
    " spikes, can help.",
    "tile": "One tile fires its clusters one after the other without a pause ({first}, ...): it is"
    " saturated; fewer or smaller clusters on it would help.",
    "network interface": "One network interface sends without a pause ({first}, ...): it is"
    " saturated; a faster interface, or fewer spikes leaving that tile, would help.",
    "buffer": "A full buffer holds a producer back ({buffer}): more buffer windows would help, or a"
    " consumer that fires earlier.",
    "recurrence": "A recurrent part of the network closes this cycle: its steps cannot overlap; a"
    " shorter way round (same tile, faster sends) would help.",
    "order": "Tiles wait for each other: data from one tile arrives late in the static order of"
    " another ({first}, ...); another order, another binding or a prologue would help.",
}


def _resource(cycle: Sequence[CycleStep]) -> str:
    reasons = {step.reason for step in cycle}
    if reasons == {"self"}:
        return "actor" if cycle[0].source.startswith("cluster") else "network interface"
    if reasons == {"order"}:
        return "tile"
    if reasons == {"send_order"}:
        return "network interface"
    if "buffer" in reasons:
        return "buffer"
    return "recurrence" if reasons == {"data"} else "order"


def _actors(cycle: Sequence[CycleStep]) -> dict[str, str]:
    full = next((step for step in cycle if step.reason == "buffer"), cycle[0])
    return {"first": cycle[0].source, "buffer": f"{full.target} waits for {full.source}"}


def _time_by_kind(cycle: Sequence[CycleStep]) -> Counter[str]:
    shares: Counter[str] = Counter()
    for step in cycle:
        sending = step.source.startswith("send")
        shares["sending and the network" if sending else "computing"] += step.delay
    return shares


def _ticks(value: Fraction) -> str:
    exact = str(value) if value.denominator == 1 else f"{value} = {float(value):.2f}"
    return f"{exact} ticks"


def _share(part: Fraction, whole: Fraction) -> str:
    return f"{100 * float(part / whole):.0f} %"
