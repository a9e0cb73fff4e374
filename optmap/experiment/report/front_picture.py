"""The picture of an exploration: every judged mapping, the front and its proved points marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from optmap.experiment.tables.front import OBJECTIVES, OnFront, Point

BEHIND, ON = "#bbbbbb", "#4477aa"
WIDTH, HEIGHT = 1000, 420
#: From this ratio of the largest to the smallest value on an axis is logarithmic.
WIDE = 10


class Fronts(Protocol):
    """What the picture needs of an exploration."""

    @property
    def network(self) -> str:
        """The network's name."""

    @property
    def front(self) -> tuple[OnFront, ...]:
        """The points that nothing dominates."""

    @property
    def points(self) -> tuple[Point, ...]:
        """Every judged mapping."""


def front_figure(found: Sequence[Fronts], objectives: Sequence[str]) -> go.Figure:
    """Return one row of panels per network: the first objective against each of the others."""
    pairs = [(0, j) for j in range(1, len(objectives))] or [(0, 0)]
    figure = make_subplots(
        rows=max(len(found), 1),
        cols=len(pairs),
        subplot_titles=[explored.network for explored in found for _ in pairs],
        vertical_spacing=min(0.12, 0.3 / max(len(found), 1)),
    )
    for row, explored in enumerate(found, 1):
        for column, (x, y) in enumerate(pairs, 1):
            on = [o.point for o in explored.front]
            behind = [p for p in explored.points if p not in on]
            marks = ["star" if o.proved else "circle" for o in explored.front]
            first = row == column == 1
            figure.add_trace(
                _points(behind, x, y, BEHIND, "circle-open", "dominated", first), row, column
            )
            figure.add_trace(_points(on, x, y, ON, marks, "on the front", first), row, column)
            at = {"row": row, "col": column}
            for update, k in ((figure.update_xaxes, x), (figure.update_yaxes, y)):
                values = [float(p.values[k]) for p in explored.points]
                title = OBJECTIVES[objectives[k]].title
                update(title_text=title, type=_scale(values), **at)
    figure.update_layout(
        width=WIDTH,
        height=HEIGHT * max(len(found), 1),
        template="plotly_white",
        title="Judged mappings; a star is proved: nothing on the grid's platforms dominates it",
        legend={"orientation": "h", "y": -0.2 / max(len(found), 1), "yanchor": "top"},
    )
    return figure


def _scale(values: Sequence[float]) -> str:
    """Return the kind of an axis: logarithmic where the largest value would hide the others."""
    wide = bool(values) and min(values) > 0 and max(values) > WIDE * min(values)
    return "log" if wide else "linear"


def _points(
    points: Sequence[Point],
    x: int,
    y: int,
    colour: str,
    symbol: str | list[str],
    name: str,
    legend: bool,
) -> go.Scatter:
    return go.Scatter(
        x=[float(p.values[x]) for p in points],
        y=[float(p.values[y]) for p in points],
        mode="markers",
        name=name,
        legendgroup=name,
        showlegend=legend,
        marker={"color": colour, "symbol": symbol, "size": 11},
        text=[f"{p.platform}, {p.method}" for p in points],
        hovertemplate="%{text}<br>%{x}, %{y}<extra></extra>",
    )


def front_html(found: Sequence[Fronts], objectives: Sequence[str]) -> str:
    """Return a page that needs no network."""
    page: str = front_figure(found, objectives).to_html(include_plotlyjs=True, full_html=True)
    return page
