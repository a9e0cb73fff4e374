"""The moves of the search, each a few changes; what they leave may exceed capacities.

A move draws from ``rng`` what it changes, makes the changes and returns whether it made any. It is
the search that looks at the outcome, and takes back what does not please.
"""

from __future__ import annotations

from typing import Any

from optmap.compiled import borrowing, compiled
from optmap.whole.kernels.changes import add, assign, rebind, relocate, remove

#: Draws until something suitable must have turned up.
TRIES = 4
#: Share of moves of pieces that go to an empty cluster.
EMPTY_SHARE = 0.02


@borrowing
def drawn(rng: Any, n: int) -> Any:
    """Return one of 0..n-1."""
    return int(rng.random() * n)


@borrowing
def neighbour(st: Any, rng: Any) -> Any:
    """Return (piece, cluster): a piece and a cluster that shares a source with it, or sends it."""
    s = drawn(rng, len(st.synapse))
    p, i = st.synapse[s].piece, st.synapse[s].source
    if rng.random() < 0.2 and st.piece[i].cluster >= 0:
        if rng.random() < 0.5:
            return p, st.piece[i].cluster
        return i, st.piece[p].cluster
    other = st.synapse[st.neuron[i].out + drawn(rng, st.neuron[i + 1].out - st.neuron[i].out)].out
    return p, st.piece[st.synapse[other].piece].cluster


@borrowing
def _empty_cluster(st: Any) -> Any:
    """Return a cluster without members, or -1."""
    for k in range(len(st.clusters)):
        if st.clusters[k].size == 0:
            return k
    return -1


@borrowing
def _occupied(st: Any, rng: Any) -> Any:
    """Return a cluster with members."""
    while True:
        k = drawn(rng, len(st.clusters))
        if st.clusters[k].size > 0:
            return k


@compiled
def alike(st: Any, twin: Any, p: int, k: int) -> Any:
    """Return the members of ``k`` that read what ``p`` reads: twins' pieces of the same place."""
    found = st.members[k, : st.clusters[k].size].copy()
    kept = 0
    inserted = p != st.piece[p].owner
    for x in range(len(found)):
        q = found[x]
        j = st.piece[q].owner
        same = twin[j] == twin[st.piece[p].owner] and (q != j) == inserted
        if same and (not inserted or st.piece[q].weight == st.piece[p].weight):
            found[kept] = q
            kept += 1
    return found[:kept]


@borrowing
def draw_exchange(st: Any, rng: Any, swap: bool) -> Any:
    """Draw (piece, cluster to go to, piece to come back or -1); the cluster is -1 if none suits."""
    p, k = neighbour(st, rng)
    if not swap and rng.random() < EMPTY_SHARE:
        k = _empty_cluster(st)
        if k >= 0:
            rebind(st, k, drawn(rng, len(st.tiles)))
    if k < 0 or k == st.piece[p].cluster:
        return p, -1, -1
    return p, k, st.members[k, drawn(rng, st.clusters[k].size)] if swap else -1


@borrowing
def exchange(st: Any, here: Any, k: int, there: Any, old: int) -> None:
    """Put the pieces ``here`` into ``k``, those of ``there`` into ``old``."""
    for x in range(max(len(here), len(there))):
        if x < len(here):
            relocate(st, here[x], k)
        if x < len(there):
            relocate(st, there[x], old)


@compiled
def merge(st: Any, rng: Any) -> Any:
    """Put all members of a cluster into another that shares a source with it."""
    p, k = neighbour(st, rng)
    old = st.piece[p].cluster
    if (
        k == old
        or st.clusters[k].size + st.clusters[old].size > st.tiles[st.clusters[k].tile].columns
    ):
        return False
    most = st.tiles[st.clusters[k].tile].rows
    for q in st.members[old, : st.clusters[old].size].copy():
        relocate(st, q, k)
        if st.clusters[k].rows > most:
            return False  # more members do not lower it
    return True


