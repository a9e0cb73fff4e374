"""Bit planes on different crossbars: a neuron of b-bit weights as b neurons of one bit each.

On crossbars whose cells hold fewer bits than a weight a neuron takes several columns of *one*
crossbar. Its planes may as well stand apart: plane p reads the same sources with bit p of each
weight, and the neuron itself adds the planes, shifted. That costs one column and one more level of
sums, and frees the columns that a crossbar has over: of 7 columns a 4-bit neuron uses 4.

The planes are neurons of their own here, so that every clustering, formulation and bound applies.
Which neurons are split is the caller's decision; with none it is the network as it was, so that
the best choice is never worse.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from optmap.errors import InputError
from optmap.model.platform import Platform
from optmap.model.snn import MAX_TOTAL_SPIKES, SNN, Population, from_edges

#: Weights of more bits than this are none.
MOST_BITS = 64


def bit_planes(snn: SNN, bits: int, split: Collection[int] | None = None) -> SNN:
    """Return the network with neurons split into planes, the neurons' own numbers kept.

    Plane p of the n-th split neuron has number N + n * bits + p. A plane fires as often as its
    inputs together, at most, as partial sums of a decomposition do.

    Parameters
    ----------
    snn : SNN
        The network; its synapses become those of planes where their reader is split.
    bits : int
        Bits of every weight, >= 1.
    split : collection of int, optional
        Neurons to split; None: all with a fan-in.

    Returns
    -------
    SNN
        With ``weight_bits``: 1 for planes and for what adds them, ``bits`` for all others.

    Raises
    ------
    ValueError
        If a neuron to split reads nothing, or bits are below 1.
    """
    if bits < 1:
        raise ValueError(f"{bits} bits in a weight")
    chosen = snn.units[snn.fan_in[snn.units] > 0] if split is None else np.array(sorted(set(split)))
    chosen = chosen.astype(np.int64)
    empty = [int(j) for j in chosen if not snn.fan_in[j]]
    if empty:
        raise ValueError(f"neuron {empty[0]} reads nothing: it has no planes")
    n, post = snn.num_neurons, snn.post_of_synapse().astype(np.int64)
    kept = ~np.isin(post, chosen)
    pre_parts, post_parts = [snn.indices[kept].astype(np.int64)], [post[kept]]
    spikes = [snn.spikes]
    for place, j in enumerate(chosen.tolist()):
        sources, planes = snn.sources_of(j).astype(np.int64), n + place * bits + np.arange(bits)
        pre_parts += [np.tile(sources, bits), planes]
        post_parts += [np.repeat(planes, len(sources)), np.full(bits, j)]
        most = min(int(snn.spikes[sources].sum()), MAX_TOTAL_SPIKES)
        spikes.append(np.full(bits, most, dtype=np.int64))
    total = n + bits * len(chosen)
    populations = [*snn.populations]
    if len(chosen):
        populations.append(Population("planes", n, total - 1))
    made = from_edges(
        np.concatenate(pre_parts),
        np.concatenate(post_parts),
        total,
        spikes=np.concatenate(spikes),
        populations=populations,
        spikes_origin=snn.spikes_origin,
    )
    width = np.full(total, bits, dtype=np.int64)
    width[n:], width[chosen] = 1, 1
    return SNN(
        made.indptr,
        made.indices,
        made.spikes,
        made.populations,
        spikes_origin=made.spikes_origin,
        self_driven=snn.self_driven,
        weight_bits=width,
    )


def planes_asked(text: str) -> tuple[int, tuple[str, ...] | None]:
    """Return bits and populations of a text ``BITS`` (all neurons) or ``BITS:NAME,NAME``.

    Raises
    ------
    InputError
        If it is neither.

    Examples
    --------
    >>> planes_asked("4"), planes_asked("3:hidden,output"), planes_asked("4:")
    ((4, None), (3, ('hidden', 'output')), (4, ()))
    """
    bits, colon, names = text.partition(":")
    if not (bits.isdecimal() and bits.isascii()) or not 1 <= int(bits[:9]) <= MOST_BITS:
        raise InputError("bit planes", "", repr(text)[:80], f"BITS from 1 to {MOST_BITS}[:NAMES]")
    if not colon:
        return int(bits), None
    return int(bits), tuple(dict.fromkeys(n.strip() for n in names.split(",") if n.strip()))


def with_planes(snn: SNN, text: str) -> SNN:
    """Return a network with the neurons of populations split, as :func:`planes_asked` reads them.

    Raises
    ------
    InputError
        If there is no such population.
    """
    bits, names = planes_asked(text)
    if names is None:
        return bit_planes(snn, bits)
    known = {p.name: p for p in snn.populations}
    unknown = [name for name in names if name not in known]
    if unknown:
        have = ", ".join(known) or "none has a name"
        raise InputError("bit planes", "population", repr(unknown[0])[:80], f"some of {have}")
    spans = [np.arange(known[n].first, known[n].last + 1) for n in names]
    chosen = np.concatenate([*spans, np.empty(0, dtype=np.int64)]).astype(np.int64)
    return bit_planes(snn, bits, chosen[snn.fan_in[chosen] > 0].tolist())


def on_one_bit_cells(platform: Platform, bits: int) -> Platform:
    """Return a platform of ``cells_per_synapse`` = bits with columns counted by planes.

    A neuron that is not split takes ``bits`` columns as before, a plane takes one.
    """
    return replace(platform, cells_per_synapse=1, cell_bits=1, weight_bits=bits)
