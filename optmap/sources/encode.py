"""Turn pictures and other values into what input neurons give, step by step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


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
