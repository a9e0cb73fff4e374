"""Guess period, energy and clusters of a row from those of stored rows, with an interval.

Extremely randomised trees on :mod:`.descriptors` predict how far above its proved floor a method
ends, as a logarithm; a nearest-neighbour term (the same method on the same network, on the
platforms most alike) is one of their inputs. The interval is what the single trees say, widened by
the error that trees show on rows they did not see. A prediction is never shown as a value: it says
what to run first, or what not to run at all.

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
#: Neighbours whose mean is an input of the trees.
NEIGHBOURS = 3
#: Share of the rows' errors that an interval should hold.
COVERED = 0.9
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
        trees = _regressor(self._seed)
        trees.fit(inputs, above)
        errors = np.abs(above - trees.oob_prediction_)
        return _Model(trees, at, above, float(np.quantile(errors, COVERED)))

    def _inputs(self, d: Descriptor, at: Any, above: Any, but: int = -1) -> FloatArray:
        """Return the trees' inputs: numbers, stages, and the mean of the nearest alike."""
        own = np.array(d.numbers())
        words = np.zeros(len(self._words))
        words[[self._words[w] for w in d.stages() if w in self._words]] = 1.0
        alike = [k for k, i in enumerate(at) if self._known[i].method == d.method and i != but]
        if not alike:
            return np.concatenate((own, words, [-1.0, 0.0])).astype(np.float32)
        distance = np.abs(self._numbers[at[alike]] - own).sum(axis=1)
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
