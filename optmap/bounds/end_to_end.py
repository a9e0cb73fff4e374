"""Lower bounds that hold for every decomposition, clustering, binding and order.

They make an end-to-end gap honest: whatever a method decides, it cannot beat them. All are exact,
need no solver, take milliseconds, and hold with and without a prologue; decompositions that split
neurons which would fit are among "every". An inserted unit never stands in its reader's cluster
here: if it does, let its reader read its sources instead, which lowers or keeps every count below.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

import numpy as np

from optmap.bounds.bound import Bound, best
from optmap.bounds.end_to_end_hops import end_to_end_hop_bounds
from optmap.bounds.end_to_end_pairs import reads_by_pairs
from optmap.bounds.end_to_end_reads import (
    Reads,
    entries,
    fewest_sums,
    reads_of,
)
from optmap.bounds.end_to_end_shared import clusters_by_shared_sources
from optmap.bounds.end_to_end_small import small_bounds
from optmap.bounds.end_to_end_spectral import clusters_by_singular_value
from optmap.bounds.end_to_end_whole_neurons import whole_neuron_bounds
from optmap.bounds.end_to_end_windows import clusters_by_windows
from optmap.bounds.resources import crossbars_by_resource
from optmap.bounds.rows import crossbars_needed, largest_crossbar, rows_taken
from optmap.model.grade import Grade
from optmap.model.platform import Platform
from optmap.model.scope import END_TO_END
from optmap.model.snn import SNN

#: What is proved of a network by rows and columns alone is kept for so many sizes of crossbars:
#: platforms of a grid that differ in tiles share it.
KINDS_KEPT = 16
#: Bounds on the clusters by how neurons share sources; None where one does not apply.
BY_STRUCTURE: dict[str, Callable[[SNN, Platform], int | None]] = {
    "shared sources": clusters_by_shared_sources,
    "singular value": clusters_by_singular_value,
    "windows": clusters_by_windows,
}


def end_to_end_bounds(snn: SNN, platform: Platform) -> tuple[Bound, ...]:
    """Return all bounds of this file: clusters, traffic, spike-hops, period and energy."""
    if not snn.num_units:
        return end_to_end_period_bounds(snn, platform)
    return (
        *end_to_end_cluster_bounds(snn, platform),
        *end_to_end_traffic_bounds(snn, platform),
        *end_to_end_hop_bounds(snn, platform),
        *end_to_end_period_bounds(snn, platform),
        end_to_end_energy_bound(snn, platform),
        *whole_neuron_bounds(snn, platform),
        *small_bounds(snn, platform),
    )


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
    clusters. Each inserted unit takes one more; a cluster has R. *Resources*: see
    :func:`optmap.bounds.resources.crossbars_by_resource`.
    """
    units, columns = fewest_units(snn, platform), platform.max_columns
    taken = rows_taken(snn.fan_out, columns) + units - snn.num_units
    stored = crossbars_by_resource(snn, platform).values()
    return max(crossbars_needed(units, taken, platform.max_rows, columns), *stored, 0)


def end_to_end_cluster_bounds(snn: SNN, platform: Platform) -> tuple[Bound, ...]:
    """Return :func:`fewest_clusters` as a bound, and what of :data:`BY_STRUCTURE` is more."""
    fewest = fewest_clusters(snn, platform)
    values = {"any decomposition": fewest}
    for name, value in _by_structure(snn, largest_crossbar(platform)).items():
        if value > fewest:
            values[name] = value
    return tuple(
        Bound("clusters", name, value, END_TO_END, Grade.CERTIFIED)
        for name, value in values.items()
    )


def fewest_spikes_read(snn: SNN, platform: Platform) -> int:
    """Return a lower bound on the spikes that all clusters together read in one iteration."""
    return max(reads.total for reads in _reads(snn, platform).values())


def end_to_end_traffic_bounds(snn: SNN, platform: Platform) -> tuple[Bound, ...]:
    """Return lower bounds on the traffic, external spikes and input deliveries together.

    Notes
    -----
    ``copies``: raw sources by :func:`entries`, and the spikes of inserted units, each of which
    enters its reader's cluster (module docstring). ``share``: the reads of
    :mod:`optmap.bounds.end_to_end_reads`; of the sources whose reads are shared there, a unit is
    in one cluster and saves its spikes once. ``pairs``: those of
    :mod:`optmap.bounds.end_to_end_pairs`.
    """
    entered = snn.spikes * entries(snn, platform.max_columns)
    values = {}
    for name, reads in _reads(snn, platform).items():
        saved = snn.is_unit & ~reads.quiet & (snn.fan_out > 0)
        outside = sum(entered[reads.quiet].tolist()) + reads.shares
        values[name] = max(0, outside - sum(snn.spikes[saved].tolist()))
    return _bounds("traffic", values)


