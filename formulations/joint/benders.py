"""Logic-based Benders decomposition of binding and static orders together (README.md, J).

Master: the binding (B1)-(B4), (B6) with the loads of crossbars and interfaces (S3), by CP-SAT.
Subproblem: the orders of that binding (S), by CP-SAT at one period.
Cuts: the evaluator's critical cycle under the orders found names clusters that cannot hold
together. Starting from those, clusters are added (by the critical cycles of what was possible for
the fewer) until no order of them alone is good enough, and then left out one by one while that
stays so. No binding that puts these clusters on these tiles, or on tiles that an automorphism of
the platform maps them to, beats the incumbent:

    (C)  sum over a in A of z[a, g(tile_a)] <= |A| - 1  for all automorphisms g.

Proof of (C): leaving clusters out removes edges of the binding-aware graph and adds none, so the
period of the part bounds that of the whole. Cuts refer to the incumbent, which only gets better.

References
----------
J. N. Hooker, G. Ottosson, "Logic-based Benders decomposition", Mathematical Programming 96, 2003.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import starmap
from typing import TypeVar

import numpy as np

from formulations.joint.master import MasterModel
from formulations.joint.search import JointSearch
from formulations.joint.sets import JointSets, Solution, not_built, usable_start
from formulations.ordering.cpsat_model import OrderModel
from formulations.ordering.cpsat_model_prologue import PrologueModel
from formulations.ordering.farey import above, below
from formulations.ordering.sets import OrderSets, best_start
from formulations.ordering.size import OutOfTimeError
from formulations.solvers.run_cpsat import WORKERS, run_cpsat
from formulations.solvers.second_proof import graded
from formulations.solvers.stopwatch import Report, Stopwatch
from optmap.errors import DeadlockError
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding, Channel, StaticOrders
from optmap.model.outcome import SOLVED, Limits, Outcome, Status
from optmap.model.platform import Platform
from optmap.model.snn import IntArray
from optmap.sdf.cycle_ratio import maximum_cycle_ratio


@dataclass
class OrderSubproblem:
    """The subproblem: orders of some clusters on their tiles, of a period at most."""

    sets: JointSets
    prologue: bool
    workers: int
    watch: Stopwatch

    def expired(self) -> bool:
        """Tell whether no time is left."""
        return self.watch.left <= 0

    def test(self, part: OrderSets, target: Fraction) -> tuple[Status, StaticOrders | None]:
        """Return what CP-SAT says, and orders of a period of at most ``target`` if there are."""
        if part.floor > target:
            return Status.INFEASIBLE, None
        orders, period = best_start(part, self.prologue, True, None)
        if period <= target:
            return Status.FEASIBLE, orders
        kind = PrologueModel if self.prologue else OrderModel
        try:
            model = kind(part, target, expired=self.expired)
        except OutOfTimeError:
            return Status.UNKNOWN, None
        if model.impossible:
            return Status.INFEASIBLE, None
        run = run_cpsat(model.build().cp, self.watch, workers=1)
        found = model.extract(run.solver) if run.status in SOLVED else None
        return run.status, found

    def restricted(self, binding: Binding, clusters: Sequence[int]) -> OrderSets:
        """Return the order problem of some clusters alone, on the tiles they have."""
        keep = np.array(sorted(clusters), dtype=np.int64)
        return OrderSets(
            induced(self.sets.graph, keep), self.sets.platform, Binding(binding.tile_of[keep])
        )

    def conflict(self, binding: Binding, whole: OrderSets, target: Fraction) -> list[int]:
        """Return clusters whose tiles alone exclude every period up to ``target``.

        ``whole`` must be known to exclude them.
        """
        orders, _ = best_start(whole, self.prologue, True, None)
        clusters = self.on_critical_cycle(whole, orders)
        everyone = set(self.sets.clusters)
        while clusters < everyone:
            keep = sorted(clusters)
            status, found = self.test(self.restricted(binding, keep), target)
            if status is Status.INFEASIBLE:
                break
            if found is None:  # left open by the limit
                return sorted(everyone)
            clusters |= self.on_critical_cycle(whole, merged(orders, found, keep))
            if clusters == set(keep):  # switch_ticks only: the part is alone on a tile
                clusters = everyone
        kept = sorted(clusters)
        for a in sorted(kept, key=lambda a: (self.sets.tau[a], a)):
            fewer = [b for b in kept if b != a]
            if not fewer or self.expired():
                break
            if self.test(self.restricted(binding, fewer), target)[0] is Status.INFEASIBLE:
                kept = fewer
        return kept

    def on_critical_cycle(self, whole: OrderSets, orders: StaticOrders) -> set[int]:
        """Return the clusters that the evaluator's critical cycle names, or the deadlock's."""
        graph = whole.graph_under(orders)
        try:
            _, cycle = maximum_cycle_ratio(graph)
        except DeadlockError as error:
            cycle = error.cycle
        tasks = {int(graph.source[e]) for e in cycle}
        return {a for task in tasks for a in whole.channel_of.get(task, (task,))}


T = TypeVar("T", int, Channel)


def merged(orders: StaticOrders, part: StaticOrders, keep: list[int]) -> StaticOrders:
    """Return ``orders`` with the entries of ``part`` (numbered within ``keep``) in its sequence."""
    clusters = [[keep[a] for a in order] for order in part.clusters]
    sends = [[(keep[a], keep[b]) for a, b in order] for order in part.sends or ()]
    return StaticOrders(
        tuple(starmap(_resequenced, zip(orders.clusters, clusters, strict=True))),
        sends=tuple(starmap(_resequenced, zip(orders.sends or (), sends, strict=True))),
    )


def _resequenced(order: tuple[T, ...], part: list[T]) -> tuple[T, ...]:
    """Put the entries of ``part`` where ``order`` has them, in the sequence of ``part``."""
    chosen, in_turn = set(part), iter(part)
    return tuple(next(in_turn) if x in chosen else x for x in order)


def induced(graph: ClusterGraph, keep: IntArray) -> ClusterGraph:
    """Return the clusters ``keep`` with the channels among them, initial tokens as they were."""
    number = np.full(graph.num_clusters, -1, dtype=np.int64)
    number[keep] = np.arange(len(keep))
    a, b = number[graph.source], number[graph.target]
    inside = (a >= 0) & (b >= 0)
    return ClusterGraph(
        graph.tau[keep],
        graph.rows[keep],
        graph.columns[keep],
        a[inside].astype(np.int32),
        b[inside].astype(np.int32),
        graph.spikes[inside],
        graph.initial[inside],
    )


def solve(
    graph: ClusterGraph,
    platform: Platform,
    limits: Limits,
    *,
    prologue: bool = False,
    warm: Solution | None = None,
    workers: int = WORKERS,
    report: Report | None = None,
) -> Outcome[Solution]:
    """Return a binding with static orders of least period.

    Parameters
    ----------
    prologue : bool
        Search schedules with a prologue (S2+); offsets are then part of the answer.
    warm : (Binding, StaticOrders), optional
        Where to start; ignored if it does not fit or deadlocks, or has a prologue where none is
        asked for.
    report : callable, optional
        Told of every better solution at once.
    """
    watch = Stopwatch(limits, report=report)
    sets = JointSets(graph, platform)
    best = usable_start(sets, prologue, warm)
    if note := sets.why_not_built(watch.left):
        return not_built(watch, sets, best, note)
    orders = OrderSubproblem(sets, prologue, workers, watch)
    low, proved = sets.floor, True
    cuts: list[dict[int, int]] = []
    solution: Solution | None = None
    target = Fraction(max(sets.most_ticks, 1))
    if best is not None:
        solution, value = best
        target = below(value, sets.most_tokens_from(low))
    while watch.left > 0 and low <= target:
        master = MasterModel(sets, Fraction(int(target)), least=int(low))
        if master.impossible:
            low = above(target, sets.most_tokens_from(low))
            break
        _build(master, cuts)
        run = run_cpsat(master.cp, watch, workers=workers)
        if run.status is Status.INFEASIBLE:
            low = above(target, sets.most_tokens_from(low)) if proved else low
            break
        if run.bound is not None and proved:
            low = max(low, Fraction(run.bound))
        if run.status not in SOLVED:
            break
        binding = master.binding(run.solver)
        whole = OrderSets(graph, platform, binding)
        status, found = orders.test(whole, target)
        if found is not None:
            period = whole.period_of(found)
            if period is None or period > target:
                raise ValueError(f"orders of period {target} evaluate to {period}")
            solution = (binding, found)
            target = below(period, sets.most_tokens_from(low))
            watch.better(solution, period, low)
            continue
        conflict = list(sets.clusters)
        if status is Status.INFEASIBLE:
            conflict = orders.conflict(binding, whole, target)
        else:
            proved = False  # left open by the limit, so leaving it out proves nothing
        cuts.append({a: int(binding.tile_of[a]) for a in conflict})
    if solution is None:
        finished = low > target and proved
        status = Status.INFEASIBLE if finished else Status.UNKNOWN
        return Outcome(status, bound=None if finished else low, trace=watch.trace)
    outcome = _outcome(sets, watch, solution, low, target)
    return graded(outcome, sets.floor, JointSearch(sets, watch, prologue, workers).below)


def _build(master: MasterModel, cuts: list[dict[int, int]]) -> None:
    master.build()
    for cut in cuts:
        master.cut(cut)
    master.minimize_period()


def _outcome(
    sets: JointSets, watch: Stopwatch, solution: Solution, low: Fraction, target: Fraction
) -> Outcome[Solution]:
    """Return what was found and proved: nothing is below ``low``, nor up to ``target``."""
    claimed = sets.value_of(solution)
    if claimed is None:
        raise AssertionError("a solution that was evaluated no longer fits")
    if target < low < claimed:  # nothing is left between them
        low = claimed
    watch.note(claimed, low)
    status = Status.OPTIMAL if low == claimed else Status.FEASIBLE
    return Outcome(status, solution, claimed, low, watch.trace)
