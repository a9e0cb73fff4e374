"""Better clusterings of given units, by annealing that knows nothing of tiles.

Pseudo-code, in shares of the seconds given::

    dissolve clusters one by one (clustering/kernels/annealing_clusters.py), one kind of crossbar
    anneal the traffic (clustering/kernels/annealing_traffic.py): where moves are cheap, the
        best of many short coolings; then once more for each of TEMPERATURES

Fewer clusters take fewer base ticks, and less traffic nearly always fewer events: the search over
all decisions (search.py) reaches in minutes from a fast flow's clustering what it reaches in
seconds from these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from optmap.clock import now
from optmap.clustering.kernels.annealing_clusters import shrink_repeatedly
from optmap.clustering.kernels.annealing_traffic import reduce_traffic
from optmap.clustering.kernels.classes import classes_of
from optmap.judge.metrics import traffic
from optmap.model.capacity import stated
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering
from optmap.model.platform import Platform

#: Networks of more synapses are left as they are: their tables alone take seconds.
MOST_SYNAPSES = 3_000_000
#: First temperatures of the traffic's rounds, in mean spikes of a source that is read.
TEMPERATURES = (0.5, 0.1)
#: Where so many short rounds fit, coolings from the start get this share of the seconds; their
#: first temperatures, and how many are tried before they become longer.
SHORT_ROUNDS, SHORT_SHARE, COOLING, PATIENCE = 20, 0.6, (2.0, 0.5, 0.1), 8
#: Moves of the round that measures how long a move takes.
TRIAL_MOVES = 50_000


@dataclass(frozen=True, slots=True)
class Shares:
    """Seconds for fewer clusters, and for less traffic after that."""

    clusters_s: float
    traffic_s: float


def refined(
    decomposition: Decomposition,
    clustering: Clustering,
    platform: Platform,
    shares: Shares,
    seed: int,
) -> Iterator[Clustering]:
    """Yield clusterings of the same units: with fewer clusters, then with less traffic.

    Parameters
    ----------
    clustering : Clustering
        Where to start; it fits.
    """
    network = decomposition.network
    if network.num_synapses > MOST_SYNAPSES or clustering.num_clusters < 2:
        return
    if stated(platform):  # these kernels know rows and columns
        return
    kinds = platform.kinds
    if len(kinds) == 1 and shares.clusters_s > 0:
        ((rows, columns),) = kinds
        least = -(-decomposition.num_units // columns)
        fewer = shrink_repeatedly(
            classes_of(network),
            clustering,
            rows,
            columns,
            least=least,
            seconds=shares.clusters_s,
            seed=seed,
            on_better=lambda _: None,
        )
        if fewer is not clustering:
            clustering = fewer
            yield clustering
    began = now()
    quiet = reduce_traffic(network, clustering, kinds, moves=TRIAL_MOVES, seed=seed, hot=0.1)
    rate = max((now() - began) / TRIAL_MOVES, 1e-7)
    if shares.traffic_s > SHORT_ROUNDS * TRIAL_MOVES * rate:
        end = began + SHORT_SHARE * shares.traffic_s
        quiet = _best_of_many(decomposition, clustering, kinds, end, seed)
        yield quiet
    left = shares.traffic_s - (now() - began)
    moves = int(left / rate / len(TEMPERATURES))
    for number, hot in enumerate(TEMPERATURES):
        if moves > TRIAL_MOVES:
            quiet = reduce_traffic(
                network, quiet, kinds, moves=moves, seed=seed + number + 1, hot=hot
            )
    yield quiet


def _best_of_many(
    decomposition: Decomposition,
    start: Clustering,
    kinds: tuple[tuple[int, int], ...],
    end: float,
    seed: int,
) -> Clustering:
    """Return the best clustering of many short coolings of a start, until ``end``.

    After every PATIENCE of them they are twice as long.
    """
    network, attempt, moves = decomposition.network, 0, TRIAL_MOVES
    best, least = start, traffic(decomposition, start).total
    while now() < end:
        found = start
        for number, hot in enumerate(COOLING):
            step = seed * 10_000 + attempt * len(COOLING) + number
            found = reduce_traffic(network, found, kinds, moves=moves, seed=step, hot=hot)
        attempt, reached = attempt + 1, traffic(decomposition, found).total
        if reached < least:
            best, least = found, reached
        moves = TRIAL_MOVES << attempt // PATIENCE
    return best
