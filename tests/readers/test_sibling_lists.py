"""Edge lists and graphs as other tools write them: what is read is what is meant, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from optmap.errors import InputError
from optmap.readers.options import read_options
from optmap.readers.read import read_network

HEAD = '<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
GRAPHML = (
    HEAD + '<key id="d0" for="edge" attr.name="weight" attr.type="double"><default>1.0</default>'
    '</key><graph edgedefault="directed"><node id="n0"/><node id="n1"/>'
    '<edge source="n0" target="n1"/><edge source="n1" target="n0"><data key="d0">3</data></edge>'
    "</graph></graphml>"
)
MTX = "%%MatrixMarket matrix coordinate "
GML = "graph [\n node [ id 0 ]\n node [ id 1 ]\n edge [ source 0 target 1 weight 2 ]\n]\n"
CHAIN = {(0, 1): 2, (1, 2): 3}


def attributed(name: str, value: str, default: str = "directed") -> str:
    """Return GraphML of one edge that has an attribute."""
    key = f'<key id="k" for="edge" attr.name="{name}" attr.type="string"/>'
    edge = f'<edge source="a" target="b"><data key="k">{value}</data></edge>'
    nodes = f'<graph edgedefault="{default}"><node id="a"/><node id="b"/>'
    return f"{HEAD}{key}{nodes}{edge}</graph></graphml>"


#: name, text, {(pre, post): weight}; weights of 1 where the file has none.
READ = [
    ("reader_first.csv", "target,source,weight\n1,0,2\n2,0,3\n", {(0, 1): 2, (0, 2): 3}),
    ("weight_first.csv", "weight,pre,post\n2,0,1\n3,0,2\n", {(0, 1): 2, (0, 2): 3}),
    ("pandas_index.csv", ",pre,post,weight\n0,1,2,1.5\n1,1,0,2\n", {(1, 2): 1.5, (1, 0): 2}),
    ("other_column.csv", "pre,post,probability\n0,1,0.1\n0,2,0.4\n", {(0, 1): 1, (0, 2): 1}),
    ("sci.csv", "pre,post,weight\n0,1,1e-3\n0,2,-2E+1\n", {(0, 1): 0.001, (0, 2): -20}),
    ("twice.csv", "pre,post,weight\n0,1,2\n0,1,3\n", {(0, 1): 5}),
    ("floats.csv", "pre,post,weight\n0.0,1.0,2\n0.0,2.0,3\n", {(0, 1): 2, (0, 2): 3}),
    ("bom.csv", "\ufeffpre,post,weight\n0,1,2\n", {(0, 1): 2}),
    ("crlf.csv", "pre,post,weight\r\n0,1,2\r\n0,2,3\r\n", {(0, 1): 2, (0, 2): 3}),
    ("trailing.csv", "pre,post,weight,\n0,1,2,\n0,2,3,\n", {(0, 1): 2, (0, 2): 3}),
    (
        "nest.dat",
        "source target weight delay\n1 2 1.5 1.0\n1 0 2.5 1.0\n",
        {(1, 2): 1.5, (1, 0): 2.5},
    ),
    ("sonata.csv", "edge_id source_node_id target_node_id\n0 0 1\n1 0 2\n", {(0, 1): 1, (0, 2): 1}),
    ("flow.csv", "from_node;to_node;n_synapses\n0;2;4\n0;1;2\n", {(0, 2): 4, (0, 1): 2}),
    ("parts.csv", "bodyId_pre,bodyId_post,roi,weight\n0,1,A,3\n0,1,B,2\n", {(0, 1): 5}),
    ("turned.csv", "to,from\n1,0\n2,0\n", {(0, 1): 1, (0, 2): 1}),
    ("sets.csv", "pre,post,weight,roi\n0,1,5,AL;MB\n1,2,6,AL\n", {(0, 1): 5, (1, 2): 6}),
    ("no_sizes.csv", "3,2\n0,1\n1,2\n0,3\n", {(3, 2): 1, (0, 1): 1, (1, 2): 1, (0, 3): 1}),
    ("three.csv", "0,1,5\n0,2,7\n1,2,9\n", {(0, 1): 5, (0, 2): 7, (1, 2): 9}),
    ("default.graphml", GRAPHML, {(0, 1): 1, (1, 0): 3}),
    ("both_ways.gml", GML, {(0, 1): 2, (1, 0): 2}),
    ("symmetric.mtx", MTX + "real symmetric\n2 2 1\n2 1 5.0\n", {(0, 1): 5, (1, 0): 5}),
    ("skew.mtx", MTX + "real skew-symmetric\n2 2 1\n2 1 5.0\n", {(0, 1): 5, (1, 0): -5}),
    ("pattern.mtx", MTX + "pattern general\n3 3 2\n2 1\n3 2\n", {(0, 1): 1, (1, 2): 1}),
    ("edges.graph", "2 1 1\n2 5\n1 5\n", {(0, 1): 5, (1, 0): 5}),
    ("vertices.graph", "2 1 11\n4 2 5\n1 1 5\n", {(0, 1): 5, (1, 0): 5}),
    ("net.edgelist", '0 1 {"weight": 2}\n0 2 {"weight": 3}\n', {(0, 1): 2, (0, 2): 3}),
    (  # C. elegans as White et al. list it: what one neuron sends another one receives
        "wiring.csv",
        "Neuron 1,Neuron 2,Type,Nbr\na,b,S,2\nb,a,R,2\na,c,Sp,1\nc,a,Rp,1\nb,c,Rp,4\na,d,EJ,3\n",
        {(0, 1): 2, (0, 2): 1, (2, 1): 4, (0, 3): 3, (3, 0): 3},
    ),
    ("gap.csv", "pre,post,type,weight\na,b,GapJunction,2\n", {(0, 1): 2, (1, 0): 2}),
    (
        "elec.csv",
        "pre,post,type,weight\na,b,elec,2\nb,c,chem,1\n",
        {(0, 1): 2, (1, 0): 2, (1, 2): 1},
    ),
    ("unit_words.csv", "pre,post,weight_nS,delay_ms\n0,1,2,1\n", {(0, 1): 2}),
    ("unit_in.csv", "pre;post;weight in pA\n0;1;2\n", {(0, 1): 2}),
    ("told.csv", "sep=;\npre;post;weight\n0;1;2\n", {(0, 1): 2}),
    ("underscored.csv", "pre,post\n1_2,12\n12,1_3\n", {(0, 2): 1, (2, 1): 1}),
    ("spaced.csv", '"pre", "post", "weight"\n"a,1", "b", "2"\n', {(0, 1): 2}),
    ("percent.csv", "% a,b\npre,post,weight\n% 3,4,1\n0,1,2\n", {(0, 1): 2}),
    ("signs.csv", "a,b,exc\nb,c,inh\n", {(0, 1): 1, (1, 2): 1}),
    ("units.csv", "pre,post,weight (nS),delay [ms]\n0,1,2,1\n", {(0, 1): 2}),
    (
        "roots.csv",
        "pre_pt_root_id,post_pt_root_id,size\n100,200,5\n100,300,4\n",
        {(0, 1): 1, (0, 2): 1},
    ),
    ("bodies.csv", "bodyId_pre,bodyId_post,weight\n7,3,5\n9,3,4\n", {(1, 0): 5, (2, 0): 4}),
    ("two_edges.graphml", GRAPHML.replace('"n1" target="n0"', '"n0" target="n1"'), {(0, 1): 4}),
    ("flag.csv", "pre,post,weight,directed\n0,1,2,True\n1,2,3,False\n", {**CHAIN, (2, 1): 3}),
    ("flag0.csv", "pre;post;weight;is_directed\n0;1;2;1\n1;2;3;0\n", {**CHAIN, (2, 1): 3}),
    ("not.csv", "pre,post,weight,undirected\n0,1,2,no\n1,2,3,yes\n", {**CHAIN, (2, 1): 3}),
    ("bi.tsv", "pre\tpost\tw\tbidirectional\n0\t1\t2\tF\n1\t2\t3\tT\n", {**CHAIN, (2, 1): 3}),
    ("junction.csv", "pre,post,w,gap_junction\n0,1,2,0\n1,2,3,1\n", {**CHAIN, (2, 1): 3}),
    ("twice.csv", "pre,post,w,mutual\n0,1,2,1\n0,1,3,1\n", {(0, 1): 5, (1, 0): 5}),
    ("way.csv", "pre,post,w,direction\n0,1,2,->\n2,1,3,<-\n", CHAIN),
    ("way2.csv", "pre,post,w,direction\n0,1,2,forward\n1,2,3,both\n", {**CHAIN, (2, 1): 3}),
    (
        "mutual.csv",
        "Source,Target,Type,Weight\n0,1,Directed,2\n1,2,Mutual,3\n",
        {**CHAIN, (2, 1): 3},
    ),
    ("snap.txt", "# Undirected graph\n# FromNodeId\tToNodeId\n0\t1\n", {(0, 1): 1, (1, 0): 1}),
    ("konect.tsv", "% sym positive\n% 2 3 3\n0 1 2\n", {(0, 1): 2, (1, 0): 2}),
    ("arcs.tsv", "% asym positive\n% 2 3 3\n0 1 2\n1 2 3\n", CHAIN),
    ("layers.csv", "pre_layer,pre,post_layer,post\nA,0,A,1\nA,1,B,2\n", {(0, 1): 1, (1, 2): 1}),
    ("directed.graphml", attributed("directed", "false"), {(0, 1): 1, (1, 0): 1}),
    ("synapse.graphml", attributed("synapse_type", "electrical"), {(0, 1): 1, (1, 0): 1}),
    ("synapses.graphml", attributed("num_synapses", "4"), {(0, 1): 4}),
    (
        "directed.gml",
        GML.replace("graph [", "graph [ directed 1").replace("weight", "undirected 1 weight"),
        {(0, 1): 2, (1, 0): 2},
    ),
    ("kind.edgelist", "0 1 {'type': 'gap junction', 'weight': 2}\n", {(0, 1): 2, (1, 0): 2}),
    ("matrix.txt", MTX + "real general\n3 3 2\n2 1 2\n3 2 3\n", CHAIN),
    ("matrix.edges", MTX + "pattern symmetric\n2 2 1\n2 1\n", {(0, 1): 1, (1, 0): 1}),
    ("dict.txt", "0 1 {'w': 2}\n1 2 {'w': 3}\n", CHAIN),
    ("weighted.edgelist", "0 1 2.5\n0 2 3.5\n", {(0, 1): 2.5, (0, 2): 3.5}),
]
REFUSED = [
    ("two-others.tsv", "source\ttarget\na b,h\ti\n", "two other separators"),
    ("mixed.csv", "source,target,weight\nA1;A1,2,5\n", "a decimal comma?"),
    ("mixed_inside.csv", "pre,w,post\na,3,b\na;2,5,b\n", "a decimal comma?"),
    ("mixed_blank.csv", "pre,post,w,roi\na,3,4,x\na b,2,5,x\n", "a decimal comma?"),
    ("side.csv", "pre,0,1\npost,3,4\n", "rows that begin with 'pre', 'post'"),
    ("side_head.csv", "source post\ntarget pre\n", "rows that begin with 'source', 'target'"),
    ("side_ij.csv", "i;25\nj;16\nweight_nS;80\n", "rows that begin with 'i', 'j'"),
    ("decimal_comma.csv", "0 1 2,5\n1 2 3,5\n", "cut equally well by blanks"),
    ("lists.tsv", "0\t1,2\n1\t2,3,4\n", "'1,2' for a neuron, expected one separator"),
    ("kinds.csv", "a,b,c7\nb,c,d\n", "'c7' beside two names"),
    ("e_only.csv", "a,b,E\nb,c,E\nc,a,E\n", "'e' beside two names"),
    ("tuples.csv", "(0, 1, 2.5)\n(1, 2, 3.5)\n", "beside two names"),
    ("index.csv", "0,4,5\n1,5,6\n2,6,4\n", "rows that begin with 0, 1, 2"),
    ("frame.csv", "0,1\n4,5\n5,6\n", "numbers of columns or a synapse"),
    ("missing.csv", "pre,post\nNA,b\nc,NaN\n", "'NA' for a neuron"),
    ("power.csv", "pre,post\n1e3,2\n1000,2\n", "neuron 1e3, a number or a name"),
    ("padded.csv", "pre,post\n001,2\n1,2\n", "neuron 001, a number or a name"),
    ("slashes.csv", "pre,post\n0,1\n// 1,2\n", "'// 1' for a neuron"),
    ("named_matrix.csv", "name,a,b\na,0,1\nb,1,0\n", "may be a header or a synapse"),
    ("corner_matrix.csv", ",a,b,c\na,0,1,0\nb,0,0,2\nc,1,0,0\n", "no words for source and target"),
    ("matrix.csv", "0,1,0\n0,0,1\n1,0,0\n", "3 rows of 3 numbers, some 0"),
    ("sr.csv", "pre,post,type\na,b,S\nb,a,R\n", "types S and R"),
    (
        "nested.graphml",
        GRAPHML.replace('<node id="n1"/>', '<node id="n1"><graph/></node>'),
        "2 graphs",
    ),
    ("json.json", '{"nodes": [{"id": 0}], "links": []}', "unknown suffix '.json'"),
    ("unknown_words.csv", "axon,soma,w2\na,1,2\nb,2,3\n", "may be a header or a synapse"),
    ("comma.csv", "Source;Target;Weight\na;b;1,5\n", "weight '1,5'"),
    ("ragged.csv", "pre,post,weight\n0,1,2\n0,2\n", "2 cells"),
    ("head_twice.csv", "pre,post\n0,1\npre,post\n1,2\n", "names like it in the rows"),
    ("weights.csv", "0.5,1,2\n0.7,2,3\n", "neuron 0.5"),
    ("ints.txt", "0 1 5\n0 2 7\n1 2 9\n", "would read differently"),
    ("rect.mtx", MTX + "real general\n3 2 1\n2 1 5.0\n", "square"),
    ("complex.mtx", MTX + "complex general\n2 2 1\n2 1 1.0 2.0\n", "complex entries"),
    ("flag.csv", "pre,post,directed\n0,1,perhaps\n", "directed 'perhaps'"),
    ("blank.csv", "pre,post,directed\n0,1,True\n1,2,\n", "directed ''"),
    ("counts.csv", "pre,post,chemical,electrical\n0,1,3,0\n1,2,0,5\n", "electrical '5'"),
    ("class.csv", "pre,post,class\na,b,electrical\nb,c,chemical\n", "'electrical' in column"),
    ("ec.csv", "pre,post,type\na,b,E\nb,c,C\n", "electrical and chemical"),
    ("layers.csv", "pre_layer,pre,post_layer,post\nA,0,B,0\n", "'0' of 'A' and of 'B'"),
    ("groups.csv", "pre_group,pre_id,post_group,post_id,w\n0,0,1,0,2\n", "'0' of '0' and of '1'"),
    ("dot.txt", "a -> b\nb -> c\n", "'->' for a neuron"),
    ("dot.dot", "digraph { a -> b; }\n", "unknown suffix '.dot'"),
    ("cytoscape.sif", "a\tpp\tb\nb\tpp\tc\n", "three names a row"),
    ("between.csv", "1,exc,2\n2,inh,3\n", "'exc' after a number in every row"),
    ("bipartite.tsv", "% bip unweighted\n1 1\n1 2\n", "bipartite"),
    ("pajek.net", "*Vertices 2\n*Edges\n1 2\n", "Pajek"),
    ("pajek.edges", "*Vertices 2\n*Arcs\n1 2 1\n", "Pajek"),
    ("oneway.graphml", attributed("directed", "true", "undirected"), "in undirected graph"),
    ("typo.graphml", attributed("weight", "1").replace('target="b"', 'target="c"'), "'c'"),
    ("twice.graph", "2 1 1\n2 5 2 7\n1 5 1 7\n", "neighbour 2 of vertex 1"),
    ("itself.graph", "2 2\n1 2\n1 2\n", "neighbour 1 of vertex 1"),
    ("ncon.graph", "3 2 000 1\n2 2\n1 1 3\n2 2\n", "3 2 0 1"),
    ("words.net", "g 3\ne 0.0->0.1 1.5\n", "name=value"),
    ("further.csv", "roi,target,weight,source\nq0;A1,2,5,A1\n", "a decimal comma?"),
    ("sizes.txt", "3 2\n0 1\n1 2\n", "numbers of neurons and synapses"),
    ("sizes.edges", "5 3\n1 5\n2 4\n3 1\n", "numbers of neurons and synapses"),
    ("count.txt", "3\n0 1\n1 2\n", "numbers of neurons and synapses"),
    ("square.edges", "3 3 2\n1 2 5\n2 3 7\n", "numbers of neurons and synapses"),
    ("comma.mtx", MTX + "real general\n2 2 1\n2 1 2,5\n", "line 3: found '2 1 2,5'"),
    ("double.mtx", MTX + "real general\n2 2 1\n2 1 2.5D0\n", "line 3: found '2 1 2.5D0'"),
    ("whole.mtx", MTX + "integer general\n2 2 1\n2 1 2.5\n", "line 3: found '2 1 2.5'"),
    ("valued.mtx", MTX + "pattern general\n2 2 1\n2 1 7\n", "line 3: found '2 1 7'"),
    ("upper.mtx", MTX + "real symmetric\n2 2 1\n1 2 7\n", "entry 1 2 of a symmetric matrix"),
    ("half.graph", "3 2\n2\n1 3\n1\n", "not the other way round"),
]


@pytest.mark.parametrize(("name", "text", "meant"), READ, ids=[case[0] for case in READ])
def test_a_sibling_is_read_as_meant(tmp_path: Path, name: str, text: str, meant):
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    snn = read_network(str(tmp_path / name), options=read_options({}))
    pairs = zip(snn.indices.tolist(), snn.post_of_synapse().tolist(), strict=True)
    weights = [1.0] * snn.num_synapses if snn.weights is None else snn.weights.tolist()
    found = dict(zip(pairs, weights, strict=True))
    assert found == pytest.approx(meant)


def test_isolated_indices_are_said(tmp_path: Path):
    """Numbers from 1 on are indices too: neuron 0 is there, and a note says so."""
    (tmp_path / "one.csv").write_text("pre,post\n1,2\n2,3\n")
    snn = read_network(str(tmp_path / "one.csv"))
    assert snn.num_neurons == 4
    assert "numbers are indices: 1 of 4 neurons have no synapse" in snn.notes


@pytest.mark.parametrize(("name", "text", "why"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_may_mean_two_things_is_refused(tmp_path: Path, name: str, text: str, why: str):
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    with pytest.raises(InputError) as error:
        read_network(str(tmp_path / name), options=read_options({}))
    assert why in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_rates_of_nodes_are_scaled_and_defaults_count(tmp_path: Path):
    key = '<key id="s" for="node" attr.name="rate" attr.type="double"><default>0.5</default></key>'
    text = attributed("w", "1").replace("<graph ", key + "<graph ")
    text = text.replace('<node id="a"/>', '<node id="a"><data key="s">1.25</data></node>')
    (tmp_path / "a.graphml").write_text(text)
    snn = read_network(tmp_path / "a.graphml")
    assert (snn.spikes.tolist(), snn.spikes_origin) == ([5, 2], "node attribute 'rate' x 4")
    (tmp_path / "b.graphml").write_text(text.replace("<default>0.5</default>", ""))
    assert any("on 1 of 2 nodes" in note for note in read_network(tmp_path / "b.graphml").notes)


@pytest.mark.parametrize("rows", [3, 4])
def test_a_square_table_of_synapses_is_no_matrix_unless_told(tmp_path: Path, rows: int):
    table = np.array([[0, 1, 5, 1], [1, 2, 7, 1], [2, 0, 9, 1], [0, 2, 1, 1]])[:rows, :rows]
    np.save(tmp_path / "t.npy", table)
    with pytest.raises(InputError, match="a matrix or pre, post, weight"):
        read_network(tmp_path / "t.npy")
    told = read_network(tmp_path / "t.npy", options={"matrix_rows": "post"})
    assert told.num_synapses == np.count_nonzero(table)


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"directed": [True, False]}, "both directions"),
        ({"source_population": ["a", "a"], "target_population": ["b", "b"]}, "populations"),
    ],
)
def test_arrays_that_make_other_synapses_are_refused(tmp_path: Path, arrays, why):
    np.savez(tmp_path / "n.npz", pre=[0, 1], post=[0, 1], **arrays)
    with pytest.raises(InputError, match=why):
        read_network(tmp_path / "n.npz")
