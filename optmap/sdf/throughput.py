"""Throughput of any SDFG, exact, with the cycle that limits it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm

from optmap.errors import DeadlockError
from optmap.sdf import exact
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.sdf.expansion import Expansion, expand, num_edges
from optmap.sdf.graph import SDFG
from optmap.sdf.marked_graph import IntArray
from optmap.sdf.recurrence import recurrence
from optmap.sdf.repetition import InconsistentError, repetition_vector

LIVE, DEADLOCK, UNBOUNDED, INCONSISTENT = "live", "deadlock", "unbounded", "inconsistent"

#: Up to this many firings in an iteration, unfolding at once is no slower than growing K.
SMALL_UNFOLDING = 200

#: Edges up to which unfolding is no great work, and from which it is never chosen.
MEDIUM_UNFOLDING, LARGE_UNFOLDING = 500_000, 20_000_000

#: Edges of an unfolding for which one crowd of firings is simulated before it is made: a graph
#: whose firings come in crowds then settles many times sooner, and another one loses a tenth.
EDGES_A_CROWD = 20
#: Twice as many crowds, in an unfolding of 20,000 edges, are worth a simulation.
LEAST_CROWDS = 500


@dataclass(frozen=True, slots=True)
class Throughput:
    """What limits a graph, and how fast it runs.

    Parameters
    ----------
    status : str
        ``live``, ``deadlock``, ``unbounded`` or ``inconsistent``.
    period : Fraction or None
        Time units (not ticks) of one iteration; 0 when unbounded, None when nothing repeats.
    repetitions : tuple of int
        Firings of each actor in an iteration; empty when inconsistent.
    cycle : tuple of int
        Channels of a critical (or blocking) cycle in firing order; empty where there is none.
    message : str
        The contradiction, for an inconsistent graph.
    """

    status: str
    period: Fraction | None
    repetitions: tuple[int, ...] = ()
    cycle: tuple[int, ...] = field(default=())
    message: str = ""

    @property
    def throughput(self) -> Fraction | None:
        """Iterations per time unit; 0 in a deadlock, None when unbounded or inconsistent."""
        if self.status == DEADLOCK:
            return Fraction(0)
        return 1 / self.period if self.status == LIVE and self.period else None

    def rate(self, actor: int) -> Fraction | None:
        """Return firings of an actor per time unit: repetitions times throughput."""
        throughput = self.throughput
        return None if throughput is None else throughput * self.repetitions[actor]


def expansion_ratio(expansion: Expansion) -> tuple[Fraction | None, list[int]]:
    """Return (ticks of one iteration, critical cycle as edges) of an expansion.

    Raises
    ------
    DeadlockError
        If the tokens of a cycle sum to zero or less; it holds the edges.
    """
    graph = expansion.marked_graph()
    if graph is not None:
        ratio, cycle = maximum_cycle_ratio(graph)
    else:
        n, source, target = (
            expansion.num_copies,
            expansion.source.tolist(),
            expansion.target.tolist(),
        )
        stuck = exact.cycle_without_tokens(n, source, target, expansion.tokens)
        if stuck:
            raise DeadlockError(stuck, [str(source[e]) for e in stuck])
        ratio, cycle = exact.exact_cycle_ratio(
            n, source, target, expansion.delay.tolist(), expansion.tokens
        )
    return (None if ratio is None else ratio * expansion.scale), cycle


def throughput(graph: SDFG, *, unfold: bool = False, simulate: bool = True) -> Throughput:
    """Return throughput, period and critical cycle of a graph under self-timed execution.

    Where the graph is not strongly connected this is the slowest component's throughput in
    iterations of the whole graph.

    Parameters
    ----------
    unfold : bool
        Unfold all firings of an iteration at once, whatever the size; otherwise copies of actors
        are added only where a critical cycle shows that they are needed.
    simulate : bool
        Where many firings would have to be unfolded, look first whether self-timed execution
        settles within so much work that little is lost otherwise (optmap.sdf.recurrence).

    Notes
    -----
    A cycle of a K-periodic expansion limits the graph itself, not only the K-periodic schedules,
    if K is a multiple of the repetitions of the cycle's actors on their own [1]_: then the ratio
    is also a lower bound on the period, hence the answer. The same holds for deadlock. Otherwise
    K grows to the common multiple on that cycle, at most up to the whole unfolding.

    References
    ----------
    .. [1] Bodin, Munier-Kordon, Dupont de Dinechin, SAMOS 2012.

    Examples
    --------
    >>> from optmap.sdf.graph import sdfg
    >>> graph = sdfg([("A", 4), ("B", 1)], [("A", "B", 2, 1, 0), ("B", "A", 1, 2, 2)])
    >>> result = throughput(graph)
    >>> result.status, result.period, result.rate(1)
    ('live', Fraction(5, 1), Fraction(2, 5))
    """
    try:
        repetitions = repetition_vector(graph)
    except InconsistentError as error:
        return Throughput(INCONSISTENT, None, message=str(error))
    whole = unfold or sum(repetitions) <= max(SMALL_UNFOLDING, graph.num_actors)
    copies = list(repetitions) if whole else [1] * graph.num_actors
    found = limit(graph, repetitions, copies, simulate=simulate and not whole)
    if found.stuck:
        return Throughput(DEADLOCK, None, tuple(repetitions), found.cycle)
    status = LIVE if found.ticks else UNBOUNDED
    return Throughput(status, graph.units(found.ticks), tuple(repetitions), found.cycle)


@dataclass(frozen=True, slots=True)
class Limit:
    """What limits a consistent graph.

    Parameters
    ----------
    stuck : bool
        Whether it deadlocks.
    ticks : Fraction
        Period in ticks; 0 where nothing limits it or it deadlocks.
    cycle : tuple of int
        Channels of the critical or blocking cycle in firing order.
    copies : list of int
        K with which that was proved.
    """

    stuck: bool
    ticks: Fraction
    cycle: tuple[int, ...]
    copies: list[int]


def limit(
    graph: SDFG,
    repetitions: list[int],
    copies: list[int],
    tokens: IntArray | None = None,
    *,
    simulate: bool = False,
) -> Limit:
    """Return what limits a graph, growing K from ``copies`` until the answer is exact.

    Parameters
    ----------
    tokens : (m,) int64 array, optional
        Initial tokens instead of the graph's, for searches that only move tokens.
    simulate : bool
        Look whether self-timed execution settles before many firings are unfolded.
    """
    rounds, simulated = 0, LEAST_CROWDS
    while True:
        expansion = expand(graph, repetitions, copies, tokens)
        rounds += 1
        try:
            ticks, edges = expansion_ratio(expansion)
            stuck = False
        except DeadlockError as error:
            ticks, edges, stuck = None, error.cycle, True
        cycle = tuple(expansion.channel[edges].tolist())
        grown = _grown(graph, repetitions, copies, cycle) if stuck or ticks else None
        if grown is None:
            return Limit(stuck, ticks or Fraction(0), cycle, copies)
        copies = _enough(graph, repetitions, grown, rounds)
        crowds = num_edges(graph, copies) // EDGES_A_CROWD if simulate else 0
        if crowds > 2 * simulated:
            settled, simulated = recurrence(graph, repetitions, crowds), crowds
            if settled is not None:
                return Limit(False, settled.ticks, settled.cycle, list(repetitions))


def _enough(graph: SDFG, repetitions: list[int], grown: list[int], rounds: int) -> list[int]:
    """Return all copies where ``grown`` comes near that or that is no great work, else ``grown``.

    Growing cycle by cycle is what makes huge repetitions tractable, but where many cycles have to
    grow the whole unfolding is the shorter algorithm.
    """
    whole = num_edges(graph, repetitions)
    if whole <= 4 * num_edges(graph, grown) or (rounds > 1 and whole <= MEDIUM_UNFOLDING):
        return list(repetitions) if whole <= LARGE_UNFOLDING else grown
    return grown


def _grown(
    graph: SDFG, repetitions: list[int], copies: list[int], cycle: tuple[int, ...]
) -> list[int] | None:
    """Return more copies for the actors on ``cycle``, or None if it is exact already."""
    if copies == repetitions:
        return None
    actors = set(graph.source[list(cycle)].tolist())
    common = gcd(*(repetitions[a] for a in actors))
    grown = list(copies)
    for a in actors:
        grown[a] = lcm(copies[a], repetitions[a] // common)
    return None if grown == copies else grown
