"""What needs no training: values for the digits' encodings, the tutorial graph, scaling sweeps.

Needs scikit-learn for the digits, no torch::

    python instances/scripts/build_small.py
"""

from __future__ import annotations

import numpy as np
from instance_text import HERE
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from optmap.sdf.graph import sdfg
from optmap.sdf.xml import sdf3_text

SEED = 20260
SAMPLES = 12

#: The LeNet-MNIST graph of the DFSynthesizer tutorial: (producer, consumer, tokens a window), and
#: as many tokens at the start; every actor takes 16 time units. There is no actor 6.
TUTORIAL = [(0, 1, 2), (0, 2, 2), (1, 0, 2), (1, 5, 2), (2, 1, 3), (2, 5, 3), (3, 1, 1), (3, 5, 1),
            (4, 0, 2), (4, 1, 2), (5, 3, 3), (5, 1, 3), (7, 0, 1)]  # fmt: skip

#: name: network, set, what for
GENERATED = {
    "mlp_tiny": ("gen:mlp-3-2-2", "example", "ten synapses, for a first look"),
    "reservoir_1000": ("gen:reservoir-1000", "all", "liquid state machine, 1,000 neurons of"
                       " fan-in 64 and a readout: the shape of the published comparison"),
    "scale_dense_1e3": ("gen:scale-dense-1000", "default", "dense layers"),
    "scale_dense_1e4": ("gen:scale-dense-10000", "default", "dense layers"),
    "scale_dense_1e5": ("gen:scale-dense-100000", "default", "dense layers"),
    "scale_dense_1e6": ("gen:scale-dense-1000000", "all", "dense layers"),
    "scale_dense_1e7": ("gen:scale-dense-10000000", "all", "dense layers"),
    "scale_conv_1e4": ("gen:scale-conv-10000", "default", "convolutions"),
    "scale_conv_1e5": ("gen:scale-conv-100000", "default", "convolutions"),
    "scale_conv_1e6": ("gen:scale-conv-1000000", "all", "convolutions"),
    "scale_conv_1e7": ("gen:scale-conv-10000000", "all", "convolutions"),
    "scale_reservoir_1e4": ("gen:reservoir-135", "default", "reservoirs"),
    "scale_reservoir_1e6": ("gen:reservoir-13500", "all", "reservoirs"),
    "small_world_1e4": ("gen:small-world-500-20", "default", "small worlds"),
    "small_world_1e5": ("gen:small-world-2000-50", "default", "small worlds"),
    "small_world_1e6": ("gen:small-world-10000-100", "all", "small worlds"),
    "scale_free_1e4": ("gen:scale-free-1000-10", "default", "scale-free graphs"),
    "scale_free_1e5": ("gen:scale-free-10000-10", "default", "scale-free graphs"),
    "scale_free_1e6": ("gen:scale-free-100000-10", "all", "scale-free graphs"),
    "vgg_32_40": ("gen:vgg-32-40", "all", "VGG-16's convolutions, 40 maps in the first"),
}  # fmt: skip

TOML = """schema = 1
name = "{name}"
network = "{network}"
platform = "{platform}.toml"
tokens = "{tokens}"
{extra}
[origin]
text = "{text}"
licence = "MIT"
generator = "{generator}"
seed = {seed}

[provenance]
spikes = "{spikes}"
"""


def values() -> None:
    """Write what the digits networks can be shown in another code: test digits."""
    digits = load_digits()
    _, test, _, _ = train_test_split(
        digits.images / 16, digits.target, test_size=0.2, random_state=SEED, stratify=digits.target
    )
    shown = {"digits_mlp": test[:SAMPLES].reshape(SAMPLES, -1),
             "digits_recurrent": test[:SAMPLES].transpose(1, 0, 2)}  # fmt: skip
    for name, array in shown.items():
        np.savez_compressed(HERE / f"{name}_values.npz", values=array.astype(np.float32))


def tutorial() -> None:
    """Write the tutorial's graph: seven actors, thirteen channels."""
    actors = sorted({a for a, b, _ in TUTORIAL} | {b for _, b, _ in TUTORIAL})
    graph = sdfg(
        [(f"actor_{a}", 16) for a in actors],
        [(f"actor_{a}", f"actor_{b}", rate, rate, rate) for a, b, rate in TUTORIAL],
    )
    (HERE / "lenet_mnist_7.xml").write_text(sdf3_text(graph), encoding="utf-8")
    text = TOML.format(
        name="lenet_mnist_7", network="lenet_mnist_7.xml", platform="platforms/tutorial_2x2",
        tokens="pipelined", extra='set = "example"\n', generator="scripts/build_small.py", seed=0,
        text="LeNet-MNIST as seven clusters: the published graph of the DFSynthesizer tutorial"
        " (Song et al., arXiv 2108.02023), rates and times written down anew",
        spikes="the graph's rates",
    )  # fmt: skip
    (HERE / "lenet_mnist_7.toml").write_text(text, encoding="utf-8")


def generated() -> None:
    """Write the instances that are a name only."""
    for name, (network, group, text) in GENERATED.items():
        sweep = name not in ("mlp_tiny", "reservoir_1000")
        extra = "" if group == "default" else f'set = "{group}"\n'
        file = TOML.format(
            name=name, network=network, platform=("../" if sweep else "") + "platforms/dynap_se",
            tokens="dataflow", extra=extra, text=text, generator=network, seed=0,
            spikes="assumed: one per neuron, nobody recorded any",
        )  # fmt: skip
        folder = HERE / "scaling" if sweep else HERE
        (folder / f"{name}.toml").write_text(file, encoding="utf-8")


if __name__ == "__main__":
    values()
    tutorial()
    generated()
