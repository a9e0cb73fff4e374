"""What the type of a row says of its direction: both ways, or received instead of sent."""

from __future__ import annotations

from collections.abc import Mapping

from optmap.readers.table import Table

_BOTH_WAYS = {"electrical", "electric", "elec", "electricalsynapse", "electricalsynapses",
              "undirected", "gapjunction", "gapjunctions", "gap", "gj", "ej", "mutual",
              "bidirectional", "bidirected", "reciprocal", "symmetric", "both",
              "bothways"}  # fmt: skip
#: Words of a column called direction.
_FORWARD = {"directed", "unidirectional", "forward", "out", "outgoing", "->", "-->", ">"}
_BACKWARD = {"backward", "backwards", "in", "incoming", "reverse", "reversed", "<-", "<--", "<"}
_EITHER = {"<->", "<-->", "--", "-", "<>", "both", "both ways"}
_YES, _NO = {"true", "1", "1.0", "yes", "t", "y"}, {"false", "0", "0.0", "no", "f", "n"}
#: What stands between two neurons in files of other formats (DOT, Cytoscape): no neuron, no type.
ARROWS = ("->", "-->", "<-", "<->", "--", "=>", "<=>", "-|", "\u2192")
#: Types of the wiring of *C. elegans* (White et al. 1986; Chen et al. 2006): sent or received,
#: monadic or polyadic, electrical, neuromuscular.
_SENT, _RECEIVED, _OTHERS = {"s", "sp"}, {"r", "rp"}, {"ej", "nmj"}
#: Kinds that say nothing of a direction.
_CHEMICAL = {"", "chemical", "chem", "c", "synapse", "syn", "exc", "excitatory", "ex", "inh",
             "inhibitory", "in", "e", "i", "ee", "ei", "ie", "ii", "ampa", "nmda", "gaba", "gabaa",
             "gabab", "ach", "glut", "glutamate", "da", "dop", "dopamine", "oct", "octopamine",
             "ser", "serotonin", "static", "staticsynapse", "stdp", "stdpsynapse", "plastic",
             "fixed", "feedforward", "recurrent", "lateral", "feedback", "forward",
             "axoaxonic", "axodendritic", "directed"}  # fmt: skip


def known_kind(kind: str) -> bool:
    """Tell whether a word is a kind of synapse for certain.

    Examples
    --------
    >>> known_kind("Inhibitory"), known_kind("AVAL")
    (True, False)
    """
    small = "".join(c for c in kind.casefold() if c not in " _-.")
    received_or_sent = _SENT | _RECEIVED | _OTHERS
    return small in _CHEMICAL or small in received_or_sent or counts_both_ways(kind)


def counts_both_ways(kind: str) -> bool:
    """Tell whether a row of this type is a synapse in both directions.

    Examples
    --------
    >>> counts_both_ways("Gap Junction"), counts_both_ways("chemical")
    (True, False)
    """
    return "".join(c for c in kind.casefold() if c not in " _-.") in _BOTH_WAYS


def direction(word: str, yes: str) -> int | None:
    """Return what a cell says of a row: 1 as it stands, -1 turned, 0 both ways, None if unclear.

    ``yes``: what a truth value says there, "directed" or "undirected", "" if it says nothing.

    Examples
    --------
    >>> direction("False", "directed"), direction("<-", ""), direction("1", "undirected")
    (0, -1, 0)
    >>> direction("1", "") is None
    True
    """
    small = word.strip().casefold()
    if yes and small in _YES | _NO:
        return int((small in _YES) == (yes == "directed"))
    if small in _EITHER or counts_both_ways(small):
        return 0
    return 1 if small in _FORWARD else -1 if small in _BACKWARD else None


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
        If the types are only S and R, or E and C, which may mean something else.
    """
    kinds = set(by_kind)
    if kinds == {"e", "c"}:
        found = "types E and C, perhaps electrical and chemical"
        raise table.fail("", found, "types electrical and chemical, or --columns without the type")
    if not kinds & _RECEIVED or not kinds <= _SENT | _RECEIVED | _OTHERS:
        return []
    if kinds <= {"s", "r"}:
        raise table.fail("", "types S and R, perhaps sent and received", "rows of one direction")
    return sorted(row for kind in kinds & _RECEIVED for row in by_kind[kind])
