"""Binding and static orders together by CP-SAT: bisection on the period, then fewest spike-hops.

The model is joint_model.py, with ``prologue`` joint_model_prologue.py; the search that ends in a
proof is order_period_search.py. Among mappings of the period found, one of few spike-hops is then
looked for with what is left of the limit ("energy-aware tie-breaking"); that stage claims nothing.
"""

from __future__ import annotations

from fractions import Fraction

from formulations.joint_model import JointModel
from formulations.joint_model_prologue import JointPrologueModel
from formulations.joint_sets import JointSets, Solution, usable_start
from formulations.joint_symmetry import canonical
from formulations.order_period_search import Probe, search_period
from formulations.run_cpsat import WORKERS, run_cpsat
from formulations.stopwatch import Stopwatch
from optmap.evaluate.cluster_graph import ClusterGraph
from optmap.hardware import Platform
from optmap.mapping import Binding
from optmap.method import SOLVED, Limits, Outcome, Status

#: Part of the limit, and of what is left of it, that may go into fewer spike-hops.
ECONOMY_SHARE = 0.2


def solve(
    graph: ClusterGraph,
    platform: Platform,
    limits: Limits,
    *,
    prologue: bool = False,
    warm: Solution | None = None,
    workers: int = WORKERS,
    economise: bool = True,
) -> Outcome[Solution]:
    """Return a binding with static orders of least period.

    Parameters
    ----------
    prologue : bool
        Search schedules with a prologue (S2+); offsets are then part of the answer.
    warm : (Binding, StaticOrders), optional
        Kept where the solver finds nothing better; ignored if it does not fit or deadlocks, or
        has a prologue where none is asked for.
    economise : bool
        Look for fewer spike-hops at the period found, with at most a fifth of the limit.
    """
    watch = Stopwatch(limits)
    sets = JointSets(graph, platform)
    best = usable_start(sets, prologue, warm)

    def test(target: Fraction, seconds: float) -> Probe[Solution]:
        if not prologue:
            return test_class(target, seconds, False)
        # Without prologue answers come sooner and are answers here too; only "no" means nothing.
        plain = test_class(target, seconds / 3, False)
        return plain if plain.solution is not None else test_class(target, seconds * 2 / 3, True)

    def test_class(target: Fraction, seconds: float, ahead: bool) -> Probe[Solution]:
        model = model_at(sets, target, ahead)
        if model.impossible:
            return Probe(Status.INFEASIBLE)
        model.build()
        if best is not None:
            hint_binding(model, best[0][0])
        run = run_cpsat(model.cp, watch, workers=workers, wall_s=seconds)
        if run.status not in SOLVED:
            return Probe(run.status)
        solution = model.extract(run.solver)
        return Probe(run.status, solution, sets.value_of(solution))

    def minimise(least: int, most: int, seconds: float) -> tuple[Probe[Solution], int]:
        model = JointModel(sets, Fraction(most), least=least)
        if model.impossible:
            return Probe(Status.INFEASIBLE), most + 1
        model.build().minimize_period()
        if best is not None:
            hint_binding(model, best[0][0])
        run = run_cpsat(model.cp, watch, workers=workers, wall_s=seconds)
        if run.status not in SOLVED:
            infeasible = run.status is Status.INFEASIBLE
            return Probe(run.status), most + 1 if infeasible else max(run.bound or least, least)
        solution = model.extract(run.solver)
        found = Probe(run.status, solution, sets.value_of(solution))
        return found, max(run.bound or least, least)

    outcome = search_period(
        watch,
        test,
        sets.floor,
        sets.most_tokens_from,
        best,
        Fraction(max(sets.most_ticks, 1)),
        None if prologue else minimise,
    )
    if not economise or outcome.solution is None or not isinstance(outcome.claimed, Fraction):
        return outcome
    seconds = ECONOMY_SHARE * min(watch.left, limits.wall_s)
    solution = fewer_hops(
        sets, outcome.solution, outcome.claimed, prologue, watch, seconds, workers
    )
    return Outcome(outcome.status, solution, outcome.claimed, outcome.bound, outcome.trace)


def model_at(sets: JointSets, period: Fraction, prologue: bool) -> JointModel:
    """Return the model of a period, not yet built."""
    return JointPrologueModel(sets, period) if prologue else JointModel(sets, period)


def hint_binding(model: JointModel, binding: Binding) -> None:
    """Suggest the tiles of a known binding, in the form that (B6) keeps."""
    image = canonical(binding, model.sets.group, model.sets.by_work)
    for (a, t), z in model.z.items():
        model.cp.add_hint(z, image[int(binding.tile_of[a])] == t)


def spike_hops(sets: JointSets, solution: Solution) -> int:
    """Return sum f_e hops(e)."""
    tile = solution[0].tile_of.tolist()
    return sum(c.spikes * sets.hops[tile[c.source]][tile[c.target]] for c in sets.channels)


def fewer_hops(
    sets: JointSets,
    solution: Solution,
    period: Fraction,
    prologue: bool,
    watch: Stopwatch,
    seconds: float,
    workers: int,
) -> Solution:
    """Return a mapping of exactly that period with as few spike-hops as the seconds allow."""
    hops = spike_hops(sets, solution)
    if hops == 0 or seconds < 0.05 or period == 0:
        return solution
    model = model_at(sets, period, prologue).build()
    hint_binding(model, solution[0])
    model.limit_hops(hops - 1)
    model.economise()
    quiet = Stopwatch(Limits(max(watch.left, 0.05), watch.limits.threads, watch.limits.seed))
    run = run_cpsat(model.cp, quiet, workers=workers, wall_s=seconds)
    if run.status not in SOLVED:
        return solution
    found = model.extract(run.solver)
    return found if sets.value_of(found) == period else solution
