"""What would help, by how much: changes of the platform, each judged again, none guessed.

Two kinds of change: those under which the same mapping stays valid (faster interfaces, no hop
latency, a larger buffer: the mapping is re-evaluated as it is), and those that ask for a new
mapping (one more column of tiles, larger crossbars, more slots: the mapping's own method is run
again). All are compared with the mapping that was given; what the method alone makes of the
platform as it is comes first, so that luck of its second run is not taken for the change's merit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import nan

from optmap.bounds.end_to_end import end_to_end_period_bound
from optmap.errors import CapacityError, DeadlockError, FanInError
from optmap.flow import run
from optmap.instance import Instance
from optmap.judge.case import judge
from optmap.judge.evaluation import Evaluation, evaluate
from optmap.methods import Method
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile

#: The first row of the second table.
AS_IT_IS = "nothing: the platform as it is"


@dataclass(frozen=True, slots=True)
class Figures:
    """What one mapping costs on one platform, and the end-to-end bound on its period there."""

    period: Fraction | None
    latency: Fraction | None
    clusters: int
    traffic: int
    energy_pj: Fraction
    bound: Fraction | None

    @property
    def gap(self) -> Fraction | None:
        """Gap of the period to the bound; None without either."""
        if not self.period or self.bound is None:
            return None
        return (self.period - self.bound) / self.period

    def numbers(self) -> dict[str, float]:
        """Return the figures as floats, NaN where there is none."""
        exact = (self.period, self.latency, self.clusters, self.traffic, self.energy_pj)
        names = ("period", "latency", "clusters", "traffic", "energy_pj")
        floats = (nan if value is None else float(value) for value in exact)
        return dict(zip(names, floats, strict=True))


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One change and what is reached with it; None where no mapping is found."""

    change: str
    after: Figures | None

    def speedup(self, base: Figures | None) -> Fraction | None:
        """Return the base's period by this one; above 1 the change helps."""
        if base is None or self.after is None or not base.period or not self.after.period:
            return None
        return base.period / self.after.period


def with_bound_of(change: WhatIf, base: Figures | None) -> WhatIf:
    """Return a new mapping of the same instance with the bound of the given one, where higher.

    Both are bounds on every mapping; with one of them, gaps are to one value as in the headline.
    """
    after = change.after
    if base is None or base.bound is None or after is None or after.period is None:
        return change
    if after.bound is not None and not after.bound < base.bound <= after.period:
        return change
    return replace(change, after=replace(after, bound=base.bound))


def figures(instance: Instance, platform: Platform, evaluation: Evaluation) -> Figures:
    """Return the figures of an evaluated mapping of the instance's network on ``platform``."""
    given = isinstance(instance.snn, ClusteredSNN)  # its clusters are no decision
    bound = None if given else Fraction(end_to_end_period_bound(instance.snn, platform).value)
    return Figures(
        evaluation.period,
        evaluation.latency,
        evaluation.clusters,
        evaluation.traffic.total,
        evaluation.energy.total_pj,
        bound,
    )


