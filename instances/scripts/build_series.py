"""Networks over time: heartbeats, digits row by row, a moving target. Data of our own, said so.

Needs scikit-learn, no torch::

    python instances/scripts/build_series.py heart_class heart_rate digits_reservoir pursuit sigma_delta
"""  # noqa: E501

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
from instance_text import write_instance
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import train_test_split
from tied import CONVENTION, balanced, block, conv_tie, run, train

from optmap.generators.layers import Layers
from optmap.generators.unroll import Windows
from optmap.model.snn import SNN, Population, from_edges
from optmap.simulation.encode import encode
from optmap.simulation.encoded import integrate_and_fire
from optmap.simulation.simulate import simulate

SEED = 20260
SCRIPT = "scripts/build_series.py"
DIGITS = "scikit-learn's digits (UCI, Alpaydin and Kaynak 1998, CC BY 4.0)"
LENGTH = 128

#: Beats as sums of Gaussians (place, width, height), after the model of McSharry et al. 2003.
BEATS = {
    "normal": ((0.25, 0.030, 0.12), (0.40, 0.008, -0.1), (0.42, 0.010, 1.0), (0.44, 0.009, -0.2),
               (0.68, 0.050, 0.25)),
    "ventricular": ((0.38, 0.030, -0.3), (0.43, 0.040, 0.9), (0.70, 0.060, -0.4)),
    "atrial": ((0.12, 0.020, -0.1), (0.27, 0.008, -0.1), (0.29, 0.010, 0.95),
               (0.31, 0.009, -0.2), (0.55, 0.050, 0.25)),
    "block": ((0.25, 0.030, 0.12), (0.41, 0.016, 0.6), (0.46, 0.018, 0.75), (0.70, 0.050, -0.2)),
}  # fmt: skip


