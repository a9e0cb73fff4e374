"""Twins that nothing tells apart where more than rows and columns is limited.

Two units of equal fan-in may be exchanged if they take alike of every resource and, where axons out
or fan-outs are limited, are read by the same units. Units of a class read alike, so that who reads
a unit are whole classes: one refinement is enough.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from formulations.clustering.sets import PartitionSets
from optmap.clustering.kernels.classes import Classes, classes_of
from optmap.model.snn import SNN, frozen


def twins_that_take_alike(network: SNN, sets: PartitionSets) -> Classes:
    """Return the twin classes of a network, as far apart as what is limited asks for."""
    classes = classes_of(network)
    if not sets.taken and not sets.sent:
        return classes
    group = _group_of_unit(classes, network) if sets.sent else {}
    parts: list[tuple[int, int, list[int]]] = []
    for q, members in enumerate(classes.members):
        alike: dict[tuple[int, ...], list[int]] = {}
        for u in members.tolist():
            key = (group.get(u, -1), *(taken[u] for taken in sets.taken))
            alike.setdefault(key, []).append(u)
        parts += [(part[0], q, part) for part in alike.values()]
    parts.sort()
    reads = [classes.reads(q) for _, q, _ in parts]
    return replace(
        classes,
        members=tuple(frozen(part, np.int32) for _, _, part in parts),
        ptr=frozen(np.cumsum([0, *map(len, reads)]), np.int64),
        groups=frozen(np.concatenate(reads), np.int32),
        component=frozen([classes.component[q] for _, q, _ in parts], np.int32),
    )


def group_of_class(classes: Classes, network: SNN) -> dict[int, int]:
    """Return the group of sources that the members of each class are in, of those that are read."""
    group = _group_of_unit(classes, network)
    first = ((q, int(members[0])) for q, members in enumerate(classes.members))
    return {q: group[u] for q, u in first if u in group}


def _group_of_unit(classes: Classes, network: SNN) -> dict[int, int]:
    """Return the group of every unit that is read, by position."""
    read_by: dict[int, list[int]] = {}
    for q, members in enumerate(classes.members):
        for source in network.sources_of(int(network.units[members[0]])).tolist():
            read_by.setdefault(source, []).append(q)
    readers: list[list[int]] = [[] for _ in classes.weight]
    for q in range(classes.num_classes):
        for g in classes.reads(q).tolist():
            readers[g].append(q)
    number = {tuple(reading): g for g, reading in enumerate(readers)}
    return {
        u: number[tuple(read_by[neuron])]
        for u, neuron in enumerate(network.units.tolist())
        if neuron in read_by
    }