def same_mapping_changes(platform: Platform) -> Iterator[tuple[str, Platform]]:
    """Yield changes of the platform under which every valid mapping stays well formed."""
    yield (
        "network interfaces twice as fast",
        replace(platform, ni_tokens_per_tick=2 * platform.ni_tokens_per_tick),
    )
    if platform.has_latency:
        yield "no hop latency", replace(platform, hop_ticks=0, chip_hop_ticks=None)
    if platform.event_ticks > 1:
        faster = replace(platform, event_ticks=platform.event_ticks // 2)
        yield f"event_ticks {faster.event_ticks} instead of {platform.event_ticks}", faster
    if platform.switch_ticks:
        yield "no time for changing programs", replace(platform, switch_ticks=0)
    roomy = replace(platform, tiles=tuple(_unlimited_buffers(tile) for tile in platform.tiles))
    windows, tokens = platform.buffer_windows, platform.buffer_tokens
    if tokens is None:
        words = f"{windows + 1} buffer windows instead of {windows}"
        yield words, replace(roomy, buffer_windows=windows + 1)
    else:
        words = f"{2 * tokens} buffer tokens a channel instead of {tokens}"
        yield words, replace(roomy, buffer_tokens=2 * tokens)


def _unlimited_buffers(tile: Tile) -> Tile:
    return replace(tile, input_buffer=None, output_buffer=None)


def new_mapping_changes(platform: Platform) -> Iterator[tuple[str, Platform]]:
    """Yield changes of the platform that ask for a new mapping."""
    wider = _one_more_column(platform)
    if wider is not None:
        yield f"{wider.num_tiles} tiles instead of {platform.num_tiles}", wider
    yield (
        "crossbars of twice the rows",
        replace(platform, tiles=tuple(_scaled(tile, 2, 1) for tile in platform.tiles)),
    )
    yield (
        "crossbars of twice the columns",
        replace(platform, tiles=tuple(_scaled(tile, 1, 2) for tile in platform.tiles)),
    )
    yield (
        "crossbars of twice the rows and columns",
        replace(platform, tiles=tuple(_scaled(tile, 2, 2) for tile in platform.tiles)),
    )
    if platform.total_slots is not None:
        more = tuple(
            replace(t, slots=t.slots + 1) if t.slots and t.in_use else t for t in platform.tiles
        )
        yield "one more slot on every tile", replace(platform, tiles=more)
    if any(t.input_buffer is not None or t.output_buffer is not None for t in platform.tiles):
        free = tuple(_unlimited_buffers(tile) for tile in platform.tiles)
        yield "buffers without limit", replace(platform, tiles=free)


def _scaled(tile: Tile, rows: int, columns: int) -> Tile:
    bar = tile.crossbar
    return replace(tile, crossbar=Crossbar(bar.rows * rows, bar.columns * columns))


def _one_more_column(platform: Platform) -> Platform | None:
    """Return the mesh or torus with one more column of tiles like its last; None for a matrix."""
    net = platform.interconnect
    if net.width is None or net.height is None or not net.is_regular or net.chip:
        return None
    tiles: list[Tile] = []
    for y in range(net.height):
        row = platform.tiles[y * net.width : (y + 1) * net.width]
        tiles += [*row, row[-1]]
    wider = Interconnect(net.kind, net.width + 1, net.height)
    return replace(platform, tiles=tuple(tiles), interconnect=wider)


def re_evaluated(instance: Instance, mapping: Mapping) -> list[WhatIf]:
    """Return what the same mapping would reach on changed platforms."""
    found = []
    for change, platform in same_mapping_changes(instance.platform):
        try:
            after = evaluate(platform, mapping, instance.tokens)
        except (CapacityError, DeadlockError):  # the change does not help: nothing to say
            continue
        found.append(WhatIf(change, figures(instance, platform, after)))
    return found


def mapped_again(instance: Instance, method: Method, limits: Limits) -> list[WhatIf]:
    """Return what the method reaches on the platform as it is, then on changed ones."""
    platforms = [(AS_IT_IS, instance.platform), *new_mapping_changes(instance.platform)]
    return [
        WhatIf(change, _mapped(instance, method, platform, limits))
        for change, platform in platforms
    ]


def without_one_constraint(instance: Instance, method: Method, limits: Limits) -> list[WhatIf]:
    """Return what the method reaches with all constraints, then without each of them."""
    found = [
        WhatIf("no change: all constraints", _mapped(instance, method, instance.platform, limits))
    ]
    for words, rest in instance.constraints.single():
        freed = replace(instance, constraints=rest)
        found.append(WhatIf(f"without {words}", _mapped(freed, method, instance.platform, limits)))
    return found


def _mapped(
    instance: Instance, method: Method, platform: Platform, limits: Limits
) -> Figures | None:
    demanded = instance.constraints
    try:
        result = run(
            method,
            instance.snn,
            platform,
            instance.tokens,
            limits,
            lambda _: None,
            constraints=demanded,
        )
    except (CapacityError, FanInError):
        return None
    if result.mapping is None:
        return None
    verdict = judge(instance.snn, platform, result.mapping, instance.tokens, demanded).evaluation
    return figures(instance, platform, verdict) if verdict else None
