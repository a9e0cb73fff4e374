"""A complete mapping before any model is built: the best of a few fast flows, or the one given."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from formulations.whole.sets import WholeSets
from optmap.binding import hill_climbing, load_balance
from optmap.clustering import overlap, song2020
from optmap.clustering.contract import cluster
from optmap.decomposing import none, spikes, tree
from optmap.errors import CapacityError
from optmap.judge.check import check
from optmap.judge.evaluation import evaluate
from optmap.model.capacity import unit_fan_in
from optmap.model.cluster_graph import cluster_graph
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits
from optmap.ordering import projection
from optmap.whole.convert import Placed
from optmap.whole.search import search
from optmap.whole.target import Target

Start = tuple[Mapping, Fraction]


def period_of(sets: WholeSets, mapping: Mapping) -> Fraction | None:
    """Return the judge's period; None if the mapping breaks a rule."""
    if check(sets.snn, sets.platform, mapping, sets.tokens):
        return None
    return evaluate(sets.platform, mapping, sets.tokens).period


def usable_start(sets: WholeSets, start: Mapping | None, prologue: bool) -> Start | None:
    """Return ``start`` with its period if it may be used, else None."""
    if start is None or (start.orders.has_prologue and not prologue):
        return None
    period = period_of(sets, start)
    return None if period is None else (start, period)


def searched_start(
    sets: WholeSets, limits: Limits, start: Mapping | None, prologue: bool
) -> Mapping | None:
    """Return what the search over all decisions finds, projected if it may not run ahead.

    None where nothing was found; ``start`` itself where that is better.
    """
    try:
        found = search(sets.snn, sets.platform, sets.tokens, limits, start=start).solution
    except CapacityError:
        return None
    if found is None or prologue or not found.orders.has_prologue:
        return found
    target = Target(sets.snn, sets.platform, sets.tokens, "period", limits.seed)
    placed = Placed(found.decomposition, found.clustering, found.binding)
    plain = usable_start(sets, target.projected(placed)[0], prologue)
    given = usable_start(sets, start, prologue)
    known = [s for s in (plain, given) if s is not None]
    return min(known, key=lambda s: s[1])[0] if known else None


def warm_mapping(sets: WholeSets, seed: int) -> Start | None:
    """Return the best of two decompositions, clusterings and bindings; None if none fits."""
    best: Start | None = None
    for mapping in _flows(sets, seed):
        period = period_of(sets, mapping)
        if period is not None and (best is None or period < best[1]):
            best = mapping, period
    return best


def _flows(sets: WholeSets, seed: int) -> Iterator[Mapping]:
    platform, made = sets.platform, []
    for decomposition in _decompositions(sets):
        for clusterer in (overlap, song2020):
            try:
                clustering = cluster(clusterer.partition, decomposition, platform, seed=seed)
            except ValueError:  # it fits no crossbar
                continue
            if (decomposition, clustering) in made:
                continue
            made.append((decomposition, clustering))
            graph = cluster_graph(decomposition, clustering, platform, sets.tokens)
            for binder in (load_balance, hill_climbing):
                try:
                    binding = binder.bind(graph, platform, seed=seed)
                    orders = projection.order(graph, binding, platform)
                except ValueError:  # slots or buffers do not hold it
                    continue
                yield Mapping(decomposition, clustering, binding, orders)


def _decompositions(sets: WholeSets) -> list[Decomposition]:
    if sets.snn.max_fan_in <= unit_fan_in(sets.snn, sets.platform):
        return [none.decompose(sets.snn, sets.platform)]
    return [policy.decompose(sets.snn, sets.platform) for policy in (spikes, tree)]
