"""How CP-SAT solves the model of cpsat_model.py from a start."""

from __future__ import annotations

from functools import partial

from formulations.binding.cpsat_model import BindingModel
from formulations.binding.stages import Backend, Found
from formulations.solvers.run_cpsat import WORKERS, run_cpsat
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.mapping import Binding


def cpsat_backend(workers: int = WORKERS) -> Backend[BindingModel]:
    """Return how CP-SAT solves the model."""
    return Backend(BindingModel, partial(_run, workers=workers), is_cpsat=True)


def _run(model: BindingModel, watch: Stopwatch, start: Binding | None, workers: int) -> Found:
    if start is not None:
        for (a, t), z in model.z.items():
            model.cp.add_hint(z, int(start.tile_of[a]) == t)
    done = run_cpsat(model.cp, watch, workers=workers)
    found = None if done.value is None else model.extract(done.solver)
    return Found(done.status, found, done.value, done.bound)
