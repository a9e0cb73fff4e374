"""A bound on traffic from how far a crossbar's room spreads the units, where crossbars are large.

A *net* is a source with all units that read it, and with itself where it is a unit. Traffic is the
sum over nets of spikes x_i (clusters of its pins - 1), plus one delivery of every input that is
read. Let x_i be these clusters less one. Two pins of net i in different clusters make x_i >= 1, so

    d(u, v) = [u and v are in different clusters] <= sum of x over the nets of any path from u to v.

A cluster has room for H: of any set S of units that holds u, a part of size H at most is in u's
cluster. With a tree of paths from u to all of S, a_i the size of what hangs on net i in it, and
b = size(S) - H:

    (T1)  sum_i a_i x_i >= sum of size(v) d(u, v) over S >= b,  hence  sum_i min(a_i, b) x_i >= b,

the latter since x is whole. Nor need a_i count for more than a room:

    (T2)  sum_i min(a_i, b, H) x_i >= b.

For let R be the nets with a_i > H, which hang together at the root, as a net hangs on no smaller
one. The clusters that hold a unit of theirs are 1 + sum of x over R at most, and hold (1 + sum of x
over R) H of S at most; every other unit of S is in none of them, so that x over the nets between
R and it sums to 1 at least. (If R is empty this is (T1).) With nets as roots, all units of a net
being entered at once, (T2) says how many clusters a net meets: all that is near it must have room
there.

Any weights y >= 0 of such inequalities whose sum of y min(a_i, b, H) / b
is at most the spikes of every net i prove traffic >= sum of y: weak duality, in whole numbers that
are rounded towards the safe side. Such are the spreading metrics of [ENRS]_, over nets rather than
edges [LR]_: two readers of one source are as near as the source itself.

Lengths that make the trees useful come from multiplicative weights [GK]_: nets become longer as
the trees of the last rounds load them; a linear programme then weighs the rounds. Lengths, roots
and weights are the certificate; the trees are grown again from them, in whole numbers.

*Room*: columns, each unit being 1; or rows, where unit u is the sum over its sources of one part in
so many readers: the rows of a crossbar hold each source once, whoever of its readers is there.

References
----------
.. [ENRS] G. Even, J. Naor, S. Rao, B. Schieber, "Fast approximate graph partitioning algorithms",
   SIAM J. Computing 28, 1999.
.. [LR] T. Leighton, S. Rao, "Multicommodity max-flow min-cut theorems", J. ACM 46, 1999.
.. [GK] N. Garg, J. Koenemann, "Faster and simpler algorithms for multicommodity flow", SIAM J.
   Computing 37, 2007.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

import numpy as np
import numpy.typing as npt

from optmap.bounds.spreading_kernel import Pins, add_tree, empty_tree, nearest
from optmap.clock import did
from optmap.compiled import compiled
from optmap.model.decomposition import Decomposition
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IntArray
from optmap.model.spreading_certificate import (
    CAPACITIES,
    MAX_LENGTH,
    MAX_ROUNDS,
    MAX_TIMES,
    MAX_WEIGHT,
    Round,
    SpreadingCertificate,
)

Ratios = npt.NDArray[np.float64]

#: Sizes of all units together, at most: products with weights stay in int64.
MAX_SIZE = 2**30
#: Roots of a round; rounds; how fast lengths grow, and at most for how many times the mean load;
#: how much of a load is that of rounds before; how much near-tight roots count for more.
ROOTS, ROUNDS, STEP, MOST, MEMORY, SHARPNESS = 64, 200, 0.15, 2.0, 0.9, 20.0
#: Trees grown, times pins, that about a second of one core is counted as.
WORK_A_UNIT = 60_000_000


@dataclass(frozen=True)
class Spreading:
    """The nets of a decomposition that carry spikes, and what a crossbar has room for.

    Parameters
    ----------
    pins : Pins
    spikes : tuple of int
        Of each net.
    sources : (M,) int64 array
        The neuron of each net.
    room : int
        What the units of one crossbar take at most.
    base : int
        Deliveries of inputs that no clustering saves.
    """

    pins: Pins
    spikes: tuple[int, ...]
    sources: IntArray
    room: int
    base: int


def spreading_of(network: SNN, platform: Platform, capacity: str) -> Spreading:
    """Return nets and room; ``capacity`` is ``columns`` or ``rows``."""
    position = np.full(network.num_neurons, -1, dtype=np.int64)
    position[network.units] = np.arange(network.num_units)
    pre, post = network.indices.astype(np.int64), position[network.post_of_synapse()]
    own = network.units[network.fan_out[network.units] > 0].astype(np.int64)
    pairs = np.stack([np.concatenate((pre, own)), np.concatenate((post, position[own]))])
    pairs = pairs[:, network.spikes[pairs[0]] > 0]
    source, unit = np.unique(pairs, axis=1)
    sources, net = np.unique(source, return_inverse=True)
    net = net.reshape(-1)
    ptr = np.concatenate(([0], np.cumsum(np.bincount(net, minlength=len(sources)))))
    unit_ptr = np.concatenate(([0], np.cumsum(np.bincount(unit, minlength=network.num_units))))
    size, room = _sizes(network, platform, capacity)
    pins = Pins(
        ptr.astype(np.int64),
        unit.astype(np.int64),
        unit_ptr.astype(np.int64),
        net[np.argsort(unit, kind="stable")].astype(np.int64),
        size,
    )
    outside = (~network.is_unit) & (network.fan_out > 0)
    base = sum(network.spikes[outside].tolist())
    return Spreading(pins, tuple(network.spikes[sources].tolist()), sources, room, base)


def _sizes(network: SNN, platform: Platform, capacity: str) -> tuple[IntArray, int]:
    """Return what each unit takes, shape (U,), and what a crossbar has room for."""
    if capacity == "columns":
        return np.ones(network.num_units, dtype=np.int64), platform.max_columns
    read = network.fan_out > 0
    whole = MAX_SIZE // max(1, int(read.sum()))
    part = np.where(read, whole // np.maximum(network.fan_out, 1), 0).astype(np.int64)
    before = np.concatenate(([0], np.cumsum(part[network.indices])))
    sizes = before[network.indptr[1:]] - before[network.indptr[:-1]]
    return sizes[network.units].astype(np.int64), whole * platform.max_rows


@compiled
def _trees(
    roots: IntArray,
    weights: IntArray,
    length: IntArray,
    pins: Pins,
    room: int,
    reference: float,
    most: int,
) -> tuple[IntArray, Ratios]:
    """Return the load of a round's trees by net, and the ratio of each root, -1 without any.

    Where ``reference`` is above 0 the weights are set: the more, up to ``most``, the less a ratio
    is above it.
    """
    tree = empty_tree(len(pins.unit_ptr) - 1, len(pins.ptr) - 1)
    used = np.zeros(len(pins.ptr) - 1, dtype=np.int64)
    load, ratio = np.zeros(len(used), dtype=np.int64), np.zeros(len(roots), dtype=np.float64)
    for r in range(len(roots)):
        taken, ratio[r] = nearest(roots[r], length, pins, room, tree)
        if reference > 0:
            above = max(ratio[r] / reference - 1, 0.0)
            weights[r] = int(most * np.exp(-SHARPNESS * above)) if taken else 0
        if taken:
            add_tree(taken, weights[r], pins, room, tree, used, load)
    return load, ratio


def spreading_bound(
    decomposition: Decomposition,
    platform: Platform,
    capacity: str,
    expired: Callable[[], bool],
    *,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> SpreadingCertificate | None:
    """Return a certificate of the best bound on traffic found in so many rounds, or None.

    Parameters
    ----------
    expired : callable
        Says after each round whether to stop.
    """
    found = spreading_of(decomposition.network, platform, capacity)
    total, nets = int(found.pins.size.sum()), len(found.spikes)
    if total <= found.room or not nets or total > MAX_SIZE:
        return None
    reference = 0.0
    rng, units = np.random.default_rng(seed), decomposition.num_units
    # (T2) is no stronger than (T1) where two clusters hold all: nets are no better roots there
    among = np.arange(units) if total <= 2 * found.room else units + np.arange(nets)
    spikes = np.array(found.spikes, dtype=np.float64)
    log_length, crowd = np.zeros(nets), np.ones(nets)
    made: list[Round] = []
    loads: list[IntArray] = []
    for number in range(min(rounds, MAX_ROUNDS)):
        scaled = np.exp(log_length - log_length.max())
        length = np.clip(np.rint(MAX_LENGTH * scaled), 1, MAX_LENGTH).astype(np.int64)
        roots = np.sort(rng.choice(among, min(len(among), ROOTS), replace=False)).astype(np.int64)
        weights = np.zeros(len(roots), dtype=np.int64)
        if not reference:
            _, ratio = _trees(roots, weights, length, found.pins, found.room, 0.0, MAX_WEIGHT)
            reference = _least(ratio) / float(spikes @ length)
        scale = float(spikes @ length)
        load, ratio = _trees(
            roots, weights, length, found.pins, found.room, reference * scale, MAX_WEIGHT
        )
        reference = _least(ratio) / scale
        did(len(roots) * len(found.pins.units) / WORK_A_UNIT)
        kept = weights > 0
        made.append(
            Round(
                tuple(length.tolist()), tuple(roots[kept].tolist()), tuple(weights[kept].tolist())
            )
        )
        loads.append(load)
        if not load.any() or expired():
            break
        crowded = load / spikes
        crowd = MEMORY * crowd + (1 - MEMORY) * crowded / crowded.mean()
        log_length += STEP / np.sqrt(1 + number / 20) * np.minimum(crowd - 1, MOST)
    times = _mixed(found, made, loads)
    used = [k for k, number in enumerate(times) if number]
    counted = [replace(made[k], times=times[k]) for k in used]
    value = _value(found, counted, [loads[k] for k in used])
    return SpreadingCertificate(decomposition.identity, capacity, tuple(counted), value)


def _mixed(found: Spreading, made: list[Round], loads: list[IntArray]) -> list[int]:
    """Return how often each round counts: a linear programme's weights, as whole numbers."""
    from scipy.optimize import linprog  # loads slowly

    worth = np.array([sum(one.weights) for one in made], dtype=np.float64)
    some = worth > 0
    if not some.any():
        return [0] * len(made)
    crowded = np.array(loads, dtype=np.float64)[some] / worth[some, None]
    crowded /= np.array(found.spikes, dtype=np.float64)
    best = linprog(-np.ones(len(crowded)), A_ub=crowded.T, b_ub=np.ones(crowded.shape[1]))
    share = np.zeros(len(made))
    if best.x is not None:
        share[some] = best.x / worth[some]
    if not share.any():
        share[some] = 1.0
    return [int(x) for x in np.rint(MAX_TIMES * share / share.max())]


