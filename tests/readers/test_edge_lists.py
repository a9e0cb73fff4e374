"""Edge lists of other tools: the header by meaning, or a refusal; never a header as a synapse."""

import csv
import io
import re
from math import isfinite
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from optmap.errors import InputError
from optmap.readers.columns import UnclearHeader, edge_columns
from optmap.readers.formats import FORMATS
from optmap.readers.options import read_options
from optmap.readers.read import read_network

ROOT = Path(__file__).parents[2]


def synapses(snn):
    return sorted(zip(snn.indices.tolist(), snn.post_of_synapse().tolist(), strict=True))


def written(folder: Path, text: str, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


HEADERS = {
    "pandas": ("source,target,weight", (0, 1, 2)),
    "pandas with index": (",source,target,weight", (1, 2, 3)),
    "Gephi": ("Source,Target,Type,Id,Label,Weight", (0, 1, 5)),
    "neuprint": ("bodyId_pre,bodyId_post,roi,weight", (0, 1, 3)),
    "neuprint types": ("type_pre,bodyId_pre,type_post,bodyId_post,weight", (1, 3, 4)),
    "CAVE": ("id,valid,pre_pt_supervoxel_id,pre_pt_root_id,post_pt_supervoxel_id,post_pt_root_id,"
             "pre_pt_position,post_pt_position,size", (3, 5, None)),
    "Codex": ("pre_root_id,post_root_id,neuropil,syn_count,nt_type", (0, 1, 3)),
    "FlyWire": ("Presynaptic ID,Postsynaptic ID,Connectivity", (0, 1, None)),
    "male CNS": ("body_pre,body_post,weight", (0, 1, 2)),
    "PyNN": ("i,j,weight,delay", (0, 1, 2)),
    "NEST": ("source,target,synapse_model,weight,delay,port", (0, 1, 3)),
    "SONATA": ("edge_type_id,source_node_id,target_node_id,nsyns,syn_weight", (1, 2, 4)),
    "Witvliet": ("pre,post,type,synapses", (0, 1, 3)),
    "Varshney": ("Neuron 1,Neuron 2,Type,Nbr", (0, 1, 3)),
    "c302": ("Origin,Target,Type,Number of Connections,Neurotransmitter", (0, 1, 3)),
    "BioGRID": ("Interactor_A,Interactor_B", (0, 1, None)),
    "networkx": ("u,v", (0, 1, None)),
    "small letters": ("preid,postid,w", (0, 1, 2)),
    "turned": ("w;neuron_to;neuron_from", (2, 1, 0)),
}  # fmt: skip


@pytest.mark.parametrize("tool", HEADERS)
def test_headers_of_tools_by_meaning(tool):
    header, (source, target, weight) = HEADERS[tool]
    found = edge_columns(re.split("[,;]", header))
    assert (found.source, found.target, found.weight) == (source, target, weight)


@pytest.mark.parametrize(
    "header",
    [
        "axon,dendrite", "x,y", "pre,pre,post", "pre_id,pre_node,post_id,post_node", "from,from",
        "source,target,weight,w", "pre_type,post_type", "source_name,target_id,x", "N1,M2", "a,b",
    ],
)  # fmt: skip
def test_words_that_do_not_tell_are_no_header(header):
    cells = header.split(",")
    if header == "source_name,target_id,x":
        found = edge_columns(cells)  # one of each: no doubt
        assert (found.source, found.target) == (0, 1)
        return
    with pytest.raises(UnclearHeader):
        edge_columns(cells)


@pytest.mark.parametrize(
    ("name", "text", "edges", "weights"),
    [
        ("a.csv", "i,j\n0,2\n1,2\n2,3\n", [(0, 2), (1, 2), (2, 3)], None),
        ("a.csv", "neuron_from;neuron_to;w\nA;B;1\nB;C;2\n", [(0, 1), (1, 2)], [1, 2]),
        ("a.csv", "Node1,Node2\nx,y\ny,z\n", [(0, 1), (1, 2)], None),
        ("a.txt", '# columns = ["i", "j", "weight"]\n0 1 5\n1 2 6\n', [(0, 1), (1, 2)], [5, 6]),
        ("a.txt", "# pre post weight\n0 1 5\n1 2 6\n", [(0, 1), (1, 2)], [5, 6]),
        ("a.csv", "0.0 1.0 5\n1.0 2.000e+00 6\n", [(0, 1), (1, 2)], [5, 6]),
        ("a.el", "10 20 1.5\n20 30 2\n", [(10, 20), (20, 30)], [1.5, 2]),
        ("a.csv", "src dst\nA B\nB C\n", [(0, 1), (1, 2)], None),
        ("a.edgelist", "0 1\n1 2\n", [(0, 1), (1, 2)], None),
        ("a.edges", "0 1 0.5\n1 2 2\n", [(0, 1), (1, 2)], [0.5, 2]),
        ("a.csv", "pre,post,delay\n7200000001,5\n", None, None),
        ("a.csv", "pre,post\n7200000001,5\n5,9000000000000000003\n", [(1, 0), (0, 2)], None),
        ("a.csv", "from\tto\tn_syn\nA,L\tB,R\t4\n", [(0, 1)], [4]),
        ("a.edgelist", "0 3 {'weight': 7}\n1 3 {'weight': 2}\n", [(0, 3), (1, 3)], [7, 2]),
        ("a.mtx", "%%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 1\n3 3\n",
         [(0, 1), (1, 0), (2, 2)], None),
        ("a.graph", "% four\n4 3 1\n2 5\n1 5 3 7\n2 7 4 9\n3 9\n",
         [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2)], [5, 5, 7, 7, 9, 9]),
        ("a.gml", 'graph [ node [ id 7 label "x" ] node [ id 3 label "y" ] '
         "edge [ source 7 target 3 ] ]", [(0, 1), (1, 0)], None),
    ],
)  # fmt: skip
def test_lists_and_graphs_of_other_tools(tmp_path, name, text, edges, weights):
    file = written(tmp_path, text, name)
    if edges is None:
        with pytest.raises(InputError, match="2 cells"):
            read_network(file)
        return
    snn = read_network(file)
    assert synapses(snn) == sorted(edges)
    assert (None if snn.weights is None else sorted(snn.weights.tolist())) == (
        None if weights is None else sorted(weights)
    )


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.csv", "axon,dendrite\n1,2\n2,3\n", "'axon', 'dendrite', which may be a header"),
        ("a.csv", "axon,dendrite\nA,B\nC,D\n", "which may be a header or a synapse"),
        ("a.csv", "0,1\nA,B\nB,C\n", "which may be a header or a synapse"),
        ("a.csv", "A,B\n", "which may be a header or a synapse"),
        ("a.csv", "neuron1,neuron2\nneuron2,neuron3\n", "names like it in the rows"),
        ("a.csv", "pre,post\npre,x\n", "names like it in the rows"),
        ("a.csv", "0,1,2.5,3\n", "4 cells"),
        ("a.csv", "axon,dendrite,colour,size\nA,B,red,large\n", "no words for source and target"),
        ("a.csv", "a;1,b;2\nc;1,d;2\n", "cut equally well"),
        ("a.txt", "0 1 2\n1 2 3\n", "--format edges or --format carlsim"),
        ("a.graph", "4 3\n2\n1 3\n2\n3\n", "not the other way round"),
        ("a.graph", "4 2\n2\n1 3\n2 4\n3\n", "for 2 edges"),
        ("a.hgr", "2 3\n1 2\n2 3\n", "--format hmetis"),
        ("a.mtx", "%%MatrixMarket matrix coordinate real general\n2 3 1\n1 1 1\n", "2 x 3"),
        ("a.mtx", "%%MatrixMarket matrix array real general\n90000 90000\n1\n", "entries in"),
        ("a.graphml", "<!DOCTYPE x [<!ENTITY a 'b'>]><graphml>&a;</graphml>", "declaration"),
        ("a.gml", "graph [ node [ id ", "no readable graph"),
        ("a.edgelist", "0 1 {'w': __import__('os')}\n", "no readable graph"),
        ("a.yml2", "hello: world\n", "the unknown suffix '.yml2', expected gen:NAME, or"),
        ("net", "\x01\x02", "no suffix, and no known beginning"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_refused_in_a_line(tmp_path, name, text, found):
    with pytest.raises(InputError) as caught:
        read_network(written(tmp_path, text, name))
    assert found in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("columns", "text", "edges", "weights"),
    [
        ("axon,dendrite", "axon,dendrite,x\n0,2,a\n1,2,b\n", [(0, 2), (1, 2)], None),
        ("2,1,3", "0,2,5\n1,2,6\n", [(2, 0), (2, 1)], [5, 6]),
        ("1,2", "A,B\nC,D\n", [(0, 1), (2, 3)], None),
        ("pre,post,-,weight", "A,B,x,4\n", [(0, 1)], [4]),
        ("post_id,pre_id", "id,pre_id,pre_node,post_id,post_node\n9,0,7,1,8\n", [(1, 0)], None),
        ("1,2", "source,target,w\n0,1,3\n", [(0, 1)], None),
    ],
)
def test_columns_can_be_told(tmp_path, columns, text, edges, weights):
    options = read_options({"columns": columns})
    snn = read_network(written(tmp_path, text), options=options)
    assert synapses(snn) == edges
    assert (None if snn.weights is None else snn.weights.tolist()) == weights


