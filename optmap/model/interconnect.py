"""How tiles are joined, and how far apart they are: hops, and links between chips on the way.

Everything that depends on distance asks for two matrices: ``hops`` (what spike-hops and routing
energy count) and ``chip_links`` (how many links on the way leave a chip; they may be slower). The
judge asks for single pairs, which on a plain mesh or torus need no matrix: it takes 65,536 tiles.
Tiles and links out of use, and chips of tiles, change these matrices and nothing else: whoever
reads the matrices follows by itself, and whoever uses coordinates asks ``is_regular`` first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from optmap.errors import CapacityError
from optmap.model.snn import IntArray, frozen

Matrix = tuple[tuple[int, ...], ...]
#: A tile, or an array of them.
Places = int | npt.NDArray[np.integer[Any]]

#: Matrices of hops are made for no more tiles: they grow with the square.
MAX_MATRIX_TILES = 4096


@dataclass(frozen=True, slots=True)
class Interconnect:
    """How tiles are joined: a mesh or torus of ``width`` x ``height``, or a given hop matrix.

    Tile t of a mesh or torus stands at x = t mod width, y = t div width; routing is XY, or along
    shortest paths where something is out of use.

    Parameters
    ----------
    kind : str
        ``mesh``, ``torus`` or ``matrix``.
    width, height : int or None
        Tiles along x and y, unless a matrix is given.
    matrix : tuple of tuples, optional
        Hops between every two tiles.
    dead_tiles : tuple of int
        Tiles out of use, routers included: nothing runs there and nothing passes through.
    dead_links : tuple of (int, int)
        Pairs of neighbours that are joined no more, in neither direction; not for a matrix.
    chip : (int, int), optional
        Tiles along x and y of one chip: a link that leaves a chip is a chip link.
    chip_hops : int
        Hops that a chip link counts as in ``hops`` (dearer links), >= 1.
    chip_matrix : tuple of tuples, optional
        Of a matrix: how many chip links are on the way between every two tiles.

    Raises
    ------
    ValueError
        If this is no interconnect, or tiles in use cannot reach each other; with the numbers.
    """

    kind: str
    width: int | None = None
    height: int | None = None
    matrix: Matrix | None = None
    # not in the repr, which digests of instances hold: see Platform.extras
    dead_tiles: tuple[int, ...] = field(default=(), repr=False)
    dead_links: tuple[tuple[int, int], ...] = field(default=(), repr=False)
    chip: tuple[int, int] | None = field(default=None, repr=False)
    chip_hops: int = field(default=1, repr=False)
    chip_matrix: Matrix | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.kind in ("mesh", "torus"):
            if not (self.width and self.height and self.width > 0 and self.height > 0):
                raise ValueError(f"{self.kind} of {self.width} x {self.height}")
            if self.matrix is not None or self.chip_matrix is not None:
                raise ValueError(f"{self.kind} with a hop matrix")
        elif self.kind != "matrix" or not self.matrix:
            raise ValueError(f"interconnect {self.kind!r}: expected mesh, torus or a matrix")
        elif self.width is not None or self.height is not None:
            raise ValueError(f"hop matrix with a size of {self.width} x {self.height}")
        else:
            _check_matrix("hop matrix", self.matrix, len(self.matrix))
            if self.dead_links or self.chip:
                raise ValueError("hop matrix with dead links or chips: write them into the matrix")
            if self.chip_matrix is not None:
                _check_matrix("matrix of chip links", self.chip_matrix, len(self.matrix))
        self._check_out_of_use()

    def _check_out_of_use(self) -> None:
        last = self.num_tiles - 1
        for t in self.dead_tiles:
            if not 0 <= t <= last:
                raise ValueError(f"tile {t} out of use; tiles are 0..{last}")
        if len(set(self.dead_tiles)) == self.num_tiles:
            raise ValueError(f"all {self.num_tiles} tiles are out of use")
        if self.dead_links:
            joined = {frozenset(link[:2]) for link in self._links()}
            for a, b in self.dead_links:
                if frozenset((a, b)) not in joined:
                    raise ValueError(f"dead link {a} - {b}: no link of the {self.kind}")
        if self.chip and min(self.chip) < 1:
            raise ValueError(f"chips of {self.chip[0]} x {self.chip[1]} tiles")
        if self.chip_hops < 1:
            raise ValueError(f"chip_hops {self.chip_hops} must be >= 1")

    @property
    def num_tiles(self) -> int:
        """Number of tiles it joins, those out of use included."""
        if self.width is not None and self.height is not None:
            return self.width * self.height
        return len(self.matrix or ())

    @property
    def num_links(self) -> int:
        """Number of directed links of a mesh or torus, those out of use included; 0: a matrix."""
        return 2 * sum(1 for _ in self._links()) if self.matrix is None else 0

    @property
    def is_regular(self) -> bool:
        """Whether hops are distances of coordinates: no matrix, all in use, all links alike."""
        plain = not self.dead_tiles and not self.dead_links
        return self.kind != "matrix" and plain and (self.chip is None or self.chip_hops == 1)

    @property
    def has_table(self) -> bool:
        """Whether there are few enough tiles for the hops between every two of them."""
        return self.matrix is not None or self.num_tiles <= MAX_MATRIX_TILES

    def hops(self) -> IntArray:
        """Return the hop count between every two tiles, shape (T, T)."""
        return self.distances()[0]

    def distances(self) -> tuple[IntArray, IntArray]:
        """Return hops and chip links between every two tiles, each of shape (T, T).

        Of the shortest paths the one with fewest chip links is taken. A tile out of use is one hop
        farther from all others than any two in use are from each other.
        """
        if self.matrix is not None:
            hops = frozen(self.matrix, np.int64)
            none = np.zeros_like(hops)
            return hops, none if self.chip_matrix is None else frozen(self.chip_matrix, np.int64)
        if not self.has_table:
            raise CapacityError(
                f"{self.num_tiles} tiles: the hops between every two are kept up to"
                f" {MAX_MATRIX_TILES}; on a mesh or torus with all in use they need not be"
            )
        tile = np.arange(self.num_tiles)
        apart = self.between(tile[:, None], tile)
        if apart is not None:
            return frozen(apart, np.int64), frozen(np.zeros_like(apart), np.int64)
        weight = self._shortest()
        dead = np.zeros(self.num_tiles, dtype=np.bool_)
        dead[list(self.dead_tiles)] = True
        live = np.flatnonzero(~dead)
        lost = np.flatnonzero(~np.isfinite(weight[live[0]]) & ~dead)
        if len(lost):
            raise ValueError(
                f"tile {lost[0]} cannot be reached from tile {live[0]}: put it out of use, or"
                " bring a link back"
            )
        whole = np.where(np.isfinite(weight), weight, 0).astype(np.int64)
        hops, links = np.divmod(whole, self.num_tiles + 1)
        far = int(hops[np.ix_(live, live)].max()) + 1
        hops[dead], hops[:, dead] = far, far
        np.fill_diagonal(hops, 0)
        return frozen(hops, np.int64), frozen(links, np.int64)

    def between(self, a: Places, b: Places) -> IntArray | None:
        """Return the hops between tiles of two arrays, without those of all others.

        None where tiles have no coordinates that say so: :meth:`distances` does.
        """
        if not self.is_regular or self.chip is not None or self.width is None:
            return None
        total: IntArray = np.zeros(np.broadcast_shapes(np.shape(a), np.shape(b)), dtype=np.int64)
        sizes = (self.width, self.height or 1)
        ends = zip(_places(a, self.width), _places(b, self.width), sizes, strict=True)
        for one, other, size in ends:
            d = np.abs(one - other)
            total += np.minimum(d, size - d) if self.kind == "torus" else d
        return total

    def among(self, tiles: Sequence[int]) -> Interconnect:
        """Return what joins these tiles, as far from each other as they are here."""
        hops, links = (m[np.ix_(tiles, tiles)].tolist() for m in self.distances())
        return Interconnect(
            "matrix",
            matrix=tuple(map(tuple, hops)),
            chip_hops=self.chip_hops,
            chip_matrix=tuple(map(tuple, links)) if any(map(any, links)) else None,
        )

    def _links(self) -> Iterator[tuple[int, int, bool]]:
        """Yield every link of a mesh or torus: its two tiles, and whether it leaves a chip."""
        width, height = self.width or 1, self.height or 1
        across, along = self.chip or (width, height)
        for t in range(self.num_tiles):
            x, y = t % width, t // width
            if x + 1 < width or (self.kind == "torus" and width > 2):
                right = (x + 1) % width
                yield t, y * width + right, x // across != right // across
            if y + 1 < height or (self.kind == "torus" and height > 2):
                below = (y + 1) % height
                yield t, below * width + x, y // along != below // along

    def _shortest(self) -> np.ndarray:
        """Return (T + 1) * hops + chip links of the least such paths."""
        from scipy.sparse import (  # here: few platforms ask, and it is slow to load
            csgraph,
            csr_matrix,
        )

        dead, cut = set(self.dead_tiles), {frozenset(link) for link in self.dead_links}
        scale = self.num_tiles + 1  # no shortest path has more links
        links = [
            (a, b, self.chip_hops * scale + 1 if leaves else scale)
            for a, b, leaves in self._links()
            if a not in dead and b not in dead and frozenset((a, b)) not in cut
        ]
        a, b, cost = (
            (np.array(side, dtype=np.int64) for side in zip(*links, strict=True))
            if (links)
            else (np.empty(0, dtype=np.int64),) * 3
        )
        shape = (self.num_tiles, self.num_tiles)
        graph = csr_matrix((cost.astype(np.float64), (a, b)), shape=shape)
        return np.asarray(csgraph.dijkstra(graph, directed=False))


def _places(tile: Places, width: int) -> tuple[IntArray, IntArray]:
    """Return columns and rows of tiles."""
    y, x = np.divmod(np.asarray(tile, dtype=np.int64), width)
    return x, y


def _check_matrix(name: str, matrix: Matrix, size: int) -> None:
    if len(matrix) != size or any(len(row) != size or min(row) < 0 for row in matrix):
        raise ValueError(f"{name}: must be square, with hops >= 0")
    if any(row[t] != 0 for t, row in enumerate(matrix)):
        raise ValueError(f"{name}: a tile must be 0 hops from itself")
