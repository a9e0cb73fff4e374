"""What the published class of schedules leaves behind, and how fast the prologue heuristic is.

Random bindings of random graphs of degree 2: period of the projected order, of the prologue
heuristic, and the floor that no order beats; ratios are printed.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scheduling_instances import equal_tiles, random_recurrent

from formulations.ordering import cpsat as order_cpsat
from formulations.ordering import milp as order_milp
from formulations.ordering.sets import OrderSets
from optmap.model.mapping import Binding
from optmap.model.outcome import Limits
from optmap.ordering import projection as order_projection
from optmap.ordering import prologue as order_prologue


def say(capsys, benchmark) -> None:
    """Print the values beside the times, through pytest's capture."""
    with capsys.disabled():
        sys.stdout.write(f"\n{benchmark.name} {benchmark.extra_info}")


def problem(clusters: int, side: int, seed: int):
    graph, _ = random_recurrent(clusters, 4, seed)
    platform = equal_tiles(side, side, hop_ticks=3)
    rng = np.random.default_rng(seed)
    return graph, Binding(rng.integers(0, side * side, clusters)), platform


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [(20, 2), (100, 3), (400, 4), (1000, 6)], ids=str)
def test_prologue_heuristic(capsys, benchmark, size: tuple[int, int], seed: int):
    graph, binding, platform = problem(*size, seed)
    start = order_projection.order(graph, binding, platform)
    order_prologue.order(graph, binding, platform)  # compile
    found = benchmark(order_prologue.order, graph, binding, platform, start=start)
    sets = OrderSets(graph, platform, binding)
    projected, ahead = sets.period_of(start), sets.period_of(found)
    assert projected is not None
    assert ahead is not None
    benchmark.extra_info |= {
        "projected": float(projected),
        "prologue": float(ahead),
        "floor": float(sets.floor),
        "ratio": f"{float(projected / ahead):.3f}",
    }
    say(capsys, benchmark)


@pytest.mark.parametrize("prologue", [False, True], ids=["plain", "prologue"])
@pytest.mark.parametrize("size", [(20, 2), (40, 2), (100, 3)], ids=str)
@pytest.mark.parametrize("back_end", [order_cpsat, order_milp], ids=["cpsat", "milp"])
def test_exact_orders(capsys, benchmark, back_end, size: tuple[int, int], prologue: bool):
    graph, binding, platform = problem(*size, 0)
    outcome = benchmark.pedantic(
        back_end.solve, (graph, platform, binding, Limits(60)), {"prologue": prologue}, rounds=1
    )
    benchmark.extra_info |= {
        "status": outcome.status.value,
        "period": str(outcome.claimed),
        "bound": str(outcome.bound),
    }
    say(capsys, benchmark)
