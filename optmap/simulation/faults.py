"""Stuck cells and dead rows: which row and column of a crossbar takes which source and unit.

A stuck cell holds no weight: a synapse that lies on it is lost. A dead row or column is a line of
stuck cells. The faults of a tile are drawn from a seed; the clusters of the tile share them. Where
a cluster leaves rows and columns free, or its synapses are sparse, another placement loses less:

- with rows as they are, the best columns are an assignment problem, solved exactly;
- rows and columns in turn, until neither improves: never worse, not always the best of both.

What is lost is told as synapses of the original network, so that :func:`without` and the simulator
say what it does to the spikes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from optmap.model import mapping as mapped
from optmap.model.decomposition import Decomposition
from optmap.model.platform import Crossbar, Platform
from optmap.model.snn import BoolArray, IntArray
from optmap.model.spiking_model import Path, SpikingModel

#: What each synapse counts, sources by units.
Weights = npt.NDArray[np.float64]

#: Rounds of rows and columns in turn, at most; two or three are the rule.
MOST_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class FaultRates:
    """Shares of a crossbar that do not work, each 0 to 1."""

    cells: float = 0.0
    rows: float = 0.0
    columns: float = 0.0

    def __post_init__(self) -> None:
        for name in ("cells", "rows", "columns"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"faults: {name} {getattr(self, name)} is no share from 0 to 1")


def draw_faults(crossbar: Crossbar, rates: FaultRates, seed: int) -> BoolArray:
    """Return which cells are stuck, shape (R, C).

    Examples
    --------
    >>> int(draw_faults(Crossbar(4, 4), FaultRates(rows=1.0), seed=0).sum())
    16
    """
    rng = np.random.default_rng(seed)
    stuck: BoolArray = rng.random((crossbar.rows, crossbar.columns)) < rates.cells
    stuck |= (rng.random(crossbar.rows) < rates.rows)[:, None]
    stuck |= rng.random(crossbar.columns) < rates.columns
    return stuck


@dataclass(frozen=True)
class Placement:
    """Where a cluster's sources and units are on the crossbar.

    Parameters
    ----------
    row_of, column_of : int64 arrays
        Row of each source, column of each unit.
    lost : float
        Summed weight of what lies on stuck cells.
    """

    row_of: IntArray
    column_of: IntArray
    lost: float


def lost_weight(weight: Weights, stuck: BoolArray, row_of: IntArray, column_of: IntArray) -> float:
    """Return the summed weight of the synapses that lie on stuck cells."""
    return float(weight[stuck[np.ix_(row_of, column_of)]].sum())


def in_order(weight: Weights, stuck: BoolArray) -> Placement:
    """Return the placement that asks for nothing: first source on the first row, and so on.

    Parameters
    ----------
    weight : (S, U) float64 array
        What each synapse counts; 0 where there is none.
    stuck : (R, C) bool array
        Cells that hold nothing.

    Raises
    ------
    ValueError
        If there are more sources than rows, or units than columns.
    """
    if weight.shape[0] > stuck.shape[0] or weight.shape[1] > stuck.shape[1]:
        raise ValueError(f"{weight.shape} sources and units on a crossbar of {stuck.shape}")
    row_of, column_of = (np.arange(n, dtype=np.int64) for n in weight.shape)
    return Placement(row_of, column_of, lost_weight(weight, stuck, row_of, column_of))


def best_columns(weight: Weights, stuck: BoolArray, row_of: IntArray) -> Placement:
    """Return the placement of least loss for rows that are given; exact."""
    from scipy.optimize import linear_sum_assignment  # 0.2 s to load

    cost = weight.T @ stuck[row_of].astype(np.float64)  # (U, C)
    _, column_of = linear_sum_assignment(cost)
    columns = column_of.astype(np.int64)
    return Placement(row_of, columns, lost_weight(weight, stuck, row_of, columns))


def place_around(weight: Weights, stuck: BoolArray) -> Placement:
    """Return a placement found by choosing columns and rows in turn, no worse than in order."""
    best = in_order(weight, stuck)
    for _ in range(MOST_ROUNDS):
        found = best_columns(weight, stuck, best.row_of)
        turned = best_columns(weight.T, stuck.T, found.column_of)
        found = Placement(turned.column_of, found.column_of, turned.lost)
        if found.lost >= best.lost:
            break
        best = found
    return best


@dataclass(frozen=True)
class Losses:
    """What faults take from a mapped network.

    Parameters
    ----------
    pairs : (L, 2) int64 array
        Synapses (pre, post) of the original network that are lost.
    lost : int
        Cells that were to hold a synapse of some unit and are stuck.
    """

    pairs: IntArray
    lost: int


@dataclass(frozen=True)
class TileFaults:
    """Faults of one tile that are known, not drawn: (row, column) of cells, whole lines."""

    cells: tuple[tuple[int, int], ...] = ()
    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()


@dataclass(frozen=True)
class Faults:
    """What does not work on a chip: drawn by rates and a seed, and what is known of single tiles.

    Parameters
    ----------
    rates : FaultRates
        Of every tile; tile t draws from ``seed * tiles + t``.
    seed : int
        Of the draw.
    known : mapping of int to TileFaults
        Faults of tiles besides those that are drawn.
    """

    rates: FaultRates = FaultRates()
    seed: int = 0
    known: Mapping[int, TileFaults] = field(default_factory=dict)

    def stuck(self, platform: Platform, tile: int) -> BoolArray:
        """Return which cells of a tile are stuck, shape (R, C'), a cell for each synapse.

        Raises
        ------
        ValueError
            If a known fault lies outside the crossbar.
        """
        crossbar = Crossbar(platform.tiles[tile].crossbar.rows, platform.columns_of[tile])
        stuck = draw_faults(crossbar, self.rates, self.seed * platform.num_tiles + tile)
        here = self.known.get(tile, TileFaults())
        rows = {*here.rows, *(r for r, _ in here.cells)}
        columns = {*here.columns, *(c for _, c in here.cells)}
        for what, lines, size in (
            ("row", rows, crossbar.rows),
            ("column", columns, crossbar.columns),
        ):
            outside = sorted(n for n in lines if not 0 <= n < size)
            if outside:
                raise ValueError(f"{what} {outside[0]} of tile {tile}, which has {size} of them")
        for r, c in here.cells:
            stuck[r, c] = True
        stuck[list(here.rows)] = True
        stuck[:, list(here.columns)] = True
        return stuck


@dataclass(frozen=True)
class Placed:
    """One cluster on the crossbar of its tile.

    Parameters
    ----------
    cluster, tile : int
        Which cluster, and where it runs.
    sources, units : int64 arrays
        Whose rows and columns ``placement`` gives.
    placement : Placement
        Where they are.
    gone : (L, 2) int64 array
        Synapses (source, unit) of the divided network that lie on stuck cells.
    """

    cluster: int
    tile: int
    sources: IntArray
    units: IntArray
    placement: Placement
    gone: IntArray


def placements(
    mapping: mapped.Mapping, platform: Platform, faults: Faults, *, around: bool = True
) -> list[Placed]:
    """Return where each cluster's sources and units are on its tile's crossbar.

    Parameters
    ----------
    around : bool
        Place every cluster around the faults of its tile; otherwise in order.

    Raises
    ------
    ValueError
        If a known fault lies outside its crossbar.
    """
    network, units = mapping.decomposition.network, mapping.decomposition.network.units
    tiles = mapping.binding.tile_of.tolist()
    stuck_of = {t: faults.stuck(platform, t) for t in sorted({*tiles, *faults.known})}
    found = []
    for k, members in enumerate(mapping.clustering.members()):
        stuck, here = stuck_of[tiles[k]], units[members].astype(np.int64)
        reads = [network.sources_of(u).astype(np.int64) for u in here.tolist()]
        sources = np.unique(np.concatenate(reads))
        weight = np.zeros((len(sources), len(here)))
        for c, read in enumerate(reads):
            weight[np.searchsorted(sources, read), c] = 1.0
        placed = place_around(weight, stuck) if around else in_order(weight, stuck)
        on_stuck = stuck[np.ix_(placed.row_of, placed.column_of)]
        rows, columns = np.nonzero((weight > 0) & on_stuck)
        gone = np.stack((sources[rows], here[columns]), axis=1)
        found.append(Placed(k, tiles[k], sources, here, placed, gone))
    return found


def lost_by(mapping: mapped.Mapping, placed: Sequence[Placed]) -> Losses:
    """Return what lies on stuck cells, as synapses of the original network."""
    pairs = {
        pair
        for one in placed
        for source, unit in one.gone.tolist()
        for pair in _originals(mapping.decomposition, source, unit)
    }
    lost = sum(len(one.gone) for one in placed)
    return Losses(np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2), lost)


def losses(
    mapping: mapped.Mapping,
    platform: Platform,
    rates: FaultRates,
    seed: int,
    *,
    around: bool = True,
) -> Losses:
    """Return what faults drawn from ``seed`` take, clusters placed as by :func:`placements`."""
    return lost_by(mapping, placements(mapping, platform, Faults(rates, seed), around=around))


def _originals(decomposition: Decomposition, source: int, unit: int) -> list[tuple[int, int]]:
    """Return the synapses of the original network that pass where ``unit`` reads ``source``."""
    owner, n = int(decomposition.owner[unit]), decomposition.num_neurons
    if source < n:
        return [(source, owner)]
    below = decomposition.network.sources_of(source).tolist()
    return [pair for s in below for pair in _originals(decomposition, s, source)]


def without(model: SpikingModel, pairs: IntArray | Sequence[tuple[int, int]]) -> SpikingModel:
    """Return the model with the weights of synapses (pre, post) at 0, its neurons numbered so."""
    gone = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    first = model.first
    layers = []
    for layer, start in zip(model.layers, first, strict=False):
        mine = gone[(gone[:, 1] >= start) & (gone[:, 1] < start + layer.size)]
        paths = tuple(_cut(path, mine, start, first) for path in layer.paths)
        layers.append(replace(layer, paths=paths))
    return SpikingModel(tuple(layers))


def _cut(path: Path, gone: IntArray, start: int, first: list[int]) -> Path:
    low, high = first[path.source], first[path.source + 1]
    here = gone[(gone[:, 0] >= low) & (gone[:, 0] < high)]
    if not len(here):
        return path
    matrix = path.matrix.tolil()
    matrix[here[:, 1] - start, here[:, 0] - low] = 0
    return replace(path, matrix=matrix.tocsr())
