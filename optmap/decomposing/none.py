"""``none``: every neuron must fit the rows as it is; one that does not is named."""

from __future__ import annotations

import numpy as np

from optmap.errors import FanInError
from optmap.model.capacity import unit_fan_in
from optmap.model.decomposition import Decomposition, Parameters
from optmap.model.platform import Platform
from optmap.model.snn import SNN


def decompose(snn: SNN, platform: Platform, *, seed: int = 0) -> Decomposition:
    """Return the network's own neurons as units; ``seed`` decides nothing.

    Raises
    ------
    FanInError
        A neuron of fan-in above the largest R.
    """
    return rebuild(snn, unit_fan_in(snn, platform), {})


def rebuild(snn: SNN, rows: int, parameters: Parameters) -> Decomposition:
    """Return the network's own neurons as units; there are no parameters.

    Raises
    ------
    FanInError
        A neuron of fan-in above ``rows``.
    ValueError
        ``rows`` below 2.
    """
    if rows >= 2 and snn.max_fan_in > rows:
        worst = int(snn.fan_in.argmax())
        raise FanInError(worst, snn.population_of(worst), int(snn.fan_in[worst]), rows)
    n = snn.num_neurons
    return Decomposition("none", rows, snn, np.arange(n, dtype=np.int32), n)
