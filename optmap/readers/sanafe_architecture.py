"""SANA-FE architectures as platforms: each core is a tile, cores of one tile are no hop apart.

What is read is what :mod:`optmap.exporters.sanafe` writes, so that a chip survives the way there
and back: neurons a core (columns), hop latency and energy, a message in (the time of a spike read),
a message out (what the network interface sends), the energy of a spike fired and of a synaptic
event. One tick is the longest time that divides the latencies of a hop and of a message in; a
network interface sends tick / latency of a message out tokens a tick. Where hops of the four
directions differ, the dearest counts; where a core has several units of a kind, the first one does,
as in SANA-FE. Places of the mesh that hold no tile are passed, not used; a core that does not say
how many neurons it holds has SANA-FE's 1,024. SANA-FE limits no axons of a core: rows are not
limited unless they are told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from math import gcd, lcm
from pathlib import Path

import numpy as np

from optmap.errors import InputError
from optmap.model.platform import (
    MAX_SIDE,
    MAX_TILES,
    Crossbar,
    Energy,
    Interconnect,
    Platform,
    Tile,
)
from optmap.readers.yaml_tree import Items, Node, Scalar, YamlFile, read_yaml

EXPECTED = "a SANA-FE architecture: tiles with cores"
PJ, NS = Fraction(1, 10**12), Fraction(1, 10**9)
#: Cores that a hop matrix is written for; a mesh of one core a tile may have more.
MAX_MATRIX = 1_024
#: Ticks that one latency may take; more means latencies without a common measure.
MAX_TICKS = 10**9
#: Neurons of a core that does not say it, as SANA-FE takes them.
DEFAULT_NEURONS = 1_024
_SIDES = ("north", "east", "south", "west")
_RANGE = re.compile(r"([^\[\]]*)\[([0-9]{1,6})(?:\.\.([0-9]{1,6}))?\]")


@dataclass(frozen=True)
class _Core:
    """What counts of a core: energies in J, latencies in s."""

    neurons: int
    hop: dict[str, Fraction]
    message_in_s: Fraction
    message_out_s: Fraction
    spike_j: Fraction
    event_j: Fraction


@dataclass
class _Notes:
    """What a reader takes for granted or leaves out, each once."""

    texts: dict[str, None] = field(default_factory=dict)

    def add(self, text: str) -> None:
        self.texts[text] = None


def read_architecture(path: Path, told: dict[str, int]) -> Platform:
    """Read a SANA-FE architecture.

    Parameters
    ----------
    path : Path
        The YAML file.
    told : dict of str to int
        What the file lacks (:data:`optmap.readers.platforms.ARCHITECTURE`).

    Raises
    ------
    InputError
        If it is none, or says something that this model cannot, naming the line.
    """
    file = read_yaml(path, EXPECTED)
    top = file.fields(file.root, EXPECTED)
    if "architecture" not in top:
        raise file.fail(file.root, repr(", ".join(top)[:60]), EXPECTED)
    for option in sorted(set(told) & {"columns", "event_ticks", "token_bits"}):
        raise InputError("--architecture", "", option, "nothing that the SANA-FE file says itself")
    parts = file.fields(top["architecture"], "architecture")
    notes = _Notes()
    attributes = file.fields(_needed(file, parts, top["architecture"], "attributes"), "attributes")
    if "topology" in attributes:
        kind = file.text(attributes["topology"], "topology: mesh")
        if kind != "mesh":
            raise file.fail(attributes["topology"], repr(kind), "topology: mesh")
    node = _needed(file, parts, top["architecture"], "attributes")
    width, height = (
        file.whole(_needed(file, attributes, node, name), name, 1, MAX_TILES)
        for name in ("width", "height")
    )
    cores: list[list[_Core]] = []
    for tile in file.items(_needed(file, parts, top["architecture"], "tile"), "tile"):
        cores += _tiles(file, tile, notes)
        if len(cores) > width * height:
            raise file.fail(tile, f"{len(cores)} tiles", f"{width} x {height} of the mesh")
    if len(cores) < width * height:
        notes.add(f"{len(cores)} of {width * height} places of the mesh hold a tile")
    _note_rest(attributes, ("topology", "width", "height"), "architecture", notes)
    name = file.text(parts.get("name", Scalar(1, path.stem)), "a name")
    return _platform(file, name, (width, height), cores, told, notes)


def _needed(file: YamlFile, parts: dict[str, Node], around: Node, name: str) -> Node:
    if name not in parts:
        raise file.fail(around, f"no {name}", f"{EXPECTED}; {name}")
    return parts[name]


def _repeated(file: YamlFile, parts: dict[str, Node], node: Node) -> int:
    """Return how many a name like ``tile[0..31]`` stands for."""
    name = file.text(_needed(file, parts, node, "name"), "a name")
    match = _RANGE.fullmatch(name)
    if match is None and set(name) & set("[]"):
        raise file.fail(parts["name"], repr(name[:40]), "a name, or several as in tile[0..31]")
    if match is None or match[3] is None:
        return 1
    count = int(match[3]) - int(match[2]) + 1
    if not 1 <= count <= MAX_TILES:
        raise file.fail(parts["name"], repr(name), f"1 to {MAX_TILES} of them")
    return count


def _tiles(file: YamlFile, node: Node, notes: _Notes) -> list[list[_Core]]:
    """Return the cores of each tile that an entry stands for."""
    parts = file.fields(node, "a tile")
    around = _needed(file, parts, node, "attributes")
    attributes = file.fields(around, "attributes")
    hop = {}
    for kind in ("energy", "latency"):
        sides = [
            file.exact(_needed(file, attributes, around, name), name)
            for name in (f"{kind}_{side}_hop" for side in _SIDES)
        ]
        hop[kind] = max(sides)
        if min(sides) != max(sides):
            what = f"{kind} of a hop, {float(min(sides)):g} to {float(max(sides)):g}"
            notes.add(f"{what} by direction: the largest counts")
    _note_rest(attributes, [f"{k}_{s}_hop" for k in hop for s in _SIDES], "tile", notes)
    cores: list[_Core] = []
    for core in file.items(_needed(file, parts, node, "core"), "core"):
        cores += _cores(file, core, hop, notes)
    if not cores:
        raise file.fail(node, "a tile without core", "at least one core a tile")
    return [cores] * _repeated(file, parts, node)


def _cores(file: YamlFile, node: Node, hop: dict[str, Fraction], notes: _Notes) -> list[_Core]:
    parts = file.fields(node, "a core")
    around = _needed(file, parts, node, "attributes")
    attributes = file.fields(around, "attributes")
    most = attributes.get("max_neurons_supported")
    if most is None:
        notes.add(f"a core without max_neurons_supported holds {DEFAULT_NEURONS}, as in SANA-FE")
        most = Scalar(around.line, str(DEFAULT_NEURONS))
    neurons = file.whole(most, "max_neurons_supported", 1, MAX_SIDE)

    def cost(unit: str) -> Fraction:
        return _cost(file, _units(file, parts, node, unit), unit, notes)

    for _, own in _units(file, parts, node, "dendrite"):
        _note_costs(file, own, "dendrite", notes)
    core = _Core(
        neurons,
        hop,
        cost("axon_in"),
        cost("axon_out"),
        cost("soma"),
        cost("synapse"),
    )
    return [core] * _repeated(file, parts, node)


#: The cost that is read of each unit of a core.
_READ = {
    "axon_in": "latency_message_in",
    "axon_out": "latency_message_out",
    "soma": "energy_spike_out",
    "synapse": "energy_process_spike",
}

#: A unit of a core and its attributes.
_Unit = tuple[Node, dict[str, Node]]


def _units(file: YamlFile, parts: dict[str, Node], node: Node, kind: str) -> list[_Unit]:
    """Return the units of one kind; those that only feed inputs count where there are no others."""
    around = _needed(file, parts, node, kind)
    found: list[_Unit] = []
    for item in around.items if isinstance(around, Items) else [around]:
        inner = file.fields(item, kind)
        own = file.fields(_needed(file, inner, item, "attributes"), "attributes")
        found.append((item, own))
    feeding = [unit for unit in found if _is_input(unit[1].get("model"))]
    return [unit for unit in found if unit not in feeding] or feeding


def _is_input(model: Node | None) -> bool:
    return isinstance(model, Scalar) and model.text == "input"


def _cost(file: YamlFile, units: list[_Unit], kind: str, notes: _Notes) -> Fraction:
    """Return what the first unit of a kind costs, and note what else the units say."""
    name = _READ[kind]
    found = [file.exact(_needed(file, own, item, name), name) for item, own in units]
    for _, own in units:
        _note_costs(file, own, kind, notes)
    if len(set(found)) > 1:
        notes.add(f"{name} of the first {kind} counts, {float(found[0]):g}, of {len(found)}")
    return found[0]


def _note_costs(file: YamlFile, own: dict[str, Node], kind: str, notes: _Notes) -> None:
    """Note the costs of a unit that are not read, where they are not 0."""
    for name, value in own.items():
        if name.startswith(("energy_", "latency_")) and name != _READ.get(kind):
            amount = file.exact(value, name)
            if amount:
                notes.add(f"{kind} {name} {float(amount):g} is left out")


def _note_rest(attributes: dict[str, Node], known: Sequence[str], what: str, notes: _Notes) -> None:
    rest = sorted(set(attributes) - set(known))
    if rest:
        notes.add(f"{what}: {', '.join(rest)} left out")


def _platform(
    file: YamlFile,
    name: str,
    mesh: tuple[int, int],
    tiles: list[list[_Core]],
    told: dict[str, int],
    notes: _Notes,
) -> Platform:
    cores = [core for tile in tiles for core in tile]
    one = cores[0]
    for core in cores:
        if (core.hop, core.message_in_s, core.message_out_s, core.spike_j, core.event_j) != (
            one.hop, one.message_in_s, one.message_out_s, one.spike_j, one.event_j
        ):  # fmt: skip
            expected = "cores that differ in max_neurons_supported only"
            raise file.fail(file.root, "cores of different costs", expected)
    times = [one.hop["latency"], one.message_in_s]
    tick = _common_measure(times)
    if max(times) / tick > MAX_TICKS:
        found = f"latencies whose common measure is {float(tick):g} s"
        raise file.fail(file.root, found, f"at most {MAX_TICKS} ticks each")
    if "rows" not in told:
        notes.add("axons of a core are not limited; --architecture rows=N says otherwise")
    rows = told.get("rows", MAX_SIDE)
    if not 2 <= rows <= MAX_SIDE:
        raise InputError("--architecture", "rows", str(rows), f"2 to {MAX_SIDE}")
    if not one.message_out_s:
        notes.add("a message out takes no time: a network interface sends a token a tick")
    return Platform(
        name,
        tuple(Tile(Crossbar(rows, core.neurons), slots=told.get("slots")) for core in cores),
        _interconnect(file, mesh, [len(tile) for tile in tiles]),
        hop_ticks=int(one.hop["latency"] / tick),
        ni_tokens_per_tick=tick / one.message_out_s if one.message_out_s else Fraction(1),
        tick_ns=tick / NS,
        base_ticks=told.get("base_ticks", 1),
        event_ticks=int(one.message_in_s / tick),
        switch_ticks=told.get("switch_ticks", 0),
        energy=Energy(
            spike_pj=one.spike_j / PJ, synapse_pj=one.event_j / PJ, route_pj=one.hop["energy"] / PJ
        ),
        sources={"file": f"SANA-FE architecture {file.path.name}"}
        | {f"note {n}": text for n, text in enumerate(notes.texts, start=1)},
    )


def _common_measure(times: list[Fraction]) -> Fraction:
    """Return the longest time that divides all of them; a nanosecond where all are 0."""
    above = [time for time in times if time]
    if not above:
        return NS
    below = lcm(*(time.denominator for time in above))
    return Fraction(reduce(gcd, (int(time * below) for time in above)), below)


def _interconnect(file: YamlFile, mesh: tuple[int, int], cores: list[int]) -> Interconnect:
    """Return the mesh; SANA-FE numbers tiles column by column, this project row by row."""
    width, height = mesh
    if set(cores) == {1} and len(cores) == width * height:
        return Interconnect("mesh", height, width)
    if sum(cores) > MAX_MATRIX:
        found = f"{sum(cores)} cores, several a tile or places without one"
        raise file.fail(file.root, found, f"at most {MAX_MATRIX}, or one core at every place")
    tile = np.repeat(np.arange(len(cores)), cores)
    x, y = np.divmod(tile, height)
    hops = np.abs(x[:, None] - x) + np.abs(y[:, None] - y)
    return Interconnect("matrix", matrix=tuple(map(tuple, hops.tolist())))
