"""Does a mapping do what its user demands? Told with names and numbers, from the demands alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from optmap.judge.check import Violation
from optmap.model.constraints import Constraints, neurons_of
from optmap.model.mapping import Mapping
from optmap.model.snn import SNN


def demand_violations(snn: SNN, constraints: Constraints, mapping: Mapping) -> list[Violation]:
    """Return every demand that a mapping breaks.

    Parameters
    ----------
    snn : SNN
        The original network.
    constraints : Constraints
        The demands.
    mapping : Mapping
        Well formed in itself.
    """
    return [Violation("constraint", text) for text in _broken(snn, constraints, mapping)]


def _broken(snn: SNN, constraints: Constraints, mapping: Mapping) -> Iterator[str]:
    decomposition, clustering = mapping.decomposition, mapping.clustering
    owner = decomposition.owner[decomposition.network.units]
    tile_of_unit = mapping.binding.tile_of[clustering.cluster_of]

    def tiles(name: str) -> set[int]:
        """Return the tiles on which a unit of these neurons is."""
        serves = np.isin(owner, neurons_of(snn, name))
        return set(tile_of_unit[serves].tolist())

    for pin in constraints.pin:
        others = sorted(tiles(pin.neurons) - {pin.tile})
        if others:
            yield f"{pin.neurons} pinned on tile {pin.tile} has units on {_listed(others)}"
    for group in constraints.together:
        found = sorted(set().union(*map(tiles, group)))
        if len(found) > 1:
            yield f"{', '.join(group)} to be together are on {_listed(found)}"
    for groups in constraints.apart:
        for a, b in combinations(groups, 2):
            shared = sorted(tiles(a) & tiles(b))
            if shared:
                yield f"{a} and {b} to be apart share {_listed(shared)}"
    yield from constraints.sizes.broken(np.bincount(clustering.cluster_of).tolist())


def _listed(tiles: list[int]) -> str:
    shown = ", ".join(map(str, tiles[:10])) + (", ..." if len(tiles) > 10 else "")
    return f"tile{'s' if len(tiles) > 1 else ''} {shown}"
