"""Irregular networks: a random walk, a binarised graph network, a +-1-decomposed quantised MLP.

Graphs from networkx, digits from scikit-learn; no torch::

    python instances/scripts/build_graphs.py random_walk graph_net decomposed_mlp
"""

from __future__ import annotations

import sys

import networkx as nx
import numpy as np
from instance_text import write_instance
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tied import CONVENTION, balanced, block, run, train

from optmap.generators.generate import generate
from optmap.model.snn import SNN, Population, from_edges
from optmap.simulation.encode import encode

SEED = 20260
SCRIPT = "scripts/build_graphs.py"


def random_walk() -> None:
    """Walkers on a graph: a counter a node, a gate a direction, a source of chance a node."""
    graph = nx.les_miserables_graph()
    nodes = sorted(graph)
    number = {name: i for i, name in enumerate(nodes)}
    n = len(nodes)
    arcs = sorted(
        (number[a], number[b]) for a, b in [*graph.edges, *((b, a) for a, b in graph.edges)]
    )
    gate = 2 * n + np.arange(len(arcs))  # 0..n-1 chance (inputs), n..2n-1 counters, then gates
    here, there = (np.array(column) for column in zip(*arcs, strict=True))
    rng = np.random.default_rng(SEED)
    walkers = np.full(n, 4)
    counted, passed, steps = np.zeros(n, int), np.zeros(len(arcs), int), 100
    for _ in range(steps):
        counted += walkers
        moved = np.zeros(n, int)
        for i in range(n):
            out = np.flatnonzero(here == i)
            choice = rng.multinomial(walkers[i], np.full(len(out), 1 / len(out)))
            passed[out] += choice
            moved += np.bincount(there[out], weights=choice, minlength=n).astype(int)
        walkers = moved
    snn = from_edges(
        np.concatenate([here, here + n, gate]),
        np.concatenate([gate, gate, there + n]),
        2 * n + len(arcs),
        spikes=np.concatenate([counted, counted, passed]),
        populations=[Population("chance", 0, n - 1), Population("counter", n, 2 * n - 1),
                     Population("gate", 2 * n, 2 * n + len(arcs) - 1)],
        spikes_origin=f"simulated: {4 * n} walkers, {steps} steps",
    )  # fmt: skip
    write_instance(
        "random_walk", snn, in_default_set=True,
        text="random walk: density of walkers on a graph, one counter a node"
        " and one gate a direction; graph: the characters of Les Miserables (networkx, Knuth 1993)",
        licence="MIT", generator=f"{SCRIPT} random_walk", seed=SEED,
        provenance={"framework": "numpy, walkers drawn one node at a time",
                    "window": f"{steps} steps of {4 * n} walkers",
                    "spikes": "exact counts of this one run"},
    )  # fmt: skip


