"""Chain and tree: cut the fan-in list of every neuron that has more than R sources."""

from __future__ import annotations

import numpy as np

from optmap.decomposing.kernels.split_evenly import build, count_inserted
from optmap.model.decomposition import Decomposition, assembled
from optmap.model.snn import SNN


def cut(snn: SNN, rows: int, policy: str) -> Decomposition:
    """Return the units of policy ``chain`` or ``tree``; the network itself if nothing exceeds R.

    Raises
    ------
    ValueError
        ``rows`` below 2.
    """
    if rows < 2:
        raise ValueError(f"decomposition needs at least 2 rows, got {rows}")
    n, tree = snn.num_neurons, policy == "tree"
    if snn.max_fan_in <= rows:
        return Decomposition(policy, rows, snn, np.arange(n, dtype=np.int32), n)
    num_units, num_synapses = count_inserted(snn.fan_in, rows, tree)
    indptr, indices, owner = build(snn.indptr, snn.indices, rows, tree, num_units, num_synapses)
    return assembled(policy, snn, rows, indptr, indices, owner)
