"""Graphs of other tools: GraphML, GML, networkx' edge list; adjacency lists of METIS and hMETIS.

An edge u -> v is a synapse that v reads; an undirected edge counts both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from optmap.errors import InputError
from optmap.model.snn import SNN, Population, from_edges
from optmap.readers.columns import direction_columns, type_word, weight_word
from optmap.readers.edge_list import EdgeList
from optmap.readers.file_limits import refuse_wide_numbers
from optmap.readers.in_memory import from_networkx
from optmap.readers.neuron_names import number_names
from optmap.readers.spike_scale import whole_counts
from optmap.readers.synapse_kinds import counts_both_ways, direction
from optmap.readers.text import read_text

#: networkx and scipy keep a graph as Python objects, some hundred bytes a character.
MAX_BYTES = 50_000_000
_SPIKES = ("spikes", "spike_count", "spike_frequency", "frequency", "firing_rate", "rate")

#: What networkx raises on damaged files.
DAMAGE = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError,
           OverflowError, SyntaxError, AssertionError)  # fmt: skip


def read_graphml(path: Path) -> EdgeList:
    """Read a GraphML file through networkx.

    Raises
    ------
    InputError
        If it is no GraphML, or declares entities.
    """
    import networkx as nx
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    text = graph_text(path, "a GraphML file")
    try:
        root = fromstring(text.encode(), forbid_dtd=True)
    except DefusedXmlException:
        found, expected = "a declaration of types or entities", "plain XML without declarations"
        raise InputError(str(path), "", found, expected) from None
    except SyntaxError as error:  # ParseError
        raise InputError(str(path), "", f"no XML ({error})", "a GraphML file") from None
    graphs = sum(e.tag.rpartition("}")[2] == "graph" for e in root.iter() if isinstance(e.tag, str))
    if graphs != 1:  # networkx would read the first alone
        found = f"{graphs} graphs, nested or one after the other"
        raise InputError(str(path), "", found, "a GraphML file of one graph")
    _refuse_undeclared(path, root)
    return _from_networkx(path, lambda: nx.parse_graphml(text, node_type=str), "a GraphML file")


def _refuse_undeclared(path: Path, root: Any) -> None:
    """Refuse edges of nodes that are not there; networkx would add them."""
    nodes: set[str | None] = set()
    ends: list[str | None] = []
    for element in root.iter():
        kind = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
        if kind == "node":
            nodes.add(element.get("id"))
        elif kind == "edge":
            ends += [element.get("source"), element.get("target")]
    missing = next((end for end in ends if end not in nodes), None)
    if missing is not None:
        raise InputError(str(path), "", f"an edge of node {missing[:40]!r}", "nodes of the file")


def read_gml(path: Path) -> EdgeList:
    """Read a GML file through networkx.

    Raises
    ------
    InputError
        If it is no GML.
    """
    import networkx as nx

    text = graph_text(path, "a GML file")

    def parse() -> Any:
        try:
            return nx.parse_gml(text)
        except nx.NetworkXError as error:
            if "label" not in str(error):
                raise
            return nx.parse_gml(text, label="id")

    return _from_networkx(path, parse, "a GML file")


def read_networkx_edges(path: Path) -> EdgeList:
    """Read ``u v {attributes}``, as ``networkx.write_edgelist`` writes it; u drives v.

    Raises
    ------
    InputError
        If a line is something else.
    """
    import networkx as nx

    expected = "lines of u v {attributes}"
    lines = graph_text(path, expected).splitlines()
    for number, line in enumerate(lines, start=1):
        bare = line.partition("#")[0].split()
        if bare and len(bare) < 2:
            raise InputError(str(path), f"line {number}", repr(line[:40]), expected)

    def parse() -> Any:
        read = nx.parse_edgelist(lines, create_using=nx.MultiDiGraph)
        number, names, notes = number_names(str(path), list(read.nodes))
        turned = nx.MultiDiGraph()
        turned.add_nodes_from(names)
        called = dict(zip(read.nodes, (names[i] for i in number.tolist()), strict=True))
        turned.add_edges_from((called[u], called[v], data) for u, v, data in read.edges(data=True))
        turned.graph["notes"] = ["every line is read as: the first drives the second", *notes]
        return turned

    return _from_networkx(path, parse, expected)


def graph_text(path: Path, expected: str) -> str:
    """Return the text of a file that is kept as Python objects.

    Raises
    ------
    InputError
        If it is no text, or larger than MAX_BYTES.
    """
    if path.is_file() and path.stat().st_size > MAX_BYTES:
        found = f"{path.stat().st_size} bytes"
        raise InputError(str(path), "", found, f"at most {MAX_BYTES}; larger lists as .npz")
    return read_text(path, expected)


def _from_networkx(path: Path, parse: Callable[[], Any], expected: str) -> EdgeList:
    """Return the network of a graph that ``parse`` returns."""
    import networkx as nx

    try:
        graph = parse()
        for of, rows in (("edge", graph.edges(data=True)), ("node", graph.nodes(data=True))):
            for name, value in graph.graph.get(f"{of}_default", {}).items():  # GraphML's <default>
                for *_, data in rows:
                    data.setdefault(name, value)
        notes = list(graph.graph.get("notes", []))
        graph = _turned_both_ways(path, graph, notes)
        weight, left = _weight_attribute(graph)
        spikes, scale = _scaled_spikes(graph, notes)
        snn, neuron = from_networkx(graph, weight=weight, spikes=spikes)
        if scale:
            snn = snn.with_spikes(snn.spikes, f"{snn.spikes_origin} {scale}")
    except InputError:
        raise
    except (nx.NetworkXException, *DAMAGE) as error:
        text = str(error).split("\n", maxsplit=1)[0] or type(error).__name__
        raise InputError(str(path), "", f"no readable graph ({text[:200]})", expected) from None
    if not graph.is_directed() and graph.number_of_edges():
        notes.append("undirected edges count both ways")
    if weight is not None and weight != "weight":
        notes.append(f"edge attribute {weight!r} is the weight")
    return EdgeList(snn.with_notes(*notes, *left), tuple(map(_name, neuron)))


def _turned_both_ways(path: Path, graph: Any, notes: list[str]) -> Any:
    """Return the graph with the other direction of edges whose attributes say both ways."""
    import networkx as nx

    both = []
    for u, v, data in graph.edges(data=True):
        ways = set()
        for name, value in data.items():
            found = direction_columns([str(name)])
            way = direction(str(value), found[0].yes) if found else 1
            if way is None or way < 0 or (way > 0 and found and not graph.is_directed()):
                graph_is = "directed" if graph.is_directed() else "undirected"
                text = f"edge attribute {name} = {str(value)[:40]!r} in {graph_is} graph"
                raise InputError(str(path), "", text, "edges as the graph says")
            kind = type_word(str(name)) and counts_both_ways(str(value))
            ways.add(0 if kind else way)
        if 0 in ways and u != v and graph.is_directed():
            both.append((u, v, dict(data)))
    if not both:
        return graph
    listed = {(u, v) for u, v, _ in both}
    turned = nx.MultiDiGraph(graph)
    turned.add_edges_from((v, u, data) for u, v, data in both if (v, u) not in listed)
    notes.append(f"{len(both)} edges count both ways, as their attributes say")
    return turned


def _scaled_spikes(graph: Any, notes: list[str]) -> tuple[str | None, str]:
    """Return the node attribute with the spikes, made whole, and by what it was multiplied."""
    nodes = graph.nodes(data=True)
    spikes = next((name for name in _SPIKES if _on_all(nodes, name)), None)
    if spikes is None:
        partly = next((name for name in _SPIKES if any(name in data for _, data in nodes)), None)
        if partly is not None:
            having = sum(partly in data for _, data in nodes)
            notes.append(f"node attribute {partly!r} left out: on {having} of {len(nodes)} nodes")
        return None, ""
    values = np.array([float(data[spikes]) for _, data in nodes])
    if not np.isfinite(values).all() or values.min() < 0:
        raise ValueError(f"{spikes!r} of some node below 0 or not finite")
    counts, scale = whole_counts(values, None, rounds=True)
    for (_, data), count in zip(nodes, counts.tolist(), strict=True):
        data[spikes] = count
    return spikes, scale


def _weight_attribute(graph: Any) -> tuple[str | None, list[str]]:
    """Return the edge attribute that is the weight, and what to say of those left out."""
    found = {name for _, _, data in graph.edges(data=True) for name in data}
    named = sorted((name for name in found if weight_word(str(name))), key=str)
    weight = next((name for name in ("weight", "weights", "w") if name in named), None)
    if weight is None and named:
        weight = named[0] if len(named) == 1 else None
    rows = [data for _, _, data in graph.edges(data=True)]
    having = sum(weight in row for row in rows)
    left = sorted(found - {weight})
    notes = ["edge attributes left out: " + ", ".join(map(_name, left))] if left else []
    if weight is not None and having < len(rows):
        return None, [*notes, f"weights left out: on {having} of {len(rows)} edges only"]
    return weight, notes


def _on_all(nodes: Any, name: str) -> bool:
    return len(nodes) > 0 and all(name in data for _, data in nodes)


def _name(node: Hashable) -> str:
    return str(node)


def read_metis(path: Path) -> SNN:
    """Read a METIS graph: line i lists the neighbours of vertex i, counted from 1.

    Every edge stands in both its vertices' lines and counts both ways.

    Raises
    ------
    InputError
        If the lists do not match the numbers in the first line, or each other.
    """
    expected = "METIS: vertices, edges, then a line of other vertices a vertex, from 1, each once"
    header, lines = _numbered_lines(path, expected, keep_empty=True)
    count, edges, *more = header
    form = f"{more[0]:03d}" if more else "000"
    constraints = more[1] if len(more) > 1 else int(form[1])
    if len(more) > 2 or set(form) - {"0", "1"} or len(form) > 3 or (constraints and form[1] == "0"):
        raise InputError(str(path), "line 1", " ".join(map(str, header)), expected)
    while len(lines) > count and not lines[-1][1]:
        lines.pop()
    if len(lines) != count:
        raise InputError(str(path), "", f"{len(lines)} lists for {count} vertices", expected)
    skip = int(form[0]) + constraints
    step = 2 if form[2] == "1" else 1
    pairs: dict[tuple[int, int], float] = {}
    for vertex, (line, numbers) in enumerate(lines):
        neighbours = numbers[skip:]
        if len(neighbours) % step:
            raise InputError(str(path), f"line {line}", f"{len(neighbours)} numbers", expected)
        for at in range(0, len(neighbours), step):
            other = neighbours[at] - 1
            if not 0 <= other < count:
                found = f"neighbour {other + 1}"
                raise InputError(str(path), f"line {line}", found, f"vertices 1..{count}")
            if other == vertex or (vertex, other) in pairs:
                found = f"neighbour {other + 1} of vertex {vertex + 1}"
                raise InputError(str(path), f"line {line}", found, expected)
            pairs[vertex, other] = float(neighbours[at + 1]) if step == 2 else 1.0
    one_way = next(((a, b) for a, b in pairs if pairs.get((b, a)) != pairs[a, b]), None)
    if one_way is not None:
        a, b = one_way
        found = f"vertex {b + 1} among the neighbours of {a + 1}, not the other way round"
        raise InputError(str(path), "", found, expected)
    if len(pairs) != 2 * edges:
        raise InputError(str(path), "", f"{len(pairs)} neighbours for {edges} edges", expected)
    notes = ["undirected edges count both ways"]
    if skip:
        notes.append("weights of vertices are left out")
    return from_edges(
        np.array([a for a, _ in pairs], dtype=np.int64),
        np.array([b for _, b in pairs], dtype=np.int64),
        count,
        weights=list(pairs.values()) if step == 2 else None,
        populations=[Population("neurons", 0, count - 1)] if count else [],
        notes=notes,
    )


def read_hmetis(path: Path, *, asked: bool) -> SNN:
    """Read an hMETIS hypergraph, the first pin of every line as the source of the others.

    The format itself has no directions, so that this must be asked for.

    Raises
    ------
    InputError
        If it was not ``asked`` for, or the lines do not match the numbers in the first.
    """
    expected = "hMETIS: hyperedges, vertices, then a line of vertices a hyperedge, from 1"
    header, lines = _numbered_lines(path, expected, keep_empty=False)
    edges, count, *more = header
    if not asked:
        found = "an hMETIS hypergraph, which has no directions"
        raise InputError(str(path), "", found, "--format hmetis: the first pin drives the others")
    form = more[0] if more else 0
    if len(more) > 1 or form not in (0, 1, 10, 11):
        raise InputError(str(path), "line 1", " ".join(map(str, header)), expected)
    wanted = edges + (count if form >= 10 else 0)
    if len(lines) != wanted:
        raise InputError(str(path), "", f"{len(lines)} lines", f"{wanted} lines after the first")
    refuse_wide_numbers(str(path), "vertices", count, sum(len(pins) for _, pins in lines))
    pre: list[int] = []
    post: list[int] = []
    for line, numbers in lines[:edges]:
        pins = numbers[form % 10 :]
        if not pins or min(pins) < 1 or max(pins) > count:
            raise InputError(str(path), f"line {line}", "a vertex outside", f"1..{count}")
        if len(set(pins)) < len(pins):
            raise InputError(str(path), f"line {line}", "a vertex twice", "each vertex once")
        pre += [pins[0] - 1] * (len(pins) - 1)
        post += [pin - 1 for pin in pins[1:]]
    notes = ["the first pin of every hyperedge is read as its source"]
    if form:
        notes.append("weights of hyperedges and vertices are left out")
    populations = [Population("neurons", 0, count - 1)] if count else []
    return from_edges(pre, post, count, populations=populations, notes=notes)


def _numbered_lines(
    path: Path, expected: str, *, keep_empty: bool
) -> tuple[list[int], list[tuple[int, list[int]]]]:
    """Return the numbers of the first line and those of the others, with their line numbers."""
    rows: list[tuple[int, list[int]]] = []
    text = graph_text(path, expected)
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("%") or not (line.strip() or (keep_empty and rows)):
            continue
        rows.append((number, _whole_numbers(path, number, line.split(), expected)))
        if len(rows) == 1:  # before millions of empty lines are read one by one
            refuse_wide_numbers(str(path), "line 1", max(rows[0][1][:2]), len(text.split()))
    first = rows[0][1] if rows else []
    if len(first) < 2:
        raise InputError(str(path), "line 1", f"{len(first)} numbers", expected)
    refuse_wide_numbers(str(path), "line 1", max(first[:2]), sum(len(row) for _, row in rows))
    return first, rows[1:]


def _whole_numbers(path: Path, line: int, words: Sequence[str], expected: str) -> list[int]:
    if not all(word.isascii() and word.isdigit() and len(word) <= 15 for word in words):
        raise InputError(str(path), f"line {line}", repr(" ".join(words)[:40]), expected)
    return [int(word) for word in words]
