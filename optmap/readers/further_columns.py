"""What the columns of an edge list that are neither end, weight nor type say of its rows.

They are left out, with a note, but for what would make another network of it: whether a row counts
both ways, and of which layer or population its neurons are, where numbers alone would join two.
"""

from __future__ import annotations

from collections.abc import Sequence

from optmap.readers.columns import (
    EdgeColumns,
    direction_columns,
    group_columns,
    population_columns,
)
from optmap.readers.neuron_names import SAY
from optmap.readers.synapse_kinds import counts_both_ways, direction
from optmap.readers.table import Table

#: Values of a column that are looked at for a kind of synapse.
_SOME_VALUES = 100


class FurtherColumns:
    """Reads the further columns row by row; call :meth:`of` for each row, then :meth:`close`.

    Parameters
    ----------
    table : Table
        The file.
    header : sequence of str or None
        Its header; None: there are no further columns.
    columns : EdgeColumns
        The columns that are read.
    asked : bool
        The columns were given as an option: what the others say of neurons is left out as told.
    """

    def __init__(
        self, table: Table, header: Sequence[str] | None, columns: EdgeColumns, asked: bool
    ) -> None:
        named = list(header or ())
        taken = {columns.source, columns.target, columns.weight, columns.type, columns.delay}
        self._table, self._header = table, named
        self._directions = [d for d in direction_columns(named) if d.place not in taken]
        self.used = frozenset(d.place for d in self._directions)
        self._groups = [] if asked else group_columns(named, columns)
        self._group_of: list[dict[str, str]] = [{} for _ in self._groups]
        self._populations = population_columns(header)
        self._population_names: set[str] = set()
        left = () if asked else set(columns.others) - self.used
        self._seen: dict[int, set[str]] = {place: set() for place in sorted(left)}
        self._values = list(self._seen.items())
        self._telling = bool(self._directions or self._groups or self._populations)
        self._both_ways = _remarked_both_ways(table)
        self.notes = ["a remark says undirected: rows count both ways"] if self._both_ways else []

    def of(self, line: int, cells: Sequence[str]) -> int:
        """Return which way a row goes: 1 as it stands, -1 turned, 0 both ways.

        Raises
        ------
        InputError
            If a column of directions says nothing that is known, or neurons of one number are two.
        """
        for place, values in self._values:
            values.add(cells[place])
            if len(values) == _SOME_VALUES:  # names or numbers, not kinds
                self._values = [pair for pair in self._values if pair[0] != place]
        if not self._telling:
            return 0 if self._both_ways else 1
        way = 0 if self._both_ways else 1
        for column in self._directions:
            found = direction(cells[column.place], column.yes)
            if found is None:
                text = f"{self._header[column.place]} {cells[column.place][:40]!r}"
                raise self._table.fail(f"line {line}", text, f"true, false or a direction; {SAY}")
            way = found if way == 1 else 0
        for pairs, known in zip(self._groups, self._group_of, strict=True):
            for end, place in pairs:
                if known.setdefault(cells[end], cells[place]) != cells[place]:
                    text = f"{cells[end][:40]!r} of {known[cells[end]][:40]!r} and of "
                    text += f"{cells[place][:40]!r} ({self._header[place]})"
                    expected = f"names that tell neurons apart, or {SAY}"
                    raise self._table.fail(f"line {line}", text, expected)
        self._population_names.update(cells[place] for place in self._populations)
        return way

    def close(self) -> None:
        """Refuse what only the whole file tells.

        Raises
        ------
        InputError
            If neurons of several populations are numbered each from 0, or a column that is left
            out has kinds of synapses that count both ways.
        """
        if len(self._population_names) > 1:
            found = "neurons of populations " + ", ".join(sorted(self._population_names)[:5])
            raise self._table.fail("", found, "one population, or names that tell neurons apart")
        for place, values in self._seen.items():
            kind = next((value for value in sorted(values) if counts_both_ways(value)), None)
            if kind is not None:
                found = f"{kind[:40]!r} in column {self._header[place]!r}, which is left out"
                raise self._table.fail("", found, f"a column type of synapses, or {SAY}")


def _remarked_both_ways(table: Table) -> bool:
    """Tell whether remarks before the rows call the graph undirected (SNAP, KONECT).

    Raises
    ------
    InputError
        If they call it bipartite, as KONECT does, which numbers both sides from 1.
    """
    first = next(table.rows(), None)
    words: list[list[str]] = []
    for line in table.lines[: first[0] - 1 if first is not None else 0]:
        if line.strip()[:1] in ("#", "%"):
            words.append(line.strip().lstrip("#% ").casefold().split())
    if words and words[0][:1] == ["bip"]:
        raise table.fail("line 1", "a bipartite graph, both sides numbered from 1", "one numbering")
    undirected = any({"undirected", "undirected,"} & set(row) for row in words)
    return undirected or (bool(words) and words[0][:1] == ["sym"])
