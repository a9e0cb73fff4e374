"""Compile kernels that a clustering reaches only where bounds leave a gap and time is left.

How far a search comes in a moment depends on the machine, so each part is called by itself.
"""

from __future__ import annotations

import numpy as np

from formulations.clustering import every_crossbar
from formulations.clustering.column_generation.column_listing import columns_worth
from formulations.clustering.column_generation.pricing import Pricer
from formulations.solvers.stopwatch import Stopwatch
from optmap.clock import counted
from optmap.clustering.kernels.annealing_clusters import shrink_repeatedly
from optmap.clustering.kernels.classes import classes_of
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import compact
from optmap.model.outcome import Limits
from optmap.model.platform import Platform


def warm_up(decomposition: Decomposition, platform: Platform) -> None:
    """List crossbars by worth and by traffic, and dissolve clusters; of the smallest network.

    Parameters
    ----------
    platform : Platform
        Of one kind of crossbar, so narrow that it takes several.
    """
    network, ((rows, columns),) = decomposition.network, platform.kinds
    classes = classes_of(network)
    pricer = Pricer(classes, rows, columns)
    ones = np.ones(classes.num_classes, dtype=np.int64)
    columns_worth(pricer, ones, 1, pricer.closed(ones, 0, 1.0))
    each = compact(range(network.num_units))  # each unit alone: both searches find better ones
    with counted():
        watch = Stopwatch(Limits(1.0))
        every_crossbar.least_traffic(decomposition, platform, network.num_units, each, watch)
        shrink_repeatedly(
            classes, each, rows, columns, least=1, seconds=0.05, seed=0, on_better=lambda _: None
        )
