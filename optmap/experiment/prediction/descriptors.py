"""What is known of a row before it is run: network, platform, method, and what is proved already.

All sizes are logarithms, so that trees split by ratios. The proved floors (bounds that hold for
every mapping) carry most of what a period depends on; a model then only has to say how far above
them a method ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, log1p, log2

from optmap.bounds.bound import Bound
from optmap.experiment.prediction.clustered import Clustered, keeps_clusters
from optmap.experiment.row import Row
from optmap.methods import METHODS
from optmap.model.scope import END_TO_END

#: What is predicted: metrics of the tables. Floors are known of the first three.
TARGETS = ("period", "energy_pj", "clusters")
TILES_USED = "tiles_used"
GUESSED = (*TARGETS, TILES_USED)

#: Sizes of a network as a row's ``network`` has them.
_SIZES = ("neurons", "inputs", "synapses", "max_fan_in", "spikes", "tiles")
#: Stages whose names tell methods from each other.
_STAGES = ("decomposition", "clustering", "binding", "order", "whole")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A network on a platform by a method, before it is run.

    Parameters
    ----------
    network : mapping
        Sizes of network and platform, as rows have them.
    floors : mapping
        Metric -> the best proved lower bound, above 0; nothing where nothing is proved.
    method : str
        Its name.
    clustered : Clustered, optional
        What the clusters say that the method starts from.
    """

    network: Mapping[str, int | str]
    floors: Mapping[str, float]
    method: str
    clustered: Clustered | None = None

    @classmethod
    def of(cls, row: Row, clustered: Clustered | None = None) -> Descriptor:
        """Return what was known of a row before it was run."""
        return cls(row.network, floors_of(row.bounds), row.method, clustered)

    def floor(self, metric: str) -> float:
        """Return the floor of a metric, 1 without one."""
        return self.floors.get(metric, 1.0)

    def base(self, metric: str) -> float:
        """Return what a value is measured by: the floor of the clusters, else of all mappings.

        Tiles in use are measured by how many there can be: one for each cluster, as far as there
        are tiles.
        """
        if metric == TILES_USED:
            most = self.tiles if self.clustered is None else float(self.clustered.clusters)
            return max(min(most, self.tiles), 1.0)
        if self.clustered is None:
            return self.floor(metric)
        return self.clustered.floors.get(metric, self.floor(metric))

    def proved(self, metric: str) -> float:
        """Return what the row cannot be below: its own clusters' floor, where it keeps them."""
        kept = keeps_clusters(self.method) and metric != TILES_USED
        own = self.base(metric) if kept else 0.0
        return max(own, self.floor(metric))

    def most(self, metric: str) -> float:
        """Return what no sensible mapping is above: all work on one tile, as its period."""
        if metric == TILES_USED:
            return self.base(metric) if keeps_clusters(self.method) else self.tiles
        if self.clustered is None or metric != "period":
            return inf
        return max(self.clustered.load * self.tiles, self.base(metric))

    @property
    def tiles(self) -> float:
        """Return the number of tiles, at least 1."""
        return max(float(self.network.get("tiles", 1)), 1.0)

    def numbers(self) -> list[float]:
        """Return the descriptor as numbers; the method's stages follow by :func:`stages`."""
        sizes = [log1p(float(self.network.get(name, 0))) for name in _SIZES]
        rows, columns = crossbar(self.network)
        fan_in = float(self.network.get("max_fan_in", 0))
        sizes += [log2(rows), log2(columns), log2((fan_in + 1) / rows)]
        floors = [log2(self.floor(metric)) for metric in TARGETS]
        made = [] if self.clustered is None else self.clustered.numbers(self.tiles)
        return [*sizes, *floors, log2(self.floor("clusters") / self.tiles), *made]

    def stages(self) -> list[str]:
        """Return what tells the method from others: its name and those of its stages."""
        known = METHODS.get(self.method)
        if known is None:
            return [f"method {self.method}"]
        names = [f"{stage} {getattr(known, stage)}" for stage in _STAGES]
        return [f"method {self.method}", *names]


def crossbar(network: Mapping[str, int | str]) -> tuple[float, float]:
    """Return rows and columns of the largest crossbar, from text such as "64x64 128x128".

    Examples
    --------
    >>> crossbar({"crossbars": "64x32 128x16"})
    (128.0, 16.0)
    """
    sizes = [text.split("x") for text in str(network.get("crossbars", "1x1")).split()]
    return max(((float(r), float(c)) for r, c in sizes), default=(1.0, 1.0))


def floors_of(bounds: tuple[Bound, ...]) -> dict[str, float]:
    """Return the best bounds that hold whatever is decided, by metric; only those above 0."""
    floors: dict[str, float] = {}
    for bound in bounds:
        if bound.scope == END_TO_END and bound.metric in TARGETS and bound.value > 0:
            floors[bound.metric] = max(floors.get(bound.metric, 0.0), float(bound.value))
    return floors
