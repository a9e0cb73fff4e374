"""The front of period and buffer space by cycles: covers of those known, until no cycle is missed.

For a target (periods of at most, or below, some number) the least cover of the cycles known is a
lower bound. If the graph with that room keeps to the target the cover is optimal; otherwise its
slowest cycle is a new row. Room is then added where the row is cheapest and the graph asked again,
until it keeps to the target: that is a solution, and every cycle on the way is a row.

Cycles are rows of every target, with other needs. So the front is walked: the fewest tokens that
run at all, the fewest that reach the shortest period there is, and, from the first to the second,
the fewest that are faster than the last point. Where the limit ends it both ends are there, with
what is proved of them, and all points below some total.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from formulations.buffers.blocking_cycles import unblocked
from formulations.buffers.cycle_cover import CoverModel, Target, dual_bound, rows_of
from formulations.buffers.places import Cycle, Ints, Places, places_of
from formulations.solvers.run_cpsat import run_cpsat
from formulations.solvers.second_proof import seconds_for
from formulations.solvers.stopwatch import Stopwatch
from optmap.judge.binding_aware_graph import lower
from optmap.model.buffer_front import BufferFront, BufferPoint
from optmap.model.buffers import space_of
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.grade import Grade
from optmap.model.mapping import Binding, StaticOrders
from optmap.model.outcome import SOLVED, Limits, Status
from optmap.model.platform import Platform
from optmap.sdf.cycle_ratio import maximum_cycle_ratio

#: Shares of what is left of the limit that an end which is not proved gets, in turn.
SHARES = (0.1, 0.2, 0.3, 0.5)
#: Share of the limit that is left to ask another search of what exact prices do not prove.
GRADING = 0.15


@dataclass(frozen=True, slots=True)
class Least:
    """What was found and proved of the fewest tokens for a target.

    Parameters
    ----------
    extra : (P,) int64 array or None
        Iterations of room above the least; None: nothing found that keeps to the target.
    total, period : int and Fraction, or None
        Its tokens, and the period that it has.
    bound : int
        No fewer tokens keep to the target.
    """

    extra: Ints | None
    total: int | None
    period: Fraction | None
    bound: int

    @property
    def is_proved(self) -> bool:
        """Tell whether nothing less keeps to the target."""
        return self.total == self.bound


class FrontSearch:
    """The cycles known of one mapping, and what they prove.

    Parameters
    ----------
    places : Places
        The mapping's.
    watch : Stopwatch
        What there is to spend.
    """

    def __init__(self, places: Places, watch: Stopwatch) -> None:
        self.places, self.watch = places, watch
        self.cycles: set[Cycle] = set()
        self.found: list[Least] = []
        ample = np.full(places.num_places, self._ample(), dtype=np.int64)
        #: The period that no capacities undercut; None: the graph deadlocks whatever they are.
        self.shortest = places.slowest(ample)[0]
        #: An iteration more everywhere: what there is without a search.
        self.twice = np.ones(places.num_places, dtype=np.int64)
        period, _ = places.slowest(self.twice)
        if period is not None:
            self.found.append(Least(self.twice, places.total(self.twice), period, 0))

    def _ample(self) -> int:
        """Return so much room that a cycle through a place takes less than a tick a token."""
        marked = self.places.marked
        return int(marked.delay.sum()) + int(np.abs(marked.tokens).sum()) + 1

    def least(self, target: Target, until: float = 0.0) -> Least:
        """Return the fewest tokens that keep to a target that some capacities keep to.

        Cycles and capacities from before are where it starts.

        Parameters
        ----------
        until : float
            Seconds that are to be left of the limit.
        """
        places = self.places
        bound = places.least_total
        while self.watch.left > until:
            best, known = self._best(target), len(self.cycles)
            model = CoverModel(rows_of(self.cycles, target), places.rate)
            model.build(best.extra)
            # a relaxation is no place to spend everything
            seconds = max(self.watch.left - until, 0.0) / 2
            done = run_cpsat(model.cp, self.watch, workers=1, wall_s=seconds)
            if done.bound is not None:
                bound = max(bound, places.least_total + done.bound)
            if done.status not in SOLVED:
                break
            mended = self._mended(target, model.extract(done.solver), until)
            if self._best(target).total == bound or (mended and len(self.cycles) == known):
                break
        best = self._best(target)
        if best.total != bound:
            exact = dual_bound(rows_of(self.cycles, target), places.rate)
            bound = max(bound, places.least_total + exact)
        return replace(best, bound=bound)

    def _best(self, target: Target) -> Least:
        """Return the fewest tokens found so far that keep to a target."""
        kept = (one for one in self.found if target.is_met(one.period))
        return min(kept, key=lambda one: one.total or 0, default=Least(None, None, None, 0))

    def _mended(self, target: Target, extra: Ints, until: float) -> bool:
        """Add room where a cycle is short of it, and the cycle to those known, until none is.

        False: the time ended before; where nothing was found by search that is the limit itself.
        The room is where the cycle passes the fewest tokens.
        """
        places, best = self.places, self._best(target).extra
        until = 0.0 if best is None or best is self.twice else until
        self.cycles.update(unblocked(places, extra))
        while True:
            period, cycle = places.slowest(extra)
            if target.is_met(period):
                self.found.append(Least(extra, places.total(extra), period, 0))
                return True
            if not cycle.places:
                raise AssertionError(f"{target} asked for; a cycle without buffers has {period}")
            self.cycles.add(cycle)
            if self.watch.left <= until:
                return False
            at = list(cycle.places)
            short = target.tokens(cycle.delay) - cycle.tokens - int(extra[at].sum())
            extra[at[int(places.rate[at].argmin())]] += short

    def grade(self, target: Target, least: Least) -> Grade:
        """Return who vouches for a bound: exact prices, a second search, or one solver's word."""
        places = self.places
        rows, worth = rows_of(self.cycles, target), least.bound - places.least_total
        if dual_bound(rows, places.rate) >= worth:
            return Grade.CERTIFIED
        if self.watch.left <= 0:
            return Grade.CLAIMED
        model = CoverModel(rows, places.rate)
        model.cover_cycles()
        paid = sum(int(places.rate[e]) * x for e, x in model.room.items())
        model.cp.add(paid <= worth - 1)
        seconds = seconds_for(self.watch)
        done = run_cpsat(model.cp, self.watch, wall_s=seconds, other_search=True)
        return Grade.TWO_SOLVERS if done.status is Status.INFEASIBLE else Grade.CLAIMED

    def walk(self, fewest: Least, fastest: Least) -> tuple[list[tuple[Least, Target]], int | None]:
        """Return the points with the targets their bounds are of, and below which total all are.

        Parameters
        ----------
        fewest, fastest : Least
            The two ends: of any period, of the shortest.
        """
        points: list[tuple[Least, Target]] = []
        at, target, last = fewest, Target(), (fastest, Target(self.shortest))
        while at.is_proved and at.period is not None and at.period != self.shortest:
            if fastest.is_proved and fastest.total == at.total:
                return [*points, last], None
            faster = Target(at.period, below=True)
            found = self.least(faster, GRADING * self.watch.limits.wall_s)
            below = max(int(at.total or 0), found.bound)
            if found.bound > int(at.total or 0) or not found.is_proved:
                points.append((at, target))
            if not found.is_proved:
                return [*points, last], below
            at, target = found, faster
        if at.is_proved:
            return [*points, (at, target)], None
        return [(at, target), last], at.bound


