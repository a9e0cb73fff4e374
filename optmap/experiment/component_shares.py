"""What area and energy of one mapping are made of, as ``map`` prints it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from optmap.experiment.row import Row
from optmap.experiment.tables.text import compact, percent
from optmap.model.components import COMPONENTS

#: What pays without a read of a crossbar: columns of the judge's row ``energy_KEY_pj``.
EVENTS = {
    "spike": "spikes of neurons",
    "synapse": "synaptic events",
    "route": "hops between tiles",
    "local": "spikes that stay on a tile",
    "leakage": "leakage of the tiles in use",
}


@dataclass(frozen=True, slots=True)
class Share:
    """A component's part of area and energy; None where the platform gives no price of the kind."""

    key: str
    about: str
    area_um2: Fraction | None
    energy_pj: Fraction | None

    def record(self) -> dict[str, str | float | None]:
        """Return it as JSON holds it."""
        area = None if self.area_um2 is None else float(self.area_um2)
        spent = None if self.energy_pj is None else float(self.energy_pj)
        return {"component": self.key, "area_um2": area, "energy_pj": spent}


def shares(row: Row) -> list[Share]:
    """Return every component that is built or pays something, in the order of the list.

    What a tile takes beside its components is ``tile``: with it the areas sum to ``area_um2``, and
    all energies to ``energy_pj``.
    """
    named = [(c.key, c.about) for c in COMPONENTS] + list(EVENTS.items())
    found = [
        Share(key, about, row.value(f"area_{key}_um2"), row.value(f"energy_{key}_pj"))
        for key, about in named
    ]
    built = sum((s.area_um2 for s in found if s.area_um2), Fraction(0))
    rest = (row.value("area_um2") or Fraction(0)) - built
    found.append(Share("tile", "tiles, beside their components", rest, None))
    return [s for s in found if s.area_um2 or s.energy_pj]


def share_lines(row: Row) -> Iterator[str]:
    """Yield the area, and a line for each component; nothing where no component has a price.

    Many platforms price a tile as 1, so that their area counts tiles: that is said already.
    """
    area, spent = row.value("area_um2"), row.value("energy_pj")
    parts = shares(row)
    if not area or area == row.value("tiles_used"):
        return
    yield f"  area, um2        {compact(area, 9):<9} of the tiles in use"
    if all(part.key in ("tile", *EVENTS) for part in parts):
        return
    yield f"  by component     {'area, um2':<16}{'energy, pJ':<16}"
    for part in parts:
        yield (
            f"    {part.key:<14} {_of(part.area_um2, area):<16}"
            f"{_of(part.energy_pj, spent):<16}{part.about}"
        )


def _of(part: Fraction | None, whole: Fraction | None) -> str:
    if not part or not whole:
        return "-"
    return f"{compact(part)} ({percent(part / whole)})"