def _least(ratio: Ratios) -> float:
    """Return the least ratio of a root that has one; 0 without any."""
    return float(ratio[ratio > 0].min()) if (ratio > 0).any() else 0.0


def _value(found: Spreading, made: list[Round], loads: list[IntArray]) -> int:
    """Return what rounds prove: weights, scaled until no net is loaded above its spikes."""
    if not loads:
        return found.base
    times = np.array([one.times for one in made], dtype=object)
    load = (times @ np.array(loads, dtype=object)).tolist()
    shares = [Fraction(w, n) for w, n in zip(found.spikes, load, strict=True) if n]
    if not shares:
        return found.base
    return found.base + ceil(min(shares) * sum(one.times * sum(one.weights) for one in made))


def prove_spreading(
    certificate: SpreadingCertificate, decomposition: Decomposition, platform: Platform
) -> int:
    """Return the bound that a certificate proves, all of its trees grown again.

    Raises
    ------
    ValueError
        If it is of other units, or its rounds do not fit the network.
    """
    if certificate.units != decomposition.identity:
        raise ValueError("a spreading certificate of other units")
    found = spreading_of(decomposition.network, platform, certificate.capacity)
    nets, loads = len(found.spikes), []
    if int(found.pins.size.sum()) > MAX_SIZE:
        raise ValueError(f"sizes of units sum to more than {MAX_SIZE}")
    for one in certificate.rounds:
        if len(one.lengths) != nets:
            raise ValueError(f"{len(one.lengths)} lengths for {nets} nets")
        if not all(0 <= root < decomposition.num_units + nets for root in one.roots):
            raise ValueError("a root that is no unit and no net")
        roots, weights, length = (
            np.array(x, dtype=np.int64) for x in (one.roots, one.weights, one.lengths)
        )
        load, ratio = _trees(roots, weights, length, found.pins, found.room, 0.0, MAX_WEIGHT)
        if (ratio < 0).any():
            raise ValueError("a root whose tree proves nothing")
        loads.append(load)
    return _value(found, list(certificate.rounds), loads)


def best_spreading_bound(
    decomposition: Decomposition, platform: Platform, expired: Callable[[], bool], *, seed: int = 0
) -> SpreadingCertificate | None:
    """Return the better certificate of both capacities; rows get what columns leave of time."""
    tried = (
        spreading_bound(decomposition, platform, capacity, expired, seed=seed)
        for capacity in CAPACITIES
    )
    return max((c for c in tried if c is not None), key=lambda c: c.stated, default=None)
