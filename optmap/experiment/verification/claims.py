"""What a row's stages may claim: scopes that its method decides, bounds that agree with values."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from optmap.bounds.bound import Bound
from optmap.exact import (
    EXACT_BINDERS,
    EXACT_CLUSTERINGS,
    EXACT_MULTICASTS,
    EXACT_ORDERINGS,
    EXACT_SCHEDULES,
    EXACT_WHOLE,
)
from optmap.experiment.run.exact_json import dumps, number
from optmap.methods import Method
from optmap.model.grade import Grade
from optmap.model.outcome import Status
from optmap.model.platform import Platform
from optmap.model.scope import Place, Scope
from optmap.whole.contract import WHOLE

#: Metrics whose last claim is about the final mapping itself.
FINAL = ("traffic", "spike_hops", "multicast_hops", "period")
#: Ways to decide everything that write a certificate for each bound, in the order of the claims.
CERTIFYING = ("cover",)


def scope_problems(
    claims: list[dict[str, Any]], method: Method, place: Place, platform: Platform
) -> Iterator[str]:
    """Yield the claims whose scope is not what the method's stages leave open.

    A stage takes what stands before it as given: a bound it proves holds for that, and for no more.
    """
    reached: dict[str, Any] = {}
    for claim in claims:
        metric, scope = claim["metric"], Scope.from_json(claim["scope"])
        allowed = _scopes(metric, method, place, platform, reached)
        if scope not in allowed:
            expected = " or ".join(str(a) for a in allowed) or "no claim at all"
            yield f"{metric}: scope {scope}; {method.name} can claim {expected}"
        if claim["bound"] is not None and method.whole in WHOLE and not method.digest:
            yield f"{metric}: bound {claim['bound']}; {method.name} searches and proves nothing"
        reached[metric] = claim["value"]


def _scopes(
    metric: str, method: Method, place: Place, platform: Platform, reached: dict[str, Any]
) -> list[Scope]:
    units, clustering = Scope(units=place.units), Scope(clustering=place.clustering)
    if method.whole:
        return [(WHOLE.get(method.whole) or EXACT_WHOLE[method.whole]).scope(platform)]
    if metric == "clusters" and method.clustering in EXACT_CLUSTERINGS:
        return [units]
    if metric == "traffic" and method.clustering in EXACT_CLUSTERINGS:
        most = reached.get("clusters")
        return [replace(units, max_clusters=place.clusters if most is None else int(most))]
    if metric == "multicast_hops" and method.binding in EXACT_MULTICASTS:
        return [clustering]
    if metric == "tile_load_max" and method.binding in EXACT_BINDERS:
        return [clustering]
    if metric == "spike_hops" and method.binding in EXACT_BINDERS:
        if platform.one_program_each:
            return [clustering]
        load = reached.get("tile_load_max")
        return [replace(clustering, max_load=place.load if load is None else int(load))]
    if metric == "period" and method.binding in EXACT_SCHEDULES:
        return [replace(clustering, prologue=EXACT_SCHEDULES[method.binding].prologue)]
    if metric == "period" and method.order in EXACT_ORDERINGS:
        given = Scope(binding=place.binding)
        return [replace(given, prologue=EXACT_ORDERINGS[method.order].prologue)]
    return []


def value_problems(row: dict[str, Any], metrics: dict[str, Any]) -> Iterator[str]:
    """Yield claims that contradict the judge, themselves, or what they noted on the way."""
    for claim in row["claims"]:
        name, value, bound = claim["metric"], number(claim["value"]), number(claim["bound"])
        judged = number(metrics[name])
        if value is not None and judged is not None:
            if name in FINAL and value != judged:
                yield f"{name}: claimed {value}, judged {judged}"
            if judged > value:
                yield f"{name}: claimed {value}, the final mapping has {judged}"
        if claim["evaluated"] != claim["value"] and value is not None:
            yield f"{name}: claimed {value}, evaluated {claim['evaluated']}"
        if value is not None and bound is not None and bound > value:
            yield f"{name}: bound {bound} above the claimed {value}"
        if (claim["status"] == "optimal") != (value is not None and value == bound):
            yield f"{name}: status {claim['status']} with value {value} and bound {bound}"
        if (value is not None) != (claim["status"] in ("optimal", "feasible")):
            yield f"{name}: status {claim['status']} with the value {value}"
        if claim["status"] not in {status.value for status in Status}:
            yield f"{name}: status {claim['status']!r} is none"
        yield from _trace_problems(name, claim)
    proved = bool(row["claims"]) and all(c["status"] == "optimal" for c in row["claims"])
    if (row["status"] == "optimal") != proved:
        words = "every stage proved" if proved else "not every stage proved"
        yield f"status {row['status']}, yet {words} its claim"


def _trace_problems(name: str, claim: dict[str, Any]) -> Iterator[str]:
    """Yield where a trace ends with a better bound than the claim says."""
    last = None
    for _, _, bound in claim["trace"]:
        last = last if bound is None else number(bound)
    stated = number(claim["bound"])
    if last is not None and (stated is None or stated < last):
        yield f"{name}: bound {claim['bound']}, although {last} was proved on the way"


def differing_bounds(stored: list[Any], computed: list[Any]) -> Iterator[str]:
    """Yield which bounds of a row are not those that need no solver, computed again."""
    known = Counter(json.dumps(bound, sort_keys=True) for bound in stored)
    again = Counter(json.dumps(bound, sort_keys=True) for bound in computed)
    for text in again - known:
        bound = json.loads(text)
        yield f"bound {bound['name']} on {bound['metric']} is {bound['value']}, stored otherwise"
    for text in known - again:
        yield f"bound {text[:120]} is stored, and not computed"
    if known == again and [dumps(b) for b in stored] != [dumps(b) for b in computed]:
        yield "bounds: in another order than a run writes them"


def below_what_is_known(own: Iterable[Bound], claims: list[dict[str, Any]]) -> Iterator[str]:
    """Yield claims with a lower bound, or a lower grade, than exact arithmetic gives their stage.

    Every stage but those that decide everything starts from these bounds.
    """
    for claim in claims:
        scope, bound = Scope.from_json(claim["scope"]), number(claim["bound"])
        of_stage = [
            Fraction(b.value)
            for b in own
            if b.metric == claim["metric"]
            and b.scope.stage == scope.stage
            and scope.within(b.scope)
        ]
        if of_stage and (bound is None or bound < max(of_stage)):
            yield f"{claim['metric']}: bound {claim['bound']}, without a solver {max(of_stage)}"
        elif of_stage and bound == max(of_stage) and claim["grade"] != Grade.CERTIFIED.value:
            yield f"{claim['metric']}: bound {bound} graded {claim['grade']}, needs no solver"


def uncertified(row: dict[str, Any], method: Method) -> Iterator[str]:
    """Yield where a row has not the certificates that its method writes, or in another order."""
    if method.whole in CERTIFYING:
        bounds = [claim["metric"] for claim in row["claims"] if claim["bound"] is not None]
        stated = [certificate.get("metric") for certificate in row.get("certificates", ())]
        if bounds != stated:
            yield f"certificates on {stated}; {method.name} writes them on {bounds}"


def unclaimed(proved: Iterable[Bound], claims: list[dict[str, Any]], alone: bool) -> Iterator[str]:
    """Yield certificates that prove more than any stage claims, or for what no stage claims.

    ``alone``: what its certificate proves is all that such a stage certifies.
    """
    for bound in proved:
        claimed = [number(c["bound"]) for c in claims if c["metric"] == bound.metric]
        if alone and not all(value == bound.value for value in claimed):
            yield f"certificate: proves {bound.metric} >= {bound.value}, claimed otherwise"
        if not any(value is not None and value >= bound.value for value in claimed):
            yield f"certificate: proves {bound.metric} >= {bound.value}, which no stage claims"
