"""SANA-FE networks: the YAML of its versions 2, and the netlist of its first.

Read are groups, neurons, edges between neurons and whole groups joined densely, sparsely or by a
convolution; attributes other than weight, bias and spike trains are left out. A neuron that nothing
drives is an input, unless it has a bias: then it is self-driven. Where all weights are zero, as in
exported connectivity, they say nothing. Where every neuron replays a spike train, the trains are
the spikes. Mappings onto cores are not read.

Neurons of a group joined by a convolution count map by map, row by row; its weights are listed by
filter row, filter column, input map, output map. A dense edge lists its weights source by source.
Forms follow the public examples of SANA-FE (Boyle et al., IEEE TCAD 44, 2025).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from optmap.model.snn import SNN, IntArray
from optmap.readers.file_limits import refuse_wide_numbers
from optmap.readers.sanafe_netlist import read_netlist
from optmap.readers.sanafe_network import EDGE, EXPECTED, SanafeNetwork
from optmap.readers.text import read_text
from optmap.readers.yaml_tree import Fields, Node, Scalar, YamlFile, parse_yaml

_GROUPS = re.compile(r"([^\s.]+)\s*->\s*([^\s.]+)")
_RANGE = re.compile(r"([0-9]{1,9})(?:\.\.([0-9]{1,9}))?")
#: One edge on a line of its own, as long lists of them are written; read without the YAML parser.
_PLAIN_EDGE = re.compile(
    r"(?m)^[ \t]*-[ \t]+([^\s.#\"'{\[]+)\.([0-9]{1,9})[ \t]*->[ \t]*([^\s.#]+)\.([0-9]{1,9})[ \t]*:"
    r"[ \t]*[{\[][ \t]*(?:weight|w)[ \t]*:[ \t]*([^\s,}\]]+)[ \t]*[}\]][ \t]*$"
)
_KEY = {k: re.compile(rf"[\"']?{k}[\"']?[ \t]*:[ \t]*(#|$)") for k in ("network", "edges")}
#: Synapses that whole groups may have, and how many more a byte of the file.
MAX_GROUP_SYNAPSES = 20_000_000
PER_BYTE = 4


def read_sanafe(path: Path, *, keep_zero_weights: bool = False) -> SNN:
    """Read a SANA-FE network, ``.yaml`` or ``.net``.

    Raises
    ------
    InputError
        If a line is no group, neuron or edge that is understood, naming it.
    """
    text = read_text(path, EXPECTED)
    network = SanafeNetwork(path)
    if re.search(r"(?m)^[\"']?(network|architecture)[\"']?[ \t]*:", text):
        _read_yaml(network, text)
    else:
        lines = [line.partition("#")[0].rstrip() for line in text.splitlines()]
        read_netlist(network, lines)
    return network.snn(keep_zero_weights)


def _read_yaml(network: SanafeNetwork, text: str) -> None:
    plain: list[tuple[int, tuple[str, str, str, str], str]] = []
    lines = text.splitlines()
    for number in _edge_lines(lines):
        match = _PLAIN_EDGE.match(lines[number])
        if match is not None:
            plain.append((number + 1, (match[1], match[2], match[3], match[4]), match[5]))
            lines[number] = ""
    file = parse_yaml(network.path, "\n".join(lines), EXPECTED)
    top = file.fields(file.root, "a SANA-FE network")
    if "network" not in top:
        found = ", ".join(top)[:60]
        raise file.fail(file.root, repr(found), f"{EXPECTED}; an architecture is a --platform")
    parts = file.fields(top["network"], "network")
    for group in file.items(parts.get("groups", Scalar(1, "")), "groups"):
        _group(network, file, group)
    edges = parts.get("edges", Scalar(1, ""))
    for item in [edges] if isinstance(edges, Fields) else file.items(edges, "edges"):
        if not isinstance(item, Fields):
            raise file.fail(item, repr(getattr(item, "text", "a list")), "edges: a.0 -> b.0: {...}")
        for key, value in item.entries:
            _edge(network, file, key, value)
    for number, ends, weight in plain:
        network.edge(number, ends, network.number(number, f"weight {weight}", weight))


def _edge_lines(lines: list[str]) -> Iterator[int]:
    """Yield the lines that begin an item of ``edges`` of ``network``, whatever else looks like one.

    Only items as far to the left as the first one: what is deeper belongs to another item.
    """
    child: int | None = None  # columns before the fields of the network
    item: int | None = None  # and before the items of its edges
    in_network = in_edges = False
    for number, line in enumerate(lines):
        text = line.lstrip(" ")
        if not text or text.startswith("#"):
            continue
        columns = len(line) - len(text)
        if columns == 0 and not text.startswith("-"):
            in_network, in_edges, child = _KEY["network"].match(text) is not None, False, None
        elif in_network and child is None:
            child = columns
        if child is None:
            continue
        if columns == child and _KEY["edges"].match(text):
            in_edges, item = True, None
        elif in_edges and text.startswith("-") and item in (None, columns):
            item = columns
            yield number
        elif columns <= child:
            in_edges = False


def _group(network: SanafeNetwork, file: YamlFile, node: Node) -> None:
    """Read a group: its name, its neurons, and the attributes that all of them have."""
    parts = file.fields(node, "a group")
    name = file.text(parts.get("name", Scalar(node.line, "")), "a group's name")
    if name in network.size or "." in name or " " in name:
        raise file.fail(node, repr(name), "groups of different names without a point or blank")
    shared = file.fields(parts["attributes"], "attributes") if "attributes" in parts else {}
    size = file.whole(parts["size"], "size") if "size" in parts else None
    listed: dict[int, dict[str, Node]] = {}
    told = 0
    neurons = parts.get("neurons", Scalar(node.line, ""))
    for item in [neurons] if isinstance(neurons, Fields) else file.items(neurons, "neurons"):
        entries = item.entries if isinstance(item, Fields) else [(item, Scalar(item.line, ""))]
        for key, value in entries:
            text = file.text(key, "a neuron's number, or a range 0..9")
            match = _RANGE.fullmatch(text)
            if match is None:
                raise file.fail(key, repr(text[:60]), "a neuron's number, or a range 0..9")
            first, last = int(match[1]), int(match[2] or match[1])
            told += max(0, last - first) + 1
            highest = max(last + 1, told)
            refuse_wide_numbers(str(network.path), f"line {key.line}", highest, len(listed) + 1)
            own = file.fields(value, f"neuron {text}")
            for neuron in range(first, last + 1):
                if size is None and neuron in listed:
                    raise file.fail(key, f"neuron {neuron} a second time", "each neuron once")
                listed[neuron] = own
    last = max(listed, default=-1)
    count = last + 1 if size is None else size
    if last >= count or (size is None and len(listed) < count):
        missing = next((n for n in range(count) if n not in listed), last)
        raise file.fail(node, f"group {name!r} without neuron {missing}", f"neurons 0..{count - 1}")
    refuse_wide_numbers(str(network.path), f"line {node.line}", count, len(listed))
    network.size[name] = count
    if shared or any(listed.values()):
        for neuron in range(count):
            _attributes(network, file, (name, neuron), shared | listed.get(neuron, {}))


def _attributes(
    network: SanafeNetwork, file: YamlFile, neuron: tuple[str, int], attributes: dict[str, Node]
) -> None:
    """Keep a neuron's bias and spike train."""
    inner = file.fields(attributes["soma"], "soma") if "soma" in attributes else {}
    for name, value in (attributes | inner).items():
        if name == "bias" and file.real(value, "bias"):
            network.biased.add(neuron)
        if name == "spikes":
            train = [file.whole(item, "spikes", 0, 1) for item in file.items(value, "spikes")]
            network.trains[neuron] = sum(train)


