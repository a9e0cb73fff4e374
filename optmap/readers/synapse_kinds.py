"""What the type of a row says of its direction: both ways, or received instead of sent."""

from __future__ import annotations

from collections.abc import Mapping

from optmap.readers.table import Table

_BOTH_WAYS = {"electrical", "electric", "elec", "electricalsynapse", "undirected", "gapjunction",
              "gapjunctions", "gap", "gj", "ej"}  # fmt: skip
#: Types of the wiring of *C. elegans* (White et al. 1986; Chen et al. 2006): sent or received,
#: monadic or polyadic, electrical, neuromuscular.
_SENT, _RECEIVED, _OTHERS = {"s", "sp"}, {"r", "rp"}, {"ej", "nmj"}


def counts_both_ways(kind: str) -> bool:
    """Tell whether a row of this type is a synapse in both directions.

    Examples
    --------
    >>> counts_both_ways("Gap Junction"), counts_both_ways("chemical")
    (True, False)
    """
    return "".join(c for c in kind.casefold() if c not in " _-") in _BOTH_WAYS


def received(table: Table, by_kind: Mapping[str, list[int]]) -> list[int]:
    """Return the rows that say from whom the first neuron receives, none in most files.

    Parameters
    ----------
    table : Table
        The file, for complaints.
    by_kind : mapping of str to list of int
        Rows of each type, in small letters.

    Raises
    ------
    InputError
        If the types are only S and R, which may mean something else.
    """
    kinds = set(by_kind)
    if not kinds & _RECEIVED or not kinds <= _SENT | _RECEIVED | _OTHERS:
        return []
    if kinds <= {"s", "r"}:
        raise table.fail("", "types S and R, perhaps sent and received", "rows of one direction")
    return sorted(row for kind in kinds & _RECEIVED for row in by_kind[kind])