def _reads(snn: SNN, platform: Platform) -> dict[str, Reads]:
    """Return the bounds on the spikes that all clusters read, by name."""
    return _reads_by_name(snn, largest_crossbar(platform))


@lru_cache(maxsize=KINDS_KEPT)
def _reads_by_name(snn: SNN, crossbars: Platform) -> dict[str, Reads]:
    found = dict(zip(("copies", "share"), reads_of(snn, crossbars), strict=False))
    pairs = reads_by_pairs(snn, crossbars)
    return found if pairs is None else {**found, "pairs": pairs}


@lru_cache(maxsize=KINDS_KEPT)
def _by_structure(snn: SNN, crossbars: Platform) -> dict[str, int]:
    found = {name: bound(snn, crossbars) for name, bound in BY_STRUCTURE.items()}
    return {name: value for name, value in found.items() if value is not None}


def end_to_end_energy_bound(snn: SNN, platform: Platform) -> Bound:
    """Return a lower bound on the energy of one iteration in pJ.

    Notes
    -----
    ``computing``: every neuron's spikes and those of the inserted units
    (:func:`optmap.bounds.end_to_end_reads.fewest_sums`) are fired, and each inserted unit's spikes
    are one more synaptic event; then what the least spike-hops cost. Where one tile may hold all
    clusters and local deliveries cost nothing, this is the optimum: Huffman trees on one tile.
    """
    price, sums = platform.energy, fewest_sums(snn, platform.max_rows)
    events = sum((snn.spikes * snn.fan_out).tolist()) + sums
    fired = int(snn.spikes[snn.units].sum()) + sums
    hops = max((bound.value for bound in end_to_end_hop_bounds(snn, platform)), default=0)
    value = price.spike_pj * fired + price.route_pj * hops
    value += price.synapse_pj * events * platform.cells_per_synapse
    return Bound("energy_pj", "computing", Fraction(value), END_TO_END, Grade.CERTIFIED)


def end_to_end_period_bounds(snn: SNN, platform: Platform) -> tuple[Bound, ...]:
    """Return lower bounds on the period in ticks that hold whatever is decided.

    Notes
    -----
    ``widest``: the spikes of inserted units are the sums over their inputs, so the unit that keeps
    a neuron's identity reads, directly or as sums, every spike of the neuron's whole fan-in; its
    cluster takes base + event times that, and never overlaps itself. ``work``: T tiles fire
    K >= :func:`fewest_clusters` clusters that read
    so many spikes (:func:`fewest_spikes_read`), and if K > T all but T - 1 of
    them pay switch_ticks; some tile is busy for the mean or longer. ``crowd``, the
    clusters per tile: some tile fires ceil(K / T) at least, for base ticks each (and switch, if
    several).

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
    [('widest', 15), ('work', 17), ('crowd', 10)]
    """
    if not snn.num_units:
        return (Bound("period", "widest", 0, END_TO_END, Grade.CERTIFIED),)
    base, event = platform.base_ticks, platform.event_ticks
    tiles, switch = len(platform.in_use), platform.switch_ticks
    before = np.concatenate(([0], np.cumsum(snn.spikes[snn.indices])))
    most_read = int((before[snn.indptr[1:]] - before[snn.indptr[:-1]]).max())
    clusters = fewest_clusters(snn, platform)
    work = base * clusters + event * fewest_spikes_read(snn, platform)
    work += switch * (clusters - tiles + 1) if clusters > tiles else 0
    per_tile = -(-clusters // tiles)
    values = {
        "widest": base + event * most_read,
        "work": -(-work // tiles),
        "crowd": per_tile * (base + (switch if per_tile > 1 else 0)),
    }
    return _bounds("period", values)


def end_to_end_period_bound(snn: SNN, platform: Platform) -> Bound:
    """Return the best of :func:`end_to_end_period_bounds`."""
    found = best(end_to_end_period_bounds(snn, platform))
    assert found is not None  # "widest" is always there
    return found


def _bounds(metric: str, values: dict[str, int]) -> tuple[Bound, ...]:
    return tuple(
        Bound(metric, name, value, END_TO_END, Grade.CERTIFIED) for name, value in values.items()
    )
