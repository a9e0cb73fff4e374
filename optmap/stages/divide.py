"""Decomposition and clustering: by heuristics, by solvers, or as the instance comes."""

from __future__ import annotations

from dataclasses import replace

from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds, counting_bounds
from optmap.bounds.resident_memory import memory_shortage
from optmap.clustering.contract import CLUSTERERS, DIVIDERS, cluster, divided, refuse_overfull
from optmap.decomposing.contract import DECOMPOSERS, decompose
from optmap.exact import EXACT_CLUSTERINGS, TREE_IMPROVERS, ExactClustering, TreeImprover
from optmap.judge.metrics import traffic
from optmap.methods import Method
from optmap.model.capacity import refuse_unknown_populations
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering, Mapping
from optmap.model.scope import Scope
from optmap.model.snn import SNN
from optmap.stages.constrain import repaired_clusters, with_rules
from optmap.stages.course import WARM_CLUSTERING, Course, ProvedInfeasibleError

Units = tuple[Decomposition, Clustering]


def divide(course: Course, method: Method, snn: SNN, placement: Mapping | None) -> Units:
    """Return the units and the clusters of a method, whichever list its stage stands in."""
    refuse_unknown_populations(snn, course.platform)
    if isinstance(snn, ClusteredSNN):  # it came clustered: nothing to divide
        rows = max(snn.max_fan_in, course.platform.max_rows)
        return _demanded(course, snn, decompose(snn, rows, "none")), snn.clustering
    if placement is not None:
        return placement.decomposition, placement.clustering
    decomposition, clustering = _divide(course, method, snn)
    refuse_overfull(decomposition, clustering, course.platform, f"clustering {method.clustering!r}")
    return decomposition, clustering


def _divide(course: Course, method: Method, snn: SNN) -> Units:
    name, seed = method.clustering, course.limits.seed
    if name in DIVIDERS:
        decomposition, found = divided(DIVIDERS[name](), snn, course.platform, seed=seed)
        decomposition = _demanded(course, snn, decomposition)
        return decomposition, repaired_clusters(decomposition, found, course.platform)
    decomposition = DECOMPOSERS[method.decomposition]()(snn, course.platform, seed=seed)
    decomposition = _demanded(course, snn, decomposition)
    if name in TREE_IMPROVERS:
        return _improve(course, TREE_IMPROVERS[name](), snn, decomposition)
    _refuse_too_few_slots(course, decomposition)
    if name in EXACT_CLUSTERINGS:
        return decomposition, _solve(course, EXACT_CLUSTERINGS[name], decomposition)
    return decomposition, _cluster(course, name, decomposition)


def _demanded(course: Course, snn: SNN, decomposition: Decomposition) -> Decomposition:
    return with_rules(decomposition, course.constraints, snn, course.platform)


def _cluster(course: Course, name: str, decomposition: Decomposition) -> Clustering:
    seed = course.limits.seed
    found = cluster(CLUSTERERS[name](), decomposition, course.platform, seed=seed)
    return repaired_clusters(decomposition, found, course.platform)


def _improve(
    course: Course, improve: TreeImprover, snn: SNN, decomposition: Decomposition
) -> Units:
    start = _cluster(course, WARM_CLUSTERING, decomposition)
    course.fall_back_on(decomposition, start)
    half = replace(course.limits, wall_s=max(course.left / 2, 0.1))
    return improve(snn, decomposition, course.platform, start, half)


def _refuse_too_few_slots(course: Course, decomposition: Decomposition) -> None:
    short = memory_shortage(decomposition.network, course.platform)
    if short:
        raise ProvedInfeasibleError(short)
    slots = course.platform.total_slots
    if slots is None:
        return
    words = "1 slot" if slots == 1 else f"{slots} slots"
    for bounds in (counting_bounds, cluster_bounds):  # what only counts takes no time
        proved = best(bounds(decomposition, course.platform))
        if proved is not None and proved.value > slots:
            raise ProvedInfeasibleError(
                f"the platform has {words}; every clustering of the {decomposition.policy}"
                f" decomposition needs at least {proved.value} ({proved.name} bound)"
            )


def _solve(course: Course, stage: ExactClustering, decomposition: Decomposition) -> Clustering:
    """Find the fewest clusters, then the least traffic among so many."""
    warm = _cluster(course, WARM_CLUSTERING, decomposition)
    course.fall_back_on(decomposition, warm)
    scope = Scope(units=decomposition.identity)
    fewest = stage.fewest()(
        decomposition,
        course.platform,
        course.share("clusters"),
        start=warm,
        on_better=course.reporter(decomposition, scope),
    )
    found = fewest.solution
    course.claim("clusters", fewest, scope, found.num_clusters if found else None)
    if found is not None:
        course.fall_back_on(decomposition, found)
    warm = found or warm
    most = warm.num_clusters
    least = stage.least()(decomposition, course.platform, most, course.share("traffic"), start=warm)
    found = least.solution
    evaluated = traffic(decomposition, found).total if found else None
    course.claim("traffic", least, replace(scope, max_clusters=most), evaluated)
    return found or warm
