"""What a crossbar can hold: the one home of "does this set of units fit this crossbar?".

A set of units fits a crossbar if its distinct sources fit the *rows*, its units fit the *columns*
C', and every further :class:`Resource` that the platform limits suffices. A resource is additive: a
unit takes so much of it, whoever shares the crossbar. What one unit takes is linear in what it
reads, ``fixed + per_read * fan_in``, so that searches and models that still choose the fan-in can
state it too. Subsets of what fits, fit.

To add a limit of this kind, yet another :class:`Resource` in :func:`resources` is all it takes: the
judge, the clusterings, the bindings, the bounds, the search over everything and the formulations
iterate that list. Limits that depend on other clusters (``fan_out``, ``axons_out``) stand in
:func:`outgoing`; a method that cannot hold them is refused by
:func:`optmap.clustering.contract.refuse_outgoing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from optmap.errors import CapacityError
from optmap.model.platform import Platform
from optmap.model.snn import SNN, BoolArray, IndexArray, IntArray

#: Stands for "not limited" in arrays of limits; no sum of needs reaches it.
UNLIMITED = 2**62


@dataclass(frozen=True)
class Limit:
    """A limit that a platform may state for the crossbar of a tile.

    Parameters
    ----------
    field : str
        The key of ``[[tiles]]`` in a platform file, and of :class:`optmap.model.platform.Tile`.
    unit : str
        What is counted, as messages say it.
    about : str
        One line for the docs.
    population : str or None
        Of which population neurons are counted, where not of all.
    """

    field: str
    unit: str
    about: str
    population: str | None = None


AXONS_OUT = Limit(
    "axons_out", "axons out", "pairs of a unit and a crossbar that reads it, its own included"
)
FAN_OUT = Limit(
    "fan_out", "crossbars that read one unit", "crossbars that read one unit, its own included"
)
#: What a tile can limit besides rows, columns, slots and buffers; docs and messages iterate it.
LIMITS = (
    Limit("neurons", "neurons", "units on one crossbar, whatever the columns are"),
    Limit("synapses", "synapses", "entries of synapse memory: one for each source of each unit"),
    Limit(
        "synapse_bits", "bits of synapse memory", "one weight for each source of each unit, in bits"
    ),
    AXONS_OUT,
    FAN_OUT,
)
#: Of them, those that a set of units meets or breaks by itself.
ADDITIVE = ("neurons", "synapses", "synapse_bits")
#: Of them, memory that all programs of a tile share where a platform keeps them ``resident``.
MEMORY = ("synapses", "synapse_bits")
#: And the columns that bit slices take, where cells are narrower than weights.
SLICES = Limit("slices", "columns", "columns of C': ceil(weight bits / cell bits) for each unit")


@dataclass(frozen=True, eq=False)
class Resource:
    """Something that units use up on a crossbar.

    Parameters
    ----------
    limit : Limit
        Its name and unit.
    fixed, per_read : (N,) int64 arrays
        A unit that serves neuron j takes ``fixed[j] + per_read[j] * (what it reads)``.
    have : (T,) int64 array
        What the crossbar of each tile offers; UNLIMITED where nothing is said.
    """

    limit: Limit
    fixed: IntArray
    per_read: IntArray
    have: IntArray


def stated(platform: Platform) -> tuple[Limit, ...]:
    """Return the additive limits that the platform states, in the order of all (D, ...) arrays."""
    found = [limit for limit in LIMITS if limit.field in ADDITIVE and _states(platform, limit)]
    found += [SLICES] if platform.cell_bits is not None else []
    return (*found, *(_of_population(name) for name, _ in platform.population_neurons))


def _of_population(name: str) -> Limit:
    """Return the limit on neurons of one population."""
    unit = f"neurons of population {name!r}"
    return Limit(f"population_neurons.{name}", unit, f"{unit} on one crossbar", name)


def refuse_unknown_populations(network: SNN, platform: Platform) -> None:
    """Refuse a platform that limits a population which the network does not have.

    Raises
    ------
    CapacityError
        Naming it, and those that there are.
    """
    known = {population.name for population in network.populations}
    for name, _ in platform.population_neurons:
        if name not in known:
            there = ", ".join(sorted(known)[:20]) or "no population"
            raise CapacityError(
                f"{platform.name!r} limits neurons of population {name!r}; the network has {there}"
            )


def have(platform: Platform) -> IntArray:
    """Return what each tile has of each resource, shape (D, T); 0 on a tile out of use."""
    rows = []
    for limit in stated(platform):
        slices = np.array(platform.columns_of, dtype=np.int64)
        rows.append(slices if limit is SLICES else on_tiles(platform, limit))
    return np.array(rows, dtype=np.int64).reshape(len(rows), platform.num_tiles)


@dataclass(frozen=True, eq=False)
class TileMemory:
    """Memory that all programs of a tile share.

    ``need`` is (K,): what each cluster takes, ``have`` (T,): what each tile has, UNLIMITED where it
    states nothing.
    """

    limit: Limit
    need: IntArray
    have: IntArray


def shares_memory(platform: Platform) -> bool:
    """Tell whether several programs of one tile may have to share its synapse memory."""
    several = any(platform.tiles[t].slots != 1 for t in platform.in_use)
    return platform.resident and several and any(x.field in MEMORY for x in stated(platform))


def tile_memory(needs: IntArray, platform: Platform) -> list[TileMemory]:
    """Return the memory that clusters share on a tile; none where each has it to itself.

    Parameters
    ----------
    needs : (D, K) int64 array
        What the clusters need of the resources; of shape (0, K) where that is not known.
    """
    if not len(needs) or not shares_memory(platform):
        return []
    triples = zip(stated(platform), needs, have(platform), strict=True)
    return [TileMemory(limit, need, room) for limit, need, room in triples if limit.field in MEMORY]


def overfull(
    memory: list[TileMemory], tile_of: IndexArray
) -> Iterator[tuple[Limit, int, int, int, int]]:
    """Yield (limit, tile, programs, needed, there) of every tile whose programs do not fit."""
    for part in memory:
        needed = np.zeros(len(part.have), dtype=np.int64)
        np.add.at(needed, tile_of, part.need)
        programs = np.bincount(tile_of, minlength=len(part.have))
        for t in np.flatnonzero((needed > part.have) & (programs > 1)).tolist():
            yield part.limit, t, int(programs[t]), int(needed[t]), int(part.have[t])


def on_tiles(platform: Platform, limit: Limit) -> IntArray:
    """Return a limit on each tile, shape (T,): UNLIMITED where it states none, 0 out of use."""
    if limit.population is None:
        given = [getattr(tile, limit.field) if tile.in_use else 0 for tile in platform.tiles]
    else:
        most = dict(platform.population_neurons)[limit.population]
        given = [most if tile.in_use else 0 for tile in platform.tiles]
    return np.array([UNLIMITED if v is None else v for v in given], dtype=np.int64)


def resources(network: SNN, platform: Platform) -> tuple[Resource, ...]:
    """Return what the platform limits besides rows and columns, for the neurons of a network.

    ``network`` is the original network or a decomposed one; an inserted unit takes what its owner
    would. Empty on platforms that state no such limit.
    """
    one, zero = (np.full(network.num_neurons, v, dtype=np.int64) for v in (1, 0))
    found = []
    for limit, offered in zip(stated(platform), have(platform), strict=True):
        if limit.population is not None:
            uses = _is_of(network, limit.population), zero
        elif limit.field == "neurons":
            uses = one, zero
        elif limit.field == "synapses":
            uses = zero, one
        elif limit.field == "synapse_bits":
            uses = zero, weight_bits(network, platform)
        else:
            uses = -(-weight_bits(network, platform) // (platform.cell_bits or 1)), zero
        found.append(Resource(limit, *uses, offered))
    return tuple(found)


def _is_of(network: SNN, population: str) -> IntArray:
    """Return 1 for the neurons of a population and the units inserted for them, shape (N,)."""
    found = np.zeros(network.num_neurons, dtype=np.int64)
    for p in network.populations:
        if p.name in (population, f"{population}/parts"):
            found[p.first : p.last + 1] = 1
    return found


def weight_bits(network: SNN, platform: Platform) -> IntArray:
    """Return the bits of the weights each neuron reads with, shape (N,): its own, or as always."""
    if network.weight_bits is not None:
        return network.weight_bits
    return np.full(network.num_neurons, platform.weight_bits or 1, dtype=np.int64)


def _states(platform: Platform, limit: Limit) -> bool:
    return any(getattr(tile, limit.field) is not None for tile in platform.tiles)


def crossbars_of(platform: Platform) -> list[tuple[int, ...]]:
    """Return the crossbar of each tile: R, C', then what it has of each resource."""
    columns = (platform.rows_of, platform.columns_of, *have(platform).tolist())
    return list(zip(*columns, strict=True))


