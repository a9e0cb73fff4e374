"""Print the table of docs/clustering.md: ``python tests/benchmarks/partition_table.py [SECONDS]``.

Every method starts from the ``overlap`` heuristic and has the same limit. A row is incumbent,
bound, gap (incumbent - bound) / incumbent, and the seconds to proof where the two met.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run alone, nothing else loads tests/

import oracles

from formulations import (
    partition_colgen,
    partition_cpsat,
    partition_lns,
    partition_milp,
    partition_twins_cpsat,
)
from optmap.decompose import decompose
from optmap.heuristics.partition_overlap import partition
from optmap.method import Limits
from optmap.sources.generate import generate

INSTANCES = [
    ("gen:filter-16", 32),
    ("gen:filter-32", 64),
    ("gen:mlp-784-100-10", 128),
    ("gen:reservoir-1000", 128),
    ("gen:smooth-64", 128),
    ("gen:edges-64", 128),
    ("gen:lenet5-28", 128),
]
METHODS: list[tuple[str, Callable[..., Any]]] = [
    ("plain MILP", partition_milp.minimize_clusters),
    ("plain CP-SAT", partition_cpsat.minimize_clusters),
    ("aggregated", partition_twins_cpsat.minimize_clusters),
    ("column generation", partition_colgen.solve),
    ("LNS", partition_lns.solve),
]


def main(seconds: float) -> None:
    """Solve and print, a line at a time."""
    out = sys.stdout
    out.write(
        "| instance | method | incumbent | bound | gap | proof |\n|---|---|---|---|---|---|\n"
    )
    for name, size in INSTANCES:
        network = generate(name)
        platform = oracles.mesh([(size, size)])
        decomposition = decompose(network, size, "tree")
        warm = partition(decomposition, platform, seed=0)
        for method, solve in METHODS:
            began = time.perf_counter()
            made = solve(decomposition, platform, Limits(wall_s=seconds), warm)
            spent = time.perf_counter() - began
            outcome = made[0] if isinstance(made, tuple) else made
            bound = "-" if outcome.bound is None else str(outcome.bound)
            gap, proof = "-", "-"
            if outcome.bound is not None:
                gap = f"{(outcome.claimed - outcome.bound) / outcome.claimed:.0%}"
                proof = f"{spent:.1f} s" if outcome.claimed == outcome.bound else "-"
            label = f"{name[4:]} ({size} x {size})"
            out.write(f"| {label} | {method} | {outcome.claimed} | {bound} | {gap} | {proof} |\n")
            out.flush()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
