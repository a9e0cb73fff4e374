"""The order in which ``compare`` runs its rows: the most gain in a second first, as guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, log

from optmap.experiment.prediction.clustered import Clusterings
from optmap.experiment.prediction.hopes import described
from optmap.experiment.prediction.predictor import Predictor
from optmap.experiment.row import Row
from optmap.experiment.run.job import Job
from optmap.experiment.run.plan import Planned
from optmap.experiment.tables.front import proved_floors


@dataclass(frozen=True, slots=True)
class _Guess:
    """What is guessed of a job: its period, that without any mapping, the floor, its seconds."""

    period: float
    unmapped: float
    floor: float
    seconds: float


def by_promise(
    jobs: Sequence[Job], plans: Sequence[Planned], rows: Sequence[Row], seed: int
) -> list[Job]:
    """Return jobs so that those come first which shorten an instance's period most in a second.

    The gain of a job is the logarithm of what the instance has before it by its own guessed period.
    What an instance has is the shortest period of a stored row of it and of the jobs taken before;
    at first, all its work on one tile. Jobs that promise no gain follow, nearest to the proved
    floor first; those without a guess (mappings given, methods that no row knows) keep their order,
    at the end.
    """
    guesses = _guesses(jobs, plans, rows, seed)
    shortest: dict[str, float] = {}
    for row in rows:
        period = row.value("period") if row.check == "ok" else None
        if period is not None:
            shortest[row.digest] = min(float(period), shortest.get(row.digest, inf))
    placed: list[tuple[int, float, int]] = []
    for digest in dict.fromkeys(jobs[i].digest for i in guesses):
        left = {i: guess for i, guess in guesses.items() if jobs[i].digest == digest}
        best = shortest.get(digest, inf)
        if not isfinite(best):
            best = max(guess.unmapped for guess in left.values())
        while left:
            rate, first = max((_rate(guess, best), -i) for i, guess in left.items())
            if rate <= 0:
                placed += [(1, guess.period / guess.floor, i) for i, guess in left.items()]
                break
            placed.append((0, -rate, -first))
            best = left.pop(-first).period
    placed += [(2, 0.0, i) for i in range(len(jobs)) if i not in guesses]
    return [jobs[i] for _, _, i in sorted(placed)]


def _rate(guess: _Guess, best: float) -> float:
    return log(best / guess.period) / guess.seconds


def _guesses(
    jobs: Sequence[Job], plans: Sequence[Planned], rows: Sequence[Row], seed: int
) -> dict[int, _Guess]:
    """Return what is guessed of jobs, by their place; what nothing is known of is missing."""
    predictor, clusterings = Predictor(rows, seed=seed), Clusterings()
    instance_of = {plan.instance.name: plan.instance for plan in plans}
    floors = {name: proved_floors(i.snn, i.platform) for name, i in instance_of.items()}
    taught = {row.method for row in rows}
    found: dict[int, _Guess] = {}
    for i, job in enumerate(jobs):
        if job.method not in taught or job.instance not in instance_of:
            continue
        instance = instance_of[job.instance]
        known = described(instance, job.method, floors[job.instance], job.limits, clusterings)
        guess, seconds = predictor.predict(known, "period"), predictor.seconds(known)
        if guess is not None and seconds is not None:
            most = known.most("period")
            unmapped = most if isfinite(most) else guess.value
            in_limit = min(seconds, job.limits.wall_s)
            found[i] = _Guess(guess.value, unmapped, known.floor("period"), in_limit)
    return found
