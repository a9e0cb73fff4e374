"""Train the digits networks of this folder: NIR file, spikes and instance file of each.

Needs the extra ``[train]``; what it writes needs neither torch nor scikit-learn::

    python instances/scripts/train_digits.py digits_mlp digits_mlp_784
    python instances/scripts/train_digits.py digits_lenet digits_recurrent

Training is surrogate gradient descent through leaky integrate-and-fire layers (v' = beta v + I,
fires above the threshold, threshold subtracted at once). Accuracy and spikes are those of optmap's
own simulation of the written file on the test images, not of torch.
"""

import argparse
import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nir
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from optmap.readers.nir_file import read_model
from optmap.simulation.encode import bernoulli
from optmap.simulation.simulate import Convention, simulate

HERE = Path(__file__).resolve().parents[1]
SEED = 20260
DT, BETA, THRESHOLD = 1e-4, 0.9, 1.0
CONVENTION = Convention(dt=DT, reset="subtract")


class Spike(torch.autograd.Function):
    """Heaviside step; backwards the derivative of a fast sigmoid of slope 10."""

    @staticmethod
    def forward(ctx, over):  # noqa: D102
        ctx.save_for_backward(over)
        return (over > 0).to(over.dtype)

    @staticmethod
    def backward(ctx, grad):  # noqa: D102
        (over,) = ctx.saved_tensors
        return grad / (1 + 10 * over.abs()) ** 2


class Leaky(nn.Module):
    """One leaky layer with its state; ``recurrent`` feeds its own spikes back a step later."""

    def __init__(self, recurrent: int = 0) -> None:
        super().__init__()
        self.feedback = nn.Linear(recurrent, recurrent, bias=False) if recurrent else None

    def reset(self) -> None:  # noqa: D102
        self.v, self.s = None, None

    def forward(self, current):  # noqa: D102
        if self.feedback is not None and self.s is not None:
            current = current + self.feedback(self.s)
        self.v = current if self.v is None else BETA * self.v + current
        self.s = Spike.apply(self.v - THRESHOLD)
        self.v = self.v - self.s * THRESHOLD
        return self.s


@dataclass(frozen=True)
class Recipe:
    """One network: what it sees, its layers, how long it trains."""

    title: str
    layers: Callable[[], nn.Sequential]
    frames: Callable[[np.ndarray, int], np.ndarray]
    steps: int
    epochs: int
    input_shape: tuple[int, ...]
    encoder: str


def upscaled(images: np.ndarray, size: int) -> np.ndarray:
    """Return (samples, size, size) pictures by linear interpolation of the 8 x 8 ones."""
    at = (np.arange(size) + 0.5) * 8 / size - 0.5
    low = np.clip(np.floor(at).astype(int), 0, 6)
    part = np.clip(at - low, 0, 1)
    rows = images[:, low] * (1 - part)[None, :, None] + images[:, low + 1] * part[None, :, None]
    return rows[:, :, low] * (1 - part) + rows[:, :, low + 1] * part


def whole_image(size: int, steps: int) -> Callable[[np.ndarray, int], np.ndarray]:
    """Return an encoder that shows the picture in every step."""

    def encode(images: np.ndarray, seed: int) -> np.ndarray:
        pictures = images if size == 8 else upscaled(images, size)
        return bernoulli(pictures.reshape(len(images), -1), steps, seed)

    return encode


def row_by_row(images: np.ndarray, seed: int) -> np.ndarray:
    """Return the picture as a film: each of its eight rows for three steps."""
    film = bernoulli(np.repeat(images.transpose(1, 0, 2), 3, axis=0), 1, seed)
    return film[0]


def dense(*sizes: int) -> Callable[[], nn.Sequential]:
    """Return fully connected leaky layers."""

    def build() -> nn.Sequential:
        parts: list[nn.Module] = []
        for before, after in itertools.pairwise(sizes):
            parts += [nn.Linear(before, after), Leaky()]
        return nn.Sequential(*parts)

    return build


