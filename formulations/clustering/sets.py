"""Sets and parameters of the partition formulations (README.md, P), shared by both back-ends.

Sets         U units (by position in ``network.units``), A sources (what some unit reads),
             K = 0..K-1 clusters, H kinds of crossbar
Parameters   P(u) fan-in of u; s_i spikes; deg_i units that read i; R_h, C_h rows and columns;
             area_h and stock_h for (P0c) only
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import le

import numpy as np

from formulations.clustering.crossbar_kinds import Kind, area_of, most_clusters
from formulations.solvers.stopwatch import Stopwatch
from optmap.clustering.kernels import first_fit as first_fit_kernel
from optmap.clustering.kernels.crossbar_fill import empty_fill
from optmap.clustering.kernels.within_limits import within_limits
from optmap.model.capacity import (
    AXONS_OUT,
    FAN_OUT,
    crossbars_of,
    demands,
    on_tiles,
    outgoing,
    stated,
    summed,
)
from optmap.model.cluster_graph import axons, cluster_of_source
from optmap.model.constraints import Sizes
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering, compact
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray
from optmap.model.unit_rules import UnitRules

#: Beyond this many terms a plain model is not built: it would only eat memory.
MAX_TERMS = 2_000_000


def kinds_worth_having(platform: Platform) -> tuple[tuple[int, int], ...]:
    """Return the (R, C') pairs of the platform that no other pair contains."""
    usable = [(r, c) for r, c in platform.kinds if c >= 1]
    return tuple(
        (r, c)
        for r, c in usable
        if not any((r, c) != (s, d) and s >= r and d >= c for s, d in usable)
    )


@dataclass(frozen=True)
class PartitionSets:
    """One instance of the partition problem, ready for a formulation to loop over.

    ``taken`` is w_du, what each unit takes of each resource of :mod:`optmap.model.capacity`;
    ``room`` is L_hd, what each kind of crossbar has of them, and ``sent`` are A_h and F_h, the
    axons out of a kind and the fan-out of its units; all empty without such limits.
    """

    network: SNN
    kinds: tuple[tuple[int, int], ...]
    num_clusters: int
    area: tuple[int, ...] = ()
    stock: tuple[int | None, ...] = ()
    taken: tuple[tuple[int, ...], ...] = ()
    room: tuple[tuple[int, ...], ...] = ()
    sent: tuple[tuple[int, int], ...] = ()
    rules: UnitRules | None = None

    @cached_property
    def read_units(self) -> list[int]:
        """Units that some unit reads, ascending."""
        return [i for i in self.sources if i in self.position]

    @property
    def units(self) -> range:
        """Positions of the units."""
        return range(self.network.num_units)

    @property
    def clusters(self) -> range:
        """K."""
        return range(self.num_clusters)

    @cached_property
    def reads(self) -> list[list[int]]:
        """P(u) by position."""
        return [self.network.sources_of(u).tolist() for u in self.network.units]

    @cached_property
    def sources(self) -> list[int]:
        """A, ascending."""
        return [int(i) for i in np.flatnonzero(self.network.fan_out)]

    @cached_property
    def position(self) -> dict[int, int]:
        """Position in U of every source that is a unit."""
        return {int(u): p for p, u in enumerate(self.network.units)}

    @cached_property
    def spikes(self) -> list[int]:
        """s_i by neuron."""
        return [int(s) for s in self.network.spikes]

    @cached_property
    def readers(self) -> list[int]:
        """deg_i by neuron."""
        return [int(d) for d in self.network.fan_out]

    def rows_of(self, clustering: Clustering) -> list[set[int]]:
        """Return the sources on the rows of each cluster in K; the last ones may be empty."""
        rows: list[set[int]] = [set() for _ in self.clusters]
        for u, k in enumerate(clustering.cluster_of.tolist()):
            rows[k].update(self.reads[u])
        return rows

    def kinds_of(self, clustering: Clustering) -> list[int | None]:
        """Return the first kind of crossbar each cluster in K fits; None for an empty cluster."""
        num = self.num_clusters
        sizes = np.bincount(clustering.cluster_of, minlength=num).tolist()
        amounts = np.array(self.taken, dtype=np.int64).reshape(len(self.taken), len(self.units))
        loads = summed(amounts, clustering.cluster_of, num).T.tolist()
        sent: list[tuple[int, ...]] = [()] * num
        if self.sent:
            source, _ = axons(self.network, clustering)
            parts = outgoing(source, num, self.network, clustering.cluster_of)
            sent = list(zip(*(part.tolist() for part in parts), strict=True))
        found: list[int | None] = []
        for rows, size, load, out in zip(self.rows_of(clustering), sizes, loads, sent, strict=True):
            need = (len(rows), size, *load, *out)
            fitting = (h for h in range(len(self.kinds)) if size and self._holds(h, need))
            found.append(next(fitting, None))
        return found

    def _holds(self, h: int, need: Sequence[int]) -> bool:
        """Tell whether a crossbar of kind h is large enough."""
        have = [*self.kinds[h], *(self.room[h] if self.room else ())]
        have += self.sent[h] if self.sent else ()
        return all(n <= x for n, x in zip(need, have, strict=True))

    @property
    def clashes(self) -> list[tuple[int, int]]:
        """Pairs of labels whose units must not share a cluster; none without demands."""
        return [] if self.rules is None else self.rules.clashing

    @cached_property
    def labelled(self) -> dict[int, list[int]]:
        """Units of each label that clashes with another."""
        if self.rules is None:
            return {}
        names = sorted({label for pair in self.clashes for label in pair})
        return {name: np.flatnonzero(self.rules.label == name).tolist() for name in names}

    @property
    def least_size(self) -> int:
        """Units that a cluster in use holds at least."""
        return self.sizes.min_neurons or 1

    @property
    def sizes(self) -> Sizes:
        """What is demanded of the number of units in clusters."""
        return Sizes() if self.rules is None else self.rules.sizes

    @property
    def max_columns(self) -> int:
        """Largest C'."""
        return max(c for _, c in self.kinds)

    @property
    def num_terms(self) -> int:
        """Size of the largest families of a plain model."""
        n = self.network
        demanded = sum(map(len, self.labelled.values())) + len(self.clashes)
        plain = n.num_synapses + n.num_units + int((n.fan_out > 0).sum())
        return self.num_clusters * (plain + demanded)


def sets_for(network: SNN, platform: Platform, num_clusters: int) -> PartitionSets:
    """Return the sets of a network on a platform, with every limit that the platform states."""
    if not stated(platform) and not platform.limits_outgoing:
        return PartitionSets(network, kinds_worth_having(platform), num_clusters)
    taken = demands(network, platform)
    every = taken.sum(axis=1).tolist()  # more than all units take is no limit
    sent = [on_tiles(platform, limit).tolist() for limit in (AXONS_OUT, FAN_OUT)]
    of_tile = crossbars_of(platform)
    full = {
        (r, c, *map(min, room, every), *(side[t] for side in sent))
        for t in platform.in_use
        for r, c, *room in of_tile[t : t + 1]
    }
    kept = sorted(
        (x for x in full if not any(x != y and all(map(le, x, y)) for y in full)),
        key=lambda x: (-x[0] * x[1], *(-n for n in x)),
    )
    return PartitionSets(
        network,
        tuple((x[0], x[1]) for x in kept),
        num_clusters,
        taken=tuple(map(tuple, taken.tolist())),
        room=tuple(x[2:-2] for x in kept),
        sent=tuple((x[-2], x[-1]) for x in kept),
    )


def too_large(sets: PartitionSets, limits: Limits, seconds_per_term: float) -> bool:
    """Tell whether a plain model would eat the memory, or half of the time, to be built at all."""
    return sets.num_terms > min(MAX_TERMS, limits.wall_s / 2 / seconds_per_term)


def not_built(sets: PartitionSets) -> str:
    """Return what an outcome says where :func:`too_large` kept a model from being built."""
    return f"no model of the clustering: {sets.num_terms:,} terms, too many for the limit"


def traffic_of(network: SNN, clustering: Clustering) -> int:
    """Return the spikes that enter clusters from outside, a source once each (docs/model.md)."""
    source, cluster = axons(network, clustering)
    outside = cluster_of_source(network, clustering)[source] != cluster
    return int(network.spikes[source[outside]].sum())


def area_start(
    decomposition: Decomposition, kinds: tuple[Kind, ...], warm: Clustering | None
) -> tuple[PartitionSets, Clustering | None, int | None]:
    """Return the sets of (P0c), a start whose area the stock allows, or None, and that area.

    K is what a clustering of no more area can have: least area may take more than fewest clusters.
    """
    network = decomposition.network
    shapes = tuple((kind.rows, kind.columns) for kind in kinds)
    start = None
    if network.max_fan_in <= max(r for r, _ in shapes):
        start = first_fit(network, shapes, decomposition.visit_order) if warm is None else warm
        start = compact(start.cluster_of)
    area = None if start is None else area_of(network, start, kinds)
    most = most_clusters(kinds, network.num_units, area)
    stock = tuple(kind.stock for kind in kinds)
    sets = PartitionSets(network, shapes, most, tuple(kind.area for kind in kinds), stock)
    return sets, None if area is None else start, area


def first_fit(network: SNN, kinds: tuple[tuple[int, int], ...], order: IndexArray) -> Clustering:
    """Return the clustering that puts each unit, by position in ``order``, where it first fits."""
    fill = empty_fill(network, kinds)
    cluster_of = np.empty(network.num_neurons, dtype=np.int32)
    first_fit_kernel.first_fit(fill, network.units[order], cluster_of)
    return compact(cluster_of[network.units])


def start_of(
    decomposition: Decomposition, platform: Platform, warm: Clustering | None
) -> Clustering:
    """Return ``warm``, or a trivial first fit, numbered by lowest member as (P6) wants it.

    Raises
    ------
    ValueError
        If some unit fits no crossbar, or ``warm`` is of another network.
    """
    network, kinds = decomposition.network, kinds_worth_having(platform)
    if network.max_fan_in > max(r for r, _ in kinds):
        raise ValueError(
            f"a unit of fan-in {network.max_fan_in} fits no crossbar of {platform.name!r}"
        )
    if warm is None:
        found = first_fit(network, kinds, decomposition.visit_order)
        return within_limits(decomposition, found, platform) if stated(platform) else found
    if len(warm.cluster_of) != network.num_units:
        raise ValueError(f"warm start of {len(warm.cluster_of)} units for {network.num_units}")
    return compact(warm.cluster_of)


def demanded_start(decomposition: Decomposition, start: Clustering | None) -> Clustering | None:
    """Return a start that obeys the demands on units, else None."""
    rules = decomposition.rules
    return start if start is None or rules is None or rules.allows(start.cluster_of) else None


def clusters_of(clustering: Clustering) -> int:
    """Return the value of (P0a)."""
    return clustering.num_clusters


def keep_better(
    watch: Stopwatch,
    measure: Callable[[Clustering], int | None],
    status: Status,
    found: Clustering | None,
    bound: int | None,
    warm: Clustering | None = None,
) -> Outcome[Clustering]:
    """Return the outcome of a run: what it found, or the warm start where that is no worse.

    Both are measured here, never taken from the solver: a run that its limit stopped may count an
    axon that no unit needs any more. A bound above the value is kept as it is: the outcome then
    contradicts itself, for all to see. So it does where the solver calls infeasible what the warm
    start solves: the claim is then that nothing as good as the start exists.
    """
    value = None if found is None else measure(found)
    warm_value = None if warm is None else measure(warm)
    if status is Status.INFEASIBLE:
        if warm_value is None:
            return Outcome(status, trace=watch.trace)
        bound = warm_value + 1
    if value is None or (warm_value is not None and warm_value < value):
        found, value = warm, warm_value
    if found is None:
        return Outcome(status, bound=bound, trace=watch.trace)
    status = Status.OPTIMAL if bound == value else Status.FEASIBLE
    watch.note(value, bound)
    return Outcome(status, found, value, bound, watch.trace)
