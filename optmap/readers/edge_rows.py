"""Rows of an edge list as they are read, and how the file's columns are to be understood."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from optmap.readers.columns import EdgeColumns
from optmap.readers.synapse_kinds import counts_both_ways

#: Kinds of synapses, the first row's aside, that are looked at to tell it from a header.
_SOME_KINDS = 100


@dataclass
class Rows:
    """Synapses as read: indices into ``names``, in the order of appearance."""

    names: dict[str, int] = field(default_factory=dict)
    pre: array[int] = field(default_factory=lambda: array("q"))
    post: array[int] = field(default_factory=lambda: array("q"))
    weight: array[float] = field(default_factory=lambda: array("d"))
    kinds: set[str] = field(default_factory=set)
    by_kind: dict[str, list[int]] = field(default_factory=dict)
    both_ways: dict[tuple[int, int], float] = field(default_factory=dict)

    def add(self, source: str, target: str, weight: float, kind: str, both: bool) -> None:
        """Add one row; ``both``: it counts both ways, whatever its kind."""
        pre = self.names.setdefault(source, len(self.names))
        post = self.names.setdefault(target, len(self.names))
        self.pre.append(pre)
        self.post.append(post)
        self.weight.append(weight)
        if len(self.pre) > 1 and len(self.kinds) < _SOME_KINDS:
            self.kinds.add(kind)
        if both or (kind and counts_both_ways(kind)):
            self.both_ways[pre, post] = self.both_ways.get((pre, post), 0.0) + weight
        if kind:
            self.by_kind.setdefault(kind.casefold(), []).append(len(self.pre) - 1)

    def turn_received(self, rows: list[int]) -> None:
        """Turn rows that say what a neuron receives; drop those that a sent row says already."""
        turned = set(rows)
        every = list(zip(self.pre, self.post, self.weight, strict=True))
        listed = {(pre, post) for n, (pre, post, _) in enumerate(every) if n not in turned}
        kept = [
            (post, pre, weight) if n in turned else (pre, post, weight)
            for n, (pre, post, weight) in enumerate(every)
            if n not in turned or (post, pre) not in listed
        ]
        self.pre = array("q", [pre for pre, _, _ in kept])
        self.post = array("q", [post for _, post, _ in kept])
        self.weight = array("d", [weight for _, _, weight in kept])

    def mirror(self) -> None:
        """Add the other direction of every electrical row that the file leaves out."""
        for (pre, post), weight in self.both_ways.items():
            if (post, pre) not in self.both_ways:
                self.pre.append(post)
                self.post.append(pre)
                self.weight.append(weight)


@dataclass(frozen=True)
class Layout:
    """How the rows are to be read: ``header`` as written, None where there is none.

    ``doubtful``: the first row, read as a synapse, of which only the rest of the file can tell that
    it is none. ``asked``: the columns were given as an option.
    """

    columns: EdgeColumns
    header: Sequence[str] | None
    doubtful: tuple[int, list[str]] | None = None
    asked: bool = False
