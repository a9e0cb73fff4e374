"""Spikes of the two filter instances: a 3 x 3 mean filter over a patch of a sample photograph.

Rebuilds ``filter_8_spikes.npz`` and ``filter_16_spikes.npz`` beside the instances. Needs
scikit-learn (for the photograph, ``china.jpg`` by danielbuechele, CC BY 2.0) and pillow to decode
it::

    python instances/scripts/count_filter_spikes.py
"""

from pathlib import Path

import numpy as np
import scipy.sparse
from sklearn.datasets import load_sample_image

from optmap.generators.generate import generate
from optmap.model.spiking_model import Layer, SpikingModel
from optmap.model.spiking_model import Path as Synapses
from optmap.simulation.encode import evenly_spaced
from optmap.simulation.simulate import Convention, simulate

STEPS = 32
CONVENTION = Convention(dt=1.0, reset="subtract", at_threshold=True)
TOP, LEFT, BLOCK = 180, 120, 8


def patch(size: int) -> np.ndarray:
    """Return size x size grey values in 0..1, each the mean of a block of pixels."""
    grey = load_sample_image("china.jpg").astype(np.float64).mean(axis=2) / 255
    cut = grey[TOP : TOP + size * BLOCK, LEFT : LEFT + size * BLOCK]
    return cut.reshape(size, BLOCK, size, BLOCK).mean(axis=(1, 3))


def main() -> None:
    """Simulate both filters and write their spikes."""
    for size in (8, 16):
        snn = generate(f"gen:filter-{size}")
        inputs = size * size
        outputs = snn.num_neurons - inputs
        weights = np.full(snn.num_synapses, 1 / 9)
        indptr = snn.indptr[inputs:]
        matrix = scipy.sparse.csr_array((weights, snn.indices, indptr), shape=(outputs, inputs))
        parameters = {
            "r": np.ones(outputs), "v_threshold": np.ones(outputs), "v_reset": np.zeros(outputs)
        }  # fmt: skip
        model = SpikingModel(
            (
                Layer("image", "Input", (1, size, size)),
                Layer("maps", "IF", (1, size // 2, size // 2), (Synapses(0, 0.0, matrix),),
                      np.zeros(outputs), parameters),
            )
        )  # fmt: skip
        picture = patch(size).reshape(1, -1)
        result = simulate(model, {"image": evenly_spaced(picture, STEPS)}, CONVENTION)
        origin = f"simulated: {STEPS} steps, evenly spaced spikes, {CONVENTION}"
        target = Path(__file__).parents[1] / f"filter_{size}_spikes.npz"
        np.savez_compressed(target, spikes=result.per_window(), spikes_origin=origin)
        print(
            target.name, result.per_window().tolist()[-outputs:], picture.round(2).tolist()[0][:8]
        )


if __name__ == "__main__":
    main()
