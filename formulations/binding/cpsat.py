"""CP-SAT on the binding of clusters to tiles: (B0a), (B0b), (B0c).

The model, family by family, is formulations/binding/cpsat_model.py.
"""

from __future__ import annotations

from formulations.binding.cpsat_backend import cpsat_backend
from formulations.binding.stages import least_cost
from formulations.solvers.run_cpsat import WORKERS
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.outcome import Limits, Outcome
from optmap.model.platform import Platform


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
    """Return a binding: :func:`formulations.binding.stages.least_cost` by CP-SAT."""
    backend = cpsat_backend(workers)
    return least_cost(backend, graph, platform, limits, objective, max_load, warm)
