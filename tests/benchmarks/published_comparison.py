"""Measure docs/heuristics.md's table of the published comparison: ``make clustering``.

``python tests/benchmarks/published_comparison.py`` clusters the connectivities of the published
comparison by our heuristics and prints the table; ``--write`` puts it into the page, between two
marks. The published code's own counts are its public results: the largest cluster id plus one.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # run alone, nothing else loads tests/

import oracles

from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.clustering import hypergraph, overlap, song2020, song2020_published
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate

PAGE = Path(__file__).parents[2] / "docs/heuristics.md"
BEGIN, END = "<!-- published: begin -->\n", "<!-- published: end -->"
#: Clusters that the public code of Song et al. needs on 128 x 128 crossbars.
PUBLISHED = {
    "mlp-784-100-10": 601,
    "smooth-64": 50,
    "edges-64": 142,
    "lenet5-28": 640,
    "reservoir-1000": 571,
}
SIZE = 128
HEAD = (
    "network",
    "synapses",
    "published code",
    "`song2020_published`",
    "`song2020` chain / tree",
    "`overlap` tree",
    "`hypergraph` tree",
    "bound, tree",
)


def line(name: str) -> str:
    """Return one network's line."""
    snn, platform = generate(f"gen:{name}"), oracles.mesh([(SIZE, SIZE)])
    chain, tree = (decompose(snn, SIZE, policy) for policy in ("chain", "tree"))
    counts = [
        str(song2020_published.partition(snn, platform)[1].num_clusters),
        " / ".join(str(song2020.partition(d, platform).num_clusters) for d in (chain, tree)),
        *(str(found.partition(tree, platform).num_clusters) for found in (overlap, hypergraph)),
    ]
    least = best(cluster_bounds(tree, platform))
    cells = [f"`gen:{name}`", f"{snn.num_synapses:,}", str(PUBLISHED[name]), *counts]
    return f"| {' | '.join(cells)} | {'-' if least is None else least.whole} |"


def table() -> str:
    """Return the table, one line a network."""
    head = f"| {' | '.join(HEAD)} |\n| --- |{' ---: |' * (len(HEAD) - 1)}\n"
    return head + "\n".join(line(name) for name in PUBLISHED) + "\n"


def main() -> None:
    """Print the table and, if asked to, keep it."""
    made = table()
    sys.stdout.write(made)
    if "--write" in sys.argv[1:]:
        before, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(before + BEGIN + made + END + rest.split(END)[1])


if __name__ == "__main__":
    main()
