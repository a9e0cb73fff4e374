"""Families of binding clusters to tiles (README.md, B) that several models post alike.

Sets         K clusters, T tiles, E channels (sets.py)
Parameters   slots_t, buffers and synapse memory of t, q_ab, m_a memory of a
Variables    z[a,t] = 1 iff cluster a runs on tile t; o[e,t] = 1 if channel e leaves tile t
             c[s,t] = 1 if tile t holds a cluster of set s, of a list of sets to be apart

Loads (B8) and hops (B5) each engine has in words of its own: cpsat_model.py, milp.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, Protocol, Self

import numpy as np

from formulations.binding.sets import BindingSets
from formulations.solvers.answers import Answers, the_one
from formulations.solvers.engine import Engine, V
from optmap.model.capacity import UNLIMITED, tile_memory
from optmap.model.mapping import Binding
from optmap.model.platform import Platform


class PlacementSets(Protocol):
    """What placing clusters on tiles has to know; (B3): ``fits[a, t]``."""

    @property
    def clusters(self) -> range:
        """K."""

    @property
    def tiles(self) -> range:
        """T."""

    @property
    def platform(self) -> Platform:
        """The tiles with their slots."""

    @property
    def fits(self) -> Mapping[tuple[int, int], bool]:
        """Whether the crossbar of tile t is large enough for cluster a, by (a, t)."""


class Placement(Generic[V]):
    """Each cluster on one tile that it fits: of the models of binding, and of the joint ones."""

    sets: PlacementSets
    engine: Engine[V]
    z: dict[tuple[int, int], V]

    def place_each_cluster_once(self) -> None:
        """(B1)  sum_t z[a,t] = 1  for all a."""
        for a in self.sets.clusters:
            self.engine.exactly_one(self.z[a, t] for t in self.sets.tiles)

    def respect_slots(self) -> None:
        """(B2)  sum_a z[a,t] <= slots_t  for all t."""
        for t in self.sets.tiles:
            slots = self.sets.platform.tiles[t].slots
            if slots is not None:
                held = self.engine.total(self.z[a, t] for a in self.sets.clusters)
                self.engine.add(held <= slots)

    def respect_crossbars(self) -> None:
        """(B3)  z[a,t] = 0  where the crossbar of t is too small for a."""
        for pair, fits in self.sets.fits.items():
            if not fits:
                self.engine.forbid(self.z[pair])

    def placed(self, solver: Answers) -> Binding:
        """Read the binding; ValueError unless each cluster has one tile."""
        tile = np.zeros(len(self.sets.clusters), dtype=np.int32)
        for a in self.sets.clusters:
            held = [t for t in self.sets.tiles if solver.boolean_value(self.z[a, t])]
            tile[a] = the_one(held, f"cluster {a}", "tile")
        return Binding(tile)


class BindingFamilies(Placement[V], ABC):
    """Variables and constraints, one method a family; building is separate from solving."""

    sets: BindingSets

    def __init__(self, sets: BindingSets, engine: Engine[V]) -> None:
        self.sets, self.engine = sets, engine
        self.z = {(a, t): engine.boolean(f"z_{a}_{t}") for a in sets.clusters for t in sets.tiles}

    def build(self) -> Self:
        """Post every family that all objectives need."""
        self.place_each_cluster_once()
        self.respect_slots()
        self.respect_crossbars()
        self.respect_resident_memory()
        self.respect_input_buffers()
        self.respect_output_buffers()
        self.respect_load()
        self.respect_pins()
        self.keep_apart()
        return self

    def respect_resident_memory(self) -> None:
        """(B3m)  sum_a m_a z[a,t] <= synapse memory of t  for all t, where programs stay there."""
        for part in tile_memory(self.sets.graph.needs, self.sets.platform):
            for t in self.sets.tiles:
                if part.have[t] < UNLIMITED:
                    taken = self.engine.total(
                        int(part.need[a]) * self.z[a, t] for a in self.sets.clusters
                    )
                    self.engine.add(taken <= int(part.have[t]))

    def respect_input_buffers(self) -> None:
        """(B4i)  sum over channels (a,b) of q_ab z[b,t] <= input buffer of t  for all t."""
        for t in self.sets.tiles:
            room = self.sets.platform.tiles[t].input_buffer
            if room is not None:
                taken = self.engine.total(q * self.z[b, t] for _, b, q in self.sets.channels)
                self.engine.add(taken <= room)

    def respect_output_buffers(self) -> None:
        """(B4o)  z[a,t] - z[b,t] <= o[ab,t];  sum_e q_e o[e,t] <= output buffer of t."""
        for t in self.sets.tiles:
            room = self.sets.platform.tiles[t].output_buffer
            if room is None:
                continue
            leaving = []
            for a, b, q in self.sets.channels:
                o = self.engine.boolean(f"o_{a}_{b}_{t}")
                self.engine.one_of([self.z[b, t], o], unless=[self.z[a, t]])
                leaving.append(q * o)
            self.engine.add(self.engine.total(leaving) <= room)

    def respect_pins(self) -> None:
        """(B10)  z[a,t] = 0  for pinned a, t elsewhere;  z[a,t] = z[b,t]  for a, b together."""
        for a, tile in self.sets.pinned.items():
            for t in self.sets.tiles:
                if t != tile:
                    self.engine.forbid(self.z[a, t])
        for a, b in self.sets.same_tile:
            for t in self.sets.tiles:
                self.engine.add(self.z[a, t] == self.z[b, t])

    def keep_apart(self) -> None:
        """(B11)  z[a,t] <= c[s,t]  for all a of set s;  sum_s c[s,t] <= 1  for sets to be apart."""
        for number, sets in enumerate(self.sets.apart):
            for t in self.sets.tiles:
                here = [self.engine.boolean(f"c_{number}_{s}_{t}") for s in range(len(sets))]
                for c, members in zip(here, sets, strict=True):
                    for a in members:
                        self.engine.implies(self.z[a, t], c)
                self.engine.add(self.engine.total(here) <= 1)

    @abstractmethod
    def respect_load(self) -> None:
        """(B8)."""

    def break_tile_symmetry(self, objective: str) -> None:
        """(B6)  z[a,t] = 0  for the busiest cluster a, t outside a fundamental domain of the tiles.

        For (B0b), where hops do not count: z[a,t] = 0 for t > a if all tiles are alike. Redundant:
        each cut solution has an image under an automorphism that is kept.
        """
        if objective == "load":
            if self.sets.tiles_alike:
                for (a, t), z in self.z.items():
                    if t > a:
                        self.engine.forbid(z)
            return
        kept = set(self.sets.first_tiles)
        for (a, t), z in self.z.items():
            if a == self.sets.busiest and t not in kept:
                self.engine.forbid(z)
