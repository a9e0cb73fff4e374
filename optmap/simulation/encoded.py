"""The spikes of a network when its inputs come in another code: values, code, simulation.

An instance names the values that its inputs are shown (a few pictures or a series) and how its
neurons behave; any code of :mod:`optmap.simulation.encode` then gives a spike profile. Networks
with weights but without dynamics (``.npz``) are run as integrate-and-fire neurons of threshold 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse

from optmap.beside import Beside
from optmap.errors import InputError
from optmap.model import spiking_model as model
from optmap.model.snn import SNN, IntArray
from optmap.model.spiking_model import Layer, SpikingModel
from optmap.readers.arrays import read_arrays
from optmap.readers.nir_file import read_model
from optmap.readers.numpy_file import load_arrays
from optmap.simulation.encode import ENCODERS, Values, encode
from optmap.simulation.simulate import RESETS, Convention, simulate
from optmap.toml_fields import Table

#: Synaptic operations of a simulation, and entries of what its inputs are shown.
MAX_WORK = 20_000_000_000
MAX_SHOWN = 100_000_000


@dataclass(frozen=True)
class Encoding:
    """How an instance is shown its inputs.

    Parameters
    ----------
    values : Path
        ``.npz`` with an array ``values``, 0 to 1: (samples, n) pictures or (time, samples, n)
        series, n being the number of inputs.
    steps : int
        Steps for which a value is shown.
    convention : Convention
        How neurons are reset and how long a step is.
    seed : int
        Of codes that draw at random.
    kind : str or None
        Which code; None: only where a sweep asks for one, the spikes being given otherwise.
    """

    values: Path
    steps: int
    convention: Convention
    seed: int = 0
    kind: str | None = None

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in ENCODERS:
            raise ValueError(f"encoding {self.kind!r}: expected one of {', '.join(ENCODERS)}")
        if self.steps < 1:
            raise ValueError(f"{self.steps} steps")


def encoding_of(table: Table, beside: Beside) -> Encoding:
    """Return what an instance file's table says; InputError where it says nothing that is known."""
    dt = table.number("dt", 0, 1)
    if dt == 0:
        raise table.fail("dt", "0", "a number > 0")
    reset = table.choice("reset", RESETS, "subtract")
    several, at_threshold = table.flag("several", False), table.flag("at_threshold", False)
    if several and reset != "subtract":
        raise table.fail("several", "true", "false, for only reset 'subtract' allows several")
    encoding = Encoding(
        beside.file(table, "values", table.text("values")),
        table.whole("steps", 1),
        Convention(float(dt), reset, several, at_threshold),
        seed=table.whole("seed", 0, 0),
        kind=table.choice("kind", tuple(ENCODERS)) if table.has("kind") else None,
    )
    table.close()
    return encoding


@dataclass(frozen=True)
class Shown:
    """A network with its dynamics, and what its inputs are shown.

    Parameters
    ----------
    model : SpikingModel
        The network.
    inputs : dict of (steps, samples, n) arrays
        Per input layer what it gives.
    convention : Convention
        How neurons are reset and how long a step is.
    first : int
        Number of the first input neuron.
    of_inputs : (samples, n) int64 array
        Spikes of the inputs.
    """

    model: SpikingModel
    inputs: dict[str, Values]
    convention: Convention
    first: int
    of_inputs: IntArray


def shown_to(snn: SNN, network: Path, encoding: Encoding, code: str) -> Shown:
    """Return the network with the values of its encoding in a code, unless that names one.

    Raises
    ------
    InputError
        If the network has no weights or the values do not fit its inputs.
    """
    spiking = _spiking_model(network)
    inputs = [i for i, layer in enumerate(spiking.layers) if layer.kind == "Input"]
    if len(inputs) != 1:
        raise InputError(str(network), "", f"{len(inputs)} populations of inputs", "one, to encode")
    layer, first = spiking.layers[inputs[0]], spiking.first[inputs[0]]
    values = read_values(encoding.values, layer.size)
    frames = encoding.steps * values.size // layer.size
    if frames * snn.num_synapses > MAX_WORK or frames * layer.size > MAX_SHOWN:
        found = f"{encoding.steps} steps of {values.shape} values"
        raise InputError(str(encoding.values), "", found, "fewer samples or steps")
    made = encode(encoding.kind or code, values, encoding.steps, encoding.seed)
    of_inputs: IntArray = made.spikes.sum(axis=0)
    return Shown(spiking, {layer.name: made.current}, encoding.convention, first, of_inputs)


