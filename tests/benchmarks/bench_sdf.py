"""Time of the dataflow kernel, against baselines, printed as ratios. Run by ``make bench``.

Graphs are :func:`sdf_graphs.large_marked` and :func:`sdf_graphs.large_sdfg`, seed 1. The goals and
the peers' times in the table are those of the project's issue on this kernel; peers were measured
on random graphs of the same size by their own generators, so ratios to them are coarse.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import NegativeCycleError, bellman_ford
from sdf_graphs import large_marked, large_sdfg

from optmap.sdf import exact
from optmap.sdf.batch import cycle_ratios
from optmap.sdf.cycle_ratio import earliest_schedule, maximum_cycle_ratio
from optmap.sdf.incremental import RatioSearch
from optmap.sdf.marked_graph import MarkedGraph
from optmap.sdf.selftimed import selftimed_period
from optmap.sdf.throughput import throughput

SIZES = (10**3, 10**4, 10**5, 10**6)

#: Steps of a bisection on the ratio; an exact answer would need more.
BISECTIONS = 20


@pytest.fixture(scope="module")
def seconds(request: pytest.FixtureRequest) -> Iterator[dict[str, float]]:
    """Collect the least time of each measurement, and print the ratios at the end."""
    best: dict[str, float] = {}
    yield best
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        sys.stdout.write("\n" + "\n".join(report(best)) + "\n")


def report(best: dict[str, float]) -> list[str]:
    """Return the lines that compare times with each other, with goals and with peers."""
    lines = ["dataflow kernel: seconds, least of all rounds"]

    def compare(what: str, ours: str, theirs: float | None, label: str) -> None:
        if ours in best and theirs is not None:
            lines.append(
                f"  {what:<46} {best[ours]:>10.6f}  {label} {theirs:.6f}"
                f"  = {theirs / best[ours]:.1f} x ours"
            )

    for baseline in ("exact Python", "networkx", "scipy"):
        for n in SIZES:
            key = f"{baseline} {n}"
            compare(f"cycle ratio, {n} actors", f"ratio {n}", best.get(key), baseline)
    compare("cycle ratio, 10^5 actors", "ratio 100000", 0.5, "goal")
    compare("cycle ratio, 10^6 actors", "ratio 1000000", 10.0, "goal")
    compare("one move, 10^3 actors", "move", 100e-6, "goal")
    compare("1000 graphs of 100 actors", "batch", 0.1, "goal")
    compare("998 actors, 3717 channels", "peers single-rate", 0.002, "goal")
    compare("998 actors, 3717 channels", "peers single-rate", 0.171, "SDF3")
    compare("998 actors, 3717 channels", "peers single-rate", 0.028, "Kiter")
    compare("repetitions 40,000", "peers multi-rate", 0.020, "goal")
    compare("repetitions 40,000", "peers multi-rate", 0.007, "SDF3")
    compare("repetitions 40,000", "peers multi-rate", 0.4, "Kiter (its best)")
    compare("repetitions 40,000, unfolded", "peers multi-rate", best.get("unfolded"), "unfolding")
    compare(
        "repetitions 40,000, simulated", "peers multi-rate", best.get("simulated"), "self-timed"
    )
    timed = [(n, best[f"ratio {n}"]) for n in SIZES if f"ratio {n}" in best]
    if len(timed) > 1:
        (a, first), (b, last) = timed[0], timed[-1]
        exponent = math.log(last / first) / math.log(b / a)
        lines.append(f"  growth of the cycle ratio from {a} to {b} actors: n^{exponent:.2f}")
    if "peak memory" in best:
        mega = best["peak memory"]
        lines.append(f"  peak memory at 10^6 actors, 5 * 10^6 edges: {mega:.0f} MB")
    return lines


def measure(
    benchmark: Any, seconds: dict[str, float], key: str, call: Callable[[], Any], rounds: int
) -> Any:
    """Run ``call`` once to warm up, then ``rounds`` times; keep the least time under ``key``."""
    result = benchmark.pedantic(call, rounds=rounds, warmup_rounds=1, iterations=1)
    seconds[key] = benchmark.stats.stats.min
    return result


@pytest.mark.parametrize("num_actors", SIZES)
def test_cycle_ratio(benchmark, seconds, num_actors):
    graph = large_marked(num_actors)
    rounds = 200 if num_actors <= 10**3 else 3
    ratio, _ = measure(
        benchmark, seconds, f"ratio {num_actors}", lambda: maximum_cycle_ratio(graph), rounds
    )
    assert ratio is not None


def test_peak_memory(benchmark, seconds):
    """A process of its own makes the graph and solves it once."""
    code = (
        "import resource, sys; sys.path.insert(0, sys.argv[1]);"
        "from sdf_graphs import large_marked;"
        "from optmap.sdf.cycle_ratio import maximum_cycle_ratio;"
        "maximum_cycle_ratio(large_marked(1000000));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    folder = str(Path(__file__).resolve().parent.parent)

    def run() -> int:
        done = subprocess.run(
            [sys.executable, "-c", code, folder], capture_output=True, text=True, check=True
        )
        return int(done.stdout)

    kilobytes = benchmark.pedantic(run, rounds=1)
    seconds["peak memory"] = kilobytes / (1024 if sys.platform == "linux" else 1024**2)


def bisected(graph: MarkedGraph, has_negative_cycle: Callable[[np.ndarray], bool]) -> float:
    """Return the ratio to within 2^-BISECTIONS of its range, by Lawler's bisection."""
    low, high = 0.0, float(graph.delay.sum())
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if has_negative_cycle(middle * graph.tokens - graph.delay):
            low = middle
        else:
            high = middle
    return high


