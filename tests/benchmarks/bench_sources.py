"""Time to get a network: generators, NIR, simulation. Run by ``make bench``."""

import nir
import numpy as np
import pytest

from optmap.generators.generate import generate
from optmap.readers.nir_file import read_model, read_nir
from optmap.simulation.encode import bernoulli
from optmap.simulation.simulate import Convention, simulate


@pytest.fixture
def conv_file(tmp_path):
    """Write a convolution of 10^6 synapses over 16 x 16 x 16."""
    maps, one = 30, np.ones((30, 16, 16))
    nodes = {
        "in": nir.Input(np.array([16, 16, 16])),
        "conv": nir.Conv2d(
            (16, 16), np.random.default_rng(0).random((maps, 16, 3, 3)), 1, 1, 1, 1, np.zeros(maps)
        ),
        "lif": nir.LIF(tau=one, r=one, v_leak=one * 0, v_threshold=one * 9, v_reset=one * 0),
    }
    path = tmp_path / "conv.nir"
    edges = [("in", "conv"), ("conv", "lif")]
    nir.write(path, nir.NIRGraph(nodes=nodes, edges=edges, type_check=False))
    return path


@pytest.mark.parametrize(
    "name", ["lenet5-28", "reservoir-1000", "scale-conv-10000000", "vgg-32-13"]
)
def test_generate(benchmark, name):
    snn = benchmark(generate, name)
    benchmark.extra_info["synapses"] = snn.num_synapses


def test_nir_convolution(benchmark, conv_file):
    """Goal: 10^6 synapses in under 2 s, the child process included."""
    snn = benchmark(read_nir, conv_file)
    assert snn.num_synapses == 30 * 16 * 46**2


def test_simulate_convolution(benchmark, conv_file):
    """100 steps of one sample through 10^6 synapses."""
    model = read_model(conv_file)
    frames = bernoulli(np.full((1, 4096), 0.05), 100, 0)
    result = benchmark(simulate, model, {"in": frames}, Convention(dt=0.1, reset="subtract"))
    assert result.spikes.sum() > 0