@compiled
def split(st: Any, rng: Any) -> Any:
    """Move the members of a cluster that read some source, or some at random, to an empty one."""
    k, new = _occupied(st, rng), _empty_cluster(st)
    if new < 0 or st.clusters[k].size < 2:
        return False
    rebind(st, new, drawn(rng, len(st.tiles)))
    p = st.members[k, drawn(rng, st.clusters[k].size)]
    j = st.piece[p].owner
    first, reads = st.neuron[j].first, st.neuron[j + 1].first - st.neuron[j].first
    s = first + drawn(rng, reads)
    by_source = rng.random() < 0.7 and reads > 0
    i = st.synapse[s].source if by_source else -1
    for q in st.members[k, : st.clusters[k].size].copy():
        if st.clusters[k].size < 2:
            break
        if by_source:
            s = synapse(st, st.piece[q].owner, i)
            if s < 0 or st.synapse[s].piece != q:
                continue
        elif rng.random() < 0.5:
            continue
        relocate(st, q, new)
    return st.clusters[new].size > 0


@compiled
def spread(st: Any, rng: Any) -> Any:
    """Move about half of the busiest tile's largest load to the calmest tile, as a new cluster."""
    new, busiest, calmest, k = _empty_cluster(st), 0, 0, -1
    for t in range(len(st.tiles)):
        if st.tiles[t].ticks > st.tiles[busiest].ticks:
            busiest = t
        if st.tiles[t].ticks < st.tiles[calmest].ticks:
            calmest = t
    for c in range(len(st.clusters)):
        largest = k < 0 or st.clusters[c].read > st.clusters[k].read
        if largest and st.clusters[c].tile == busiest and st.clusters[c].size > 1:
            k = c
    if new < 0 or k < 0:
        return False
    rebind(st, new, calmest)
    for q in st.members[k, : st.clusters[k].size].copy():
        if st.clusters[k].size > 1 and rng.random() < 0.5:
            relocate(st, q, new)
    return st.clusters[new].size > 0


@borrowing
def move_cluster(st: Any, rng: Any) -> Any:
    """Put a cluster on another tile, or exchange the tiles of two."""
    k, t = _occupied(st, rng), drawn(rng, len(st.tiles))
    old = st.clusters[k].tile
    if rng.random() < 0.5:
        other = _occupied(st, rng)
        t = st.clusters[other].tile
        if t != old:
            rebind(st, other, old)
    rebind(st, k, t)
    return t != old


# which piece reads a source


@borrowing
def synapse(st: Any, j: int, i: int) -> Any:
    """Return the synapse from ``i`` to neuron ``j``, or -1."""
    low, high = st.neuron[j].first, st.neuron[j + 1].first
    while low < high:
        middle = (low + high) // 2
        if st.synapse[middle].source < i:
            low = middle + 1
        else:
            high = middle
    return low if low < st.neuron[j + 1].first and st.synapse[low].source == i else -1


@borrowing
def _drop_if_idle(st: Any, p: int) -> None:
    """Drop a piece that reads nothing, or one source, which the piece above it then reads."""
    j = st.piece[p].owner
    while p != j and st.piece[p].reads < 2:
        above = st.piece[p].above
        if st.piece[p].reads == 1:
            only = -1
            for s in range(st.neuron[j].first, st.neuron[j + 1].first):
                if st.synapse[s].piece == p:
                    only = s
            if only < 0:
                return
            assign(st, only, above)
        remove(st, p)
        p = above


@borrowing
def shift_source(st: Any, rng: Any) -> Any:
    """Let another piece of the same neuron read a source."""
    s = drawn(rng, len(st.synapse))
    j, p = st.synapse[s].post, st.synapse[s].piece
    q, seen, c = j, 1, st.piece[j].next
    while c >= 0:
        seen += 1
        if drawn(rng, seen) == 0:
            q = c
        c = st.piece[c].next
    if q == p:
        return False
    assign(st, s, q)
    _drop_if_idle(st, p)
    return True


@compiled
def _pull(st: Any, k: int, i: int) -> None:
    """Let the members of ``k`` read source ``i`` directly where a piece below them does."""
    for m in st.members[k, : st.clusters[k].size].copy():
        if st.piece[m].cluster != k:
            continue
        s = synapse(st, st.piece[m].owner, i)
        if s >= 0 and st.synapse[s].piece != m and st.piece[st.synapse[s].piece].above == m:
            c = st.synapse[s].piece
            assign(st, s, m)
            _drop_if_idle(st, c)


