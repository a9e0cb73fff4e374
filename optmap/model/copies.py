"""Several windows of one network side by side: what copies of crossbar programs make possible.

With one copy of each program, a cluster fires once a window, so that the period is at least its
execution time, whatever the number of tiles. Where windows n, n + 1, ... are mapped together, the
cluster of every window can have a tile of its own: its copies take windows in turn. The network of
w windows is w equal networks without a synapse between them; mapped by any method and judged as any
network is, it gives a period for w windows.

Honest about what a copy costs: every window's neurons take columns, rows and a program of their
own, and every window's spikes are read and sent. Clusters of two windows on one tile could share
one program; they count as two. The work of all tiles is that of w windows, so that bounds by work
hold for copies as well; bounds by the heaviest cluster fall to a w-th a window.

Only for networks without recurrent synapses: the state of a recurrent one goes from window to
window, and two windows at a time would have none to start from.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from optmap.errors import InputError
from optmap.model.snn import SNN, Population


def is_recurrent(snn: SNN) -> bool:
    """Tell whether some neuron reads itself, directly or through others."""
    post = snn.post_of_synapse()
    if (post == snn.indices).any():
        return True
    size = snn.num_neurons
    ones = np.ones(snn.num_synapses, dtype=np.int8)
    graph = csr_array((ones, snn.indices, snn.indptr), shape=(size, size))
    components, _ = connected_components(graph, directed=True, connection="strong")
    return bool(components < size)


def side_by_side(snn: SNN, windows: int) -> SNN:
    """Return ``windows`` copies of a network, neuron i of copy w as neuron w N + i.

    Raises
    ------
    InputError
        If there is no window, the network is recurrent, or its copies are too many neurons.

    Examples
    --------
    >>> from optmap.model.snn import from_edges
    >>> two = side_by_side(from_edges([0, 0], [1, 2], 3), 2)
    >>> two.num_neurons, two.sources_of(4).tolist()
    (6, [3])
    """
    if windows < 1:
        raise InputError("network", "windows", str(windows), "at least 1")
    if windows == 1:
        return snn
    if is_recurrent(snn):
        found = f"{windows}, for a recurrent network, whose state spans windows"
        raise InputError("network", "windows", found, "1")
    size = snn.num_neurons
    if windows * size > np.iinfo(np.int32).max:
        found = f"{windows}, for {size} neurons, more than int32 numbers"
        raise InputError("network", "windows", found, "fewer")
    shifts = size * np.arange(windows, dtype=np.int64)
    starts = snn.num_synapses * np.arange(windows, dtype=np.int64)
    counts = (starts[:, None] + snn.indptr[None, :-1]).ravel()
    return SNN(
        np.append(counts, windows * snn.num_synapses),
        (shifts[:, None] + snn.indices[None, :]).ravel().astype(np.int32),
        np.tile(snn.spikes, windows),
        tuple(
            Population(p.name if w == 0 else f"{p.name} #{w + 1}", p.first + by, p.last + by)
            for w, by in enumerate(shifts.tolist())
            for p in snn.populations
        ),
        None if snn.weights is None else np.tile(snn.weights, windows),
        snn.spikes_origin,
        (shifts[:, None] + snn.self_driven[None, :]).ravel().astype(np.int32),
        snn.notes,
        None if snn.weight_bits is None else np.tile(snn.weight_bits, windows),
    )
