"""Pictures of one mapping as Plotly figures in plain data, for the report and for ``.plot()``.

Most are drawn from what :func:`optmap.experiment.report.details.details` returns; each function
returns ``{"data": [...], "layout": {...}}`` or None where there is nothing to see. Colours are
Okabe and Ito's, which colour-blind readers tell apart.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from optmap.experiment.row import Row
from optmap.experiment.tables.metrics import METRICS
from optmap.model.claim import Claim

#: A Plotly figure: its traces and its layout, as JSON has them.
Picture = dict[str, Any]

COMPUTING, SENDING, CRITICAL = "#a6d5f2", "#cccccc", "#f0a36b"
BLUE, ORANGE, DARK, GRID = "#0072b2", "#e69f00", "#222222", "#eeeeee"
SCALE = [[0, "#ffffff"], [0.25, "#c6dbef"], [0.6, "#4292c6"], [1, "#08306b"]]  # white is nothing
CELLS = [[0, "#f6f8fa"], [0.001, "#b3d4ee"], [1, "#0b4f82"]]

#: Channels that are drawn between clusters, points of a trace, tiles that a bar each is drawn for.
MOST_CHANNELS, MOST_POINTS, MOST_BARS = 60, 200, 40

#: Pixels of a picture that stands alone; the report's are as wide as their place.
WIDTH = 800


def schedule(details: Mapping[str, Any]) -> Picture | None:
    """Draw when each tile computes and sends over two periods, the critical cycle marked."""
    gantt = details["gantt"]
    period, bars = gantt["period"], gantt["bars"]
    if not bars:
        return None
    lanes = sorted({(bar[0], bar[1]) for bar in bars}, reverse=True)
    kinds = (
        ("cluster", COMPUTING, [b for b in bars if not b[5] and not b[1]]),
        ("send", SENDING, [b for b in bars if not b[5] and b[1]]),
        ("on the critical cycle", CRITICAL, [b for b in bars if b[5]]),
    )
    left_out = f"; {gantt['left_out']} actors not drawn" if gantt["left_out"] else ""
    return _picture(
        f"Static orders over two periods of {_short(period)} ticks{left_out}",
        [_bars(own, period, kind, colour) for kind, colour, own in kinds if own],
        height=130 + (18 if len(lanes) > 24 else 26) * len(lanes),
        barmode="overlay",
        bargap=0.15,
        uniformtext={"minsize": 9, "mode": "hide"},
        legend={"orientation": "h", "y": -0.25},
        xaxis={"title": {"text": "ticks"}, "gridcolor": GRID},
        yaxis={
            "categoryorder": "array",
            "categoryarray": [_lane(*lane) for lane in lanes],
            "automargin": True,
        },
    )


def _lane(tile: int, interface: int) -> str:
    return f"tile {tile} NI" if interface else f"tile {tile}"


def _bars(bars: Sequence[Sequence[Any]], period: float, kind: str, colour: str) -> Picture:
    """Return the bars of one kind in two rounds; a label that does not fit is in the hover text."""
    return {
        "type": "bar",
        "orientation": "h",
        "name": kind,
        "base": [bar[3] + n * period for n in (0, 1) for bar in bars],
        "x": [bar[4] for bar in bars] * 2,
        "y": [_lane(bar[0], bar[1]) for bar in bars] * 2,
        "text": [bar[2] for bar in bars] * 2,
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "insidetextfont": {"color": "#111111"},
        "marker": {"color": colour, "line": {"color": "white", "width": 0.5}},
        "hovertemplate": "%{y}, %{text}: start %{base}, %{value} ticks<extra></extra>",
    }


def tiles(details: Mapping[str, Any]) -> Picture | None:
    """Draw the clusters on their tiles and the strongest channels between them."""
    width, tile_of = details["platform"]["width"], details["tile_of"]
    at = _places(tile_of, width)
    shown = details["channels"][:MOST_CHANNELS]  # the strongest come first
    every = len(details["channels"]) + details["channels_left_out"]
    most = max([1, *(channel[2] for channel in shown)])
    lines = [
        {
            "x": [at[a][0], at[b][0]],
            "y": [at[a][1], at[b][1]],
            "mode": "lines",
            "line": {"width": round(0.4 + 3 * spikes / most, 2), "color": "rgba(80,80,80,0.35)"},
            "hoverinfo": "skip",
            "showlegend": False,
        }
        for a, b, spikes in shown
    ]
    nodes = {
        "x": [x for x, _, _ in at],
        "y": [y for _, y, _ in at],
        "text": [_about(details, k) for k in range(len(tile_of))],
        "hoverinfo": "text",
        "mode": "markers",
        "showlegend": False,
        "marker": {
            "size": [size for _, _, size in at],
            "color": details["tau"],
            "colorscale": SCALE,
            "line": {"width": 1, "color": DARK},
            "colorbar": {"title": {"text": "ticks"}, "thickness": 12},
        },
    }
    of = f"; {len(shown)} strongest of {every} channels" if every > len(shown) else ""
    count = len(details["platform"]["crossbars"])
    return _picture(
        f"Clusters on tiles{of}",
        [*lines, nodes],
        height=360,
        shapes=[_square(t % width, t // width) for t in range(count)],
        xaxis={"visible": False},
        yaxis={"visible": False, "autorange": "reversed", "scaleanchor": "x"},
    )


def _about(details: Mapping[str, Any], k: int) -> str:
    held = f"{details['columns'][k]} units, {details['rows'][k]} rows"
    ticks = _short(details["tau"][k])
    return f"cluster {k} on tile {details['tile_of'][k]}<br>{held}<br>{ticks} ticks"


def _places(tile_of: Sequence[int], width: int) -> list[tuple[float, float, int]]:
    """Return x, y and size of each cluster's mark: a tile's clusters in a square inside it."""
    held: dict[int, list[int]] = {}
    for k, tile in enumerate(tile_of):
        held.setdefault(tile, []).append(k)
    places = [(0.0, 0.0, 0)] * len(tile_of)
    for tile, clusters in held.items():
        side = int(np.ceil(np.sqrt(len(clusters))))
        for i, k in enumerate(clusters):
            x = tile % width + (i % side + 0.5) / side * 0.8 - 0.4
            y = tile // width + (i // side + 0.5) / side * 0.8 - 0.4
            places[k] = (round(x, 3), round(y, 3), max(4, 16 - side))
    return places


def _square(x: int, y: int) -> dict[str, Any]:
    half = 0.46
    corners = {"x0": x - half, "x1": x + half, "y0": y - half, "y1": y + half}
    look = {"line": {"color": "#999999"}, "layer": "below", "fillcolor": "#f6f8fa"}
    return {"type": "rect", **corners, **look}


def traffic(details: Mapping[str, Any]) -> Picture | None:
    """Draw how many spikes go from tile to tile in an iteration; inside a tile nothing travels."""
    count = len(details["platform"]["crossbars"])
    if count < 2:
        return None
    spikes = np.zeros((count, count), dtype=np.int64)
    for source, target, number in details["tile_traffic"]:
        if source != target:
            spikes[source, target] = number
    step = 1 if count < 20 else None
    heat = {
        "type": "heatmap",
        "z": spikes.tolist(),
        "zmin": 0,
        "zmax": max(1, int(spikes.max())),
        "colorscale": SCALE,
        "colorbar": {"thickness": 12},
        "hovertemplate": "tile %{y} to tile %{x}: %{z} spikes<extra></extra>",
    }
    return _picture(
        "Spikes per iteration from tile to tile",
        [heat],
        height=360,
        xaxis={"title": {"text": "to tile"}, "dtick": step, "constrain": "domain"},
        yaxis={
            "title": {"text": "from tile"},
            "autorange": "reversed",
            "dtick": step,
            "scaleanchor": "x",
        },
    )


def loads(details: Mapping[str, Any]) -> Picture | None:
    """Draw how long each tile computes in an iteration, and the period."""
    load = [0] * len(details["platform"]["crossbars"])
    for tile, ticks in zip(details["tile_of"], details["tau"], strict=True):
        load[tile] += ticks
    period = details["gantt"]["period"]
    if len(load) > MOST_BARS:
        return _picture(
            "Tiles by their load",
            [{"type": "histogram", "x": load, "marker": {"color": "#56b4e9"}}],
            xaxis={"title": {"text": "ticks per iteration"}},
            yaxis={"title": {"text": "tiles"}, "gridcolor": GRID},
        )
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": period, "y1": period}
    dashed = [{**line, "line": {"dash": "dash", "color": DARK}}] if period else []
    return _picture(
        f"Load of each tile{'; dashed: the period' if period else ''}",
        [{"type": "bar", "x": [*range(len(load))], "y": load, "marker": {"color": "#56b4e9"}}],
        shapes=dashed,
        xaxis={"title": {"text": "tile"}, "dtick": None if len(load) > 20 else 1},
        yaxis={
            "title": {"text": "ticks per iteration"},
            "gridcolor": GRID,
            "rangemode": "tozero",
        },
    )


def occupancy(details: Mapping[str, Any]) -> Picture | None:
    """Draw how many crossbars have which share of their rows and columns in use."""
    sizes = [details["platform"]["crossbars"][tile] for tile in details["tile_of"]]
    traces = [
        {
            "type": "histogram",
            "name": name,
            # a full one belongs to the last bin, which ends below 100
            "x": [round(99.99 * n / size[side], 2) for n, size in zip(used, sizes, strict=True)],
            "xbins": {"start": 0, "end": 100, "size": 10},
            "marker": {"color": colour},
        }
        for name, used, side, colour in (
            ("rows", details["rows"], 0, BLUE),
            ("columns", details["columns"], 1, ORANGE),
        )
    ]
    return _picture(
        f"Occupancy of {len(sizes)} crossbars",
        traces,
        barmode="group",
        bargap=0.1,
        legend={"orientation": "h", "y": -0.3},
        xaxis={"title": {"text": "% used"}, "range": [0, 101]},
        yaxis={"title": {"text": "crossbars"}, "gridcolor": GRID},
    )


def crossbars(details: Mapping[str, Any]) -> Picture | None:
    """Draw the telling crossbars: rows (sources) by columns (units), shared rows darker."""
    drawn = details["crossbars"]
    if not drawn:
        return None
    axes: dict[str, Any] = {}
    for i, crossbar in enumerate(drawn):
        rows, columns = crossbar["size"]
        at, n = str(i + 1) if i else "", len(drawn)
        axes[f"xaxis{at}"] = {
            "domain": [i / n, (i + 0.86) / n],
            "range": [-0.5, columns - 0.5],
            "anchor": f"y{at}",
            "constrain": "domain",
            "showgrid": False,
            "zeroline": False,
            "showticklabels": False,
            "title": {"text": _caption(crossbar)},
        }
        axes[f"yaxis{at}"] = {
            "range": [rows - 0.5, -0.5],
            "anchor": f"x{at}",
            "scaleanchor": f"x{at}",
            "constrain": "domain",
            "showgrid": False,
            "zeroline": False,
        }
    return _picture(
        "Telling crossbars: rows (sources) by columns (units); a darker row has more readers",
        [_cells(crossbar, str(i + 1) if i else "") for i, crossbar in enumerate(drawn)],
        height=400,
        plot_bgcolor="#f6f8fa",
        **axes,
    )


def _caption(crossbar: Mapping[str, Any]) -> str:
    (used_rows, used_columns), (rows, columns) = crossbar["used"], crossbar["size"]
    of = f"{used_rows}/{rows} rows, {used_columns}/{columns} columns"
    return f"{crossbar['why']}: cluster {crossbar['cluster']}<br>{of}"


def _cells(crossbar: Mapping[str, Any], axis: str) -> Picture:
    """Return one crossbar: how many units read a row, in the cells where a synapse is."""
    shape = crossbar["used"]
    packed = np.frombuffer(base64.b64decode(crossbar["bits"]), dtype=np.uint8)
    bits = np.unpackbits(packed, count=shape[0] * shape[1]).reshape(shape)
    readers = (bits * bits.sum(axis=1, dtype=np.int64)[:, None]).astype(np.uint16)
    return {
        "type": "heatmap",
        "z": {
            "dtype": "u2",
            "shape": f"{shape[0]}, {shape[1]}",
            "bdata": base64.b64encode(readers.astype("<u2").tobytes()).decode(),
        },
        "zmin": 0,
        "zmax": max(1, shape[1]),
        "colorscale": CELLS,
        "showscale": False,
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "hovertemplate": "row %{y}, column %{x}; the row has %{z} readers<extra></extra>",
    }


def anytime(claim: Claim) -> Picture | None:
    """Draw a solver's best value and its bound over its seconds, if it looked more than once."""
    points = claim.trace[-MOST_POINTS:]
    values = [(p.seconds, p.incumbent) for p in points if p.incumbent is not None]
    bounds = [(p.seconds, p.bound) for p in points if p.bound is not None]
    traces = [
        {
            "x": [round(seconds, 4) for seconds, _ in known],
            "y": [float(value) for _, value in known],
            "name": name,
            "mode": "lines+markers",
            "line": {"shape": "hv", "dash": dash, "color": colour},
        }
        for name, known, dash, colour in (
            ("incumbent", values, "solid", BLUE),
            ("bound", bounds, "dot", DARK),
        )
        if known
    ]
    if len(points) < 2:
        return None
    label = next((m.label for m in METRICS if m.name == claim.metric), claim.metric)
    return _picture(
        f"Anytime: {label}",
        traces,
        legend={"orientation": "h", "y": -0.3},
        xaxis={"title": {"text": "seconds within the stage"}, "gridcolor": GRID},
        yaxis={"gridcolor": GRID},
    )


def pictures(row: Row, details: Mapping[str, Any] | None) -> dict[str, Picture]:
    """Return what there is to draw of a row, by name: of its mapping, then of its solvers."""
    drawn = {name: draw(details) for name, draw in PICTURES.items()} if details else {}
    drawn |= {f"anytime-{claim.metric}": anytime(claim) for claim in row.claims}
    return {name: picture for name, picture in drawn.items() if picture is not None}


def _picture(title: str, traces: Sequence[Picture], height: int = 320, **layout: Any) -> Picture:
    look = {
        "title": {"text": title, "font": {"size": 14}, "x": 0, "xanchor": "left"},
        "height": height,
        "margin": {"l": 60, "r": 15, "t": 34, "b": 45},
        "font": {"family": "system-ui", "size": 12},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
    }
    return {"data": list(traces), "layout": {**look, **layout}}


def _short(number: float) -> str:
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"


#: Name -> picture of a mapping's details, in the report's order.
PICTURES: dict[str, Callable[[Mapping[str, Any]], Picture | None]] = {
    "schedule": schedule,
    "tiles": tiles,
    "traffic": traffic,
    "loads": loads,
    "occupancy": occupancy,
    "crossbars": crossbars,
}
