"""What would help, by how much: changes of the platform, each judged again, none guessed.

Two kinds of change: those under which the same mapping stays valid (faster interfaces, no hop
latency, a larger buffer: the mapping is re-evaluated as it is), and those that ask for a new
mapping (one more column of tiles, larger crossbars, more slots: the mapping's own method is run
again on both platforms, so that like is compared with like).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from optmap.errors import CapacityError, DeadlockError
from optmap.flow import run
from optmap.instance import Instance
from optmap.judge.evaluation import evaluate, judge
from optmap.methods import Method
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One change: the period and the clusters without it and with it, None where nothing fits."""

    change: str
    same_mapping: bool
    period_before: Fraction | None
    period_after: Fraction | None
    clusters_before: int | None
    clusters_after: int | None

    @property
    def speedup(self) -> Fraction | None:
        """Old period by new period; above 1 the change helps."""
        if not self.period_before or not self.period_after:
            return None
        return self.period_before / self.period_after

    @property
    def fits_now(self) -> bool:
        """Tell whether the change makes a mapping possible where there was none."""
        return self.clusters_before is None and self.clusters_after is not None


def same_mapping_changes(platform: Platform) -> Iterator[tuple[str, Platform]]:
    """Yield changes of the platform under which every valid mapping stays well formed."""
    yield (
        "network interfaces twice as fast",
        replace(platform, ni_tokens_per_tick=2 * platform.ni_tokens_per_tick),
    )
    if platform.hop_ticks:
        yield "no hop latency", replace(platform, hop_ticks=0)
    if platform.event_ticks > 1:
        faster = replace(platform, event_ticks=platform.event_ticks // 2)
        yield f"event_ticks {faster.event_ticks} instead of {platform.event_ticks}", faster
    if platform.switch_ticks:
        yield "no time for changing programs", replace(platform, switch_ticks=0)
    yield (
        f"{platform.buffer_windows + 1} buffer windows instead of {platform.buffer_windows}",
        replace(
            platform,
            buffer_windows=platform.buffer_windows + 1,
            tiles=tuple(_unlimited_buffers(tile) for tile in platform.tiles),
        ),
    )


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
            replace(t, slots=None if t.slots is None else t.slots + 1) for t in platform.tiles
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
    if net.width is None or net.height is None:
        return None
    tiles: list[Tile] = []
    for y in range(net.height):
        row = platform.tiles[y * net.width : (y + 1) * net.width]
        tiles += [*row, row[-1]]
    wider = Interconnect(net.kind, net.width + 1, net.height)
    return replace(platform, tiles=tuple(tiles), interconnect=wider)


def re_evaluated(instance: Instance, mapping: Mapping) -> list[WhatIf]:
    """Return what the same mapping would reach on changed platforms."""
    before = evaluate(instance.platform, mapping, instance.tokens)
    found = []
    for change, platform in same_mapping_changes(instance.platform):
        try:
            after = evaluate(platform, mapping, instance.tokens)
        except (CapacityError, DeadlockError):  # the change does not help: nothing to say
            continue
        count = before.clusters
        found.append(WhatIf(change, True, before.period, after.period, count, count))
    return found


def mapped_again(instance: Instance, method: Method, limits: Limits) -> list[WhatIf]:
    """Return what the method reaches on changed platforms, beside what it reaches as it is."""
    before = _period_and_clusters(instance, method, instance.platform, limits)
    return [
        WhatIf(change, False, before[0], after[0], before[1], after[1])
        for change, platform in new_mapping_changes(instance.platform)
        for after in [_period_and_clusters(instance, method, platform, limits)]
    ]


def _period_and_clusters(
    instance: Instance, method: Method, platform: Platform, limits: Limits
) -> tuple[Fraction | None, int | None]:
    result = run(method, instance.snn, platform, instance.tokens, limits, lambda _: None)
    if result.mapping is None:
        return None, None
    verdict = judge(instance.snn, platform, result.mapping, instance.tokens).evaluation
    return (verdict.period, verdict.clusters) if verdict else (None, None)
