"""Large neighbourhood search for the partition, its neighbourhoods solved by CP-SAT.

A *victim*, the crossbar that is worth least, is drained: each step takes it and some crossbars that
share axons with it or with each other, and re-packs their units exactly so that as little as
possible stays in the victim and, among equals, as few rows as possible are used (rows saved are
room for later steps). An empty victim is a crossbar less. Which crossbars are taken is chosen among
several rules in proportion to the past success of each.

Sets         units of the taken crossbars by twin class; taken crossbars k, the victim last
Variables    x[q,k] members of class q in k; z[q,k] = 1 if any; b[g,k] = 1 if group g is on k's rows
Objective    min M sum_q size_q x[q,victim] + sum_g,k w_g b[g,k]
Families     (P1)-(P4) in aggregated form (twins_cpsat.py)

Before that, half of the time goes to annealing (annealing_clusters.py), where all crossbars are of
one kind: on filters it dissolves most of what can be dissolved within seconds. Large networks start
from a multilevel clustering (optmap/clustering/multilevel.py) where that is better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from ortools.sat.python import cp_model

from formulations.clustering import every_crossbar, spikes_bound
from formulations.clustering.below import Below
from formulations.clustering.column_generation import lattice
from formulations.clustering.cpsat_model import SECONDS_PER_TERM, PartitionModel
from formulations.clustering.sets import (
    PartitionSets,
    clusters_of,
    keep_better,
    kinds_worth_having,
    start_of,
    too_large,
    traffic_of,
)
from formulations.clustering.traffic_bound import copies_bound
from formulations.clustering.traffic_rounds import annealed_traffic
from formulations.solvers.run_cpsat import run_cpsat
from formulations.solvers.second_proof import graded
from formulations.solvers.stopwatch import Report, Stopwatch
from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.bounds.spreading import best_spreading_bound
from optmap.bounds.traffic import traffic_bound
from optmap.clock import ending, now
from optmap.clustering import multilevel
from optmap.clustering.kernels.annealing_clusters import shrink_repeatedly
from optmap.clustering.kernels.classes import Classes, classes_of
from optmap.model.capacity import stated
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering, compact
from optmap.model.outcome import SOLVED, Limits, Outcome, Status
from optmap.model.platform import Platform

Column = dict[int, int]

#: What part of the time is kept for the traffic's bound.
BOUND_SHARE = 0.8
#: The same for the bound by spreading, of networks too large for that.
SPREADING_SHARE = 0.6
#: What part of the time prices by shapes get, of fewest clusters.
SHAPES_SHARE = 0.2
#: What part of the time the crossbars that can be listed get, before all else.
LISTED_SHARE = 0.3
#: What part of the time large networks get for multilevel clustering, of fewest clusters.
FEWEST_SHARE = 0.6

RULES = ("victim", "neighbours", "loosest", "anywhere")


@dataclass(frozen=True, eq=False)
class Repacking:
    """One neighbourhood: what is in it, and the crossbars there are."""

    classes: Classes
    kinds: tuple[tuple[int, int], ...]
    taken: list[Column]

    def solve(
        self, watch: Stopwatch, seconds: float, workers: int, drain: bool
    ) -> list[Column] | None:
        """Return the crossbars re-packed, the drained one last; None if nothing was found."""
        classes, k_all = self.classes, range(len(self.taken))
        total: Column = {}
        for column in self.taken:
            for q, n in column.items():
                total[q] = total.get(q, 0) + n
        model = cp_model.CpModel()
        x: dict[tuple[int, int], cp_model.IntVar] = {}
        z: dict[tuple[int, int], cp_model.IntVar] = {}
        b: dict[tuple[int, int], cp_model.IntVar] = {}
        for q, n in total.items():
            for k in k_all:
                z[q, k] = model.new_bool_var("")
                x[q, k] = z[q, k] if n == 1 else model.new_int_var(0, n, "")
                if n > 1:
                    model.add(x[q, k] <= n * z[q, k])
                for g in classes.reads(q).tolist():
                    if (g, k) not in b:
                        b[g, k] = model.new_bool_var("")
                    model.add_implication(z[q, k], b[g, k])
            model.add(sum(x[q, k] for k in k_all) == n)
        used = []
        for k in k_all:
            rows = sum(int(classes.weight[g]) * v for (g, c), v in b.items() if c == k)
            columns = sum(x[q, k] for q in total)
            used.append(rows)
            fitting = [model.new_bool_var("") for _ in self.kinds]
            model.add_exactly_one(fitting)
            for choice, (most_rows, most_columns) in zip(fitting, self.kinds, strict=True):
                model.add(rows <= most_rows).only_enforce_if(choice)
                model.add(columns <= most_columns).only_enforce_if(choice)
        last = len(self.taken) - 1
        heavy = 1 + sum(int(classes.weight[g]) for g, _ in b)
        stays = sum(int(classes.fan_in[q]) * x[q, last] for q in total)
        model.minimize((heavy * stays if drain else 0) + sum(used))
        for (q, k), v in x.items():
            n = self.taken[k].get(q, 0)
            model.add_hint(v, n)
            if total[q] > 1:
                model.add_hint(z[q, k], n > 0)
        read = [{int(g) for q in c for g in classes.reads(q)} for c in self.taken]
        for (g, k), v in b.items():
            model.add_hint(v, g in read[k])
        run = run_cpsat(model, watch, workers=workers, wall_s=seconds)
        if run.status not in SOLVED:
            return None
        value = run.solver.value
        return [{q: int(value(x[q, k])) for q in total if value(x[q, k])} for k in k_all]


class _Search:
    """The current crossbars and how well each rule has done."""

    def __init__(self, classes: Classes, kinds: tuple[tuple[int, int], ...], seed: int) -> None:
        self.classes, self.kinds = classes, kinds
        self.rng = np.random.default_rng(seed)
        self.score = dict.fromkeys(RULES, 1.0)
        self.size = 3.0

    def filling(self, column: Column) -> float:
        """Return the larger share of rows or columns used of the largest kind."""
        rows, columns = self.kinds[0]
        return max(self.classes.rows_of(list(column)) / rows, sum(column.values()) / columns)

    def groups_of(self, column: Column) -> set[int]:
        """Return the groups on a crossbar's rows."""
        return {int(g) for q in column for g in self.classes.reads(q)}

    def pick(self, columns: list[Column], victim: int) -> tuple[str, list[int]]:
        """Return a rule and the crossbars it takes, the one to drain last."""
        weights = np.array([self.score[r] for r in RULES])
        rule = RULES[int(self.rng.choice(len(RULES), p=weights / weights.sum()))]
        want = min(len(columns), max(2, int(self.rng.poisson(self.size - 2)) + 2))
        if rule == "victim":
            seed = victim
        elif rule == "loosest":
            fill = np.array([1.02 - min(self.filling(c), 1.0) for c in columns])
            seed = int(self.rng.choice(len(columns), p=fill / fill.sum()))
        else:
            seed = int(self.rng.integers(len(columns)))
        taken, groups = [seed], self.groups_of(columns[seed])
        while len(taken) < want:
            shared = np.array([len(groups & self.groups_of(c)) for c in columns], dtype=float)
            shared[taken] = 0.0
            if rule == "anywhere" or not shared.any():
                shared = np.ones(len(columns))
                shared[taken] = 0.0
            chosen = int(self.rng.choice(len(columns), p=shared / shared.sum()))
            taken.append(chosen)
            groups |= self.groups_of(columns[chosen])
        if victim in taken:
            taken.remove(victim)
            taken.append(victim)
        return rule, taken


