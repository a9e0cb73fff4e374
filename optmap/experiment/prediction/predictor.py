"""Guess period, energy and clusters of a row from those of stored rows, with an interval.

What is learned is how far above its proved floor a method ends, as a logarithm. A first guess is
the mean of the nearest rows of the same method (the same network first, then platforms alike);
extremely randomised trees on :mod:`.descriptors` predict what it lacks. The interval is what the
single trees say, widened by the error that trees show on rows they did not see. A prediction is
never shown as a value: it says what to run first, or what not to run at all.

The idea of predicting a platform from few measurements on it is MAPLE-X's [1]_.

References
----------
.. [1] Abbasi et al., "MAPLE-X: Latency Prediction with Explicit Microprocessor Prior Knowledge",
   2022 (arXiv 2205.12660).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

import numpy as np

from optmap.errors import InputError
from optmap.experiment.prediction.descriptors import TARGETS, Descriptor
from optmap.experiment.row import Row
from optmap.experiment.tables.metrics import metric_named
from optmap.model.snn import FloatArray

TREES = 60
#: Fewer rows than this teach nothing.
LEAST_ROWS = 8
#: Neighbours whose mean is the first guess.
NEIGHBOURS = 2
#: Share of the rows' errors that an interval should hold.
COVERED = 0.9
#: The first numbers of a descriptor are sizes of the network: unlike ones are farther apart.
OF_NETWORK, NETWORK_WEIGHT = 5, 20.0
#: The distance of a neighbour that is not there.
FAR = 99.0
#: A neighbour so near in all sizes counts at most as much as one at this distance.
NEAREST = 0.05


@dataclass(frozen=True, slots=True)
class Prediction:
    """A guess with its interval."""

    value: float
    low: float
    high: float


class Predictor:
    """Learns from rows; :meth:`predict` guesses others.

    Parameters
    ----------
    rows : iterable of Row
        Those without a checked mapping teach nothing.
    seed : int
        Of the trees.

    Raises
    ------
    InputError
        If scikit-learn is not installed, or there are fewer than ``LEAST_ROWS`` rows.
    """

    def __init__(self, rows: Iterable[Row], *, seed: int = 0) -> None:
        known = [(Descriptor.of(row), row) for row in rows if row.check == "ok"]
        if len(known) < LEAST_ROWS:
            found = f"{len(known)} rows with a mapping"
            raise InputError("--predict", "", found, f"at least {LEAST_ROWS} to learn from")
        self._seed = seed
        self._known = [descriptor for descriptor, _ in known]
        self._words = {w: i for i, w in enumerate(_words(self._known))}
        self._numbers = np.array([d.numbers() for d in self._known])
        self._weights = np.where(np.arange(self._numbers.shape[1]) < OF_NETWORK, NETWORK_WEIGHT, 1)
        self._models: dict[str, _Model] = {}
        for metric in TARGETS:
            values = [metric_named(metric).value(row) for _, row in known]
            at = [i for i, v in enumerate(values) if v is not None and v > 0]
            if len(at) >= LEAST_ROWS:
                above = [log(float(values[i] or 1)) - self._log_floor(i, metric) for i in at]
                self._models[metric] = self._fit(np.array(at), np.array(above))

    def _log_floor(self, i: int, metric: str) -> float:
        return log(self._known[i].floor(metric))

    def _fit(self, at: Any, above: Any) -> _Model:
        inputs = np.array([self._inputs(self._known[i], at, above, but=int(i)) for i in at])
        trees, beyond = _regressor(self._seed), above - inputs[:, -2]
        trees.fit(inputs, beyond)
        errors = np.abs(beyond - trees.oob_prediction_)
        return _Model(trees, at, above, float(np.quantile(errors, COVERED)))

    def _inputs(self, d: Descriptor, at: Any, above: Any, but: int = -1) -> FloatArray:
        """Return the trees' inputs: numbers, stages, and the mean of the nearest alike."""
        own = np.array(d.numbers())
        words = np.zeros(len(self._words))
        words[[self._words[w] for w in d.stages() if w in self._words]] = 1.0
        alike = [k for k, i in enumerate(at) if self._known[i].method == d.method and i != but]
        if not alike:
            tail = [float(above.mean()), FAR]
            return np.concatenate((own, words, tail)).astype(np.float32)
        distance = (np.abs(self._numbers[at[alike]] - own) * self._weights).sum(axis=1)
        near = np.argsort(distance, kind="stable")[:NEIGHBOURS]
        weight = 1 / (NEAREST + distance[near])
        mean = float((above[alike][near] * weight).sum() / weight.sum())
        tail = [mean, float(distance[near].min())]
        return np.concatenate((own, words, tail)).astype(np.float32)

    def predict(self, descriptor: Descriptor, metric: str) -> Prediction | None:
        """Return a guess of a metric of ``TARGETS``; None where no row taught it.

        It is never below the proved floor.
        """
        model = self._models.get(metric)
        if model is None:
            return None
        inputs = self._inputs(descriptor, model.at, model.above)[None, :]
        each = np.array([tree.predict(inputs)[0] for tree in model.trees.estimators_])
        each += inputs[0, -2]
        middle, floor = float(each.mean()), descriptor.floor(metric)
        low = min(float(np.quantile(each, 1 - COVERED)), middle - model.error)
        high = max(float(np.quantile(each, COVERED)), middle + model.error)
        return Prediction(*(floor * exp(max(x, 0.0)) for x in (middle, low, high)))


@dataclass(frozen=True)
class _Model:
    """Trees for one metric, the rows they learned from, their log-error on unseen ones."""

    trees: Any
    at: Any
    above: Any
    error: float


def _words(known: Sequence[Descriptor]) -> list[str]:
    return sorted({word for d in known for word in d.stages()})


def _regressor(seed: int) -> Any:
    try:
        from sklearn.ensemble import ExtraTreesRegressor
    except ImportError:
        found = "scikit-learn is not installed"
        raise InputError("--predict", "", found, "pip install optmap[predict]") from None
    return ExtraTreesRegressor(
        TREES, bootstrap=True, oob_score=True, min_samples_leaf=1, random_state=seed, n_jobs=1
    )
