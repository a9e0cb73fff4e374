"""Our simulation against SpikingJelly's own, step by step, through the file that it exports itself.

Needs the extra ``[spikingjelly]``. Weights are sixteenths, time constants powers of two and
thresholds lie off that grid, so that a rounding in the last bit of float32 decides no spike.
"""

import numpy as np
import pytest

from optmap.readers.nir_file import read_model
from optmap.simulation.simulate import Convention, simulate

torch = pytest.importorskip("torch", reason="needs the extra [spikingjelly]")
activation = pytest.importorskip(
    "spikingjelly.activation_based", reason="needs the extra [spikingjelly]"
)
exchange = pytest.importorskip(
    "spikingjelly.activation_based.nir_exchange", reason="needs spikingjelly 2, nir and nirtorch"
)
layer = pytest.importorskip("spikingjelly.activation_based.layer")
neuron = pytest.importorskip("spikingjelly.activation_based.neuron")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # within nirtorch

STEPS = 40
THRESHOLD = 1.03
#: SpikingJelly resets to a value at once, and fires at the threshold, too.
CONVENTION = Convention(1e-4, "value", at_threshold=True)

NEURONS = {
    "integrate": lambda: neuron.IFNode(THRESHOLD, 0.0),
    "leaky": lambda: neuron.LIFNode(2.0, False, THRESHOLD, 0.0),
    "leaky, inputs decay": lambda: neuron.LIFNode(2.0, True, THRESHOLD, 0.0),
    "leaky, learned": lambda: neuron.ParametricLIFNode(2.0, False, THRESHOLD, 0.0),
    "leaky, resets below 0": lambda: neuron.LIFNode(4.0, False, THRESHOLD, -0.25),
}


def with_sixteenths(net, rng, high=13):
    """Give every weight and bias a multiple of a sixteenth from -8 to below ``high``."""
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name.endswith(("weight", "bias")):
                drawn = rng.integers(-8, high, tuple(parameter.shape)) / 16
                parameter.copy_(torch.tensor(drawn, dtype=torch.float32))
    return net


def check_spike_exact(net, shape, path, rng):
    """Export a network, simulate the file here and the network there, compare every step."""
    activation.functional.reset_net(net)
    exchange.export_to_nir(net, torch.zeros(1, *shape), save_path=path, dt=1e-4)
    frames = rng.integers(0, 2, (STEPS, *shape))
    activation.functional.reset_net(net)
    theirs = {i: [] for i, module in enumerate(net) if isinstance(module, neuron.BaseNode)}
    with torch.no_grad():
        for frame in torch.tensor(frames, dtype=torch.float32):
            values = frame[None]
            for i, module in enumerate(net):
                values = module(values)
                if i in theirs:
                    theirs[i].append(values[0].numpy().ravel())
    model = read_model(path)
    names = [found.name for found in model.layers if found.kind != "Input"]
    assert len(names) == len(theirs)
    shown = {model.layers[0].name: frames.reshape(STEPS, -1)}
    ours = simulate(model, shown, CONVENTION, tuple(names)).values
    for name, spikes in zip(names, theirs.values(), strict=True):
        expected = np.array(spikes)
        assert 0 < expected.sum() < expected.size, f"{name} is silent or always fires: no test"
        assert np.array_equal(ours[name][:, 0], expected), name


@pytest.mark.parametrize("kind", NEURONS)
def test_dense_network_as_spikingjelly_exports_it(tmp_path, kind):
    rng = np.random.default_rng(18)
    make = NEURONS[kind]
    net = torch.nn.Sequential(layer.Linear(12, 20), make(), layer.Linear(20, 6, bias=False), make())
    check_spike_exact(with_sixteenths(net, rng), (12,), tmp_path / "dense.nir", rng)


def test_convolution_with_pooling(tmp_path):
    rng = np.random.default_rng(19)
    net = torch.nn.Sequential(
        layer.Conv2d(2, 3, 3, padding=1), neuron.LIFNode(2.0, False, THRESHOLD, 0.0),
        layer.AvgPool2d(2), layer.Flatten(),
        layer.Linear(48, 5), neuron.LIFNode(4.0, False, THRESHOLD, 0.0),
    )  # fmt: skip
    check_spike_exact(with_sixteenths(net, rng, 10), (2, 8, 8), tmp_path / "conv.nir", rng)


def test_the_exported_file_is_mapped(tmp_path):
    """What SpikingJelly writes is a network for every command: its sizes, and a mapping."""
    om = pytest.importorskip("optmap")
    rng = np.random.default_rng(20)
    net = torch.nn.Sequential(
        layer.Linear(12, 20), neuron.IFNode(THRESHOLD, 0.0), layer.Linear(20, 6), neuron.IFNode()
    )
    path = tmp_path / "dense.nir"
    exchange.export_to_nir(with_sixteenths(net, rng), torch.zeros(1, 12), save_path=path)
    snn = read_model(path).snn()
    assert snn.num_neurons == 12 + 20 + 6
    assert snn.num_synapses == sum(int((net[i].weight != 0).sum()) for i in (0, 2))
    assert om.map_network(str(path), "dynap_se", "song2020").exact["clusters"] >= 1