def solve(
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    warm: Clustering | None = None,
    *,
    workers: int = 8,
    step_s: float = 2.0,
    report: Report | None = None,
) -> Outcome[Clustering]:
    """(P0a) Return a clustering of fewer clusters than ``warm`` if one is found in time.

    The bound is the best of optmap.bounds.clusters and, for cells of a lattice, of their shapes.
    ``report`` hears of every better clustering at once.
    """
    watch = Stopwatch(limits, report=report)
    start = start_of(decomposition, platform, warm)
    proved = best(cluster_bounds(decomposition, platform))
    bound = 0 if proved is None else proved.whole
    if start.num_clusters > bound:
        start = _fewer_by_levels(decomposition, platform, start, watch)
    classes = classes_of(decomposition.network)
    search = _Search(classes, kinds_worth_having(platform), limits.seed)
    shapes = lattice.certificate_of(
        decomposition, search.kinds, start.num_clusters, watch, SHAPES_SHARE * watch.left
    )
    bound = max(bound, 0 if shapes is None else shapes.bound)
    watch.note(start.num_clusters, bound)
    current = start
    if len(search.kinds) == 1:
        ((rows, most_columns),) = search.kinds
        current = shrink_repeatedly(
            classes,
            start,
            rows,
            most_columns,
            least=bound,
            seconds=0.5 * limits.wall_s,
            seed=limits.seed,
            on_better=lambda found: watch.better(found, found.num_clusters, bound),
        )
    columns = classes.columns_of(current)
    while watch.left > 0 and len(columns) > max(bound, 1):
        before = columns
        columns = _repacked(search, columns, watch, step_s, workers)
        if len(columns) < len(before):
            fewer = compact(classes.clustering(columns).cluster_of)
            watch.better(fewer, fewer.num_clusters, bound)
    found = compact(classes.clustering(columns).cluster_of)
    outcome = keep_better(watch, clusters_of, Status.UNKNOWN, found, bound, start)
    return replace(graded(outcome, bound), certificate=shapes)


