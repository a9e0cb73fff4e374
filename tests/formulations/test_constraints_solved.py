"""Demands of users: MILP = CP-SAT = enumeration, for clusterings and for bindings."""

from __future__ import annotations

import numpy as np
import pytest

from formulations.binding import cpsat as binding_cpsat
from formulations.binding import milp as binding_milp
from formulations.binding.sets import load_of, spike_hops_of
from formulations.clustering import cpsat, milp
from formulations.clustering.sets import traffic_of
from optmap.decomposing.contract import decompose
from optmap.model.cluster_graph import cluster_graph
from optmap.model.mapping import Binding, compact
from optmap.model.outcome import Limits, Status
from optmap.stages.constrain import limited, with_rules
from tests import constraint_cases as cases

LIMITS = Limits(20.0, 1, 0)
MANY = [pytest.param(seed, marks=pytest.mark.full) for seed in range(8, 300)]


@pytest.mark.parametrize("seed", [*range(8), *MANY])
def test_clusterings_and_bindings_are_the_enumerated_best(seed: int):
    snn, platform, constraints = cases.case(seed)
    decomposition = decompose(snn, platform.max_rows, "none")
    decomposition = with_rules(decomposition, constraints, snn, platform)
    chip = limited(platform, constraints)
    every = list(cases.clusterings(snn, platform, constraints))
    for solver in (milp, cpsat):
        fewest = solver.minimize_clusters(decomposition, chip, LIMITS)
        if not every:
            assert fewest.status is Status.INFEASIBLE
            continue
        assert fewest.status is Status.OPTIMAL
        most = min(max(labels) + 1 for labels in every)
        assert fewest.claimed == fewest.solution.num_clusters == most
        assert decomposition.rules.allows(fewest.solution.cluster_of)
        least = solver.minimize_traffic(decomposition, chip, most, LIMITS, fewest.solution)
        traffics = [traffic_of(snn, compact(x)) for x in every if max(x) + 1 <= most]
        assert (least.status, least.claimed) == (Status.OPTIMAL, min(traffics))
    rng = np.random.default_rng(seed)
    for labels in (every[i] for i in rng.permutation(len(every))[:1]):
        _bindings(snn, platform, constraints, decomposition, labels)


def _bindings(snn, platform, constraints, decomposition, labels):
    graph = cluster_graph(decomposition, compact(labels), platform, "dataflow")
    allowed = [
        Binding(np.array(b)) for b in cases.bindings(snn, platform, constraints, list(labels))
    ]
    for objective, value in (("load", load_of), ("hops", spike_hops_of)):
        for solver in (binding_milp, binding_cpsat):
            found = solver.solve(graph, platform, LIMITS, objective=objective)
            if not allowed:
                assert found.status is Status.INFEASIBLE
                continue
            best = min(value(graph, platform, b) for b in allowed)
            assert (found.status, found.claimed) == (Status.OPTIMAL, best), objective
            assert found.solution in allowed
