"""Rounds of annealing the traffic, each from where the last one ended, until they find nothing."""

from __future__ import annotations

from formulations.clustering.sets import traffic_of
from formulations.solvers.stopwatch import Stopwatch
from optmap.clock import ending, now
from optmap.clustering import multilevel
from optmap.clustering.kernels.annealing_traffic import reduce_traffic
from optmap.model.mapping import Clustering
from optmap.model.snn import SNN

#: Rounds without success after which the traffic is left as it is.
PATIENCE = 4
#: What part of the time large networks get for multilevel clustering.
MULTILEVEL_SHARE = 0.5
#: First temperatures of the rounds in turn, in mean spikes of a source that is read.
TEMPERATURES = (2.0, 0.5, 0.1)


def annealed_traffic(
    network: SNN,
    kinds: tuple[tuple[int, int], ...],
    start: Clustering,
    bound: int,
    watch: Stopwatch,
    kept_s: float,
) -> Clustering:
    """Anneal round after round until PATIENCE rounds in a row found nothing, or time is short.

    ``kept_s`` seconds are left over. Large networks get divisions by levels first.
    """
    watch.note(traffic_of(network, start), bound)
    if multilevel.worth_it(network):
        until, seed = now() + MULTILEVEL_SHARE * (watch.left - kept_s), watch.limits.seed
        with ending(until):  # a single pass too
            start = multilevel.least_traffic(
                network, start, kinds, lambda more: now() + more > until, seed=seed
            )
    current, value = start, traffic_of(network, start)
    moves, attempt, rate, in_vain = 100_000, 0, 0.0, 0
    while value > bound and current.num_clusters > 1 and in_vain < PATIENCE:
        if watch.left <= kept_s + moves * rate:
            break
        began, seed = watch.spent, watch.limits.seed * 1000 + attempt
        hot = TEMPERATURES[attempt % len(TEMPERATURES)]
        found = reduce_traffic(network, current, kinds, moves=moves, seed=seed, hot=hot)
        if attempt:  # the first round may have waited for the compiler
            rate = (watch.spent - began) / moves
        attempt += 1
        reached = traffic_of(network, found)
        if reached < value:
            current, value, in_vain = found, reached, 0
            watch.note(value, bound)
        else:
            moves, in_vain = min(2 * moves, 20_000_000), in_vain + 1
    return current
