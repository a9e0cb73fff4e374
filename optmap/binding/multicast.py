"""Annealing of multicast hops: clusters move or change places where routes then share more links.

Pseudo-code::

    start: the force-directed binding, or the one given
    anneal in runs of growing length, each from the best so far; keep the best

Hops are counted as :mod:`optmap.judge.multicast` defines them. Slots, crossbars and demands are
kept; a binding whose buffers do not suffice is given up for the start. Chips whose routes are not
XY keep the start.

Complexity: a move counts the nets of its clusters anew, O(their ends); on grids of up to 12 x 12
tiles O(their number) (:mod:`optmap.binding.kernels.multicast_occupancy`).

References
----------
A. Khorasanian, "Beyond Edge Cuts", arXiv 2608.26223, 2026, for the objective; S. Kirkpatrick et
al., "Optimization by simulated annealing", Science 220, 1983, for the search.
"""

from __future__ import annotations

from math import inf

import numpy as np

from optmap.binding.force_directed import bind as force_directed
from optmap.binding.kernels.multicast_anneal import Grid, anneal
from optmap.binding.kernels.multicast_nets import Nets, cluster_nets
from optmap.binding.kernels.multicast_occupancy import anneal_small, is_small
from optmap.binding.kernels.tile_room import TileRoom
from optmap.clock import did, left_s, now, over
from optmap.compiled import interpreted
from optmap.judge.metrics import routes_are_xy
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.cluster_rules import rules_of_graph
from optmap.model.mapping import Binding
from optmap.model.platform import Platform
from optmap.model.snn import BoolArray, IntArray

#: Moves of the runs, and first and last temperature in mean spikes of a net.
RUNS, HOT, COLD = (200_000, 200_000, 1_000_000), (2.0, 1.0, 2.0), 0.02
#: Moves counted as a unit of work; moves of a run that only measures how many a second takes.
MOVES_A_UNIT, PILOT = 400_000, 2_000


def bind(
    graph: ClusterGraph,
    platform: Platform,
    *,
    seed: int = 0,
    start: Binding | None = None,
    runs: tuple[int, ...] = RUNS,
) -> Binding:
    """Return a binding of few multicast hops.

    Parameters
    ----------
    start : Binding, optional
        What annealing begins with; force-directed where none is given.
    runs : tuple of int
        Moves of each run.

    Raises
    ------
    CapacityError
        If no binding was found, with the numbers.
    """
    if start is None:
        start = force_directed(graph, platform, seed=seed)
    if not routes_are_xy(platform) or graph.num_clusters < 2:
        return start
    nets = cluster_nets(graph)
    if not len(nets.source) or rules_of_graph(graph.made_of) is not None:
        return start
    slots = [len(start.tile_of) if t.slots is None else t.slots for t in platform.tiles]
    most = np.array(slots, dtype=np.int64)
    grid = grid_of(platform, np.zeros_like(most), most, graph.fits(platform))
    with interpreted(False):  # over a million moves, on the smallest network too
        tile, _ = annealed(nets, grid, start.tile_of.astype(np.int64), seed, runs)
    found = Binding(tile.astype(np.int32))
    return found if _has_room(graph, platform, found) else start


def grid_of(platform: Platform, least: IntArray, most: IntArray, fits: BoolArray) -> Grid:
    """Return what annealing needs of a platform with XY routes."""
    net = platform.interconnect
    return Grid(net.width, net.height, net.kind == "torus", least, most, fits)


def annealed(
    nets: Nets, grid: Grid, start: IntArray, seed: int, runs: tuple[int, ...] = RUNS
) -> tuple[IntArray, int]:
    """Return the best tiles of items that runs of annealing find, with their multicast hops.

    A run that the limit leaves too little time for, at the pace of the one before, is shorter.
    """
    best, mean, pace = start, float(nets.weight.mean()), inf
    hops, run = -1, anneal_small if is_small(nets, grid) else anneal
    if left_s() < inf:
        begun = now()
        run(start.copy(), nets, grid, seed, PILOT, HOT[0] * mean, COLD * mean)
        pace = PILOT / max(now() - begun, 1e-6)
    for number, planned in enumerate(runs):
        if number and over():
            break
        shorter = over(planned / pace)
        moves = max(int(pace * left_s()), 1) if shorter else planned
        hot, begun = HOT[number % len(HOT)] * mean, now()
        found, value = run(best.copy(), nets, grid, seed * 1000 + number, moves, hot, COLD * mean)
        did(moves / MOVES_A_UNIT)
        pace = moves / max(now() - begun, 1e-6)
        if hops < 0 or value < hops:
            best, hops = found, int(value)
    return best, hops


def _has_room(graph: ClusterGraph, platform: Platform, binding: Binding) -> bool:
    room = TileRoom(graph, platform)
    for cluster, tile in enumerate(binding.tile_of.tolist()):
        if tile not in room.tiles_for(cluster):
            return False
        room.put(cluster, tile)
    return True