def _repacked(
    search: _Search, columns: list[Column], watch: Stopwatch, step_s: float, workers: int
) -> list[Column]:
    """Return the crossbars after one step; the rule that chose it learns what it was worth."""
    victim = int(np.argmin([search.filling(c) for c in columns]))
    rule, taken = search.pick(columns, victim)
    drain = taken[-1] == victim
    silent = Stopwatch(watch.limits, watch.started)
    packed = Repacking(search.classes, search.kinds, [columns[k] for k in taken]).solve(
        silent, step_s, workers, drain
    )
    before = columns
    if packed is not None:
        kept = [c for k, c in enumerate(columns) if k not in set(taken)]
        columns = kept + [c for c in packed if c]
    improved = len(columns) < len(before) or _potential(search, columns) < _potential(
        search, before
    )
    search.score[rule] = max(0.1, 0.9 * search.score[rule] + (0.5 if improved else 0.0))
    search.size = min(6.0, search.size + (0.02 if packed is not None else -0.2))
    search.size = max(2.0, search.size)
    return columns


def _fewer_by_levels(
    decomposition: Decomposition, platform: Platform, start: Clustering, watch: Stopwatch
) -> Clustering:
    """Return the multilevel clustering of a large network where it has fewer, or less traffic."""
    network = decomposition.network
    soon = multilevel.seconds_for(network, platform) < FEWEST_SHARE * watch.left
    if not multilevel.worth_it(network) or not soon or stated(platform) or decomposition.rules:
        return start
    with ending(now() + FEWEST_SHARE * watch.left):
        made = multilevel.partition(decomposition, platform, seed=watch.limits.seed)
    return min(start, made, key=lambda one: (one.num_clusters, traffic_of(network, one)))


def _potential(search: _Search, columns: list[Column]) -> float:
    """Return what a step should lower: the emptiest crossbar's filling, then all rows."""
    return min(search.filling(c) for c in columns) + 1e-6 * sum(
        search.classes.rows_of(list(c)) for c in columns
    )


