"""A complete mapping before any model is built: the best of a few fast flows, or the one given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
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
from optmap.model.outcome import Limits, Outcome, Status
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
    sets: WholeSets,
    limits: Limits,
    start: Mapping | None,
    prologue: bool,
    on_better: Callable[[Outcome[Mapping]], None] | None = None,
) -> Mapping | None:
    """Return what the search over all decisions finds, projected where it may not run ahead.

    None where nothing was found; ``start`` itself where that is better. ``on_better`` is told of
    every better one.
    """
    best = usable_start(sets, start, prologue)
    target = Target(sets.snn, sets.platform, sets.tokens, "period", limits.seed)

    def keep(outcome: Outcome[Mapping]) -> None:
        nonlocal best
        found = outcome.solution
        if found is not None and found.orders.has_prologue and not prologue:
            placed = Placed(found.decomposition, found.clustering, found.binding)
            found = target.projected(placed)[0]
        known = usable_start(sets, found, prologue)
        if known is not None and (best is None or known[1] < best[1]):
            best = known
            if on_better is not None:
                on_better(Outcome(Status.FEASIBLE, *best))

    with suppress(CapacityError):
        search(sets.snn, sets.platform, sets.tokens, limits, start=start, on_better=keep)
    return None if best is None else best[0]


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
