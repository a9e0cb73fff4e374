"""Map a network and look at it: does it fit, how fast, how far from the optimum, why no faster.

Run it as a script, or cell by cell in an editor that knows ``# %%``.
"""

# %% A network (a file, "gen:NAME", or arrays as here) and a chip that comes with optmap.
import numpy as np

import optmap as om

rng = np.random.default_rng(0)
inputs, hidden, outputs = 100, 60, 10
pairs = [(i, inputs + j) for i in range(inputs) for j in range(hidden) if rng.random() < 0.5]
pairs += [(inputs + j, inputs + hidden + k) for j in range(hidden) for k in range(outputs)]
spikes = rng.integers(0, 20, inputs + hidden + outputs)
snn = om.from_edges(*zip(*pairs, strict=True), len(spikes), spikes=spikes)
chip = om.read_platform("mesh_2x2_32")

# %% Four decisions by a heuristic, judged exactly.
found = om.map_network(snn, chip, method="overlap")
print(found.explain())

# %% Every metric against what is proved for every mapping.
print(found.gaps[["value", "bound", "gap", "distance"]].round(3))

# %% Hot sources read directly: the decomposition alone can be worth more than all that follows.
spiked = om.map_network(snn, chip, method="overlap-spikes")
print(f"period {found.metrics['period']:.0f} -> {spiked.metrics['period']:.0f} ticks")

# %% Pictures: Plotly figures, shown by a notebook, here written to a page.
spiked.plot("schedule").write_html("schedule.html", include_plotlyjs="directory")
spiked.plot("loads").write_html("loads.html", include_plotlyjs="directory")

# %% The mapping as JSON, for your own tools, for `optmap explain`, for `compare --mapping`.
print("saved", spiked.save("mapping.json"))
