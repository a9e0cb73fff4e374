"""The netlist of SANA-FE's first version: a line a group, neuron, edge or place.

Attributes are words ``name=value``, or fields between brackets, as its second version allows too.
"""

from __future__ import annotations

import re

from optmap.readers.file_limits import refuse_wide_numbers
from optmap.readers.sanafe_network import EDGE, SanafeNetwork
from optmap.readers.yaml_tree import Scalar, parse_yaml


def read_netlist(network: SanafeNetwork, lines: list[str]) -> None:
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
            bias = _attributes(network, number, rest.partition(size)[2]).get("bias")
            if bias is not None and network.number(number, line, bias):
                network.biased |= {(name, neuron) for neuron in range(int(size))}
        elif kind == "n":
            name, attributes = (*rest.split(None, 1), "", "")[:2]
            group, _, neuron = name.partition(".")
            if group not in network.size or not (neuron.isascii() and neuron.isdigit()):
                raise network.fail(number, line, "n GROUP.NEURON attributes")
            if int(neuron) >= network.size[group]:
                raise network.fail(number, line, f"a neuron below {network.size[group]}")
            bias = _attributes(network, number, attributes).get("bias")
            if bias is not None:
                network.biased.discard((group, int(neuron)))
                if network.number(number, line, bias):
                    network.biased.add((group, int(neuron)))
        elif kind == "e":
            match = EDGE.match(rest)
            if match is None or not re.match(r"\s|$", rest[match.end() :]):
                raise network.fail(number, line, "an edge between neurons, e 0.0->1.0 weight=1")
            given = _attributes(network, number, rest[match.end() :])
            weights = [given[name] for name in ("weight", "w") if name in given]
            if len(weights) > 1:
                raise network.fail(number, line, "one weight")
            value = network.number(number, line, weights[0]) if weights else None
            network.edge(number, (match[1], match[2], match[3], match[4]), value)
        else:
            raise network.fail(number, line, "lines of g, n, e or &")


def _attributes(network: SanafeNetwork, number: int, text: str) -> dict[str, str]:
    """Return the attributes at the end of a line: name=value words, or the fields of { } or [ ]."""
    text = text.strip()
    found: dict[str, str] = {}
    if not text.startswith(("{", "[")):
        for word in text.split():
            name, equals, value = word.partition("=")
            if not equals or name in found:
                raise network.fail(number, text, f"one {name}" if equals else "name=value")
            found[name] = value
        return found
    file = parse_yaml(network.path, "\n" * (number - 1) + text, "attributes: {name: value}")
    fields = file.fields(file.root, "attributes")
    for unit in ("synapse", "dendrite", "soma"):
        if unit in fields:
            for key, node in file.fields(fields.pop(unit), unit).items():
                if fields.setdefault(key, node) is not node:
                    raise file.fail(node, f"{key!r} a second time", f"one {key}")
    return {key: node.text for key, node in fields.items() if isinstance(node, Scalar)}
