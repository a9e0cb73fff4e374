"""A sweep stores each row once, goes on after an interruption, and stops cleanly on a full disk."""

import threading

import pytest

from optmap.experiment.run.job import Job
from optmap.experiment.run.process import Ended
from optmap.experiment.run.source import Source
from optmap.experiment.run.store import Store, StoreError
from optmap.experiment.run.sweep import sweep
from optmap.model.outcome import Limits

METHODS = ("random", "pacman", "spinemap", "song2020", "overlap", "cpsat", "milp", "lns")


class Listener:
    def __init__(self):
        self.events = []

    def started(self, job):
        self.events.append(("started", job.method))

    def ended(self, job, row):
        self.events.append(("ended", job.method, row.status))


def jobs(count):
    return [Job("i", "d", Source(), METHODS[i], Limits()) for i in range(count)]


def answer(job, stop):
    return Ended({"status": "feasible", "check": "ok", "wall_s": 0.1}, "exit", 0, "", 0.1, None)


def test_finished_rows_are_not_run_again(tmp_path):
    listener = Listener()
    with Store.opened(tmp_path) as store:
        sweep(jobs(2), store, Listener(), parallel=1, runner=answer)
    with Store.opened(tmp_path) as store:
        sweep(jobs(3), store, listener, parallel=1, runner=answer)
        assert len(store.rows) == 3
    assert listener.events == [("started", "spinemap"), ("ended", "spinemap", "feasible")]


def test_other_limits_seeds_and_code_make_other_rows(monkeypatch):
    one = Job("i", "d", Source(), "random", Limits(seed=0))
    keys = {one.key(), Job("i", "d", Source(), "random", Limits(seed=1)).key()}
    keys.add(Job("i", "e", Source(), "random", Limits(seed=0)).key())
    keys.add(Job("i", "d", Source(), "random", Limits(wall_s=3)).key())
    monkeypatch.setattr("optmap.experiment.run.job.code_version", lambda: "other")
    keys.add(one.key())
    assert len(keys) == 5


def test_an_interruption_keeps_what_is_finished_and_stops_the_rest(tmp_path):
    stopped = []
    listener = Listener()

    def run(job, stop):
        if job.method == "pacman":
            while ("ended", "random", "feasible") not in listener.events:
                stop.wait(0.01)
            raise KeyboardInterrupt
        if job.method == "spinemap":
            stopped.append(stop.wait(20))
        return answer(job, stop)

    with Store.opened(tmp_path) as store:
        with pytest.raises(KeyboardInterrupt):
            sweep(jobs(3), store, listener, parallel=3, runner=run)
        assert [row["method"] for row in store.rows.values()] == ["random"]
    assert stopped == [True]


def test_a_full_disk_stops_the_sweep(tmp_path, monkeypatch):
    with Store.opened(tmp_path) as store:
        monkeypatch.setattr(
            store, "append", lambda *_: (_ for _ in ()).throw(StoreError("disk full"))
        )
        ran = []

        def run(job, stop):
            ran.append(job.method)
            return answer(job, stop)

        with pytest.raises(StoreError, match="disk full"):
            sweep(jobs(5), store, Listener(), parallel=1, runner=run)
        assert ran == ["random"]


def test_no_more_than_the_asked_number_run_at_once(tmp_path):
    lock, now, most = threading.Lock(), [0], [0]
    gate = threading.Barrier(2, timeout=900)

    def run(job, stop):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        gate.wait()
        with lock:
            now[0] -= 1
        return answer(job, stop)

    with Store.opened(tmp_path) as store:
        sweep(jobs(4), store, Listener(), parallel=2, runner=run)
    assert most == [2]
