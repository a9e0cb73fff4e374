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
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

import numpy as np
import numpy.typing as npt

from optmap.errors import InputError
from optmap.model.snn import SNN, IntArray, Population, from_edges
from optmap.readers.file_limits import refuse_wide_numbers
from optmap.readers.text import read_text
from optmap.readers.yaml_tree import Fields, Node, Scalar, YamlFile, parse_yaml

EXPECTED = "a SANA-FE network: groups, neurons, edges"
LEFT_OUT = "attributes other than weight, bias and spikes, and mappings onto cores, are left out"
_EDGE = re.compile(r"([^\s.]+)\.([0-9]{1,9})\s*->\s*([^\s.]+)\.([0-9]{1,9})")
_GROUPS = re.compile(r"([^\s.]+)\s*->\s*([^\s.]+)")
_RANGE = re.compile(r"([0-9]{1,9})(?:\.\.([0-9]{1,9}))?")
_WEIGHT = re.compile(r"(?:^|\s)(?:weight|w)=(\S+)")
_BIAS = re.compile(r"(?:^|\s)bias=(\S+)")
#: One edge on a line of its own, as long lists of them are written; read without the YAML parser.
_PLAIN_EDGE = re.compile(
    r"(?m)^[ \t]*-[ \t]+([^\s.#\"'{\[]+)\.([0-9]{1,9})[ \t]*->[ \t]*([^\s.#]+)\.([0-9]{1,9})[ \t]*:"
    r"[ \t]*[{\[][ \t]*(?:weight|w)[ \t]*:[ \t]*([^\s,}\]]+)[ \t]*[}\]][ \t]*$"
)
#: Synapses that whole groups may have, and how many more a byte of the file.
MAX_GROUP_SYNAPSES = 20_000_000
PER_BYTE = 4


@dataclass
class _Network:
    """What has been read so far; edges as (source group, neuron, target group, neuron)."""

    path: Path
    size: dict[str, int] = field(default_factory=dict)
    edges: list[tuple[str, int, str, int]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    blocks: list[tuple[str, IntArray, str, IntArray, npt.NDArray[np.float64] | None]] = field(
        default_factory=list
    )
    biased: set[tuple[str, int]] = field(default_factory=set)
    trains: dict[tuple[str, int], int] = field(default_factory=dict)

    def fail(self, line: int, text: str, expected: str = EXPECTED) -> InputError:
        return InputError(str(self.path), f"line {line}", repr(text.strip()[:60]), expected)

    def number(self, line: int, text: str, found: str) -> float:
        try:
            value = float(found)
        except ValueError:
            value = float("nan")
        if not isfinite(value):
            raise self.fail(line, text, "finite numbers")
        return value

    def edge(self, line: int, ends: tuple[str, str, str, str], weight: float | None) -> None:
        """Add an edge between neurons of groups that are known."""
        source, i, target, j = ends[0], int(ends[1]), ends[2], int(ends[3])
        for group, neuron in ((source, i), (target, j)):
            if neuron >= self.size.get(group, 0):
                raise self.fail(line, f"{group}.{neuron}", "a neuron of a group before it")
        self.edges.append((source, i, target, j))
        self.weights.append(float("nan") if weight is None else weight)

    def snn(self, keep_zero_weights: bool) -> SNN:
        """Return the network, groups in their order."""
        ends = np.cumsum([0, *self.size.values()])
        first = dict(zip(self.size, ends.tolist(), strict=False))
        total = int(ends[-1])
        populations = [
            Population(group, first[group], first[group] + size - 1)
            for group, size in self.size.items()
            if size
        ]
        pre, post, weight = self._synapses(first)
        if not len(pre):
            raise InputError(str(self.path), "", "no edge", EXPECTED)
        refuse_wide_numbers(str(self.path), "neurons", total, len(pre))
        known = not np.isnan(weight).any() and weight.any()
        driven = np.zeros(total, dtype=np.bool_)
        driven[[first[group] + neuron for group, neuron in self.biased]] = True
        notes = [LEFT_OUT]
        spikes, origin = None, None
        if self.trains and len(self.trains) == total:
            spikes = np.zeros(total, dtype=np.int64)
            for (group, neuron), count in self.trains.items():
                spikes[first[group] + neuron] = count
            origin = "spike trains of the file"
        elif self.trains:
            notes.append(f"spike trains of {len(self.trains)} of {total} neurons are left out")
        snn = from_edges(
            pre, post, total, weights=weight if known else None, populations=populations,
            spikes=spikes, spikes_origin=origin, keep_zero_weights=keep_zero_weights,
        )  # fmt: skip
        alone = np.flatnonzero(driven & (snn.fan_in == 0))
        return SNN(
            snn.indptr,
            snn.indices,
            snn.spikes,
            snn.populations,
            snn.weights,
            snn.spikes_origin,
            self_driven=alone.astype(np.int32),
            notes=tuple(notes),
        )

    def _synapses(
        self, first: dict[str, int]
    ) -> tuple[IntArray, IntArray, npt.NDArray[np.float64]]:
        """Return pre, post and weight of every synapse; the weight is NaN where none is given."""
        pre = [np.array([first[s] + i for s, i, _, _ in self.edges], dtype=np.int64)]
        post = [np.array([first[t] + j for _, _, t, j in self.edges], dtype=np.int64)]
        weight = [np.array(self.weights, dtype=np.float64)]
        for source, i, target, j, values in self.blocks:
            pre.append(first[source] + i)
            post.append(first[target] + j)
            weight.append(np.full(len(i), np.nan) if values is None else values)
        return np.concatenate(pre), np.concatenate(post), np.concatenate(weight)


def read_sanafe(path: Path, *, keep_zero_weights: bool = False) -> SNN:
    """Read a SANA-FE network, ``.yaml`` or ``.net``.

    Raises
    ------
    InputError
        If a line is no group, neuron or edge that is understood, naming it.
    """
    text = read_text(path, EXPECTED)
    network = _Network(path)
    if re.search(r"(?m)^[\"']?(network|architecture)[\"']?[ \t]*:", text):
        _read_yaml(network, text)
    else:
        lines = [line.partition("#")[0].rstrip() for line in text.splitlines()]
        _read_netlist(network, lines)
    return network.snn(keep_zero_weights)


# --- YAML ---


def _read_yaml(network: _Network, text: str) -> None:
    plain: list[tuple[int, tuple[str, str, str, str], str]] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        match = _PLAIN_EDGE.match(line)
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


def _group(network: _Network, file: YamlFile, node: Node) -> None:
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
    network: _Network, file: YamlFile, neuron: tuple[str, int], attributes: dict[str, Node]
) -> None:
    """Keep a neuron's bias and spike train."""
    inner = file.fields(attributes["soma"], "soma") if "soma" in attributes else {}
    for name, value in (attributes | inner).items():
        if name == "bias" and file.real(value, "bias"):
            network.biased.add(neuron)
        if name == "spikes":
            train = [file.whole(item, "spikes", 0, 1) for item in file.items(value, "spikes")]
            network.trains[neuron] = sum(train)


