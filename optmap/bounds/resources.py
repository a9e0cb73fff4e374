"""The crossbars that synapse memory and other additive limits make necessary."""

from __future__ import annotations

from optmap.model.capacity import resources
from optmap.model.platform import Platform
from optmap.model.snn import SNN


def crossbars_by_resource(network: SNN, platform: Platform) -> dict[str, int]:
    """Return, for every limited resource, ceil(all that the units take / the most of a crossbar).

    Of an original network this holds for every decomposition: whatever is split, each synapse is
    stored once at least, and each neuron has a unit; inserted units only add to it.
    """
    units, found = network.units, {}
    for r in resources(network, platform):
        taken = r.fixed[units] + r.per_read[units] * network.fan_in[units]
        found[r.limit.field] = -(-sum(taken.tolist()) // max(1, int(r.have.max())))
    return found
