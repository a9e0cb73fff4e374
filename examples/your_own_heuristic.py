"""Your own heuristic against the optimum: one function, compared like the built-in ones.

    optmap compare filter_8 filter_16 --method-file examples/your_own_heuristic.py

runs it in a process of its own, judges its mappings, and shows its gaps beside everybody's. Run as
a script, the same comparison comes back as a data frame.
"""

# %% A clustering heuristic: units with most sources first, each onto the crossbar that then needs
# the fewest new rows.
import numpy as np

import optmap as om


def fewest_new_rows(
    decomposition: om.Decomposition, platform: om.Platform, *, seed: int = 0
) -> om.Clustering:
    """Give every unit the cluster with room that already has most of its sources."""
    network = decomposition.network
    rows, columns = platform.max_rows, platform.max_columns
    sources: list[set[int]] = []
    sizes: list[int] = []
    cluster_of = np.zeros(len(network.units), dtype=np.int32)
    for position in np.argsort(-network.fan_in[network.units], kind="stable"):
        reads = set(network.sources_of(int(network.units[position])).tolist())
        fitting = [
            (len(reads - held), k)
            for k, held in enumerate(sources)
            if sizes[k] < columns and len(reads | held) <= rows
        ]
        _, best = min(fitting, default=(0, len(sources)))
        if best == len(sources):
            sources.append(set())
            sizes.append(0)
        sources[best] |= reads
        sizes[best] += 1
        cluster_of[position] = best
    return om.Clustering(cluster_of)


# %% Under a name of its own; what is not given (tree, hill climbing, projected order) is optmap's.
om.register("fewest-new-rows", clustering=fewest_new_rows, about="fewest new rows, widest first")

# %% Beside the published flow and a heuristic of optmap's: 0 is proved optimal end to end.
if __name__ == "__main__":
    methods = ["song2020", "overlap", "fewest-new-rows"]
    found = om.compare(["filter_8", "filter_16"], methods)
    gaps = found.gaps.query("metric in ('clusters', 'period')")
    print(
        gaps.pivot_table(
            index="method", columns=["metric", "instance"], values="gap_to_bound"
        ).round(3)
    )
