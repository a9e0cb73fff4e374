"""A network that comes clustered: nothing is left to decompose or to cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from optmap.model.mapping import Clustering
from optmap.model.snn import SNN, frozen


@dataclass(frozen=True, eq=False)
class ClusteredSNN(SNN):
    """A network with the clusters it came with.

    Parameters
    ----------
    cluster_of : (U,) int32 array
        Cluster of each unit, as :class:`optmap.model.mapping.Clustering` has it.
    tau : (K,) int64 array
        Ticks of one firing of each cluster, >= 1.
    source, target : (E,) int32 arrays
        Channels between clusters, sorted by (source, target).
    initial : (E,) int64 array
        Iterations of tokens at the start, 0 or 1.
    names : tuple of str
        What the file calls the clusters.
    """

    cluster_of: Any = None
    tau: Any = None
    source: Any = None
    target: Any = None
    initial: Any = None
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, dtype in (
            ("cluster_of", np.int32),
            ("source", np.int32),
            ("target", np.int32),
            ("tau", np.int64),
            ("initial", np.int64),
        ):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))
        if len(self.cluster_of) != self.num_units or len(self.tau) != len(self.names):
            raise ValueError(
                f"{len(self.cluster_of)} clustered units of {self.num_units},"
                f" {len(self.tau)} times for {len(self.names)} clusters"
            )

    @property
    def clustering(self) -> Clustering:
        """The clustering it came with."""
        return Clustering(self.cluster_of)
