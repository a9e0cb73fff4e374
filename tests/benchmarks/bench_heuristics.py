"""Clustering from 10^4 to 10^8 synapses, admission latency, what projection loses.

Run by ``make bench``. Ratios to the goals are printed and kept in ``extra_info``. Every size runs
in a process of its own, so that peak memory is its own; kernels are compiled before the clock runs.
Seconds of clustering are processor time: machines are shared, and the kernels run on one core.
"""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from optmap.binding import force_directed as bind_force_directed
from optmap.binding import hill_climbing as bind_hill_climbing
from optmap.binding import load_balance as bind_load_balance
from optmap.binding import particle_swarm as bind_particle_swarm
from optmap.clustering import overlap as partition_overlap
from optmap.clustering import song2020 as partition_song2020
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate
from optmap.model.cluster_graph import cluster_graph
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.platform_file import load_platform
from optmap.runtime.admission import Runtime
from optmap.runtime.application import from_graph
from optmap.runtime.design_time import designed

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "heuristics"))
from random_cases import random_graph  # noqa: E402

DYNAP = load_platform(ROOT / "instances" / "platforms" / "dynap_se.toml")
SIZES = (
    "scale-conv-10000",
    "scale-conv-100000",
    "scale-conv-1000000",
    "scale-conv-10000000",
    "vgg-32-41",
)
CHILD = """
import importlib, json, resource, sys, time
from optmap.decomposing.contract import decompose
from optmap.model.platform_file import load_platform
from optmap.generators.generate import generate
name, network, policy, platform = sys.argv[1:]
partition = importlib.import_module("optmap.clustering." + name).partition
platform = load_platform(platform)
partition(decompose(generate("smooth-16"), 128, policy), platform)
snn = generate(network)
began = time.process_time()
decomposition = decompose(snn, 128, policy)
decomposed = time.process_time()
clustering = partition(decomposition, platform)
ended = time.process_time()
print(json.dumps({
    "synapses": snn.num_synapses, "clusters": clustering.num_clusters,
    "decompose_s": decomposed - began, "cluster_s": ended - decomposed,
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


@pytest.fixture
def say(capsys):
    """Print past pytest's capture: the ratios are what the benchmark is for."""

    def line(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text}", end="", flush=True)  # noqa: T201

    return line


