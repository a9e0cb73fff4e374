"""The child process: jobs in on standard input, rows out on standard output.

Each line between ``ready`` and ``done`` is one complete row; a later row replaces an earlier one,
so that a child that is killed leaves its best mapping so far. A solver runs in a copy of the child,
or as its last job.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from optmap.compiled import announce_compilation, interpreted
from optmap.errors import CapacityError, FanInError, InputError
from optmap.experiment.run.ahead import AHEAD, COMPILE_ONLY, CUTS, compiling_ahead
from optmap.experiment.run.description import describe
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.in_copy import can_copy, may_be_copied, needs_own_process, run_in_copy
from optmap.experiment.run.in_process import SMALL, has_machine_code
from optmap.experiment.run.job import ChangedError, Job
from optmap.experiment.run.store import CRASHED
from optmap.experiment.run.warm_up import compile_ahead, needs_cuts, warm_up_for
from optmap.flow import run
from optmap.instance import Instance
from optmap.judge.case import bounds_of_any_mapping
from optmap.methods import METHODS, Method
from optmap.model.claim import Run
from optmap.model.mapping import Mapping
from optmap.model.outcome import Status
from optmap.stages.constrain import refuse

#: The heuristic whose warm-up is that of a mapping that is given: it does least besides the judge.
JUDGED = METHODS["song2020-tree"]


def main() -> None:
    """Run the jobs that stand on standard input, one a line; or only compile, for a child."""
    if sys.argv[1] == COMPILE_ONLY:
        compile_ahead(METHODS[sys.argv[2]], cuts=CUTS in sys.argv[3:])
        return
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # solvers may print; rows must not mix
    sys.stdout = sys.stderr
    announce_compilation(lambda _: print("compiles", file=out, flush=True))
    alone = AHEAD in sys.argv[2:]  # one job, then the child ends
    for line in sys.stdin:
        shared = solve(Job.from_json(line), out, alone)
        out.write("done\n" if shared else "spent\n")
        out.flush()


class _Printer:
    """Prints a job's rows, each with the seconds since the method began."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.begin()

    def begin(self) -> None:
        """Start the clocks: what was read, compiled or copied before is not the method's time."""
        self.start, self.cpu = time.perf_counter(), time.process_time()

    def say(self, word: str) -> None:
        """Print a line that is no row: the parent's clock starts, or a copy has been made."""
        self.out.write(word + "\n")
        self.out.flush()

    def row(self, describe_row: Callable[[], dict[str, Any]]) -> None:
        """Print a row; what describing it takes, the judge above all, is not the method's time."""
        clocks = {
            "wall_s": round(time.perf_counter() - self.start, 4),
            "cpu_s": round(time.process_time() - self.cpu, 4),
        }
        self.say(dumps(describe_row() | clocks))

    def refusal(self, status: str, error: ValueError) -> None:
        """Print a row without a mapping and why there is none."""
        self.row(lambda: {"status": status, "check": "not_run", "reason": str(error)})


def solve(job: Job, out: TextIO, alone: bool = True) -> bool:
    """Run one job and print its rows; tell whether other jobs may run in this process.

    A job that is ``alone`` may have a second process that compiles for it; it needs no copy.
    """
    printer = _Printer(out)
    try:
        instance = job.load()
        if job.mapping_file:
            given = Run(Status.FEASIBLE, job.load_mapping(instance))
            _judge(given, instance, job, printer)
            return True
        method = job.load_method()
        placement = instance.placement() if method.clustering == "imported" else None
        refuse(method, instance.constraints, instance.snn, instance.platform)
        may_compile = alone and job.limits.memory_mb is None
        with compiling_ahead(method, needs_cuts(instance), may_compile):
            warm_up_for(method, instance)
        bounds_of_any_mapping(instance.snn, instance.platform)
    except ChangedError as error:
        printer.refusal(CRASHED, error)
        return not job.method_file
    except InputError as error:
        printer.refusal("error", error)
        return not job.method_file
    except (FanInError, CapacityError) as error:
        printer.refusal("unsupported", error)
        return not job.method_file

    def work() -> None:
        _run(job, method, instance, placement, printer)

    if alone or not needs_own_process(job):
        work()
        return True
    if not (may_be_copied(job) and can_copy()):
        work()
        return False
    printer.say("copied")
    run_in_copy(work)
    return True


def _judge(given: Run, instance: Instance, job: Job, printer: _Printer) -> None:
    """Print the row of a mapping that is given; no kernel is compiled on its clock."""
    small = instance.snn.num_synapses <= SMALL
    if not small:
        warm_up_for(JUDGED, instance)
    with interpreted(small and not has_machine_code()):
        printer.say("ready")
        printer.begin()
        printer.row(lambda: describe(given, instance, job))


def _run(
    job: Job, method: Method, instance: Instance, placement: Mapping | None, printer: _Printer
) -> None:
    """Run a method whose kernels are compiled, and print each mapping that it reports."""
    printer.say("ready")
    printer.begin()
    try:
        result = run(
            method,
            instance.snn,
            instance.platform,
            instance.tokens,
            job.limits,
            lambda partial: printer.row(lambda: describe(partial, instance, job)),
            placement,
            instance.constraints,
        )
        printer.row(lambda: describe(result, instance, job))
    except InputError as error:
        printer.refusal("error", error)
    except (FanInError, CapacityError) as error:
        printer.refusal("unsupported", error)