def _edge(network: _Network, file: YamlFile, key: Scalar, value: Node) -> None:
    attributes = file.fields(value, f"edge {key.text[:40]}")
    given = [attributes[name] for name in ("weight", "w") if name in attributes]
    if "synapse" in attributes:
        inner = file.fields(attributes["synapse"], "synapse")
        given += [inner[name] for name in ("weight", "w") if name in inner]
    if len(given) > 1:
        raise file.fail(given[1], "a second weight", f"one weight of {key.text[:40]}")
    match = _EDGE.fullmatch(key.text.strip())
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


# --- netlist ---


def _read_netlist(network: _Network, lines: list[str]) -> None:
    """Read lines of ``g`` (a group), ``n`` (a neuron), ``e`` (an edge); ``&`` places a neuron."""
    for number, line in enumerate(lines, start=1):
        kind, rest = (*line.split(None, 1), "", "")[:2]
        if not kind or kind == "&":
            continue
        if kind == "g":
            size = rest.split(None, 1)[0] if rest else ""
            if not (size.isascii() and size.isdigit() and len(size) < 10):
                raise network.fail(number, line, "g SIZE attributes")
            refuse_wide_numbers(str(network.path), f"line {number}", int(size), len(lines))
            name = str(len(network.size))
            network.size[name] = int(size)
            bias = _BIAS.search(rest)
            if bias is not None and network.number(number, line, bias[1]):
                network.biased |= {(name, neuron) for neuron in range(int(size))}
        elif kind == "n":
            name, _, attributes = rest.strip().partition(" ")
            group, _, neuron = name.partition(".")
            if group not in network.size or not (neuron.isascii() and neuron.isdigit()):
                raise network.fail(number, line, "n GROUP.NEURON attributes")
            if int(neuron) >= network.size[group]:
                raise network.fail(number, line, f"a neuron below {network.size[group]}")
            bias = _BIAS.search(attributes)
            if bias is not None:
                network.biased.discard((group, int(neuron)))
                if network.number(number, line, bias[1]):
                    network.biased.add((group, int(neuron)))
        elif kind == "e":
            match = _EDGE.match(rest)
            if match is None or not re.match(r"\s|$", rest[match.end() :]):
                raise network.fail(number, line, "an edge between neurons, e 0.0->1.0 weight=1")
            weight = _WEIGHT.search(rest[match.end() :])
            value = None if weight is None else network.number(number, line, weight[1])
            network.edge(number, (match[1], match[2], match[3], match[4]), value)
        else:
            raise network.fail(number, line, "lines of g, n, e or &")
