"""Networks of 12 to 25 units whose optimum over all decisions `whole-cpsat` proves.

Adders and ring attractors of threshold neurons; every spike is counted from a run written here::

    python instances/scripts/build_proofs.py

Each has a platform of its own (platforms/pair_ROWSxCOLUMNS.toml): two tiles that share programs in
time, so that clustering, binding and order all matter, and crossbars as narrow as the network
allows, so that the bounds are close.
"""

from __future__ import annotations

import numpy as np
from instance_text import HERE, write_instance

from optmap.model.snn import SNN, Population, from_edges

SEED = 20260

PLATFORM = """# Two tiles with narrow crossbars: their optimum over all decisions is proved. No
# chip is meant: times and energies are those of dynap_se.toml where nothing else is said.
schema = 1
name = "pair, crossbars {rows} x {columns}"
origin = "this project; costs as in dynap_se.toml, where their sources are written"

[interconnect]
kind = "mesh"
width = 2
height = 1

[[tiles]]
rows = {{ value = {rows}, source = "assumed" }}
columns = {{ value = {columns}, source = "assumed" }}

[time]
tick_ns = {{ value = 1, source = "assumed" }}
base_ticks = {{ value = {base}, source = "assumed: reading out and resetting the neurons" }}
event_ticks = {{ value = 1, source = "assumed: one tick per spike read" }}
switch_ticks = {{ value = 4, source = "assumed: a change of program" }}
hop_ticks = {{ value = 3, source = "as dynap_se.toml" }}
ni_tokens_per_tick = {{ value = 1.8, source = "as dynap_se.toml" }}

[cells]
cells_per_synapse = {{ value = 1, source = "assumed" }}

[buffers]
buffer_windows = {{ value = 2, source = "assumed: double buffering" }}

[energy]
spike_pj = {{ value = 50, source = "as dynap_se.toml" }}
route_pj = {{ value = 147, source = "as dynap_se.toml" }}
synapse_pj = {{ value = 0, source = "assumed" }}
local_pj = {{ value = 0, source = "assumed" }}

[area]
cell_um2 = {{ value = 0, source = "assumed" }}
neuron_um2 = {{ value = 0, source = "assumed" }}
tile_um2 = {{ value = 1, source = "assumed: area counts tiles" }}
"""


def adder(bits: int, sums: int) -> SNN:
    """Return a ripple-carry adder: carry = majority of three, sum = parity by the carry out."""
    rng = np.random.default_rng(SEED)
    a, b = rng.integers(0, 2, (2, sums, bits)).tolist()
    fired = np.zeros((sums, 4, bits), dtype=np.int64)
    for n in range(sums):
        carry = 0
        for i in range(bits):
            total = a[n][i] + b[n][i] + carry
            carry = int(total >= 2)
            fired[n, :, i] = a[n][i], b[n][i], carry, total % 2
    first, pairs = 2 * bits, []
    for i in range(bits):
        reads = [i, bits + i, *([first + i - 1] if i else [])]
        pairs += [(j, first + i) for j in reads]
        pairs += [(j, first + bits + i) for j in (*reads, first + i)]
    names = ("a", "b", "carry", "sum")
    populations = [Population(x, k * bits, (k + 1) * bits - 1) for k, x in enumerate(names)]
    pre, post = zip(*pairs, strict=True)
    spikes = fired.sum(axis=0).ravel()
    return from_edges(pre, post, 4 * bits, spikes=spikes, populations=populations)


def ring(size: int, steps: int, readout: bool) -> SNN:
    """Return a ring attractor: a bump of three neurons, moved by two velocity inputs.

    Every neuron reads itself, its neighbours and both inputs; ``readout`` reads the whole ring.
    """
    fired, place = np.zeros((steps, size + 2), dtype=np.int64), 0
    for t in range(steps):
        forward, back = int(t % 3 > 0), int(t % 6 == 0)
        place = (place + forward - back) % size
        fired[t, :2] = forward, back
        for step in (-1, 0, 1):
            fired[t, 2 + (place + step) % size] = 1
    pairs = {
        (j, 2 + i)
        for i in range(size)
        for j in (0, 1, 2 + (i - 1) % size, 2 + i, 2 + (i + 1) % size)
    }
    spikes = fired.sum(axis=0).tolist()
    populations = [Population("velocity", 0, 1), Population("ring", 2, size + 1)]
    if readout:
        pairs |= {(2 + i, size + 2) for i in range(size)}
        spikes.append(steps // 2)
        populations.append(Population("readout", size + 2, size + 2))
    pre, post = zip(*sorted(pairs), strict=True)
    return from_edges(pre, post, len(spikes), spikes=spikes, populations=populations)


def platform(rows: int, columns: int, base: int) -> str:
    """Write a pair of tiles and return its name."""
    name = f"pair_{rows}x{columns}"
    text = PLATFORM.format(rows=rows, columns=columns, base=base)
    (HERE / "platforms" / f"{name}.toml").write_text(text, encoding="utf-8")
    return name


def write(name: str, snn: SNN, text: str, window: str, crossbar: tuple[int, int, int]) -> None:
    """Write one instance with its platform: rows, columns, base_ticks."""
    write_instance(
        name, snn, text=text, licence="MIT", generator="scripts/build_proofs.py", seed=SEED,
        platform=platform(*crossbar), in_default_set=True,
        provenance={"neuron": "threshold", "window": window, "spikes": "counted in this one run"},
    )  # fmt: skip


if __name__ == "__main__":
    write("adder_8", adder(8, 16), "ripple-carry adder of 8 bits: a chain of carries",
          "16 random additions", (12, 4, 32))  # fmt: skip
    about = "ring attractor of {} neurons, a bump moved by velocity{}"
    read = "; one readout of larger fan-in than a crossbar has rows"
    platform(25, 4, 128)  # for filter_8_pair
    moves = "12 steps of the bump"
    write("ring_12", ring(12, 12, False), about.format(12, ""), moves, (8, 3, 48))
    write("ring_24", ring(24, 12, False), about.format(24, ""), moves, (10, 6, 64))
    write("ring_14_readout", ring(14, 12, True), about.format(14, read), moves, (10, 4, 64))
    write("ring_18_readout", ring(18, 12, True), about.format(18, read), moves, (12, 5, 64))
