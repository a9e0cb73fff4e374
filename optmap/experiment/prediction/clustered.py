"""What a method's own clusters say of its row, before they are bound and ordered.

Clusters take a small part of a method's time (a fifteenth in ``overlap-spikes``), and decide most:
no binding is faster than the heaviest share of their work, and the spikes between them, their
number and what they compute are known. A method that decides its clusters by a solver, or changes
them later, is described by the clusters it starts from.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from math import log, log1p

from optmap.bounds.period import period_bounds
from optmap.clustering.contract import CLUSTERERS, DIVIDERS
from optmap.errors import CapacityError, FanInError
from optmap.experiment.row import Row
from optmap.instance import Instance
from optmap.judge.metrics import Traffic, computing_energy, traffic
from optmap.methods import METHODS, Method
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.outcome import Limits
from optmap.model.platform import Interconnect, Platform
from optmap.stages.course import WARM_CLUSTERING, Course
from optmap.stages.divide import divide

#: Bounds on the period that a clustering has without its binding.
_TICKS = ("actor", "load", "pair")

#: A network on a platform, a decomposition and a clustering by their names.
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Clustered:
    """A clustering on a platform, not bound.

    Parameters
    ----------
    actor, load, pair : float
        Lower bounds on the period in ticks: the largest cluster, an even share of all work, two
        clusters that share a tile (0 where none have to).
    clusters, external_spikes, input_deliveries : int
        As the judge counts them.
    computing_pj : float
        Energy of spikes and synaptic events.
    """

    actor: float
    load: float
    pair: float
    clusters: int
    external_spikes: int
    input_deliveries: int
    computing_pj: float

    @property
    def floors(self) -> dict[str, float]:
        """Return lower bounds for every binding and order of these clusters; only those > 0."""
        found = {
            "period": max(self.actor, self.load, self.pair),
            "energy_pj": self.computing_pj,
            "clusters": float(self.clusters),
        }
        return {metric: value for metric, value in found.items() if value > 0}

    def numbers(self, tiles: float) -> list[float]:
        """Return it as numbers: sizes as logarithms, ticks as shares of the load's."""
        load, sent = max(self.load, 1.0), float(self.external_spikes)
        return [
            log(max(self.clusters, 1)),
            log(max(self.clusters, 1) / tiles),
            log1p(sent),
            log1p(float(self.input_deliveries)),
            log(max(self.actor, 1.0) / load),
            log((1.0 + sent) / tiles / load),
            log(max(self.pair, 1.0) / load),
        ]


def flow_of(method: Method) -> tuple[str, str]:
    """Return decomposition and clustering, by name, that a method has or starts from."""
    return method.decomposition, method.clustering if _by_heuristic(method) else WARM_CLUSTERING


def keeps_clusters(name: str) -> bool:
    """Tell whether the clusters that a method starts from are those it ends with."""
    method = METHODS.get(name)
    return method is not None and _by_heuristic(method) and not method.whole


def _by_heuristic(method: Method) -> bool:
    return method.clustering in CLUSTERERS or method.clustering in DIVIDERS


def of_rows(rows: Iterable[Row]) -> dict[Key, Clustered]:
    """Return what rows say of clusterings by heuristics, by instance and names of both stages."""
    found: dict[Key, Clustered] = {}
    for row in rows:
        method = METHODS.get(row.method)
        if method is None or not row.accepted or not keeps_clusters(row.method):
            continue
        ticks = dict.fromkeys(_TICKS, 0.0)
        for bound in row.bounds:
            if bound.metric == "period" and bound.scope.clustering and bound.name in ticks:
                ticks[bound.name] = max(ticks[bound.name], float(bound.value))
        values = {name: float(v) for name, v in row.metrics.items() if v is not None}
        if ticks["load"] <= 0 or "clusters" not in values:
            continue
        found[(row.instance, *flow_of(method))] = Clustered(
            ticks["actor"],
            ticks["load"],
            ticks["pair"],
            int(values["clusters"]),
            int(values.get("external_spikes", 0)),
            int(values.get("input_deliveries", 0)),
            values.get("energy_spike_pj", 0.0) + values.get("energy_synapse_pj", 0.0),
        )
    return found


def crossbars_of(platform: Platform) -> Platform:
    """Return the platform with one tile of each kind, for any number of programs.

    Decomposing and clustering look at no more of a platform: those that differ in the number of
    tiles, in slots or hops have the same clusters.
    """
    kinds = dict.fromkeys(
        replace(platform.tiles[t], slots=None, input_buffer=None, output_buffer=None)
        for t in platform.in_use
    )
    return replace(
        platform,
        name="",
        tiles=tuple(kinds),
        interconnect=Interconnect("mesh", len(kinds), 1),
        hop_ticks=0,
        chip_hop_ticks=None,
        resident=False,
    )


class Clusterings:
    """Clusters that methods start from, each made once for all platforms of the same crossbars."""

    def __init__(self) -> None:
        self._made: dict[Hashable, _Made | None] = {}

    def __len__(self) -> int:
        return len(self._made)

    def of(self, instance: Instance, name: str, limits: Limits) -> Clustered | None:
        """Return what the clusters say that a method starts from; None where it finds none."""
        method = METHODS.get(name)
        if method is None or method.clustering == "imported":
            return None
        network = (instance.network, instance.windows, instance.bit_planes, instance.snn)
        platform = crossbars_of(instance.platform)
        key = (network, platform, instance.tokens, flow_of(method), limits.seed)
        if key not in self._made:
            self._made[key] = _made(instance, platform, method, limits)
        made = self._made[key]
        return None if made is None else made.on(instance.platform)


@dataclass(frozen=True)
class _Made:
    """Clusters, and what is known of them whatever the number of tiles."""

    graph: ClusterGraph
    spikes: Traffic
    computing_pj: float

    def on(self, platform: Platform) -> Clustered:
        """Return what they say on a platform."""
        ticks = dict.fromkeys(_TICKS, 0.0)
        for bound in period_bounds(self.graph, platform):
            ticks[bound.name] = max(ticks[bound.name], float(bound.value))
        return Clustered(
            ticks["actor"],
            ticks["load"],
            ticks["pair"],
            self.graph.num_clusters,
            self.spikes.external_spikes,
            self.spikes.input_deliveries,
            self.computing_pj,
        )


def _made(instance: Instance, platform: Platform, method: Method, limits: Limits) -> _Made | None:
    course = Course(platform, instance.tokens, limits, lambda _: None, [])
    started = replace(method, clustering=flow_of(method)[1], whole="")
    try:
        units, found = course.heuristically(
            "clustering", divide, course, started, instance.snn, None
        )
    except (CapacityError, FanInError):
        return None
    spike_pj, synapse_pj = computing_energy(units, platform)
    graph = course.graph_of(units, found)
    return _Made(graph, traffic(units, found), float(spike_pj + synapse_pj))
