"""CP-SAT on the binding of clusters to tiles: (B0a), (B0b), (B0c).

The model, family by family, is formulations/binding_model.py.
"""

from __future__ import annotations

from formulations.binding_model import cpsat_backend
from formulations.binding_stages import least_cost
from formulations.run_cpsat import WORKERS
from optmap.evaluate.cluster_graph import ClusterGraph
from optmap.hardware import Platform
from optmap.mapping import Binding
from optmap.method import Limits, Outcome


def solve(
    graph: ClusterGraph,
    platform: Platform,
    limits: Limits,
    *,
    objective: str,
    max_load: int | None = None,
    warm: Binding | None = None,
    workers: int = WORKERS,
) -> Outcome[Binding]:
    """Return a binding: :func:`formulations.binding_stages.least_cost` by CP-SAT."""
    backend = cpsat_backend(workers)
    return least_cost(backend, graph, platform, limits, objective, max_load, warm)
