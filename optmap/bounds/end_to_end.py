"""Lower bounds that hold for every decomposition, clustering, binding and order.

They make an end-to-end gap honest: whatever a method decides, it cannot beat them. All are whole
numbers by exact arithmetic, and hold with and without a prologue.
"""

from __future__ import annotations

import numpy as np

from optmap.bounds.bound import Bound, best
from optmap.model.grade import Grade
from optmap.model.platform import Platform
from optmap.model.scope import END_TO_END
from optmap.model.snn import SNN


def fewest_units(snn: SNN, platform: Platform) -> int:
    """Return the least number of units over all decompositions.

    Notes
    -----
    The m units of a neuron of fan-in f read f raw sources and m - 1 inserted units (each inserted
    unit is read exactly once) on at most R rows each: f + m - 1 <= m R, so m >= (f - 1) / (R - 1).
    """
    fan_in = snn.fan_in[snn.units]
    return int(np.maximum(1, -(-(fan_in - 1) // (platform.max_rows - 1))).sum())


def fewest_clusters(snn: SNN, platform: Platform) -> int:
    """Return a lower bound on the number of clusters over all decompositions.

    Notes
    -----
    *columns*: at least :func:`fewest_units` units, at most C' a cluster. *rows*: raw source i is
    read by exactly deg_i units in every decomposition, one for each neuron that reads it, since a
    neuron reaches each of its sources exactly once; it takes a row of at least ceil(deg_i / C')
    clusters. Each inserted unit takes one more; a cluster has R.
    """
    units, columns = fewest_units(snn, platform), platform.max_columns
    taken = int((-(-snn.fan_out // columns)).sum()) + units - snn.num_units
    return max(-(-units // columns), -(-taken // platform.max_rows))


def fewest_spikes_read(snn: SNN, platform: Platform) -> int:
    """Return a lower bound on the spikes that all clusters together read in one iteration.

    Notes
    -----
    Source i stands on a row of at least ceil(deg_i / C') clusters (see :func:`fewest_clusters`),
    each reading its s_i spikes. A neuron of fan-in f > R reads an inserted unit at least, hence at
    most R - 1 sources directly; the other f - R + 1 or more pass through inserted units, whose
    spikes are the sums over their inputs and which are read once more, by their owner alone: at
    least the sum of the neuron's f - R + 1 smallest counts.
    """
    copies = -(-snn.fan_out // platform.max_columns)
    read = sum(int(s) * int(c) for s, c in zip(snn.spikes, copies, strict=True))
    rows = platform.max_rows
    for j in np.flatnonzero(snn.fan_in > rows):
        counts = np.sort(snn.spikes[snn.sources_of(int(j))])
        read += int(counts[: len(counts) - rows + 1].sum())
    return read


def fewest_clusters_bound(snn: SNN, platform: Platform) -> Bound:
    """Return :func:`fewest_clusters` as a bound."""
    fewest = fewest_clusters(snn, platform)
    return Bound("clusters", "any decomposition", fewest, END_TO_END, Grade.CERTIFIED)


def end_to_end_period_bounds(snn: SNN, platform: Platform) -> tuple[Bound, ...]:
    """Return lower bounds on the period in ticks that hold whatever is decided.

    Notes
    -----
    ``widest``: the spikes of inserted units are the sums over their inputs, so the unit that keeps
    a neuron's identity reads, directly or as sums, every spike of the neuron's whole fan-in; its
    cluster takes base + event times that, and never overlaps itself. ``work``: T tiles fire
    K >= :func:`fewest_clusters` clusters that read :func:`fewest_spikes_read` spikes, and if K > T
    all but T - 1 of them pay switch_ticks; some tile is busy for the mean or longer. ``crowd``:
    some tile fires ceil(K / T) clusters at least, for base ticks each (and switch, if several).

    Recurrences prove nothing more before a clustering is known: every channel on a cycle of
    clusters holds a token, so that without sends such a cycle's ratio is a mean of execution times.

    Examples
    --------
    >>> from optmap.model.platform import Crossbar, Interconnect, Tile
    >>> from optmap.model.snn import from_edges
    >>> snn = from_edges([0, 1, 2, 3], [4, 4, 4, 4], 5, spikes=[1, 2, 3, 4, 1])
    >>> tiles = (Tile(Crossbar(2, 2)),) * 2
    >>> mesh = Interconnect("mesh", 2, 1)
    >>> platform = Platform("two tiles", tiles, mesh, base_ticks=5, event_ticks=1)
    >>> [(bound.name, bound.value) for bound in end_to_end_period_bounds(snn, platform)]
    [('widest', 15), ('work', 16), ('crowd', 10)]
    """
    if not snn.num_units:
        return (Bound("period", "widest", 0, END_TO_END, Grade.CERTIFIED),)
    base, event = platform.base_ticks, platform.event_ticks
    tiles, switch = platform.num_tiles, platform.switch_ticks
    before = np.concatenate(([0], np.cumsum(snn.spikes[snn.indices])))
    heard = int((before[snn.indptr[1:]] - before[snn.indptr[:-1]]).max())
    clusters = fewest_clusters(snn, platform)
    work = base * clusters + event * fewest_spikes_read(snn, platform)
    work += switch * (clusters - tiles + 1) if clusters > tiles else 0
    crowd = -(-clusters // tiles)
    values = {
        "widest": base + event * heard,
        "work": -(-work // tiles),
        "crowd": crowd * (base + (switch if crowd > 1 else 0)),
    }
    return tuple(
        Bound("period", name, value, END_TO_END, Grade.CERTIFIED) for name, value in values.items()
    )


def end_to_end_period_bound(snn: SNN, platform: Platform) -> Bound:
    """Return the best of :func:`end_to_end_period_bounds`."""
    found = best(end_to_end_period_bounds(snn, platform))
    assert found is not None  # "widest" is always there
    return found