def test_exact_python_baseline(benchmark, seconds):
    graph = large_marked(1000)
    fields = [getattr(graph, f).tolist() for f in ("source", "target", "delay", "tokens")]
    ratio, _ = benchmark.pedantic(exact.exact_cycle_ratio, args=(1000, *fields), rounds=1)
    seconds["exact Python 1000"] = benchmark.stats.stats.min
    assert ratio == maximum_cycle_ratio(graph)[0]


def test_networkx_baseline(benchmark, seconds):
    graph = large_marked(1000)
    ends = list(zip(graph.source.tolist(), graph.target.tolist(), strict=True))

    def negative(weight: np.ndarray) -> bool:
        network = nx.DiGraph()
        for (a, b), w in zip(ends, weight.tolist(), strict=True):
            if not network.has_edge(a, b) or network[a][b]["weight"] > w:
                network.add_edge(a, b, weight=w)
        return bool(nx.negative_edge_cycle(network))

    benchmark.pedantic(bisected, args=(graph, negative), rounds=1)
    seconds["networkx 1000"] = benchmark.stats.stats.min


def test_scipy_baseline(benchmark, seconds):
    graph = large_marked(1000)
    order = np.lexsort((graph.target, graph.source))
    source, target = graph.source[order], graph.target[order]
    new = np.concatenate(([True], (np.diff(source) != 0) | (np.diff(target) != 0)))
    first = np.flatnonzero(new)

    def negative(weight: np.ndarray) -> bool:
        least = np.minimum.reduceat(weight[order], first)
        least[least == 0] = 1e-12  # scipy takes an explicit zero for no edge
        matrix = csr_matrix((least, (source[first], target[first])), shape=(1000, 1000))
        try:
            bellman_ford(matrix, indices=0)
        except NegativeCycleError:
            return True
        return False

    benchmark.pedantic(bisected, args=(graph, negative), rounds=1)
    seconds["scipy 1000"] = benchmark.stats.stats.min


def test_earliest_schedule(benchmark, seconds):
    graph = large_marked(10**5)
    ratio, _ = maximum_cycle_ratio(graph)
    assert ratio is not None
    measure(benchmark, seconds, "schedule", lambda: earliest_schedule(graph, ratio), 3)


def test_one_move(benchmark, seconds):
    """Three edges get other ends and delays, as when a search moves a cluster."""
    graph = large_marked(1000)
    search, rng = RatioSearch(graph), np.random.default_rng(1)

    def moves() -> tuple[tuple[Any], dict[str, Any]]:
        edges = rng.choice(np.arange(1000, graph.num_edges), 3, replace=False)
        ends = rng.integers(0, 1000, (2, 3))
        new = {"source": ends[0], "target": ends[1], "delay": rng.integers(1, 100, 3)}
        return (edges,), new

    benchmark.pedantic(search.replace, setup=moves, rounds=1000)
    seconds["move"] = benchmark.stats.stats.median


def test_a_thousand_graphs_in_one_call(benchmark, seconds):
    graphs = [large_marked(100, seed=seed) for seed in range(1000)]
    verdicts = measure(benchmark, seconds, "batch", lambda: cycle_ratios(graphs), 10)
    assert len(verdicts) == 1000


def test_single_rate_graph_of_the_peers_size(benchmark, seconds):
    graph = large_sdfg(998, 3717, 998)
    result = measure(benchmark, seconds, "peers single-rate", lambda: throughput(graph), 100)
    assert result.status == "live"


@pytest.mark.parametrize("machines", [False, True], ids=["overlapping", "machines"])
def test_multi_rate_graph_of_the_peers_size(benchmark, seconds, machines):
    graph = large_sdfg(100, 300, 40_000, machines=machines)
    key = "peers multi-rate" if not machines else "machines"
    result = measure(benchmark, seconds, key, lambda: throughput(graph), 20)
    assert sum(result.repetitions) > 40_000


def test_multi_rate_graph_unfolded(benchmark, seconds):
    graph = large_sdfg(100, 300, 40_000)
    result = measure(benchmark, seconds, "unfolded", lambda: throughput(graph, unfold=True), 10)
    assert isinstance(result.period, Fraction)


def test_multi_rate_graph_simulated(benchmark, seconds):
    graph = large_sdfg(100, 300, 40_000)
    measure(benchmark, seconds, "simulated", lambda: selftimed_period(graph), 10)
