"""RANC / SpikeHard folders: a network already placed on the cores of a TrueNorth-like grid.

A folder holds ``tb_spikehard_params.json`` (grid and field widths) and per core, row by row over
the grid, ``csram_N.mem`` (one line of bits a neuron) and ``tc_N.mem`` (one line an axon: which of
the neuron's weights it selects). A core without files is empty. A neuron drives one axon of one
core; what reaches the output core, or leaves the grid, is an output. Neuron n of core c reads,
through each connected axon, every neuron that drives the axon; a connected axon that none
drives is an input. A connection is a synapse even where the weight it selects is zero.

Formats as read from the public code of RANC and SpikeHard (both MIT).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from optmap.decomposing.contract import decompose
from optmap.errors import InputError
from optmap.model.mapping import Binding, Clustering, Mapping, StaticOrders, compact
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, SPIKES_ASSUMED, BoolArray, IntArray, Population, from_edges
from optmap.readers.ranc_cores import Cores, Grid, read_cores, read_grid
from optmap.readers.ranc_run import Bench, Run, read_bench, run


@dataclass(frozen=True)
class RancNetwork:
    """A network read from core files, with the placement it came with.

    Parameters
    ----------
    snn : SNN
        Inputs first (by core and axon), then the used neurons core by core.
    grid : Grid
        Size of the grid and of a core.
    clustering : Clustering
        One cluster a core that holds neurons.
    binding : Binding
        ``tile_of[k]`` is the number of the core, y * grid width + x.
    num_axons, num_connections : int
        Axons with a connection and connections on all cores. Where several neurons drive one axon
        the network has more synapses than there are connections.
    dead : (D,) int64 array
        Neurons of ``snn`` that nothing reads and that drive no output.
    matches : bool or None
        Whether simulating the test inputs gave the expected outputs; None where the folder has no
        test bench.
    """

    snn: SNN
    grid: Grid
    clustering: Clustering
    binding: Binding
    num_axons: int
    num_connections: int
    dead: IntArray
    matches: bool | None

    def platform(self) -> Platform:
        """Return the grid as a platform: one tile a core, each holding one program.

        Times are assumed: one tick a spike read, one a firing, one a hop. To judge the placement on
        other costs, build another platform of as many tiles.
        """
        core = Crossbar(self.grid.num_axons, self.grid.num_neurons)
        return Platform(
            f"RANC grid {self.grid.width} x {self.grid.height}",
            (Tile(core, slots=1),) * self.grid.num_cores,
            Interconnect("mesh", self.grid.width, self.grid.height),
            event_ticks=1,
        )

    def mapping(self) -> Mapping:
        """Return the placement as a mapping onto a mesh of one tile a core.

        Raises
        ------
        FanInError
            If a neuron reads more sources than a core has axons (shared axons can do that).
        """
        orders: list[tuple[int, ...]] = [()] * self.grid.num_cores
        for cluster, tile in enumerate(self.binding.tile_of.tolist()):
            orders[tile] = (cluster,)
        decomposition = decompose(self.snn, self.grid.num_axons, "none")
        return Mapping(decomposition, self.clustering, self.binding, StaticOrders(tuple(orders)))


def read_ranc(
    folder: str | Path,
    *,
    drop_dead: bool = False,
    join_axons: bool = False,
    parameters: str | None = None,
) -> RancNetwork:
    """Read a folder of core files; spikes by simulating its test inputs, where it has them.

    One iteration is the whole test bench: every tick for which outputs are expected.

    Parameters
    ----------
    folder : str or Path
        The folder.
    drop_dead : bool
        Leave out the neurons that nothing reads and that drive no output (repeatedly, since a
        neuron read by dead ones only is dead too), and the inputs read by them only.
    join_axons : bool
        Let an axon that several neurons (or neurons and test inputs) drive be one source, its first
        neuron, that spikes whenever one of them does: it takes one row, as on the hardware. The
        other drivers stay as units, but what reads the axon no longer depends on them, so that this
        network is for counting crossbars, not for periods.
    parameters : str or None
        NAME=VALUE pairs between commas for a folder without its file of parameters.

    Raises
    ------
    InputError
        If a file is missing, damaged, or contradicts the parameters, naming file and line.
    """
    folder = Path(folder)
    grid = read_grid(folder, parameters)
    cores = read_cores(folder, grid)
    bench = read_bench(folder, grid)
    played = run(cores, bench) if bench is not None else None
    return _network(folder, grid, cores, bench, played, drop_dead, join_axons)


def _network(
    folder: Path,
    grid: Grid,
    cores: Cores,
    bench: Bench | None,
    played: Run | None,
    drop: bool,
    join: bool,
) -> RancNetwork:
    slots = grid.num_cores * grid.num_axons
    kept = cores.alive() if drop else np.ones(cores.num_neurons, dtype=np.bool_)
    reader, axon = cores.connections()
    chosen = kept[reader]
    reader, axon = reader[chosen], axon[chosen]
    if not len(reader):
        raise InputError(str(folder), "", "cores without a connection", "at least one")
    used = np.zeros(slots, dtype=np.bool_)
    used[axon] = True
    drives = np.flatnonzero(kept & cores.can_fire() & (cores.target >= 0))
    drives = drives[used[cores.target[drives]]]
    driven = np.zeros(slots, dtype=np.bool_)
    driven[cores.target[drives]] = True
    if join:
        drives = drives[np.sort(np.unique(cores.target[drives], return_index=True)[1])]
    fed = np.zeros(slots, dtype=np.bool_)
    if bench is not None and not join:
        fed[bench.axon] = True
    inputs = np.flatnonzero(used & (~driven | fed))
    # A neuron without a connection that fires by itself and is read is self-driven.
    listed = np.zeros(cores.num_neurons, dtype=np.bool_)
    listed[reader] = True
    listed[drives] = True
    neurons = np.flatnonzero(listed)
    number_of_input = np.full(slots, -1)
    number_of_input[inputs] = np.arange(len(inputs))
    number = np.full(cores.num_neurons, -1)
    number[neurons] = len(inputs) + np.arange(len(neurons))

    pre, post, weight = _synapses(cores, reader, axon, drives, number, number_of_input)
    core_of = cores.core[neurons]
    populations = _populations(len(inputs), core_of)
    spikes, origin = None, SPIKES_ASSUMED
    if played is not None:
        spikes, origin = _spikes(played, inputs, neurons, driven), _origin(folder, played)
        if join:
            spikes[number[drives]] = played.axon_spikes[cores.target[drives]]
    snn = from_edges(
        pre, post, len(inputs) + len(neurons), spikes=spikes, weights=weight,
        populations=populations, keep_zero_weights=True, spikes_origin=origin,
    )  # fmt: skip
    alone = len(inputs) + np.flatnonzero(snn.fan_in[len(inputs) :] == 0)
    snn = replace(snn, self_driven=alone.astype(np.int32))
    labels = core_of[snn.units - len(inputs)]
    clustering, binding = _placement(labels)
    dead = number[np.flatnonzero(~cores.alive() & listed)]
    return RancNetwork(
        snn, grid, clustering, binding, int(used.sum()), len(reader), dead,
        None if played is None else played.matches,
    )  # fmt: skip


def _spikes(played: Run, inputs: IntArray, neurons: IntArray, driven: BoolArray) -> IntArray:
    """Return the spikes of every input and neuron that stands in the network.

    Where neurons and test inputs share an axon, the axon's count has the neurons' in it: such an
    input counts its packets alone.
    """
    spikes: IntArray = np.concatenate([played.axon_spikes[inputs], played.neuron_spikes[neurons]])
    shared = np.flatnonzero(driven[inputs])
    spikes[shared] = played.packet_spikes[inputs[shared]]
    return spikes


def _placement(labels: IntArray) -> tuple[Clustering, Binding]:
    """Return the clusters and their tiles: the core of each unit."""
    clustering = compact(labels)
    tile_of = np.zeros(clustering.num_clusters, dtype=np.int32)
    tile_of[clustering.cluster_of] = labels
    return clustering, Binding(tile_of)


def _populations(num_inputs: int, core_of: IntArray) -> list[Population]:
    populations = [Population("input", 0, num_inputs - 1)] if num_inputs else []
    for core in np.unique(core_of).tolist():
        members = num_inputs + np.flatnonzero(core_of == core)
        populations.append(Population(f"core{core}", int(members[0]), int(members[-1])))
    return populations


def _origin(folder: Path, played: Run) -> str:
    origin = f"simulated: {played.num_ticks} ticks of {folder.name}/tb_input.txt"
    return origin + (", outputs are not those of tb_correct.txt" if played.matches is False else "")


def _synapses(
    cores: Cores,
    reader: IntArray,
    axon: IntArray,
    drives: IntArray,
    number: IntArray,
    number_of_input: IntArray,
) -> tuple[IntArray, IntArray, npt.NDArray[Any]]:
    """Return (pre, post, weight): each connection once for every source of its axon."""
    weight = cores.weights_of(reader, axon)
    from_input = number_of_input[axon] >= 0
    parts = [(number_of_input[axon[from_input]], reader[from_input], weight[from_input])]
    order = np.argsort(cores.target[drives], kind="stable")
    by_axon = drives[order]
    start = np.searchsorted(cores.target[by_axon], axon, side="left")
    count = np.searchsorted(cores.target[by_axon], axon, side="right") - start
    each = np.repeat(np.arange(len(axon)), count)
    nth = np.arange(len(each)) - np.repeat(np.cumsum(count) - count, count)
    parts.append((number[by_axon[start[each] + nth]], reader[each], weight[each]))
    pre, post, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    return pre, number[post], value
