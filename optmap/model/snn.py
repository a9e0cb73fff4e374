"""The network: neurons, synapses, spikes (one noun, frozen compressed arrays).

A synapse is a pair (pre, post); parallel synapses between one pair count once. Fan-in lists are
compressed rows by post neuron, sorted by pre neuron, so that a network of 10^8 synapses is two
arrays. Neurons are numbered population by population and, inside one, feature map by feature map,
row by row: sorting sources by index therefore sorts them by (population, feature map, position).

An *input* is a neuron without fan-in; every other neuron becomes a unit (or several) on a crossbar.
So does a *self-driven* neuron: it has no fan-in either, but a bias or leak current fires it, so
that a crossbar computes it (one column, no row) and nobody brings it in from outside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from optmap.sdf.marked_graph import locked

IntArray = npt.NDArray[np.int64]
IndexArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

#: Largest total of spikes per iteration that is accepted: sums must stay exact in int64.
MAX_TOTAL_SPIKES = 2**50

#: Largest total of synaptic events (spikes times readers) per iteration, for the same reason.
MAX_TOTAL_EVENTS = 2**60
#: Synapses counted at once.
PIECE = 1 << 18

SPIKES_ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Population:
    """A named run of neurons, ``first`` to ``last`` inclusive."""

    name: str
    first: int
    last: int

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last:
            raise ValueError(f"population {self.name!r} runs from {self.first} to {self.last}")


def frozen(values: Any, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """Return ``values`` as a contiguous read-only array of ``dtype`` (copied only if needed).

    Raises
    ------
    ValueError
        If ``dtype`` is an integer and a value is none, or does not fit.
    """
    given = np.asarray(values)
    if np.issubdtype(dtype, np.integer) and given.dtype != dtype and given.size:
        whole = given.dtype.kind in "iu" or (
            given.dtype.kind == "f"
            and bool((np.isfinite(given) & (np.trunc(given) == given)).all())
        )
        limits = np.iinfo(np.dtype(dtype).name)
        if not whole or int(given.min()) < limits.min or int(given.max()) > limits.max:
            raise ValueError(f"values are not whole numbers that fit {np.dtype(dtype).name}")
    return locked(np.ascontiguousarray(given, dtype=dtype), values)


@dataclass(frozen=True, eq=False)
class SNN:
    """A spiking neural network as frozen fan-in lists.

    Parameters
    ----------
    indptr : (N + 1,) int64 array
        Neuron j reads ``indices[indptr[j]:indptr[j + 1]]``.
    indices : (S,) int32 array
        Pre-synaptic neurons, strictly ascending within one neuron.
    spikes : (N,) int64 array
        Spikes of each neuron in one iteration, >= 0.
    populations : sequence of Population
        Disjoint, ascending; neurons outside all of them belong to population "rest" in reports.
    weights : (S,) float32 array, optional
        Synaptic weights, where known.
    spikes_origin : str
        Where ``spikes`` come from; ``"assumed"`` when every neuron was given one.
    self_driven : (D,) int32 array
        Neurons without fan-in that are units all the same, ascending (module docstring).
    notes : tuple of str
        What the reader of a file left out or took for granted, a sentence each.
    weight_bits : (N,) int64 array, optional
        Bits of the weights that each neuron reads with, where known.

    Raises
    ------
    ValueError
        If the arrays do not describe a network; the message has the numbers.
    """

    indptr: IntArray
    indices: IndexArray
    spikes: IntArray
    populations: tuple[Population, ...] = ()
    weights: FloatArray | None = None
    spikes_origin: str = SPIKES_ASSUMED
    self_driven: IndexArray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    notes: tuple[str, ...] = ()
    weight_bits: IntArray | None = None

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "indptr", frozen(self.indptr, np.int64))
        set_(self, "indices", frozen(self.indices, np.int32))
        set_(self, "spikes", frozen(self.spikes, np.int64))
        set_(self, "populations", tuple(self.populations))
        set_(self, "self_driven", frozen(self.self_driven, np.int32))
        set_(self, "notes", tuple(self.notes))
        if self.weights is not None:
            set_(self, "weights", frozen(self.weights, np.float32))
        if self.weight_bits is not None:
            set_(self, "weight_bits", frozen(self.weight_bits, np.int64))
            if self.weight_bits.shape != self.spikes.shape or (self.weight_bits < 1).any():
                raise ValueError(f"weight_bits must be {len(self.spikes)} numbers >= 1")
        self._check_arrays()
        self._check_populations()
        self._check_self_driven()

    def _check_arrays(self) -> None:
        n, s = len(self.spikes), len(self.indices)
        if self.spikes.ndim != 1 or self.indices.ndim != 1:
            raise ValueError(f"spikes {self.spikes.shape}, indices {self.indices.shape}: not lists")
        if self.indptr.shape != (n + 1,):
            raise ValueError(f"indptr has shape {self.indptr.shape} for {n} neurons")
        ascends = (self.indptr[1:] >= self.indptr[:-1]).all()
        if self.indptr[0] != 0 or self.indptr[-1] != s or not ascends:
            raise ValueError(f"indptr must ascend from 0 to the number of synapses, {s}")
        if s and not (self.indices.min() >= 0 and self.indices.max() < n):
            worst = int(self.indices.min()) if self.indices.min() < 0 else int(self.indices.max())
            raise ValueError(f"synapse from neuron {worst}; neurons are 0..{n - 1}")
        if s > 1:
            rises = self.indices[1:] > self.indices[:-1]
            starts = self.indptr[1:-1]
            rises[starts[(starts > 0) & (starts < s)] - 1] = True
            if not rises.all():
                raise ValueError("pre-synaptic neurons must ascend strictly within each fan-in")
        if n and self.spikes.min() < 0:
            j = int(self.spikes.argmin())
            raise ValueError(f"neuron {j} has {self.spikes[j]} spikes")
        if self.spikes.sum(dtype=np.float64) > MAX_TOTAL_SPIKES:  # an int64 sum could wrap
            raise ValueError(f"more than {MAX_TOTAL_SPIKES} spikes in one iteration")
        # counting readers takes a pass over all synapses, which hardly any network needs
        if s and int(self.spikes.max()) * s > MAX_TOTAL_EVENTS:
            events = (self.spikes.astype(np.float64) * self.fan_out).sum()
            if events > MAX_TOTAL_EVENTS:
                raise ValueError(f"more than {MAX_TOTAL_EVENTS} synaptic events in one iteration")
        if self.weights is not None:
            if self.weights.shape != (s,):
                raise ValueError(f"weights have shape {self.weights.shape} for {s} synapses")
            if not np.isfinite(self.weights).all():
                raise ValueError("weights must be finite")

    def _check_populations(self) -> None:
        previous = -1
        for population in self.populations:
            if population.first <= previous or population.last >= len(self.spikes):
                raise ValueError(
                    f"population {population.name!r} [{population.first}..{population.last}]"
                    f" overlaps another or leaves 0..{len(self.spikes) - 1}"
                )
            previous = population.last

    def _check_self_driven(self) -> None:
        driven = self.self_driven
        if not len(driven):
            return
        if driven.ndim != 1 or not (driven[1:] > driven[:-1]).all():
            raise ValueError("self-driven neurons must be a list that ascends strictly")
        if driven[0] < 0 or driven[-1] >= len(self.spikes):
            raise ValueError(
                f"self-driven neurons {driven[0]}..{driven[-1]}; neurons are"
                f" 0..{len(self.spikes) - 1}"
            )
        reading = driven[self.indptr[driven + 1] > self.indptr[driven]]
        if len(reading):
            raise ValueError(f"neuron {reading[0]} is self-driven and reads other neurons")

    @property
    def num_neurons(self) -> int:
        """Number of neurons, inputs included."""
        return len(self.spikes)

    @property
    def num_synapses(self) -> int:
        """Number of distinct (pre, post) pairs."""
        return len(self.indices)

    @cached_property
    def fan_in(self) -> IntArray:
        """Number of sources each neuron reads, shape (N,)."""
        return frozen(np.diff(self.indptr), np.int64)

    @cached_property
    def fan_out(self) -> IntArray:
        """Number of neurons that read each neuron, shape (N,)."""
        readers, piece = np.zeros(self.num_neurons, dtype=np.int64), max(PIECE, self.num_neurons)
        for at in range(0, self.num_synapses, piece):  # what is counted is copied as int64
            readers += np.bincount(self.indices[at : at + piece], minlength=self.num_neurons)
        return frozen(readers, np.int64)

    @cached_property
    def is_unit(self) -> BoolArray:
        """Which neurons occupy a column, shape (N,): all but the inputs."""
        mask = self.fan_in > 0
        mask[self.self_driven] = True
        mask.flags.writeable = False
        return np.asarray(mask)

    @cached_property
    def units(self) -> IndexArray:
        """What occupies columns: neurons with fan-in or self-driven, ascending. Shape (U,)."""
        return frozen(np.flatnonzero(self.is_unit), np.int32)

    @property
    def num_units(self) -> int:
        """Number of neurons that occupy columns."""
        return len(self.units)

    @property
    def max_fan_in(self) -> int:
        """Largest fan-in; 0 in an empty network."""
        return int(self.fan_in.max()) if self.num_neurons else 0

    def sources_of(self, neuron: int) -> IndexArray:
        """Return the sources that ``neuron`` reads, ascending."""
        return self.indices[self.indptr[neuron] : self.indptr[neuron + 1]]

    def post_of_synapse(self) -> IndexArray:
        """Return the post-synaptic neuron of every synapse, shape (S,)."""
        return np.repeat(np.arange(self.num_neurons, dtype=np.int32), self.fan_in)

    def population_of(self, neuron: int) -> str:
        """Return the name of the population that holds ``neuron``."""
        for population in self.populations:
            if population.first <= neuron <= population.last:
                return population.name
        return "rest"

    def with_spikes(self, spikes: npt.ArrayLike, origin: str) -> SNN:
        """Return the same network with another spike profile."""
        return replace(self, spikes=np.asarray(spikes), spikes_origin=origin)

    def with_weight_bits(self, default: int | None, of: Mapping[str, int]) -> SNN:
        """Return the same network with weight widths: of populations by name, and of the others.

        Raises
        ------
        ValueError
            If a population is unknown, or neurons with fan-in are left without a width.
        """
        known = {population.name: population for population in self.populations}
        bits = np.zeros(self.num_neurons, dtype=np.int64)
        for name, width in of.items():
            if name not in known:
                raise ValueError(f"population {name!r}: there are {', '.join(known) or 'none'}")
            bits[known[name].first : known[name].last + 1] = width
        bare = np.flatnonzero((bits == 0) & (self.fan_in > 0))
        if default is None and len(bare):
            name = self.population_of(int(bare[0]))
            raise ValueError(
                f"weights of population {name!r} have no width, and there is no default"
            )
        return replace(self, weight_bits=np.where(bits == 0, default or 1, bits))

    def with_inputs_on_cores(self) -> SNN:
        """Return the same network with its inputs as units that read nothing: self-driven."""
        return replace(self, self_driven=np.flatnonzero(self.fan_in == 0).astype(np.int32))

    def with_notes(self, *notes: str) -> SNN:
        """Return the same network with further notes."""
        return replace(self, notes=(*self.notes, *notes)) if notes else self

    def digest(self) -> str:
        """Return a SHA-256 over connectivity and spikes: equal networks, equal digest."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        sha = hashlib.sha256(b"snn-1")
        for array in (self.indptr, self.indices, self.spikes):
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            sha.update(np.ascontiguousarray(little).data)  # no copy of it is made
        if len(self.self_driven):
            sha.update(b"self-driven" + self.self_driven.astype("<i4").tobytes())
        return sha.hexdigest()

    def __eq__(self, other: object) -> bool:
        """Compare connectivity and spikes; names and weights do not change a mapping."""
        if not isinstance(other, SNN):
            return NotImplemented
        return (
            np.array_equal(self.indptr, other.indptr)
            and np.array_equal(self.indices, other.indices)
            and np.array_equal(self.spikes, other.spikes)
            and np.array_equal(self.self_driven, other.self_driven)
        )

    def __hash__(self) -> int:
        """Hash by content."""
        return hash(self.digest())

    def __repr__(self) -> str:
        """Say the sizes, not the arrays."""
        return (
            f"SNN({self.num_neurons} neurons, {self.num_synapses} synapses,"
            f" {self.num_neurons - self.num_units} inputs, spikes: {self.spikes_origin})"
        )


