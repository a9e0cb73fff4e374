"""Turn pictures and other values into what input neurons give, step by step.

The code decides how many spikes a network has to transport, and with them the best mapping.
:func:`encode` offers six by name; each documents its formula. A value is shown for a window of
``steps`` steps; a series is shown value after value, each for a window of its own.

References
----------
.. [1] Rueckauer and Liu, "Conversion of analog to spiking neural networks using sparse temporal
   coding", ISCAS 2018 (latency).
.. [2] Kim, Kim, Huh, Lee, Choi, "Deep neural networks with weighted spikes", Neurocomputing 311,
   2018 (phase).
.. [3] Guo, Fouda, Eltawil, Salama, "Neural coding in spiking neural networks: a comparative study",
   Frontiers in Neuroscience 15, 2021 (burst, and rate, latency, phase beside each other).
.. [4] Yoon, "LIF and simplified SRM neurons encode signals into spikes via a form of asynchronous
   pulse sigma-delta modulation", IEEE TNNLS 28, 2017 (delta).
.. [5] Wang, Gu, Goh, Zhou, Luo, "Efficient spiking neural networks with radix encoding", 2021,
   arXiv 2105.06943 (radix).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

#: Steps of one round of the phase code, spikes of a full burst, change that the delta code tells.
PHASES = 8
#: Bits of the longest binary number; exact in a float.
MOST_BITS = 52
MAX_BURST = 5
DELTA_STEP = 1 / 16


def bernoulli(values: npt.ArrayLike, steps: int, seed: int) -> npt.NDArray[np.int64]:
    """Return spikes that fall independently in every step with the value as probability.

    Parameters
    ----------
    values : (samples, n) array
        Probabilities, 0 to 1.
    steps : int
        Steps of one window.
    seed : int
        Of the random draw.

    Returns
    -------
    (steps, samples, n) int64 array of 0 and 1

    Raises
    ------
    ValueError
        If a value is no probability.
    """
    rate = np.asarray(values, dtype=np.float64)
    if not (rate >= 0).all() or not (rate <= 1).all():
        raise ValueError("values outside 0..1")
    draw = np.random.default_rng(seed).random((steps, *rate.shape))
    return (draw < rate).astype(np.int64)


def constant_current(values: npt.ArrayLike, steps: int) -> npt.NDArray[np.float64]:
    """Return the values themselves in every step: no spikes, but one delivery a step.

    Examples
    --------
    >>> constant_current([[0.0, 0.5]], 2).tolist()
    [[[0.0, 0.5]], [[0.0, 0.5]]]
    """
    array = np.asarray(values, dtype=np.float64)
    return np.repeat(array[None], steps, axis=0)


def evenly_spaced(values: npt.ArrayLike, steps: int) -> npt.NDArray[np.int64]:
    """Return spikes as regular as possible: after t steps floor(t * value) have come.

    Deterministic: the same values always give the same spikes.

    Examples
    --------
    >>> evenly_spaced([[0.5, 1.0]], 4)[:, 0].tolist()
    [[0, 1], [1, 1], [0, 1], [1, 1]]
    """
    rate = np.asarray(values, dtype=np.float64)
    if not (rate >= 0).all() or not (rate <= 1).all():
        raise ValueError("values outside 0..1")
    ticks = np.arange(steps + 1).reshape(-1, *[1] * rate.ndim)
    due = np.floor(ticks * rate + 1e-9)  # 0.1 * 10 shall be due in step 10
    return np.diff(due, axis=0).astype(np.int64)


@dataclass(frozen=True)
class Encoded:
    """Pictures or series as events, and as what the events carry.

    Parameters
    ----------
    spikes : (steps, samples, n) int64 array
        Events of every input neuron in every step: what a network has to transport.
    current : (steps, samples, n) float64 array
        What a synapse of weight 1 passes on in every step. All codes are scaled alike, so that one
        network understands all of them: the mean over a window (of whole rounds of the phase code;
        once the delta code has caught up) is the value, but for rounding.
    """

    spikes: Counts
    current: Values


def rate(values: Values, steps: int, seed: int) -> Encoded:
    """Rate code: in every step a spike with the value as probability (a Poisson process, thinned).

    P(spike in step t) = v(t), independently; each spike carries 1. Seeded.
    """
    held = np.repeat(values, steps, axis=0)
    spikes = (np.random.default_rng(seed).random(held.shape) < held).astype(np.int64)
    return Encoded(spikes, spikes.astype(np.float64))


def latency(values: Values, steps: int, seed: int) -> Encoded:
    """Latency code (time to first spike): one spike a window, the earlier the larger the value.

    It falls in step round((1 - v) (steps - 1)), none for v = 0; from then to the end of the window
    the synapse passes on 1 [Rueckauer and Liu, 2018]. Deterministic.
    """
    at = np.floor((1 - values) * (steps - 1) + 0.5)
    clock = np.arange(steps).reshape(1, steps, 1, 1)
    fires = (clock == at[:, None]) & (values[:, None] > 0)
    since = (clock >= at[:, None]) & (values[:, None] > 0)
    return Encoded(_joined(fires).astype(np.int64), _joined(since).astype(np.float64))


def phase(values: Values, steps: int, seed: int) -> Encoded:
    """Phase code: the bits of the value, most significant first, again every 8 steps.

    With w = round(255 v), step t spikes where bit 7 - (t mod 8) of w is set, and the spike carries
    8 * 2^-(1 + t mod 8) [Kim et al., weighted spikes, 2018]. Deterministic.
    """
    word = np.floor(values * 255 + 0.5).astype(np.int64)
    clock = (np.arange(steps) % PHASES).reshape(1, steps, 1, 1)
    spikes = (word[:, None] >> (PHASES - 1 - clock)) & 1
    return Encoded(_joined(spikes), _joined(spikes * PHASES * 0.5 ** (1.0 + clock)))


def radix(values: Values, steps: int, seed: int) -> Encoded:
    """Radix code: the value as one binary number of B = min(steps, 52) bits over the whole window.

    With w = round((2^B - 1) v), step t spikes where bit B - 1 - t of w is set, most significant bit
    first, and the spike carries steps * 2^(B - 1 - t) / (2^B - 1) [Wang et al., 2021].
    Deterministic. At most as many spikes as bits; the error of v is 2^-(B + 1).
    """
    bits = min(steps, MOST_BITS)
    word = np.floor(values * (2**bits - 1) + 0.5).astype(np.int64)
    place = (bits - 1 - np.arange(steps)).reshape(1, steps, 1, 1)
    spikes = np.where(place >= 0, (word[:, None] >> np.maximum(place, 0)) & 1, 0)
    worth = steps * 2.0 ** np.maximum(place, 0) / (2**bits - 1)
    return Encoded(_joined(spikes), _joined(spikes * worth))


def burst(values: Values, steps: int, seed: int) -> Encoded:
    """Burst code: ceil(5 v) spikes at the start of a window, the closer the larger the value.

    The interval is ceil(v + (1 - v) (steps - 1)) steps, at most what lets the burst end in the
    window [Guo et al., 2021]; each spike carries steps / 5. Deterministic.
    """
    count = np.ceil(values * MAX_BURST).astype(np.int64)
    count = np.minimum(count, steps)
    interval = np.ceil(values + (1 - values) * (steps - 1)).astype(np.int64)
    interval = np.clip(interval, 1, np.maximum((steps - 1) // np.maximum(count - 1, 1), 1))
    clock = np.arange(steps).reshape(1, steps, 1, 1)
    nth, off = np.divmod(clock, interval[:, None])
    spikes = ((off == 0) & (nth < count[:, None])).astype(np.int64)
    return Encoded(_joined(spikes), _joined(spikes) * (steps / MAX_BURST))


def delta(values: Values, steps: int, seed: int) -> Encoded:
    """Delta code (sigma-delta): an event where the value has left what was last told by 1/16.

    In every step e = sign(v - r) where |v - r| >= 1/16, else 0, and r grows by e / 16; r starts at
    0 and is what the reader, who adds the events up, passes on. Deterministic.
    """
    held = np.repeat(values, steps, axis=0)
    told = np.zeros_like(held)
    events = np.zeros(held.shape, dtype=np.int64)
    last = np.zeros(held.shape[1:])
    for t in range(len(held)):
        gap = held[t] - last
        event = np.sign(gap) * (np.abs(gap) >= DELTA_STEP)
        last = last + event * DELTA_STEP
        told[t], events[t] = last, np.abs(event)
    return Encoded(events, told)


def _joined(windows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return (windows, steps, samples, n) as one run of steps."""
    return windows.reshape(-1, *windows.shape[2:])


