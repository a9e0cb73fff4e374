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

from optmap.errors import InputError
from optmap.model.snn import SNN, Population


def is_recurrent(snn: SNN) -> bool:
    """Tell whether some neuron reads itself, directly or through others."""
    post = snn.post_of_synapse()
    if (post == snn.indices).any():
        return True
    from scipy.sparse import csr_array  # here: only copies of windows ask, and it is slow to load
    from scipy.sparse.csgraph import connected_components

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


#: More windows than this are not looked for.
MOST_WINDOWS = 64


def one_window(snn: SNN) -> tuple[SNN, int]:
    """Return the network of which ``snn`` is copies side by side, and how many; itself and 1 else.

    Where populations have names, these tell the windows; otherwise the largest number of equal
    parts counts.

    Examples
    --------
    >>> from optmap.model.snn import from_edges
    >>> one, windows = one_window(side_by_side(from_edges([0, 0], [1, 2], 3), 4))
    >>> one.num_neurons, windows
    (3, 4)
    """
    named = 1
    for p in snn.populations:
        mark, _, number = p.name.rpartition(" #")
        if mark and number.isdecimal():
            named = max(named, int(number))
    if snn.populations:
        candidates = [named] if named > 1 else []
    else:
        candidates = [w for w in range(MOST_WINDOWS, 1, -1) if snn.num_neurons % w == 0]
    for windows in candidates:
        one = _first_of(snn, windows)
        if one is not None:
            return one, windows
    return snn, 1


def _first_of(snn: SNN, windows: int) -> SNN | None:
    """Return the first of so many equal parts; None where they are not equal."""
    if snn.num_neurons % windows or snn.num_synapses % windows:
        return None
    size, synapses = snn.num_neurons // windows, snn.num_synapses // windows
    if snn.indptr[size] != synapses or (snn.indices[:synapses] >= size).any():
        return None
    one = SNN(
        snn.indptr[: size + 1],
        snn.indices[:synapses],
        snn.spikes[:size],
        tuple(p for p in snn.populations if p.last < size),
        None if snn.weights is None else snn.weights[:synapses],
        snn.spikes_origin,
        snn.self_driven[snn.self_driven < size],
        snn.notes,
        None if snn.weight_bits is None else snn.weight_bits[:size],
    )
    if is_recurrent(one):
        return None
    again = side_by_side(one, windows)
    same = (
        np.array_equal(again.indptr, snn.indptr)
        and np.array_equal(again.indices, snn.indices)
        and np.array_equal(again.spikes, snn.spikes)
        and np.array_equal(again.self_driven, snn.self_driven)
        and all(
            _equal(a, b)
            for a, b in ((again.weights, snn.weights), (again.weight_bits, snn.weight_bits))
        )
    )
    return one if same else None


def _equal(a: object, b: object) -> bool:
    return a is b or (
        a is not None and b is not None and np.array_equal(np.asarray(a), np.asarray(b))
    )