def _edge(network: SanafeNetwork, file: YamlFile, key: Scalar, value: Node) -> None:
    attributes = file.fields(value, f"edge {key.text[:40]}")
    given = [attributes[name] for name in ("weight", "w") if name in attributes]
    if "synapse" in attributes:
        inner = file.fields(attributes["synapse"], "synapse")
        given += [inner[name] for name in ("weight", "w") if name in inner]
    if len(given) > 1:
        raise file.fail(given[1], "a second weight", f"one weight of {key.text[:40]}")
    match = EDGE.fullmatch(key.text.strip())
    if match is not None and "type" not in attributes:
        weight = file.real(given[0], "weight") if given else None
        network.edge(key.line, (match[1], match[2], match[3], match[4]), weight)
        return
    groups = _GROUPS.fullmatch(key.text.strip())
    if groups is None or groups[1] not in network.size or groups[2] not in network.size:
        expected = "an edge between neurons, group.0 -> group.1, or between groups before it"
        raise file.fail(key, repr(key.text[:60]), expected)
    kinds = {"dense": _dense, "sparse": _sparse, "conv2d": _convolution}
    kind = file.text(attributes.get("type", Scalar(key.line, "")), "type: dense, sparse or conv2d")
    if kind not in kinds:
        raise file.fail(key, f"type {kind!r}", "type: dense, sparse or conv2d")
    sizes = network.size[groups[1]], network.size[groups[2]]
    i, j, place = kinds[kind](file, key, attributes, sizes)
    values = None
    if given:
        listed = file.items(given[0], "weight")
        needed = int(place.max(initial=-1)) + 1
        if len(listed) != needed:
            expected = f"{needed}, one a {'filter entry' if kind == 'conv2d' else 'synapse'}"
            raise file.fail(given[0], f"{len(listed)} weights of {key.text[:40]}", expected)
        values = np.array([file.real(item, "weight") for item in listed])[place]
    network.blocks.append((groups[1], i, groups[2], j, values))


