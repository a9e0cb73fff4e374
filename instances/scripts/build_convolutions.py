"""Image smoothing, edge detection and the two LeNets: shapes of the papers, data of our own.

Needs scikit-learn (digits, sample photographs) and pillow to decode the photographs, no torch::

    python instances/scripts/build_convolutions.py smoothing_64 edges_16 edges_64
"""

from __future__ import annotations

import sys

import numpy as np
from instance_text import write_instance
from sklearn.datasets import load_digits, load_sample_image
from sklearn.model_selection import train_test_split
from tied import CONVENTION, balanced, block, conv_tie, run, train

from optmap.generators.generate import generate
from optmap.model.snn import SNN
from optmap.simulation.encode import encode, evenly_spaced

SEED = 20260
PHOTOS = "scikit-learn's china.jpg (danielbuechele, CC BY 2.0)"
BOTH = PHOTOS + " and flower.jpg (dany13, CC BY 2.0)"
DIGITS = "scikit-learn's digits (UCI, Alpaydin and Kaynak 1998, CC BY 4.0)"
SCRIPT = "scripts/build_convolutions.py"


def grey_patch(size: int) -> np.ndarray:
    """Return size x size grey values 0..1 of china.jpg, each the mean of 6 x 6 pixels."""
    grey = load_sample_image("china.jpg").astype(np.float64).mean(axis=2) / 255
    cut = grey[20 : 20 + 6 * size, 100 : 100 + 6 * size]
    return cut.reshape(size, 6, size, 6).mean(axis=(1, 3))


def with_weights(snn: SNN, weights: np.ndarray) -> SNN:
    """Return the network with weights."""
    return SNN(snn.indptr, snn.indices, snn.spikes, snn.populations, weights.astype(np.float32))


def count(snn: SNN, picture: np.ndarray, steps: int) -> SNN:
    """Return the network with the spikes of one picture, shown as regular spikes."""
    result = run(snn, evenly_spaced(picture.reshape(1, -1), steps))
    return snn.with_spikes(
        result.per_window(), f"simulated: {steps} steps, evenly spaced spikes, {CONVENTION}"
    )


def smoothing() -> None:
    """64 x 64 -> 32 x 32, a 3 x 3 mean filter."""
    snn = generate("gen:smooth-64")
    snn = count(with_weights(snn, np.full(snn.num_synapses, 1 / 9)), grey_patch(64), 32)
    write_instance(
        "smoothing_64", snn, text="image smoothing 64 x 64 -> 32 x 32: the papers' shape (9,025"
        f" synapses), a 3 x 3 mean filter over a patch of {PHOTOS}", licence="MIT",
        generator=f"{SCRIPT} smoothing_64", seed=0,
        provenance={"neuron": "IF, threshold 1", "convention": str(CONVENTION),
                    "encoder": "evenly spaced spikes, 32 steps", "window": "one picture"},
        values=grey_patch(64).reshape(1, -1), steps=32,
    )  # fmt: skip


def edges(size: int, text: str, platform: str, in_default_set: bool) -> None:
    """Two 5 x 5 derivative filters, and a 3 x 3 one that adds them up."""
    snn, half = generate(f"gen:edges-{size}"), size // 2
    smooth, slope = np.array([1, 4, 6, 4, 1]), np.array([-1, -2, 0, 2, 1])
    filters = np.stack([np.outer(smooth, slope), np.outer(slope, smooth)]).astype(float)
    filters /= np.abs(filters).sum(axis=(1, 2), keepdims=True) / 6
    tie = conv_tie(snn, 1, (1, size, size), (2, half, half), (5, 5), (2, 2), (2, 2))
    second = np.full(snn.num_synapses - len(tie), 1 / 6)
    weights = np.concatenate([filters.reshape(-1)[tie], second])
    weights[weights == 0] = 1e-6  # the centre row: a synapse of the shape, without effect
    snn = count(with_weights(snn, weights), grey_patch(size), 32)
    write_instance(
        f"edges_{size}", snn, text=f"edge detection {size} x {size}: {text}Sobel filters 5 x 5 in"
        f" two directions joined by a 3 x 3 mean, over a patch of {PHOTOS}",
        licence="MIT", generator=f"{SCRIPT} edges_{size}", seed=0,
        provenance={"neuron": "IF, threshold 1", "convention": str(CONVENTION),
                    "encoder": "evenly spaced spikes, 32 steps", "window": "one picture"},
        platform=platform, in_default_set=in_default_set,
        values=grey_patch(size).reshape(1, -1), steps=32,
    )  # fmt: skip


def edges_64() -> None:
    """Build the papers' size."""
    edges(64, "the papers' shape (66,970 synapses); ", "dynap_se", in_default_set=False)


def edges_16() -> None:
    """Build a sixteenth of it, small enough to prove how far its spikes must travel."""
    edges(16, "", "mesh_6x6_64", in_default_set=True)


