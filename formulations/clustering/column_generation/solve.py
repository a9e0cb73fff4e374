"""Column generation for the partition (README.md, P): the strong bound, and its certificate.

Sets         classes q with n_q members (classes.py); columns j: crossbars' contents
Master       min sum cost_j l_j  s.t.  sum_j count_qj l_j >= n_q            (master.py)
Pricing      max sum pi_q m_q over what fits one crossbar                  (pricing.py)
Bound        prices rounded down to whole numbers, v a proved bound on the pricing problem: no
             clustering is smaller than ceil(sum_q n_q pi_q / v) (Farley), in exact arithmetic
Incumbent    the restricted master as an integer program over the columns found (CP-SAT)
Search       where little is left, all columns that one crossbar less could be made of are listed
             and covered exactly (column_cover.py): the bound rises, or the optimum is
             found

The LP is solved coarse to fine: first with one price for all classes that look alike within a few
steps of refinement (color_refinement.py), which takes seconds and, on filters, already gives
nearly the full bound; finer levels start from the prices of the coarser ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from ortools.sat.python import cp_model

from formulations.clustering.color_refinement import refine
from formulations.clustering.column_generation import lattice
from formulations.clustering.column_generation.column_cover import can_do, without_surplus
from formulations.clustering.column_generation.master import Master
from formulations.clustering.column_generation.pricing import BEAM_SHARE, Pricer, why_not_built
from formulations.clustering.sets import clusters_of, keep_better, kinds_worth_having, start_of
from formulations.solvers.run_cpsat import run_cpsat
from formulations.solvers.stopwatch import Report, Stopwatch
from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.clustering.kernels.annealing_clusters import shrink_repeatedly
from optmap.clustering.kernels.classes import Classes, classes_of
from optmap.model.certificate import MAX_SUM, PriceCertificate
from optmap.model.decomposition import Decomposition
from optmap.model.grade import Grade
from optmap.model.mapping import Clustering, compact
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform
from optmap.model.snn import FloatArray, IndexArray, IntArray

#: One crossbar's worth in whole-number prices.
SCALE = 10**6

#: Part of the limit that prices by shapes may take.
SHAPES_SHARE = 0.3

#: Part of the limit that the search gets at each level's prices, and the part of what it has for
#: bounds that those bounds get which are not loosened: of a worth 2 % too high too much is listed.
SEARCH_SHARE, EXACTLY = 0.2, 0.8

DEPTHS = (0, 1, 2, 3, 5, 8, None)


@dataclass
class ColumnGeneration:
    """The state of one run: columns found so far, the best certificate, the incumbent."""

    decomposition: Decomposition
    kinds: tuple[tuple[int, int, int], ...]
    watch: Stopwatch
    columns: list[dict[int, int]]
    incumbent: int
    bound: int
    classes: Classes = field(init=False)
    pricers: list[Pricer] = field(init=False)
    certificate: PriceCertificate | None = None
    prices: IntArray | None = None  # of the certificate, or the last asked for
    centre: FloatArray | None = None

    def __post_init__(self) -> None:
        self.classes = classes_of(self.decomposition.network)
        self.pricers = [Pricer(self.classes, r, c) for r, c, _ in self.kinds]

    def cost_of(self, column: dict[int, int]) -> int:
        """Return the cost of the cheapest crossbar that holds a column."""
        rows, units = self.classes.rows_of(list(column)), sum(column.values())
        return min(cost for r, c, cost in self.kinds if rows <= r and units <= c)

    def certify(self, prices: IntArray, seconds: float) -> None:
        """Prove as much as these prices give in processor seconds; keep it if it is the best."""
        total = int((self.classes.size * prices).sum())
        if total > MAX_SUM:
            return
        # the least v that would not help: worth v gives ceil(total / v); aim for the next integer
        worth = 1
        for pricer, (_, _, cost) in zip(self.pricers, self.kinds, strict=True):
            goal = max(worth, self._goal(total) if total > SCALE else 1)
            held = pricer.bound(prices, goal * cost, seconds / len(self.pricers), total * cost)
            worth = max(worth, -(-held // cost))
        proved = -(-total // worth)
        if proved > self.bound:
            self.bound, self.prices = proved, prices
            self.certificate = self.certificate_of(prices, worth)
            self.watch.note(self.incumbent, self.bound)

    def by_shapes(self, seconds: float) -> None:
        """Certify by shapes where units are cells of a lattice; keep it if it is the best."""
        kinds = tuple((rows, columns) for rows, columns, _ in self.kinds)
        found = lattice.certificate_of(
            self.decomposition, kinds, self.incumbent, self.watch, seconds
        )
        if found is not None and found.bound > self.bound:
            self.bound, self.certificate = found.bound, found
            self.watch.note(self.incumbent, self.bound)

    def densest(self, seconds: float) -> None:
        """Certify ceil(U / g), g the most units of a crossbar, where it can beat the bound so far.

        All prices are 1; what one crossbar is found to hold tells what can be hoped for.
        """
        ones = np.ones(self.classes.num_classes, dtype=np.int64)
        held = max(p.heuristic(ones, 0, 500, seconds).best for p in self.pricers)
        if -(-self.decomposition.num_units // max(held, 1)) > self.bound:
            self.certify(ones, seconds)

    def certificate_of(self, prices: IntArray, worth: int) -> PriceCertificate:
        """Return the certificate of prices by class."""
        by_unit = np.zeros(self.decomposition.num_units, dtype=np.int64)
        for q, members in enumerate(self.classes.members):
            by_unit[members] = prices[q]
        return PriceCertificate(
            self.decomposition.identity, self.kinds, tuple(by_unit.tolist()), worth
        )

    def _goal(self, total: int) -> int:
        """Return the largest v that still proves as many crossbars as v = SCALE would."""
        best_bound = -(-total // SCALE)
        return max(1, (total - 1) // (best_bound - 1)) if best_bound > 1 else total

    def level(self, orbit_of: IndexArray, until: float) -> tuple[float, FloatArray]:
        """Solve the LP with these orbits by heuristic pricing; return its value and prices."""
        master = Master(self.classes.size, orbit_of)
        for q in range(self.classes.num_classes):
            for rows, columns, cost in self.kinds:
                if self.classes.fan_in[q] <= rows:
                    master.add({q: min(int(self.classes.size[q]), columns)}, cost)
        for column in self.columns:
            master.add(column, self.cost_of(column))
        value, prices = master.solve()
        centre = prices * 0 + prices.mean() if self.centre is None else self.centre
        alpha, labels = 0.6, 500
        while self.watch.spent < until:
            asked = alpha * centre + (1 - alpha) * prices
            whole = np.floor(asked * SCALE).astype(np.int64)
            added, improving = 0, False
            for pricer, (_, _, dear) in zip(self.pricers, self.kinds, strict=True):
                left = self.watch.processor(until - self.watch.spent)
                found = pricer.heuristic(whole, dear * (SCALE + SCALE // 1000), labels, left)
                for choice in found.choices:
                    cost = self.cost_of(choice)
                    if master.add(choice, cost):
                        added += 1
                        self.columns.append(choice)
                        worth = sum(prices[q] * n for q, n in choice.items())
                        improving = improving or worth > cost + 1e-6
            if not added:
                centre = asked
            if improving:
                value, prices = master.solve()
            elif alpha > 0:
                alpha = 0.6 * alpha if alpha > 0.1 else 0.0
            elif labels < 2000:
                labels *= 4
            else:
                self.centre = prices
                return value, prices
        self.centre = prices
        return value, prices


def solve(
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    warm: Clustering | None = None,
    *,
    workers: int = 8,
    report: Report | None = None,
) -> Outcome[Clustering]:
    """(P0a) Return a clustering of few clusters, a proved bound, and the bound's certificate.

    ``report`` hears of every better clustering, and of the bound that was known then, at once.

    Returns
    -------
    outcome : Outcome
        The bound may also come from optmap.bounds.clusters, whose arguments need no certificate;
        a certificate is re-checked by :mod:`formulations.clustering.verify_certificate`. The bound
        is certified where either of them proves it.
    """
    watch = Stopwatch(limits, report=report)
    start = start_of(decomposition, platform, warm)
    proved = best(cluster_bounds(decomposition, platform))
    simple = 0 if proved is None else proved.whole
    if start.num_clusters <= simple:
        done = keep_better(watch, clusters_of, Status.UNKNOWN, start, simple)
        return replace(done, grade=Grade.CERTIFIED)
    watch.note(start.num_clusters, simple)
    start = annealed(decomposition, platform, watch, start, simple, 0.03 * limits.wall_s)
    if start.num_clusters <= simple:
        done = keep_better(watch, clusters_of, Status.UNKNOWN, start, simple)
        return replace(done, grade=Grade.CERTIFIED)
    why_not = why_not_built(len(classes_of(decomposition.network).groups), watch.left)
    if why_not:
        done = keep_better(watch, clusters_of, Status.UNKNOWN, start, simple)
        return replace(done, grade=Grade.CERTIFIED, note=why_not)
    run = _Run(decomposition, platform, watch, start, simple, workers)
    run.tighten()
    bound = max(simple, run.generation.bound)
    found = compact(run.incumbent.cluster_of)
    outcome = keep_better(watch, clusters_of, Status.UNKNOWN, found, bound)
    certificate = run.generation.certificate
    shown = max(simple, 0 if certificate is None else certificate.bound)
    grade = Grade.CERTIFIED if shown == outcome.bound else Grade.CLAIMED
    return replace(outcome, certificate=certificate, grade=grade)


def annealed(
    decomposition: Decomposition,
    platform: Platform,
    watch: Stopwatch,
    start: Clustering,
    least: int,
    seconds: float,
) -> Clustering:
    """Return ``start`` after some seconds of dissolving crossbars, where they are of one kind."""
    kinds = kinds_worth_having(platform)
    if len(kinds) > 1:
        return start
    ((rows, columns),) = kinds
    return shrink_repeatedly(
        classes_of(decomposition.network),
        start,
        rows,
        columns,
        least=least,
        seconds=seconds,
        seed=watch.limits.seed,
        on_better=lambda found: watch.better(found, found.num_clusters, least),
    )


class _Run:
    """Levels from coarse to fine: LP, integer program over its columns, certificate."""

    def __init__(
        self,
        decomposition: Decomposition,
        platform: Platform,
        watch: Stopwatch,
        start: Clustering,
        simple: int,
        workers: int,
    ) -> None:
        self.watch, self.incumbent, self.simple, self.workers = watch, start, simple, workers
        kinds = tuple((r, c, 1) for r, c in kinds_worth_having(platform))
        self.platform = platform
        self.generation = ColumnGeneration(
            decomposition, kinds, watch, [], start.num_clusters, simple
        )
        classes = self.generation.classes
        self.generation.columns = classes.columns_of(start)

    @property
    def closed(self) -> bool:
        """Whether bound and incumbent have met."""
        return max(self.simple, self.generation.bound) >= self.incumbent.num_clusters

    def tighten(self) -> None:
        """Alternate LP levels, certificates and integer programs until the gap or time is gone.

        The first certificate is that of the densest crossbar, ceil(U / g): all prices are 1.
        """
        generation, total = self.generation, self.watch.limits.wall_s
        generation.by_shapes(SHAPES_SHARE * total)
        self.report()
        generation.densest(self.watch.processor(0.03 * total))
        last = searched = -1
        for depth in DEPTHS:
            orbits = refine(generation.classes, depth)
            if (colours := int(orbits.max()) + 1) == last:
                continue
            last = colours
            until = min(0.6 * total, self.watch.spent + 0.25 * total)
            _, prices = generation.level(orbits, until)
            if self.watch.left <= 0:
                break
            whole = np.floor(prices * SCALE).astype(np.int64)
            possible = -(-int((generation.classes.size * whole).sum()) // SCALE)
            better = possible > max(generation.bound, self.simple)
            if better:
                generation.certify(whole, self.certifying())
                self.report()
            reached = max(generation.bound, self.simple)
            if not self.closed and (better or possible == reached > searched):
                self.search(whole, SEARCH_SHARE * total)
                searched = reached
                if generation.prices is None:  # the bound is of shapes: search these again later
                    generation.prices = whole
            if self.closed or self.watch.spent > 0.6 * total:
                break
        if not self.closed:
            known = self.watch, self.incumbent, max(generation.bound, self.simple)
            most_s = 0.4 * self.watch.left
            self.incumbent = annealed(generation.decomposition, self.platform, *known, most_s)
            generation.columns += generation.classes.columns_of(self.incumbent)
            generation.incumbent = self.incumbent.num_clusters
        if not self.closed:
            singles = np.arange(generation.classes.num_classes, dtype=np.int32)
            until = self.watch.spent + 0.4 * max(self.watch.left, 0.0)
            _, prices = generation.level(singles, until)
            self.round_up()
            if not self.closed:
                asked = generation.prices
                whole = np.floor(prices * SCALE).astype(np.int64) if asked is None else asked
                self.search(whole, 0.5 * self.watch.left)

    def certifying(self) -> float:
        """Return the processor seconds of one certificate: on a loaded machine it goes first."""
        quiet = min(0.3 * self.watch.limits.wall_s, 0.5 * self.watch.left)
        return min(quiet, self.watch.processor(0.65 * self.watch.left))

    def search(self, prices: IntArray, seconds: float) -> None:
        """Exclude one crossbar less, or find it, until the gap is closed or it takes too long."""
        generation, seconds = self.generation, min(seconds, self.watch.left)
        stop = self.watch.spent + seconds
        closed = []
        for pricer in generation.pricers:
            most_s = self.watch.processor(0.5 * seconds)
            goal = pricer.heuristic(prices, 0, 2000, BEAM_SHARE * most_s).best
            closed.append(pricer.closed(prices, goal, most_s, exactly=EXACTLY))
        worth = max(1, *(int(c[-1]) for c in closed))
        while not self.closed and self.watch.spent < stop:
            most = max(generation.bound, self.simple)
            answer = can_do(
                generation.pricers,
                prices,
                closed,
                most,
                self.watch,
                stop - self.watch.spent,
                self.workers,
            )
            if answer.possible is None:
                return
            if answer.possible:
                picked = without_surplus(generation.classes, list(answer.columns))
                self.incumbent = generation.classes.clustering(picked)
                generation.incumbent = self.incumbent.num_clusters
                generation.bound = max(generation.bound, most)
            else:
                plain = generation.certificate_of(prices, worth)
                searched = most + 1 - plain.bound
                generation.certificate = replace(plain, searched=searched)
                generation.bound, generation.prices = most + 1, prices
            self.report()

    def report(self) -> None:
        """Report incumbent and bound."""
        found = compact(self.incumbent.cluster_of)
        bound = max(self.simple, self.generation.bound)
        self.watch.better(found, found.num_clusters, bound)

    def round_up(self) -> None:
        """Solve the restricted master as an integer program over the columns found."""
        classes, columns = self.generation.classes, self.generation.columns
        model = cp_model.CpModel()
        most = self.incumbent.num_clusters
        level = [model.new_int_var(0, most, f"l{j}") for j in range(len(columns))]
        by_class: list[list[tuple[int, int]]] = [[] for _ in range(classes.num_classes)]
        for j, column in enumerate(columns):
            for q, count in column.items():
                by_class[q].append((j, count))
        for q, held in enumerate(by_class):
            model.add(sum(n * level[j] for j, n in held) >= int(classes.size[q]))
        model.minimize(sum(level))
        model.add(sum(level) >= max(self.generation.bound, self.simple))
        current = classes.columns_of(self.incumbent)
        index = {tuple(sorted(c.items())): j for j, c in enumerate(columns)}
        chosen: dict[int, int] = {}
        for column in current:
            known = index.get(tuple(sorted(column.items())))
            if known is not None:
                chosen[known] = chosen.get(known, 0) + 1
        for j, variable in enumerate(level):
            model.add_hint(variable, chosen.get(j, 0))
        run = run_cpsat(
            model, Stopwatch(self.watch.limits, self.watch.started), workers=self.workers
        )
        if run.value is None or run.value >= most:
            return
        picked = [dict(columns[j]) for j, v in enumerate(level) for _ in range(run.solver.value(v))]
        self.incumbent = classes.clustering(without_surplus(classes, picked))
        self.report()
