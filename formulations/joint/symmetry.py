"""(B6) Tiles that no rule can tell apart, and which of all equal bindings a solver should look at.

A permutation of the tiles that keeps hops and tiles (crossbar, buffers, slots) maps every mapping
to one of equal value. Candidates come from the interconnect's shape (or, up to six tiles, from all
permutations) and each is checked against the hop matrix, so that a heterogeneous or oddly joined
platform simply keeps fewer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product

from optmap.model.mapping import Binding
from optmap.model.platform import Platform

Permutation = tuple[int, ...]

#: Up to so many tiles every permutation is tried.
MAX_TILES_ENUMERATED = 6


def automorphisms(platform: Platform, *, hops_matter: bool = True) -> list[Permutation]:
    """Return the permutations g (tile t goes to g[t]) that change no value, identity included.

    Parameters
    ----------
    hops_matter : bool
        Without it only the tiles themselves must be alike: right where spikes travel in no time and
        no objective counts hops.
    """
    far = platform.hops, platform.latency
    tiles = range(platform.num_tiles)

    def keeps(g: Permutation) -> bool:
        if any(platform.tiles[t] != platform.tiles[g[t]] for t in tiles):
            return False
        image = list(g)
        return not hops_matter or all((m[image][:, image] == m).all() for m in far)

    return sorted({g for g in _candidates(platform) if keeps(g)})


def _candidates(platform: Platform) -> Iterator[Permutation]:
    n, net = platform.num_tiles, platform.interconnect
    yield tuple(range(n))
    if n <= MAX_TILES_ENUMERATED:
        yield from permutations(range(n))
        return
    if net.width is None or net.height is None:
        return
    x, y = net.width, net.height
    shifts = product(range(x), range(y)) if net.kind == "torus" else [(0, 0)]
    for (dx, dy), fx, fy, turn in product(shifts, (False, True), (False, True), (False, True)):
        if turn and x != y:
            continue
        image = []
        for t in range(n):
            i, j = (t % x + dx) % x, (t // x + dy) % y
            i, j = x - 1 - i if fx else i, y - 1 - j if fy else j
            image.append(i * x + j if turn else j * x + i)
        yield tuple(image)


def orbits(group: Sequence[Permutation], tiles: Iterable[int]) -> dict[int, int]:
    """Return for each tile the lowest tile that ``group`` maps it to."""
    return {t: min(g[t] for g in group) for t in tiles}


@dataclass(frozen=True, slots=True)
class Rule:
    """The first cluster on a tile of ``moved`` stands on one of ``allowed``.

    ``given`` is a tile for the very first cluster under which the rule holds; None: always.
    """

    given: int | None
    moved: frozenset[int]
    allowed: frozenset[int]


def rules(group: Sequence[Permutation], num_tiles: int) -> list[Rule]:
    """Return rules that the lexicographically least binding of every class of equals obeys.

    Proof: clusters are looked at in a fixed order. The first one goes to the lowest tile t0 of its
    orbit. What fixes t0, H, still fixes everything that stands on tiles H does not move, so the
    first cluster on a moved tile can go to the lowest of its H-orbit; and so on with what fixes
    that tile too, as long as there is one orbit only.
    """
    tiles = range(num_tiles)
    found = []
    lowest = orbits(group, tiles)
    first = frozenset(lowest.values())
    if len(first) < num_tiles:
        found.append(Rule(None, frozenset(tiles), first))
    for t0 in sorted(first):
        stabiliser = [g for g in group if g[t0] == t0]
        while True:
            moved = frozenset(t for t in tiles if any(g[t] != t for g in stabiliser))
            if not moved:
                break
            lowest = orbits(stabiliser, moved)
            allowed = frozenset(lowest.values())
            found.append(Rule(t0, moved, allowed))
            if len(allowed) > 1:
                break
            (rep,) = allowed
            stabiliser = [g for g in stabiliser if g[rep] == rep]
    return found


def canonical(binding: Binding, group: Sequence[Permutation], order: Sequence[int]) -> Permutation:
    """Return the element of ``group`` that makes ``binding`` least, clusters taken in ``order``."""
    tile = binding.tile_of.tolist()
    return min(group, key=lambda g: [g[tile[a]] for a in order])
