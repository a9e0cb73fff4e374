"""Methods run again: a seeded heuristic gives its mapping again, a solver's flow gives one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from optmap.errors import CapacityError, FanInError
from optmap.flow import run
from optmap.instance import Instance
from optmap.judge.case import judge
from optmap.mapping_json import to_dict
from optmap.methods import Method
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits

#: Seconds within which a solver's method reports the mapping that it starts from.
FIRST_MAPPING_S = 1.0


def rerun_problems(
    row: dict[str, Any], method: Method, instance: Instance, stored: Mapping | None
) -> Iterator[str]:
    """Yield where running the method again contradicts the row.

    Heuristics are functions of network, platform and seed: the mapping must be the same. Methods
    with a solver, or with a search that ends by the clock, differ from run to run; one that reports
    a mapping at once must have one.
    """
    repeats = not method.uses_solver and not method.whole
    if not repeats and stored is not None:
        return
    limits = Limits(wall_s=FIRST_MAPPING_S, threads=1, seed=row["seed"])
    if repeats:
        limits = replace(limits, wall_s=max(float(row["limit_s"]), FIRST_MAPPING_S))
    found = _mapping(method, instance, limits)
    if found is None:
        if stored is not None:
            yield f"{method.name} finds no mapping, the row has one"
        return
    if stored is None:
        judged = judge(instance.snn, instance.platform, found, instance.tokens)
        if judged.evaluation is not None:
            yield f"status {row['status']} without a mapping, yet {method.name} finds a valid one"
        elif row["check"] != "violation":
            yield f"check {row['check']}, yet {method.name}'s mapping breaks a rule"
    elif to_dict(found) != to_dict(stored):
        yield f"{method.name} with seed {row['seed']} gives another mapping"


def _mapping(method: Method, instance: Instance, limits: Limits) -> Mapping | None:
    """Return the last mapping that the method reports."""
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
        )
    except (CapacityError, FanInError):
        return None
    return made.mapping if made.mapping is not None else next(iter(reported[::-1]), None)
