"""Three ways to share a platform, each as a function from state and wish to new state or reason.

``exclusive``
    An application gets tiles of its own, as few as its guarantee needs. Applications do not meet,
    so the combined graph falls apart and each keeps its own period.
``lockstep``
    Applications share tiles; on every tile their projected orders follow each other in one cycle,
    so that all run at the common period of the combined graph, and all guarantees must bear it.
``wheel``
    Every tile and its network interface turn through a wheel of fixed length; an application has a
    slice of it on all tiles that it uses. A firing of tau ticks then takes at most
    tau + ceil(tau / slice) * (wheel - slice) ticks whatever the others do, as in SDF3's analysis of
    time-division tiles [St07]_, so that one application's period does not depend on another. Since
    others may always come, a tile counts as shared: switch_ticks are part of every tau.

References
----------
.. [St07] Stuijk, "Predictable Mapping of Streaming Applications on Multiprocessors", TU Eindhoven,
   2007, chapter 8.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from optmap.binding.kernels.period_search import edge_columns
from optmap.errors import CapacityError
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.platform import Platform
from optmap.model.snn import IntArray
from optmap.runtime.application import Application
from optmap.runtime.placing import Room, place
from optmap.runtime.state import Running, State
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.sdf.marked_graph import MarkedGraph

POLICIES = ("exclusive", "lockstep", "wheel")


class RejectedError(CapacityError):
    """The application cannot be admitted; the message is the binding reason, with numbers."""


def period_of(
    graph: ClusterGraph,
    platform: Platform,
    place_of: IntArray,
    tile_of: IntArray,
    tau: IntArray,
    send_ticks: IntArray,
) -> Fraction:
    """Return the period of clusters on tiles under the projected order."""
    source, target, delay, tokens = edge_columns(
        graph, platform, place_of, tile_of, tau, send_ticks
    )
    marked = MarkedGraph(
        graph.num_clusters + graph.num_channels,
        source.astype(np.int32),
        target.astype(np.int32),
        delay,
        tokens,
    )
    ratio, _ = maximum_cycle_ratio(marked)
    assert ratio is not None  # every cluster's self-loop is a cycle
    return ratio


def admit_exclusive(
    state: State, platform: Platform, name: str, application: Application, most: Fraction | None
) -> State:
    """Give the application free tiles, more and more until its period is short enough."""
    taken = {t for _, run in state.running for t in run.tiles}
    free = np.array([t for t in range(platform.num_tiles) if t not in taken | state.failed])
    room = state.room(platform)
    best: Fraction | None = None
    for count in _tile_counts(room, platform, application, most, free):
        tiles = _compact(platform, free, count)
        tile_of = place(application, platform, room, tiles)
        if tile_of is None:
            continue
        period = _own_period(application, platform, tile_of)
        if most is None or period <= most:
            run = Running(application, tile_of, most, period)
            return State((*state.running, (name, run)), state.failed)
        best = period if best is None else min(best, period)
    raise _too_slow(application, best, most, f"{len(free)} free tiles")


def admit_lockstep(
    state: State, platform: Platform, name: str, application: Application, most: Fraction | None
) -> State:
    """Add the application to the common cycle if every guarantee bears the new period."""
    tiles = _working(state, platform)
    room = state.room(platform)
    _refuse_hopeless(application, most, platform, tiles, room)
    tile_of = place(application, platform, room, tiles)
    if tile_of is None:
        raise RejectedError(_no_place(application, f"{len(tiles)} tiles"))
    run = Running(application, tile_of, most, Fraction(1))
    joined = State((*state.running, (name, run)), state.failed)
    period = common_period(joined, platform)
    limits = [(r.most_period, n) for n, r in joined.running if r.most_period is not None]
    if limits and period > min(limits)[0]:
        least, whose = min(limits)
        raise RejectedError(
            f"throughput: the common period would be {_ticks(period)},"
            f" {whose!r} bears {_ticks(least)}"
        )
    return with_period(joined, period)


def admit_wheel(
    state: State,
    platform: Platform,
    name: str,
    application: Application,
    most: Fraction | None,
    wheel_ticks: int,
) -> State:
    """Give the application a slice that suffices, small, on the tiles with most wheel left."""
    tiles = _working(state, platform)
    room, left = state.room(platform), state.wheel_left(platform, wheel_ticks)
    _refuse_hopeless(application, most, platform, tiles, room)
    if not (left[tiles] > 0).any():
        raise RejectedError("wheel: no tile has a tick of it left")
    best: Fraction | None = None
    for largest in sorted({int(x) for x in left[tiles] if x > 0}, reverse=True):
        open_tiles = tiles[left[tiles] >= largest]
        tile_of = place(application, platform, room, open_tiles)
        if tile_of is None:
            continue
        least, period = _smallest_slice(application, platform, tile_of, most, largest, wheel_ticks)
        if least is not None:
            run = Running(application, tile_of, most, period, least)
            return State((*state.running, (name, run)), state.failed)
        best = period if best is None else min(best, period)
    if best is None:
        raise RejectedError(_no_place(application, "the tiles with wheel left"))
    raise _too_slow(application, best, most, "the wheel that is left")


def wheel_period(
    application: Application,
    platform: Platform,
    tile_of: IntArray,
    slice_ticks: int,
    wheel_ticks: int,
) -> Fraction:
    """Return the period that a slice guarantees, whatever the other applications do."""
    tau = on_wheel(application.graph.tau + platform.switch_ticks, slice_ticks, wheel_ticks)
    send = on_wheel(application.send_ticks, slice_ticks, wheel_ticks)
    return period_of(application.graph, platform, application.place, tile_of, tau, send)


def on_wheel(ticks: IntArray, slice_ticks: int, wheel_ticks: int) -> IntArray:
    """Return the longest that work of so many ticks takes within slices of a wheel."""
    return ticks + -(-ticks // slice_ticks) * (wheel_ticks - slice_ticks)


def common_period(state: State, platform: Platform) -> Fraction:
    """Return the period of all running applications in lockstep."""
    graph, order, tile_of = combined(state)
    place_of = np.empty(len(order), dtype=np.int64)
    place_of[order] = np.arange(len(order))
    sharing = np.bincount(tile_of, minlength=platform.num_tiles)[tile_of] > 1
    send = np.concatenate([run.application.send_ticks for _, run in state.running])
    tau = graph.tau + platform.switch_ticks * sharing
    return period_of(graph, platform, place_of, tile_of, tau, send)


def combined(state: State) -> tuple[ClusterGraph, IntArray, IntArray]:
    """Return one graph of all running applications, its order and its binding."""
    runs = [run for _, run in state.running]
    graphs = [run.application.graph for run in runs]
    first = np.cumsum([0, *(g.num_clusters for g in graphs)])[:-1]

    def joined(field: str) -> IntArray:
        return np.concatenate([getattr(g, field) for g in graphs])

    graph = ClusterGraph(
        joined("tau"),
        joined("rows"),
        joined("columns"),
        np.concatenate([g.source + f for g, f in zip(graphs, first, strict=True)]),
        np.concatenate([g.target + f for g, f in zip(graphs, first, strict=True)]),
        joined("spikes"),
        joined("initial"),
        needs=np.concatenate([g.needs for g in graphs], axis=1),
        axons_out=joined("axons_out"),
        fan_out=joined("fan_out"),
    )
    order = np.concatenate([r.application.sequence + f for r, f in zip(runs, first, strict=True)])
    return graph, order, np.concatenate([run.tile_of for run in runs])


def with_period(state: State, period: Fraction) -> State:
    """Return the state with every application at the common period."""
    runs = tuple((name, replace(run, period=period)) for name, run in state.running)
    return State(runs, state.failed)


def _own_period(application: Application, platform: Platform, tile_of: IntArray) -> Fraction:
    sharing = np.bincount(tile_of, minlength=platform.num_tiles)[tile_of] > 1
    tau = application.graph.tau + platform.switch_ticks * sharing
    send = application.send_ticks
    return period_of(application.graph, platform, application.place, tile_of, tau, send)


def _smallest_slice(
    application: Application,
    platform: Platform,
    tile_of: IntArray,
    most: Fraction | None,
    largest: int,
    wheel_ticks: int,
) -> tuple[int | None, Fraction]:
    """Return a slice that keeps the period, or None with the period of the largest.

    A larger slice never lengthens a firing, hence not the period: bisection, first on the load of
    the tiles, then on the period itself until the slice is the smallest to within a 64th of the
    wheel. Best effort gets an eighth of the wheel, or what is left.
    """

    def period(slice_ticks: int) -> Fraction:
        return wheel_period(application, platform, tile_of, slice_ticks, wheel_ticks)

    if most is None:
        share = min(largest, max(1, wheel_ticks // 8))
        return share, period(share)
    tau = application.graph.tau + platform.switch_ticks

    def overloads(slice_ticks: int) -> bool:
        """Tell whether some tile alone already takes too long: cheap, and often close."""
        load = np.zeros(platform.num_tiles, dtype=np.int64)
        np.add.at(load, tile_of, on_wheel(tau, slice_ticks, wheel_ticks))
        return int(load.max()) > most

    low, high = 0, largest  # slices up to low do not suffice
    if overloads(largest):
        return None, period(largest)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if overloads(middle) else (low, middle)
    grain = max(1, wheel_ticks // 64)
    first, step = high, grain
    while (value := period(high)) > most:
        if high == largest:
            return None, value
        low, high, step = high, min(largest, high + step), 2 * step
    while high - low > grain and high > first:
        middle = (low + high) // 2
        value_there = period(middle)
        if value_there <= most:
            high, value = middle, value_there
        else:
            low = middle
    return high, value


def _working(state: State, platform: Platform) -> IntArray:
    return np.array([t for t in range(platform.num_tiles) if t not in state.failed], dtype=np.int64)


def _tile_counts(
    room: Room,
    platform: Platform,
    application: Application,
    most: Fraction | None,
    free: IntArray,
) -> list[int]:
    """Return the numbers of tiles to try, ascending; refuse what no number of them can hold."""
    if not len(free):
        raise RejectedError("tiles: none is free")
    _refuse_hopeless(application, most, platform, free, room)
    clusters = application.graph.num_clusters
    slots = np.cumsum(np.sort(np.minimum(room.slots[free], clusters))[::-1])
    least = 1 + int(np.searchsorted(slots, clusters))
    if most is not None:
        least = max(least, -(-application.total_ticks * most.denominator // most.numerator))
    if least > len(free):
        raise RejectedError(f"tiles: at least {least} are needed, {len(free)} are free")
    counts = []
    while least < len(free):
        counts.append(least)
        least += max(1, least // 4)
    return [*counts, len(free)]


def _refuse_hopeless(
    application: Application,
    most: Fraction | None,
    platform: Platform,
    tiles: IntArray,
    room: Room,
) -> None:
    """Refuse what no binding to these tiles can achieve."""
    graph = application.graph
    slots = int(np.minimum(room.slots[tiles], graph.num_clusters).sum()) if len(tiles) else 0
    if slots < graph.num_clusters:
        raise RejectedError(f"slots: {graph.num_clusters} are needed, {slots} are left")
    tau = int(graph.tau.max())
    if most is not None and tau > most:
        raise RejectedError(
            f"throughput: cluster {int(graph.tau.argmax())} alone takes {tau} ticks,"
            f" {_ticks(most)} are allowed"
        )
    fits = graph.fits(platform)[:, tiles]
    if not fits.any(axis=1).all():
        k = int(np.flatnonzero(~fits.any(axis=1))[0])
        raise RejectedError(
            f"crossbars: cluster {k} needs {graph.rows[k]} x {graph.columns[k]},"
            " no tile left has that"
        )


def _compact(platform: Platform, free: IntArray, count: int) -> IntArray:
    """Return ``count`` free tiles close to each other: the nearest around the best centre."""
    hops = platform.hops[np.ix_(free, free)]
    nearest = np.argsort(hops, axis=1, kind="stable")[:, :count]
    spread = np.take_along_axis(hops, nearest, axis=1).sum(axis=1)
    return np.sort(free[nearest[int(np.argmin(spread))]])


def _no_place(application: Application, where: str) -> str:
    return (
        f"buffers, slots or crossbars: no place was found for the"
        f" {application.graph.num_clusters} clusters on {where}"
    )


def _too_slow(
    application: Application, best: Fraction | None, most: Fraction | None, where: str
) -> RejectedError:
    if best is None or most is None:
        return RejectedError(_no_place(application, where))
    return RejectedError(
        f"throughput: the best period found on {where} is {_ticks(best)},"
        f" {_ticks(most)} are allowed"
    )


def _ticks(period: Fraction) -> str:
    return f"{period} ticks"