def minimize_traffic(
    decomposition: Decomposition,
    platform: Platform,
    num_clusters: int,
    limits: Limits,
    warm: Clustering | None = None,
    *,
    workers: int = 8,
) -> Outcome[Clustering]:
    """(P0b) Return a clustering of less traffic than ``warm`` within ``num_clusters`` clusters.

    Where all crossbars can be listed (every_crossbar.py) they nearly always prove the optimum.
    Else annealing (annealing_traffic.py), round after round, until some rounds in a row
    found nothing; the plain model of CP-SAT then takes over where it can be built. The bound is
    that model's, the one of the listing, of optmap.bounds.traffic, of traffic_bound.py, or of
    spikes_bound.py; of networks too large for that, the one of optmap.bounds.spreading, with its
    certificate. UNKNOWN where there is no start small enough.
    """
    watch, certificate = Stopwatch(limits), None
    network, kinds = decomposition.network, kinds_worth_having(platform)
    floor = bound = traffic_bound(decomposition, platform).whole
    start = start_of(decomposition, platform, warm)
    if start.num_clusters > num_clusters:
        return keep_better(watch, clusters_of, Status.UNKNOWN, None, None)
    measure = partial(traffic_of, network)
    listed, floor = _by_listing(decomposition, platform, num_clusters, start, floor, watch)
    bound = floor
    applies = spikes_bound.applies(network, num_clusters)
    kept_s = (BOUND_SHARE if applies else SPREADING_SHARE) * limits.wall_s - watch.spent
    if measure(listed) > floor:
        start = annealed_traffic(network, kinds, start, bound, watch, kept_s)
    current = min(listed, start, key=measure)
    value = measure(current)
    if value > bound and watch.left > 1:
        if not applies:
            part_s = SPREADING_SHARE * watch.left
            until = watch.spent + part_s
            certificate = best_spreading_bound(
                decomposition, platform, lambda: watch.spent >= until, seed=limits.seed
            )
            if certificate is not None and certificate.bound > floor:
                floor = bound = certificate.bound
                watch.note(value, bound)
            else:
                certificate = None
        known = decomposition, platform, num_clusters, current
        proved = copies_bound(*known, Limits(max(watch.left / 2, 1e-3), seed=limits.seed))
        if proved.name != "copies":  # spikes differ, or copies say less than no solver does
            share = min(max(BOUND_SHARE * limits.wall_s, watch.left / 2), max(watch.left, 1e-3))
            part = Limits(share, seed=limits.seed)
            proved = spikes_bound.spikes_bound(*known, part, workers=workers)
        bound = max(bound, proved.whole)
        watch.note(value, bound)
    sets = PartitionSets(network, kinds, num_clusters)
    if value == bound or too_large(sets, Limits(max(watch.left, 1e-3)), SECONDS_PER_TERM):
        known_best = graded(keep_better(watch, measure, Status.UNKNOWN, current, bound), floor)
        return replace(known_best, certificate=certificate)
    model = PartitionModel(sets).build()
    model.link_remote_axons()
    model.minimize_traffic()
    current = compact(current.cluster_of)
    model.hint(current)
    run = run_cpsat(model.cp, watch, workers=workers)
    found = None if run.value is None else model.extract(run.solver)
    bound = max(bound, run.bound or 0)
    outcome = keep_better(watch, measure, run.status, found, bound, current)
    below = Below(sets, "traffic", measure, watch, other_search=True)
    return replace(graded(outcome, floor, below), certificate=certificate)


def _by_listing(
    decomposition: Decomposition,
    platform: Platform,
    most: int,
    current: Clustering,
    floor: int,
    watch: Stopwatch,
) -> tuple[Clustering, int]:
    """Return the best clustering and bound once all crossbars were listed, where they can be."""
    known = traffic_of(decomposition.network, current) == floor
    if known or watch.left <= 0 or decomposition.rules is not None or stated(platform):
        return current, floor
    listed = every_crossbar.least_traffic(
        decomposition, platform, most, current, watch, LISTED_SHARE
    )
    if listed is None:
        return current, floor
    found, floor = listed.clustering, max(floor, listed.bound)
    watch.note(traffic_of(decomposition.network, found), floor)
    return found, floor
