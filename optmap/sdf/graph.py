"""The synchronous dataflow graph: actors, channels with rates, initial tokens.

Actor a fires when every channel into it holds ``consumption`` tokens, which it takes at its start;
it ends ``execution_time`` ticks later and then puts ``production`` tokens on every channel out.
Firings of one actor may overlap without limit (auto-concurrency) unless a self-loop limits them;
:func:`with_auto_concurrency` adds such self-loops. Parallel channels are allowed.

Times are whole ticks. ``ticks_per_unit`` says how many ticks make one time unit of the file the
graph came from: a file with times 2.5 and 1 becomes ticks 5 and 2 at 2 ticks a unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np

from optmap.sdf.marked_graph import IndexArray, IntArray, read_only

#: Times, rates and tokens are accepted up to this, so that single products stay in int64.
LARGEST = 2**62


@dataclass(frozen=True, eq=False)
class SDFG:
    """A synchronous dataflow graph as frozen arrays.

    Parameters
    ----------
    actor_names : sequence of str
        One name per actor, all different; actors are numbered in this order.
    execution_time : (n,) int64 array
        Ticks of one firing, >= 0.
    channel_names : sequence of str
        One name per channel, all different.
    source, target : (m,) int32 arrays
        Channel c runs from actor ``source[c]`` to actor ``target[c]``.
    production, consumption : (m,) int64 arrays
        Tokens put by one firing of the source, taken by one of the target, >= 1.
    tokens : (m,) int64 array
        Initial tokens, >= 0.
    token_size : (m,) int64 array, optional
        Size of a token in bits, >= 0, where known; no analysis here reads it.
    ticks_per_unit : int
        Ticks in one time unit of the outside world, >= 1.
    name : str
        The graph's name.

    Raises
    ------
    ValueError
        If lengths differ, names repeat or are empty, or a number is out of range.
    """

    actor_names: Sequence[str]
    execution_time: IntArray
    channel_names: Sequence[str]
    source: IndexArray
    target: IndexArray
    production: IntArray
    consumption: IntArray
    tokens: IntArray
    token_size: IntArray | None = None
    ticks_per_unit: int = 1
    name: str = "graph"

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        for field in ("actor_names", "channel_names"):
            set_(self, field, tuple(getattr(self, field)))
        for field in ("source", "target"):
            set_(self, field, read_only(getattr(self, field), np.int32))
        for field in ("execution_time", "production", "consumption", "tokens"):
            set_(self, field, read_only(getattr(self, field), np.int64))
        if self.token_size is not None:
            set_(self, "token_size", read_only(self.token_size, np.int64))
        self._check()
        if not self.channel_names:
            set_(self, "token_size", None)  # no sizes are known of no channels: one empty value

    def _check(self) -> None:
        n, m = len(self.actor_names), len(self.channel_names)
        if self.execution_time.shape != (n,):
            raise ValueError(f"{n} actors, execution times of shape {self.execution_time.shape}")
        for field in ("source", "target", "production", "consumption", "tokens"):
            if getattr(self, field).shape != (m,):
                raise ValueError(f"{m} channels, {field} of shape {getattr(self, field).shape}")
        if self.token_size is not None and self.token_size.shape != (m,):
            raise ValueError(f"{m} channels, token sizes of shape {self.token_size.shape}")
        for kind, names in (("actor", self.actor_names), ("channel", self.channel_names)):
            if len(set(names)) < len(names):
                repeated = next(x for i, x in enumerate(names) if x in names[:i])
                raise ValueError(f"two {kind}s are named {repeated!r}")
            if "" in names:
                raise ValueError(f"{kind} {names.index('')} has an empty name")
        if self.ticks_per_unit < 1:
            raise ValueError(f"{self.ticks_per_unit} ticks per unit, expected >= 1")
        self._check_range("execution_time", 0, self.actor_names)
        self._check_range("source", 0, self.channel_names, n - 1)
        self._check_range("target", 0, self.channel_names, n - 1)
        self._check_range("production", 1, self.channel_names)
        self._check_range("consumption", 1, self.channel_names)
        self._check_range("tokens", 0, self.channel_names)
        if self.token_size is not None:
            self._check_range("token_size", 0, self.channel_names)

    def _check_range(self, field: str, low: int, names: Sequence[str], high: int = LARGEST) -> None:
        values = getattr(self, field)
        if len(values) and (values.min() < low or values.max() > high):
            at = int(np.flatnonzero((values < low) | (values > high))[0])
            raise ValueError(f"{field} of {names[at]!r} is {values[at]}, expected {low} to {high}")

    @property
    def num_actors(self) -> int:
        """Number of actors n."""
        return len(self.actor_names)

    @property
    def num_channels(self) -> int:
        """Number of channels m."""
        return len(self.channel_names)

    def actor(self, name: str) -> int:
        """Return the number of the actor called ``name``; ValueError names the actors there are."""
        if name not in self.actor_names:
            some = ", ".join(self.actor_names[:8]) + (", ..." if self.num_actors > 8 else "")
            raise ValueError(f"no actor is called {name!r}; there are {some}")
        return self.actor_names.index(name)

    def units(self, ticks: Fraction | int) -> Fraction:
        """Return a time in ticks as a time in the file's units."""
        return Fraction(ticks) / self.ticks_per_unit

    def __eq__(self, other: object) -> bool:
        """Compare names, numbers and times; token sizes count, the graph's name does not."""
        if not isinstance(other, SDFG):
            return NotImplemented
        same_times = [self.units(t) for t in self.execution_time.tolist()] == [
            other.units(t) for t in other.execution_time.tolist()
        ]
        fields = ("source", "target", "production", "consumption", "tokens", "token_size")
        return (
            same_times
            and self.actor_names == other.actor_names
            and self.channel_names == other.channel_names
            and all(np.array_equal(getattr(self, f), getattr(other, f)) for f in fields)
        )

    __hash__ = None  # type: ignore[assignment]  # arrays inside; compare, do not hash

    def __repr__(self) -> str:
        """Say the sizes, not the arrays."""
        return f"SDFG({self.name!r}, {self.num_actors} actors, {self.num_channels} channels)"


