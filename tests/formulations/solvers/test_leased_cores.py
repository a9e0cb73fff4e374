"""However many workers a solver starts, they share the cores of its limits' threads."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from ortools.sat.python import cp_model

import formulations.solvers.leased_cores as module
from formulations.solvers.leased_cores import leased_cores
from formulations.solvers.run_cpsat import WORKERS, run_cpsat
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.outcome import Limits, Status

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="threads are confined on Linux; one core needs no lease",
)


def test_leases_take_different_cores_and_give_back_what_there_was():
    before = os.sched_getaffinity(0)
    with leased_cores(1) as first:
        assert len(first) == 1
        assert os.sched_getaffinity(0) == first
        os.sched_setaffinity(0, before)  # another process: nothing of the first lease is inherited
        with leased_cores(1) as second:
            assert len(second) == 1
            assert second != first
        os.sched_setaffinity(0, first)
    assert os.sched_getaffinity(0) == before


def test_more_solves_than_cores_share_the_cores_evenly(monkeypatch: pytest.MonkeyPatch):
    held: set[tuple[int, int]] = set()

    def lease(core: int, place: int, leases: ExitStack) -> bool:
        free = (core, place) not in held
        held.add((core, place))
        return free

    monkeypatch.setattr(module, "_lease", lease)
    before = os.sched_getaffinity(0)
    taken: Counter[int] = Counter()
    for _ in range(3 * len(before)):
        with leased_cores(1) as cores:
            taken.update(cores)
    assert taken == dict.fromkeys(before, 3)


def test_as_many_threads_as_cores_are_not_confined():
    before = os.sched_getaffinity(0)
    with leased_cores(len(before)) as cores:
        assert cores == before == os.sched_getaffinity(0)


def test_an_error_gives_the_cores_back():
    before = os.sched_getaffinity(0)
    with pytest.raises(ZeroDivisionError), leased_cores(1):
        raise ZeroDivisionError
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize("threads", [1, 2])
def test_every_worker_of_cpsat_runs_on_the_cores_of_the_threads(threads: int):
    model = cp_model.CpModel()
    places = [model.new_int_var(0, 30, "") for _ in range(6)]
    model.add_all_different(places)
    distances = [
        model.new_int_var(1, 30, "") for i in range(len(places)) for _ in range(i + 1, len(places))
    ]
    pairs = [(a, b) for i, a in enumerate(places) for b in places[i + 1 :]]
    for distance, (a, b) in zip(distances, pairs, strict=True):
        model.add(distance == b - a)
    model.add_all_different(distances)
    model.minimize(places[-1])
    seen: list[list[int]] = []

    def look(_: cp_model.CpSolverSolutionCallback) -> None:
        for task in Path("/proc/self/task").iterdir():
            seen.append([int(task.name), len(os.sched_getaffinity(int(task.name)))])

    before = os.sched_getaffinity(0)
    known = {int(task.name) for task in Path("/proc/self/task").iterdir()} - {os.getpid()}
    run = run_cpsat(model, Stopwatch(Limits(60.0, threads)), on_solution=look)
    assert (run.status, run.value) == (Status.OPTIMAL, 17)  # the shortest ruler of six marks
    workers = {task: cores for task, cores in seen if task not in known and task != os.getpid()}
    assert len(workers) >= WORKERS
    assert set(workers.values()) == {min(threads, len(before))}
    assert os.sched_getaffinity(0) == before
