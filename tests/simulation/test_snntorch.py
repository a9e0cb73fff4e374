"""Our simulation against snnTorch, step by step, through the file that snnTorch itself exports.

Needs the extra ``[torch]``. Inputs and weights are eighths and thresholds lie off that grid, so
that a rounding in the last bit of float32 decides no spike.
"""

import numpy as np
import pytest

from optmap.readers.nir_file import read_model
from optmap.simulation.simulate import Convention, simulate

snntorch = pytest.importorskip("snntorch", reason="needs the extra [torch]")
torch = pytest.importorskip("torch", reason="needs the extra [torch]")
nir = pytest.importorskip("nir")
export_nir = pytest.importorskip("snntorch.export_nir", reason="needs nirtorch")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # within nirtorch

STEPS = 40
THRESHOLD = 1.03


def eighths(rng, shape, low=-8, high=9):
    return torch.tensor(rng.integers(low, high, shape) / 8, dtype=torch.float32)


def leaky(size, reset):
    """Return a layer whose constants have full size: scalars make files that no reader accepts."""
    return snntorch.Leaky(
        beta=torch.full(size, 0.75), threshold=torch.full(size, THRESHOLD),
        reset_mechanism=reset, init_hidden=True,
    )  # fmt: skip


def reset_states(net):
    for module in net:
        if isinstance(module, snntorch.Leaky):
            module.mem = torch.zeros(0)  # takes the shape of the next input


def set_weights(module, rng):
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "weight" in name or "bias" in name:
                parameter.copy_(eighths(rng, tuple(parameter.shape)) / 2)


def compare(path, frames, layers, reset="subtract_next_step"):
    """Check that each recorded layer spikes in the same steps: ``layers`` maps name to spikes."""
    model = read_model(path)
    result = simulate(model, {"input": frames}, Convention(1e-4, reset), tuple(layers))
    for name, expected in layers.items():
        spikes = np.array(expected).reshape(len(frames), -1)
        assert 0 < spikes.sum() < spikes.size, f"{name} is silent or always fires: no test"
        assert np.array_equal(result.values[name][:, 0], spikes), name


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_dense_network_as_snntorch_exports_it(tmp_path, reset):
    rng = np.random.default_rng(8)
    net = torch.nn.Sequential(
        torch.nn.Linear(12, 20), leaky((20,), reset), torch.nn.Linear(20, 6), leaky((6,), reset)
    )
    set_weights(net, rng)
    graph = export_nir.export_to_nir(net, torch.zeros(1, 12), ignore_dims=[0])
    path = tmp_path / "dense.nir"
    nir.write(path, graph)
    frames = rng.integers(0, 2, (STEPS, 12))
    hidden, out = [], []
    reset_states(net)
    with torch.no_grad():
        for frame in torch.tensor(frames, dtype=torch.float32):
            spikes = net[1](net[0](frame[None]))
            hidden.append(spikes[0].numpy())
            out.append(net[3](net[2](spikes))[0].numpy())
    names = [layer.name for layer in read_model(path).layers]
    assert len(names) == 3
    rule = {"subtract": "subtract_next_step", "zero": "value"}[reset]
    compare(path, frames, {names[1]: hidden, names[2]: out}, rule)


def test_convolution_with_pooling(tmp_path):
    rng = np.random.default_rng(9)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3, stride=1, padding=1), leaky((3, 8, 8), "subtract"),
        torch.nn.AvgPool2d(2), torch.nn.Flatten(),
        torch.nn.Linear(48, 5), leaky((5,), "subtract"),
    )  # fmt: skip
    set_weights(net, rng)
    graph = export_nir.export_to_nir(net, torch.zeros(1, 2, 8, 8), ignore_dims=[0])
    path = tmp_path / "conv.nir"
    nir.write(path, graph)
    frames = rng.integers(0, 2, (STEPS, 2 * 8 * 8))
    hidden, out = [], []
    reset_states(net)
    with torch.no_grad():
        for frame in torch.tensor(frames, dtype=torch.float32):
            spikes = net[1](net[0](frame.reshape(1, 2, 8, 8)))
            hidden.append(spikes[0].numpy().reshape(-1))
            out.append(net[5](net[4](net[3](net[2](spikes))))[0].numpy())
    model = read_model(path)
    assert model.snn().max_fan_in == 48 * 4
    compare(path, frames, {model.layers[1].name: hidden, model.layers[2].name: out})


@pytest.mark.parametrize("cell", ["RLeaky", "RSynaptic"])
def test_recurrent_cells_as_nested_graphs(tmp_path, cell):
    rng = np.random.default_rng(10)
    size = 10
    shared = {"all_to_all": True, "linear_features": size, "reset_mechanism": "subtract"}
    constants = {"beta": torch.full((size,), 0.75), "threshold": torch.full((size,), THRESHOLD)}
    if cell == "RSynaptic":
        constants["alpha"] = torch.full((size,), 0.5)
    layer = getattr(snntorch, cell)(**constants, **shared)
    net = torch.nn.Sequential(torch.nn.Linear(6, size), layer)
    set_weights(net, rng)
    graph = nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([6])),
            "w": nir.Affine(net[0].weight.detach().numpy(), net[0].bias.detach().numpy()),
            "cell": export_nir._extract_snntorch_module(layer),
            "output": nir.Output(np.array([size])),
        },
        edges=[("input", "w"), ("w", "cell"), ("cell", "output")],
        type_check=False,
    )
    path = tmp_path / "recurrent.nir"
    nir.write(path, graph)
    frames = rng.integers(0, 2, (STEPS, 6))
    state = [torch.zeros(1, size) for _ in range(3 if cell == "RSynaptic" else 2)]
    out = []
    with torch.no_grad():
        for frame in torch.tensor(frames, dtype=torch.float32):
            state = list(layer(net[0](frame[None]), *state))
            out.append(state[0][0].numpy())
    names = [layer.name for layer in read_model(path).layers]
    assert names == ["input", "cell/lif"]
    compare(path, frames, {"cell/lif": out})


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_current_based_neuron(tmp_path, reset):
    rng = np.random.default_rng(12)
    layer = snntorch.Synaptic(
        alpha=torch.full((9,), 0.5), beta=torch.full((9,), 0.75),
        threshold=torch.full((9,), THRESHOLD), reset_mechanism=reset,
    )  # fmt: skip
    graph = nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([9])),
            "n": export_nir._extract_snntorch_module(layer),
            "output": nir.Output(np.array([9])),
        },
        edges=[("input", "n"), ("n", "output")],
        type_check=False,
    )
    path = tmp_path / "synaptic.nir"
    nir.write(path, graph)
    frames = rng.integers(0, 2, (STEPS, 9)) / 2
    synapse, potential, out = torch.zeros(1, 9), torch.zeros(1, 9), []
    with torch.no_grad():
        for frame in torch.tensor(frames, dtype=torch.float32):
            spikes, synapse, potential = layer(frame[None], synapse, potential)
            out.append(spikes[0].numpy())
    rule = {"subtract": "subtract_next_step", "zero": "value_next_step"}[reset]
    compare(path, frames, {"n": out}, rule)
