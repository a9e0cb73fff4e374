"""Own branch and bound over bindings and orders: nothing has a period of at most so much.

Clusters are put on tiles one by one, longest first. A branch ends where a tile's slots, crossbar or
load (2.4: with switch_ticks once it is shared) do not allow it, or where an automorphism of the
platform maps the tiles taken so far to a smaller list, whose own branch covers it. A complete
binding is left to the buffers, to the cycles without orders, and to the branch and bound over its
orders (:mod:`formulations.ordering.branch_and_bound`). Whole numbers, no solver, deterministic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from formulations.binding.sets import fits_platform
from formulations.joint.sets import JointSets
from formulations.ordering.branch_and_bound import refuted as orders_refuted
from formulations.ordering.sets import OrderSets
from optmap.model.mapping import Binding

#: Complete bindings looked at, and nodes above them; some milliseconds each, and microseconds.
BINDINGS, NODES = 1_000, 100_000
#: Nodes between two looks at the clock.
LOOK = 100


@dataclass
class _Search:
    """One search; ``tiles`` are those of the first clusters by work."""

    sets: JointSets
    period: Fraction
    bindings: int
    nodes: int
    expired: Callable[[], bool]
    tiles: list[int] = field(default_factory=list)
    load: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)

    def nothing_below_here(self) -> bool | None:
        """Tell whether no completion has the period; None where that is left open."""
        sets = self.sets
        if len(self.tiles) == len(sets.by_work):
            return self._no_orders()
        if self.nodes == 0 or (self.nodes % LOOK == 0 and self.expired()):
            return None
        self.nodes -= 1
        cluster = sets.by_work[len(self.tiles)]
        for t in sets.tiles:
            if not self._allowed(cluster, t):
                continue
            self._put(cluster, t, 1)
            answer = True if self._mirrored() else self.nothing_below_here()
            self._put(cluster, t, -1)
            if not answer:
                return answer
        return True

    def _allowed(self, cluster: int, t: int) -> bool:
        sets = self.sets
        slots, held = sets.platform.tiles[t].slots, self.held[t] + 1
        if not sets.fits[cluster, t] or (slots is not None and held > slots):
            return False
        extra = sets.switch * held if held > 1 else 0
        return self.load[t] + sets.tau[cluster] + extra <= self.period

    def _put(self, cluster: int, t: int, sign: int) -> None:
        self.load[t] += sign * self.sets.tau[cluster]
        self.held[t] += sign
        if sign > 0:
            self.tiles.append(t)
        else:
            self.tiles.pop()

    def _mirrored(self) -> bool:
        """Tell whether an automorphism maps the tiles taken to a smaller list."""
        return any([g[t] for t in self.tiles] < self.tiles for g in self.sets.group)

    def _no_orders(self) -> bool | None:
        if self.bindings == 0 or self.expired():
            return None
        self.bindings -= 1
        sets = self.sets
        tile_of = np.zeros(len(sets.by_work), dtype=np.int32)
        tile_of[sets.by_work] = self.tiles
        binding = Binding(tile_of)
        if not fits_platform(sets.graph, sets.platform, binding):
            return True
        orders = OrderSets(sets.graph, sets.platform, binding)
        return True if orders.floor > self.period else orders_refuted(orders, self.period)


def refuted(
    sets: JointSets,
    period: Fraction,
    bindings: int = BINDINGS,
    nodes: int = NODES,
    expired: Callable[[], bool] = lambda: False,
) -> bool | None:
    """Tell whether no mapping without prologue has at most this period; None if left open.

    Parameters
    ----------
    bindings, nodes : int
        Complete bindings looked at, and nodes above them, at most.
    expired : callable
        Tells when to leave it open.
    """
    load, held = [0] * len(sets.tiles), [0] * len(sets.tiles)
    search = _Search(sets, period, bindings, nodes, expired, load=load, held=held)
    return search.nothing_below_here()