def lenet() -> nn.Sequential:
    """Return two convolutions with pooling and two dense layers, over 16 x 16 pictures."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), Leaky(), nn.AvgPool2d(2),
        nn.Conv2d(6, 12, 5), Leaky(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(48, 32), Leaky(), nn.Linear(32, 10), Leaky(),
    )  # fmt: skip


def recurrent() -> nn.Sequential:
    """Return one recurrent layer between dense ones, over the eight pixels of a row."""
    return nn.Sequential(nn.Linear(8, 48), Leaky(recurrent=48), nn.Linear(48, 10), Leaky())


BERNOULLI = "Bernoulli, probability = grey value / 16, {steps} steps"
RECIPES = {
    "digits_mlp": Recipe(
        "dense 64-64-10", dense(64, 64, 10), whole_image(8, 16), 16, 40, (64,), BERNOULLI
    ),
    "digits_mlp_784": Recipe(
        "dense 784-100-10 on digits scaled up to 28 x 28",
        dense(784, 100, 10), whole_image(28, 16), 16, 25, (784,), BERNOULLI,
    ),
    "digits_lenet": Recipe(
        "LeNet-like, two convolutions with pooling, on digits scaled up to 16 x 16",
        lenet, whole_image(16, 16), 16, 25, (1, 16, 16), BERNOULLI,
    ),
    "digits_recurrent": Recipe(
        "one recurrent layer of 48 over the rows of a digit",
        recurrent, row_by_row, 24, 60, (8,), BERNOULLI + ", each row for 3",
    ),
}  # fmt: skip


def run(net: nn.Sequential, frames: np.ndarray, shape: tuple[int, ...]) -> torch.Tensor:
    """Return the output spikes summed over time, for frames (steps, samples, n)."""
    for part in net:
        if isinstance(part, Leaky):
            part.reset()
    total = 0
    for frame in torch.from_numpy(frames.astype(np.float32)):
        total = total + net(frame.reshape(-1, *shape))
    return total


def train(recipe: Recipe, images: np.ndarray, labels: np.ndarray) -> nn.Sequential:
    """Return the trained network."""
    torch.manual_seed(SEED)
    net = recipe.layers()
    with torch.no_grad():  # sparse input would leave the deeper layers silent at first
        for part in net:
            if isinstance(part, nn.Linear | nn.Conv2d):
                part.weight *= 2.0
    steps = -(-len(images) // 64) * recipe.epochs
    optimiser = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    draw = np.random.default_rng(SEED)
    for epoch in range(recipe.epochs):
        lost = 0.0
        for chosen in np.array_split(draw.permutation(len(images)), -(-len(images) // 64)):
            frames = recipe.frames(images[chosen], int(draw.integers(2**31)))
            counts = run(net, frames, recipe.input_shape)
            loss = nn.functional.cross_entropy(counts / 2, torch.from_numpy(labels[chosen]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            lost += loss.item()
        if epoch % 5 == 4:
            print(f"  epoch {epoch + 1}: loss {lost:.2f}", flush=True)
    return net


def neurons(shape: tuple[int, ...]) -> nir.LIF:
    """Return a NIR layer that does what :class:`Leaky` does with steps of DT."""
    full = np.ones(shape)
    return nir.LIF(
        tau=full * DT / (1 - BETA),
        r=full / (1 - BETA),
        v_leak=full * 0,
        v_threshold=full * THRESHOLD,
        v_reset=full * 0,
    )


def exported(net: nn.Sequential, shape: tuple[int, ...]) -> nir.NIRGraph:
    """Return the network as a NIR graph; recurrence as a loop of edges."""
    nodes: dict[str, nir.NIRNode] = {"input": nir.Input(np.array(shape))}
    edges: list[tuple[str, str]] = []
    last, sample, count = "input", torch.zeros(1, *shape), 0
    for part in net:
        if isinstance(part, Leaky):
            part.reset()
        sample = part(sample)
        here = tuple(sample.shape[1:])
        count += not isinstance(part, Leaky)
        name = (
            f"{count}_lif" if isinstance(part, Leaky) else f"{count}_{type(part).__name__.lower()}"
        )
        nodes[name] = node_of(part, here, nodes[last])
        edges.append((last, name))
        if isinstance(part, Leaky) and part.feedback is not None:
            nodes[f"{name}_rec"] = nir.Linear(part.feedback.weight.detach().numpy())
            edges += [(name, f"{name}_rec"), (f"{name}_rec", name)]
        last = name
    nodes["output"] = nir.Output(np.array(sample.shape[1:]))
    return nir.NIRGraph(nodes=nodes, edges=[*edges, (last, "output")])


def node_of(part: nn.Module, here: tuple[int, ...], before: nir.NIRNode) -> nir.NIRNode:
    """Return the NIR node of one torch layer."""
    given = before.output_type["output"]
    if isinstance(part, Leaky):
        return neurons(here)
    if isinstance(part, nn.Linear):
        return nir.Affine(part.weight.detach().numpy(), part.bias.detach().numpy())
    if isinstance(part, nn.Conv2d):
        return nir.Conv2d(
            input_shape=None if given is None else tuple(int(n) for n in given[1:]),
            weight=part.weight.detach().numpy(), stride=part.stride, padding=part.padding,
            dilation=part.dilation, groups=part.groups, bias=part.bias.detach().numpy(),
        )  # fmt: skip
    if isinstance(part, nn.AvgPool2d):
        two = np.array([2, 2])
        return nir.AvgPool2d(kernel_size=two, stride=two, padding=np.array([0, 0]))
    return nir.Flatten(input_type={"input": np.array([12, 2, 2])}, start_dim=0, end_dim=-1)


TOML = """\
schema = 1
name = "{name}"
network = "{name}.nir"
spikes = "{name}_spikes.npz"
platform = "platforms/dynap_se.toml"
tokens = "dataflow"

