"""Units: what a fan-in decomposition leaves of neurons that read more sources than R rows.

A neuron of fan-in f > R is replaced by *units* of fan-in <= R that compute partial sums. Original
neurons keep their index (the last unit of a neuron keeps its identity and its spikes); inserted
units follow behind them, numbered by owner. An inserted unit's spikes are the sum over its inputs,
an upper bound, as the public code of [B20]_ counts.

Which policy makes them is :mod:`optmap.decomposing`'s. Here are the units themselves, those given
as lists by whoever chooses them otherwise (:func:`custom`), and the check (:func:`violations`).

References
----------
.. [B20] Balaji et al., "Enabling Resource-Aware Mapping of Spiking Neural Networks via Spatial
   Decomposition", 2020, arXiv 2009.09298.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from optmap.compiled import compiled
from optmap.model.identity import digest_of
from optmap.model.json_value import Json
from optmap.model.snn import SNN, IndexArray, IntArray, Population, frozen
from optmap.model.unit_rules import UnitRules

#: The identity of the units where nothing was inserted.
AS_GIVEN = "as given"

#: What a policy was given or has chosen, as JSON holds it.
Parameters = dict[str, Json]


@dataclass(frozen=True, eq=False)
class Decomposition:
    """A network all of whose neurons fit a crossbar's rows.

    Parameters
    ----------
    policy : str
        Who made it: a name of :mod:`optmap.decomposing`, or ``custom``.
    rows : int
        R, the row count it was made for.
    network : SNN
        The decomposed network: its neurons with fan-in are the units.
    owner : (M,) int32 array
        The original neuron each neuron of ``network`` serves (itself for the original ones).
    num_neurons : int
        Neurons of the original network; those from here on were inserted.
    parameters : dict
        With the policy and ``rows``, all it takes to make the units again; empty for most.
    rules : UnitRules or None
        What a user demands of the units' places; None: nothing.
    """

    policy: str
    rows: int
    network: SNN
    owner: IndexArray
    num_neurons: int
    parameters: Parameters = field(default_factory=dict)
    rules: UnitRules | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "owner", frozen(self.owner, np.int32))
        if not self.policy:
            raise ValueError("a decomposition needs the name of its policy")
        if len(self.owner) != self.network.num_neurons:
            raise ValueError(f"{len(self.owner)} owners for {self.network.num_neurons} neurons")
        if self.rows < 2:
            raise ValueError(f"decomposition needs at least 2 rows, got {self.rows}")
        if self.network.max_fan_in > self.rows:
            raise ValueError(f"unit of fan-in {self.network.max_fan_in} above {self.rows} rows")

    @property
    def num_inserted(self) -> int:
        """Number of units that the original network does not have."""
        return self.network.num_neurons - self.num_neurons

    @property
    def num_units(self) -> int:
        """Number of units U."""
        return self.network.num_units

    @cached_property
    def identity(self) -> str:
        """Name of the units by content, :func:`optmap.model.identity.digest_of` their fan-ins.

        A decomposition that changed nothing leaves the network's own units, whatever its policy.
        """
        if not self.num_inserted:
            return AS_GIVEN
        return digest_of(self.network.indptr, self.network.indices)

    @cached_property
    def least_split(self) -> int | None:
        """Fan-in of the narrowest neuron that was split; None if none was."""
        if not self.num_inserted:
            return None
        n, network = self.num_neurons, self.network
        raw = self.owner[network.post_of_synapse()[network.indices < n]]
        fan_in = np.bincount(raw, minlength=n)
        return int(fan_in[self.owner[n:]].min())

    @cached_property
    def visit_order(self) -> IndexArray:
        """Positions in ``network.units``, by owner, partial sums before the neuron itself."""
        units = self.network.units
        return frozen(np.lexsort((units, units < self.num_neurons, self.owner[units])), np.int32)


def custom(
    snn: SNN,
    rows: int,
    inserted: Sequence[tuple[int, Sequence[int]]],
    replaced: Mapping[int, Sequence[int]],
) -> Decomposition:
    """Return the decomposition given by explicit lists.

    Parameters
    ----------
    inserted : sequence of (owner, reads)
        Unit N + i serves neuron ``owner`` and reads ``reads``: raw inputs of the owner or inserted
        units of smaller index. Owners must ascend.
    replaced : mapping
        What each replaced neuron reads instead of its own fan-in.

    Raises
    ------
    ValueError
        If a unit does not fit ``rows`` or the lists do not sum up to the original fan-in.
    """
    n = snn.num_neurons
    for i, (_, reads) in enumerate(inserted):
        if any(r >= n + i or r < 0 for r in reads):
            raise ValueError(f"inserted unit {n + i} reads itself or a later unit: {list(reads)}")
    lists = [snn.sources_of(j) for j in range(n)]
    for j, reads in replaced.items():
        if not 0 <= j < n:
            raise ValueError(f"replaced neuron {j}; neurons are 0..{n - 1}")
        lists[j] = frozen(sorted(reads), np.int32)
    lists += [frozen(sorted(reads), np.int32) for _, reads in inserted]
    return custom_arrays(
        snn,
        rows,
        np.concatenate(([0], np.cumsum([len(x) for x in lists], dtype=np.int64))),
        np.concatenate(lists) if lists else np.empty(0, dtype=np.int32),
        frozen([*range(n), *(o for o, _ in inserted)], np.int32),
    )


def custom_arrays(
    snn: SNN,
    rows: int,
    indptr: IntArray,
    indices: IndexArray,
    owner: IndexArray,
    policy: str = "custom",
    parameters: Parameters | None = None,
) -> Decomposition:
    """Return the decomposition given by compressed fan-in lists; :func:`custom` for arrays.

    Parameters
    ----------
    indptr, indices : (M + 1,) int64 and int32 arrays
        What each neuron reads, ascending: the N original ones, then the inserted units.
    owner : (M,) int32 array
        The original neuron each serves, itself for the original ones; ascending from N on.
    policy, parameters
        Of a policy that can make these lists again; by default they stand in the mapping file.

    Raises
    ------
    ValueError
        If a unit does not fit ``rows`` or the lists do not sum up to the original fan-in.
    """
    n = snn.num_neurons
    if (np.diff(owner[n:]) < 0).any():
        raise ValueError("inserted units must be listed by ascending owner")
    reads, reader = indices[indptr[n] :], np.repeat(np.arange(n, len(owner)), np.diff(indptr[n:]))
    wild = np.flatnonzero((reads >= reader) | (reads < 0))
    if len(wild):
        raise ValueError(f"inserted unit {reader[wild[0]]} reads itself or a later unit")
    result = assembled(policy, snn, rows, indptr, indices, owner, parameters)
    wrong = violations(snn, result)
    if wrong:
        raise ValueError(wrong[0])
    return result


def assembled(
    policy: str,
    snn: SNN,
    rows: int,
    indptr: IntArray,
    indices: IndexArray,
    owner: IndexArray,
    parameters: Parameters | None = None,
) -> Decomposition:
    """Return the decomposition of lists that are known to be right; see :func:`custom_arrays`."""
    n = snn.num_neurons
    spikes = np.concatenate((snn.spikes, np.zeros(len(owner) - n, dtype=np.int64)))
    sum_up(indptr, indices, spikes, n)
    network = SNN(
        indptr,
        indices,
        spikes,
        with_inserted(snn.populations, owner[n:], n),
        spikes_origin=snn.spikes_origin,
        self_driven=snn.self_driven,
        notes=snn.notes,
        weight_bits=None if snn.weight_bits is None else snn.weight_bits[owner],
    )
    return Decomposition(policy, rows, network, owner, n, parameters or {})


def violations(snn: SNN, decomposition: Decomposition) -> list[str]:
    """Return what keeps ``decomposition`` from computing the sums of ``snn``; empty if nothing.

    Every original neuron must reach each of its sources exactly once through its own inserted
    units; every inserted unit must be read by exactly one unit of the same owner, a later one or
    the owner itself, so that no sum feeds itself. Every unit of a split neuron must sum two inputs
    at least: so that a neuron of f sources has finitely many decompositions, f - 2 inserted units
    at most.
    """
    n, network, owner = snn.num_neurons, decomposition.network, decomposition.owner
    if decomposition.num_neurons != n or network.num_neurons < n:
        return [f"decomposition is for {decomposition.num_neurons} neurons, network has {n}"]
    found: list[str] = []
    if not np.array_equal(network.spikes[:n], snn.spikes):
        found.append("decomposition changes the spikes of an original neuron")
    if not np.array_equal(owner[:n], np.arange(n)) or (len(owner) and owner.max() >= n):
        found.append("decomposition gives an original neuron another owner")
        return found
    readers = network.fan_out[n:]
    for i in np.flatnonzero(readers != 1)[:10]:
        found.append(f"inserted unit {n + i} is read by {readers[i]} units, expected 1")
    through = network.indices >= n
    sums = network.indices[through]
    post = np.searchsorted(network.indptr, np.flatnonzero(through), side="right") - 1
    foreign = owner[sums] != owner[post]
    for s in np.flatnonzero(foreign)[:10]:
        found.append(f"unit {post[s]} reads unit {sums[s]} of another neuron")
    early = (post >= n) & (sums >= post)
    for s in np.flatnonzero(early)[:10]:
        found.append(f"inserted unit {post[s]} reads unit {sums[s]}, not an earlier one")
    split = np.zeros(network.num_neurons, dtype=np.bool_)
    split[owner[n:]] = True
    split[n:] = True
    for u in np.flatnonzero(split & (network.fan_in < 2))[:10]:
        reads = "nothing" if network.fan_in[u] == 0 else "one input only"
        found.append(f"unit {u} of split neuron {owner[u]} reads {reads}, it sums nothing")
    if found:
        return found
    if np.array_equal(network.indptr, snn.indptr) and np.array_equal(network.indices, snn.indices):
        return _spike_violations(decomposition)
    raw = ~through
    reader = owner[network.post_of_synapse()[raw]]
    keys = np.sort(reader.astype(np.int64) * n + network.indices[raw])
    expected = np.sort(snn.post_of_synapse().astype(np.int64) * n + snn.indices)
    if not np.array_equal(keys, expected):
        sizes = np.bincount(keys // n, minlength=n) if len(keys) else np.zeros(n, dtype=np.int64)
        differing = np.flatnonzero(sizes != snn.fan_in)
        where = f"neuron {differing[0]}" if len(differing) else "some neuron"
        found.append(f"decomposition of {where} does not read each of its sources exactly once")
    found += _spike_violations(decomposition)
    return found


def _spike_violations(decomposition: Decomposition) -> list[str]:
    n, network = decomposition.num_neurons, decomposition.network
    sums = np.zeros(network.num_neurons - n, dtype=np.int64)
    post = np.repeat(np.arange(len(sums)), network.fan_in[n:])
    np.add.at(sums, post, network.spikes[network.indices[network.indptr[n] :]])
    wrong = np.flatnonzero(sums != network.spikes[n:])
    return [
        f"inserted unit {n + i} has {network.spikes[n + i]} spikes, its inputs {sums[i]}"
        for i in wrong[:10]
    ]


def with_inserted(
    populations: Sequence[Population], owners: IndexArray, first: int
) -> tuple[Population, ...]:
    """Append one population "NAME/parts" for the inserted units of each population."""
    parts = []
    for p in populations:
        lo, hi = np.searchsorted(owners, (p.first, p.last + 1))
        if hi > lo:
            parts.append(Population(f"{p.name}/parts", first + int(lo), first + int(hi) - 1))
    return (*populations, *parts)


@compiled
def sum_up(indptr: IntArray, indices: IndexArray, spikes: IntArray, n: int) -> None:
    """Set the spikes of the units from ``n`` on, each of which reads only earlier ones."""
    for unit in range(n, len(spikes)):
        for s in range(indptr[unit], indptr[unit + 1]):
            spikes[unit] += spikes[indices[s]]