def child(name: str, network: str, policy: str) -> dict[str, float]:
    """Cluster in a process of its own and return what it measured."""
    platform = ROOT / "instances" / "platforms" / "dynap_se.toml"
    run = subprocess.run(
        [sys.executable, "-c", CHILD, name, network, policy, str(platform)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return json.loads(run.stdout)


@pytest.mark.parametrize(
    ("name", "policy"), [("overlap", "tree"), ("song2020", "tree"), ("song2020", "chain")]
)
def test_clustering_grows_with_the_synapses(benchmark, say, name: str, policy: str):
    """Goals: growth exponent <= 1.1; overlap: 10^7 in 15 s; 10^8 in 16 GiB and 300 s."""
    rows = benchmark.pedantic(lambda: [child(name, s, policy) for s in SIZES], rounds=1)
    size, seconds = ([row[key] for row in rows[1:]] for key in ("synapses", "cluster_s"))
    exponent = float(np.polyfit(np.log(size), np.log(seconds), 1)[0])
    for network, row in zip(SIZES, rows, strict=True):
        say(
            f"{name}-{policy} {network}: {row['synapses']:.3g} synapses, {row['clusters']}"
            f" clusters, {row['cluster_s']:.3f} s, {row['peak_mb']:.0f} MB"
        )
    say(f"{name}-{policy}: growth exponent {exponent:.2f} (goal 1.1)")
    benchmark.extra_info["growth_exponent"] = exponent
    benchmark.extra_info["share_of_16_GiB"] = rows[-1]["peak_mb"] / 16384
    benchmark.extra_info["share_of_300_s"] = rows[-1]["cluster_s"] / 300
    if name == "overlap":
        benchmark.extra_info["share_of_15_s"] = rows[3]["cluster_s"] / 15


@pytest.mark.parametrize(
    ("module", "policy", "goal"),
    [(partition_song2020, "chain", 0.1), (partition_overlap, "tree", 0.3)],
)
def test_lenet(benchmark, module, policy: str, goal: float):
    """413 k synapses: song2020 under 0.1 s, overlap under 0.3 s."""
    decomposition = decompose(generate("lenet5-28"), 128, policy)
    module.partition(decomposition, DYNAP)
    benchmark(module.partition, decomposition, DYNAP)
    benchmark.extra_info["goal_s"] = goal


@pytest.mark.parametrize(
    "module", [bind_load_balance, bind_particle_swarm, bind_force_directed, bind_hill_climbing]
)
def test_binding_of_lenet_on_64_tiles(benchmark, module):
    decomposition = decompose(generate("lenet5-28"), 128, "tree")
    clustering = partition_overlap.partition(decomposition, DYNAP)
    platform = chip(8)
    graph = cluster_graph(decomposition, clustering, platform, "dataflow")
    benchmark.pedantic(module.bind, (graph, platform), rounds=1, warmup_rounds=1)


def chip(side: int) -> Platform:
    """Return side x side equal tiles."""
    return Platform(
        "chip",
        (Tile(Crossbar(128, 128), slots=64),) * side**2,
        Interconnect("mesh", side, side),
        hop_ticks=2,
        base_ticks=16,
        switch_ticks=3,
        ni_tokens_per_tick=Fraction(9, 5),
    )


def asked(rng, manager: Runtime, known, count: int):
    """Ask ``count`` times, letting somebody go whenever nobody is admitted; return decisions."""
    decisions = []
    for number in range(count):
        application = known[int(rng.integers(len(known)))]
        best = max(application.total_ticks / 8, application.graph.tau.max())
        wish = Fraction(1, int(best * rng.choice([1.2, 2, 4, 8])))
        decision = manager.admit(application, wish, name=f"run{number}")
        decisions.append((application, decision))
        if not decision.admitted and manager.state.running:
            manager.leave(str(rng.choice(manager.state.names())))
    return decisions


@pytest.mark.parametrize("policy", ["exclusive", "lockstep", "wheel"])
def test_admission(benchmark, say, policy: str):
    """16 tiles, applications of 20 to 100 clusters: median under 5 ms (goal)."""
    platform, rng = chip(4), np.random.default_rng(0)
    known = [
        from_graph(f"app{i}", random_graph(rng, int(rng.integers(20, 101))), platform)
        for i in range(12)
    ]

    def run():
        manager = Runtime(platform, policy, 10_000 if policy == "wheel" else None)
        return asked(np.random.default_rng(1), manager, known, 100)

    decisions = benchmark.pedantic(run, rounds=2, warmup_rounds=1)
    latency = median(d.seconds for _, d in decisions if d.admitted)
    say(f"admission, {policy}: median {1000 * latency:.2f} ms, goal 5 ms")
    benchmark.extra_info["median_ms"] = 1000 * latency


def test_projection_against_the_design_time_flow(benchmark, say):
    """[S20]'s claim: little throughput is lost by projecting, much time is saved."""
    platform, rng = chip(4), np.random.default_rng(2)
    known = [
        from_graph(f"app{i}", random_graph(rng, int(rng.integers(20, 61))), platform)
        for i in range(6)
    ]

    def run():
        rows = []
        for scenario in range(3):
            manager = Runtime(platform)
            for application, decision in asked(np.random.default_rng(scenario), manager, known, 8):
                other = designed(application, platform, decision.tiles) if decision.tiles else None
                if other is not None:
                    lost = 1 - other[0] / decision.period
                    rows.append((float(lost), other[1] / decision.seconds))
        return rows

    rows = benchmark.pedantic(run, rounds=1)
    lost, faster = float(np.mean([r[0] for r in rows])), median(r[1] for r in rows)
    say(
        f"projection: {len(rows)} admissions, {100 * lost:.1f} % of the throughput lost,"
        f" decided {faster:.0f} times faster"
    )
    benchmark.extra_info["throughput_lost"] = lost
    benchmark.extra_info["times_faster"] = faster
