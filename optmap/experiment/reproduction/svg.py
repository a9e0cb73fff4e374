"""Curves and points as a small SVG file: what a page or README can show without any script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil, floor, log10

#: Okabe and Ito's colours, safe for colour-blind readers; a mark each, so that grey print tells.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9", "#7f7f7f", "#8c564b")
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 380, 70, 200, 46, 62


@dataclass(frozen=True)
class Picture:
    """Series over values of an axis, the ordinate logarithmic.

    Parameters
    ----------
    labels : sequence of str
        The axis's values, drawn at equal distances.
    series : mapping
        Name -> a number above 0 for each label, None where there is none.
    limit : str
        The series that is drawn dashed and black: a proved limit.
    joined : bool
        Whether points are joined; no for an axis of names.
    places : mapping
        Name -> number of its colour and mark, so that a series looks alike in all pictures; others
        go by their place.
    """

    title: str
    axis: str
    ordinate: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[float | None]]
    limit: str = "proved limit"
    joined: bool = True
    places: Mapping[str, int] = field(default_factory=dict)

    def svg(self) -> str:
        """Return the file's text."""
        low, high = self._range()
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"',
            'font-family="system-ui, sans-serif" font-size="12"',
            f'aria-label="{escape(self.title)}">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            f'<text x="{LEFT}" y="24" font-size="15" font-weight="600">{escape(self.title)}</text>',
            *self._frame(low, high),
        ]
        for i, (name, values) in enumerate(self.series.items()):
            parts += self._line(i, name, values, low, high)
        return "\n".join([*parts, "</svg>"]) + "\n"

    def _range(self) -> tuple[float, float]:
        """Return the exponents of ten between which everything lies."""
        known = [v for values in self.series.values() for v in values if v is not None and v > 0]
        if not known:
            return 0.0, 1.0
        low, high = log10(min(known)), log10(max(known))
        room = max(0.08 * (high - low), 0.04)
        return low - room, high + room

    def _x(self, i: int) -> float:
        step = (WIDTH - LEFT - RIGHT) / max(len(self.labels), 1)
        return LEFT + step * (i + 0.5)

    def _y(self, value: float, low: float, high: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - log10(value)) / (high - low)

    def _frame(self, low: float, high: float) -> list[str]:
        """Return the grid with its numbers, the axes' titles and the labels."""
        foot, end = HEIGHT - BOTTOM, WIDTH - RIGHT
        parts = []
        for tick in _ticks(low, high):
            y = self._y(tick, low, high)
            parts.append(f'<path d="M{LEFT} {y:.1f}H{end}" stroke="#e5e5e5"/>')
            parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
        turned = self.joined or len(self.labels) < 7
        for i, label in enumerate(self.labels):
            x = self._x(i)
            place = (
                f'x="{x:.1f}" y="{foot + 18}" text-anchor="middle"'
                if turned
                else f'transform="translate({x + 4:.1f} {foot + 14}) rotate(-28)" text-anchor="end"'
            )
            parts.append(f"<text {place}>{escape(label)}</text>")
        parts.append(f'<path d="M{LEFT} {TOP}V{foot}H{end}" fill="none" stroke="#444"/>')
        middle = (LEFT + end) / 2
        if turned:
            text = escape(self.axis)
            parts.append(f'<text x="{middle}" y="{foot + 42}" text-anchor="middle">{text}</text>')
        parts.append(
            f'<text transform="translate(16 {(TOP + foot) / 2}) rotate(-90)" text-anchor="middle">'
            f"{escape(self.ordinate)}</text>"
        )
        return parts

    def _line(
        self, i: int, name: str, values: Sequence[float | None], low: float, high: float
    ) -> list[str]:
        """Return a series and its line of the legend."""
        is_limit, look = name == self.limit, self.places.get(name, i)
        colour = "#222" if is_limit else COLOURS[look % len(COLOURS)]
        dash = ' stroke-dasharray="6 4"' if is_limit else ""
        at = [
            (self._x(k), self._y(v, low, high))
            for k, v in enumerate(values)
            if v is not None and v > 0
        ]
        parts = []
        if self.joined and len(at) > 1:
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in at)
            parts.append(
                f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
            )
        parts += [_mark(look, x, y, colour, is_limit) for x, y in at]
        y = TOP + 8 + 19 * i
        parts.append(
            f'<path d="M{WIDTH - RIGHT + 14} {y}h22" stroke="{colour}" stroke-width="2"{dash}/>'
        )
        parts.append(_mark(look, WIDTH - RIGHT + 25, y, colour, is_limit))
        parts.append(f'<text x="{WIDTH - RIGHT + 42}" y="{y + 4}">{escape(name)}</text>')
        return parts


def _mark(i: int, x: float, y: float, colour: str, is_limit: bool) -> str:
    if is_limit:
        return f'<path d="M{x - 6:.1f} {y:.1f}h12" stroke="{colour}" stroke-width="2"/>'
    shapes = (
        "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",
        "m-4-4h8v8h-8z",
        "m0-5.5l5.5 5.5l-5.5 5.5l-5.5-5.5z",
        "m0-5l5 9h-10z",
        "m0 5l5-9h-10z",
    )
    return f'<path d="M{x:.1f} {y:.1f}{shapes[i % len(shapes)]}" fill="{colour}"/>'


def _ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten between the exponents, fewer over many decades."""
    steps = (1, 2, 5) if high - low < 3 else (1,)
    powers = range(floor(low) - 1, ceil(high) + 1)
    found = [s * 10.0**p for p in powers for s in steps]
    inside = [t for t in found if low <= log10(t) <= high]
    if len(inside) >= 2:
        return inside
    return [10 ** (low + (high - low) * share) for share in (0.1, 0.5, 0.9)]
