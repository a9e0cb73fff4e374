"""Whether the tiles can hold a network whose programs stay in their memory, with the proof."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optmap.model.capacity import MEMORY, UNLIMITED, demands, have, shares_memory, stated
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IntArray

#: Units and tiles up to which placements are enumerated, and how many partial ones at most.
MOST_UNITS, MOST_TILES, MOST_NODES = 64, 64, 20_000


def memory_shortage(network: SNN, platform: Platform) -> str:
    """Return why all tiles together cannot hold a network that stays resident; empty if they may.

    What the units of a decomposition take does not depend on their clusters, and each unit is in
    the memory of one tile. First sums are compared, then how many units of at least some size all
    tiles hold (see :func:`least_held`), then small networks are placed by a search.
    """
    if not shares_memory(platform):
        return ""
    resources = zip(stated(platform), demands(network, platform), have(platform), strict=True)
    for limit, need, room in resources:
        if limit.field not in MEMORY or (room == UNLIMITED).any():
            continue
        if need.sum() > room.sum():
            return (
                f"the network needs {need.sum()} {limit.unit}, all tiles together have"
                f" {room.sum()}, and programs stay resident"
            )
        for size, units, held in least_held(need, room):
            if held < units:
                return (
                    f"{units} units need at least {size} {limit.unit} each, all tiles together"
                    f" hold at most {held} of them, and programs stay resident"
                )
        if len(need) <= MOST_UNITS and len(room) <= MOST_TILES and not may_fit(need, room):
            return (
                f"the {len(need)} units need {need.sum()} {limit.unit}, all tiles together have"
                f" {room.sum()}, but no way to divide the units among the tiles fits, and programs"
                " stay resident"
            )
    return ""


def least_held(need: IntArray, room: IntArray) -> Iterator[tuple[int, int, int]]:
    """Yield (size, units of at least that size, how many of them the tiles hold at most).

    Parameters
    ----------
    need : (U,) int64 array
        What each unit takes.
    room : (T,) int64 array
        What each tile has.

    Notes
    -----
    Of the units of at least some size, a tile holds at most as many as of the smallest ones fit.
    """
    rooms, tiles = np.unique(room, return_counts=True)
    ascending = np.sort(need)
    for size in np.unique(need).tolist():
        so_far = np.cumsum(ascending[np.searchsorted(ascending, size) :])
        held = np.searchsorted(so_far, rooms, side="right")
        yield size, len(so_far), int((held * tiles).sum())


def may_fit(need: IntArray, room: IntArray) -> bool:
    """Tell whether units may be divided among tiles: False only if every division was ruled out.

    The largest unit is placed first; of tiles with the same room left one is tried. True where a
    division was found, and after MOST_NODES partial ones.
    """
    sizes = sorted(need.tolist(), reverse=True)
    left = room.tolist()
    taken: list[int] = []
    choices = [iter(_openings(sizes, 0, left))]
    for _ in range(MOST_NODES):
        if len(taken) == len(choices):
            last = taken.pop()
            left[last] += sizes[len(taken)]
        tile = next(choices[-1], None)
        if tile is None:
            choices.pop()
            if not choices:
                return False
            continue
        left[tile] -= sizes[len(taken)]
        taken.append(tile)
        if len(taken) == len(sizes):
            return True
        choices.append(iter(_openings(sizes, len(taken), left)))
    return True


def _openings(sizes: list[int], unit: int, left: list[int]) -> list[int]:
    """Return tiles with room for a unit, one for each room left, the fullest first."""
    able = {room: t for t, room in enumerate(left) if room >= sizes[unit]}
    return [able[room] for room in sorted(able)]
