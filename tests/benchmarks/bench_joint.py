"""Binding and order together: seconds to proof at the sizes that the issue names.

Random graphs of degree 2 with recurrences (``scheduling_instances.random_recurrent``). Not timed
against a threshold: status, period, bound and the load bound stand beside the time.
"""

from __future__ import annotations

import sys
from time import process_time
from types import ModuleType

import pytest
from scheduling_instances import equal_tiles, lenet_mnist, random_recurrent

from formulations.joint import benders as joint_benders
from formulations.joint import cpsat as joint_cpsat
from formulations.joint.sets import JointSets
from optmap.model.outcome import Limits, Outcome


def say(capsys, benchmark) -> None:
    """Print the values beside the times, through pytest's capture."""
    with capsys.disabled():
        sys.stdout.write(f"\n{benchmark.name} {benchmark.extra_info}")


def run(
    capsys, benchmark, back_end: ModuleType, graph, platform, wall_s: float, prologue: bool
) -> Outcome:
    more = {"minimize_spike_hops": False} if back_end is joint_cpsat else {}
    back_end.solve(*random_recurrent(4, 2, 0), Limits(5))  # import, compile
    begun = process_time()
    outcome = benchmark.pedantic(
        back_end.solve,
        (graph, platform, Limits(wall_s)),
        {"prologue": prologue, **more},
        rounds=1,
    )
    benchmark.extra_info |= {
        "status": outcome.status.value,
        "period": str(outcome.claimed),
        "bound": str(outcome.bound),
        "cpu_s": round(process_time() - begun, 2),
        "floor": str(JointSets(graph, platform).floor),
    }
    say(capsys, benchmark)
    return outcome


@pytest.mark.parametrize("prologue", [False, True], ids=["plain", "prologue"])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [(10, 3, 30), (20, 4, 30), (40, 4, 60), (60, 4, 60)], ids=str)
def test_cpsat(capsys, benchmark, size: tuple[int, int, int], seed: int, prologue: bool):
    graph, platform = random_recurrent(size[0], size[1], seed)
    run(capsys, benchmark, joint_cpsat, graph, platform, size[2], prologue)


@pytest.mark.parametrize("prologue", [False, True], ids=["plain", "prologue"])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [(10, 3, 30), (20, 4, 30)], ids=str)
def test_benders(capsys, benchmark, size: tuple[int, int, int], seed: int, prologue: bool):
    graph, platform = random_recurrent(size[0], size[1], seed)
    run(capsys, benchmark, joint_benders, graph, platform, size[2], prologue)


@pytest.mark.parametrize("tiles", [1, 2, 3, 4])
def test_published_lenet_mnist_graph(capsys, benchmark, tiles: int):
    shape = {1: (1, 1), 2: (2, 1), 3: (3, 1), 4: (2, 2)}[tiles]
    platform = equal_tiles(*shape, hop_ticks=3)
    run(capsys, benchmark, joint_cpsat, lenet_mnist(), platform, 60, False)