@borrowing
def _below(st: Any, m: int, i: int, rng: Any) -> Any:
    """Return a piece that ``m`` reads, if possible one whose cluster reads ``i`` anyway, or -1."""
    best, score, seen = -1, 0, 0
    c = st.piece[st.piece[m].owner].next
    while c >= 0:
        if st.piece[c].above == m:
            k = st.piece[c].cluster
            value = 1
            if st.count[i, k] > 0:
                value = 3
            elif st.clusters[k].rows < st.tiles[st.clusters[k].tile].rows:
                value = 2
            if value > score:
                best, score, seen = c, value, 1
            elif value == score:
                seen += 1
                if drawn(rng, seen) == 0:
                    best = c
        c = st.piece[c].next
    return best


@compiled
def _push(st: Any, k: int, i: int, rng: Any) -> Any:
    """Let pieces below read source ``i`` for all members of ``k``; False where there is none."""
    for m in st.members[k, : st.clusters[k].size].copy():
        s = synapse(st, st.piece[m].owner, i)
        if s >= 0 and st.synapse[s].piece == m:
            c = _below(st, m, i, rng)
            if c < 0:
                return False
            assign(st, s, c)
            _drop_if_idle(st, m)
    return True


@borrowing
def _quiet_source(st: Any, k: int, rng: Any) -> Any:
    """Return a source on a row of ``k``: the quietest of a few draws, or -1."""
    best = -1
    for _ in range(TRIES):
        m = st.members[k, drawn(rng, st.clusters[k].size)]
        j = st.piece[m].owner
        s = st.neuron[j].first + drawn(rng, st.neuron[j + 1].first - st.neuron[j].first)
        if s < st.neuron[j + 1].first and st.synapse[s].piece == m:
            i = st.synapse[s].source
            if best < 0 or st.neuron[i].spikes < st.neuron[best].spikes:
                best = i
    return best


@compiled
def exchange_rows(st: Any, rng: Any) -> Any:
    """Let a cluster read a source directly that it read through pieces, and another one not."""
    s, found = -1, False
    for _ in range(TRIES):
        x = drawn(rng, len(st.synapse))
        p = st.synapse[x].piece
        if p != st.piece[p].owner:
            if (
                s < 0
                or st.neuron[st.synapse[x].source].spikes > st.neuron[st.synapse[s].source].spikes
            ):
                s = x
            found = True
    if not found:
        return False
    i, k = st.synapse[s].source, st.piece[st.piece[st.synapse[s].piece].above].cluster
    if rng.random() < 0.2:  # one neuron alone
        p = st.synapse[s].piece
        assign(st, s, st.piece[p].above)
        _drop_if_idle(st, p)
    else:
        _pull(st, k, i)
    for _ in range(2):
        if st.clusters[k].rows > st.tiles[st.clusters[k].tile].rows:
            quiet = _quiet_source(st, k, rng)
            if quiet < 0 or quiet == i or not _push(st, k, quiet, rng):
                return False
    return True


@compiled
def push_source(st: Any, rng: Any) -> Any:
    """Let pieces below read a source that a cluster has on a row."""
    k = _occupied(st, rng)
    i = _quiet_source(st, k, rng)
    return i >= 0 and _push(st, k, i, rng)


@borrowing
def new_piece(st: Any, rng: Any) -> Any:
    """Insert a piece below another: it takes some of the quieter sources."""
    s = drawn(rng, len(st.synapse))
    p, j = st.synapse[s].piece, st.synapse[s].post
    if st.piece[p].reads < 4:
        return False
    k = neighbour(st, rng)[1]
    if st.clusters[k].size >= st.tiles[st.clusters[k].tile].columns:
        return False
    c = add(st, p, k)
    if c < 0:
        return False
    limit = st.neuron[st.synapse[s].source].spikes
    for x in range(st.neuron[j].first, st.neuron[j + 1].first):
        if st.synapse[x].piece == p and st.neuron[st.synapse[x].source].spikes <= limit:
            assign(st, x, c)
    return st.piece[c].reads > 1 and st.piece[p].reads > 1


@compiled
def fits(st: Any) -> Any:
    """Tell whether no capacity is exceeded."""
    return st.total[0].excess == 0
