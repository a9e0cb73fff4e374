"""Bounds over all clusterings, bindings and orders by covering the neurons with crossbars.

Master       min sum_S cost(S) l_S  s.t.  sum_{S holds u} l_S >= 1 for every unit u, l >= 0, over
             the sets S that fit one crossbar; cost 1, traffic, or execution time (work)
Dual         max sum_u pi_u  s.t.  sum_{u in S} pi_u <= cost(S) for every S, pi >= 0
Pricing      the set whose prices exceed its cost by most (pricing_listing.py), exact

Every mapping whose decomposition splits no neuron is a solution of the master; so the sum of any
dual prices bounds its clusters, its traffic or its work, and the work of T tiles is at least T
times less than the busiest one's load, hence than the period. All units must fit a crossbar, and
the scope says that they stay whole. The linear program only suggests prices: they are rounded to
whole numbers, lowered until an exact walk finds no set worth more than it costs, and their sum is
the bound. :func:`verify_cover` walks again.

Crossbars of several kinds count as the most rows and the most columns among them.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from formulations.clustering.column_generation.master import Master
from formulations.solvers.stopwatch import Stopwatch
from formulations.whole.pricing_listing import (
    MOST_SETS,
    Cost,
    Listing,
    Sets,
    cost_of,
    price_by_listing,
)
from optmap.bounds.bound import Bound
from optmap.judge.evaluation import evaluate
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.cover_certificate import METRICS, CoverCertificate
from optmap.model.grade import Grade
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits, Outcome, Status
from optmap.model.platform import Platform
from optmap.model.scope import Scope
from optmap.model.snn import SNN, FloatArray, IntArray

#: A price of 1 in whole-number prices, and what their sums must stay below.
SCALE, MOST_WORTH = 10**6, 2**61
#: Rounds of column generation at most, and how far prices are pulled to the best ones so far.
ROUNDS, PULL = 600, 0.5
#: By how many millionths prices are lowered, in turn, until no set is worth more than it costs.
LOWERED = (0, 1, 4, 16, 64, 256, 1024, 4096, 16384, 65536)


def cover_bounds(snn: SNN, platform: Platform, limits: Limits) -> list[Bound]:
    """Return bounds on clusters, traffic and period; none where sets are too many or units large.

    Parameters
    ----------
    limits : Limits
        Time for all three; each stops with valid prices at any moment.
    """
    if not applies(snn, platform):
        return []
    watch, found, listing = Stopwatch(limits), [], Listing(snn, platform)
    for n, metric in enumerate(METRICS):
        share = watch.left / (len(METRICS) - n)
        certificate = cover(metric, listing, watch.spent + share, watch)
        if certificate is not None:
            scope = Scope(splits_above=platform.max_rows)
            value = certificate.bound
            found.append(Bound(metric, "cover", value, scope, Grade.CERTIFIED, certificate))
    return found


class BoundOnly:
    """The method ``cover`` for one network: its sets are listed once for all objectives.

    It is a :class:`optmap.whole.contract.WholeMapper`.
    """

    def __init__(self) -> None:
        self._listing: Listing | None = None

    def __call__(
        self,
        snn: SNN,
        platform: Platform,
        tokens: str,
        limits: Limits,
        *,
        objective: str = "period",
        start: Mapping | None = None,
        on_better: Callable[[Outcome[Mapping]], None] | None = None,
    ) -> Outcome[Mapping]:
        """Return the start as it is, with the bound that the cover proves for the objective.

        ``on_better`` is never called: no mapping is made here.
        """
        watch, proof, note = Stopwatch(limits), None, ""
        made = objective in METRICS and not isinstance(snn, ClusteredSNN)
        if made and applies(snn, platform):
            listing = self._listing_of(snn, platform)
            proof = cover(objective, listing, limits.wall_s, watch)
            note = "" if listing.is_complete else _why_cut(listing)
        bound, grade = None if proof is None else proof.bound, Grade.CERTIFIED
        if start is None:
            return Outcome(Status.UNKNOWN, bound=bound, certificate=proof, grade=grade, note=note)
        value = evaluate(platform, start, tokens).row()[objective]
        reached = value if isinstance(value, (int, Fraction)) else None
        status = Status.OPTIMAL if bound is not None and reached == bound else Status.FEASIBLE
        return Outcome(status, start, reached, bound, (), proof, grade, note)

    def _listing_of(self, snn: SNN, platform: Platform) -> Listing:
        known = self._listing
        if known is None or known.snn is not snn or known.platform != platform:
            known = self._listing = Listing(snn, platform)
        return known


def _why_cut(listing: Listing) -> str:
    """Say why the list of sets was no proof."""
    if listing.is_too_long():
        return f"more than {MOST_SETS} sets fit a crossbar, or finding them takes too long"
    return f"the limit came after {listing.visited} of the sets that fit a crossbar"


def cover(metric: str, listing: Listing, until: float, watch: Stopwatch) -> CoverCertificate | None:
    """Return prices that prove as much as the linear relaxation does, or as time allowed.

    Parameters
    ----------
    listing : Listing
        Of a network and platform to which the cover applies; it goes on where it stopped.
    until : float
        In seconds of the watch.
    """
    snn, platform = listing.snn, listing.platform
    sets = listing.sets(lambda: watch.spent >= until)
    if sets is None:
        return None
    cost = cost_of(metric, snn, platform).times(SCALE)
    costs = sets.costs(snn, cost)
    prices = _generated(sets, costs, cost, (until, watch), snn.num_units)
    for part in LOWERED:
        whole = _whole(prices * (1.0 - part * 1e-6))
        if sets.dearest(whole, costs)[0] <= 0:
            tiles = platform.num_tiles if metric == "period" else 1
            made = tuple(int(p) for p in whole)
            return CoverCertificate(metric, "listing", made, SCALE, tiles)
    return None


def applies(snn: SNN, platform: Platform) -> bool:
    """Tell whether all units fit a crossbar and sums of prices stay in int64."""
    fits = snn.num_units > 0 and snn.max_fan_in <= platform.max_rows
    loudest = platform.base_ticks + max(1, platform.event_ticks) * int(snn.spikes.sum())
    return bool(fits) and SCALE * (loudest + 1) * snn.num_units < MOST_WORTH


def verify_cover(
    certificate: CoverCertificate, snn: SNN, platform: Platform
) -> tuple[Fraction | None, str]:
    """Return the bound that the certificate proves, or None and why it proves nothing.

    The certificate is trusted in nothing: its prices are held against every set that fits a
    crossbar of the platform, and the bound is computed from them.
    """
    if len(certificate.prices) != snn.num_units:
        return None, f"{len(certificate.prices)} prices for {snn.num_units} units"
    tiles = platform.num_tiles if certificate.metric == "period" else 1
    if certificate.tiles != tiles:
        return None, f"work divided by {certificate.tiles}, not by {tiles}"
    if not applies(snn, platform):
        return None, "the prices are for neurons that fit a crossbar, with sums that stay exact"
    if certificate.scale > SCALE or max(certificate.prices) > MOST_WORTH // snn.num_units:
        return None, f"scale {certificate.scale} or a price is too large to be exact"
    cost = cost_of(certificate.metric, snn, platform).times(certificate.scale)
    prices = np.array(certificate.prices, dtype=np.int64)
    listed = price_by_listing(snn, platform, prices, cost)
    if not listed.complete:
        return None, "more sets fit a crossbar than are listed"
    if listed.excess > 0:
        return None, f"a crossbar is worth {listed.excess} more than it costs"
    return Fraction(sum(certificate.prices), certificate.scale * tiles), "every set was priced"


def _whole(prices: FloatArray) -> IntArray:
    """Return prices as whole numbers of 1 / SCALE, rounded down."""
    whole: IntArray = np.floor(np.maximum(prices, 0.0) * SCALE).astype(np.int64)
    return whole


def _generated(
    sets: Sets, costs: IntArray, cost: Cost, clock: tuple[float, Stopwatch], num_units: int
) -> FloatArray:
    """Return nearly optimal prices: column generation, prices pulled to the best ones so far."""
    until, watch = clock
    if watch.spent >= until:
        return np.zeros(num_units, dtype=np.float32)
    master = Master(np.ones(num_units, dtype=np.int64), np.arange(num_units, dtype=np.int32))

    def add(number: int) -> bool:
        return master.add(dict.fromkeys(sets.members(number), 1), int(costs[number]) // SCALE)

    for s in np.flatnonzero(sets.parent < 0).tolist():
        add(s)
    _, prices = master.solve()
    best, proved, pull = prices * 0.0, 0.0, PULL
    for _ in range(ROUNDS):
        if watch.spent >= until:
            break
        asked = pull * best + (1.0 - pull) * prices
        excess, found = sets.dearest(_whole(asked), costs)
        lowered = asked / (1.0 + max(0, excess) / max(cost.base, SCALE))
        if float(lowered.sum()) > proved:
            proved, best = float(lowered.sum()), lowered
        added = [add(s) for s in found.tolist() if s >= 0]
        if any(added):
            _, prices = master.solve()
        elif pull > 0.0:
            pull = 0.0 if pull < 0.1 else pull / 2
        else:
            break
    return best
