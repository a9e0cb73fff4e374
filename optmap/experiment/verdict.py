"""The verdict on one mapping for a chip team: does it fit, how fast is it in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from fractions import Fraction

import numpy as np

from optmap.judge.case import Case
from optmap.model.platform import Platform

#: What a platform's table of sources says of a number that its file does not give.
ABSENT = "assumed (default)"
UNITS = ((10**9, "s"), (10**6, "ms"), (10**3, "us"), (1, "ns"))


def verdict_sentence(case: Case) -> str:
    """Return whether a mapping fits, and how full the platform is.

    Returns
    -------
    str
        As ``fits: 79 programs on 4 crossbars, 20 each at most, no limit on programs given``.
    """
    if case.violations:
        kinds = sorted({violation.kind for violation in case.violations})
        count = len(case.violations)
        return f"does not fit: {count} rule{'s' * (count != 1)} broken ({', '.join(kinds)})"
    return fits_sentence(case.mapping.binding.tile_of.tolist(), case.platform)


def fits_sentence(tile_of: Sequence[int], platform: Platform) -> str:
    """Return how full a valid mapping makes the platform; ``tile_of`` is its clusters' tiles."""
    held, slots = np.bincount(np.asarray(tile_of, dtype=np.int64)), platform.total_slots
    used, clusters = int((held > 0).sum()), len(tile_of)
    room = "no limit on programs given"
    if slots is not None:
        room = f"room for {slots}"
    each = f", {held.max()} each at most" if clusters else ""
    return (
        f"fits: {clusters} program{'s' * (clusters != 1)} on {used} crossbar{'s' * (used != 1)}"
        f"{each}, {room}"
    )


def given(platform: Platform, field: str) -> bool:
    """Tell whether the platform's file gives a number itself, as ``time.tick_ns``."""
    return platform.sources.get(field, ABSENT) != ABSENT


def energy_given(platform: Platform) -> bool:
    """Tell whether any energy is charged; without one, energy 0 says nothing."""
    price = platform.energy  # read_ticks is a time, not a price
    return any(getattr(price, f.name) for f in fields(price) if f.name != "read_ticks")


def speed_lines(
    period: Fraction | None, latency: Fraction | None, platform: Platform
) -> Iterator[str]:
    """Yield the speed in seconds, where the platform says how long a tick is."""
    if not period or not given(platform, "time.tick_ns"):
        return
    tick = platform.tick_ns
    source = platform.sources["time.tick_ns"]
    rate = 10**9 / (period * tick)
    late = "" if latency is None else f", latency {duration(latency * tick)}"
    yield (
        f"speed: {significant(rate)} inferences per second, one every {duration(period * tick)}"
        f"{late} (ticks of {significant(tick)} ns, {source})"
    )


def one_tick_lines(platform: Platform, times_given: bool) -> Iterator[str]:
    """Yield that programs take no time, where the platform says none.

    ``times_given``: the network says itself how long its clusters take.
    """
    plain = (platform.base_ticks, platform.event_ticks) == (1, 0)
    if plain and not times_given:
        yield (
            "time: programs take 1 tick whatever they read: the platform gives no base_ticks or"
            " event_ticks"
        )


def duration(ns: Fraction) -> str:
    """Return a time in the unit that suits it.

    Examples
    --------
    >>> duration(Fraction(11131)), duration(Fraction(1, 2)), duration(Fraction(25 * 10**8))
    ('11.1 us', '0.5 ns', '2.5 s')
    """
    size, unit = next(((s, u) for s, u in UNITS if ns >= s), UNITS[-1])
    return f"{significant(ns / size)} {unit}"


def significant(value: Fraction) -> str:
    """Return a number with three significant digits, more where it is larger.

    Examples
    --------
    >>> significant(Fraction(89838)), significant(Fraction(1, 3)), significant(Fraction(55, 2))
    ('89,838', '0.333', '27.5')
    """
    number = float(value)
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
