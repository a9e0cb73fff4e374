"""Logic-based Benders decomposition of all decisions (README.md, W): the second method.

Master: decomposition, clustering and binding with channels, tokens and loads of crossbars and
interfaces (binding_model.py), by CP-SAT. Subproblem: the orders of what it chose (S), by CP-SAT at
one period. Cut: joint/benders.py grows the judge's critical cycle into clusters A that alone
exclude every period up to the target. Not all of what makes their part of the graph may come again:

    (WC)  of the rows of A, the units of A that are read in A, the sources below their inserted
          units, the tiles of A, which of them are shared, and the tokens of the channels within A,
          something must differ; likewise for all numbers of A and all automorphisms of the tiles.

Proof of (WC): if all of it comes again, every edge of the part comes again with its tokens and no
shorter delay. More rows, units or channels only add delays and edges. So its period comes again.

It is a second computation of what whole/cpsat.py answers by one model, with the signature of every
method that decides everything: tests compare the two, and both with enumeration. It ends, since
there are finitely many solutions, for fan-in above R too; but a cut says little where many units
could stand for each other, so that only small cases end soon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import islice, permutations, product
from typing import Any

from ortools.sat.python import cp_model

from formulations.joint.benders import OrderSubproblem
from formulations.joint.sets import JointSets
from formulations.joint.symmetry import automorphisms
from formulations.ordering.farey import above, below
from formulations.ordering.sets import OrderSets
from formulations.solvers.run_cpsat import WORKERS, run_cpsat
from formulations.solvers.stopwatch import Stopwatch
from formulations.whole.binding_model import BindingModel
from formulations.whole.sets import WholeSets
from formulations.whole.start import Start, period_of, usable_start, warm_mapping
from optmap.bounds.end_to_end import end_to_end_period_bound
from optmap.model.mapping import Mapping
from optmap.model.outcome import SOLVED, Limits, Outcome, Status
from optmap.model.platform import Platform
from optmap.model.snn import SNN

#: No more images of one cut than this are posted.
MAX_IMAGES = 120

#: What a cut forbids to come again: family ("a", "x", "below", "z", "m", "tok"), index, value.
Literal = tuple[str, tuple[Any, ...], bool]


class MasterModel(BindingModel):
    """The whole model without orders, with the cuts."""

    def build(self) -> MasterModel:
        """Post every family of the master."""
        self.build_units()
        self.build_binding()
        return self

    def repeated(self, solver: cp_model.CpSolver, places: list[int]) -> list[Literal]:
        """Return what makes the part of the graph of these places for clusters."""
        value, found = solver.boolean_value, list[Literal]()
        names = dict(self._units_read())
        for k in places:
            read = [v for v in self.read if value(self.a[v, k])]
            found += [("a", (v, k), True) for v in read]
            sums = [q for q in self.inserted if q in read]
            found += [
                ("below", (i, q), True)
                for q in sums
                for i in self.reads(q)
                if value(self.below[i, q])
            ]
            found += [
                ("x", (v, n), True)
                for v, name in names.items()
                for n in places
                if name in read and n != k and value(self.x[v, n])
            ]
            (t,) = [t for t in self.sets.tiles if value(self.z[k, t])]
            found.append(("z", (k, t), True))
            if value(self.m[t]):
                found.append(("m", (t,), True))
        found += [
            ("tok", (k, n), value(self.tok[k, n]))
            for k, n in permutations(places, 2)
            if value(self.c[k, n])
        ]
        return list(dict.fromkeys(found))

    def cut(self, literals: list[Literal], places: list[int]) -> None:
        """(WC)  not all of ``literals`` again, for other numbers and equal tiles neither."""
        numbers = permutations(self.clusters, len(places))
        group = automorphisms(self.sets.platform, hops_matter=self.sets.platform.has_latency)
        first = tuple(places), tuple(self.sets.tiles)
        for image in {first, *islice(product(numbers, group), MAX_IMAGES)}:
            place, tile = dict(zip(places, image[0], strict=True)), image[1]
            chosen = [self._chosen(x, place, tile) for x in literals]
            if all(c is not None for c in chosen):
                self.cp.add_bool_or(~c for c in chosen if c is not None)

    def _chosen(
        self, literal: Literal, place: dict[int, int], tile: tuple[int, ...]
    ) -> cp_model.LiteralT | None:
        """Return the literal under other numbers; None where this model has no such variable."""
        variable: cp_model.IntVar | None
        match literal:
            case ("a", (v, int(k)), _):
                variable = self.a.get((v, place[k]))
            case ("x", (v, int(k)), _):
                variable = self.x.get((v, place[k]))
            case ("z", (int(k), int(t)), _):
                variable = self.z.get((place[k], tile[t]))
            case ("tok", (int(k), int(n)), _):
                variable = self.tok.get((place[k], place[n]))
            case ("m", (int(t),), _):
                variable = self.m[tile[t]]
            case (_, key, _):
                variable = self.below.get(key)
        return None if variable is None else variable if literal[2] else ~variable


def solve(
    snn: SNN,
    platform: Platform,
    tokens: str,
    limits: Limits,
    *,
    prologue: bool = False,
    start: Mapping | None = None,
    on_better: Callable[[Outcome[Mapping]], None] | None = None,
    workers: int = WORKERS,
) -> Outcome[Mapping]:
    """Return a mapping of least period over all decisions.

    Parameters
    ----------
    prologue : bool
        Search orders with a prologue (S2+) too.
    start : Mapping, optional
        Where to start; ignored if it breaks a rule, or has a prologue where none is asked for.
    """
    sets, watch = WholeSets(snn, platform, tokens), Stopwatch(limits, report=on_better)
    low, proved = Fraction(end_to_end_period_bound(snn, platform).value), True
    best = usable_start(sets, start, prologue) or warm_mapping(sets, limits.seed)
    if sets.not_modelled:
        return replace(_outcome(best, low, low, False, watch), note=sets.not_modelled)
    cuts: list[tuple[list[Literal], list[int]]] = []
    ceiling = target = Fraction(sets.most_ticks)
    if best is not None:
        watch.better(*best, low)
        ceiling = best[1]
        target = below(ceiling, sets.most_tokens(low, ceiling))
    while watch.left > 0 and low <= target:
        model = _master(sets, low, target, cuts)
        run = None if model is None else run_cpsat(model.cp, watch, workers=workers)
        if model is None or run is None or run.status is Status.INFEASIBLE:
            low = above(target, sets.most_tokens(low, ceiling)) if proved else low
            break
        if run.bound is not None and proved:
            low = max(low, Fraction(run.bound))
        if run.status not in SOLVED:
            break
        found, status, cut = _order(model, run.solver, target, watch, prologue, workers)
        if found is not None:
            best = found
            watch.better(*best, low)
            target = below(best[1], sets.most_tokens(low, ceiling))
            continue
        proved = proved and status is Status.INFEASIBLE  # left open, so left out without proof
        cuts.append(cut)
    return _outcome(best, low, target, proved, watch)


def _master(
    sets: WholeSets,
    low: Fraction,
    target: Fraction,
    cuts: Iterable[tuple[list[Literal], list[int]]],
) -> MasterModel | None:
    """Return the master whose largest load is at most ``target``; None if nothing has it."""
    model = MasterModel(sets, Fraction(target // 1), least=int(low // 1))
    if model.impossible:
        return None
    model.build()
    for cut in cuts:
        model.cut(*cut)
    model.minimize_period()
    return model


def _order(
    model: MasterModel,
    solver: cp_model.CpSolver,
    target: Fraction,
    watch: Stopwatch,
    prologue: bool,
    workers: int,
) -> tuple[Start | None, Status, tuple[list[Literal], list[int]]]:
    """Return a mapping within ``target`` of the master's choice, or a cut that excludes it."""
    sets = model.sets
    decomposition, clustering, binding, graph, number = model.extract_binding(solver)
    orders = OrderSubproblem(JointSets(graph, sets.platform), prologue, workers, watch)
    whole = OrderSets(graph, sets.platform, binding)
    status, found = orders.test(whole, target)
    if found is not None:
        mapping = Mapping(decomposition, clustering, binding, found)
        period = period_of(sets, mapping)
        if period is None or period > target:
            raise ValueError(f"orders of period {target} evaluate to {period}")
        return (mapping, period), status, ([], [])
    conflict = list(range(graph.num_clusters))
    if status is Status.INFEASIBLE:
        conflict = orders.conflict(binding, whole, target)
    place = {cluster: k for k, cluster in number.items()}
    places = [place[a] for a in conflict]
    return None, status, (model.repeated(solver, places), places)


def _outcome(
    best: Start | None, low: Fraction, target: Fraction, proved: bool, watch: Stopwatch
) -> Outcome[Mapping]:
    if best is None:
        finished = low > target and proved
        status = Status.INFEASIBLE if finished else Status.UNKNOWN
        return Outcome(status, bound=None if finished else low, trace=watch.trace)
    low = best[1] if low > target else min(low, best[1])
    watch.note(best[1], low)
    status = Status.OPTIMAL if low == best[1] else Status.FEASIBLE
    return Outcome(status, *best, low, watch.trace)