Block = tuple[IntArray, IntArray, IntArray]


def _refuse_many(file: YamlFile, key: Scalar, count: int) -> None:
    most = MAX_GROUP_SYNAPSES + PER_BYTE * file.path.stat().st_size
    if count > most:
        raise file.fail(key, f"{count} synapses", f"at most {most} for a file of its size")


def _dense(
    file: YamlFile, key: Scalar, attributes: dict[str, Node], sizes: tuple[int, int]
) -> Block:
    """Return every pair of neurons of two groups; weights are listed source by source."""
    _refuse_many(file, key, sizes[0] * sizes[1])
    i, j = np.divmod(np.arange(sizes[0] * sizes[1], dtype=np.int64), max(1, sizes[1]))
    return i, j, np.arange(len(i))


def _sparse(
    file: YamlFile, key: Scalar, attributes: dict[str, Node], sizes: tuple[int, int]
) -> Block:
    """Return the pairs of neurons that are listed, one weight each."""
    expected = "source_target_pairs: [[0, 0], ...]"
    pairs = []
    for pair in file.items(attributes.get("source_target_pairs", Scalar(key.line, "")), expected):
        ends = file.items(pair, expected)
        if len(ends) != 2:
            raise file.fail(pair, f"{len(ends)} numbers", expected)
        pairs.append(
            [file.whole(end, expected, 0, n - 1) for end, n in zip(ends, sizes, strict=True)]
        )
    if not pairs:
        raise file.fail(key, "no pair", expected)
    ends_of = np.array(pairs, dtype=np.int64)
    return ends_of[:, 0], ends_of[:, 1], np.arange(len(pairs))


def _convolution(
    file: YamlFile, key: Scalar, attributes: dict[str, Node], sizes: tuple[int, int]
) -> Block:
    """Return the synapses of a convolution without padding, map by map on both sides."""

    def side(*names: str, default: int | None = None) -> int:
        found = [name for name in names if name in attributes]
        if not found and default is not None:
            return default
        if len(found) != 1:
            raise file.fail(key, f"{len(found)} of {' and '.join(names)}", f"one {names[0]}")
        return file.whole(attributes[found[0]], found[0], 1, 2**20)

    height, width, maps = side("input_height"), side("input_width"), side("input_channels")
    rows, columns = side("kernel_height", "filter_height"), side("kernel_width", "filter_width")
    kernels = side("kernel_count", "filters", "filter_count")
    down, across = side("stride_height", default=1), side("stride_width", default=1)
    high, wide = (height - rows) // down + 1, (width - columns) // across + 1
    if rows > height or columns > width or (maps * height * width, kernels * high * wide) != sizes:
        found = f"{maps} x {height} x {width} to {kernels} x {high} x {wide}"
        raise file.fail(key, found, f"groups of {sizes[0]} and {sizes[1]} neurons")
    _refuse_many(file, key, kernels * high * wide * maps * rows * columns)
    o, y, x, c, a, b = (
        axis.reshape(-1)
        for axis in np.indices((kernels, high, wide, maps, rows, columns), dtype=np.int64)
    )
    source = (c * height + y * down + a) * width + x * across + b
    target = (o * high + y) * wide + x
    return source, target, ((a * columns + b) * maps + c) * kernels + o