def beat(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Return one beat of LENGTH samples, 0 to 1, with jitter and noise."""
    t = np.arange(LENGTH) / LENGTH
    wave = rng.normal(0, 0.03, LENGTH)
    shift = rng.normal(0, 0.015)
    for place, width, height in BEATS[kind]:
        size = height * rng.normal(1, 0.12)
        wave += size * np.exp(-(((t - place - shift) / (width * rng.normal(1, 0.1))) ** 2) / 2)
    return np.clip((wave + 0.6) / 1.9, 0, 1)


def heart_class() -> None:
    """1-D CNN over one beat, four kinds of beats."""
    rng = np.random.default_rng(SEED)
    labels = rng.integers(0, 4, 1200)
    x = np.stack([beat(list(BEATS)[k], rng) for k in labels])
    net = Layers()
    last = net.inputs("ecg", (1, 1, LENGTH))
    for i, (maps, kernel) in enumerate(((8, 9), (16, 5)), start=1):
        last = net.windows(f"conv{i}", last, Windows(net.shapes[last], maps, (1, kernel), (1, 2)))
    last = net.dense("fc", 32, last)
    net.dense("output", 4, last)
    shapes = list(net.shapes)
    snn = net.build()
    blocks = []
    for layer in range(1, 5):
        tie = None
        if layer < 3:
            kernel = (1, 9 if layer == 1 else 5)
            tie = conv_tie(snn, layer, shapes[layer - 1], shapes[layer], kernel, (1, 2), (0, 0))
        blocks.append(block(snn, layer, tie, seed=SEED + layer))
    train(blocks, x[:1000], labels[:1000], 15, seed=SEED)
    snn = balanced(snn, blocks, x[:400])
    shown = encode("rate", x[1000:1100], 64, SEED)
    result = run(snn, shown.current)
    accuracy = (result.spikes[:, -4:].argmax(axis=1) == labels[1000:1100]).mean()
    origin = f"simulated: rate code, 64 steps, {CONVENTION}"
    write_instance(
        "heart_class", snn.with_spikes(result.per_window(), origin),
        text="heartbeat classification: a 1-D CNN of our own shape (the papers' is a CNN over 82 x"
        " 82 pictures) on a synthetic ECG, sums of Gaussians after McSharry et al. 2003",
        licence="MIT", generator=f"{SCRIPT} heart_class", seed=SEED,
        provenance={"framework": "numpy, ReLU network converted to IF neurons (scripts/tied.py)",
                    "convention": str(CONVENTION), "encoder": "Bernoulli, 64 steps",
                    "window": "one beat", "spikes": "mean over 100 test beats, rounded up",
                    "accuracy": f"{accuracy:.1%} of these test beats, four kinds, spiking"},
        values=x[1000:1012], steps=64,
    )  # fmt: skip
    print(f"  accuracy {accuracy:.3f}")


def leaky(snn: SNN, populations: dict[str, float]) -> object:
    """Return the spiking model with leak: time constants in steps, by population."""
    spiking = integrate_and_fire(snn)
    layers = []
    for layer in spiking.layers:
        if layer.name in populations:
            ones, tau = np.ones(layer.size), populations[layer.name]
            parameters = {"tau": ones * tau, "r": ones * tau, "v_leak": ones * 0,
                          "v_threshold": ones, "v_reset": ones * 0}  # fmt: skip
            layer = replace(layer, kind="LIF", parameters=parameters)
        layers.append(layer)
    return replace(spiking, layers=tuple(layers))


def heart_rate() -> None:
    """Liquid state machine of 5 x 5 x 10 neurons that tells the heart rate."""
    rng = np.random.default_rng(SEED)
    place = np.stack(np.meshgrid(range(5), range(5), range(10), indexing="ij"), -1).reshape(-1, 3)
    n = len(place)
    inhibits = np.zeros(n, dtype=bool)
    inhibits[rng.choice(n, n // 5, replace=False)] = True
    distance = np.linalg.norm(place[:, None] - place[None], axis=2)
    scale = np.where(inhibits, 0.2, 0.3)
    joined = rng.random((n, n)) < scale[:, None] * np.exp(-((distance / 2.5) ** 2))
    np.fill_diagonal(joined, False)
    pre, post = np.nonzero(joined)
    weight = np.where(inhibits[pre], -0.4, 0.10) * rng.uniform(0.5, 1.5, len(pre))
    told = rng.random((2, n)) < 0.3
    channel, heard = np.nonzero(told & ~inhibits)
    sums = rng.uniform(0.5, 1.1, len(channel))
    readouts = 8
    out = 2 + n + np.arange(readouts)
    every = np.arange(n) + 2
    rates = rng.uniform(50, 130, 240)
    events = np.stack([delta_events(rate, rng) for rate in rates], axis=1)

    def network(weights_out: np.ndarray) -> SNN:
        return from_edges(
            np.concatenate([channel, pre + 2, np.tile(every, readouts)]),
            np.concatenate([heard + 2, post + 2, np.repeat(out, n)]),
            2 + n + readouts,
            weights=np.concatenate([sums, weight, weights_out.reshape(-1)]),
            populations=[Population("ecg", 0, 1), Population("liquid", 2, n + 1),
                         Population("readout", n + 2, n + 1 + readouts)],
            keep_zero_weights=True,
        )  # fmt: skip

    def play(snn: SNN) -> np.ndarray:
        return simulate(leaky(snn, {"liquid": 20.0}), {"ecg": events}, CONVENTION).spikes

    counts = play(network(np.zeros((readouts, n))))[:, 2 : 2 + n]
    bins = np.minimum(((rates - 50) / 10).astype(int), readouts - 1)
    fitted = RidgeClassifier(alpha=10.0, fit_intercept=False).fit(counts[:180], bins[:180])
    scale = np.abs(fitted.decision_function(counts[:180])).max() / 20
    snn = network(fitted.coef_ / scale)
    spikes = play(snn)
    told_rate = fitted.decision_function(counts[180:]).argmax(axis=1)
    near = np.abs(told_rate - bins[180:]) <= 1
    origin = f"simulated: delta events of a synthetic ECG, 400 steps, {CONVENTION}"
    snn = snn.with_spikes(-(-spikes.sum(axis=0) // len(spikes)), origin)
    write_instance(
        "heart_rate", snn, in_default_set=True,
        text="heart rate estimation: liquid state machine, 200 excitatory and 50 inhibitory"
        " neurons on a 5 x 5 x 10 grid (the papers' kind, our size), on a synthetic ECG",
        licence="MIT", generator=f"{SCRIPT} heart_rate", seed=SEED,
        provenance={"framework": "optmap.simulation.simulate, readout by ridge regression",
                    "neuron": "liquid LIF, 20 steps; readout IF", "convention": str(CONVENTION),
                    "encoder": "delta, events up and down on two inputs",
                    "window": "4 s of ECG, 400 steps", "spikes": "mean over 240 windows, up",
                    "accuracy": f"{near.mean():.1%} within 10 beats a minute (one of 8 bins)"},
    )  # fmt: skip
    print(f"  within one bin {near.mean():.3f}, liquid spikes {counts.mean():.2f} per neuron")


def delta_events(rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return (400, 2): events up and down of 4 s of ECG at 100 samples a second."""
    period = 60 / rate
    t = (np.arange(400) / 100 + rng.uniform(0, period)) % period / period
    wave = rng.normal(0, 0.01, 400)
    for at, width, height in BEATS["normal"]:
        wave += height * np.exp(-(((t - at) / width * period / 0.9) ** 2) / 2)
    events, last = np.zeros((400, 2)), 0.0
    for i, value in enumerate(wave):
        if abs(value - last) >= 0.08:
            events[i, 0 if value > last else 1] = 1
            last += 0.08 if value > last else -0.08
    return events


def upscaled(images: np.ndarray) -> np.ndarray:
    """Return (samples, 784) pictures, each of the 8 x 8 pixels 3.5 wide."""
    at = np.arange(28) * 8 // 28
    return images[:, at][:, :, at].reshape(len(images), -1)


def digits_reservoir() -> None:
    """784 inputs, 250 excitatory neurons with competitors (the shape of Diehl and Cook)."""
    digits = load_digits()
    x, test, labels, test_labels = train_test_split(
        upscaled(digits.images / 16), digits.target, test_size=0.2, random_state=SEED,
        stratify=digits.target,
    )  # fmt: skip
    n = 250
    found = KMeans(n, n_init=1, random_state=SEED).fit(x)
    centre = found.cluster_centers_ / np.linalg.norm(found.cluster_centers_, axis=1, keepdims=True)
    meaning = np.array([np.bincount(labels[found.labels_ == k]).argmax() for k in range(n)])
    exc, inh = 784 + np.arange(n), 784 + n + np.arange(n)
    others = ~np.eye(n, dtype=bool)
    a, b = np.nonzero(others)
    snn = from_edges(
        np.concatenate([np.tile(np.arange(784), n), exc, inh[a]]),
        np.concatenate([np.repeat(exc, 784), inh, exc[b]]),
        784 + 2 * n,
        weights=np.concatenate([(centre * 0.12).reshape(-1), np.ones(n), np.full(len(a), -0.6)]),
        populations=[Population("input", 0, 783), Population("excitatory", 784, 783 + n),
                     Population("inhibitory", 784 + n, 783 + 2 * n)],
        keep_zero_weights=True,
    )  # fmt: skip
    shown = encode("rate", test[:80] * 0.5, 64, SEED)
    model = leaky(snn, {"excitatory": 20.0})
    result = simulate(model, {"input": shown.current}, CONVENTION)
    said = meaning[result.spikes[:, 784 : 784 + n].argmax(axis=1)]
    accuracy = (said == test_labels[:80]).mean()
    bare = SNN(snn.indptr, snn.indices, snn.spikes, snn.populations)
    origin = f"simulated: rate code, 64 steps, {CONVENTION}"
    write_instance(
        "digits_reservoir", bare.with_spikes(result.per_window(), origin),
        text="digit recognition by a recurrent, competing reservoir: the shape of Diehl and Cook"
        f" 2015, 784-250-250; prototypes by k-means, not by STDP, on {DIGITS} scaled up",
        licence="MIT", generator=f"{SCRIPT} digits_reservoir", seed=SEED,
        provenance={"framework": "optmap.simulation.simulate", "neuron": "LIF, 20 steps",
                    "convention": str(CONVENTION), "encoder": "Bernoulli, value / 2, 64 steps",
                    "window": "one digit", "spikes": "mean over 80 test digits, rounded up",
                    "accuracy": f"{accuracy:.1%} of these test digits"},
    )  # fmt: skip
    print(
        f"  accuracy {accuracy:.3f}, excitatory {result.spikes[:, 784 : 784 + n].sum(1).mean():.1f}"
    )


def pursuit() -> None:
    """Follow a target over a retina: a ring of neurons holds its place, two groups turn the eye."""
    retina, ring, motor = 64, 128, 64
    at_retina, at_ring = np.arange(retina) / retina, np.arange(ring) / ring

    def bump(a: np.ndarray, b: np.ndarray, width: float) -> np.ndarray:
        gap = np.abs(a[:, None] - b[None])
        return np.exp(-((np.minimum(gap, 1 - gap) / width) ** 2) / 2)

    into = bump(at_ring, at_retina, 0.04) * 0.25
    inside = bump(at_ring, at_ring, 0.06) * 0.12 - 0.05
    side = np.where(np.arange(motor) < motor // 2, -1, 1)[:, None]
    gain = np.linspace(0.1, 1, motor // 2)
    turn = side * (at_ring[None] - 0.5) * np.concatenate([gain, gain])[:, None] * 0.5 + 0.01
    parts = ((into, 0, retina), (inside, retina, retina), (turn, retina, retina + ring))
    pre, post, weight = [], [], []
    for matrix, first_pre, first_post in parts:
        rows, columns = np.nonzero(np.ones_like(matrix))
        if first_pre == first_post:
            keep = rows != columns
            rows, columns = rows[keep], columns[keep]
        pre.append(columns + first_pre)
        post.append(rows + first_post)
        weight.append(matrix[rows, columns])
    snn = from_edges(
        np.concatenate(pre), np.concatenate(post), retina + ring + motor,
        weights=np.concatenate(weight),
        populations=[Population("retina", 0, retina - 1),
                     Population("ring", retina, retina + ring - 1),
                     Population("motor", retina + ring, retina + ring + motor - 1)],
        keep_zero_weights=True,
    )  # fmt: skip
    rng = np.random.default_rng(SEED)
    t = np.arange(50)
    phases = rng.uniform(0, 2 * np.pi, 8)
    place = 0.5 + 0.35 * np.sin(2 * np.pi * t[:, None] / 50 + phases[None])
    series = np.stack([bump(at_retina, row, 0.05).T for row in place])
    shown = encode("rate", series, 4, SEED)
    result = simulate(leaky(snn, {"ring": 10.0, "motor": 10.0}), {"retina": shown.current},
                      CONVENTION)  # fmt: skip
    origin = f"simulated: rate code, 4 steps a position, {CONVENTION}"
    write_instance(
        "pursuit", snn.with_spikes(result.per_window(), origin), platform="dynap_se",
        text="visual pursuit-like: a retina, a recurrent ring that holds the target's place, two"
        " opposed motor groups; weights by formula, our shape (the papers' is larger)",
        licence="MIT", generator=f"{SCRIPT} pursuit", seed=SEED,
        provenance={"framework": "optmap.simulation.simulate", "neuron": "LIF, 10 steps",
                    "convention": str(CONVENTION),
                    "encoder": "Bernoulli, bump around the target, 4 steps a position",
                    "window": "one sweep of the target, 200 steps",
                    "spikes": "mean over 8 starting phases, rounded up"},
        values=series[:, :4], steps=4,
    )  # fmt: skip
    print(
        "  spikes", [int(result.per_window()[p.first : p.last + 1].sum()) for p in snn.populations]
    )


def rounded(weights: np.ndarray, bits: int | None) -> np.ndarray:
    """Return weights as whole multiples of one step, -(2^(b - 1) - 1) to 2^(b - 1) - 1 of them."""
    if bits is None:
        return weights
    most = 2 ** (bits - 1) - 1
    step = 2.5 * weights[weights != 0].std() / most  # the few beyond are cut off
    return np.clip(np.round(weights / step), -most, most) * step


def sigma_delta_3bit() -> None:
    """Every weight in three bits, -3 to 3; what rounds to 0 is no synapse."""
    sigma_delta(3)


def sigma_delta(bits: int | None = None) -> None:
    """Echo state network whose neurons send only changes; digits row by row."""
    digits = load_digits()
    x, test, labels, test_labels = train_test_split(
        digits.images / 16, digits.target, test_size=0.2, random_state=SEED, stratify=digits.target
    )
    rng = np.random.default_rng(SEED)
    n, step, hold = 200, 0.1, 3
    inside = rng.normal(0, 1, (n, n)) * (rng.random((n, n)) < 0.2)
    inside *= 0.8 / np.abs(np.linalg.eigvals(inside)).max()
    into = rounded(rng.normal(0, 0.6, (n, 8)), bits)
    inside = rounded(inside, bits)

    def play(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        state = np.zeros((len(images), n))
        heard, told = np.zeros((len(images), 8)), np.zeros((len(images), n))
        sent_in, sent = np.zeros((len(images), 8)), np.zeros((len(images), n))
        seen = []
        for row in np.repeat(np.arange(8), hold):
            moved = np.abs(images[:, row] - heard) >= step
            heard, sent_in = np.where(moved, images[:, row], heard), sent_in + moved
            state = np.tanh(heard @ into.T + told @ inside.T)
            moved = np.abs(state - told) >= step
            told, sent = np.where(moved, state, told), sent + moved
            if len(seen) < 8 and row == len(seen):
                seen.append(told)
        return told, sent_in, sent

    fitted = LogisticRegression(C=1.0, max_iter=500).fit(play(x)[0], labels)
    told, sent_in, sent = play(test)
    out = rounded(fitted.coef_, bits)
    accuracy = ((told @ out.T + fitted.intercept_).argmax(1) == test_labels).mean()
    post, pre = np.nonzero(inside)
    every = np.arange(n)
    snn = from_edges(
        np.concatenate([np.tile(np.arange(8), n), pre + 8, np.tile(every + 8, 10)]),
        np.concatenate([np.repeat(every + 8, 8), post + 8, np.repeat(8 + n + np.arange(10), n)]),
        8 + n + 10,
        weights=np.concatenate([into.reshape(-1), inside[post, pre], out.reshape(-1)]),
        populations=[Population("row", 0, 7), Population("reservoir", 8, 7 + n),
                     Population("readout", 8 + n, 17 + n)],
    )  # fmt: skip
    counts = np.concatenate([sent_in.mean(0), sent.mean(0), np.ones(10)])
    snn = snn.with_spikes(np.ceil(counts).astype(np.int64), "sigma-delta messages, counted by run")
    name = "sigma_delta" if bits is None else f"sigma_delta_{bits}bit"
    few = "" if bits is None else f", {bits}-bit weights"
    write_instance(
        name, snn, platform="cores_8x8_128",
        text="sigma-delta recurrent net: an echo state network of 200 whose neurons send a message"
        f" where their value moved by 0.1{few}; {DIGITS}, row by row", licence="MIT",
        generator=f"{SCRIPT} {name}", seed=SEED, weight_bits=bits,
        provenance={"framework": "numpy; readout by logistic regression",
                    "neuron": "tanh, message at a change of 0.1 or more",
                    "encoder": "sigma-delta, each row for 3 steps", "window": "one digit, 24 steps",
                    "spikes": "messages, mean over the test digits, rounded up; readouts 1",
                    "accuracy": f"{accuracy:.1%} of the 360 test digits"},
    )  # fmt: skip
    print(f"  accuracy {accuracy:.3f}")


BUILD = {"heart_class": heart_class, "heart_rate": heart_rate, "pursuit": pursuit,
         "digits_reservoir": digits_reservoir, "sigma_delta": sigma_delta,
         "sigma_delta_3bit": sigma_delta_3bit}  # fmt: skip

if __name__ == "__main__":
    for chosen in sys.argv[1:] or BUILD:
        BUILD[chosen]()