#: Every code, by the name that an instance and ``compare --encodings`` use.
ENCODERS = {
    "rate": rate,
    "latency": latency,
    "phase": phase,
    "radix": radix,
    "burst": burst,
    "delta": delta,
}


def encode(kind: str, values: npt.ArrayLike, steps: int, seed: int = 0) -> Encoded:
    """Return pictures or series in a code.

    Parameters
    ----------
    kind : str
        A key of :data:`ENCODERS`.
    values : (samples, n) or (time, samples, n) array
        Pictures, or series of them, 0 to 1.
    steps : int
        Steps for which a value is shown: the length of its window.
    seed : int
        Of codes that draw at random.

    Raises
    ------
    ValueError
        If the code is unknown or the values are none.

    Examples
    --------
    >>> encode("latency", [[0.0, 0.5, 1.0]], 5).spikes[:, 0].tolist()
    [[0, 0, 1], [0, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]]
    >>> encode("delta", [[[0.1]], [[0.1]], [[0.0]]], 1).spikes[:, 0, 0].tolist()
    [1, 0, 1]
    """
    if kind not in ENCODERS:
        raise ValueError(f"encoding {kind!r}: expected one of {', '.join(ENCODERS)}")
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3 or not array.size:
        raise ValueError(f"values of shape {array.shape}, not (time,) samples, n")
    if not ((array >= 0) & (array <= 1)).all():
        raise ValueError("values outside 0..1")
    if steps < 1:
        raise ValueError(f"{steps} steps")
    return ENCODERS[kind](array, steps, seed)
