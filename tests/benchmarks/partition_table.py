"""Measure docs/clustering.md's table: ``make clustering`` (all of it, some ten minutes alone).

``python tests/benchmarks/partition_table.py [SECONDS] [--only NAME]`` solves every instance by
every method, each from the ``overlap`` heuristic and within the same limit of processor seconds,
and prints the table; with ``--write`` it also keeps the rows (``docs/clustering_rows.json``), puts
the table into ``docs/clustering.md`` between two marks and draws the performance profile
(``docs/clustering_profile.svg``). ``--draw`` does that with the rows kept.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run alone, nothing else loads tests/
sys.path.insert(0, str(Path(__file__).parents[2]))  # before tests/formulations, for formulations

import oracles
from processor_time import processor_time

from formulations.clustering import cpsat as partition_cpsat
from formulations.clustering import large_neighbourhood_search as partition_lns
from formulations.clustering import milp as partition_milp
from formulations.clustering import twins_cpsat as partition_twins_cpsat
from formulations.clustering.column_generation import solve as partition_colgen
from optmap.clustering.overlap import partition
from optmap.decomposing.contract import decompose
from optmap.experiment.run.environment import environment
from optmap.generators.generate import generate
from optmap.model.outcome import Limits
from optmap.model.snn import SNN
from optmap.readers.ranc import read_ranc

HOUSE = Path(__file__).parents[2]
ROWS, PICTURE = HOUSE / "docs/clustering_rows.json", HOUSE / "docs/clustering_profile.svg"
PAGE = HOUSE / "docs/clustering.md"
BEGIN, END = "<!-- clusterings: begin -->\n", "<!-- clusterings: end -->"
RANC = HOUSE.parent / "shared/data/ranc"

INSTANCES = [
    ("filter-16", 32),
    ("filter-32", 64),
    ("mlp-784-100-10", 128),
    ("reservoir-1000", 128),
    ("smooth-64", 128),
    ("edges-64", 128),
    ("lenet5-28", 128),
    ("vmm_64", 32),
    ("vmm_64 alive", 32),
    ("vmm_64 alive, joined", 32),
    ("mnist_256", 256),
]
METHODS: dict[str, Callable[..., Any]] = {
    "plain MILP": partition_milp.minimize_clusters,
    "plain CP-SAT": partition_cpsat.minimize_clusters,
    "aggregated": partition_twins_cpsat.minimize_clusters,
    "column generation": partition_colgen.solve,
    "LNS": partition_lns.solve,
}
COLOURS = ("#999999", "#e69f00", "#56b4e9", "#d55e00", "#009e73")
STEPS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def network_of(name: str) -> SNN | None:
    """Return an instance's network; None where its files are not there."""
    folder, _, how = name.partition(" ")
    if "_" not in folder:
        return generate(f"gen:{name}")
    if not (RANC / folder).is_dir():
        return None
    return read_ranc(RANC / folder, drop_dead="alive" in how, join_axons="joined" in how).snn


def title(name: str, size: int) -> str:
    """Return what the rows call an instance."""
    return f"{name} ({size} x {size})"


def kept(name: str, size: int) -> list[dict[str, Any]]:
    """Return an instance's rows as they were measured before."""
    return [row for row in json.loads(ROWS.read_text()) if row["instance"] == title(name, size)]


def measure(name: str, size: int, seconds: float) -> list[dict[str, Any]]:
    """Return one row a method."""
    network = network_of(name)
    if network is None:
        return []
    platform, decomposition = oracles.mesh([(size, size)]), decompose(network, size, "tree")
    warm = partition(decomposition, platform, seed=0)
    rows = []
    for method, solve in METHODS.items():
        began = time.process_time()
        with processor_time():
            outcome = solve(decomposition, platform, Limits(wall_s=seconds), warm)
        spent = time.process_time() - began
        rows.append(
            {
                "instance": title(name, size),
                "method": method,
                "start": warm.num_clusters,
                "incumbent": outcome.claimed,
                "bound": outcome.bound,
                "seconds": round(spent, 1),
                "limit": seconds,
                "code": environment()["code_version"],
            }
        )
        sys.stderr.write(f"{rows[-1]}\n")
    return rows


