"""What the report draws of one mapping: crossbars, tiles, traffic, two periods of the schedule.

Computed where the mapping is judged and stored beside it, so that the report needs no network.
Sizes are capped (what is left out is counted), so that a page of hundreds of rows stays small.
"""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

from optmap.judge.binding_aware_graph import BindingAwareGraph
from optmap.judge.case import Case
from optmap.model.mapping import Mapping
from optmap.model.platform import Platform
from optmap.sdf.cycle_ratio import earliest_schedule

MAX_CHANNELS = 150
MAX_BARS = 400


def details(case: Case) -> dict[str, Any]:
    """Return JSON-ready data for the report's pictures of a valid mapping."""
    platform, mapping, graph, bound = case.platform, case.mapping, case.graph, case.bound
    strongest = np.argsort(-graph.spikes, kind="stable")[:MAX_CHANNELS]
    return {
        "platform": _platform(platform),
        "tile_of": mapping.binding.tile_of.tolist(),
        "tau": bound.time[: graph.num_clusters].tolist(),
        "rows": graph.rows.tolist(),
        "columns": graph.columns.tolist(),
        "channels": [
            [int(graph.source[e]), int(graph.target[e]), int(graph.spikes[e])] for e in strongest
        ],
        "channels_left_out": max(0, graph.num_channels - MAX_CHANNELS),
        "tile_traffic": _tile_traffic(bound, mapping, platform),
        "crossbars": _crossbars(mapping, platform),
        "gantt": _gantt(bound, mapping),
    }


def _platform(platform: Platform) -> dict[str, Any]:
    net = platform.interconnect
    return {
        "name": platform.name,
        "kind": net.kind,
        "width": net.width or platform.num_tiles,
        "height": net.height or 1,
        "crossbars": [[t.crossbar.rows, t.crossbar.columns] for t in platform.tiles],
    }


def _tile_traffic(
    bound: BindingAwareGraph, mapping: Mapping, platform: Platform
) -> list[list[int]]:
    """Return [from tile, to tile, spikes per iteration] for the pairs that exchange any."""
    graph, tile = bound.clusters, mapping.binding.tile_of
    count = platform.num_tiles
    pair = tile[graph.source].astype(np.int64) * count + tile[graph.target]
    pairs, place = np.unique(pair, return_inverse=True)
    total = np.zeros(len(pairs), dtype=np.int64)
    np.add.at(total, place, graph.spikes)
    rows = zip(pairs.tolist(), total.tolist(), strict=True)
    return [[p // count, p % count, spikes] for p, spikes in rows if spikes]


def _crossbars(mapping: Mapping, platform: Platform) -> list[dict[str, Any]]:
    """Return the telling crossbars' synapses as bits, row by row, most read rows first.

    Telling are the fullest, the median and the emptiest by synapses per cell.
    """
    network, cluster_of = mapping.decomposition.network, mapping.clustering.cluster_of
    drawn = []
    for why, k in _telling(mapping, platform):
        units = network.units[np.flatnonzero(cluster_of == k)]
        sources = np.unique(np.concatenate([network.sources_of(int(u)) for u in units]))
        bits = np.zeros((len(sources), len(units)), dtype=np.bool_)
        for column, u in enumerate(units):
            bits[np.searchsorted(sources, network.sources_of(int(u))), column] = True
        bits = bits[np.argsort(-bits.sum(axis=1), kind="stable")]
        bar = platform.tiles[mapping.binding.tile_of[k]].crossbar
        drawn.append(
            {
                "cluster": k,
                "why": why,
                "size": [bar.rows, bar.columns // platform.cells_per_synapse],
                "used": list(bits.shape),
                "bits": base64.b64encode(np.packbits(bits).tobytes()).decode(),
            }
        )
    return drawn


def _telling(mapping: Mapping, platform: Platform) -> list[tuple[str, int]]:
    """Return the fullest, the median and the emptiest cluster by the share of cells in use."""
    network, clustering = mapping.decomposition.network, mapping.clustering
    used = np.zeros(clustering.num_clusters, dtype=np.int64)
    np.add.at(used, clustering.cluster_of, network.fan_in[network.units])
    cells = [tile.crossbar.rows * tile.crossbar.columns for tile in platform.tiles]
    whole = math.lcm(*cells)  # shares in whole numbers: used / cells = share / whole
    weight = [whole // own for own in cells]
    bound_to = zip(used.tolist(), mapping.binding.tile_of.tolist(), strict=True)
    share = [cluster_cells * weight[tile] for cluster_cells, tile in bound_to]
    ranked = sorted(range(len(share)), key=share.__getitem__, reverse=True)
    if len(ranked) < 3:
        return [("fullest", ranked[0]), ("emptiest", ranked[-1])][: len(ranked)]
    return [
        ("fullest", ranked[0]),
        ("median", ranked[len(ranked) // 2]),
        ("emptiest", ranked[-1]),
    ]


def _gantt(bound: BindingAwareGraph, mapping: Mapping) -> dict[str, Any]:
    """Return the earliest periodic schedule, in ticks, with the actors of the critical cycle."""
    period, cycle = bound.critical
    if not period:
        return {"period": None, "bars": [], "left_out": 0}
    start = earliest_schedule(bound.graph, period)
    k, tile = bound.clusters.num_clusters, mapping.binding.tile_of
    critical = np.zeros(len(bound.time), dtype=np.bool_)
    critical[bound.graph.source[list(cycle)]] = True
    begin = [round(ticks / period.denominator, 2) for ticks in start.tolist()]
    by_time = np.lexsort((begin, np.arange(len(begin)) >= k, ~critical))  # stable
    bars: list[tuple[int, int, str, float, int, int]] = []
    for actor in by_time[:MAX_BARS].tolist():  # critical ones stay if some must go
        if actor < k:
            where, label = (int(tile[actor]), 0), str(actor)
        else:
            e = bound.send_channel[actor - k]
            a, b = int(bound.clusters.source[e]), int(bound.clusters.target[e])
            where, label = (int(tile[a]), 1), f"{a}>{b}"
        time, on_it = int(bound.time[actor]), int(critical[actor])
        bars.append((*where, label, begin[actor], time, on_it))
    left_out = max(0, len(begin) - MAX_BARS)
    return {"period": float(period), "bars": bars, "left_out": left_out}
