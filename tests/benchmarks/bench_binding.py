"""Spike-hops with one cluster a tile: proof at 12 on 4x4 and 20 on 5x5, gap beyond, large meshes.

Random graphs of degree 2 (``scheduling_instances.random_flows``); value, bound and gap are printed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import process_time

import pytest
from scheduling_instances import random_flows

from formulations.binding import cpsat as binding_cpsat
from formulations.binding import large_neighbourhood_search as binding_lns
from formulations.binding import russian_doll as binding_dolls
from optmap.model.mapping import Binding
from optmap.model.outcome import Limits, Outcome
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile

SIZES = [(12, 4, 20), (20, 5, 60), (30, 6, 120)]


def say(capsys, benchmark) -> None:
    """Print the values beside the times, through pytest's capture."""
    with capsys.disabled():
        sys.stdout.write(f"\n{benchmark.name} {benchmark.extra_info}")


def mesh(side: int) -> Platform:
    tiles = (Tile(Crossbar(64, 64), slots=1),) * side**2
    return Platform("one a tile", tiles, Interconnect("mesh", side, side))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("method", ["nested", "cpsat", "lns"])
def test_spike_hops(capsys, benchmark, method: str, size: tuple[int, int, int], seed: int):
    clusters, side, wall_s = size
    graph, platform, limits = random_flows(clusters, seed), mesh(side), Limits(wall_s, threads=2)
    binding_dolls.solve(random_flows(4, 0), mesh(2), Limits(60))  # compile
    solve = {
        "nested": lambda: binding_dolls.solve(graph, platform, limits),
        "cpsat": lambda: binding_cpsat.solve(graph, platform, limits, objective="hops"),
        "lns": lambda: binding_lns.solve(graph, platform, limits),
    }[method]
    judge(capsys, benchmark, solve)


@pytest.mark.parametrize("size", [(400, 20, 20), (500, 32, 20)], ids=str)
def test_large_meshes(capsys, benchmark, size: tuple[int, int, int]):
    clusters, side, wall_s = size
    graph, platform = random_flows(clusters, 0), mesh(side)
    binding_lns.solve(random_flows(4, 0), mesh(2), Limits(1))  # compile
    judge(capsys, benchmark, lambda: binding_lns.solve(graph, platform, Limits(wall_s)))


def judge(capsys, benchmark, solve: Callable[[], Outcome[Binding]]) -> None:
    """Time one run; print its value, bound, gap and processor seconds."""
    begun = process_time()
    outcome = benchmark.pedantic(solve, rounds=1)
    gap = (outcome.claimed - outcome.bound) / max(abs(outcome.claimed), 1e-9)
    benchmark.extra_info |= {
        "status": outcome.status.value,
        "value": outcome.claimed,
        "bound": outcome.bound,
        "gap": f"{gap:.1%}",
        "cpu_s": round(process_time() - begun, 2),
    }
    say(capsys, benchmark)
