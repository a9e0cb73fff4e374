"""The front of an exploration: judged mappings that no other one beats, and what is proved of them.

Every objective is minimised. A point *dominates* another if it is nowhere worse and somewhere
better. A platform's *floor* is what is proved for every mapping on it, objective by objective. A
platform whose floor is nowhere below a known point needs no solve. A point of the front that no
floor dominates is *proved* non-dominated: whatever mapping is found later, on any of the platforms,
it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from optmap.bounds.end_to_end import end_to_end_bounds
from optmap.experiment.row import Row
from optmap.model.components import tile_area
from optmap.model.platform import Platform
from optmap.model.scope import END_TO_END
from optmap.model.snn import SNN

Vector = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Objective:
    """One thing that an exploration minimises.

    Parameters
    ----------
    title : str
        With its unit, for tables and pictures.
    value : callable
        What a row has of it; None without a mapping.
    floor : callable
        A lower bound over all mappings of a network on a platform, from :func:`proved_floors`.
    per_window : bool
        Whether several windows side by side share it: both are then divided by their number.
    """

    title: str
    value: Callable[[Row, Platform], Fraction | None]
    floor: Callable[[Mapping[str, Fraction], Platform], Fraction]
    per_window: bool = False

    def of(self, row: Row, platform: Platform) -> Fraction | None:
        """Return what a row has of it, a window."""
        value, windows = self.value(row, platform), row.source.windows
        return value / windows if value is not None and self.per_window else value

    def least(self, floors: Mapping[str, Fraction], platform: Platform, windows: int) -> Fraction:
        """Return the lower bound over all mappings of so many windows side by side, a window."""
        return self.floor(floors, platform) / (windows if self.per_window else 1)


def _period_ns(row: Row, platform: Platform) -> Fraction | None:
    period = row.value("period")
    return None if period is None else period * platform.tick_ns


def proved_floors(snn: SNN, platform: Platform) -> dict[str, Fraction]:
    """Return the best lower bound of each metric that holds whatever is decided; 0 without one."""
    floors: dict[str, Fraction] = {}
    for bound in end_to_end_bounds(snn, platform):
        if bound.scope == END_TO_END:
            known = floors.get(bound.metric, Fraction(0))
            floors[bound.metric] = max(known, Fraction(bound.value))
    return floors


def _least_area(floors: Mapping[str, Fraction], platform: Platform) -> Fraction:
    """Return the area of the cheapest tiles that hold the fewest clusters, in um2.

    Where a number of tiles in use is given (a guess has one), it is the area of at least so many.
    """
    clusters = int(floors.get("clusters", 0))
    areas = [tile_area(platform, tile) for tile in platform.tiles]
    most = max(clusters if tile.slots is None else tile.slots for tile in platform.tiles)
    tiles = max(-(-clusters // most) if clusters else 0, round(floors.get("tiles_used", 0)))
    return sum(sorted(areas)[:tiles], Fraction(0))


#: What ``--objectives`` can name.
OBJECTIVES: dict[str, Objective] = {
    "period": Objective(
        "period, ns",
        _period_ns,
        lambda floors, chip: floors.get("period", Fraction(0)) * chip.tick_ns,
        per_window=True,
    ),
    "energy": Objective(
        "energy, pJ",
        lambda row, chip: row.value("energy_pj"),
        lambda floors, chip: floors.get("energy_pj", Fraction(0)),
        per_window=True,
    ),
    "area": Objective("area, um2", lambda row, chip: row.value("area_um2"), _least_area),
    "clusters": Objective(
        "clusters",
        lambda row, chip: row.value("clusters"),
        lambda floors, chip: floors.get("clusters", Fraction(0)),
    ),
}


@dataclass(frozen=True, slots=True)
class Point:
    """A judged mapping: which network, platform and method, and its value in every objective."""

    network: str
    platform: str
    method: str
    key: str
    values: Vector


@dataclass(frozen=True, slots=True)
class OnFront:
    """A point of the front; ``proved`` if no mapping on any platform of the grid dominates it.

    ``room`` names the platforms on which a better mapping is not excluded.
    """

    point: Point
    proved: bool
    room: tuple[str, ...]


def dominates(a: Sequence[Fraction], b: Sequence[Fraction]) -> bool:
    """Tell whether ``a`` is nowhere worse than ``b`` and somewhere better.

    Examples
    --------
    >>> dominates((1, 2), (1, 3)), dominates((1, 2), (1, 2)), dominates((0, 4), (1, 3))
    (True, False, False)
    """
    return all(x <= y for x, y in zip(a, b, strict=True)) and tuple(a) != tuple(b)


def is_beaten(floor: Vector, known: Iterable[Point]) -> bool:
    """Tell whether some known point is nowhere worse than a platform's floor.

    Then no mapping on the platform dominates that point or adds one that is better anywhere.
    """
    return any(all(v <= f for v, f in zip(p.values, floor, strict=True)) for p in known)


def front(points: Sequence[Point], floors: dict[str, Vector]) -> list[OnFront]:
    """Return the points that no other dominates, by their first objective.

    Parameters
    ----------
    points : sequence of Point
        Of one network; of equal ones the first stays.
    floors : dict
        Platform to floor, of every platform of the grid, solved or skipped.
    """
    best: dict[Vector, Point] = {}
    for point in points:
        best.setdefault(point.values, point)
    kept = [p for p in best.values() if not any(dominates(q, p.values) for q in best)]
    found = []
    for point in sorted(kept, key=lambda p: p.values):
        room = tuple(name for name, floor in floors.items() if dominates(floor, point.values))
        found.append(OnFront(point, not room, room))
    return found
