"""Methods run again: a seeded heuristic gives its mapping again, a solver's flow no weaker claims.

What a solver proved or reached cannot be repeated to the letter, since it ends by the clock. But a
method that is given a tenth of its row's time, with its seed, must not prove more, nor reach much
better: where it does, somebody has made a rival's row weaker. What its stages decide before the
first solver must be the same. A row of counted work is run again whole and repeats to the letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from typing import Any

from optmap.clock import counted
from optmap.clustering.contract import DIVIDERS
from optmap.errors import CapacityError, FanInError
from optmap.exact import EXACT_BINDERS, EXACT_CLUSTERINGS, EXACT_SCHEDULES, TREE_IMPROVERS
from optmap.experiment.run.exact_json import dumps, number
from optmap.flow import run
from optmap.instance import Instance
from optmap.judge.case import judge
from optmap.mapping_json import to_dict
from optmap.methods import Method
from optmap.model.claim import Claim, Run
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.grade import Grade, stronger
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits, Status
from optmap.model.scope import Scope, binding_identity, clustering_identity
from optmap.stages.course import ENDED_EARLY

#: Seconds within which a solver's method reports the mapping that it starts from.
FIRST_MAPPING_S = 1.0
#: A row that does not say that the limit ended its heuristic is one that it did not end.
NO_LIMIT_S = 1e9
#: The part of a row's limit, as counted work, in which its method must not do better.
SHARE, LEAST_WORK = 0.1, 0.01
#: How a run says that it ended by itself with a mapping.
ENDED = ("optimal", "feasible")
#: Part of a row's seconds that it had a core for; with less of them, less is proved by the clock.
CORE_SHARE = 0.5
#: How much less may be reached by luck: a fifth.
MARGIN = Fraction(6, 5)


def rerun_problems(
    row: dict[str, Any], method: Method, instance: Instance, stored: Mapping | None
) -> Iterator[str]:
    """Yield where running the method again contradicts the row.

    Heuristics are functions of network, platform and seed: the mapping must be the same. Methods
    with a solver, or with a search that ends by the clock, differ from run to run; one that reports
    a mapping at once must have one, and a short run of it must claim no more than the row.
    """
    early = ENDED_EARLY in row["reason"] and stored is not None
    repeats = not method.uses_solver and not method.whole
    if early and repeats:
        return  # nobody knows how far it came; said by whoever asks
    limits = Limits(wall_s=FIRST_MAPPING_S, threads=1, seed=row["seed"])
    if repeats:
        limits = replace(limits, wall_s=NO_LIMIT_S)
    elif row.get("work") is not None:
        limits = replace(limits, work=row["work"], memory_mb=row["memory_mb"])
    elif stored is not None:
        limits = replace(limits, wall_s=max(SHARE * seconds_had(row), LEAST_WORK))
    by_work = not repeats and stored is not None  # the same on a loaded machine
    with counted() if by_work else nullcontext():
        made, found, refusal = _run(method, instance, limits)
    if stored is None and refusal is not None:
        yield from _other_refusal(row, method, refusal)
        return
    if stored is not None and found is not None and not early:
        yield from _other_stages(method, instance, stored, found)
    if row.get("work") is not None and made is not None and stored is not None:
        yield from _not_repeated(row, made, stored)
        return
    if not repeats and stored is not None:
        again = made.claims if made is not None else ()
        stages = (method.clustering, method.binding, method.order)
        no_milp = not any("milp" in stage for stage in stages)
        alone = had_its_core(row)
        yield from weaker_claims(row["claims"], again, bounds=no_milp and alone, best=alone)
        return
    if found is None:
        if stored is not None:
            yield f"{method.name} finds no mapping, the row has one"
        elif repeats and made is not None and row["reason"] != made.reason:
            yield f"reason: {row['reason'][:80]!r}, {method.name} says {made.reason}"
        return
    if stored is None:
        judged = judge(
            instance.snn, instance.platform, found, instance.tokens, instance.constraints
        )
        if judged.evaluation is not None:
            yield f"status {row['status']} without a mapping, yet {method.name} finds a valid one"
        elif row["check"] != "violation":
            yield f"check {row['check']}, yet {method.name}'s mapping breaks a rule"
    elif to_dict(found) != to_dict(stored):
        yield f"{method.name} with seed {row['seed']} gives another mapping"
    elif made is not None and row["status"] in ENDED and row["status"] != made.status.value:
        yield f"status {row['status']}, {method.name} ends with {made.status.value}"


def _other_stages(
    method: Method, instance: Instance, stored: Mapping, found: Mapping
) -> Iterator[str]:
    """Yield the first stage that a heuristic decides and decided otherwise in the row."""
    if method.whole:
        return
    searched = method.clustering in DIVIDERS or method.clustering in TREE_IMPROVERS
    given = isinstance(instance.snn, ClusteredSNN) or method.clustering == "imported"
    units = [one.decomposition.identity for one in (stored, found)]
    if not searched and not given and units[0] != units[1]:
        yield f"its units are not those of {method.name}: {method.decomposition} cuts otherwise"
        return
    if method.clustering in EXACT_CLUSTERINGS or method.clustering in TREE_IMPROVERS:
        return
    both = list(zip(units, (stored, found), strict=True))
    clusters = [clustering_identity(u, m.clustering) for u, m in both]
    if clusters[0] != clusters[1]:
        yield f"its clusters are not those of {method.name}: {method.clustering} repeats exactly"
        return
    if method.binding in EXACT_BINDERS or method.binding in EXACT_SCHEDULES:
        return
    bound = [binding_identity(units[0], m.clustering, m.binding) for m in (stored, found)]
    if bound[0] != bound[1]:
        yield f"its binding is not that of {method.name}: {method.binding} repeats exactly"


def _not_repeated(row: dict[str, Any], made: Run, stored: Mapping) -> Iterator[str]:
    """Yield where a row of counted work is not what the same work gives again."""
    if made.mapping is None or to_dict(made.mapping) != to_dict(stored):
        yield f"{row['work']} units of work with seed {row['seed']} give another mapping"
    again = [claim.to_json() for claim in made.claims]
    for claim, found in zip(row["claims"], again, strict=False):
        for name in ("status", "value", "bound", "grade", "scope"):
            if dumps(claim[name]) != dumps(found[name]):
                text = f"{name} {claim[name]}, {row['work']} units of work give {found[name]}"
                yield f"{claim['metric']}: {text}"
    if row["status"] in ENDED and row["status"] != made.status.value:
        yield f"status {row['status']}, {row['work']} units of work give {made.status.value}"


def _other_refusal(row: dict[str, Any], method: Method, refusal: str) -> Iterator[str]:
    """Yield where a row is not refused as its method refuses before anything runs."""
    if row["status"] != "unsupported":
        yield f"status {row['status']}, yet {method.name} refuses: {refusal}"
    elif row["reason"] != refusal:
        yield f"reason: {row['reason'][:80]!r}, {method.name} says {refusal}"


def _run(
    method: Method, instance: Instance, limits: Limits
) -> tuple[Run | None, Mapping | None, str | None]:
    """Return the run, the last mapping that the method reports, and why it refused to begin."""
    reported: list[Mapping] = []
    placement = instance.placement() if method.clustering == "imported" else None
    try:
        made = run(
            method,
            instance.snn,
            instance.platform,
            instance.tokens,
            limits,
            lambda partial: reported.append(partial.mapping) if partial.mapping else None,
            placement,
            instance.constraints,
        )
    except (CapacityError, FanInError) as error:
        return None, None, str(error)
    last = made.mapping if made.mapping is not None else next(iter(reported[::-1]), None)
    return made, last, None


def had_its_time(row: dict[str, Any]) -> bool:
    """Tell whether a row had a core for most of its time, and its heuristics ended, as it says."""
    return had_its_core(row) and ENDED_EARLY not in row["reason"]


def had_its_core(row: dict[str, Any]) -> bool:
    """Tell whether a row by the clock had a core for most of its time, as it says."""
    if row["work"] is not None or not row["claims"]:
        return True
    return float(row["cpu_s"] or 0) >= CORE_SHARE * float(row["wall_s"])


def seconds_had(row: dict[str, Any]) -> float:
    """Return the seconds of a core that a row had at most: its limit, or less where it says so."""
    return float(row["limit_s"] if had_its_core(row) else row["cpu_s"] or 0)


def weaker_claims(
    stored: list[dict[str, Any]],
    again: tuple[Claim, ...] | list[Claim],
    *,
    bounds: bool = True,
    best: bool = True,
) -> Iterator[str]:
    """Yield where a row claims less than a short run of its method.

    Not ``bounds`` where HiGHS ran by the clock: its work is counted in nodes and iterations, and a
    unit of them may be more than a row's seconds were; nor where the machine was busy with others.
    What is proved to be ``best`` must be reached, where it had a core; else a fifth more will do.

    Stages build on each other, so that only those are compared before which both reached the same.
    """
    for claim, found in zip(stored, again, strict=False):
        if claim["metric"] != found.metric or Scope.from_json(claim["scope"]) != found.scope:
            return
        value, bound = number(claim["value"]), number(claim["bound"])
        name, proved = found.metric, found.bound
        if bounds and proved is not None and not found.contradicts:
            if bound is None or bound < proved:
                yield f"{name}: bound {claim['bound']}, a tenth of the time proves {proved}"
            elif (
                bound == proved
                and found.grade is Grade.CERTIFIED  # a second engine may have had no time
                and stronger(found.grade, Grade(claim["grade"]))
            ):
                yield f"{name}: bound {proved} graded {claim['grade']}, it is {found.grade.value}"
        if found.value is not None and found.evaluated == found.value:
            limit = Fraction(found.value)
            if not best or found.status is not Status.OPTIMAL:
                limit *= MARGIN
            if value is None or value > limit:
                yield f"{name}: claimed {claim['value']}, a tenth of the time reaches {found.value}"
        if found.value != value:
            return
