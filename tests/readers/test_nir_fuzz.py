"""Any mutation of a good NIR tree is read or refused in one line; nothing else is raised."""

import copy
import io
import random
from itertools import pairwise

import nir
import numpy as np
import pytest

from optmap.errors import InputError
from optmap.readers import hdf5_child, nir_graph
from optmap.readers.hdf5 import decode
from optmap.readers.nir_file import read_nir

STRANGE = [
    np.array(5), np.array([]), np.array([0]), np.array([-3]), np.array([10**9]), np.array([2**62]),
    np.array([1, 2, 3]), np.array("same"), np.array(["a", "b"]), np.ones((2, 3)), np.zeros((0, 4)),
    np.array(np.nan), np.array([np.inf]), np.array(2.5), np.array(True), np.ones((1, 1, 1, 1)),
    np.array("LIF"), np.array("NIRGraph"), np.array("Conv1d"), np.array("Input"),
    np.array("Output"), np.array("Flatten"), np.array([["in", "conv"]]),
    np.array([["conv", "conv"]]), np.array(10**5), np.ones((3, 2, 3, 3)), np.array(1e300),
    np.array([8, 8, 2]), np.array([1]),
]  # fmt: skip


@pytest.fixture
def tree(write_nir, lif):
    rng = np.random.default_rng(0)
    inner = nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([5])),
            "lif": lif(5),
            "w_rec": nir.Linear(rng.random((5, 5))),
            "output": nir.Output(np.array([5])),
        },
        edges=[("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
        type_check=False,
    )
    nodes = {
        "in": nir.Input(np.array([2, 8, 8])),
        "conv": nir.Conv2d((8, 8), rng.random((3, 2, 3, 3)), 1, 1, 1, 1, np.zeros(3)),
        "if": nir.IF(np.ones((3, 8, 8)), np.ones((3, 8, 8)), np.zeros((3, 8, 8))),
        "pool": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "flat": nir.Flatten(np.array([3, 4, 4]), 0, -1),
        "scale": nir.Scale(np.ones(48)),
        "delay": nir.Delay(np.ones(48)),
        "affine": nir.Affine(rng.random((5, 48)), np.zeros(5)),
        "cell": inner,
        "linear": nir.Linear(rng.random((4, 5))),
        "threshold": nir.Threshold(np.ones(4)),
        "out": nir.Output(np.array([4])),
    }
    names = list(nodes)
    path = write_nir(nodes, [*pairwise(names)])
    out = io.BytesIO()
    hdf5_child.main(str(path), out)
    return path, decode(path, out.getvalue(), "a test")


def groups_of(group):
    return [group, *(g for inner in group.groups.values() for g in groups_of(inner))]


def test_mutations_are_read_or_refused(tree, monkeypatch):
    path, good = tree
    draw = random.Random(6)
    outcomes = {"read": 0, "refused": 0}
    for _ in range(400):
        bad = copy.deepcopy(good)
        for _ in range(draw.choice([1, 1, 2, 3])):
            group = draw.choice([g for g in groups_of(bad) if g.values])
            field = draw.choice(list(group.values))
            if draw.random() < 0.15:
                del group.values[field]
            else:
                group.values[field] = draw.choice(STRANGE)
        monkeypatch.setattr(nir_graph, "read_tree", lambda *_, bad=bad: bad)
        try:
            read_nir(path, keep_zero_weights=draw.random() < 0.5)
            outcomes["read"] += 1
        except InputError as error:
            outcomes["refused"] += len(str(error).splitlines())
    assert outcomes["read"] > 10
    assert outcomes["read"] + outcomes["refused"] == 400, "every refusal is one line"
