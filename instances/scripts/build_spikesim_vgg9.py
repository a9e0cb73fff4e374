"""Write VGG-9 as SpikeSim's public script maps it: two SDF3 graphs beside this folder.

``spikesim_vgg9.xml``: one actor for each of its 48 PEs, busy for one PE cycle (26 cycles of 4 ns)
per output position and time step: what its energy and area count. ``spikesim_vgg9_overlap.xml``:
two actors for each layer, three quarters and the rest of it, one PE cycle per output *neuron* and
time step; a layer begins when three quarters of the one before are done: what its latency counts.

Shapes, time steps, rules: ela_spikesim.py, Intelligent-Computing-Lab-Yale/SpikeSim, commit a83c451.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

IN_CHANNELS = (3, 64, 64, 128, 128, 256, 256)
OUT_CHANNELS = (64, 64, 128, 128, 256, 256, 256)
OUT_SIDE = (32, 16, 16, 8, 8, 8, 4)
CROSSBAR, STEPS, CYCLES = 64, 5, 26


def sdf3(name: str, actors: list[tuple[str, int]], channels: list[tuple[str, str]]) -> str:
    """Return a graph of actors with times in cycles and channels of rate 1."""
    ports: dict[str, list[str]] = {actor: [] for actor, _ in actors}
    lines = []
    for n, (a, b) in enumerate(channels):
        ports[a].append(f'<port name="o{n}" type="out" rate="1"/>')
        ports[b].append(f'<port name="i{n}" type="in" rate="1"/>')
        ends = f'srcActor="{a}" srcPort="o{n}" dstActor="{b}" dstPort="i{n}"'
        lines.append(f'      <channel name="c{n}" {ends}/>')
    bodies = [f'      <actor name="{a}" type="{a}">{"".join(ports[a])}</actor>' for a, _ in actors]
    times = [
        f'      <actorProperties actor="{a}"><processor type="pe" default="true">'
        f'<executionTime time="{time}"/></processor></actorProperties>'
        for a, time in actors
    ]
    head = f'<sdf3 type="sdf" version="1.0">\n  <applicationGraph name="{name}">\n'
    graph = (
        f'    <sdf name="{name}" type="{name}">\n' + "\n".join([*bodies, *lines]) + "\n    </sdf>\n"
    )
    properties = "    <sdfProperties>\n" + "\n".join(times) + "\n    </sdfProperties>\n"
    return f'<?xml version="1.0"?>\n{head}{graph}{properties}  </applicationGraph>\n</sdf3>\n'


def elements() -> str:
    """Return the graph of PEs."""
    actors, channels = [], []
    before: list[str] = []
    for layer, (inputs, outputs, side) in enumerate(
        zip(IN_CHANNELS, OUT_CHANNELS, OUT_SIDE, strict=True)
    ):
        rows, columns = -(-inputs // CROSSBAR), outputs // CROSSBAR
        here = []
        for c in range(columns):
            parts = [f"l{layer}_{r}_{c}" for r in range(rows)]
            actors += [(part, side * side * STEPS * CYCLES) for part in parts]
            channels += pairwise(parts)  # partial sums
            here.append(parts)
        for c, source in enumerate(before):  # channels 64 c .. of the layer before
            channels += [(source, parts[c]) for parts in here]
        before = [parts[-1] for parts in here]
    return sdf3("spikesim_vgg9", actors, channels)


def overlap() -> str:
    """Return the graph of layers in two parts."""
    actors, channels = [], []
    for layer, (outputs, side) in enumerate(zip(OUT_CHANNELS, OUT_SIDE, strict=True)):
        neurons = outputs * side * side
        most = int(0.75 * neurons)
        actors += [(f"l{layer}_most", most * STEPS * CYCLES)]
        actors += [(f"l{layer}_rest", (neurons - most) * STEPS * CYCLES)]
        channels.append((f"l{layer}_most", f"l{layer}_rest"))
        if layer:
            channels.append((f"l{layer - 1}_most", f"l{layer}_most"))
    return sdf3("spikesim_vgg9_overlap", actors, channels)


if __name__ == "__main__":
    folder = Path(__file__).parent.parent
    (folder / "spikesim_vgg9.xml").write_text(elements(), encoding="utf-8")
    (folder / "spikesim_vgg9_overlap.xml").write_text(overlap(), encoding="utf-8")
