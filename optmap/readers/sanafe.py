"""SANA-FE networks: the YAML of its versions 2, and the netlist of its first.

Read are groups, neurons and edges between neurons, line by line as SANA-FE's own files are written;
attributes other than weight and bias are left out. A neuron that nothing drives is an input, unless
it has a bias: then it is self-driven. Where all weights are zero, as in exported connectivity, they
say nothing. Mappings onto cores are not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

import numpy as np

from optmap.errors import InputError
from optmap.model.snn import SNN, Population, from_edges
from optmap.readers.file_limits import refuse_wide_numbers
from optmap.readers.text import read_text

EXPECTED = "a SANA-FE network: groups, neurons, edges"
_EDGE = re.compile(r"([^\s.]+)\.([0-9]{1,9})\s*->\s*([^\s.]+)\.([0-9]{1,9})")
_RANGE = re.compile(r"([0-9]{1,9})(?:\.\.([0-9]{1,9}))?")
_WEIGHT = re.compile(r"(?:^|[\s,{\[])(?:weight|w)\s*[:=]\s*([^\s,}\]]+)")
_BIAS = re.compile(r"(?:^|[\s,{\[])bias\s*[:=]\s*([^\s,}\]]+)")


@dataclass
class _Network:
    """What has been read so far."""

    path: Path
    size: dict[str, int] = field(default_factory=dict)
    edges: list[tuple[str, int, str, int, float | None]] = field(default_factory=list)
    biased: set[tuple[str, int]] = field(default_factory=set)

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

    def edge(self, line: int, text: str) -> None:
        """Add the edge of a line, with its weight if it has one."""
        match = _EDGE.search(text)
        if match is None:
            raise self.fail(line, text, "an edge between neurons, group.0 -> group.1")
        source, i, target, j = match[1], int(match[2]), match[3], int(match[4])
        for group, neuron in ((source, i), (target, j)):
            if neuron >= self.size.get(group, 0):
                raise self.fail(line, f"{group}.{neuron}", "a neuron of a group before it")
        weight = _WEIGHT.search(text[match.end() :])
        value = None if weight is None else self.number(line, text, weight[1])
        self.edges.append((source, i, target, j, value))

    def neurons(self, line: int, group: str, text: str, attributes: str) -> None:
        """Add the neuron, or the run of neurons, of a line."""
        match = _RANGE.fullmatch(text.strip())
        if match is None:
            raise self.fail(line, text, "a neuron's number, or a range 0..9")
        first, last = int(match[1]), int(match[2] or match[1])
        refuse_wide_numbers(str(self.path), f"line {line}", last + 1, 1)
        self.size[group] = max(self.size[group], last + 1)
        bias = _BIAS.search(attributes)
        if bias is not None and self.number(line, attributes, bias[1]):
            self.biased |= {(group, neuron) for neuron in range(first, last + 1)}

    def snn(self) -> SNN:
        """Return the network, groups in their order."""
        first: dict[str, int] = {}
        populations = []
        total = 0
        for group, size in self.size.items():
            first[group] = total
            if size:
                populations.append(Population(group, total, total + size - 1))
            total += size
        if not self.edges:
            raise InputError(str(self.path), "", "no edge", EXPECTED)
        refuse_wide_numbers(str(self.path), "neurons", total, len(self.edges))
        pre = np.array([first[s] + i for s, i, _, _, _ in self.edges], dtype=np.int64)
        post = np.array([first[t] + j for _, _, t, j, _ in self.edges], dtype=np.int64)
        given = [w for *_, w in self.edges]
        weights = None if None in given or not any(given) else [w or 0.0 for w in given]
        driven = np.zeros(total, dtype=np.bool_)
        driven[[first[group] + neuron for group, neuron in self.biased]] = True
        snn = from_edges(pre, post, total, weights=weights, populations=populations)
        alone = np.flatnonzero(driven & (snn.fan_in == 0))
        notes = ["attributes other than weight and bias, and mappings onto cores, are left out"]
        return SNN(
            snn.indptr,
            snn.indices,
            snn.spikes,
            snn.populations,
            snn.weights,
            self_driven=alone.astype(np.int32),
            notes=tuple(notes),
        )


def read_sanafe(path: Path) -> SNN:
    """Read a SANA-FE network, ``.yaml`` or ``.net``.

    Raises
    ------
    InputError
        If a line is no group, neuron or edge, naming it; edges between whole groups are refused.
    """
    lines = [line.partition("#")[0].rstrip() for line in read_text(path, EXPECTED).splitlines()]
    network = _Network(path)
    if any(line.startswith("network:") for line in lines):
        _read_yaml(network, lines)
    else:
        _read_netlist(network, lines)
    return network.snn()


def _read_yaml(network: _Network, lines: list[str]) -> None:
    """Walk through ``network:``; its lists are told apart by their keys and indents."""
    part, group, inside = "", "", False
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        if not line[0].isspace():
            inside = text == "network:"
            continue
        if not inside:
            continue
        key = text.removeprefix("- ").partition(":")[0].strip()
        if text in ("groups:", "neurons:", "edges:", "edges: []", "attributes:"):
            part = key
        elif part in ("groups", "neurons") and re.fullmatch(r"- name:\s*\S+", text):
            group = text.partition(":")[2].strip().strip("\"'")
            if group in network.size or "." in group:
                raise network.fail(number, text, "groups of different names without a point")
            network.size[group], part = 0, "groups"
        elif part == "neurons" and text.startswith("- ") and group:
            network.neurons(number, group, key, text.partition(":")[2])
        elif part == "edges" and text.startswith("- "):
            network.edge(number, text)
        elif part in ("neurons", "edges"):
            raise network.fail(number, text, "one neuron or edge a line, attributes in brackets")


def _read_netlist(network: _Network, lines: list[str]) -> None:
    """Read lines of ``g`` (a group), ``n`` (a neuron), ``e`` (an edge); ``&`` places a neuron."""
    for number, line in enumerate(lines, start=1):
        kind, _, rest = line.strip().partition(" ")
        if not kind or kind == "&":
            continue
        if kind == "g":
            size = rest.split(" ")[0]
            if not (size.isascii() and size.isdigit() and len(size) < 10):
                raise network.fail(number, line, "g SIZE attributes")
            network.size[str(len(network.size))] = int(size)
        elif kind == "n":
            name, _, attributes = rest.strip().partition(" ")
            group, _, neuron = name.partition(".")
            if group not in network.size or not neuron.isdigit():
                raise network.fail(number, line, "n GROUP.NEURON attributes")
            if int(neuron) >= network.size[group]:
                raise network.fail(number, line, f"a neuron below {network.size[group]}")
            network.neurons(number, group, neuron, attributes)
        elif kind == "e":
            network.edge(number, rest)
        else:
            raise network.fail(number, line, "lines of g, n, e or &")
