"""What predictions are for in ``explore``: which rows to run first, which not to hope for.

A prediction proves nothing. What it leaves out may be missed, so that whoever uses it says how much
was left out, and the full run is the audit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import sqrt
from pathlib import Path

from optmap.errors import InputError
from optmap.experiment.prediction.clustered import Clusterings
from optmap.experiment.prediction.descriptors import GUESSED, TARGETS, Descriptor
from optmap.experiment.prediction.predictor import LEAST_ROWS, Prediction, Predictor
from optmap.experiment.row import Row
from optmap.experiment.run.description import describe_network
from optmap.experiment.run.store import Store
from optmap.experiment.tables.front import OBJECTIVES, Vector, proved_floors
from optmap.instance import Instance
from optmap.model.outcome import Limits
from optmap.model.platform import Platform

#: New rows after which a predictor learns again.
REFIT_AFTER = 10


def stored_rows(folders: Iterable[str]) -> list[Row]:
    """Return the rows of runs; InputError where a folder has none."""
    found: list[Row] = []
    for folder in folders:
        store = Store(Path(folder))
        store.read()
        if not store.rows:
            raise InputError(folder, "", "no finished row", "the folder of a run")
        found += store.typed()
    return found


def described(
    instance: Instance,
    method: str,
    floors: Mapping[str, Fraction] | None = None,
    limits: Limits | None = None,
    clusterings: Clusterings | None = None,
) -> Descriptor:
    """Return what is known of a row before it is run.

    Parameters
    ----------
    floors : mapping, optional
        What is proved for every mapping; made where not given.
    limits : Limits, optional
        Of the row: the method's first clusters are described, too. Without, they are not.
    clusterings : Clusterings, optional
        Where clusters made before are taken from, and new ones kept.
    """
    if floors is None:
        floors = proved_floors(instance.snn, instance.platform)
    known = {m: float(v) for m, v in floors.items() if m in TARGETS and v > 0}
    made = None
    if limits is not None:
        kept = Clusterings() if clusterings is None else clusterings  # an empty one is kept, too
        made = kept.of(instance, method, limits)
    return Descriptor(describe_network(instance), known, method, made)


class Hopes:
    """What mappings not yet made could reach at best, as far as rows so far tell.

    Parameters
    ----------
    rows : sequence of Row
        What is known at the start; too few, and every row may be hoped for until enough are.
    """

    def __init__(self, rows: Sequence[Row], *, seed: int = 0) -> None:
        self._rows, self._seed, self._new = list(rows), seed, 0
        self.clusterings = Clusterings()
        self._predictor = self._fitted()

    def _fitted(self) -> Predictor | None:
        enough = sum(row.check == "ok" for row in self._rows) >= LEAST_ROWS
        return Predictor(self._rows, seed=self._seed) if enough else None

    def learn(self, rows: Sequence[Row]) -> None:
        """Take new rows in; the predictor learns again after every ``REFIT_AFTER``."""
        self._rows += rows
        self._new += len(rows)
        if self._new >= REFIT_AFTER:
            self._predictor, self._new = self._fitted(), 0

    def best_case(
        self, descriptor: Descriptor, chip: Platform, windows: int, objectives: Sequence[str]
    ) -> Vector | None:
        """Return what may be hoped for, objective by objective; None without a guess.

        That is half of the way, as a ratio, from the guess to the lower end of its interval: all
        metrics at their lower ends at once are not to be expected.
        """
        guesses = self._guesses(descriptor)
        if guesses is None:
            return None
        lows = {metric: Fraction(sqrt(g.low * g.value)) for metric, g in guesses.items()}
        return tuple(OBJECTIVES[o].least(lows, chip, windows) for o in objectives)

    def expected(
        self, descriptor: Descriptor, chip: Platform, windows: int, objectives: Sequence[str]
    ) -> Vector | None:
        """Return the guesses, objective by objective; None without any."""
        guesses = self._guesses(descriptor)
        if guesses is None:
            return None
        values = {metric: Fraction(guess.value) for metric, guess in guesses.items()}
        return tuple(OBJECTIVES[o].least(values, chip, windows) for o in objectives)

    def _guesses(self, descriptor: Descriptor) -> dict[str, Prediction] | None:
        if self._predictor is None:
            return None
        made = {metric: self._predictor.predict(descriptor, metric) for metric in GUESSED}
        return {metric: guess for metric, guess in made.items() if guess is not None}
