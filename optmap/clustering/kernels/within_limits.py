"""Clusterings held to limits that the clusterers do not know: synapse memory, neurons, bit slices.

Clusterers fill rows and columns. Every further limit of :mod:`optmap.model.capacity` is additive,
and subsets of what fits fit; so whatever a clusterer made can be divided until it fits::

    for each cluster, its units in visit order: keep a unit if the cluster still fits, else it waits
    for each waiting unit: the first cluster into which it fits, else a new one

Complexity: O(S h + W K) for W waiting units, K clusters, h clusters that hold one source.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from optmap.clustering.kernels.crossbar_fill import (
    FULL,
    OPEN,
    empty_fill,
    fits_shared,
    full_that_hold,
    new_cluster,
    place,
    touch,
    untouch,
)
from optmap.compiled import borrowing, compiled
from optmap.errors import CapacityError
from optmap.model.capacity import (
    AXONS_OUT,
    FAN_OUT,
    UNLIMITED,
    demands,
    fitting_tiles,
    kinds_of_crossbars,
    on_tiles,
    outgoing,
    stated,
    summed,
    too_wide,
    units_per_crossbar,
)
from optmap.model.cluster_graph import axons
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering, compact
from optmap.model.platform import Crossbar, Platform
from optmap.model.snn import SNN, IntArray


def columns_left(network: SNN, platform: Platform) -> Platform:
    """Return the platform with no more columns than units can ever share a crossbar's resources.

    The least demanding units alone decide: no clustering that fits is lost, and where all units
    take the same, nothing has to be divided afterwards.

    Raises
    ------
    CapacityError
        If some unit fits no crossbar, or none fits any.
    """
    _refuse_misfits(network, demands(network, platform), platform)
    tiles, cells = [], platform.cells_per_synapse
    most = units_per_crossbar(network, platform).tolist()
    for tile, units in zip(platform.tiles, most, strict=True):
        columns = max(1, units) * cells
        tiles.append(replace(tile, crossbar=Crossbar(tile.crossbar.rows, columns)))
    return replace(platform, tiles=tuple(tiles), cell_bits=None)  # slices are in the columns now


def _refuse_misfits(network: SNN, taken: IntArray, platform: Platform) -> None:
    fan_in, one = network.fan_in[network.units], np.ones(network.num_units, dtype=np.int64)
    alone = fitting_tiles(fan_in, one, taken, platform).any(axis=1)
    if not alone.all():
        p = int(np.flatnonzero(~alone)[0])
        u = int(network.units[p])
        needs = [f"{fan_in[p]} rows"]
        needs += [f"{n} {x.unit}" for x, n in zip(stated(platform), taken[:, p], strict=True)]
        raise CapacityError(
            f"unit {u} of population {network.population_of(u)!r} needs {', '.join(needs)}; the"
            f" largest crossbars have {_offers(platform)}"
        )


def _offers(platform: Platform) -> str:
    names = ("rows", "columns", *(limit.unit for limit in stated(platform)))
    kinds = [
        ", ".join(f"{have} {name}" for have, name in zip(kind, names, strict=True))
        for kind in kinds_of_crossbars(platform)[:3]
    ]
    return "; ".join(kinds)


def exceeded(decomposition: Decomposition, clustering: Clustering, platform: Platform) -> str:
    """Return what no crossbar can hold of a clustering, in one sentence; empty if all fits.

    Rows and columns alone are left to the bindings, which know the tiles.
    """
    network, k = decomposition.network, clustering.num_clusters
    known = stated(platform) or platform.limits_outgoing
    if not k or not known or isinstance(network, ClusteredSNN):
        return ""
    wide = too_wide(network, platform)
    if wide:
        return wide
    source, cluster = axons(network, clustering)
    rows = np.bincount(cluster, minlength=k)
    needs = summed(demands(network, platform), clustering.cluster_of, k)
    sent = outgoing(source, k, network, clustering.cluster_of)
    fits = fitting_tiles(rows, clustering.sizes, needs, platform)
    limits = (AXONS_OUT, FAN_OUT)
    for limit, need in zip(limits, sent, strict=True):
        fits &= need[:, None] <= on_tiles(platform, limit)
    misfits = np.flatnonzero(~fits.any(axis=1))
    if not len(misfits):
        return ""
    c = int(misfits[0])
    names = ("rows", "columns", *(limit.unit for limit in (*stated(platform), *limits)))
    values = (rows[c], clustering.sizes[c], *needs[:, c], *(need[c] for need in sent))
    parts = [f"{value} {name}" for value, name in zip(values, names, strict=True)]
    have = _offers(platform)
    for limit in limits:
        most = int(on_tiles(platform, limit).max())
        have += f"; at most {most} {limit.unit}" if most < UNLIMITED else ""
    return f"cluster {c} needs {', '.join(parts)}; the crossbars have {have}"


def within_limits(
    decomposition: Decomposition, clustering: Clustering, platform: Platform
) -> Clustering:
    """Return the clustering, divided where it exceeds a limit; the same where it does not."""
    network, taken = decomposition.network, demands(decomposition.network, platform)
    _refuse_misfits(network, taken, platform)
    needs = summed(taken, clustering.cluster_of, clustering.num_clusters)
    zero = np.zeros(clustering.num_clusters, dtype=np.int64)
    fits = fitting_tiles(zero, zero, needs, platform).any(axis=1)
    kinds = kinds_of_crossbars(platform)
    if fits.all() and len(kinds) == 1:
        return clustering
    by_neuron = np.zeros((network.num_neurons, len(taken)), dtype=np.int64)
    by_neuron[network.units] = taken.T
    wanted = np.full(network.num_neurons, -1, dtype=np.int32)
    wanted[network.units] = clustering.cluster_of
    order = network.units[decomposition.visit_order]
    order = order[np.argsort(wanted[order], kind="stable")]
    found = np.empty(network.num_neurons, dtype=np.int32)
    fill = empty_fill(network, platform.kinds)
    _divide(fill, order, wanted, by_neuron, np.array(kinds, dtype=np.int64), found)
    return compact(found[network.units])


def within_axons_out(
    decomposition: Decomposition, clustering: Clustering, platform: Platform
) -> Clustering:
    """Return the clustering with clusters cut whose units have too many axons out together.

    Cutting gives the sources of a cluster one reader more, so that others may have to be cut; in
    the end every unit may stand alone. Fan-out only grows by it. What still exceeds a limit is left
    to :func:`optmap.clustering.contract.refuse_overfull`, with its numbers.
    """
    network = decomposition.network
    most = int(on_tiles(platform, AXONS_OUT).max())
    label = clustering.cluster_of.astype(np.int64)
    while True:
        k = int(label.max(initial=-1)) + 1
        source, _ = axons(network, Clustering(label.astype(np.int32)))
        readers = np.bincount(source, minlength=network.num_neurons)[network.units]
        needs = summed(readers[None].astype(np.int64), label.astype(np.int32), k)[0]
        sizes = np.bincount(label, minlength=k)
        over = np.flatnonzero((needs > most) & (sizes > 1))
        if not len(over):
            return Clustering(label.astype(np.int32))
        for c in over.tolist():
            members = np.flatnonzero(label == c)
            held = np.cumsum(readers[members]) <= most
            held[0] = True  # a unit that exceeds the limit alone stands alone
            label[members[~held]] = k
            k += 1


@borrowing
def _fits(fill: Any, k: Any, rows: Any, load: Any, taken: Any, kinds: Any) -> Any:
    """Tell whether cluster ``k`` with one unit more, on so many rows, fits some crossbar."""
    for h in range(len(kinds)):
        good = rows <= kinds[h, 0] and fill.columns[k] + 1 <= kinds[h, 1]
        for d in range(len(taken)):
            good = good and load[k, d] + taken[d] <= kinds[h, 2 + d]
        if good:
            return True
    return False


@compiled
def _first_that_fits(
    fill: Any, unit: Any, first: Any, last: Any, load: Any, taken: Any, kinds: Any
) -> Any:
    """Return the first of the clusters ``first`` to ``last - 1`` that can take a unit, or -1."""
    fan_in = fill.indptr[unit + 1] - fill.indptr[unit]
    held = np.zeros(fill.counts[0], dtype=np.bool_)  # full clusters with all of its sources
    if fan_in > 0:
        fitting = np.empty(fill.counts[0], dtype=np.int32)
        for i in range(full_that_hold(fill, unit, fitting)):
            held[fitting[i]] = True
    touch(fill, unit)
    best = -1
    for k in range(first, last):
        rows = fill.rows[k] + fan_in - fill.shared[k]
        if held[k] or (fan_in == 0 and fill.state[k] == FULL):
            rows = fill.rows[k]
        elif fill.state[k] != OPEN or not fits_shared(fill, k, fan_in):
            continue
        if _fits(fill, k, rows, load, taken, kinds):
            best = k
            break
    untouch(fill)
    return best


@compiled
def _divide(fill: Any, order: Any, wanted: Any, taken: Any, kinds: Any, found: Any) -> Any:
    """Fill ``found`` (by neuron): every unit where it was wanted if it fits, else first fit."""
    load = np.zeros((len(order), taken.shape[1]), dtype=np.int64)
    name = np.full(len(order), -1, dtype=np.int32)  # the cluster that stands for a wanted one
    waiting = np.empty_like(order)
    num_waiting = 0
    for unit in order:
        k = name[wanted[unit]]
        if k < 0:
            k = name[wanted[unit]] = new_cluster(fill)
        elif _first_that_fits(fill, unit, k, k + 1, load, taken[unit], kinds) < 0:
            waiting[num_waiting] = unit
            num_waiting += 1
            continue
        place(fill, unit, k)
        found[unit] = k
        load[k] += taken[unit]
    for unit in waiting[:num_waiting]:
        k = _first_that_fits(fill, unit, 0, fill.counts[0], load, taken[unit], kinds)
        if k < 0:
            k = new_cluster(fill)
        place(fill, unit, k)
        found[unit] = k
        load[k] += taken[unit]