def sdfg(
    actors: Sequence[tuple[str, int | Fraction]],
    channels: Sequence[tuple[Any, ...]],
    name: str = "graph",
) -> SDFG:
    """Build a graph from short lists.

    Parameters
    ----------
    actors : sequence of (name, execution time)
        Times may be fractions; they are scaled to whole ticks.
    channels : sequence of (source name, target name, production, consumption, tokens)
        They are named c0, c1, ...

    Examples
    --------
    >>> sdfg([("A", 2), ("B", Fraction(1, 2))], [("A", "B", 2, 1, 0), ("A", "A", 1, 1, 1)])
    SDFG('graph', 2 actors, 2 channels)
    """
    number = {actor: a for a, (actor, _) in enumerate(actors)}
    times = [Fraction(time) for _, time in actors]
    ticks_per_unit = lcm(*(time.denominator for time in times))
    ends = np.array([(number[a], number[b]) for a, b, *_ in channels], dtype=np.int32)
    rates = np.array([c[2:] for c in channels], dtype=np.int64).reshape(-1, 3)
    return SDFG(
        tuple(number),
        np.array([int(time * ticks_per_unit) for time in times], dtype=np.int64),
        tuple(f"c{c}" for c in range(len(channels))),
        ends.reshape(-1, 2)[:, 0],
        ends.reshape(-1, 2)[:, 1],
        rates[:, 0],
        rates[:, 1],
        rates[:, 2],
        ticks_per_unit=ticks_per_unit,
        name=name,
    )


def with_auto_concurrency(graph: SDFG, limit: int) -> SDFG:
    """Return the graph with a self-loop of ``limit`` tokens on every actor.

    No actor then has more than ``limit`` firings under way at once. SDF3 adds no such loops by
    itself; with ``limit`` = 1 every actor is a sequential machine.
    """
    if limit < 1:
        raise ValueError(f"auto-concurrency {limit}, expected >= 1")
    n = graph.num_actors
    taken = set(graph.channel_names)
    names = []
    for actor in graph.actor_names:
        name = f"_self_{actor}"
        while name in taken:
            name = "_" + name
        names.append(name)
    everyone, ones = np.arange(n, dtype=np.int32), np.ones(n, dtype=np.int64)
    sizes = graph.token_size
    return replace(
        graph,
        channel_names=(*graph.channel_names, *names),
        source=np.concatenate((graph.source, everyone)),
        target=np.concatenate((graph.target, everyone)),
        production=np.concatenate((graph.production, ones)),
        consumption=np.concatenate((graph.consumption, ones)),
        tokens=np.concatenate((graph.tokens, limit * ones)),
        token_size=None if sizes is None else np.concatenate((sizes, ones)),
    )