@pytest.mark.parametrize(
    ("columns", "text", "found"),
    [
        ("1,2", "axon,dendrite\n1,2\n", "may be a header or a synapse"),
        ("1,9", "0,1\n", "--columns 1,9"),
        ("1,1", "0,1\n", "--columns 1,1"),
        ("pre,post", "0,1,2\n", "the columns pre, post"),
        ("x,y", "0,1\n", "no words for source and target"),
    ],
)
def test_columns_that_are_not_there_are_refused(tmp_path, columns, text, found):
    with pytest.raises(InputError, match=found):
        read_network(written(tmp_path, text), options=read_options({"columns": columns}))


def test_notes_name_what_was_left_out(tmp_path):
    text = "pre,post,count,delay,roi,score\n71000000001,72000000002,3,1,LH,.5\n"
    snn = read_network(written(tmp_path, text))
    assert snn.notes == (
        "column 'count' is the weight",
        "column 'delay' is left out: delays do not count",
        "columns left out: roi, score",
        "numbers up to 72000000002 name 2 neurons, in ascending order",
    )
    (read,) = (f for f in FORMATS if f.name == "hmetis")
    hyper = written(tmp_path, "2 3\n1 2 3\n2 3\n", "a.hgr")
    snn = read.read(hyper, False, read_options({"format": "hmetis"})).snn
    assert synapses(snn) == [(0, 1), (0, 2), (1, 2)]