[origin]
text = "{title}; trained on scikit-learn's digits (UCI, Alpaydin and Kaynak 1998, CC BY 4.0)"
licence = "MIT"
generator = "scripts/train_digits.py {name}"
seed = {seed}

[provenance]
framework = "torch {torch}, surrogate gradient; spikes counted by optmap.simulation.simulate"
neuron = "LIF, beta {beta}, threshold {threshold}"
convention = "{convention}"
encoder = "{encoder}"
window = "one digit, {steps} time steps"
spikes = "mean over the {samples} test digits, rounded up"
accuracy = "{accuracy:.1%} of the test digits"
"""


def main(names: list[str]) -> None:
    """Train each named network and write its three files."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    digits = load_digits()
    images = digits.images / 16
    train_x, test_x, train_y, test_y = train_test_split(
        images, digits.target, test_size=0.2, random_state=SEED, stratify=digits.target
    )
    for name in names:
        recipe = RECIPES[name]
        print(name, flush=True)
        net = train(recipe, train_x, train_y)
        file = HERE / f"{name}.nir"
        frames = recipe.frames(test_x, SEED)
        with torch.no_grad():
            by_torch = run(net, frames, recipe.input_shape).argmax(1).numpy()
            nir.write(file, exported(net, recipe.input_shape))
        model = read_model(file)
        result = simulate(model, {"input": frames}, CONVENTION)
        answers = result.spikes[:, model.first[-2] :].argmax(axis=1)
        accuracy = float((answers == test_y).mean())
        print(f"  accuracy {accuracy:.4f}, torch {(by_torch == test_y).mean():.4f}")
        steps = recipe.encoder.format(steps=recipe.steps)
        origin = f"simulated: {steps}, {CONVENTION}"
        np.savez_compressed(
            HERE / f"{name}_spikes.npz", spikes=result.per_window(), spikes_origin=origin
        )
        text = TOML.format(
            name=name, title=recipe.title, seed=SEED, torch=torch.__version__.split("+")[0],
            beta=BETA, threshold=THRESHOLD, convention=CONVENTION, encoder=steps,
            steps=recipe.steps, samples=len(test_x), accuracy=accuracy,
        )  # fmt: skip
        (HERE / f"{name}.toml").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="+", choices=sorted(RECIPES))
    sys.exit(main(parser.parse_args().names))