def convolutions(
    near: np.ndarray, features: int, hidden: int, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the synapses of two graph convolutions: a node reads all of its neighbours' values."""
    n = len(near)
    pre, post = [], []
    for i in range(n):
        around = np.flatnonzero(near[i])
        given = (around[:, None] * features + np.arange(features)).reshape(-1)
        states = (n * features + around[:, None] * hidden + np.arange(hidden)).reshape(-1)
        for unit in range(hidden):
            pre.append(given)
            post.append(np.full(len(given), n * features + i * hidden + unit))
        for unit in range(classes):
            pre.append(states)
            post.append(np.full(len(states), n * (features + hidden) + classes * i + unit))
    return np.concatenate(pre), np.concatenate(post)


def graph_net_skewed() -> None:
    """Two binarised graph convolutions on the characters of Les Miserables: one of 77 knows 36."""
    graph = nx.les_miserables_graph()
    nodes = sorted(graph)
    near = nx.to_numpy_array(graph, nodelist=nodes, weight=None) + np.eye(len(nodes))
    near = (near > 0).astype(float)
    n, hidden, classes = len(nodes), 16, 5
    groups = nx.community.greedy_modularity_communities(graph)[:classes]
    of = {name: k for k, group in enumerate(groups) for name in group}
    label = np.array([of.get(name, classes - 1) for name in nodes])
    hubs = np.argsort(-near.sum(1), kind="stable")[:20]
    x = near[:, hubs]  # a node's features: which of the twenty best known it knows
    rng = np.random.default_rng(SEED)
    known = rng.permutation(n)[: n // 2]
    first, second = rng.normal(0, 0.5, (20, hidden)), rng.normal(0, 0.5, (hidden, classes))
    wide = near.sum(1, keepdims=True)
    for _ in range(600):
        b1, b2 = np.sign(first), np.sign(second)
        y = near @ x @ b1 / wide
        h = (y > 0).astype(float)
        z = near @ h @ b2 / wide * 4
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        g = np.zeros_like(p)
        g[known] = p[known]
        g[known, label[known]] -= 1
        g /= wide
        second -= 0.1 * (near @ h).T @ g * (np.abs(second) <= 1.5)
        back = (near.T @ (g @ b2.T)) / (1 + np.abs(y)) ** 2 / wide
        first -= 0.3 * (near @ x).T @ back * (np.abs(first) <= 1.5)
    h = (near @ x @ np.sign(first) > 0).astype(int)
    score = near @ h @ np.sign(second) / wide  # the threshold of a node grows with its degree
    accuracy = (score.argmax(1) == label).mean()
    pre, post = convolutions(near, 20, hidden, classes)
    spikes = np.concatenate([x.reshape(-1), h.reshape(-1), (score > 0).reshape(-1)]).astype(int)
    inputs, size = 20 * n, n * (20 + hidden + classes)
    snn = from_edges(
        pre, post, size, spikes=spikes,
        populations=[Population("features", 0, inputs - 1),
                     Population("hidden", inputs, inputs + n * hidden - 1),
                     Population("output", inputs + n * hidden, size - 1)],
        spikes_origin="computed: one pass over the graph",
    )  # fmt: skip
    write_instance(
        "graph_net_skewed", snn,
        text="binarised graph neural network, two graph convolutions, 77 nodes x (20, 16, 5)"
        " features, fan-in by degree, 2 to 37 nodes read; graph: the characters of Les Miserables"
        " (networkx, Knuth 1993)",
        licence="MIT", generator=f"{SCRIPT} graph_net_skewed", seed=SEED,
        provenance={"framework": "numpy, straight-through gradients, weights +1 and -1",
                    "window": "one pass, a neuron fires at most once",
                    "accuracy": f"{accuracy:.1%} of 77 characters, the groups of greedy modularity;"
                    " half of the labels seen in training"},
    )  # fmt: skip
    print(f"  accuracy {accuracy:.3f}, hidden active {h.mean():.2f}, degrees {wide.min():g} to"
          f" {wide.max():g}")  # fmt: skip


def graph_net() -> None:
    """Two binarised graph convolutions on the karate club, trained straight through."""
    graph = nx.karate_club_graph()
    near = nx.to_numpy_array(graph, weight=None) + np.eye(len(graph))
    near = (near > 0).astype(float)
    n, hidden = len(graph), 16
    club = np.array([int(graph.nodes[i]["club"] != "Mr. Hi") for i in graph])
    x = near  # a node's features: who it knows
    known = np.array([0, 33, 1, 2, 32, 31, 8, 23])  # labels that training sees
    rng = np.random.default_rng(SEED)
    first, second = rng.normal(0, 0.5, (n, hidden)), rng.normal(0, 0.5, (hidden, 2))
    level = 0.0
    for _ in range(400):
        b1, b2 = np.sign(first), np.sign(second)
        y = near @ x @ b1 / 8 - level
        h = (y > 0).astype(float)
        z = near @ h @ b2 / 8
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        g = np.zeros_like(p)
        g[known] = p[known]
        g[known, club[known]] -= 1
        second -= 0.1 * (near @ h).T @ g / 8 * (np.abs(second) <= 1.5)
        back = (near.T @ (g @ b2.T)) / (1 + np.abs(y)) ** 2
        first -= 0.1 * (near @ x).T @ back / 8 * (np.abs(first) <= 1.5)
    h = (near @ x @ np.sign(first) > 0).astype(int)
    score = near @ h @ np.sign(second)
    accuracy = (score.argmax(1) == club).mean()
    pre, post = convolutions(near, n, hidden, 2)
    spikes = np.concatenate([x.reshape(-1), h.reshape(-1), (score > 0).reshape(-1)]).astype(int)
    size = n * n + n * hidden + 2 * n
    snn = from_edges(
        pre, post, size, spikes=spikes,
        populations=[Population("features", 0, n * n - 1),
                     Population("hidden", n * n, n * n + n * hidden - 1),
                     Population("output", n * n + n * hidden, size - 1)],
        spikes_origin="computed: one pass over the graph",
    )  # fmt: skip
    write_instance(
        "graph_net", snn, text="binarised graph neural network, two graph convolutions, 34 nodes x"
        " (34, 16, 2) features, fan-in by degree; graph: Zachary's karate club (networkx)",
        licence="MIT", generator=f"{SCRIPT} graph_net", seed=SEED,
        provenance={"framework": "numpy, straight-through gradients, weights +1 and -1",
                    "window": "one pass, a neuron fires at most once",
                    "accuracy": f"{accuracy:.1%} of 34 members, labels of 8 seen in training"},
    )  # fmt: skip
    print(f"  accuracy {accuracy:.3f}, hidden active {h.mean():.2f}")


def decomposed_mlp() -> None:
    """4-bit weights as four +-1 planes: four cells a synapse."""
    digits = load_digits()
    x, test, labels, test_labels = train_test_split(
        digits.images.reshape(-1, 64) / 16, digits.target, test_size=0.2, random_state=SEED,
        stratify=digits.target,
    )  # fmt: skip
    snn = generate("gen:mlp-64-64-10")
    blocks = [block(snn, i, seed=SEED + i) for i in (1, 2)]
    train(blocks, x, labels, 30, seed=SEED)
    snn = balanced(snn, blocks, x[:400])
    quantised = np.empty(snn.num_synapses)
    cut = 64 * 64
    for part in (slice(0, cut), slice(cut, None)):
        scale = np.abs(snn.weights[part]).max() / 15
        level = np.clip(2 * np.round((snn.weights[part] / scale - 1) / 2) + 1, -15, 15)
        quantised[part] = level * scale  # odd levels: sums of +-1, +-2, +-4, +-8
    snn = SNN(snn.indptr, snn.indices, snn.spikes, snn.populations, quantised.astype(np.float32))
    result = run(snn, encode("rate", test, 64, SEED).current)
    accuracy = (result.spikes[:, -10:].argmax(axis=1) == test_labels).mean()
    origin = f"simulated: rate code, 64 steps, {CONVENTION}"
    write_instance(
        "decomposed_mlp", snn.with_spikes(result.per_window(), origin),
        platform="cores_4x4_48_4bit",
        text="quantised MLP 64-64-10, 4-bit weights decomposed into four +-1 planes: four cells a"
        " synapse; scikit-learn's digits (UCI, Alpaydin and Kaynak 1998, CC BY 4.0)",
        licence="MIT", generator=f"{SCRIPT} decomposed_mlp", seed=SEED,
        provenance={"framework": "numpy, ReLU network converted to IF neurons (scripts/tied.py)",
                    "weights": "odd multiples of a scale per layer, -15 to 15",
                    "convention": str(CONVENTION), "encoder": "Bernoulli, 64 steps",
                    "window": "one digit", "spikes": "mean over the 360 test digits, rounded up",
                    "accuracy": f"{accuracy:.1%} of the test digits, quantised, spiking"},
        values=test[:12], steps=64,
    )  # fmt: skip
    print(f"  accuracy {accuracy:.3f}")


BUILD = {"random_walk": random_walk, "graph_net": graph_net,
         "graph_net_skewed": graph_net_skewed, "decomposed_mlp": decomposed_mlp}  # fmt: skip

if __name__ == "__main__":
    for chosen in sys.argv[1:] or BUILD:
        BUILD[chosen]()
