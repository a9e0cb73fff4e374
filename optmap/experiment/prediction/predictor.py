"""Guess period, energy and clusters of a row from those of stored rows, with an interval.

What is learned is how far above a floor a method ends, as a logarithm: the floor of the clusters
that it starts from (:mod:`.clustered`) where these are known, else that of all mappings. A first
guess is the mean of the nearest rows of the same method (the same network first, then platforms
alike). Two models know it and are weighed by their errors on rows left out: extremely randomised
trees, good at what differs by kind, and a Gaussian process, good at what grows along an axis. Rows
with known clusters and rows without are learned apart. The interval is what the single trees say,
widened by the error that trees show on rows they did not see, and never below what is proved. A
prediction is never shown as a value: it says what to run first, or what not to run at all.

The idea of predicting a platform from few measurements on it is MAPLE-X's [1]_.

References
----------
.. [1] Abbasi et al., "MAPLE-X: Latency Prediction with Explicit Microprocessor Prior Knowledge",
   2022 (arXiv 2205.12660).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import exp, log
from typing import Any

import numpy as np

from optmap.errors import InputError
from optmap.experiment.prediction import clustered
from optmap.experiment.prediction.clustered import flow_of, keeps_clusters
from optmap.experiment.prediction.descriptors import Descriptor
from optmap.experiment.prediction.process import GaussianProcess
from optmap.experiment.row import Row
from optmap.experiment.tables.metrics import metric_named
from optmap.methods import METHODS
from optmap.model.snn import FloatArray

TREES = 60
#: Fewer rows than this teach nothing.
LEAST_ROWS = 8
#: Neighbours whose mean is the first guess.
NEIGHBOURS = 2
#: What is learned beside the metrics, and the least of it.
SECONDS, LEAST_SECONDS = "seconds", 0.01
#: Share of the rows' errors that an interval should hold.
COVERED = 0.9
#: The first numbers of a descriptor are sizes of the network: unlike ones are farther apart.
OF_NETWORK, NETWORK_WEIGHT = 5, 20.0
#: The distance of a neighbour that is not there.
FAR = 99.0
#: A neighbour so near in all sizes counts at most as much as one at this distance.
NEAREST = 0.05
#: Rows of a method that no row knows.
NOBODY = np.empty(0, dtype=np.int64)
#: Most rows that the Gaussian process learns from: its time grows with their cube.
MOST_ROWS = 1_500


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
        accepted = [row for row in rows if row.check == "ok"]
        if len(accepted) < LEAST_ROWS:
            found = f"{len(accepted)} rows with a mapping"
            raise InputError("--predict", "", found, f"at least {LEAST_ROWS} to learn from")
        _regressor(seed)  # InputError at once where it cannot learn
        made = clustered.of_rows(accepted)
        flows = [METHODS.get(row.method) for row in accepted]
        keys = [None if m is None else flow_of(m) for m in flows]
        self._rows = accepted
        self._clustered = [
            None if key is None else made.get((row.instance, *key))
            for row, key in zip(accepted, keys, strict=True)
        ]
        self._seed = seed
        self._models: dict[tuple[str, bool], _Model | None] = {}
        self._guesses: dict[tuple[int, str], tuple[Descriptor, Prediction | None]] = {}

    def predict(self, descriptor: Descriptor, metric: str) -> Prediction | None:
        """Return a guess of a metric of ``GUESSED``; None where no row taught it.

        It is never below what is proved; the number of clusters is known where they are. The same
        descriptor is guessed once.
        """
        key = id(descriptor), metric
        if key not in self._guesses:  # with the descriptor, so that no other takes its id
            self._guesses[key] = descriptor, self._guess(descriptor, metric)
        return self._guesses[key][1]

    def _guess(self, descriptor: Descriptor, metric: str) -> Prediction | None:
        made = descriptor.clustered
        proved, most = descriptor.proved(metric), descriptor.most(metric)
        if metric == "clusters" and made is not None and keeps_clusters(descriptor.method):
            return Prediction(proved, proved, proved)
        model = self._model(metric, made is not None)
        if model is None and made is not None:
            descriptor = replace(descriptor, clustered=None)
            model = self._model(metric, False)
        if model is None:
            return None
        base = descriptor.base(metric)
        ends = (base * exp(x) for x in model.guess(descriptor))
        return Prediction(*(max(min(x, most), proved) for x in ends))

    def seconds(self, descriptor: Descriptor) -> float | None:
        """Return a guess of how long a row takes, the process around the method included."""
        model = self._model(SECONDS, with_clusters=False)
        return None if model is None else exp(model.guess(replace(descriptor, clustered=None))[0])

    def _model(self, metric: str, with_clusters: bool) -> _Model | None:
        """Return what the rows say of a metric, learned when it is first asked for."""
        if (metric, with_clusters) not in self._models:
            rows: list[tuple[Descriptor, float]] = []
            value = _seconds if metric == SECONDS else metric_named(metric).value
            for row, made in zip(self._rows, self._clustered, strict=True):
                reached = value(row)
                if (made is not None or not with_clusters) and reached is not None and reached > 0:
                    known = Descriptor.of(row, made if with_clusters else None)
                    rows.append((known, log(float(reached)) - log(known.base(metric))))
            enough = len(rows) >= LEAST_ROWS
            self._models[metric, with_clusters] = _Model(rows, self._seed) if enough else None
        return self._models[metric, with_clusters]


class _Model:
    """How far above their base rows end, as logarithms, by both models.

    Parameters
    ----------
    rows : sequence of (Descriptor, float)
        What is known of a row, and how far it ended above its base.
    """

    def __init__(self, rows: Sequence[tuple[Descriptor, float]], seed: int) -> None:
        self._known = [descriptor for descriptor, _ in rows]
        self._above = np.array([above for _, above in rows])
        self._words = {w: i for i, w in enumerate(_words(self._known))}
        self._numbers = np.array([d.numbers() for d in self._known])
        methods = np.array([d.method for d in self._known])
        self._alike = {name: np.flatnonzero(methods == name) for name in set(methods.tolist())}
        self._weights = np.where(np.arange(self._numbers.shape[1]) < OF_NETWORK, NETWORK_WEIGHT, 1)
        inputs = np.array([self._inputs(d, but=i) for i, d in enumerate(self._known)])
        self._trees, beyond = _regressor(seed), self._above - inputs[:, -2]
        self._trees.fit(inputs, beyond)
        errors = np.abs(beyond - self._trees.oob_prediction_)
        self._error = float(np.quantile(errors, COVERED))
        some = np.random.default_rng(seed).permutation(len(inputs))[:MOST_ROWS]
        self._process = GaussianProcess(inputs[some], self._above[some])
        by_trees, by_process = float((errors**2).mean()), self._process.left_out
        self._share = by_trees / max(by_trees + by_process, 1e-12)  # of the process

    def guess(self, d: Descriptor) -> tuple[float, float, float]:
        """Return a guess with the ends of its interval."""
        inputs = self._inputs(d)[None, :]
        # tree_ is what a tree has learned: its own predict checks the input for longer than it runs
        each = np.array([float(t.tree_.predict(inputs)[0, 0]) for t in self._trees.estimators_])
        each += inputs[0, -2]
        of_process = self._process.predict(inputs[0])
        middle = (1 - self._share) * float(each.mean()) + self._share * of_process
        low = min(float(np.quantile(each, 1 - COVERED)), middle - self._error)
        high = max(float(np.quantile(each, COVERED)), middle + self._error)
        return middle, low, high

    def _inputs(self, d: Descriptor, but: int = -1) -> FloatArray:
        """Return what both models see: numbers, stages, and the mean of the nearest alike."""
        own = np.array(d.numbers())
        words = np.zeros(len(self._words))
        words[[self._words[w] for w in d.stages() if w in self._words]] = 1.0
        alike = self._alike.get(d.method, NOBODY)
        alike = alike[alike != but]
        if not len(alike):
            tail = [float(self._above.mean()), FAR]
            return np.concatenate((own, words, tail)).astype(np.float32)
        distance = (np.abs(self._numbers[alike] - own) * self._weights).sum(axis=1)
        near = np.argsort(distance, kind="stable")[:NEIGHBOURS]
        weight = 1 / (NEAREST + distance[near])
        mean = float((self._above[alike][near] * weight).sum() / weight.sum())
        tail = [mean, float(distance[near].min())]
        return np.concatenate((own, words, tail)).astype(np.float32)


def _seconds(row: Row) -> Fraction:
    return Fraction(max(row.elapsed_s or row.wall_s, LEAST_SECONDS))


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
