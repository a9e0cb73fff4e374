"""A bound proved again: without a solver, by its certificate, or by solving its stage once more.

What none of them proves again within its limit is not refuted either: it rests on a solver's word,
is counted as such, and is no reason for a star.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from optmap.bounds.bound import Bound
from optmap.exact import EXACT_BINDERS, EXACT_CLUSTERINGS, EXACT_ORDERINGS, EXACT_SCHEDULES
from optmap.instance import Instance
from optmap.model.cluster_graph import cluster_graph
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits, Value

#: Another seed than any row's, so that a solver does not repeat its own mistake.
SECOND_SEED = 104_729


class Word(Enum):
    """What is known of a bound now."""

    PROVED_AT_ONCE = "proved without solving anything again"
    PROVED = "proved by solving again"
    REFUTED = "refuted"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class SecondProof:
    """What became of one bound, and by what."""

    word: Word
    by: str


def prove_bound(
    bound: Bound, mapping: Mapping, instance: Instance, own: Iterable[Bound], limits: Limits
) -> SecondProof:
    """Try to prove a bound again, the cheapest way first.

    Parameters
    ----------
    bound : Bound
        As a stage of the mapping's method claims it; its scope names the mapping's identities.
    own : iterable of Bound
        Bounds that were computed or proved just now.
    limits : Limits
        For solving the stage again; the seed should be another than the row's.
    """
    for known in own:
        same = known.metric == bound.metric and bound.scope.within(known.scope)
        if same and known.value >= bound.value:
            return SecondProof(Word.PROVED_AT_ONCE, known.name)
    value, low, by = _solved_again(bound, mapping, instance, limits)
    if value is not None and value < bound.value:
        return SecondProof(Word.REFUTED, f"{by} reached {value}")
    if low is not None and low >= bound.value:
        return SecondProof(Word.PROVED, by)
    return SecondProof(Word.OPEN, f"{by} proved {'nothing' if low is None else low}")


Found = tuple[Value | Fraction | None, Value | Fraction | None, str]


def _solved_again(bound: Bound, mapping: Mapping, instance: Instance, limits: Limits) -> Found:
    """Return value and bound of the stage solved again, and which solver did it."""
    platform, scope = instance.platform, bound.scope
    decomposition, clustering = mapping.decomposition, mapping.clustering
    if scope.stage == "end to end":
        return None, None, "nobody"
    if scope.stage == "units":
        return _clustering_again(bound, mapping, instance, limits)
    graph = cluster_graph(decomposition, clustering, platform, instance.tokens)
    if bound.metric == "period" and scope.stage == "binding":
        name = "cpsat-prologue" if scope.prologue else "cpsat"
        start = None if mapping.orders.has_prologue and not scope.prologue else mapping.orders
        order = EXACT_ORDERINGS[name].load()
        orders = order(graph, platform, mapping.binding, limits, start=start)
        return orders.claimed, orders.bound, name
    if bound.metric == "period":
        name = "joint-prologue" if scope.prologue else "joint"
        both = EXACT_SCHEDULES[name].load()(graph, platform, limits)
        return both.claimed, both.bound, name
    if bound.metric in ("tile_load_max", "spike_hops"):
        bind = EXACT_BINDERS["cpsat"]()
        objective = "load" if bound.metric == "tile_load_max" else "hops"
        found = bind(graph, platform, limits, objective=objective, max_load=scope.max_load)
        return found.claimed, found.bound, "cpsat"
    return None, None, "nobody"


def _clustering_again(bound: Bound, mapping: Mapping, instance: Instance, limits: Limits) -> Found:
    decomposition, clustering = mapping.decomposition, mapping.clustering
    if bound.metric == "clusters":
        fewest = EXACT_CLUSTERINGS["colgen"].fewest()
        found = fewest(decomposition, instance.platform, limits, start=clustering)
        return found.claimed, found.bound, "column generation"
    if bound.metric == "traffic":
        most = bound.scope.max_clusters or clustering.num_clusters
        least = EXACT_CLUSTERINGS["lns"].least()
        found = least(decomposition, instance.platform, most, limits, start=clustering)
        return found.claimed, found.bound, "prices"
    return None, None, "nobody"
