"""What area and energy are made of: the components of a tile, and what there is one of.

Areas count what is built: cells, columns, converters (one for ``columns_per_converter`` columns),
tiles, and once for the chip. Energies count what happens: a crossbar that is busy for tau ticks is
read tau / ``read_ticks`` times, and every read pays for its cells, for the conversion of its
columns, and once for what serves the whole crossbar. Leakage is power, paid for a period on every
tile that holds a cluster. All of it is exact.

A platform that states none of these prices is judged by spikes, events and hops alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from optmap.model.platform import Platform, Tile


@dataclass(frozen=True)
class Component:
    """A part of a tile with its price.

    Parameters
    ----------
    key : str
        ``[area] KEY_um2`` and ``[energy] KEY_read_pj`` of a platform file are its prices.
    about : str
        What it is.
    area_of : str
        What there is one of: a ``cell``, a ``column``, a ``converter``, a ``tile`` or the ``chip``.
    read_of : str
        What pays in a read of a crossbar: each ``cell``, each ``column``, or the ``read`` once.
    """

    key: str
    about: str
    area_of: str
    read_of: str


#: Every component; platform files, metrics and docs iterate it.
COMPONENTS = (
    Component("cell", "cells of a crossbar", "cell", "cell"),
    Component("neuron", "neuron circuits", "column", "read"),
    Component("adc", "analog-to-digital converters", "converter", "column"),
    Component("mux", "multiplexers in front of the converters", "converter", "column"),
    Component("accumulator", "shift and add behind the converters", "tile", "read"),
    Component("buffer", "buffers of a tile", "tile", "read"),
    Component("htree", "the tree of wires inside a tile", "tile", "read"),
    Component("router", "router and network interface", "tile", "read"),
    Component("memory", "memory of the chip", "chip", "read"),
)


@dataclass(frozen=True, slots=True)
class ComponentCost:
    """Area of a component in the tiles in use, and its energy in one iteration."""

    key: str
    area_um2: Fraction
    read_pj: Fraction


def built(component: Component, tile: Tile, platform: Platform) -> int:
    """Return how many of a component a tile has; 0 for those of the chip."""
    bar = tile.crossbar
    return {
        "cell": bar.rows * bar.columns,
        "column": bar.columns,
        "converter": -(-bar.columns // platform.area.columns_per_converter),
        "tile": 1,
        "chip": 0,
    }[component.area_of]


def tile_area(platform: Platform, tile: Tile) -> Fraction:
    """Return the area of one tile, its share of nothing that the chip has once."""
    price = platform.area
    parts = (getattr(price, f"{c.key}_um2") * built(c, tile, platform) for c in COMPONENTS)
    return sum(parts, price.tile_um2)


def read_price(component: Component, tile: Tile, platform: Platform) -> Fraction:
    """Return what a component pays in one read of a tile's crossbar, in pJ."""
    bar = tile.crossbar
    times = {"cell": bar.rows * bar.columns, "column": bar.columns, "read": 1}
    price: Fraction = getattr(platform.energy, f"{component.key}_read_pj")
    return price * times[component.read_of]
