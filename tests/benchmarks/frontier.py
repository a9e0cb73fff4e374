"""The sizes at which exact methods stop: one run each, a line of what it reached.

``python tests/benchmarks/frontier.py [NAME] [--seconds S]``; ``make bench`` writes the table to
docs/performance.md. Each run gets 120 seconds of processor time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run alone, nothing else loads tests/
sys.path.insert(0, str(Path(__file__).parents[2]))  # before tests/formulations, for formulations

import numpy as np
from processor_time import processor_time
from scheduling_instances import equal_tiles, random_flows, random_recurrent

from formulations.binding import russian_doll
from formulations.clustering import large_neighbourhood_search
from formulations.joint import cpsat as joint_cpsat
from formulations.ordering import cpsat as order_cpsat
from optmap.binding import hill_climbing
from optmap.clustering.overlap import partition
from optmap.decomposing.contract import decompose
from optmap.experiment.run.source import Source
from optmap.generators.generate import generate
from optmap.model.mapping import Binding
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.ordering import projection

HOUSE = Path(__file__).parents[2]
SECONDS = 120.0
#: Cores that CP-SAT's workers share.
CORES = 2


@dataclass(frozen=True)
class Reached:
    """What a run found and proved."""

    value: str
    bound: str

    @classmethod
    def of(cls, value: Any, bound: Any) -> Reached:
        """Return it as texts."""
        return cls(*("-" if number is None else str(number) for number in (value, bound)))


@dataclass(frozen=True)
class Case:
    """One size: its name, what is wanted, and the run."""

    name: str
    goal: str
    run: Callable[[float], Reached]


def smooth(seconds: float) -> Reached:
    """Cluster smooth-64 by large neighbourhood search."""
    decomposition = decompose(generate("gen:smooth-64"), 128, "tree")
    platform = Platform("dynap_se", (Tile(Crossbar(128, 128)),) * 64, Interconnect("mesh", 8, 8))
    warm = partition(decomposition, platform, seed=0)
    limits = Limits(seconds, CORES)
    found = large_neighbourhood_search.solve(decomposition, platform, limits, warm)
    return Reached.of(found.claimed, found.bound)


def traffic(seconds: float, name: str) -> Reached:
    """Cluster a network of whole neurons for the least traffic of at most as many clusters."""
    instance = Source(file=name).load()
    platform = instance.platform
    decomposition = decompose(instance.snn, platform.max_rows, "tree")
    warm = partition(decomposition, platform, seed=0)
    limits = Limits(seconds, CORES)
    found = large_neighbourhood_search.minimize_traffic(
        decomposition, platform, warm.num_clusters, limits, warm
    )
    return Reached.of(found.claimed, found.bound)


def hops(seconds: float, seed: int) -> Reached:
    """Bind 24 clusters one a tile of a 5 x 5 mesh by nested search."""
    tiles = (Tile(Crossbar(64, 64), slots=1),) * 25
    platform = Platform("one a tile", tiles, Interconnect("mesh", 5, 5))
    found = russian_doll.solve(random_flows(24, seed), platform, Limits(seconds))
    return Reached.of(found.claimed, found.bound)


def joint(seconds: float, clusters: int, tiles: int, seed: int) -> Reached:
    """Bind and order together by CP-SAT, from hill climbing's binding."""
    graph, platform = random_recurrent(clusters, tiles, seed)
    binding = hill_climbing.bind(graph, platform)
    warm = binding, projection.order(graph, binding, platform)
    found = joint_cpsat.solve(
        graph, platform, Limits(seconds, CORES), warm=warm, minimize_spike_hops=False
    )
    return Reached.of(found.claimed, found.bound)


def order(seconds: float) -> Reached:
    """Order 320 clusters, given a binding to 16 tiles, by CP-SAT."""
    graph, _ = random_recurrent(320, 4, 0)
    platform = equal_tiles(4, 4, hop_ticks=3)
    binding = Binding(np.random.default_rng(0).integers(0, 16, 320))
    warm = projection.order(graph, binding, platform)
    found = order_cpsat.solve(graph, platform, binding, Limits(seconds, CORES), warm=warm)
    return Reached.of(found.claimed, found.bound)


CASES = (
    Case("clusters, smooth-64", "within 1", smooth),
    Case("traffic, filter_16: 64 units", "proved", lambda s: traffic(s, "filter_16")),
    Case("traffic, edges_16: 192 units", "open", lambda s: traffic(s, "edges_16")),
    *(
        Case(f"spike-hops, 24 on 5 x 5, seed {k}", "proved", lambda s, k=k: hops(s, k))
        for k in range(2)
    ),
    *(
        Case(f"joint, 80 on 4 tiles, seed {k}", "proved", lambda s, k=k: joint(s, 80, 4, k))
        for k in range(3)
    ),
    Case("joint, 30 on 8 tiles", "proved", lambda s: joint(s, 30, 8, 0)),
    Case("joint, 80 on 8 tiles", "proved", lambda s: joint(s, 80, 8, 0)),
    Case("joint, 160 on 8 tiles", "proved", lambda s: joint(s, 160, 8, 0)),
    Case("order, 320 on 16 tiles", "proved", order),
)


def in_a_process(name: str, seconds: float) -> tuple[Reached, float]:
    """Run a case in a process of its own; return what it reached and its processor seconds."""
    command = [sys.executable, __file__, name, "--seconds", str(seconds)]
    done = subprocess.run(command, cwd=HOUSE, check=True, capture_output=True, text=True)
    said = json.loads(done.stdout.splitlines()[-1])
    return Reached(said["value"], said["bound"]), said["processor"]


def frontier_lines(seconds: float = SECONDS) -> list[str]:
    """Return the table of all cases."""
    lines = ["| size | goal | value | bound | processor, s |", "|---" * 5 + "|"]
    for case in CASES:
        reached, processor = in_a_process(case.name, seconds)
        ends = f"{reached.value} | {reached.bound} | {processor:.0f}"
        lines.append(f"| {case.name} | {case.goal} | {ends} |")
    return lines


def main() -> None:
    """Run one case and print what it reached, or all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", choices=[case.name for case in CASES])
    parser.add_argument("--seconds", type=float, default=SECONDS)
    args = parser.parse_args()
    if args.name is None:
        sys.stdout.write("\n".join(frontier_lines(args.seconds)) + "\n")
        return
    case = next(case for case in CASES if case.name == args.name)
    began = time.process_time()
    with processor_time():
        reached = case.run(args.seconds)
    said = {
        "value": reached.value,
        "bound": reached.bound,
        "processor": time.process_time() - began,
    }
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
