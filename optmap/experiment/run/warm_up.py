"""The warm-up of a method: its kernels are compiled or loaded before its clock starts.

Every stage is run on networks so small that it takes no time, those included that a method comes to
only where time is left, clusters are many or crossbars large.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from optmap.binding.contract import BINDERS
from optmap.bounds import end_to_end_reads
from optmap.clock import counted
from optmap.clustering import multilevel, overlap
from optmap.clustering.contract import CLUSTERERS
from optmap.clustering.kernels import regrowth
from optmap.clustering.kernels.classes import classes_of
from optmap.clustering.kernels.vector_packing_start import vector_packing_start
from optmap.compiled import interpreted, is_kept
from optmap.decomposing.contract import decompose
from optmap.exact import EXACT_BINDERS, EXACT_MULTICASTS, EXACT_ORDERINGS, EXACT_SCHEDULES
from optmap.exact_questions import (
    compile_binding_search,
    compile_clustering_searches,
    compile_schedule_proofs,
)
from optmap.experiment.run.description import describe
from optmap.experiment.run.job import Job
from optmap.experiment.run.source import Source
from optmap.flow import run
from optmap.instance import Instance
from optmap.methods import METHODS, Method
from optmap.model.capacity import stated
from optmap.model.cluster_graph import ClusterGraph, cluster_graph
from optmap.model.decomposition import sum_up
from optmap.model.mapping import Binding, compact
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import from_edges
from optmap.whole.starts import FLOWS

#: Clusterings and searches that begin with divisions by levels where networks are large.
BY_LEVELS = frozenset(("colgen", "lns"))
#: Clusterings that begin to dissolve clusters where vectors are packed.
PACKED = frozenset(("colgen", "lns", "leaves"))
#: Clusterings that grow clusters anew where these are many.
GROWN = frozenset(("overlap", "leaves", "blocks"))
#: Ways to bind whose kernels small networks do not reach.
BOUND_EXACTLY = frozenset((*EXACT_BINDERS, *EXACT_SCHEDULES))
#: A network whose firings with a prologue are placed one by one, and with negative tokens judged.
MADE_TO_FIT = "mlp-9-24-24-9"
#: Networks with a fan-in that is cut, and with neurons that feed each other.
CUT, RECURRENT = "mlp-9-24-9", "reservoir-2d-20-4"
#: Where the kernels are that cut fan-in or bound what that costs, and those of clustering alone.
CUTTING = ("optmap.decomposing.", end_to_end_reads.__name__, sum_up.__module__)
CLUSTERING = ("optmap.clustering.",)
#: Heuristics on small networks are never ended early: what they did not reach is not loaded.
WHOLE_S = 1e9
#: Units of counted work of what searches: it comes to the same kernels on every machine, while of a
#: second of the clock nothing is left where these are compiled first.
BRIEFLY = 0.05
#: What a CP-SAT model of everything gets, by the clock: counted, it takes a hundred times as long.
MODEL_S = 1.0
#: Ways to decide everything whose kernels are those of the search that they start from.
MODELS = frozenset(("cpsat", "cpsat-prologue"))


def warm_up_for(method: Method, instance: Instance) -> None:
    """Compile or load what a method needs for an instance."""
    warm_up(method, needs_cuts(instance), may_grow_anew(method, instance))
    divides = bool(method.whole) or method.clustering in BY_LEVELS
    if multilevel.worth_it(instance.snn) and divides:
        _divide_by_levels()


def needs_cuts(instance: Instance) -> bool:
    """Tell whether some neuron may read more than a unit of the platform can."""
    platform = instance.platform
    if stated(platform) or platform.fan_in is not None:
        return True
    return instance.snn.max_fan_in > min(rows for rows, _ in platform.kinds)


def may_grow_anew(method: Method, instance: Instance) -> bool:
    """Tell whether the method may grow clusters anew, or has what that takes compiled already."""
    if method.clustering != "overlap" or needs_cuts(instance):
        return True
    if is_kept(Path(regrowth.__file__).parent, "regrowth"):
        return True
    return overlap.may_grow_anew(instance.snn)


@cache
def warm_up(method: Method, cuts: bool = True, anew: bool = True) -> None:
    """Run a method on a small network: loading compiled kernels is not the method's time.

    A heuristic runs alone, judged and described as a row is, on a filter (on less, clusters do not
    merge, and kernels would be compiled on the method's clock), on neurons that feed each other and
    on a fan-in that is cut. The filter has more units than those whose sets are all looked at: so
    few are mapped as Python. Before anything else the heuristics run that it starts from. Without
    ``cuts`` no network that is mapped will need the kernels that cut: they run as Python here.
    Without ``anew`` none is so sparse that ``overlap`` grows clusters anew.
    """
    if anew and (method.clustering in GROWN or not method.runs_alone):
        _grow_anew()
    if method.clustering in PACKED or method.whole:
        pack_vectors()
    if method.runs_alone:
        _run_and_describe(method, "filter-9", WHOLE_S)
        _run_and_describe(method, RECURRENT, WHOLE_S)
        if method.clustering == "multilevel":
            _divide_by_levels()
        if method.binding == "hill-climbing":
            _bind_one_a_tile("hill-climbing")
        if method.decomposition != "none":
            with nullcontext() if cuts else interpreted(rooms=CUTTING):
                _run_and_describe(method, CUT, WHOLE_S)
                if method.order == "prologue":
                    _run_and_describe(method, MADE_TO_FIT, WHOLE_S)
        return
    for network in ("filter-8", MADE_TO_FIT):
        _run_and_describe(METHODS["overlap-prologue"], network, WHOLE_S)
    _run_and_describe(METHODS["song2020-tree"], CUT, WHOLE_S)
    if method.clustering == "imported":
        return
    if method.decomposition not in ("chain", "tree", "none") or method.whole:
        _run_briefly(method, CUT)  # it cuts in a way of its own
    # column generation and its search reach their kernels only where the row bound is not met
    hard = not method.uses_solver or method.clustering in ("colgen", "lns")
    _run_briefly(method, "filter-8" if hard else "mlp-1-1-1")
    if method.whole:
        _start_all()
    if method.binding in BOUND_EXACTLY or method.order in EXACT_ORDERINGS:
        _bind_and_prove()
    if method.binding in EXACT_MULTICASTS:
        _bind_one_a_tile("multicast")
    if method.binding == "search":  # its kernels run only where CP-SAT has proved nothing
        compile_binding_search(*_one_unit_a_tile())
    if method.clustering in ("colgen", "lns"):
        _search_traffic()


def compile_ahead(method: Method, cuts: bool) -> None:
    """Compile what a method needs after its clusters, while another process compiles the rest.

    The other process finds the code kept, or waits for it where it is being compiled here.
    """
    with interpreted(rooms=CUTTING + CLUSTERING):
        warm_up(method, anew=False)
    with nullcontext() if cuts else interpreted(rooms=CUTTING):
        _run_and_describe(METHODS["song2020-tree"], "filter-9", WHOLE_S)


@cache
def _grow_anew() -> None:
    """Run ``overlap`` where clusters are so many that it grows some of them anew."""
    platform = Platform("warm-up", (Tile(Crossbar(16, 16)),), Interconnect("mesh", 1, 1))
    units = decompose(Instance("warm-up", "gen:filter-12", platform).snn, 16, "tree")
    CLUSTERERS["overlap"]()(units, platform, seed=0)


@cache
def pack_vectors() -> None:
    """Pack units two of which share a row while one shares none: only then is anything packed."""
    network = from_edges([0, 1, 1, 2, 3, 4], [5, 5, 6, 6, 7, 7], 8)
    vector_packing_start(classes_of(network), 4, 4)


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
    _bind_one_a_tile("hill-climbing")  # as joint searches do


@cache
def _bind_one_a_tile(binding: str) -> None:
    """Bind as many clusters as there are tiles: they change places."""
    BINDERS[binding]()(*_one_unit_a_tile())


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

    That is listing and annealing, and the bound by spreading metrics, round by round.
    """
    from optmap.bounds.spreading import best_spreading_bound  # its kernels load slowly
    from optmap.clustering.kernels.annealing_traffic import reduce_traffic

    platform = Platform("warm-up", (Tile(Crossbar(16, 2)),), Interconnect("mesh", 1, 1))
    decomposition = decompose(Instance("warm-up", "gen:mlp-9-8-8", platform).snn, 16, "tree")
    clustering = compact(range(decomposition.network.num_units))
    reduce_traffic(decomposition.network, clustering, platform.kinds, moves=1, seed=0)
    compile_clustering_searches(decomposition, platform)
    looks = iter([False, True, True])
    best_spreading_bound(decomposition, platform, lambda: next(looks, True))


def _one_unit_a_tile() -> tuple[ClusterGraph, Platform]:
    tiles = (Tile(Crossbar(16, 16), slots=1),) * 9
    platform = Platform("warm-up", tiles, Interconnect("mesh", 3, 3))
    snn = Instance("warm-up", "gen:mlp-3-3-3", platform).snn
    decomposition = decompose(snn, 16, "tree")
    clustering = compact(range(decomposition.network.num_units))
    return cluster_graph(decomposition, clustering, platform, "dataflow"), platform


def _run_briefly(method: Method, network: str) -> None:
    """Run what ends by a limit, as far as a little counted work takes it."""
    if method.whole in MODELS:
        _run_briefly(METHODS["whole"], network)
        _run_and_describe(method, network, MODEL_S)
        return
    with counted():
        _run_and_describe(method, network, BRIEFLY)


def _run_and_describe(method: Method, network: str, limit_s: float) -> None:
    tile = Tile(Crossbar(16, 16))
    platform = Platform("warm-up", (tile, tile), Interconnect("mesh", 2, 1))
    instance = Instance("warm-up", f"gen:{network}", platform)
    limits = Limits(limit_s)
    result = run(method, instance.snn, platform, instance.tokens, limits, lambda _: None)
    describe(result, instance, Job(instance.name, "", Source(), method.name, limits))
