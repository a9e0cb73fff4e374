"""Placement on meshes: Hilbert curve and spectral order as starts, then force-directed swaps [1]_.

Pseudo-code::

    for order of clusters in (as numbered, by the Fiedler vector of the cluster graph):
        lay the clusters along a Hilbert curve over the mesh, an even share to each tile
        while it saves spike hops: move or swap clusters towards their partners
    keep the placement with the fewest spike hops

On a given hop matrix the curve is a greedy walk to the nearest tile not yet visited.

Complexity: O(E) per step of the eigensolver, O(K d (d + s)) per pass of swaps for d partners and s
clusters per tile.

Departures from the publication: it has one cluster per tile, here tiles have an even share
(:mod:`optmap.binding.kernels.tile_shares`); its force is a potential over the four neighbours, here
the exact change of spike hops decides; crossbars, slots and buffers are respected.

References
----------
.. [1] Jin, Xing, Deng et al., "Mapping Very Large Scale Spiking Neuron Network to Neuromorphic
   Hardware", ASPLOS 2023.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from optmap.binding.kernels.tile_shares import along
from optmap.binding.kernels.tile_swaps import improve
from optmap.clock import over
from optmap.judge.metrics import spike_hops
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.platform import Platform
from optmap.model.snn import IntArray

if TYPE_CHECKING:
    from scipy import sparse

PASSES = 30

#: Up to this many clusters the Fiedler vector comes from a dense solver, which never fails.
DENSE = 300


def bind(graph: ClusterGraph, platform: Platform, *, seed: int = 0) -> Binding:
    """Place for few spike hops; ``seed`` draws the eigensolver's start vector.

    Raises
    ------
    CapacityError
        If no binding was found, with the numbers.
    """
    curve = tile_curve(platform)

    def placed(clusters: IntArray) -> Binding:
        return improve(graph, platform, along(graph, platform, clusters, curve, seed), PASSES)

    found = [placed(np.arange(graph.num_clusters))]
    if not _is_late(graph):
        clusters = spectral_order(graph, seed)
        if not _is_late(graph):
            found.append(placed(clusters))
    return min(found, key=lambda binding: spike_hops(graph, platform, binding))


def _is_late(graph: ClusterGraph) -> bool:
    """Tell whether the limit has passed and the second order takes long."""
    return graph.num_clusters > DENSE and over()


def tile_curve(platform: Platform) -> IntArray:
    """Return the tiles along a Hilbert curve (mesh, torus) or a greedy walk (hop matrix)."""
    net = platform.interconnect
    if net.width is not None and net.height is not None:
        side = 1
        while side < max(net.width, net.height):
            side *= 2
        x, y = _hilbert(side)
        inside = (x < net.width) & (y < net.height)
        return (y * net.width + x)[inside]
    left, walk = set(range(1, platform.num_tiles)), [0]
    while left:
        walk.append(min(left, key=lambda t: (int(platform.hops[walk[-1], t]), t)))
        left.remove(walk[-1])
    return np.array(walk)


def _hilbert(side: int) -> tuple[IntArray, IntArray]:
    """Return x and y along the Hilbert curve of a square whose side is a power of two."""
    x, y = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    size = 1
    while size < side:
        x, y = (
            np.concatenate((y, x, x + size, 2 * size - 1 - y)),
            np.concatenate((x, y + size, y + size, size - 1 - x)),
        )
        size *= 2
    return x, y


def spectral_order(graph: ClusterGraph, seed: int) -> IntArray:
    """Return the clusters by their entry in the Fiedler vector of the undirected cluster graph.

    Entries are rounded before sorting, ties go to the lower index, and the sign is fixed, so that
    one seed gives one order. Components are laid one after the other, by lowest cluster. Those that
    the limit leaves no time for are laid as they are numbered.
    """
    k = graph.num_clusters
    if k < 3 or not graph.num_channels:
        return np.arange(k)
    laplacian, first = (_dense if k <= DENSE else _sparse)(graph)
    vector = np.zeros(k)
    by_component = np.argsort(first, kind="stable")
    for members in np.split(by_component, np.flatnonzero(np.diff(first[by_component])) + 1):
        if len(members) > 2 and not _is_late(graph):
            vector[members] = _fiedler(laplacian[members][:, members], seed)
    return np.lexsort((np.arange(k), np.round(vector, 9), first))


def _dense(graph: ClusterGraph) -> tuple[npt.NDArray[np.float64], IntArray]:
    """Return the undirected graph's Laplacian, and each cluster's component as its first member."""
    k = graph.num_clusters
    weight = np.zeros((k, k))
    np.add.at(weight, (graph.source, graph.target), graph.spikes + 1.0)
    weight += weight.T
    laplacian = np.diag(weight.sum(axis=0)) - weight
    joined = (weight > 0) | np.eye(k, dtype=np.bool_)
    first = np.arange(k)
    while True:
        lower = np.where(joined, first, k).min(axis=1)
        if np.array_equal(lower, first):
            return laplacian, first
        first = lower


def _sparse(graph: ClusterGraph) -> tuple[sparse.csr_matrix, IntArray]:
    """Return what :func:`_dense` does, in space for the channels only."""
    from scipy import sparse  # here and below: slow to load, and few clusters need none of it

    k = graph.num_clusters
    weight = (graph.spikes + 1).astype(np.float64)
    half = sparse.csr_matrix((weight, (graph.source, graph.target)), shape=(k, k))
    laplacian = sparse.csr_matrix(sparse.csgraph.laplacian((half + half.T).tocsr()))
    count, component = sparse.csgraph.connected_components(half, directed=False)
    first = np.full(count, k)
    np.minimum.at(first, component, np.arange(k))
    return laplacian, first[component]


class _EndedError(Exception):
    """The limit has passed within the eigensolver."""


def _fiedler(
    laplacian: npt.NDArray[np.float64] | sparse.csr_matrix, seed: int
) -> npt.NDArray[np.float64]:
    """Return the second eigenvector, its largest entry positive; zeros where none was found."""
    size = laplacian.shape[0]
    vector: npt.NDArray[np.float64]
    if size > DENSE:
        from scipy import sparse
        from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

        start = np.random.default_rng(seed).random(size)
        # the largest eigenvalues of c I - L converge without a factorisation
        shift = 2 * float(laplacian.diagonal().max())
        shifted = shift * sparse.identity(size, format="csr") - laplacian

        def times(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            if over():
                raise _EndedError
            product: npt.NDArray[np.float64] = shifted @ vector
            return product

        on_the_clock = LinearOperator(shifted.shape, matvec=times, dtype=shifted.dtype)
        try:
            _, vectors = eigsh(on_the_clock, k=2, v0=start, tol=1e-6)
        except (ArpackError, _EndedError):  # no convergence: the order as numbered is as good
            return np.zeros(size)
        vector = vectors[:, 0]
    else:
        dense = laplacian if isinstance(laplacian, np.ndarray) else laplacian.toarray()
        vector = np.linalg.eigh(dense)[1][:, 1]
    largest = int(np.argmax(np.round(np.abs(vector), 9)))
    return vector if vector[largest] > 0 else -vector
