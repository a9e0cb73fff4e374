"""The picture of an exploration: axes on which the front can be told apart."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from optmap.experiment.report.front_picture import front_figure
from optmap.experiment.tables.front import OnFront, Point


@dataclass(frozen=True)
class Explored:
    network: str
    front: tuple[OnFront, ...]
    points: tuple[Point, ...]


def test_an_axis_over_decades_is_logarithmic() -> None:
    values = [(10, 5), (5_000, 6), (90_000, 7)]
    points = tuple(Point("n", f"p{x}", "m", f"k{x}", (Fraction(x), Fraction(y))) for x, y in values)
    found = Explored("n", (OnFront(points[0], True, ()),), points)
    layout = front_figure([found], ("period", "area")).layout
    assert (layout.xaxis.type, layout.yaxis.type) == ("log", "linear")
    same = front_figure([Explored("n", (), ())], ("period", "area")).layout
    assert same.xaxis.type == "linear"
