"""A mapping as SANA-FE input: the chip, and the network placed on it, as YAML.

``arch.yaml`` describes the platform: tiles of one core each, on a mesh. ``snn.yaml`` holds the
decomposed network, an edge a synapse, and on which core every neuron stands. SANA-FE simulates
neurons, a mapping knows how often they fire: so every neuron, inputs and inserted units included,
is one of SANA-FE's ``input`` somas that replays its spikes, spread evenly over as many steps as
the busiest neuron has spikes. Weights are written as 0, for such a soma takes no current; synaptic
events, messages and hops are counted all the same. One run of that many steps is one iteration.

- Energies are the platform's, in joules: per spike of a unit, per synaptic event, per hop (the
  same in all directions). Without clusters that share a tile, the simulated energies are this
  project's, but for hops of inputs and for ``local_pj``, which SANA-FE has no field for.
- Inputs, which stand outside the crossbars here, are put on the core of their first reader.
- Times are in seconds by ``tick_ns``: a hop, a spike read, a spike sent.
- Tiles of a torus or a hop matrix are laid out on a mesh, as a comment in the file says.

The form follows the public examples of SANA-FE 2.2 (Boyle et al., IEEE TCAD 44, 2025).
"""

from __future__ import annotations

import json
from collections.abc import Mapping as Attributes
from math import isqrt

import numpy as np

from optmap.errors import InputError
from optmap.model.cluster_graph import cluster_of_source
from optmap.model.mapping import Mapping
from optmap.model.platform import Platform
from optmap.model.snn import IntArray

#: Lines of edges, and characters of spike trains; beyond them YAML is no format for a network.
MAX_SYNAPSES = 2_000_000
MAX_TRAINS = 50_000_000
PJ, NS = 1e-12, 1e-9
_SIDES = ("north", "east", "south", "west")
_SILENT = {
    "energy_access_neuron": 0.0,
    "latency_access_neuron": 0.0,
    "energy_update_neuron": 0.0,
    "latency_update_neuron": 0.0,
}


def core_of_neuron(mapping: Mapping) -> IntArray:
    """Return the tile of every neuron; inputs stand with their first reader, unread ones on 0."""
    network, tile_of = mapping.decomposition.network, mapping.binding.tile_of
    cluster = cluster_of_source(network, mapping.clustering)
    tiles = np.concatenate((tile_of, [0]))[cluster].astype(np.int64)
    post = network.post_of_synapse()[::-1]
    first = np.full(network.num_neurons, -1, dtype=np.int64)
    first[network.indices[::-1]] = post  # written from the last synapse to the first
    inputs = np.flatnonzero((cluster == mapping.clustering.num_clusters) & (first >= 0))
    tiles[inputs] = tiles[first[inputs]]
    return tiles


def architecture_yaml(platform: Platform, mapping: Mapping) -> str:
    """Return the platform in SANA-FE's architecture format, with somas for a mapping's neurons."""
    network = mapping.decomposition.network
    tile = core_of_neuron(mapping)
    width, height, notes = _layout(platform)
    is_unit = network.is_unit
    units = np.bincount(tile[is_unit], minlength=width * height)
    inputs = np.bincount(tile[~is_unit], minlength=width * height)
    hop = {
        "energy": float(platform.energy.route_pj) * PJ,
        "latency": platform.hop_ticks * float(platform.tick_ns) * NS,
    }
    lines = [
        f"# {_plain(platform.name)}; energies in J and times in s from its platform file",
        *notes,
        "architecture:",
        f"  name: {json.dumps(_plain(platform.name))}",
        *_attributes(
            {
                "topology": "mesh",
                "width": width,
                "height": height,
                "link_buffer_size": 16,
                "sync_model": "fixed",
                "latency_sync": 0.0,
            },
            2,
        ),
        "  tile:",
    ]
    for t in range(width * height):
        costs = {f"{kind}_{side}_hop": hop[kind] for side in _SIDES for kind in hop}
        lines += [f"    - name: tile_{t}", *_attributes(costs, 6), "      core:"]
        lines += _core(platform, t, int(units[t]), int(inputs[t]))
    return "\n".join(lines) + "\n"