def kinds_of_crossbars(platform: Platform) -> tuple[tuple[int, ...], ...]:
    """Return the distinct crossbars in use, as :func:`crossbars_of` gives them.

    In the order of :attr:`Platform.kinds`; of equal crossbars the roomier comes first.
    """
    of_tile = crossbars_of(platform)
    used = {of_tile[t] for t in platform.in_use}
    rank = {kind: h for h, kind in enumerate(platform.kinds)}
    return tuple(sorted(used, key=lambda k: (rank[k[0], k[1]], *(-x for x in k[2:]))))


def demands(network: SNN, platform: Platform) -> IntArray:
    """Return what each unit takes of each resource, shape (D, U); D = 0 without such limits."""
    units, found = network.units, resources(network, platform)
    fan_in = network.fan_in[units]
    rows = [r.fixed[units] + r.per_read[units] * fan_in for r in found]
    return np.array(rows, dtype=np.int64).reshape(len(found), len(units))


def fits_some(need: tuple[int, ...], kinds: tuple[tuple[int, ...], ...]) -> bool:
    """Tell whether rows, columns and resources needed fit one of the crossbars."""
    return any(all(n <= h for n, h in zip(need, kind, strict=True)) for kind in kinds)


def fitting_tiles(
    rows: IntArray, columns: IntArray, needs: IntArray, platform: Platform
) -> BoolArray:
    """Return which tile's crossbar holds which cluster, shape (K, T); never a tile out of use.

    Parameters
    ----------
    rows, columns : (K,) int64 arrays
        What the clusters need.
    needs : (D, K) int64 array
        What they need of the resources; of shape (0, K) where that is not known.
    """
    fits = rows[:, None] <= np.array(platform.rows_of)
    fits &= columns[:, None] <= np.array(platform.columns_of)
    if len(needs):
        for need, offered in zip(needs, have(platform), strict=True):
            fits &= need[:, None] <= offered
    fits[:, [t for t in range(platform.num_tiles) if not platform.tiles[t].in_use]] = False
    return np.asarray(fits)


