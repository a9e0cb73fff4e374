"""Small inputs on which a solver was once wrong, each by the function that rebuilds it."""

from __future__ import annotations

from fractions import Fraction

from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, from_edges

#: post -> pre of 13 neurons, 8 of them units.
_FALSE_OPTIMUM = {
    5: (1, 2, 4, 7, 8, 9, 10, 12),
    6: (0, 1, 2, 3, 4, 7, 10, 12),
    7: (0, 1, 2, 4, 5, 7, 11, 12),
    8: (1, 3, 5, 6, 8, 9, 11),
    9: (2, 9, 10, 11),
    10: (0, 1, 2, 5, 6, 9, 10, 12),
    11: (0, 3, 4, 5, 6, 9, 11),
    12: (0, 5, 6, 7, 8, 9, 10, 11, 12),
}


def _platform(*crossbars: tuple[int, int], width: int, height: int, windows: int = 2) -> Platform:
    tiles = [Tile(Crossbar(rows, columns)) for rows, columns in crossbars]
    tiles *= width * height // len(tiles)
    return Platform(
        "small",
        tuple(tiles),
        Interconnect("mesh", width, height),
        base_ticks=16,
        event_ticks=1,
        hop_ticks=3,
        ni_tokens_per_tick=Fraction(9, 5),
        buffer_windows=windows,
    )


def false_optimum() -> tuple[SNN, Platform]:
    """HiGHS 1.14, presolved: infeasible without a start, "optimal, 8" from single units; 6 is."""
    pairs = [(i, j) for j, reads in _FALSE_OPTIMUM.items() for i in reads]
    snn = from_edges([i for i, _ in pairs], [j for _, j in pairs], 13)
    return snn, _platform((9, 4), (7, 6), width=2, height=1)


def solve_error() -> tuple[SNN, Platform]:
    """HiGHS 1.14 ends with kSolveError on the traffic of five units, without a start."""
    snn = from_edges(range(10), [12 + i // 2 for i in range(10)], 17)
    return snn, _platform((3, 4), width=2, height=2)


def five_inputs(spikes: tuple[int, ...]) -> tuple[SNN, Platform]:
    """Five units of one input each, alone on their crossbars, on two equal tiles."""
    snn = from_edges(range(5), range(5, 10), 10, spikes=[*spikes, 1, 1, 1, 1, 1])
    return snn, _platform((2, 1), width=2, height=1)


#: HiGHS 1.14 once said "optimal, 133411", and its binding had 133409; 133399 is possible.
LOADS_OF_1E5 = (50021, 33354, 49988, 50019, 50009)
#: HiGHS 1.14's rounded solution broke a row, and no mapping was left.
LOADS_OF_1E7 = (10000031, 9999997, 10000011, 5000007, 4999985)


def short_buffers() -> tuple[SNN, Platform]:
    """Return a recurrence of two units that one window of buffer deadlocks."""
    snn = from_edges([0, 1, 2, 3], [2, 3, 3, 2], 4)
    return snn, _platform((2, 1), width=2, height=2, windows=1)
