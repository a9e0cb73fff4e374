"""What a network needs of a platform, before anything is mapped: per population and in all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.bounds.resident_memory import memory_shortage
from optmap.bounds.rows import crossbars_needed, rows_taken
from optmap.decomposing.contract import decompose
from optmap.model.capacity import unit_fan_in
from optmap.model.platform import Platform
from optmap.model.snn import SNN, Population


@dataclass(frozen=True, slots=True)
class PopulationNeeds:
    """What one population asks for.

    ``sources`` are the distinct neurons it reads, ``units`` what a tree decomposition makes of it,
    ``least_crossbars`` the crossbars it would need alone (columns and rows, a lower bound).
    """

    name: str
    neurons: int
    inputs: int
    max_fan_in: int
    sources: int
    units: int
    least_crossbars: int
    too_wide: int


def population_needs(snn: SNN, platform: Platform) -> list[PopulationNeeds]:
    """Return the needs of every population, and of the neurons outside all of them."""
    rows, columns = platform.max_rows, platform.max_columns
    found = []
    for population in _all_populations(snn):
        span = slice(population.first, population.last + 1)
        fan_in = snn.fan_in[span]
        reads = snn.indices[snn.indptr[population.first] : snn.indptr[population.last + 1]]
        readers = np.bincount(reads, minlength=1)
        wide = fan_in[fan_in > rows]
        inserted = sum(_tree_units(int(f), rows) for f in wide)
        units = int(snn.is_unit[span].sum()) + inserted
        taken = rows_taken(readers, columns)
        found.append(
            PopulationNeeds(
                population.name,
                len(fan_in),
                int((~snn.is_unit[span]).sum()),
                int(fan_in.max()),
                int((readers > 0).sum()),
                units,
                crossbars_needed(units, taken, rows, columns),
                len(wide),
            )
        )
    return found


def _all_populations(snn: SNN) -> list[Population]:
    """Return the populations with the gaps between them filled by populations called "rest"."""
    found: list[Population] = []
    start = 0
    for population in snn.populations:
        if population.first > start:
            found.append(Population("rest", start, population.first - 1))
        found.append(population)
        start = population.last + 1
    if start < snn.num_neurons:
        found.append(Population("rest", start, snn.num_neurons - 1))
    return found


def _tree_units(fan_in: int, rows: int) -> int:
    """Return how many units a tree inserts for one neuron."""
    inserted, width = 0, fan_in
    while width > rows:
        runs = -(-width // rows)
        single = runs * 2 - width if width // runs == 1 else 0
        inserted += runs - single
        width = runs
    return inserted


def shortage(snn: SNN, platform: Platform) -> list[str]:
    """Return what the platform lacks for certain, one sentence each; empty if nothing is proved."""
    decomposition = decompose(snn, unit_fan_in(snn, platform), "tree")
    short = memory_shortage(decomposition.network, platform)
    if short:
        return [short]
    proved, slots = best(cluster_bounds(decomposition, platform)), platform.total_slots
    if proved is None or slots is None or proved.value <= slots:
        return []
    return [
        f"the tree decomposition has {decomposition.num_units} units and needs at least"
        f" {proved.value} clusters ({proved.name}); the platform stores {slots}:"
        f" {proved.value - slots} more slots are needed"
    ]
