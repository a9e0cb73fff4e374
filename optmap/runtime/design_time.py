"""What admission gives up: the same application mapped at leisure onto the same tiles.

[S20] claims that projecting one stored order costs little throughput and saves the time in which
orders are built. Here both sides are measured: admission's period and seconds, and those of a
design-time flow that climbs on throughput and builds orders for the binding by list scheduling.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from optmap.binding import hill_climbing as bind_hill_climbing
from optmap.errors import CapacityError
from optmap.judge.binding_aware_graph import lower
from optmap.model.platform import Platform
from optmap.ordering import list_scheduling as order_list
from optmap.ordering import projection as order_projection
from optmap.runtime.application import Application
from optmap.sdf.cycle_ratio import maximum_cycle_ratio


@dataclass(frozen=True, slots=True)
class Comparison:
    """One admitted application both ways; periods in ticks."""

    name: str
    tiles: int
    admitted_period: Fraction
    admitted_seconds: float
    designed_period: Fraction
    designed_seconds: float

    @property
    def lost(self) -> Fraction:
        """Share of the design-time throughput that admission gives up; below 0 if it wins."""
        return 1 - self.designed_period / self.admitted_period


def part_of(platform: Platform, tiles: Sequence[int]) -> Platform:
    """Return the platform that consists of these tiles only, at the hops they have."""
    chosen = list(tiles)
    return replace(
        platform,
        name=f"{platform.name}, tiles {chosen}",
        tiles=tuple(platform.tiles[t] for t in chosen),
        interconnect=platform.interconnect.among(chosen),
    )


def designed(
    application: Application, platform: Platform, tiles: Sequence[int], seed: int = 0
) -> tuple[Fraction, float] | None:
    """Return period and seconds of the design-time flow on these tiles; None if it finds none."""
    graph, part = application.graph, part_of(platform, tiles)
    began = time.perf_counter()
    try:
        binding = bind_hill_climbing.bind(graph, part, seed=seed)
    except CapacityError:
        return None
    periods = []
    for module in (order_projection, order_list):
        orders = module.order(graph, binding, part, seed=seed)
        period, _ = maximum_cycle_ratio(lower(graph, part, binding, orders).graph)
        assert period is not None  # there is a cluster, hence a self-loop
        periods.append(period)
    return min(periods), time.perf_counter() - began