def unit_fan_in(network: SNN, platform: Platform) -> int:
    """Return the largest fan-in that some crossbar holds, whichever unit has it: decomposition's R.

    Raises
    ------
    CapacityError
        If it is below 2: sums of two inputs are the least a decomposition needs.
    """
    most = 0
    found = resources(network, platform)
    sums = network.is_unit & (network.fan_in >= 2)  # what reads less is never divided
    for t in platform.in_use:
        rows = platform.rows_of[t]
        for r in found:
            fixed, slope = (int(x[sums].max(initial=0)) for x in (r.fixed, r.per_read))
            room = int(r.have[t]) - fixed
            rows = min(rows, -1 if room < 0 else room // slope if slope else rows)
        most = max(most, rows)
    if most < 2:
        raise CapacityError(
            f"no crossbar of {platform.name!r} holds a unit of 2 sources:"
            f" {limits_text(network, platform)}"
        )
    return most if platform.fan_in is None else min(most, platform.fan_in)


def too_wide(network: SNN, platform: Platform) -> str:
    """Return the first unit that reads more than a unit may on this platform; empty if none."""
    if platform.fan_in is None:
        return ""
    wide = network.units[network.fan_in[network.units] > platform.fan_in]
    if not len(wide):
        return ""
    u = int(wide[0])
    return f"unit {u} reads {network.fan_in[u]} sources, at most {platform.fan_in} are allowed"


def limits_text(network: SNN, platform: Platform) -> str:
    """Return the largest of each resource, as messages give them."""
    parts = [f"{platform.max_rows} rows", f"{platform.max_columns} columns"]
    for r in resources(network, platform):
        if (r.have < UNLIMITED).all():
            parts.append(f"{r.have.max()} {r.limit.unit}")
    return "at most " + ", ".join(parts)


def units_by_limit(network: SNN, platform: Platform) -> IntArray:
    """Return how many units the crossbar of each tile holds by each limit alone, (1 + D, T).

    The first row are the columns; then, in the order of :func:`stated`, how many of the least
    demanding units do not exceed a resource.
    """
    taken = np.cumsum(np.sort(demands(network, platform), axis=1), axis=1)
    by_resource = [
        np.searchsorted(so_far, offered, side="right")
        for so_far, offered in zip(taken, have(platform), strict=True)
    ]
    return np.array([platform.columns_of, *by_resource], dtype=np.int64)


def units_per_crossbar(network: SNN, platform: Platform) -> IntArray:
    """Return how many units the crossbar of each tile holds at most, shape (T,).

    C', or fewer where even the least demanding units use up a resource before.
    """
    most: IntArray = units_by_limit(network, platform).min(axis=0)
    return most


def summed(amounts: IntArray, cluster_of: IndexArray, num_clusters: int) -> IntArray:
    """Return what each cluster needs, shape (D, K), from what its units take, shape (D, U)."""
    total = np.zeros((len(amounts), num_clusters), dtype=np.int64)
    for d, taken in enumerate(amounts):
        np.add.at(total[d], cluster_of, taken)
    return total


def outgoing(
    source: IndexArray, num_clusters: int, network: SNN, cluster_of: IndexArray
) -> tuple[IntArray, IntArray]:
    """Return axons out and the largest fan-out of each cluster, (K,) each: no set decides alone.

    Parameters
    ----------
    source : (S,) int32 array
        The source of every row of every crossbar.

    Notes
    -----
    Rows are axons in. A unit's fan-out are the crossbars that read it, its own included; the axons
    out of a cluster are the fan-outs of its units, summed.
    """
    readers = np.bincount(source, minlength=network.num_neurons)[network.units].astype(np.int64)
    axons, widest = (np.zeros(num_clusters, dtype=np.int64) for _ in range(2))
    np.add.at(axons, cluster_of, readers)
    np.maximum.at(widest, cluster_of, readers)
    return axons, widest