def with_encoded_spikes(snn: SNN, network: Path, encoding: Encoding) -> SNN:
    """Return ``snn`` with the spikes of a simulation in the encoding's code.

    Parameters
    ----------
    snn : SNN
        The connectivity, as :func:`optmap.readers.read.read_network` gives it.
    network : Path
        The ``.nir`` or ``.npz`` file it came from.
    encoding : Encoding
        With a ``kind``.

    Raises
    ------
    InputError
        If the network has no weights or the values do not fit its inputs.
    """
    if encoding.kind is None:
        raise ValueError("an encoding without a code")
    shown = shown_to(snn, network, encoding, encoding.kind)
    result = simulate(shown.model, shown.inputs, shown.convention)
    spikes = result.spikes.copy()
    spikes[:, shown.first : shown.first + shown.of_inputs.shape[1]] = shown.of_inputs
    per_window = -(-spikes.sum(axis=0) // len(spikes))
    if len(per_window) != snn.num_neurons:
        raise InputError(
            str(network), "", f"{len(per_window)} simulated neurons", f"{snn.num_neurons}"
        )
    origin = f"simulated: {encoding.kind} code, {encoding.steps} steps, {encoding.convention}"
    return snn.with_spikes(per_window, origin)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How many of the samples shown the network answers rightly."""

    right: int
    tested: int


def accuracy(network: Path, encoding: Encoding) -> Accuracy | None:
    """Return the accuracy in the encoding's code; None where its file has no labelled samples.

    The file then has ``test_values``, like ``values``, and ``test_labels``, one a sample. The
    answer is the neuron of the last layer that fires most, the first of equals.

    Raises
    ------
    InputError
        If labels and samples do not fit each other or the network.
    """
    arrays = load_arrays(encoding.values)
    if encoding.kind is None or "test_labels" not in arrays:
        return None
    spiking = _spiking_model(network)
    layer = next(layer for layer in spiking.layers if layer.kind == "Input")
    values = read_values(encoding.values, layer.size, "test_values")
    labels = arrays["test_labels"]
    if labels.shape != values.shape[-2:-1] or labels.dtype.kind not in "iu":
        found = f"{labels.dtype} labels of shape {labels.shape}"
        expected = f"{values.shape[-2]} whole numbers"
        raise InputError(str(encoding.values), "test_labels", found, expected)
    shown = encode(encoding.kind, values, encoding.steps, encoding.seed)
    result = simulate(spiking, {layer.name: shown.current}, encoding.convention)
    answers = result.spikes[:, spiking.first[-2] :].argmax(axis=1)
    return Accuracy(int((answers == labels).sum()), len(labels))


def read_values(path: Path, num_inputs: int, name: str = "values") -> Values:
    """Return the values of an encoding's file, (samples, n) or (time, samples, n).

    ``name`` is the array's.

    Raises
    ------
    InputError
        If the file holds no such array of numbers from 0 to 1.
    """
    arrays = load_arrays(path)
    expected = f"(time,) samples, {num_inputs} numbers from 0 to 1"
    if name not in arrays:
        raise InputError(str(path), name, ", ".join(sorted(arrays)) or "nothing", expected)
    values = arrays[name]
    if values.dtype.kind not in "biuf" or values.ndim not in (2, 3) or not values.size:
        found = f"{values.dtype} numbers of shape {values.shape}"
        raise InputError(str(path), name, found, expected)
    if values.shape[-1] != num_inputs:
        raise InputError(str(path), name, f"{values.shape[-1]} a sample", expected)
    numbers = values.astype(np.float64)
    if not ((numbers >= 0) & (numbers <= 1)).all():
        raise InputError(str(path), name, "numbers outside 0..1", expected)
    return numbers


def _spiking_model(network: Path) -> SpikingModel:
    suffix = network.suffix.lower()
    if suffix in (".nir", ".h5", ".hdf5"):
        return read_model(network)
    if suffix != ".npz":
        raise InputError(str(network), "", "a network without weights", "a .nir or .npz file")
    snn = read_arrays(network)
    if snn.weights is None:
        raise InputError(str(network), "weights", "nothing", "weights, to simulate")
    return integrate_and_fire(snn)


def integrate_and_fire(snn: SNN) -> SpikingModel:
    """Return a weighted network as IF neurons of threshold 1, a layer a population.

    The first population is the input where nothing in it has a fan-in. Neurons outside every
    population are refused.

    Raises
    ------
    ValueError
        If the populations do not cover the network or it has no weights.
    """
    sizes = [p.last - p.first + 1 for p in snn.populations]
    if sum(sizes) != snn.num_neurons or snn.weights is None:
        raise ValueError("a network whose populations do not cover it, or without weights")
    shape = (snn.num_neurons, snn.num_neurons)
    weights = snn.weights.astype(np.float64)
    matrix = scipy.sparse.csr_array((weights, snn.indices, snn.indptr), shape=shape)
    layers = []
    for population, size in zip(snn.populations, sizes, strict=True):
        rows = matrix[population.first : population.last + 1]
        paths = []
        for i, other in enumerate(snn.populations):
            part = rows[:, other.first : other.last + 1]
            if part.nnz:
                paths.append(model.Path(i, 0.0, scipy.sparse.csr_array(part)))
        if not paths:
            layers.append(Layer(population.name, "Input", (size,)))
            continue
        ones = np.ones(size)
        parameters = {"r": ones, "v_threshold": ones, "v_reset": np.zeros(size)}
        layers.append(
            Layer(population.name, "IF", (size,), tuple(paths), np.zeros(size), parameters)
        )
    return SpikingModel(tuple(layers))
