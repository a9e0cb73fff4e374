"""The run-time manager of [S20]: admit, leave, survive the failure of a tile.

A :class:`Runtime` holds one platform's state. ``admit`` binds an application whose clusters,
single-tile order and execution times were stored at design time, projects the order, evaluates the
exact period and decides; it builds no order. Whatever it rejects leaves the state as it was.

References
----------
.. [S20] Song et al., "Compiling Spiking Neural Networks to Neuromorphic Hardware", LCTES 2020.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from optmap.model.platform import Platform
from optmap.runtime.application import Application
from optmap.runtime.policies import (
    POLICIES,
    RejectedError,
    admit_exclusive,
    admit_lockstep,
    admit_wheel,
    common_period,
    with_period,
)
from optmap.runtime.state import State


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a request.

    Parameters
    ----------
    name : str
        The application's name on the platform.
    admitted : bool
        Whether it runs now.
    reason : str
        Why not; empty if it runs.
    period : Fraction or None
        Ticks per iteration that it is guaranteed; None if it does not run.
    tiles : tuple of int
        The tiles that it uses.
    seconds : float
        Wall-clock time of the decision.
    """

    name: str
    admitted: bool
    reason: str
    period: Fraction | None
    tiles: tuple[int, ...]
    seconds: float


class Runtime:
    """One platform and the applications on it.

    Parameters
    ----------
    platform : Platform
        The chip.
    policy : str
        ``exclusive``, ``lockstep`` or ``wheel``.
    wheel_ticks : int, optional
        Length of every tile's wheel; needed by ``wheel`` and by no other policy.

    Attributes
    ----------
    state : State
        Who runs where; immutable, so that keeping it is a snapshot.

    Raises
    ------
    ValueError
        If the policy is unknown or the wheel does not go with it.
    """

    def __init__(
        self, platform: Platform, policy: str = "exclusive", wheel_ticks: int | None = None
    ) -> None:
        if policy not in POLICIES:
            raise ValueError(f"policy {policy!r}: expected one of {', '.join(POLICIES)}")
        if (wheel_ticks is None) == (policy == "wheel"):
            raise ValueError("wheel_ticks goes with policy 'wheel', and with no other")
        if wheel_ticks is not None and wheel_ticks < 1:
            raise ValueError(f"wheel_ticks {wheel_ticks} must be >= 1")
        self.platform, self.policy, self.wheel_ticks = platform, policy, wheel_ticks
        self.state = State()

    def admit(
        self,
        application: Application,
        throughput: Fraction | None = None,
        *,
        name: str | None = None,
    ) -> Decision:
        """Admit an application if its throughput and everybody else's can be guaranteed.

        Parameters
        ----------
        throughput : Fraction or None
            Iterations per tick that it must reach, > 0; None: best effort.
        name : str, optional
            Under which it runs; the application's own name by default.

        Raises
        ------
        ValueError
            If the name is running already or the throughput is not positive.
        """
        if throughput is not None and throughput <= 0:
            raise ValueError(f"throughput {throughput} must be > 0")
        name = application.name if name is None else name
        if self.state.get(name) is not None:
            raise ValueError(f"application {name!r} runs already")
        return self._request(name, application, None if throughput is None else 1 / throughput)

    def leave(self, name: str) -> None:
        """Let an application go; the others keep their guarantees.

        Raises
        ------
        ValueError
            If no application of that name runs.
        """
        if self.state.get(name) is None:
            raise ValueError(f"application {name!r} does not run")
        self.state = self._settled(self.state.without(frozenset({name})))

    def rebind(self, tile: int) -> list[Decision]:
        """Take a failed tile out of service and bind the applications on it elsewhere.

        They are asked for again in the order of their admission; one that cannot keep its guarantee
        any more is dropped, with the reason. Applications on other tiles stay as they are.

        Raises
        ------
        ValueError
            If there is no such tile, or it has failed before.
        """
        if not 0 <= tile < self.platform.num_tiles:
            raise ValueError(f"tile {tile}: tiles are 0..{self.platform.num_tiles - 1}")
        if tile in self.state.failed:
            raise ValueError(f"tile {tile} has failed before")
        hit = [(name, run) for name, run in self.state.running if tile in run.tiles]
        rest = self.state.without(frozenset(name for name, _ in hit))
        self.state = self._settled(State(rest.running, self.state.failed | {tile}))
        return [self._request(name, run.application, run.most_period) for name, run in hit]

    def utilisation(self) -> list[Fraction]:
        """Return, per tile, the share of the time in which its crossbar works."""
        busy = [Fraction(0)] * self.platform.num_tiles
        switch = self.platform.switch_ticks
        held = np.zeros(self.platform.num_tiles, dtype=np.int64)
        for _, run in self.state.running:
            held += np.bincount(run.tile_of, minlength=len(held))
        for _, run in self.state.running:
            for tile in run.tiles:
                here = run.tile_of == tile
                ticks = int(run.application.graph.tau[here].sum())
                ticks += switch * int(here.sum()) * bool(held[tile] > 1)
                busy[tile] += ticks / run.period
        return busy

    def _request(self, name: str, application: Application, most: Fraction | None) -> Decision:
        began = time.perf_counter()
        try:
            if self.policy == "exclusive":
                new = admit_exclusive(self.state, self.platform, name, application, most)
            elif self.policy == "lockstep":
                new = admit_lockstep(self.state, self.platform, name, application, most)
            else:
                wheel = self.wheel_ticks or 1  # checked in __init__
                new = admit_wheel(self.state, self.platform, name, application, most, wheel)
        except RejectedError as error:
            return Decision(name, False, str(error), None, (), time.perf_counter() - began)
        self.state = new
        run = new.running[-1][1]
        return Decision(name, True, "", run.period, run.tiles, time.perf_counter() - began)

    def _settled(self, state: State) -> State:
        """Return the state after somebody left: in lockstep the others speed up together."""
        if self.policy == "lockstep" and state.running:
            return with_period(state, common_period(state, self.platform))
        return state
