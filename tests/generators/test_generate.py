"""Generators: published totals, structure against a loop in plain Python, refusals."""

import numpy as np
import pytest

from optmap.errors import InputError
from optmap.generators.generate import GENERATORS, generate
from optmap.generators.unroll import Windows


@pytest.mark.parametrize(
    ("name", "neurons", "synapses", "inputs", "fan_in"),
    [
        ("mlp-784-100-10", 894, 79_400, 784, 784),
        ("smooth-64", 5_120, 9_025, 4_096, 9),
        ("edges-64", 7_168, 66_970, 4_096, 25),
        ("lenet5-28", 8_878, 412_960, 784, 400),
        ("lenet-cifar-32", 11_166, 658_024, 3_072, 400),
        ("reservoir-1000", 1_074, 73_948, 64, 1_000),
        ("filter-8", 80, 121, 64, 9),
        ("filter-16", 320, 529, 256, 9),
        ("filter-32", 1_280, 2_209, 1_024, 9),
        ("filter-5-k3-s1-p0-c4", 61, 324, 25, 9),
        ("scale-dense-30000", 400, 30_000, 100, 100),
        ("scale-conv-10000", 128, 3_072, 32, 32),
        ("vgg-32-1", 7_890, 88_504, 3_072, 72),
        ("alexnet-63-2", 13_119, 180_824, 11_907, 363),
        ("small-world-500-20", 500, 9_964, 0, 20),
        ("scale-free-1000-10", 1_000, 9_749, 0, 173),
    ],
)
def test_totals(name, neurons, synapses, inputs, fan_in):
    snn = generate(f"gen:{name}")
    assert snn.num_neurons == neurons
    assert snn.num_synapses == synapses
    assert snn.num_neurons - snn.num_units == inputs
    assert snn.max_fan_in == fan_in
    assert snn.spikes_origin == "assumed"
    assert snn.spikes.tolist() == [1] * neurons


def test_a_reservoir_in_the_plane():
    snn = generate("gen:reservoir-2d-256-16")
    assert (snn.num_neurons, snn.num_synapses) == (256, 4026)
    assert snn.spikes_origin == "log-normal, generated"
    assert snn.spikes.min() >= 1
    assert 6 < snn.spikes.mean() < 10
    assert (snn.fan_out <= 40).all()
    assert not (snn.post_of_synapse() == snn.indices).any()


def test_every_family_is_tried_above():
    """A family added to the table needs a total here."""
    families = {generator.usage.split("-N")[0].split("-S")[0] for generator in GENERATORS}
    assert len(families) == len(GENERATORS) == 14


def test_reservoir_repeats_and_never_reads_itself():
    snn = generate("reservoir-1000")
    assert snn == generate("gen:reservoir-1000")
    assert not (snn.indices == snn.post_of_synapse()).any()
    inside = snn.fan_in[64:1064]
    assert inside.max() == 64
    assert set(np.unique(inside)) == {63, 64}


def test_layers_are_named_populations():
    snn = generate("lenet5-28")
    assert [p.name for p in snn.populations] == [
        "image", "conv1", "pool1", "conv2", "pool2", "fc1", "fc2", "output",
    ]  # fmt: skip
    assert snn.populations[-1].last == snn.num_neurons - 1


def windows_by_loop(w: Windows) -> list[list[int]]:
    """Oracle: the textbook definition, one tap at a time."""
    maps, height, width = w.shape
    _, rows, columns = w.output
    each, outs = maps // w.groups, w.channels // w.groups
    fan_in = []
    for c in range(w.channels):
        for y in range(rows):
            for x in range(columns):
                reads = []
                for ci in range(c // outs * each, c // outs * each + each):
                    for ky in range(w.kernel[0]):
                        for kx in range(w.kernel[1]):
                            iy = y * w.stride[0] - w.padding[0][0] + ky * w.dilation[0]
                            ix = x * w.stride[1] - w.padding[1][0] + kx * w.dilation[1]
                            if 0 <= iy < height and 0 <= ix < width:
                                reads.append((ci * height + iy) * width + ix)
                fan_in.append(reads)
    return fan_in


def test_windows_equal_the_textbook_loop():
    rng = np.random.default_rng(7)
    tried = 0
    while tried < 60:
        groups = int(rng.integers(1, 4))
        pick = lambda low, high: tuple(int(v) for v in rng.integers(low, high, 2))  # noqa: E731
        try:
            windows = Windows(
                (groups * int(rng.integers(1, 3)), *pick(1, 8)),
                groups * int(rng.integers(1, 3)),
                pick(1, 5),
                pick(1, 4),
                (pick(0, 3), pick(0, 3)),
                pick(1, 3),
                groups,
            )
        except ValueError:
            continue  # the kernel does not fit; refusals have their own test
        tried += 1
        expected = windows_by_loop(windows)
        counts, sources = windows.fan_in()
        assert counts.tolist() == [len(reads) for reads in expected]
        assert sources.tolist() == [i for reads in expected for i in reads]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("nonsense", "an unknown generator"),
        ("", "an unknown generator"),
        ("mlp-784", "an unknown generator"),
        ("mlp-784-x", "an unknown generator"),
        ("mlp-\u0663-4", "an unknown generator"),
        ("mlp-0-3", "at least one neuron"),
        ("mlp-100000-100000", "10000000000 synapses"),
        ("lenet5-3", "does not fit"),
        ("smooth-0", "at least one neuron"),
        ("smooth-999999999", "more than 2147483647 neurons"),
        ("filter-8-k3-s0", "sizes must be >= 1"),
        ("reservoir-59", "cannot draw 60"),
        ("reservoir-99999999999", "synapses, at most"),
        ("scale-dense-99999999999", "at most"),
        ("scale-conv-9999999999999", "too many digits"),
    ],
)
def test_refusals_name_what_was_found(name, found):
    with pytest.raises(InputError) as caught:
        generate(f"gen:{name}")
    assert found in caught.value.found
    assert caught.value.where == f"gen:{name}"
    assert "\n" not in str(caught.value)
