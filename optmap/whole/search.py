"""Search over decomposition, clustering, binding and orders at once, on the objective itself.

Pseudo-code::

    report the given start, then the best of fast flows (starts.py), with orders in stages
    refine the clustering of the most promising one, and of the one of least work (refine.py)
    for clusters: cut neurons wherever that saves rows (fewer_clusters.py)
    state = the placement of least floor: busiest tile, or the objective (kernels/state.py)
    spread the busiest clusters over tiles that stand empty
    repeat, from the state reached, with the next temperature of a cycle, the hot ones for longer:
        anneal: pieces, twins, clusters, sources of pieces move, change places (kernels/anneal.py)
        keep the result if it is better, or as good where only orders are missing
        where its floor is below the best value and it is new, or when states get no better:
            give it orders: projected, then running ahead (target.py); report it if better
        after a cycle in vain: a hot round, of the first state or of the best, then cool rounds

What annealing minimises of the period is a norm of the ticks of all tiles and interfaces: no
schedule is shorter than the busiest, and orders that run ahead nearly always get there. Where they
do not, many states with a floor below the best value are tried. What is reported is the judge's
value, exactly. Traffic, energy and clusters are annealed as they are; for multicast hops states are
annealed on spike hops, and the tiles of each on multicast hops (optmap/binding/multicast.py).

A seed and an amount of counted work (:mod:`optmap.clock`) give one result. Nothing begins that is
known to take longer than what is left. Networks whose tables do not fit into memory
(:func:`optmap.whole.convert.room_for`), more tiles than have a table of hops, and networks that
came clustered get the best of the fast flows and of their schedules.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import numpy as np

from optmap.clock import ending, now
from optmap.errors import CapacityError
from optmap.judge.binding_aware_graph import refuse_short_buffers
from optmap.judge.check import check
from optmap.judge.metrics import max_tile_load
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits, Outcome, Status, TracePoint, Value
from optmap.model.platform import Platform
from optmap.model.scope import binding_identity
from optmap.model.snn import SNN
from optmap.whole.annealing import annealed, annealing_of, spread_out
from optmap.whole.convert import Placed, placed_of, room_for
from optmap.whole.fewer_clusters import fewer_clusters
from optmap.whole.kernels.state import copied, restore
from optmap.whole.refine import Shares, refined
from optmap.whole.starts import bound, starts
from optmap.whole.target import Expired, Target

#: Of each round: temperature when it begins, in mean climbs, and the norm's power, 2 to this.
Rounds = tuple[tuple[float, int], ...]
#: The rounds of a cycle.
ROUNDS: Rounds = ((0.02, 4), (0.1, 6), (0.3, 6), (0.1, 4), (0.6, 6))
#: Where it has stalled: a kick, then rounds from what the kick leaves.
KICK = (0.6, 4)
AFTER: Rounds = ((0.1, 6), (0.1, 4), (0.2, 6))
#: Rounds that begin hotter than this take LONG_SHARE of the time left: slow cooling pays there.
HOT, LONG_SHARE = 0.2, 0.2
#: Moves of a round: for each piece; at least, before the first kick and after; most for each piece.
MOVES_A_PIECE, LEAST_MOVES, LEAST_AFTER, MOST_A_PIECE = 40, 10_000, 50_000, 500
#: Clusters up to which orders that run ahead are tried before other bindings.
MOST_PIPELINED = 64
#: Evaluations along critical cycles: many where the best period is FAR above the floor.
FAR, FAR_TRIALS, NEAR_TRIALS = 1.05, 20_000, 400
#: Shares of the time: fast flows end, the first one ends; refining; one schedule; kept back.
STARTS_SHARE, FIRST_SHARE, REFINE_SHARE, SCHEDULE_SHARE, KEPT_SHARE = 0.15, 0.6, 0.2, 0.1, 0.02
#: Share of the time in which a state that is better than the last gets the orders of a look alone.
RISING_SHARE = 0.85
#: Refining takes more where it works on the objective itself; for clusters, neurons are cut then.
REFINE_SHARES, CUT_SHARE = {"clusters": 0.2, "traffic": 0.5}, 0.9
#: Refining gives this part to fewer clusters; all but a little where they are the objective.
CLUSTERS_PART, FEWEST_PART = 0.5, 0.9
#: Up to so many units the placement of least work is refined beside that of least floor.
MOST_TWICE = 1_000
#: Up to so many synapses every step runs, late or not: it takes no time, and a warm-up compiles it.
TINY = 2_000
#: Rounds in a row without a better state after which the search has stalled.
PATIENCE = 5

OnBetter = Callable[[Outcome[Mapping]], None]


def search(
    snn: SNN,
    platform: Platform,
    tokens: str,
    limits: Limits,
    *,
    objective: str = "period",
    start: Mapping | None = None,
    on_better: OnBetter | None = None,
) -> Outcome[Mapping]:
    """Return the best mapping found.

    Parameters
    ----------
    objective : str
        ``period``, ``traffic``, ``energy_pj``, ``clusters`` or ``multicast_hops``; other columns of
        the judge's row are compared, while annealing works on the period.
    start : Mapping, optional
        A valid mapping; the result is never worse.
    on_better : callable, optional
        Told of every better mapping at once.

    Raises
    ------
    CapacityError
        If no mapping was found.
    """
    target = Target(snn, platform, tokens, objective, limits.seed)
    run = _Search(target, limits, on_better)
    if start is not None:
        refuse_short_buffers(run.target.graph(_placed(start)), platform)
        run.offer(start)
    run.begin()
    run.improve()
    if run.best is None:
        raise CapacityError(f"no mapping on {platform.name!r} was found")
    return run.outcome()


def _placed(mapping: Mapping) -> Placed:
    return Placed(mapping.decomposition, mapping.clustering, mapping.binding)


class _Search:
    """The best mapping so far, the placements to go on from, and the clock."""

    def __init__(self, target: Target, limits: Limits, on_better: OnBetter | None) -> None:
        self.target, self.limits, self.on_better = target, limits, on_better
        self.begun, self.slowest, self.moves_a_second = now(), 0.0, 0.0
        self.best: Mapping | None = None
        self.value: Value = 0
        self.trace: list[TracePoint] = []
        self.rng = np.random.default_rng(limits.seed)
        self.candidates: list[tuple[float, Placed]] = []
        self.scheduled: set[str] = set()

    def spent(self) -> float:
        """Return the seconds since the beginning."""
        return now() - self.begun

    def until(self, share: float) -> Expired:
        """Return what says that this share of all time is over, or that a judgement would end late.

        The longest judgement so far is what the next one is expected to take.
        """
        wall = self.limits.wall_s
        return lambda: self.spent() >= min(share * wall, wall * (1 - KEPT_SHARE) - self.slowest)

    def is_late(self) -> bool:
        """Tell whether no further step may begin: the time is over but for a judgement."""
        return self.target.snn.num_synapses > TINY and self.until(1.0)()

    def outcome(self) -> Outcome[Mapping]:
        """Return the best mapping with what led to it."""
        return Outcome(Status.FEASIBLE, self.best, self.value, None, tuple(self.trace))

    def offer(self, mapping: Mapping) -> bool:
        """Keep and report a mapping if it is better and valid; tell whether it was."""
        begun = self.spent()
        better = self._judged(mapping)
        self.slowest = max(self.slowest, self.spent() - begun)
        return better

    def _judged(self, mapping: Mapping) -> bool:
        value = self.target.value(mapping)
        if self.best is not None and value >= self.value:
            return False
        if check(self.target.snn, self.target.platform, mapping, self.target.tokens):
            return False  # buffers: the state knows of none
        self.best, self.value = mapping, value
        self.trace.append(TracePoint(self.spent(), value, None))
        if self.on_better is not None:
            self.on_better(self.outcome())
        return True

    def begin(self) -> None:
        """Try the fast flows, then better clusterings of the best of them."""
        soon, later, wall_s = self.until(STARTS_SHARE), self.until(FIRST_SHARE), self.limits.wall_s
        with ending(self.begun + FIRST_SHARE * wall_s):
            for mapping in starts(self.target, soon, wall_s, later, self.best):
                self._consider(mapping)
        if self.is_late():
            return
        if self.best is not None:
            self._consider(self.best)
            self._stage(min(self.candidates, key=lambda c: c[0])[1])
        if not isinstance(self.target.snn, ClusteredSNN):
            self._refine()
            if self.best is not None and self.target.objective == "clusters":
                self._cut_neurons(_placed(self.best))
        if self.best is not None and not self.is_late():
            self._schedule(_placed(self.best))

    def _stage(self, placed: Placed) -> None:
        """Offer a placement with projected orders, and in stages: both cost a look."""
        mapping, graph = self.target.projected(placed)
        if self._floor(mapping) < self.value:
            self.offer(mapping)
            if self.target.objective == "period":
                self._in_stages(mapping, graph)

    def _consider(self, mapping: Mapping) -> None:
        self.offer(mapping)
        self.candidates.append((self._floor(mapping), _placed(mapping)))

    def _floor(self, mapping: Mapping) -> float:
        """Return what no orders get below: the busiest tile, or the objective itself."""
        if self.target.objective != "period":
            return float(self.target.value(mapping))
        graph = self.target.graph(_placed(mapping))
        return float(max_tile_load(graph, mapping.binding, self.target.platform))

    def _refine(self) -> None:
        """Anneal the clustering of the best candidate, and of the one with the least work.

        For few clusters, of each decomposition.
        """
        fewest = self.target.objective == "clusters"
        best: dict[str, Placed] = {}
        for _, placed in sorted(self.candidates, key=lambda c: c[0]):
            best.setdefault(placed.decomposition.identity, placed)
        chosen = list(best.values())[: 2 if fewest else 1]
        if chosen and not fewest and self.target.snn.num_units <= MOST_TWICE:
            lightest = min((placed for _, placed in self.candidates), key=self._work)
            if self._work(lightest) < self._work(chosen[0]):
                chosen.append(lightest)
        share = REFINE_SHARES.get(self.target.objective, REFINE_SHARE)
        part = FEWEST_PART if fewest else CLUSTERS_PART
        left = (1 - KEPT_SHARE) * self.limits.wall_s - self.slowest - self.spent()
        seconds = max(min(share * self.limits.wall_s, left), 0.0) / max(len(chosen), 1)
        for placed in chosen:
            if not self.is_late():
                self._refine_from(placed, seconds, part)

    def _refine_from(self, placed: Placed, seconds: float, part: float) -> None:
        """Anneal the clustering of a placement, and consider what comes out.

        Where tiles hold several clusters or few are wanted, ``part`` of the seconds is for fewer.
        """
        several = placed.clustering.num_clusters > self.target.platform.num_tiles
        part_s = part * seconds * (several or self.target.objective == "clusters")
        shares = Shares(part_s, (1 - part) * seconds)
        platform, units, seed = self.target.platform, placed.decomposition, self.limits.seed
        for clustering in refined(units, placed.clustering, platform, shares, seed):
            if self.is_late():
                break
            soon = self.until(self.spent() / self.limits.wall_s + SCHEDULE_SHARE / 2)
            for mapping in bound(self.target, units, clustering, soon):
                self._consider(mapping)

    def _cut_neurons(self, placed: Placed) -> None:
        """Consider fewer clusters of units that are made for them."""
        snn, platform, expired = self.target.snn, self.target.platform, self.until(CUT_SHARE)
        units, clustering, seed = placed.decomposition, placed.clustering, self.limits.seed
        for made in fewer_clusters(snn, platform, units, clustering, expired, seed):
            for mapping in bound(self.target, *made, expired=lambda: True):
                self._consider(mapping)

    def _work(self, placed: Placed) -> int:
        """Return the ticks of all crossbars: what is left of them when the tiles are balanced."""
        return int(self.target.graph(placed).tau.sum())

    def _schedule(self, placed: Placed) -> None:
        """Give a placement orders, and another binding where its own cannot be scheduled well.

        All that takes SCHEDULE_SHARE of the whole time at most.
        """
        end = min(1.0, self.spent() / self.limits.wall_s + SCHEDULE_SHARE)
        mapping, graph = self.target.projected(placed)
        if self.target.objective != "period":
            self.offer(mapping)
            if self.target.objective == "multicast_hops" and not self._is_known(placed):
                with ending(self.begun + (1 - KEPT_SHARE) * self.limits.wall_s - self.slowest):
                    self.offer(self.target.multicast(mapping, graph))
            return
        if self._floor(mapping) >= self.value or self._is_known(placed):
            return
        self.offer(mapping)
        mapping = self._in_stages(mapping, graph)
        half = (self.spent() / self.limits.wall_s + end) / 2
        if graph.num_clusters > MOST_PIPELINED:  # too many to be pipelined on any binding
            self._rebound(mapping, graph, self.until(half))
            self._run_ahead(mapping, graph, self.until(end))
            return
        self._run_ahead(mapping, graph, self.until(half))
        self._rebound(mapping, graph, self.until(end))

    def _is_known(self, placed: Placed) -> bool:
        """Tell whether the same placement was given orders before."""
        identity = binding_identity(
            placed.decomposition.identity, placed.clustering, placed.binding
        )
        known = identity in self.scheduled
        self.scheduled.add(identity)
        return known

    def _in_stages(self, mapping: Mapping, graph: ClusterGraph) -> Mapping:
        """Offer the mapping with its orders in stages; return the best."""
        for ahead in self.target.staggered(mapping, graph):
            if self.is_late():
                break
            if self.value > self._floor(mapping) and self.offer(ahead):
                mapping = ahead
        return mapping

    def _run_ahead(self, mapping: Mapping, graph: ClusterGraph, expired: Expired) -> None:
        floor = self._floor(mapping)
        if not expired() and self.value > floor:
            trials = FAR_TRIALS if self.value > FAR * floor else NEAR_TRIALS
            self.offer(self.target.with_prologue(mapping, graph, expired, trials))

    def _rebound(self, mapping: Mapping, graph: ClusterGraph, expired: Expired) -> None:
        """Climb from a balanced binding, then from the mapping's own."""
        for start in (None, mapping.binding):
            if not expired() and self.value > self._floor(mapping):
                with suppress(CapacityError):
                    found = self.target.climbed(mapping, graph, start, expired)
                    self.offer(found)
                    self._in_stages(found, graph)

    def improve(self) -> None:
        """Anneal round by round until the time is over."""
        snn, expired = self.target.snn, self.until(1.0)
        if not self.candidates or isinstance(snn, ClusteredSNN) or not snn.num_synapses:
            return
        placed = min(self.candidates, key=lambda c: c[0])[1]
        room = room_for(snn, placed.clustering.num_clusters)
        if self.is_late() or not (room and self.target.platform.interconnect.has_table):
            return
        work = annealing_of(self.target, placed)
        if spread_out(work, self.rng, expired) and not expired():
            self._schedule(placed_of(snn, work.state, work.start))
        pieces = int(work.state.total["pieces"][0])
        length, longest = max(LEAST_MOVES, MOVES_A_PIECE * pieces), MOST_A_PIECE * pieces
        first, lowest = copied(work.state), work.height()
        best, base, low, rounds = first, first, lowest, ROUNDS
        number, kicks, vain = 0, 0, 0
        waiting: Placed | None = None  # for orders: what the last rounds have made better
        while number + kicks == 0 or not expired():  # the first in any case: it warms up
            kicked = vain >= PATIENCE
            if kicked:
                kicks += 1
                restore(work.state, first if kicks % 2 else best)
                (heat, norm), rounds, length = KICK, AFTER, max(LEAST_AFTER, length)
            else:
                restore(work.state, base)
                heat, norm = rounds[number % len(rounds)]
                number += 1
            moves = length
            if rounds is ROUNDS and heat > HOT and self._is_tight(low[0]):
                left = self.limits.wall_s - self.spent()
                moves = max(length, min(longest, int(LONG_SHARE * left * self.moves_a_second)))
            ends = self.spent() + moves / max(self.moves_a_second, 1.0)
            if waiting is not None and ends > (1 - SCHEDULE_SHARE) * self.limits.wall_s:
                self._schedule(waiting)  # the round may be the last one
                waiting = None
            self.moves_a_second = annealed(work.at(norm), self.rng, heat, moves, expired)
            height, value = work.height(), self.value
            found = placed_of(snn, work.state, work.start)
            kept = self.target.keeps_limits(found)
            better = kept and height < low
            if kept and not expired():
                waiting = self._ordered(found, waiting, better)
            vain = 0 if kicked or better or self.value < value else vain + 1
            if kicked or (kept and self._is_as_good(height, low)):
                base, low = copied(work.state), height
                if kept and self._is_as_good(height, lowest):
                    best, lowest = base, low

    def _ordered(self, found: Placed, waiting: Placed | None, better: bool) -> Placed | None:
        """Give what a round found its orders, or those of a look while rounds still find better.

        What waited for its orders until the rounds find nothing better gets them first; return what
        waits now.
        """
        if better and self.spent() < RISING_SHARE * self.limits.wall_s:
            self._stage(found)
            return found
        if waiting is not None:
            self._schedule(waiting)
        self._schedule(found)
        return None

    def _is_as_good(self, height: tuple[float, float], than: tuple[float, float]) -> bool:
        """Tell whether a state is better; with its floor alone where only orders are missing."""
        return height < than or (height[0] <= than[0] and not self._is_tight(than[0]))

    def _is_tight(self, floor: float) -> bool:
        """Tell whether a better value asks for a better state, not for better orders of this."""
        return self.target.objective != "period" or self.value <= 1.01 * floor
