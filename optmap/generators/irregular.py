"""Irregular networks for scaling studies: small worlds and scale-free graphs, seeded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from optmap.compiled import compiled
from optmap.generators.layers import MAX_NEURONS, MAX_SYNAPSES, Layers
from optmap.model.snn import SNN, IntArray, Population, from_edges

Values = npt.NDArray[np.float64]

#: Written here, so that a name means one network.
SEED = 20260
REWIRED = 0.1
#: Of a reservoir in the plane: neurons under its kernel, in fan-outs; how many deviations far it
#: reaches; median and deviation of the logarithm of its spikes.
KERNEL_FAN_OUTS, REACH, MEDIAN_SPIKES, SPIKES_DEVIATION = 2.0, 4.0, 6.0, 0.75


def small_world(size: int, degree: int) -> SNN:
    """Return a ring of ``size`` neurons that read ``degree`` neighbours, a tenth of them rewired.

    Neuron i reads i - degree / 2, ..., i + degree / 2 without itself (one more below where degree
    is odd); every synapse is rewired with probability 0.1 to a source drawn among all
    others, which may hit one that is there already: fan-in is then a little lower [1]_. There are
    no inputs.

    References
    ----------
    .. [1] Watts and Strogatz, "Collective dynamics of small-world networks", Nature 393, 1998.
    """
    if not 1 <= degree < size:
        raise ValueError(f"{size} neurons cannot read {degree} others")
    if size * degree > MAX_SYNAPSES or size > MAX_NEURONS:
        raise ValueError(f"{size * degree} synapses, at most {MAX_SYNAPSES}")
    rng = np.random.default_rng(SEED)
    below = -(-degree // 2)
    steps = np.array([*range(-below, 0), *range(1, degree - below + 1)], dtype=np.int64)
    counts = np.empty(size, dtype=np.int64)
    parts = []
    chunk = max(1, 4_000_000 // degree)
    for first in range(0, size, chunk):  # whole matrices of 10^8 would take gigabytes
        neuron = np.arange(first, min(first + chunk, size))
        reads = ((neuron[:, None] + steps) % size).astype(np.int32)
        moved = rng.random(reads.shape) < REWIRED
        drawn = (neuron[:, None] + rng.integers(1, size, reads.shape)) % size
        reads[moved] = drawn[moved]
        reads.sort(axis=1)
        new = np.ones(reads.shape, dtype=np.bool_)
        new[:, 1:] = reads[:, 1:] != reads[:, :-1]
        counts[neuron] = new.sum(axis=1)
        parts.append(reads[new])
    net = Layers()
    net.reading("ring", (1, 1, size), counts, np.concatenate(parts))
    return net.build()


def scale_free(size: int, links: int) -> SNN:
    """Return a graph in which each new neuron joins ``links`` older ones, popular ones more often.

    The first ``links`` neurons are joined to the next one; every later neuron to ends of links
    drawn uniformly, that is, to neurons in proportion to their degree [1]_. A coin decides the
    direction of each link; a link drawn twice is one synapse. Fan-in and fan-out both have a
    heavy tail.

    References
    ----------
    .. [1] Barabasi and Albert, "Emergence of scaling in random networks", Science 286, 1999.
    """
    if not 1 <= links < size:
        raise ValueError(f"{size} neurons cannot join {links} others")
    if size * links > MAX_SYNAPSES // 10:
        raise ValueError(f"{size * links} links, at most {MAX_SYNAPSES // 10}")
    rng = np.random.default_rng(SEED)
    count = (size - links) * links
    older = _preferential(size, links, rng.random(count))
    newer = np.repeat(np.arange(links, size), links)
    outwards = rng.random(count) < 0.5
    pre, post = np.where(outwards, newer, older), np.where(outwards, older, newer)
    return from_edges(pre, post, size, populations=[Population("neurons", 0, size - 1)])


@compiled
def _preferential(size: int, links: int, draw: Values) -> IntArray:
    """Return the older end of every link: an end of an earlier link, drawn uniformly."""
    count = (size - links) * links
    ends = np.empty(2 * count, dtype=np.int64)
    older = np.empty(count, dtype=np.int64)
    for e in range(count):
        newer = links + e // links
        known = 2 * links * (e // links)  # ends of the links of older neurons
        older[e] = e if e < links else ends[int(draw[e] * known)]
        ends[2 * e] = older[e]
        ends[2 * e + 1] = newer
    return older


def reservoir_in_the_plane(size: int, fan_out: int) -> SNN:
    """Return neurons in the unit square that send to their neighbours.

    Positions are uniform; a neuron's fan-out is drawn from Poisson's distribution of that mean, its
    readers without repetition with weights of a Gaussian of their distance, under which lie twice
    ``fan_out`` neurons on average; its spikes are log-normal (median 6, deviation of the logarithm
    0.75), rounded. There are no inputs; a neuron that nobody sends to reads nothing and is one.

    After the recipe of reservoirs by which hypergraph mappers are measured [1]_: points, Gaussian
    kernel, Poisson fan-out, log-normal rates. Its numbers are this project's own.

    References
    ----------
    .. [1] M. Ronzani and C. Silvano, arXiv 2601.16118, 2026.
    """
    from scipy.spatial import KDTree  # loads slowly; only this family asks for it

    if not 1 <= fan_out < size:
        raise ValueError(f"{size} neurons cannot send to {fan_out} others")
    if size * fan_out > MAX_SYNAPSES // 10:
        raise ValueError(f"{size * fan_out} synapses, at most {MAX_SYNAPSES // 10}")
    rng = np.random.default_rng(SEED)
    place = rng.random((size, 2))
    deviation = float(np.sqrt(KERNEL_FAN_OUTS * fan_out / (2 * np.pi * size)))
    wanted = rng.poisson(fan_out, size)
    spikes = np.rint(rng.lognormal(np.log(MEDIAN_SPIKES), SPIKES_DEVIATION, size))
    tree, pre, post = KDTree(place), [], []
    for neuron in range(size):
        near = np.array(tree.query_ball_point(place[neuron], REACH * deviation, return_sorted=True))
        near = near[near != neuron]
        number = min(int(wanted[neuron]), len(near))
        if not number:
            continue
        way = ((place[near] - place[neuron]) ** 2).sum(axis=1) / (2 * deviation**2)
        drawn = np.argsort(way - rng.gumbel(size=len(near)), kind="stable")[:number]
        pre.append(np.full(number, neuron))
        post.append(near[drawn])
    return from_edges(
        np.concatenate([*pre, np.empty(0, dtype=np.int64)]),
        np.concatenate([*post, np.empty(0, dtype=np.int64)]),
        size,
        spikes=spikes.astype(np.int64),
        populations=[Population("neurons", 0, size - 1)],
        spikes_origin="log-normal, generated",
    )
