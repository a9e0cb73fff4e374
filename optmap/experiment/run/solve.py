"""The child process: jobs in on standard input, rows out on standard output.

Each line between ``ready`` and ``done`` is one complete row; a later row replaces an earlier one,
so that a child that is killed leaves its best mapping so far. The child ends its whole process
group when the pipe whose number is its argument closes: a parent that dies takes its solves along.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from optmap.binding.contract import BINDERS
from optmap.clustering import multilevel
from optmap.clustering.contract import CLUSTERERS
from optmap.compiled import announce_compilation, interpreted
from optmap.decomposing.contract import decompose
from optmap.errors import CapacityError, FanInError, InputError
from optmap.exact import EXACT_BINDERS, EXACT_ORDERINGS
from optmap.exact_questions import compile_binding_search, compile_schedule_proofs
from optmap.experiment.report.details import details
from optmap.experiment.row import EXAMPLE
from optmap.experiment.run.ahead import AHEAD, COMPILE_ONLY, compiling_ahead
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.job import Job
from optmap.experiment.run.mapping_file import document, read_document
from optmap.experiment.run.source import Source
from optmap.flow import run
from optmap.instance import Instance
from optmap.judge.case import Case
from optmap.methods import METHODS, Method, load_method_file, method_named
from optmap.model.claim import Run
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.mapping import Binding, Mapping, compact
from optmap.model.outcome import Limits, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.simulation.encoded import accuracy
from optmap.whole.starts import FLOWS

STATUS_WORD = {
    Status.OPTIMAL: "optimal",
    Status.FEASIBLE: "feasible",
    Status.INFEASIBLE: "infeasible",
    Status.UNKNOWN: "no_solution",
}


def main() -> None:
    """Run the jobs that stand on standard input, one a line; or only compile, for a child."""
    if sys.argv[1] == COMPILE_ONLY:
        compile_ahead(METHODS[sys.argv[2]])
        return
    threading.Thread(target=_end_with_parent, args=(int(sys.argv[1]),), daemon=True).start()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # solvers may print; rows must not mix
    sys.stdout = sys.stderr
    announce_compilation(lambda _: print("compiles", file=out, flush=True))
    for line in sys.stdin:
        solve(Job.from_json(line), out, ahead=AHEAD in sys.argv[2:])
        out.write("done\n")
        out.flush()


def _end_with_parent(lifeline: int) -> None:
    os.read(lifeline, 1)  # nothing is ever written: it returns when the other end is gone
    os.killpg(os.getpgid(0), signal.SIGKILL)


def solve(job: Job, out: TextIO, ahead: bool = False) -> None:
    """Run one job and print its rows; a second process may compile ``ahead`` of it."""
    start, cpu = time.perf_counter(), time.process_time()

    def emit(describe_row: Callable[[], dict[str, Any]]) -> None:
        clocks = {
            "wall_s": round(time.perf_counter() - start, 4),
            "cpu_s": round(time.process_time() - cpu, 4),
        }
        out.write(dumps(describe_row() | clocks) + "\n")  # judging is not the method's time
        out.flush()

    def refuse(status: str, error: ValueError) -> None:
        emit(lambda: {"status": status, "check": "not_run", "reason": str(error)})

    try:
        instance = job.source.load()
        if job.mapping_file:
            out.write("ready\n")
            given = Run(Status.FEASIBLE, read_document(Path(job.mapping_file), instance)[2])
            emit(lambda: describe(given, instance, job))
            return
        if job.method_file:
            load_method_file(Path(job.method_file))
        method = method_named(job.method)
        snn = instance.snn
        placement = instance.placement() if method.clustering == "imported" else None
        with compiling_ahead(method, ahead and job.limits.memory_mb is None):
            warm_up(method, cuts=needs_cuts(instance))
        if multilevel.worth_it(snn) and BY_LEVELS & {method.clustering, method.whole}:
            _divide_by_levels()
        out.write("ready\n")  # the parent's clock starts
        out.flush()
        start, cpu = time.perf_counter(), time.process_time()  # reading is not the method's time
        result = run(
            method,
            snn,
            instance.platform,
            instance.tokens,
            job.limits,
            lambda partial: emit(lambda: describe(partial, instance, job)),
            placement,
            instance.constraints,
        )
        emit(lambda: describe(result, instance, job))
    except InputError as error:
        refuse("error", error)
    except (FanInError, CapacityError) as error:
        refuse("unsupported", error)


#: Clusterings and searches that begin with divisions by levels where networks are large.
BY_LEVELS = frozenset(("colgen", "lns", "search-traffic"))
#: A network with a fan-in that is cut, and clusters that feed each other on the tree.
CUT_AND_RECURRENT = "mlp-9-24-9"


#: Where the kernels are that cut fan-in, and those that only clustering calls.
DECOMPOSING = ("optmap.decomposing.",)
CLUSTERING = ("optmap.clustering.",)

#: Heuristics on small networks are never ended early: what they did not reach is not loaded.
WHOLE_S = 1000.0


def needs_cuts(instance: Instance) -> bool:
    """Tell whether some neuron reads more than a crossbar of the platform has rows."""
    return instance.snn.max_fan_in > min(rows for rows, _ in instance.platform.kinds)


@cache
def warm_up(method: Method, cuts: bool = True) -> None:
    """Run a method on a small network: loading compiled kernels is not the method's time.

    A heuristic runs alone, judged and described as a row is, on a filter (on less, clusters do not
    merge, and kernels would be compiled on the method's clock) and on a fan-in that is cut. Before
    anything else the heuristics run that it starts from. Without ``cuts`` no network that is mapped
    will need the kernels that cut: they run as Python here.
    """
    if method.runs_alone:
        _run_and_describe(method, "filter-8", WHOLE_S)
        if method.decomposition != "none":
            with nullcontext() if cuts else interpreted(rooms=DECOMPOSING):
                _run_and_describe(method, CUT_AND_RECURRENT, WHOLE_S)
        return
    _run_and_describe(METHODS["overlap-prologue"], "filter-8", WHOLE_S)
    _run_and_describe(METHODS["song2020-tree"], CUT_AND_RECURRENT, WHOLE_S)
    if method.clustering == "imported":
        return
    if method.decomposition not in ("chain", "tree", "none") or method.whole:
        _run_and_describe(method, CUT_AND_RECURRENT, 1.0)  # it cuts in a way of its own
    # column generation and its search reach their kernels only where the row bound is not met
    hard = not method.uses_solver or method.clustering in ("colgen", "lns")
    _run_and_describe(method, "filter-8" if hard else "mlp-1-1-1", 1.0)
    if method.whole:
        _start_all()
    if method.binding in EXACT_BINDERS or method.order in EXACT_ORDERINGS:
        _bind_and_prove()
    if method.binding == "search":  # its kernels run only where CP-SAT has proved nothing
        compile_binding_search(*_one_unit_a_tile())
    if method.clustering in ("colgen", "lns"):
        _search_traffic()


def compile_ahead(method: Method) -> None:
    """Compile what a method needs after its clusters, while another process compiles the rest.

    The other process finds the code kept, or waits for it where it is being compiled here.
    """
    with interpreted(rooms=DECOMPOSING + CLUSTERING):
        warm_up(method)
    _run_and_describe(METHODS["song2020-tree"], "filter-8", WHOLE_S)


def _start_all() -> None:
    """Run what the search over all decisions starts from; a second of it may not come to all."""
    platform = Platform("warm-up", (Tile(Crossbar(16, 16)),) * 2, Interconnect("mesh", 2, 1))
    decomposition = decompose(Instance("warm-up", "gen:filter-8", platform).snn, 16, "tree")
    for clusterer in sorted({clusterer for _, clusterer in FLOWS}):
        CLUSTERERS[clusterer]()(decomposition, platform, seed=0)
    _run_and_describe(METHODS["overlap-spikes"], "filter-12", WHOLE_S)


def _bind_and_prove() -> None:
    """Bind a few clusters to fewer tiles for few hops, and run what proves bindings and orders.

    A solver's stage reaches these kernels only where the clusters are many enough.
    """
    graph, large = _one_unit_a_tile()
    platform = replace(large, tiles=(Tile(Crossbar(16, 16)),) * len(large.tiles))
    binding = BINDERS["force-directed"]()(graph, platform)
    few = Binding(np.arange(graph.num_clusters, dtype=np.int32) % 2)
    for place in (binding, few):
        compile_schedule_proofs(graph, platform, place)


@cache
def _divide_by_levels() -> None:
    """Run multilevel clustering once, and its search, over a small network."""
    tiles = (Tile(Crossbar(64, 16)),) * 4
    platform = Platform("warm-up", tiles, Interconnect("mesh", 2, 2))
    units = decompose(Instance("warm-up", "gen:reservoir-2d-64-8", platform).snn, 64, "none")
    start = multilevel.partition(units, platform)
    multilevel.least_traffic(units.network, start, platform.kinds, lambda _: False)


def _search_traffic() -> None:
    """Run what colgen and lns come to only where time is left, or crossbars are large.

    That is the annealing of traffic, and the bound on it by spreading metrics, round by round.
    """
    from optmap.bounds.spreading import best_spreading_bound  # its kernels load slowly
    from optmap.clustering.kernels.annealing_traffic import reduce_traffic

    platform = Platform("warm-up", (Tile(Crossbar(16, 4)),), Interconnect("mesh", 1, 1))
    decomposition = decompose(Instance("warm-up", "gen:mlp-9-8-8", platform).snn, 16, "tree")
    clustering = compact(range(decomposition.network.num_units))
    reduce_traffic(decomposition.network, clustering, platform.kinds, moves=1, seed=0)
    looks = iter([False, True, True])
    best_spreading_bound(decomposition, platform, lambda: next(looks, True))


def _one_unit_a_tile() -> tuple[ClusterGraph, Platform]:
    tiles = (Tile(Crossbar(16, 16), slots=1),) * 9
    platform = Platform("warm-up", tiles, Interconnect("mesh", 3, 3))
    snn = Instance("warm-up", "gen:mlp-3-3-3", platform).snn
    decomposition = decompose(snn, 16, "tree")
    clustering = compact(range(decomposition.network.num_units))
    return cluster_graph(decomposition, clustering, platform, "dataflow"), platform


def _run_and_describe(method: Method, network: str, limit_s: float) -> None:
    tile = Tile(Crossbar(16, 16))
    platform = Platform("warm-up", (tile, tile), Interconnect("mesh", 2, 1))
    instance = Instance("warm-up", f"gen:{network}", platform)
    limits = Limits(limit_s)
    result = run(method, instance.snn, platform, instance.tokens, limits, lambda _: None)
    describe(result, instance, Job(instance.name, "", Source(), method.name, limits))


def describe(result: Run, instance: Instance, job: Job) -> dict[str, Any]:
    """Return the row of a run: judged values, claims, bounds, the mapping itself."""
    row: dict[str, Any] = {
        "status": STATUS_WORD[result.status],
        "check": "not_run",
        "reason": result.reason,
        "network": describe_network(instance),
        "claims": [claim.to_json() for claim in result.claims],
        "certificates": [c.certificate.to_json() for c in result.claims if c.certificate],
        "stage_seconds": {stage: round(seconds, 4) for stage, seconds in result.seconds},
    }
    if result.mapping is None:
        return row
    mapping = result.mapping
    case = Case(instance.snn, instance.platform, instance.tokens, mapping, instance.constraints)
    wrong = [claim for claim in result.claims if not claim.holds]
    row["decomposition"] = mapping.decomposition.policy
    row["mapping"] = document(mapping, job.instance, job.source, job.digest, job.method)
    row["bounds"] = [bound.to_json() for bound in case.bounds]
    if case.evaluation is None or case.place is None:
        row["check"] = "violation"
        row["reason"] = "; ".join(map(str, case.violations[:20]))
        return row
    row["metrics"] = case.evaluation.row()
    row["place"] = case.place.to_json()
    row["details"] = details(case)
    row["critical_cycle"] = [str(step) for step in case.evaluation.critical_cycle]
    row["check"] = "mismatch" if wrong else "ok"
    if wrong:
        row["reason"] = "; ".join(
            f"{c.metric}: {c.status.value}, claimed {c.value}, evaluated {c.evaluated},"
            f" bound {c.bound}"
            for c in wrong
        )
    return row


def describe_network(instance: Instance) -> dict[str, Any]:
    """Return the sizes that reports print beside an instance."""
    snn, platform = instance.snn, instance.platform
    return {
        "neurons": snn.num_neurons,
        "inputs": snn.num_neurons - snn.num_units,
        "synapses": snn.num_synapses,
        "max_fan_in": snn.max_fan_in,
        "spikes": int(snn.spikes.sum()),
        "spikes_origin": snn.spikes_origin,
        "platform": platform.name,
        "crossbars": " ".join(f"{rows}x{columns}" for rows, columns in platform.kinds),
        "tiles": platform.num_tiles,
        "tokens": instance.tokens,
        **({"notes": "; ".join(snn.notes)} if snn.notes else {}),
        **_code_of(instance),
        **({"set": EXAMPLE} if instance.is_example else {}),
    }


def _code_of(instance: Instance) -> dict[str, Any]:
    """Return the code of the inputs, and how many samples are answered rightly in it."""
    if instance.encoding is None or instance.encoding.kind is None:
        return {}
    found = accuracy(Path(instance.network), instance.encoding)
    code = {"code": instance.encoding.kind}
    return code if found is None else {**code, "right": found.right, "tested": found.tested}


def describe_bounds(mapping: Mapping, instance: Instance) -> list[dict[str, Any]]:
    """Return the bounds that need no solver, each with its name and scope."""
    case = Case(instance.snn, instance.platform, instance.tokens, mapping, instance.constraints)
    return [bound.to_json() for bound in case.bounds]


if __name__ == "__main__":
    main()
