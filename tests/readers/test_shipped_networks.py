"""The networks of instances/: what the docs say of them, and spikes that can be counted again."""

from pathlib import Path

import numpy as np
import pytest

from optmap.instance import load
from optmap.readers.nir_file import read_model
from optmap.simulation.encode import bernoulli
from optmap.simulation.simulate import Convention, simulate

FOLDER = Path(__file__).resolve().parents[2] / "instances"
SEED = 20260

#: name: (neurons, inputs, synapses, largest fan-in, spikes)
TABLE = {
    "digits_lenet": (2_026, 256, 154_520, 600, 10_816),
    "digits_mlp": (138, 64, 4_736, 64, 653),
    "digits_mlp_784": (894, 784, 79_400, 784, 4_792),
    "digits_recurrent": (66, 8, 3_168, 56, 395),
    "filter_16": (320, 256, 529, 9, 2_185),
    "filter_8": (80, 64, 121, 9, 361),
    "mlp_784_100_10": (894, 784, 79_400, 784, 894),
}


@pytest.mark.parametrize("name", TABLE)
def test_sizes_are_those_of_the_table(name):
    instance = load(FOLDER / f"{name}.toml")
    snn = instance.snn
    inputs = snn.num_neurons - snn.num_units
    found = (snn.num_neurons, inputs, snn.num_synapses, snn.max_fan_in, int(snn.spikes.sum()))
    assert found == TABLE[name]
    assert instance.name == name
    assert (snn.spikes_origin == "assumed") == (name == "mlp_784_100_10")
    assert instance.origin["licence"]
    assert instance.provenance


@pytest.mark.parametrize("name", TABLE)
def test_docs_tell_the_same(name):
    text = (FOLDER.parent / "docs" / "networks.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` "))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert tuple(int(cell.replace(",", "")) for cell in cells[1:6]) == TABLE[name]


def test_the_set_stays_small():
    files = [f for f in FOLDER.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    assert sum(f.stat().st_size for f in files) < 10_000_000


@pytest.mark.parametrize("name", ["digits_mlp", "digits_recurrent"])
def test_spikes_and_accuracy_can_be_counted_again(name):
    """The encoder and the split as the training script has them, without torch."""
    datasets = pytest.importorskip("sklearn.datasets")
    selection = pytest.importorskip("sklearn.model_selection")
    digits = datasets.load_digits()
    _, images, _, labels = selection.train_test_split(
        digits.images / 16, digits.target, test_size=0.2, random_state=SEED, stratify=digits.target
    )
    if name == "digits_mlp":
        frames = bernoulli(images.reshape(len(images), -1), 16, SEED)
    else:
        film = np.repeat(images.transpose(1, 0, 2), 3, axis=0)
        frames = bernoulli(film, 1, SEED)[0]
    model = read_model(FOLDER / f"{name}.nir")
    result = simulate(model, {"input": frames}, Convention(dt=1e-4, reset="subtract"))
    instance = load(FOLDER / f"{name}.toml")
    assert np.array_equal(result.per_window(), instance.snn.spikes)
    answers = result.spikes[:, model.first[-2] :].argmax(axis=1)
    told = float(instance.provenance["accuracy"].split("%")[0])
    assert abs(100 * (answers == labels).mean() - told) < 0.06
    assert told > 80
