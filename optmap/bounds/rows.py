"""The crossbars that columns and rows make necessary: the one place that counts them."""

from __future__ import annotations

from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import IntArray


def rows_taken(readers: IntArray, columns: int) -> int:
    """Return sum_i ceil(deg_i / C'), the rows that sources with deg_i readers take in all.

    Parameters
    ----------
    readers : int array
        deg_i, how many units read each source.
    columns : int
        C', the most columns of a crossbar: a source takes a row on ceil(deg_i / C') of them.
    """
    return int((-(-readers // columns)).sum())


def crossbars_needed(units: int, taken: int, rows: int, columns: int) -> int:
    """Return max(ceil(U / C'), ceil(taken / R)): no fewer hold U units on so many rows."""
    return max(-(-units // columns), -(-taken // rows))


def largest_crossbar(platform: Platform) -> Platform:
    """Return one tile with the most rows and the most columns C' of any: alike for a whole grid."""
    bar = Crossbar(platform.max_rows, platform.max_columns)
    return Platform("", (Tile(bar),), Interconnect("mesh", 1, 1))