def _core(platform: Platform, tile: int, units: int, inputs: int) -> list[str]:
    tick = float(platform.tick_ns) * NS
    event_j = float(platform.energy.synapse_pj * platform.cells_per_synapse) * PJ
    message_in = {"energy_message_in": 0.0, "latency_message_in": platform.event_ticks * tick}
    message_out = {
        "energy_message_out": 0.0,
        "latency_message_out": tick / float(platform.ni_tokens_per_tick),
    }
    synapse = {
        "model": "current_based",
        "energy_process_spike": event_j,
        "latency_process_spike": 0.0,
    }
    dendrite = {"model": "accumulator", "energy_update": 0.0, "latency_update": 0.0}
    spike_j = float(platform.energy.spike_pj) * PJ
    somas = [
        (f"{name}[0..{count - 1}]", {"model": "input", **_SILENT, "energy_spike_out": energy,
                                     "latency_spike_out": 0.0})
        for name, count, energy in (("unit", max(1, units), spike_j), ("input", inputs, 0.0))
        if count
    ]  # fmt: skip
    capacity = {"buffer_position": "soma", "max_neurons_supported": max(1, units + inputs)}
    lines = [f"        - name: core_{tile}", *_attributes(capacity, 10)]
    for kind, members in (
        ("axon_in", [("axons", message_in)]),
        ("synapse", [("crossbar", synapse)]),
        ("dendrite", [("sum", dendrite)]),
        ("soma", somas),
        ("axon_out", [("interface", message_out)]),
    ):
        lines.append(f"          {kind}:")
        for name, attributes in members:
            lines += [f"            - name: {name}", *_attributes(attributes, 14)]
    return lines


def network_yaml(mapping: Mapping, name: str = "network") -> str:
    """Return the decomposed network with its placement in SANA-FE's network format.

    Raises
    ------
    InputError
        If the network has too many synapses or spikes for a text file.
    """
    network = mapping.decomposition.network
    steps = max(1, int(network.spikes.max(initial=0)))
    trains = steps * network.num_neurons
    if network.num_synapses > MAX_SYNAPSES or trains > MAX_TRAINS:
        found = f"{network.num_synapses} synapses, {network.num_neurons} neurons x {steps} steps"
        expected = f"at most {MAX_SYNAPSES} synapses and {MAX_TRAINS} entries of spike trains"
        raise InputError(name, "SANA-FE", found, expected)
    lines = [
        f"# One iteration is {steps} steps; spikes: {_plain(network.spikes_origin)}",
        "network:",
        f"  name: {json.dumps(_plain(name))}",
        "  groups:",
        "    - name: n",
        "      attributes: {}",
        "      neurons:",
    ]
    clock = np.arange(steps + 1)
    for neuron, count in enumerate(network.spikes.tolist()):
        train = np.diff(clock * count // steps).tolist()
        lines.append(f"        - {neuron}: {{spikes: {json.dumps(train, separators=(',', ':'))}}}")
    lines.append("  edges:" if network.num_synapses else "  edges: []")
    post = network.post_of_synapse().tolist()
    for a, b in zip(network.indices.tolist(), post, strict=True):
        lines.append(f"    - n.{a} -> n.{b}: {{weight: 0.0}}")
    lines.append("mappings:")
    taken: dict[tuple[int, str], int] = {}
    for neuron, tile in enumerate(core_of_neuron(mapping).tolist()):
        soma = "unit" if network.is_unit[neuron] else "input"
        nth = taken.get((tile, soma), 0)
        taken[tile, soma] = nth + 1
        lines.append(f'  - n.{neuron}: {{core: {tile}.0, soma: "{soma}[{nth}]"}}')
    return "\n".join(lines) + "\n"


def _layout(platform: Platform) -> tuple[int, int, list[str]]:
    """Return width and height of SANA-FE's mesh, and what to say about it.

    SANA-FE numbers tiles column by column, this project row by row: the mesh is written turned.
    """
    net = platform.interconnect
    if net.kind != "matrix":
        note = ["# a torus, written as a mesh: hops around its edge are longer here"]
        return net.height or 1, net.width or 1, note if net.kind == "torus" else []
    width = isqrt(platform.num_tiles - 1) + 1
    height = -(-platform.num_tiles // width)
    return width, height, ["# a hop matrix, laid out on a mesh: hops are the mesh's, not its own"]


def _attributes(values: Attributes[str, object], indent: int) -> list[str]:
    blank = " " * indent
    return [f"{blank}attributes:"] + [f"{blank}  {key}: {_scalar(v)}" for key, v in values.items()]


def _scalar(value: object) -> str:
    """Return a number so that YAML 1.1 readers take it for one: 1.0e-12, not 1e-12."""
    if isinstance(value, float):
        mantissa, mark, exponent = repr(value).partition("e")
        return mantissa + ("" if "." in mantissa else ".0") + mark + exponent
    return str(value)


def _plain(text: str) -> str:
    """Return text that fits a comment line."""
    return " ".join(text.split())