def from_edges(
    pre: npt.ArrayLike,
    post: npt.ArrayLike,
    num_neurons: int,
    *,
    spikes: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    populations: Sequence[Population] = (),
    keep_zero_weights: bool = False,
    spikes_origin: str | None = None,
    self_driven: npt.ArrayLike = (),
    notes: Sequence[str] = (),
) -> SNN:
    """Build a network from synapse lists.

    Parameters
    ----------
    pre, post : (S,) int arrays
        Synapse s runs from ``pre[s]`` to ``post[s]``; parallel ones are merged, weights added.
    num_neurons : int
        Number of neurons.
    spikes : (N,) int array, optional
        Without it every neuron counts one spike, and the origin says "assumed".
    weights : (S,) float array, optional
        Synapses whose weight is zero, once parallel ones are added, are dropped unless
        ``keep_zero_weights``.

    Raises
    ------
    ValueError
        If lengths differ or an index lies outside 0..N-1.

    Examples
    --------
    >>> snn = from_edges([0, 1, 0], [2, 2, 2], 3)
    >>> snn.num_synapses, snn.sources_of(2).tolist(), snn.spikes_origin
    (2, [0, 1], 'assumed')
    """
    sources, targets = frozen(pre, np.int64), frozen(post, np.int64)
    if sources.shape != targets.shape or sources.ndim != 1:
        raise ValueError(f"pre has shape {sources.shape}, post {targets.shape}")
    if len(sources):
        low = int(min(sources.min(), targets.min()))
        high = int(max(sources.max(), targets.max()))
        if low < 0 or high >= num_neurons:
            raise ValueError(
                f"synapses join neurons {low}..{high}; neurons are 0..{num_neurons - 1}"
            )
    values = None if weights is None else np.asarray(weights, dtype=np.float64)
    if values is not None and values.shape != sources.shape:
        raise ValueError(f"{len(sources)} synapses, weights of shape {values.shape}")
    keys, position = np.unique(targets * max(num_neurons, 1) + sources, return_inverse=True)
    merged = None
    if values is not None:
        summed = np.bincount(position, weights=values, minlength=len(keys))
        if not keep_zero_weights:
            kept = summed != 0
            keys, summed = keys[kept], summed[kept]
        with np.errstate(over="ignore"):  # beyond float32 is infinite, which SNN refuses
            merged = summed.astype(np.float32)
    counts = np.bincount(keys // max(num_neurons, 1), minlength=num_neurons)
    if spikes is None:
        spikes, origin = np.ones(num_neurons, dtype=np.int64), SPIKES_ASSUMED
    else:
        spikes, origin = np.asarray(spikes), spikes_origin or "given"
    return SNN(
        np.concatenate(([0], np.cumsum(counts))),
        (keys % max(num_neurons, 1)).astype(np.int32),
        spikes,
        tuple(populations),
        merged,
        origin,
        np.asarray(self_driven),
        tuple(notes),
    )
