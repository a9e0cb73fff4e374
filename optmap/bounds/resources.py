"""The crossbars that synapse memory and other additive limits make necessary."""

from __future__ import annotations

from optmap.model.capacity import resources, stated, units_by_limit
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


def crossbars_by_units(network: SNN, platform: Platform) -> dict[str, int]:
    """Return ceil(U / C') for the columns, and for the resource that leaves room for fewer units.

    Where even the least demanding units use up a resource before the columns are full, the bound
    has the name of the resource that is used up first on the widest crossbar.
    """
    by_limit, units = units_by_limit(network, platform), network.num_units
    columns, most = (max(1, int(row.max())) for row in (by_limit[0], by_limit.min(axis=0)))
    found = {"columns": -(-units // columns)}
    if -(-units // most) > found["columns"]:
        first = int(by_limit[1:, by_limit[0].argmax()].argmin())
        found[stated(platform)[first].field] = -(-units // most)
    return found
