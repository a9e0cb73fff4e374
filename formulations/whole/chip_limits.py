"""(W13)-(W15) What tiles limit besides rows and columns, in the whole model.

Parameters   w_dj, v_dj what a unit of neuron j takes of resource d, and for each thing it reads;
             L_dt what tile t has of it; A_t axons out, F_t fan-out of its units
Variables    e[i,k] axons out that neuron i takes of cluster k
Check        the mapping by optmap.judge
"""

from __future__ import annotations

import numpy as np
from ortools.sat.python import cp_model

from formulations.whole.units_model import UnitsModel
from optmap.model.capacity import AXONS_OUT, FAN_OUT, UNLIMITED, on_tiles, resources

Places = dict[tuple[int, int], cp_model.IntVar]


def respect_chip(model: UnitsModel, z: Places) -> None:
    """Post what the platform limits; ``z[k,t]`` says that cluster k is on tile t."""
    respect_resources(model, z)
    respect_fan_out(model, z)
    respect_axons_out(model, z)


def respect_resources(model: UnitsModel, z: Places) -> None:
    """(W13)  sum_u w_dj x[u,k] + sum v_dj w[i,j,k] + sum_q v_dj a[q,k] <= L_dt  where z[k,t]."""
    platform = model.sets.platform
    for resource in resources(model.sets.snn, platform):
        fixed, slope = resource.fixed.tolist(), resource.per_read.tolist()
        for k in model.clusters:
            load: list[cp_model.LinearExprT] = [
                fixed[u[0]] * model.x[u, k] for u in model.units if fixed[u[0]]
            ]
            load += [slope[j] * w for (_, j, n), w in model.w.items() if n == k and slope[j]]
            load += [slope[q[0]] * model.a[q, k] for q in model.inserted if slope[q[0]]]
            for t in model.sets.tiles:
                if resource.have[t] < UNLIMITED and platform.tiles[t].in_use:
                    most = int(resource.have[t])
                    model.cp.add(sum(load) <= most).only_enforce_if(z[k, t])


def _read_neurons(model: UnitsModel) -> list[int]:
    """Return the units of the original network that some unit reads."""
    neurons = set(model.sets.neurons)
    return [v for v in model.read if isinstance(v, int) and v in neurons]


def respect_fan_out(model: UnitsModel, z: Places) -> None:
    """(W14)  sum_n a[i,n] <= F_t  where x[i,k] and z[k,t]; inserted units are read once."""
    most = on_tiles(model.sets.platform, FAN_OUT)
    tiles = [t for t in model.sets.platform.in_use if most[t] < model.num_clusters]
    for i in _read_neurons(model) if tiles else ():
        read = sum(model.a[i, n] for n in model.clusters)
        for k in model.clusters:
            for t in tiles:
                model.cp.add(read <= int(most[t])).only_enforce_if(model.x[(i, 0), k], z[k, t])


def respect_axons_out(model: UnitsModel, z: Places) -> None:
    """(W15)  e[i,k] >= sum_n a[i,n] where x[i,k];  sum_i e[i,k] + sum_q x[q,k] <= A_t where z."""
    most = on_tiles(model.sets.platform, AXONS_OUT)
    tiles = [t for t in model.sets.platform.in_use if most[t] < UNLIMITED]
    if not tiles:
        return
    read = _read_neurons(model)
    for k in model.clusters:
        out: list[cp_model.LinearExprT] = [model.x[q, k] for q in model.inserted]
        for i in read:
            e = model.cp.new_int_var(0, model.num_clusters, f"e_{i}_{k}")
            reached = sum(model.a[i, n] for n in model.clusters)
            model.cp.add(e >= reached).only_enforce_if(model.x[(i, 0), k])
            out.append(e)
        for t in tiles:
            model.cp.add(sum(out) <= int(np.minimum(most[t], 2**40))).only_enforce_if(z[k, t])
