"""What commands ask of ``formulations`` besides the stages of a method, loaded when it is asked."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from optmap.clock import counted
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Binding, Clustering
from optmap.model.outcome import Limits
from optmap.model.platform import Platform
from optmap.model.snn import SNN

if TYPE_CHECKING:
    from formulations.clustering.explain import Conflict as Conflict
    from formulations.clustering.verify_certificate import Verdict
    from optmap.model.certificate import PriceCertificate
    from optmap.model.cover_certificate import CoverCertificate


def compile_binding_search(graph: ClusterGraph, platform: Platform) -> None:
    """Compile the kernels of the searched binding; ``platform`` has a tile for each cluster."""
    from formulations.binding.search import warm_up

    warm_up(graph, platform)


def compile_clustering_searches(decomposition: Decomposition, platform: Platform) -> None:
    """Compile the kernels that exact clusterings reach only where time is left."""
    from formulations.clustering.warm_up import warm_up

    warm_up(decomposition, platform)


def compile_schedule_proofs(graph: ClusterGraph, platform: Platform, binding: Binding) -> None:
    """Compile the kernels that bound spike-hops, and those that search the orders of a binding."""
    from formulations.binding.bounds import hop_bounds
    from formulations.binding.sets import BindingSets
    from formulations.ordering.branch_and_bound import refuted
    from formulations.ordering.sets import OrderSets
    from formulations.solvers.stopwatch import Stopwatch

    with counted():  # of a second of the clock, compiling leaves nothing
        hop_bounds(BindingSets(graph, platform), Stopwatch(Limits(1.0)))
    sets = OrderSets(graph, platform, binding)
    refuted(sets, Fraction(2 * sum(sets.time)))


def prove_again(
    certificate: PriceCertificate, decomposition: Decomposition, platform: Platform, limits: Limits
) -> Verdict:
    """Prove a certificate's bound for these units and this platform once more."""
    from formulations.clustering.verify_certificate import verify

    return verify(certificate, decomposition, platform, limits)


def prove_cover_again(
    certificate: CoverCertificate, snn: SNN, platform: Platform
) -> tuple[Fraction | None, str]:
    """Return the bound that a cover's prices prove, or None and why they prove nothing."""
    from formulations.whole.synapse_cover import verify_cover

    return verify_cover(certificate, snn, platform)


def conflict_of(
    snn: SNN,
    platform: Platform,
    policy: str,
    limits: Limits,
    cluster: Callable[[Decomposition, Platform], Clustering],
) -> Conflict | None:
    """Return why the clusters outnumber the platform's slots; None if they need not."""
    from formulations.clustering.explain import explain

    return explain(snn, platform, policy, limits, cluster)


def binding_floor(graph: ClusterGraph, platform: Platform, limits: Limits, objective: str) -> int:
    """Return the bound on "load" or "hops" that the exact bindings take from no solver."""
    from formulations.binding.sets import BindingSets
    from formulations.binding.stages import floor_of

    return floor_of(BindingSets(graph, platform), limits, objective)[0]
