"""A cyclo-static graph as it is written: phases of actors, rates and times that change."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm

#: Firings of one iteration beyond which an expansion is refused.
MAX_FIRINGS = 200_000


@dataclass(frozen=True)
class Phases:
    """Numbers of the phases that happen once, and of those that repeat."""

    once: tuple[int, ...]
    cycle: tuple[int, ...]

    def repeated(self, once: int, cycle: int) -> Phases:
        """Return the same numbers for ``once`` and ``cycle`` phases, repeating the cycle."""
        first = [self.at(k) for k in range(once)]
        return Phases(tuple(first), tuple(self.at(once + k) for k in range(cycle)))

    def at(self, phase: int) -> int:
        """Return the number of the phase of that index, from 0."""
        if phase < len(self.once):
            return self.once[phase]
        return self.cycle[(phase - len(self.once)) % len(self.cycle)]


@dataclass(frozen=True)
class Channel:
    """A channel between actors, by index, with rates of phases and initial tokens."""

    name: str
    source: int
    target: int
    production: Phases
    consumption: Phases
    tokens: int


@dataclass(frozen=True)
class CSDFG:
    """A cyclo-static graph: names, ticks of every phase, channels."""

    name: str
    actors: tuple[str, ...]
    times: tuple[Phases, ...]
    channels: tuple[Channel, ...]
    ticks_per_unit: int = 1

    def lengths(self) -> list[tuple[int, int]]:
        """Return for each actor how many phases happen once, and how many repeat."""
        lists: list[list[Phases]] = [[time] for time in self.times]
        for channel in self.channels:
            lists[channel.source].append(channel.production)
            lists[channel.target].append(channel.consumption)
        return [(max(len(p.once) for p in own), lcm(*(len(p.cycle) for p in own))) for own in lists]