NAMES = st.sampled_from(["A1", "B7", "x", "AVAL", "n_3", "Z", "71234567890", "4", "12", "0"])
#: Names like words of a header: without one, a first row of them is one.
WORDS = st.sampled_from(["pre", "post", "source", "to", "weight", "x", "0"])
#: Pools of names that are drawn from together: ids as files have them, odd ones among them.
POOLS = [
    NAMES,
    st.integers(0, 30).map(str),
    st.integers(10**9, 10**17).map(str),
    st.sampled_from(["0.0", "1.0", "2.0", "3.0", "17.0"]),
    st.sampled_from(["0", "1", "2", "1e3", "2e3", "1000"]),
    st.sampled_from(["001", "002", "010", "1", "2"]),
    st.sampled_from(["1_0", "1_2", "10", "12", "x_1"]),
    st.sampled_from(["-1", "0", "1", "-2"]),
    st.sampled_from(["0", "1", "nan", "NaN", "NA", "", "3"]),
    st.sampled_from(["a b", "c,d", "e;f", "g", "h\ti", "1,000", "2.500"]),
    WORDS,
    st.sampled_from(["exc", "inh", "E", "I", "a", "b"]),
]
ROLES = {
    "source": ["source", "pre", "pre_id", "from", "bodyId_pre", "i", " PRE ", "Pre ID"],
    "target": ["target", "post", "post_id", "to", "bodyId_post", "j", "Post", "post [id]"],
    "weight": ["weight", "w", "count", "n_syn", "weight (nS)", "weight_nS", "Weight", "w"],
    "extra": ["roi", "score", "layer", "comment", "delay (ms)", "Unnamed: 0", "", "pre_name"],
}
WEIGHTS = st.one_of(
    st.integers(1, 99).map(str),
    st.sampled_from(["1.5", "2.5e0", "1e-2", "+3", "2,5", "1,000", "1.000", "", "nan", "4_0"]),
)


@st.composite
def lists(draw):
    """Return (text, rows, weighted) of a random list in a random dress; rows of texts."""
    kind = draw(st.integers(0, 7))
    roles = ["source", "target", *draw(st.sets(st.sampled_from(["weight", "extra"])))]
    roles = draw(st.permutations(roles))
    words = {r: ROLES[r][kind % len(ROLES[r])] for r in roles}
    mark = draw(st.sampled_from([",", ";", "\t", " "]))
    header = draw(st.booleans())
    names = draw(st.sampled_from(POOLS if header else [p for p in POOLS if p is not WORDS]))
    weights = draw(st.sampled_from([st.integers(1, 99).map(str), WEIGHTS]))
    rows = draw(st.lists(st.tuples(names, names, weights), min_size=1, max_size=8))
    if mark == " ":  # blanks cut names with blanks, and leave no empty cell
        assume(not any(" " in cell or "\t" in cell or not cell for row in rows for cell in row))
        words = {role: word.strip() or "x" for role, word in words.items()}
        assume(not header or not any(" " in words[role] for role in roles))
    if not header:  # an empty last column is a separator too many
        assume(any(weight for _, _, weight in rows))
        roles = ["source", "target", *(["weight"] if "weight" in roles else [])]
    table = [[words[r] for r in roles]] if header else []
    for n, (source, target, weight) in enumerate(rows):
        cell = {"source": source, "target": target, "weight": weight, "extra": f"q{n}"}
        table.append([cell[r] for r in roles])
    return dressed(draw, table, mark, header), rows, "weight" in roles


