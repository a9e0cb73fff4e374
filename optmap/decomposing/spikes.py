"""Decomposition by spikes: a neuron reads its loudest sources directly, the rest through leaves.

An inserted unit fires the sum of its inputs, so whatever passes through one is read once more, by
its reader alone: a loud source must not. Of a neuron of fan-in f > R the unit that keeps the
neuron's identity reads the d sources with most spikes; the rest goes into leaves. Where the rest is
long, a unit in between may again read its own loudest sources directly. Pseudo-code::

    for every class of neurons of one fan-in f > R:
        d0, d1, ... = the direct sources of each level, by a cost model of one group of neurons
    cut all neurons by that plan (:mod:`optmap.decomposing.kernels.split_by_spikes`)

*Cost model*, a group of n neurons with one reference on crossbars of R rows and C' columns: a unit
that reads d sources directly and m inserted units takes m rows of its own, so that q = min(C',
(R - d) / m) of them share a crossbar; ceil(n / q) crossbars read the spikes S(d) of the direct
sources, and every unit reads the spikes of all that is not direct. Ticks for base_ticks are counted
by the share of a crossbar. The cheapest levels are found by dynamic programming over how many
sources have been read directly, on a grid of R / GRID sources.

Complexity: O(S log R) for S synapses; the cost model O(f / R * GRID^2) per class.

Source: this project's own; an inserted unit's spikes are counted as in [B20]_.

References
----------
.. [B20] Balaji et al., "Enabling Resource-Aware Mapping of Spiking Neural Networks via Spatial
   Decomposition", 2020, arXiv 2009.09298.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from optmap.compiled import compiled
from optmap.decomposing.kernels.split_by_spikes import FanInClass, fan_in_classes, split_by_spikes
from optmap.model.capacity import unit_fan_in
from optmap.model.decomposition import Decomposition, Parameters
from optmap.model.json_value import Json
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IndexArray

#: Steps into which R is divided where numbers of direct sources are compared.
GRID = 32
#: Neurons of a class whose spikes the cost model looks at, evenly spaced.
SAMPLE = 16


class Costs(NamedTuple):
    """What the cost model knows of a platform: R, C', ticks a firing, ticks an event."""

    rows: int
    columns: int
    base_ticks: int
    event_ticks: int


def decompose(snn: SNN, platform: Platform, *, seed: int = 0) -> Decomposition:
    """Return ``snn`` with every fan-in at most R, loud sources read directly."""
    return split_by_spikes(snn, unit_fan_in(snn, platform), direct_sources(snn, platform))


def rebuild(snn: SNN, rows: int, parameters: Parameters) -> Decomposition:
    """Cut at ``rows`` by ``parameters["direct"]``, the direct sources of each level by fan-in."""
    given = parameters.get("direct", {})
    if not isinstance(given, dict):
        raise ValueError(f"direct {given!r:.80}, not an object")
    direct = {int(fan_in): _whole(fan_in, levels) for fan_in, levels in given.items()}
    return split_by_spikes(snn, rows, direct)


def _whole(fan_in: str, levels: Json) -> tuple[int, ...]:
    if not isinstance(levels, list):
        raise ValueError(f"direct sources of fan-in {fan_in}: {levels!r:.80}, not a list")
    whole = tuple(level for level in levels if type(level) is int)
    if len(whole) != len(levels):
        raise ValueError(f"direct sources of fan-in {fan_in}: {levels!r:.80}, not whole numbers")
    return whole


def direct_sources(snn: SNN, platform: Platform) -> dict[int, tuple[int, ...]]:
    """Choose for every fan-in above R how many sources each level reads directly.

    Examples
    --------
    >>> from optmap.model.platform import Crossbar, Interconnect, Tile
    >>> from optmap.model.snn import from_edges
    >>> snn = from_edges(range(6), [6] * 6, 7, spikes=[9, 0, 0, 0, 9, 9, 1])
    >>> platform = Platform(
    ...     "toy", (Tile(Crossbar(4, 4)),), Interconnect("mesh", 1, 1), event_ticks=1
    ... )
    >>> direct_sources(snn, platform)
    {6: (3,)}
    """
    rows = unit_fan_in(snn, platform)
    costs = Costs(rows, platform.max_columns, platform.base_ticks, platform.event_ticks)
    return {c.fan_in: _levels(snn, c, costs) for c in fan_in_classes(snn, rows)}


# the cost model


def _levels(snn: SNN, group: FanInClass, costs: Costs) -> tuple[int, ...]:
    """Return the cheapest numbers of direct sources for a class."""
    if group.common is not None:
        profile = np.sort(snn.spikes[group.common])[::-1].astype(np.float64)
        alike = float(len(group.neurons))
    else:
        sample = group.neurons[:: max(1, len(group.neurons) // SAMPLE)]
        lists = [np.sort(snn.spikes[snn.sources_of(int(j))])[::-1] for j in sample]
        profile = np.mean(lists, axis=0)
        alike = len(group.neurons) / _num_distinct(snn, group.neurons)
    chosen, last = _cheapest(np.concatenate(([0.0], np.cumsum(profile))), alike, costs)
    levels: list[int] = []
    done = 0
    while not levels or not last[done - levels[-1]]:
        levels.append(int(chosen[done]))
        done += levels[-1]
    return tuple(levels)


def _num_distinct(snn: SNN, neurons: IndexArray) -> int:
    """Return how many different fan-in sets ``neurons``, all of one fan-in, have (by a hash)."""
    mixed = np.arange(snn.num_neurons, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    sums = np.array(
        [mixed[snn.sources_of(int(j))].sum(dtype=np.uint64) for j in neurons], dtype=np.uint64
    )
    return len(np.unique(sums))


@compiled
def _cheapest(total: Any, n: float, costs: Any) -> Any:
    """Return (direct, last): at each number of sources read so far, how many to read next.

    Parameters
    ----------
    total : (f + 1,) float array
        Spikes of the first sources, by falling spikes.
    n : float
        Neurons that share the reference.

    Returns
    -------
    direct : (f + 1,) int64 array
        Direct sources of the level that begins there.
    last : (f + 1,) bool array
        Whether the leaves come after it.
    """
    f = len(total) - 1
    rows, columns, base, event = costs
    step = max(1, rows // GRID)
    best = np.full(f + 1, np.inf)
    direct = np.zeros(f + 1, dtype=np.int64)
    last = np.ones(f + 1, dtype=np.bool_)
    leaf_bars = np.ceil(n / columns)
    for p in range(f // step * step, -1, -step):
        if f - p <= rows:  # one unit reads all of it; as a child only
            ticks = event * (total[f] - total[p]) * leaf_bars
            best[p] = ticks + base * max((f - p) / rows, n / columns)
            continue
        for d in range(0, rows, step):
            rest = total[f] - total[p + d]
            leaves = (f - p - d + rows - 1) // rows
            runs, passes = leaves, 1
            while runs > rows - d:
                runs = (runs + rows - 1) // rows
                passes += 1
            for chain in range(2):
                if chain and (d == 0 or f - p - d <= rows):
                    continue
                own = 1 if chain else runs
                q = min(columns, (rows - d) // own)
                bars = np.ceil(n / q)
                ticks = event * (bars * (total[p + d] - total[p]) + n * rest)
                ticks += base * (n * own + bars * d) / rows
                if chain:
                    ticks += best[p + d]
                else:
                    ticks += event * rest * (leaf_bars + n * (passes - 1))
                    ticks += base * leaves * leaf_bars
                if ticks < best[p]:
                    best[p] = ticks
                    direct[p] = d
                    last[p] = not chain
    return direct, last
