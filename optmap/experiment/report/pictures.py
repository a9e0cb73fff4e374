"""Pictures of one mapping as Plotly figures, from the same data that the report draws.

``details(mapping, instance)`` is that data; each function here takes it and returns a figure. Three
colours carry meaning: computing, sending, and the critical cycle, which also has a thicker edge.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

COMPUTING, SENDING, CRITICAL = "#4477aa", "#ccbb44", "#aa3377"
WIDTH, HEIGHT = 800, 420


def schedule(details: Mapping[str, Any]) -> go.Figure:
    """Return when each tile computes and sends over two periods, the critical cycle marked."""
    gantt = details["gantt"]
    figure = _figure("static orders over two periods", "ticks", "")
    period = gantt["period"]
    if not period:
        return figure
    for interface, kind, colour in ((0, "computing", COMPUTING), (1, "sending", SENDING)):
        for critical in (0, 1):
            bars = [b for b in gantt["bars"] if (b[1], b[5]) == (interface, critical)]
            if bars:
                figure.add_trace(_bars(bars, period, kind, colour, critical == 1))
    for n in (1, 2):
        figure.add_vline(x=n * period, line={"color": "#888888", "dash": "dot"})
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(autorange="reversed", categoryorder="category ascending")
    return figure


def _bars(bars: list[list[Any]], period: float, kind: str, colour: str, critical: bool) -> go.Bar:
    """Return the bars of one kind in two rounds; the critical ones have a thicker edge."""
    rounds = [(bar, n) for n in (0, 1) for bar in bars]
    interface = " sends" if kind == "sending" else ""
    return go.Bar(
        name=f"{kind}, critical" if critical else kind,
        orientation="h",
        base=[bar[3] + n * period for bar, n in rounds],
        x=[bar[4] for bar, _ in rounds],
        y=[f"tile {bar[0]}{interface}" for bar, _ in rounds],
        text=[bar[2] for bar, _ in rounds],
        marker={
            "color": CRITICAL if critical else colour,
            "line": {"color": "#222222", "width": 2 if critical else 0.5},
        },
        hovertemplate="%{y}, %{text}: from %{base} for %{x} ticks<extra></extra>",
    )


def tiles(details: Mapping[str, Any]) -> go.Figure:
    """Return how many spikes go from tile to tile in an iteration."""
    count = len(details["platform"]["crossbars"])
    spikes = np.zeros((count, count), dtype=np.int64)
    for source, target, number in details["tile_traffic"]:
        spikes[source, target] = number
    figure = _figure("spikes from tile to tile", "to tile", "from tile")
    figure.add_trace(
        go.Heatmap(
            z=spikes,
            colorscale="Cividis",
            zmin=0,
            hovertemplate="tile %{y} to tile %{x}: %{z} spikes<extra></extra>",
        )
    )
    figure.update_xaxes(dtick=1)
    figure.update_yaxes(autorange="reversed", dtick=1)
    return figure


def loads(details: Mapping[str, Any]) -> go.Figure:
    """Return how long each tile computes in an iteration, cluster by cluster, and the period."""
    figure = _figure("work of each tile in one iteration", "tile", "ticks")
    tile_of, tau = details["tile_of"], details["tau"]
    figure.add_trace(
        go.Bar(
            x=tile_of,
            y=tau,
            text=[str(k) for k in range(len(tau))],
            marker={"color": COMPUTING, "line": {"color": "white", "width": 1}},
            hovertemplate="cluster %{text} on tile %{x}: %{y} ticks<extra></extra>",
        )
    )
    period = details["gantt"]["period"]
    if period:
        figure.add_hline(
            y=period, line={"color": CRITICAL, "dash": "dash"}, annotation_text="period"
        )
    figure.update_xaxes(dtick=1)
    return figure


def crossbars(details: Mapping[str, Any]) -> go.Figure:
    """Return the cells in use of the first crossbar programs, most read rows first."""
    drawn = details["crossbars"]
    columns = min(3, len(drawn)) or 1
    rows = -(-len(drawn) // columns) or 1
    titles = [
        "cluster {}: {} x {} of {} x {}".format(c["cluster"], *c["used"], *c["size"]) for c in drawn
    ]
    figure = make_subplots(rows=rows, cols=columns, subplot_titles=titles)
    for i, crossbar in enumerate(drawn):
        figure.add_trace(
            go.Heatmap(z=_cells(crossbar), showscale=False, zmin=0, zmax=1, colorscale="Greys"),
            row=i // columns + 1,
            col=i % columns + 1,
        )
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(
        title="cells in use", width=WIDTH, height=max(HEIGHT, 260 * rows), template="simple_white"
    )
    return figure


def _cells(crossbar: Mapping[str, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the whole crossbar, shape (R, C): 1 where a synapse is."""
    used_rows, used_columns = crossbar["used"]
    packed = np.frombuffer(base64.b64decode(crossbar["bits"]), dtype=np.uint8)
    bits = np.unpackbits(packed, count=used_rows * used_columns).reshape(used_rows, used_columns)
    cells = np.zeros(crossbar["size"], dtype=np.uint8)
    cells[:used_rows, :used_columns] = bits
    return cells


def _figure(title: str, x: str, y: str) -> go.Figure:
    layout = {"title": title, "width": WIDTH, "height": HEIGHT, "template": "simple_white"}
    return go.Figure(layout={**layout, "xaxis": {"title": x}, "yaxis": {"title": y}})


#: Name -> picture.
PICTURES: dict[str, Callable[[Mapping[str, Any]], go.Figure]] = {
    "schedule": schedule,
    "tiles": tiles,
    "loads": loads,
    "crossbars": crossbars,
}