def dressed(draw, table, mark, header):
    """Return the text of a table: quoted or not, with remarks, ends and marks as tools leave it."""
    if mark != " " and draw(st.booleans()):
        quote = draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
        written = io.StringIO()
        csv.writer(written, delimiter=mark, quoting=quote, lineterminator="\n").writerows(table)
        lines = written.getvalue().splitlines()
    else:
        lines = [mark.join(row) for row in table]
    how = draw(st.sets(st.sampled_from(["bom", "crlf", "remark", "trailing", "space", "mixed",
                                        "side", "number"]), max_size=2))  # fmt: skip
    if "side" in how and header:  # without, nobody can tell
        lines = [mark.join(cells) for cells in zip(*table, strict=True)]
    if "number" in how and (header or len(lines) > 2):
        lines = [f"{n}{mark}{line}" for n, line in enumerate(lines)]
    if "trailing" in how:
        lines = [line + mark for line in lines]
    if "space" in how and mark != " ":
        lines = [line.replace(mark, mark + " ") for line in lines]
    if "mixed" in how:
        other = draw(st.sampled_from([",", ";", "\t", " "]))
        lines = [line.replace(mark, other, 1) if n % 2 else line for n, line in enumerate(lines)]
    if "remark" in how:
        lines.insert(
            draw(st.integers(0, len(lines))), draw(st.sampled_from(["# x", "% x", "// x"]))
        )
    end = "\r\n" if "crlf" in how else "\n"
    return ("\ufeff" if "bom" in how else "") + end.join(lines) + end


def meant(rows, weighted):
    """Return what the rows mean, or None where they mean nothing for certain.

    A weight that is no number is no weight; names that are whole numbers are these numbers.
    """
    edges: dict[tuple[str, str], float] = {}
    for source, target, weight in rows:
        ends = tuple(bare(name) for name in (source, target))
        if "" in ends:
            return None
        try:
            value = float(weight) if weighted and "_" not in weight else 1.0
        except ValueError:
            return None
        if not isfinite(value) or (weighted and "_" in weight):
            return None
        edges[ends] = edges.get(ends, 0.0) + value
    return edges if weighted else dict.fromkeys(edges, 1.0)


def bare(name):
    """Return a name without blanks; whole numbers (3.0, 001) as their digits."""
    name = name.strip()
    digits = name.removesuffix(".0").removeprefix("-")
    return str(int(float(name))) if digits.isdigit() and len(digits) < 10 else name


def one_line(error):
    assert len(str(error).splitlines()) == 1


def read_equals_written(folder, case):
    text, rows, weighted = case
    path = written(folder, text, "fuzz.csv")
    try:
        named = next(f for f in FORMATS if f.name == "edges").read(path, False, read_options({}))
    except InputError as error:
        one_line(error)
        return False
    snn, names = named.snn, named.names
    found = {}
    weights = snn.weights if snn.weights is not None else np.ones(snn.num_synapses)
    pairs = zip(snn.indices.tolist(), snn.post_of_synapse().tolist(), strict=True)
    for (pre, post), weight in zip(pairs, weights.tolist(), strict=True):
        found[names[pre], names[post]] = weight
    assert found == pytest.approx(meant(rows, weighted)), text
    return True


@given(case=lists())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_read_is_what_was_written(tmp_path, case):
    read_equals_written(tmp_path, case)


@pytest.mark.full
@given(case=lists())
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_read_is_what_was_written_many_times(tmp_path, case):
    read_equals_written(tmp_path, case)


def test_the_documentation_lists_every_format():
    text = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
    for f in FORMATS:
        assert (
            f"| `{f.name}` | {', '.join(f'`{s}`' if s[0] == '.' else s for s in f.suffixes)} |"
            in (text)
        ), f.name


@given(text=st.text(alphabet="01 ,;\t\nab{}[]:'%#.", max_size=60))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("kind", [f.name for f in FORMATS if f.name != "nir"])
def test_no_format_crashes_on_noise(tmp_path, kind, text):
    assume(text)
    try:
        read_network(written(tmp_path, text, "noise"), options=read_options({"format": kind}))
    except InputError as error:
        one_line(error)
