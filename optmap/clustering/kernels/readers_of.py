"""The network the other way round: who reads each neuron."""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.compiled import compiled
from optmap.model.snn import SNN, IndexArray, IntArray


def readers_of(network: SNN) -> tuple[IntArray, IndexArray]:
    """Return (ptr, readers): neuron i is read by ``readers[ptr[i]:ptr[i + 1]]``, ascending."""
    ptr = np.concatenate(([0], np.cumsum(network.fan_out)))
    readers = np.empty(network.num_synapses, dtype=np.int32)
    _transpose(network.indptr, network.indices, ptr, readers)
    return ptr, readers


@compiled
def _transpose(indptr: Any, indices: Any, ptr: Any, readers: Any) -> Any:
    at = ptr[:-1].copy()
    for j in range(len(indptr) - 1):
        for s in range(indptr[j], indptr[j + 1]):
            readers[at[indices[s]]] = j
            at[indices[s]] += 1
