"""Who runs where, with which guarantee: the state that admission decides about."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from optmap.model.platform import Platform
from optmap.model.snn import IntArray, frozen
from optmap.runtime.application import Application
from optmap.runtime.placing import Room, needs, whole


@dataclass(frozen=True, eq=False)
class Running:
    """One admitted application.

    Parameters
    ----------
    application : Application
        Its design-time artefacts.
    tile_of : (K,) int64 array
        Tile of each cluster.
    most_period : Fraction or None
        Longest period in ticks that it may have; None: best effort.
    period : Fraction
        Ticks per iteration that it is guaranteed.
    slice_ticks : int or None
        Its slice of the wheel of every tile it uses; None without a wheel.
    """

    application: Application
    tile_of: IntArray
    most_period: Fraction | None
    period: Fraction
    slice_ticks: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "tile_of", frozen(self.tile_of, np.int64))

    @property
    def tiles(self) -> tuple[int, ...]:
        """The tiles it uses, ascending."""
        return tuple(np.unique(self.tile_of).tolist())

    def _facts(self) -> tuple[object, ...]:
        return (
            self.application.name,
            self.tile_of.tobytes(),
            self.most_period,
            self.period,
            self.slice_ticks,
        )

    def __eq__(self, other: object) -> bool:
        """Compare by value; applications by name."""
        return self._facts() == other._facts() if isinstance(other, Running) else NotImplemented

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(self._facts())


@dataclass(frozen=True, slots=True)
class State:
    """The running applications in the order of their admission, by name, and the failed tiles."""

    running: tuple[tuple[str, Running], ...] = ()
    failed: frozenset[int] = frozenset()

    def names(self) -> tuple[str, ...]:
        """Return the names of the running applications."""
        return tuple(name for name, _ in self.running)

    def get(self, name: str) -> Running | None:
        """Return the running application of that name, if there is one."""
        return dict(self.running).get(name)

    def without(self, names: frozenset[str]) -> State:
        """Return the state without these applications."""
        kept = tuple((name, run) for name, run in self.running if name not in names)
        return State(kept, self.failed)

    def room(self, platform: Platform) -> Room:
        """Return what every tile has left; failed tiles have no slot."""
        left = whole(platform)
        for _, run in self.running:
            for have, taken in zip(
                left, needs(run.application, platform, run.tile_of), strict=True
            ):
                have += taken if have is left.ticks else -taken
        left.slots[list(self.failed)] = 0
        return left

    def wheel_left(self, platform: Platform, wheel_ticks: int) -> IntArray:
        """Return the ticks of every tile's wheel that no application has."""
        left = np.full(platform.num_tiles, wheel_ticks, dtype=np.int64)
        for _, run in self.running:
            if run.slice_ticks is not None:
                left[list(run.tiles)] -= run.slice_ticks
        left[list(self.failed)] = 0
        return left
