"""Gaps in pandas: from a comparison to the question you have.

``optmap compare`` writes runs.csv, gaps.csv and stage_gaps.csv; ``om.compare`` gives the same as
data frames with numbers.
"""

# %% A small comparison: two instances, three flows.
import pandas as pd

import optmap as om

found = om.compare(
    ["filter_8", "mlp_tiny"], ["random", "song2020", "overlap"], out="results_example"
)

# %% Mean end-to-end gap by method and metric.
gaps = found.gaps
print(gaps.pivot_table(index="method", columns="metric", values="gap_to_bound").round(3))

# %% How far from the best known value, which somebody has reached?
period = gaps[gaps.metric == "period"]
print(period.pivot_table(index="instance", columns="method", values="gap_to_best_known").round(3))

# %% Which stage is to blame: what a row's own earlier decisions leave open.
stages = found.stage_gaps
print(stages[["instance", "method", "metric", "optimum_of", "gap", "proved"]].head())

# %% A page with pictures; the rows themselves, one JSON object a line.
print("report:", found.report("report.html"))
print(pd.read_json("results_example/rows.jsonl", lines=True)[["instance", "method", "status"]])
