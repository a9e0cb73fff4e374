"""What ``map`` says besides the mapping it made: least area, and what period trades against.

*Least area* (P0c): every cluster gets a crossbar of its own, of one of the platform's kinds, no
more of a kind than the platform has tiles. That is a question about a chip to be built; the judge's
``area_um2`` is another, of the tiles in use, which may hold several clusters each. The two are the
same where tiles have one slot.

*Trade-offs*: of the mapping's clusters, every binding with orders whose period, spike-hops and
number of tiles no other beats in all three.

*Buffers*: of the mapping as it is, what shorter period more tokens of buffer space buy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from optmap.errors import CapacityError, InputError
from optmap.judge.binding_aware_graph import lower
from optmap.judge.evaluation import critical_cycle
from optmap.model.buffer_front import BufferFront
from optmap.model.buffers import space_of
from optmap.model.capacity import shares_memory
from optmap.model.cluster_graph import cluster_graph
from optmap.model.grade import Grade
from optmap.model.json_value import Json
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits, Status, Value
from optmap.model.platform import Platform


@dataclass(frozen=True, slots=True)
class TradeOff:
    """One mapping that no other of the same clusters beats in all three values."""

    period: Fraction
    spike_hops: int
    tiles_used: int
    mapping: Mapping

    def record(self) -> dict[str, Json]:
        """Return the values as JSON holds them, the period as text where it is no whole number."""
        whole = self.period.denominator == 1
        period: Json = int(self.period) if whole else str(self.period)
        return {
            "period": period,
            "spike_hops": self.spike_hops,
            "tiles_used": self.tiles_used,
        }


def trade_offs(
    mapping: Mapping, platform: Platform, tokens: str, limits: Limits
) -> tuple[list[TradeOff], bool]:
    """Return the Pareto front by rising period, and whether it is proved to be all of it.

    Parameters
    ----------
    mapping : Mapping
        Its decomposition and clusters are kept; it stands on the front itself if nothing found
        beats it.
    """
    from formulations.joint.pareto import solve

    if shares_memory(platform):
        raise CapacityError("the search for trade-offs does not know that programs stay resident")
    graph = cluster_graph(mapping.decomposition, mapping.clustering, platform, tokens)
    prologue = mapping.orders.has_prologue
    known = [(mapping.binding, mapping.orders)]
    outcome = solve(graph, platform, limits, prologue=prologue, known=known)
    if outcome.solution is None:
        return [], outcome.status is Status.INFEASIBLE
    found = zip(outcome.solution.points, outcome.solution.mappings, strict=True)
    points = [
        TradeOff(
            point.period,
            point.spike_hops,
            point.tiles_used,
            replace(mapping, binding=binding, orders=orders),
        )
        for point, (binding, orders) in found
    ]
    return points, outcome.status is Status.OPTIMAL


@dataclass(frozen=True, slots=True)
class LeastArea:
    """What (P0c) found and proved for one decomposition, in um2.

    Parameters
    ----------
    area, given : Fraction or None
        Of the clustering found, and of the mapping's own clusters; None where the stock does not
        allow one.
    bound : Fraction or None
        No clustering of these units has less.
    crossbars : dict
        (rows, columns) of a kind -> how many of it the clustering found takes.
    grade : Grade
        Who vouches for the bound.
    """

    area: Fraction | None
    given: Fraction | None
    bound: Fraction | None
    crossbars: dict[tuple[int, int], int]
    grade: Grade

    def record(self) -> dict[str, Json]:
        """Return it as JSON holds it; areas as numbers."""
        kinds: dict[str, Json] = {f"{r}x{c}": n for (r, c), n in self.crossbars.items()}
        return {
            "least_area_um2": _number(self.area),
            "area_of_these_clusters_um2": _number(self.given),
            "bound_area_um2": _number(self.bound),
            "bound_grade": self.grade.value,
            "crossbars": kinds,
        }


def least_area(mapping: Mapping, platform: Platform, limits: Limits) -> LeastArea:
    """Return the least area of crossbars for the mapping's units, one for each cluster.

    Half of the limit is column generation's, whose bound forgets how many crossbars of a kind there
    are; the other half the plain model's, where it is not too large, which does not.

    Raises
    ------
    InputError
        If the platform gives no areas.
    """
    from formulations.clustering import area, cpsat
    from formulations.clustering.crossbar_kinds import area_of, assign_kinds, kinds_of
    from formulations.clustering.verify_certificate import verify_area

    try:
        kinds, unit = kinds_of(platform)
    except ValueError as error:
        raise InputError("--area", "", str(error), "a platform with [area]") from None
    units = mapping.decomposition
    half = replace(limits, wall_s=limits.wall_s / 2)
    priced, certificate = area.minimize_area(units, kinds, half, mapping.clustering)
    outcome = cpsat.minimize_area(units, kinds, half, priced.solution)
    found = priced.solution if outcome.solution is None else outcome.solution
    bound, grade = outcome.bound, outcome.grade
    if priced.bound is not None and (bound is None or priced.bound > bound):
        holds = certificate is not None and verify_area(certificate, units, kinds, half).holds
        bound, grade = priced.bound, Grade.CERTIFIED if holds else Grade.CLAIMED
    chosen = None if found is None else assign_kinds(units.network, found, kinds)
    crossbars = Counter((kinds[h].rows, kinds[h].columns) for h in chosen or [])
    given = area_of(units.network, mapping.clustering, kinds)
    return LeastArea(
        None if found is None else _in_um2(area_of(units.network, found, kinds), unit),
        _in_um2(given, unit),
        _in_um2(bound, unit),
        dict(crossbars),
        grade,
    )


def area_lines(found: LeastArea) -> Iterator[str]:
    """Yield what a person wants to know of the least area."""
    yield "  least area (a crossbar of its own for each cluster):"
    if found.area is None:
        yield "    no clustering found that the platform's crossbars allow"
        return
    bound = "no bound"
    if found.bound is not None:
        bound = f">= {float(found.bound):,.0f} ({found.grade.value})"
    yield f"    {float(found.area):,.0f} um2, {bound}"
    if found.given is None:
        yield "    the clusters of this mapping need more crossbars of some kind than there are"
    else:
        yield f"    the clusters of this mapping: {float(found.given):,.0f} um2"
    kinds = sorted(found.crossbars.items())
    yield "    crossbars: " + ", ".join(f"{n} of {r} x {c}" for (r, c), n in kinds)


@dataclass(frozen=True, slots=True)
class BufferTradeOff:
    """What buffer space buys a mapping.

    Parameters
    ----------
    front : BufferFront
        Period against space in tokens.
    given : int
        Tokens that the mapping's channels hold as it stands.
    least : int or None
        The fewest tokens found that keep the mapping's own period, within the tile buffers.
    bound : int or None
        No fewer keep it.
    grade : Grade
        Who vouches for the bound.
    """

    front: BufferFront
    given: int
    least: int | None
    bound: int | None
    grade: Grade

    def record(self) -> dict[str, Json]:
        """Return it as JSON holds it."""
        points: list[Json] = [
            {
                "tokens": p.total,
                "period": str(p.period),
                "bound": p.bound,
                "bound_grade": p.grade.value,
            }
            for p in self.front.points
        ]
        return {
            "complete": self.front.complete,
            "all_below": self.front.all_below,
            "points": points,
            "tokens_given": self.given,
            "tokens_least": self.least,
            "tokens_bound": self.bound,
            "tokens_bound_grade": self.grade.value,
        }


def buffer_trade_off(
    mapping: Mapping, platform: Platform, tokens: str, limits: Limits
) -> BufferTradeOff:
    """Return what buffer space in tokens buys a mapping whose binding and orders stay.

    The front comes from cycles and covers (:mod:`formulations.buffers.front`), the least space for
    the mapping's own period with it; where tile buffers are limited, from a model of its own with
    as much time again.

    Raises
    ------
    InputError
        If the orders have a prologue.
    """
    from formulations.buffers.cpsat import BufferSets, least_space
    from formulations.buffers.front import space_front

    if mapping.orders.has_prologue:
        raise InputError("--buffers", "", "orders with a prologue", "a method without one")
    graph = cluster_graph(mapping.decomposition, mapping.clustering, platform, tokens)
    placed = graph, platform, mapping.binding, mapping.orders
    period = critical_cycle(lower(*placed, mapping.buffers))[0]
    given = space_of(graph, platform, mapping.binding, mapping.buffers).total
    front, own = space_front(*placed, limits, period)
    limited = any(t.input_buffer is not None or t.output_buffer is not None for t in platform.tiles)
    if period is not None and limited:
        found = least_space(BufferSets(*placed, period), limits)
        least, bound = (None if v is None else int(v) for v in (found.claimed, found.bound))
        return BufferTradeOff(front, given, least, bound, found.grade)
    if own is None:
        return BufferTradeOff(front, given, None, None, Grade.CLAIMED)
    return BufferTradeOff(front, given, own.total, own.bound, own.grade)


def buffer_lines(found: BufferTradeOff) -> Iterator[str]:
    """Yield the front of space and period as a table, by rising space."""
    front = found.front
    proved = "all of them, proved" if front.complete else "as far as the limit went"
    yield f"  period against buffer space, the mapping as it is ({proved}):"
    yield f"    {'tokens':>12} {'period':>12}"
    for p in front.points:
        period = str(p.period) if p.period.denominator == 1 else f"{float(p.period):.3f}"
        proof = "" if p.is_proved else f"  no fewer than {p.bound:,} are as fast"
        yield f"    {p.total:>12,} {period:>12}{proof}"
    if front.all_below is not None:
        yield (
            f"    ended by the limit: below {front.all_below:,} tokens these are all points,"
            " above it more may lie between; --limit gives more time"
        )
    if found.least is not None:
        is_least = found.bound == found.least
        bound = "no bound" if found.bound is None else f">= {found.bound:,}"
        proof = f"{'proved' if is_least else bound}, {found.grade.value}"
        saved = 1 - found.least / found.given if found.given else 0
        yield (
            f"    as it is: {found.given:,} tokens; {found.least:,} keep its period ({proof}),"
            f" {100 * saved:.0f} % fewer"
        )


def trade_off_lines(points: list[TradeOff], complete: bool) -> Iterator[str]:
    """Yield the front as a table, by rising period."""
    proved = "all of them, proved" if complete else "as far as the limit went"
    yield f"  trade-offs of these clusters ({proved}):"
    yield f"    {'period':>12} {'spike-hops':>12} {'tiles':>6}"
    for p in points:
        period = str(p.period) if p.period.denominator == 1 else f"{float(p.period):.3f}"
        yield f"    {period:>12} {p.spike_hops:>12} {p.tiles_used:>6}"


def _in_um2(value: Value | None, unit: Fraction) -> Fraction | None:
    return None if value is None else value * unit


def _number(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