def upscaled(images: np.ndarray, size: int) -> np.ndarray:
    """Return (samples, size * size) pictures by linear interpolation of 8 x 8 ones."""
    at = (np.arange(size) + 0.5) * 8 / size - 0.5
    low = np.clip(np.floor(at).astype(int), 0, 6)
    part = np.clip(at - low, 0, 1)
    rows = images[:, low] * (1 - part)[None, :, None] + images[:, low + 1] * part[None, :, None]
    wide = rows[:, :, low] * (1 - part) + rows[:, :, low + 1] * part
    return wide.reshape(len(images), -1)


def lenet(name: str, network: str, channels: int, size: int, padding: int, data: tuple,
          text: str, what: str, platform: str = "dynap_se") -> None:  # fmt: skip
    """Train a LeNet with pooling as neurons and count its spikes."""
    x, labels, test_x, test_labels = data
    snn = generate(network)
    shapes, blocks = [(channels, size, size)], []
    for layer in range(1, len(snn.populations)):
        population = snn.populations[layer]
        width = population.last - population.first + 1
        tie = None
        before = shapes[-1]
        if population.name.startswith("conv"):
            maps = {1: 6, 3: 16}[layer]
            side = int(np.sqrt(width // maps))
            pad = padding if layer == 1 else 0
            shapes.append((maps, side, side))
            tie = conv_tie(snn, layer, before, shapes[-1], (5, 5), (1, 1), (pad, pad))
        elif population.name.startswith("pool"):
            shapes.append((before[0], before[1] // 2, before[2] // 2))
            tie = np.full(1, -1)
        else:
            shapes.append((1, 1, width))
        blocks.append(block(snn, layer, tie, seed=SEED + layer))
    train(blocks, x, labels, 20, seed=SEED, step=3e-3)
    snn = balanced(snn, blocks, x[:400])
    steps, kept = 64, min(60, len(test_x))
    shown = encode("rate", test_x[:kept], steps, SEED)
    result = run(snn, shown.current)
    answers = result.spikes[:, -10:].argmax(axis=1)
    accuracy = float((answers == test_labels[:kept]).mean())
    snn = snn.with_spikes(result.per_window(), f"simulated: rate code, {steps} steps, {CONVENTION}")
    write_instance(
        name, snn, network=network, platform=platform, text=text, licence="MIT",
        generator=f"{SCRIPT} {name}", seed=SEED, provenance={
            "framework": "numpy, ReLU network converted to IF neurons (scripts/tied.py)",
            "neuron": "IF, threshold 1", "convention": str(CONVENTION),
            "encoder": f"Bernoulli, probability = value, {steps} steps", "window": what,
            "spikes": f"mean over {kept} test samples, rounded up",
            "accuracy": f"{accuracy:.1%} of these test samples, spiking"},
    )  # fmt: skip
    print(f"  spiking accuracy {accuracy:.3f}")


def lenet5() -> None:
    """LeNet-5 on digits scaled up to 28 x 28."""
    digits = load_digits()
    parts = train_test_split(
        digits.images / 16, digits.target, test_size=0.2, random_state=SEED, stratify=digits.target
    )
    data = (upscaled(parts[0], 28), parts[2], upscaled(parts[1], 28), parts[3])
    lenet("lenet5_28", "gen:lenet5-28", 1, 28, 2, data,
          f"LeNet-5 28 x 28: the papers' shape (412,960 synapses), trained on {DIGITS} scaled up",
          "one digit")  # fmt: skip


def lenet_cifar() -> None:
    """LeNet over 3 x 32 x 32: which photograph and which fifth of its height is the patch from."""
    rng = np.random.default_rng(SEED)
    patches, labels = [], []
    for photo, name in enumerate(("china.jpg", "flower.jpg")):
        image = load_sample_image(name).astype(np.float64) / 255
        for _ in range(1000):
            top = int(rng.integers(0, image.shape[0] - 64))
            left = int(rng.integers(0, image.shape[1] - 64))
            cut = image[top : top + 64, left : left + 64].reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
            patches.append(cut.transpose(2, 0, 1).reshape(-1))
            labels.append(5 * photo + 5 * top // (image.shape[0] - 64))
    x, y = np.stack(patches), np.array(labels)
    order = rng.permutation(len(x))
    data = (x[order[:1600]], y[order[:1600]], x[order[1600:]], y[order[1600:]])
    lenet("lenet_cifar", "gen:lenet-cifar-32", 3, 32, 0, data,
          "LeNet over 3 x 32 x 32: the papers' CIFAR shape; our task, for CIFAR ships with no"
          f" package: from which of {BOTH} and which fifth of its height a patch is cut",
          "one patch", "dynap_se")  # fmt: skip


BUILD = {"smoothing_64": smoothing, "edges_16": edges_16, "edges_64": edges_64,
         "lenet5_28": lenet5, "lenet_cifar": lenet_cifar}  # fmt: skip

if __name__ == "__main__":
    for chosen in sys.argv[1:] or BUILD:
        BUILD[chosen]()