def space_front(
    graph: ClusterGraph,
    platform: Platform,
    binding: Binding,
    orders: StaticOrders,
    limits: Limits,
    period: Fraction | None = None,
) -> tuple[BufferFront, BufferPoint | None]:
    """Return the front of period and buffer space, and the fewest tokens found for ``period``.

    Limits of tile buffers are not looked at. Where no capacities run the front is empty, and
    complete; the second is None where nothing keeps to the period, or none is asked for.

    Raises
    ------
    ValueError
        If the orders have a prologue, whose tokens are no capacities.
    """
    if orders.has_prologue:
        raise ValueError("buffers in tokens: not for orders with a prologue")
    places = places_of(graph, platform, binding, orders)
    search = FrontSearch(places, Stopwatch(limits))
    shortest = search.shortest
    if shortest is None:
        return BufferFront((), None), None
    asked = None if period is None or period < shortest else Target(period)
    ends = dict.fromkeys([Target(), Target(shortest), asked or Target()])
    known: dict[Target, Least] = {}
    for share in SHARES:
        for end in ends:
            if end not in known or not known[end].is_proved:
                known[end] = search.least(end, (1 - share) * search.watch.left)
    grades = {end: search.grade(end, least) for end, least in known.items()}
    walked, below = search.walk(known[Target()], known[Target(shortest)])

    def point(least: Least, target: Target) -> Iterator[BufferPoint]:
        if least.extra is not None:
            buffers = places.buffers(least.extra)
            judged = maximum_cycle_ratio(lower(graph, platform, binding, orders, buffers).graph)[0]
            total = space_of(graph, platform, binding, buffers).total
            if judged is None or (judged, total) != (least.period, least.total):
                raise AssertionError(f"claimed {least}, judged {judged} with {total} tokens")
            grade = grades[target] if target in grades else search.grade(target, least)
            yield BufferPoint(total, judged, buffers, least.bound, grade)

    points = [p for least, target in walked for p in point(least, target)]
    # an end that is not proved may take more than the other one, which is faster
    front = [p for n, p in enumerate(points) if all(p.total < q.total for q in points[n + 1 :])]
    own = None if asked is None else next(point(known[asked], asked), None)
    return BufferFront(tuple(front), below), own
