"""Networks by name: ``gen:mlp-784-100-10`` and the other connectivities of the literature.

Every generator is deterministic; the one that draws at random has its seed written here. None of
them knows how often a neuron fires, so every spike profile is "assumed".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt

import numpy as np

from optmap.errors import InputError
from optmap.generators.irregular import reservoir_in_the_plane, scale_free, small_world
from optmap.generators.layers import MAX_SYNAPSES, Layers, perceptron
from optmap.generators.unroll import Windows
from optmap.model.snn import SNN, IndexArray

PREFIX = "gen:"

#: The smallest seed with which the reservoir has the 73,948 synapses of the published comparison.
RESERVOIR_SEED = 16


def mlp(*sizes: int) -> SNN:
    """Return fully connected layers: ``mlp(784, 100, 10)`` has 79,400 synapses."""
    hidden = [f"hidden{i}" for i in range(1, len(sizes) - 1)]
    return perceptron(["input", *hidden, "output"], sizes)


def single_filter(
    size: int, kernel: int = 3, stride: int = 2, padding: int = 1, maps: int = 1
) -> SNN:
    """Return ``maps`` feature maps of one kernel x kernel filter over a size x size image."""
    net = Layers()
    image = net.inputs("image", (1, size, size))
    net.windows("maps", image, _square((1, size, size), maps, kernel, stride, padding))
    return net.build()


def smooth(size: int) -> SNN:
    """Return a 3 x 3 smoothing, stride 2, padding 1, over size x size (64: 9,025 synapses)."""
    return single_filter(size)


def edges(size: int) -> SNN:
    """Return two 5 x 5 stride-2 filters and a 3 x 3 one over both (64: 66,970 synapses)."""
    net = Layers()
    image = net.inputs("image", (1, size, size))
    gradients = net.windows("gradients", image, _square((1, size, size), 2, 5, 2, 2))
    net.windows("edges", gradients, _square(net.shapes[gradients], 1, 3, 1, 1))
    return net.build()


def lenet5(size: int) -> SNN:
    """Return LeNet-5 with pooling as neurons, first padding 2 (28: 412,960 synapses)."""
    return _lenet((1, size, size), padding=2)


def lenet_cifar(size: int) -> SNN:
    """Return LeNet-5 over three colours, no padding, pooling as neurons (32: 658,024 synapses)."""
    return _lenet((3, size, size), padding=0)


def _lenet(shape: tuple[int, int, int], padding: int) -> SNN:
    net = Layers()
    last = net.inputs("image", shape)
    for i, (maps, around) in enumerate(((6, padding), (16, 0)), start=1):
        last = net.windows(f"conv{i}", last, _square(net.shapes[last], maps, 5, 1, around))
        last = _pool(net, f"pool{i}", last)
    for i, width in enumerate((120, 84), start=1):
        last = net.dense(f"fc{i}", width, last)
    net.dense("output", 10, last)
    return net.build()


def reservoir(size: int) -> SNN:
    """Return a liquid state machine: 60 reservoir and 4 of 64 external reads each, 10 readouts.

    The 60 are drawn without repetition among all ``size`` neurons; where the neuron draws itself
    that synapse is left out, so that the total is a little below 64 a neuron plus the readouts.
    """
    if size < 60:
        raise ValueError(f"{size} neurons cannot draw 60 different ones")
    _within_limit(size * (64 + 10))
    rng = np.random.default_rng(RESERVOIR_SEED)
    net = Layers()
    net.inputs("external", (1, 1, 64))
    fan_in: list[IndexArray] = []
    for neuron in range(size):
        outside = np.sort(rng.choice(64, 4, replace=False))
        inside = np.sort(rng.choice(size, 60, replace=False))
        fan_in.append(np.concatenate([outside, inside[inside != neuron] + 64]).astype(np.int32))
    counts = np.array([len(sources) for sources in fan_in], dtype=np.int64)
    liquid = net.reading("reservoir", (1, 1, size), counts, np.concatenate(fan_in))
    net.dense("readout", 10, liquid)
    return net.build()


def vgg(size: int, width: int) -> SNN:
    """Return VGG-16's 13 convolutions over 3 x size x size, ``width`` maps in the first (64: VGG).

    Pooling as neurons, one dense layer of 10 at the end. ``vgg-32-40`` has about 10^8 synapses.
    """
    net = Layers()
    last = net.inputs("image", (3, size, size))
    for block, (depth, factor) in enumerate(((2, 1), (2, 2), (3, 4), (3, 8), (3, 8)), start=1):
        for i in range(1, depth + 1):
            windows = _square(net.shapes[last], width * factor, 3, 1, 1)
            last = net.windows(f"conv{block}_{i}", last, windows)
        last = _pool(net, f"pool{block}", last)
    net.dense("output", 10, last)
    return net.build()


def alexnet(size: int, width: int) -> SNN:
    """Return AlexNet over 3 x size x size, ``width`` maps in the first layer (227, 96: AlexNet).

    Five convolutions, overlapping 3 x 3 pooling as neurons, three dense layers of which the last
    has 10 neurons; the other widths are AlexNet's, divided as the first one is.
    """
    net = Layers()
    last = net.inputs("image", (3, size, size))
    kernels = (
        (96, 11, 4, 2, True),
        (256, 5, 1, 2, True),
        (384, 3, 1, 1, False),
        (384, 3, 1, 1, False),
        (256, 3, 1, 1, True),
    )
    for i, (maps, kernel, stride, padding, pooled) in enumerate(kernels, start=1):
        windows = _square(net.shapes[last], max(maps * width // 96, 1), kernel, stride, padding)
        last = net.windows(f"conv{i}", last, windows)
        if pooled:
            last = _pool(net, f"pool{i}", last, 3)
    for i in (1, 2):
        last = net.dense(f"fc{i}", max(4096 * width // 96, 1), last)
    net.dense("output", 10, last)
    return net.build()


def scale_dense(synapses: int) -> SNN:
    """Return a square perceptron of four layers with about ``synapses`` synapses."""
    side = max(1, isqrt(_within_limit(synapses) // 3))
    return mlp(side, side, side, side)


def scale_conv(synapses: int) -> SNN:
    """Return three 3 x 3 layers of eight maps each, fan-in 72, about ``synapses`` synapses."""
    side = max(1, isqrt(_within_limit(synapses) // (3 * 8 * 72)))
    net = Layers()
    last = net.inputs("maps0", (8, side, side))
    for i in range(1, 4):
        last = net.windows(f"maps{i}", last, _square((8, side, side), 8, 3, 1, 1))
    return net.build()


def _square(
    shape: tuple[int, int, int], maps: int, kernel: int, stride: int, padding: int
) -> Windows:
    pads = ((padding, padding), (padding, padding))
    return Windows(shape, maps, (kernel, kernel), (stride, stride), pads)


def _pool(net: Layers, name: str, source: int, side: int = 2) -> int:
    """Return ``side`` x ``side`` windows of stride 2 over every map."""
    shape = net.shapes[source]
    windows = Windows(shape, shape[0], (side, side), (2, 2), groups=shape[0])
    return net.windows(name, source, windows)


def _within_limit(synapses: int) -> int:
    if synapses > MAX_SYNAPSES:
        raise ValueError(f"{synapses} synapses, at most {MAX_SYNAPSES}")
    return synapses


@dataclass(frozen=True, slots=True)
class Generator:
    """One family of names.

    Parameters
    ----------
    usage, summary : str
        How a name of the family is written and what it makes, for ``--help``.
    pattern : str
        What a whole name must match; every group is a run of whole numbers joined by hyphens.
        Named groups are passed by name where they are present, the others in order.
    build : callable
        Takes those numbers.
    """

    usage: str
    summary: str
    pattern: str
    build: Callable[..., SNN]


#: Every family, in the order ``--help`` lists them.
GENERATORS: tuple[Generator, ...] = (
    Generator(
        "mlp-A-B-...",
        "dense layers of A, B, ... neurons (mlp-784-100-10)",
        r"mlp-(\d+(?:-\d+)+)",
        mlp,
    ),
    Generator(
        "smooth-N",
        "3 x 3 filter, stride 2, padding 1, over N x N (smooth-64)",
        r"smooth-(\d+)",
        smooth,
    ),
    Generator(
        "edges-N",
        "two 5 x 5 stride-2 filters joined by a 3 x 3 one, over N x N (edges-64)",
        r"edges-(\d+)",
        edges,
    ),
    Generator(
        "lenet5-N",
        "LeNet-5 over N x N, pooling as neurons (lenet5-28)",
        r"lenet5-(\d+)",
        lenet5,
    ),
    Generator(
        "lenet-cifar-N",
        "LeNet-5 over 3 x N x N, no padding, pooling as neurons (lenet-cifar-32)",
        r"lenet-cifar-(\d+)",
        lenet_cifar,
    ),
    Generator(
        "reservoir-N",
        "N random neurons of fan-in 64 and 10 readouts (reservoir-1000)",
        r"reservoir-(\d+)",
        reservoir,
    ),
    Generator(
        "reservoir-2d-N-F",
        "N neurons in the plane that send to about F near ones (reservoir-2d-4096-64)",
        r"reservoir-2d-(\d+-\d+)",
        reservoir_in_the_plane,
    ),
    Generator(
        "filter-N[-kK][-sS][-pP][-cC]",
        "C maps of a K x K filter, stride S, padding P, over N x N (default 3, 2, 1, C = 1)",
        r"filter-(?P<size>\d+)(?:-k(?P<kernel>\d+))?(?:-s(?P<stride>\d+))?(?:-p(?P<padding>\d+))?"
        r"(?:-c(?P<maps>\d+))?",
        single_filter,
    ),
    Generator(
        "vgg-N-W",
        "VGG-16's convolutions over 3 x N x N, W maps in the first (vgg-32-40)",
        r"vgg-(\d+-\d+)",
        vgg,
    ),
    Generator(
        "alexnet-N-W",
        "AlexNet over 3 x N x N, W maps in the first layer (alexnet-63-6)",
        r"alexnet-(\d+-\d+)",
        alexnet,
    ),
    Generator(
        "scale-dense-S",
        "four square dense layers, about S synapses",
        r"scale-dense-(\d+)",
        scale_dense,
    ),
    Generator(
        "scale-conv-S",
        "three 3 x 3 layers of fan-in 72, about S synapses",
        r"scale-conv-(\d+)",
        scale_conv,
    ),
    Generator(
        "small-world-N-K",
        "ring of N neurons that read K neighbours, a tenth rewired (small-world-10000-100)",
        r"small-world-(\d+-\d+)",
        small_world,
    ),
    Generator(
        "scale-free-N-M",
        "each of N neurons joins M older ones, popular ones more often (scale-free-10000-10)",
        r"scale-free-(\d+-\d+)",
        scale_free,
    ),
)

#: A longer number names no network; the cap keeps absurd ones out of the arithmetic.
_MAX_DIGITS = 12


def generate(name: str) -> SNN:
    """Return the network called ``name`` (with or without the leading ``gen:``).

    Raises
    ------
    InputError
        If no family has that name, or its numbers make no network.

    Examples
    --------
    >>> generate("gen:smooth-64")
    SNN(5120 neurons, 9025 synapses, 4096 inputs, spikes: assumed)
    """
    plain = name.removeprefix(PREFIX)
    for generator in GENERATORS:
        match = re.fullmatch(generator.pattern, plain, flags=re.ASCII)
        if match is None:
            continue
        if any(len(digits) > _MAX_DIGITS for digits in re.findall(r"\d+", plain)):
            raise InputError(name, "", "a number of too many digits", generator.usage)
        named = {key: int(value) for key, value in match.groupdict().items() if value is not None}
        plain_groups = () if named else match.groups()
        numbers = [int(part) for group in plain_groups for part in group.split("-")]
        try:
            return generator.build(*numbers, **named)
        except ValueError as error:
            expected = f"{generator.usage} with numbers that fit each other"
            raise InputError(name, "", str(error), expected) from None
    usages = ", ".join(generator.usage for generator in GENERATORS)
    raise InputError(name, "", "an unknown generator", f"one of {usages}")
