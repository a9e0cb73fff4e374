"""Where the nested search (russian_doll_kernel.py) stands: its problem, and its nodes by depth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from optmap.model.snn import IntArray


class Nodes(NamedTuple):
    """Where a search stands; n clusters in all, of which ``first``.. are placed, on T tiles.

    Parameters
    ----------
    depth : (1,)
        How many clusters are placed.
    best_places, place : (n,)
        Tile of each cluster in the best solution, and now (-1: not placed).
    attach : (depths + 1, n, T)
        What each cluster costs on each tile as seen from those placed, of the depth ``row`` says.
    row, least, second, at, at_second : (depths + 1, n)
        By depth and cluster: where its costs stand in ``attach``; its cheapest two free tiles and
        what they cost.
    rest, cost : (depths + 1,)
        Sum of ``least`` over those not placed; cost of those placed.
    choice, bound : (depths + 1, T)
        Tiles to try for the next cluster, in order, and their bounds.
    tries, cursor : (depths + 1,)
        How many there are, and which is next.
    fixing, fixed_by : (depths + 1, G), (depths + 1,)
        1 for automorphisms that leave every tile taken where it is, and how many do.
    """

    depth: IntArray
    best_places: IntArray
    place: IntArray
    attach: IntArray
    row: IntArray
    least: IntArray
    second: IntArray
    at: IntArray
    at_second: IntArray
    rest: IntArray
    cost: IntArray
    choice: IntArray
    bound: IntArray
    tries: IntArray
    cursor: IntArray
    fixing: IntArray
    fixed_by: IntArray


class Problem(NamedTuple):
    """Place clusters ``first``..n-1 at least cost, given the optima of the problems inside.

    Parameters
    ----------
    group : (G, T)
        Automorphisms of the tiles, all that there are or the identity alone: tile t goes to
        ``group[g, t]``. Of equal placements the least one is looked for: each cluster goes to the
        lowest tile that those which leave the tiles taken where they are may move it to.
    """

    first: int
    flow: IntArray
    hops: IntArray
    nested: IntArray
    group: IntArray


def begin(problem: Problem) -> Nodes:
    """Return the state of a search that has not begun."""
    n, tiles = len(problem.flow), len(problem.hops)
    depths = n - problem.first + 1

    def zeros(*shape: int) -> IntArray:
        return np.zeros(shape, dtype=np.int64)

    state = Nodes(
        depth=zeros(1),
        best_places=zeros(n),
        place=np.full(n, -1, dtype=np.int64),
        attach=zeros(depths, n, tiles),
        row=zeros(depths, n),
        least=zeros(depths, n),
        second=zeros(depths, n),
        at=zeros(depths, n),
        at_second=zeros(depths, n),
        rest=zeros(depths),
        cost=zeros(depths),
        choice=zeros(depths, tiles),
        bound=zeros(depths, tiles),
        tries=zeros(depths),
        cursor=zeros(depths),
        fixing=np.ones((depths, len(problem.group)), dtype=np.int64),
        fixed_by=np.full(depths, len(problem.group), dtype=np.int64),
    )
    state.at_second[0] = min(1, tiles - 1)  # nothing costs anything yet: any two tiles
    first_tiles = np.unique(problem.group.min(axis=0))
    state.choice[0, : len(first_tiles)] = first_tiles
    state.tries[0] = len(first_tiles)
    return state


def only(state: Nodes, depth: int, j: int) -> Nodes:
    """Return a copy that tries only its ``j``-th tile at a depth."""
    made = Nodes(*(array.copy() for array in state))
    made.choice[depth, 0] = state.choice[depth, j]
    made.bound[depth, 0] = state.bound[depth, j]
    made.tries[depth], made.cursor[depth] = 1, 0
    return made
