"""The bound on spike-hops from parts of the network that are solved to optimality.

opt(U), the least spike-hops among the clusters of U when only they are placed, is a bound on what
they pay in any binding of all. Such rows over many overlapping parts U join the spreading metrics
(spreading_bound.py): a part knows what its cycles and many neighbours cost, the program shares
every flow among the parts that hold it.

Parts grow from every cluster along its flows, towards those that the program has too close. They
start small; where the parts of a size say nothing new, larger ones are solved, until most do not
end in time; then parts of the size before, grown with some chance.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from formulations.binding.sets import BindingSets
from formulations.binding.spreading_bound import FloatMatrix, SpreadingProgram, applies
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.outcome import Limits
from optmap.model.snn import IntArray

#: Clusters of the first parts, how many more the next ones have, and the time for one.
SMALLEST, STEP, SECONDS_A_PART = 8, 2, 4.0
#: Weights of growing: one more flow into the part against its size, distance and chance.
FLOWS, FLOW, DISTANCE, CHANCE = 3.0, 0.02, 0.5, 2.0
#: Rounds by chance without a new row after which the bound is left as it is.
MAX_IDLE = 8

#: Members and a stopwatch -> a lower bound on what they pay, and whether it is their optimum.
PartSolver = Callable[[tuple[int, ...], Stopwatch], tuple[int, bool]]


def parts_bound(sets: BindingSets, solve: PartSolver, watch: Stopwatch) -> int:
    """Return the bound that spreading metrics and parts prove together before the time is up."""
    if not applies(sets) or watch.left <= 0:
        return 0
    program = SpreadingProgram(sets)
    program.tighten(watch)
    flow = sets.flow_matrix
    rng = np.random.default_rng(watch.limits.seed)
    seen: set[tuple[int, ...]] = set()
    size, idle, growing = min(SMALLEST, program.num - 1), 0, True
    while watch.left > 0 and idle < MAX_IDLE:
        parts = [
            grow(flow, program.distance, a, size, rng if idle else None) for a in range(program.num)
        ]
        added = unsolved = 0
        for part in [p for p in dict.fromkeys(parts) if p not in seen]:
            if watch.left <= 0:
                break
            seen.add(part)
            part_s = min(SECONDS_A_PART, max(watch.left, 1e-3))
            least, optimal = solve(part, Stopwatch(Limits(part_s)))
            unsolved += not optimal
            added += program.add_part(part, least)
        if added:
            program.tighten(watch)
            idle = 0
        elif growing and 3 * unsolved <= len(parts) and size + STEP < program.num:
            size += STEP
        else:
            size, growing = size - STEP * growing, False
            idle += 1
    return program.best


def grow(
    flow: IntArray,
    distance: FloatMatrix,
    first: int,
    size: int,
    rng: np.random.Generator | None,
) -> tuple[int, ...]:
    """Return ``size`` clusters around ``first``: many flows among them, and short ones."""
    num = len(flow)
    chance = np.zeros(num) if rng is None else CHANCE * rng.random(num)
    links = (flow > 0).astype(np.float64)
    worth = FLOWS * links + FLOW * flow
    members, gain, far = [first], worth[first].copy(), distance[first].copy()
    while len(members) < size:
        score = gain - DISTANCE * far / len(members) + chance
        score[members] = -np.inf
        member = int(score.argmax())
        members.append(member)
        gain += worth[member]
        far += distance[member]
    return tuple(sorted(members))
