"""Lower bounds on spike-hops (B0a), by name; each holds for every binding that respects the slots.

``gilmore-lawler``, ``min-cut``
    Without a solver, :mod:`optmap.bounds.spike_hops`.
``degrees`` (B7)
    A cluster has few places near: at most 4 at one hop, 8 at two, ... The same for all pairs of a
    set: k clusters in k places are at least sigma(k) hops apart in all. A linear program over the
    distances of all pairs with these rows, triangle inequalities (unless a hop matrix breaks one)
    and, where each place is a tile of a mesh, even perimeters of triangles (spreading metrics
    [1]_). The bound is recomputed from rounded duals in whole numbers, hence exact whatever the
    solver's tolerances.

References
----------
.. [1] G. Even, J. Naor, S. Rao, B. Schieber, "Divide-and-conquer approximation algorithms via
   spreading metrics", Journal of the ACM 47, 2000.
"""

from __future__ import annotations

from formulations.binding.sets import BindingSets
from formulations.binding.spreading_bound import spreading_bound
from formulations.solvers.stopwatch import Stopwatch
from optmap.bounds.bound import Bound
from optmap.bounds.spike_hops import hop_bounds as without_solver
from optmap.model.grade import Grade


def hop_bounds(sets: BindingSets, watch: Stopwatch) -> tuple[Bound, ...]:
    """Return the bounds that apply; hop matrices that are not symmetric lack ``degrees``."""
    none = Bound("spike_hops", "none", 0, sets.graph.scope, Grade.CERTIFIED)
    if not sets.flows:
        return (none,)
    found = (none, *without_solver(sets.graph, sets.platform))
    hops = sets.platform.hops
    if (hops == hops.T).all():
        least = spreading_bound(sets, watch)
        found += (Bound("spike_hops", "degrees", least, sets.graph.scope, Grade.CERTIFIED),)
    return found