def gap(row: dict[str, Any]) -> float | None:
    """Return (incumbent - bound) / incumbent; None without a bound."""
    return None if row["bound"] is None else (row["incumbent"] - row["bound"]) / row["incumbent"]


def cell(row: dict[str, Any]) -> str:
    """Return incumbent / bound, and the time to proof or the gap."""
    share = gap(row)
    if share is None:
        return f"{row['incumbent']} / -"
    how = f"{row['seconds']:.1f} s" if share == 0 else f"{share:.0%}"
    return f"{row['incumbent']} / {row['bound']}, {how}"


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table, one line an instance."""
    lines = [f"| instance | {' | '.join(METHODS)} |", "|---" * (len(METHODS) + 1) + "|"]
    for instance in dict.fromkeys(row["instance"] for row in rows):
        by_method = {row["method"]: row for row in rows if row["instance"] == instance}
        lines.append(f"| {instance} | {' | '.join(cell(by_method[m]) for m in METHODS)} |")
    return "\n".join(lines) + "\n"


def profile(rows: list[dict[str, Any]]) -> str:
    """Return an SVG: for each method the share of instances left with at most so large a gap."""
    instances = len({row["instance"] for row in rows})
    wide, high, left, top = 110, 220, 50, 20
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="300" font-size="12"'
        ' font-family="sans-serif">',
        '<rect width="900" height="300" fill="white"/>',
    ]
    for k, step in enumerate(STEPS):
        x = left + k * wide
        parts.append(f'<text x="{x}" y="{top + high + 18}" text-anchor="middle">{step:.0%}</text>')
        parts.append(f'<path d="M{x} {top}V{top + high}" stroke="#dddddd"/>')
    for share in (0.0, 0.5, 1.0):
        y = top + high * (1 - share)
        parts.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{share:.0%}</text>')
        parts.append(f'<path d="M{left} {y}H{left + (len(STEPS) - 1) * wide}" stroke="#dddddd"/>')
    for n, (method, colour) in enumerate(zip(METHODS, COLOURS, strict=True)):
        gaps = [gap(row) for row in rows if row["method"] == method]
        points = []
        for k, step in enumerate(STEPS):
            reached = sum(g is not None and g <= step for g in gaps) / instances
            points.append(f"{left + k * wide},{top + high * (1 - reached) - 2 * n + 4:.1f}")
        parts.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}"'
            ' stroke-width="2.5"/>'
        )
        y = top + 20 + 18 * n
        parts.append(f'<path d="M740 {y}H765" stroke="{colour}" stroke-width="2.5"/>')
        parts.append(f'<text x="770" y="{y + 4}">{method}</text>')
    caption = f"gap (incumbent - bound) / incumbent at the limit; share of {instances} instances"
    parts.append(f'<text x="{left}" y="{top + high + 42}">{caption}</text></svg>')
    return "\n".join(parts) + "\n"


def main() -> None:
    """Solve, print and, if asked to, keep."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("seconds", type=float, nargs="?", default=20.0)
    asked.add_argument("--only", default="", help="instances whose name begins so; others as kept")
    asked.add_argument("--write", action="store_true")
    asked.add_argument("--draw", action="store_true")
    options = asked.parse_args()
    if options.draw:
        rows = json.loads(ROWS.read_text())
    else:
        measure("filter-8", 32, 2.0)  # compiling is nobody's time
        measure("filter-16", 24, 4.0)
        rows = [
            row
            for name, size in INSTANCES
            for row in (
                measure(name, size, options.seconds)
                if name.startswith(options.only)
                else kept(name, size)
            )
        ]
    made = table(rows)
    sys.stdout.write(made)
    if options.write:
        ROWS.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    if options.write or options.draw:
        PICTURE.write_text(profile(rows))
        before, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(before + BEGIN + made + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
