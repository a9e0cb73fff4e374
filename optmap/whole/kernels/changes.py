"""The changes that every move is made of; each is logged and can be taken back.

``relocate`` puts a piece into another cluster, ``assign`` gives a synapse to another piece of its
neuron, ``rebind`` puts a cluster on another tile, ``add`` and ``remove`` insert and drop a piece
that reads nothing. In between, capacities may be exceeded: ``total.excess`` says by how much in
all; pieces that sum nothing count, too. A cluster may hold one piece more than any crossbar has
columns, for swaps.
"""

from typing import Any

from optmap.compiled import borrowing, compiled
from optmap.whole.kernels.state import ADDED, BOUND, MOVED, READ, REMOVED


@borrowing
def _over(st: Any, k: int) -> Any:
    """Return by how much cluster ``k`` exceeds the crossbar of its tile."""
    t = st.clusters[k].tile
    over = max(0, st.clusters[k].rows - st.tiles[t].rows)
    over += max(0, st.clusters[k].size - st.tiles[t].columns)
    for d in range(st.load.shape[1]):
        over += max(0, st.load[k, d] - st.room[t, d])
    return over


@borrowing
def _use(st: Any, p: int, k: int, sign: int) -> None:
    """Piece ``p`` uses what the tiles limit besides rows and columns (1), or gives it back (-1)."""
    j = st.piece[p].owner
    for d in range(st.load.shape[1]):
        st.load[k, d] += sign * (st.takes[j, d, 0] + st.takes[j, d, 1] * st.piece[p].reads)


@borrowing
def _use_reads(st: Any, p: int, things: int) -> None:
    """Piece ``p`` uses what it takes to read so many things more."""
    k, j = st.piece[p].cluster, st.piece[p].owner
    if st.load.shape[1] == 0:
        return
    st.total[0].excess -= _over(st, k)
    for d in range(st.load.shape[1]):
        st.load[k, d] += things * st.takes[j, d, 1]
    st.total[0].excess += _over(st, k)


@borrowing
def _crowded(st: Any, t: int) -> Any:
    """Return by how many programs tile ``t`` exceeds its slots."""
    return max(0, st.tiles[t].held - st.tiles[t].slots)


@borrowing
def _thin(st: Any, p: int) -> Any:
    """Return 1 for a piece of a split neuron that sums nothing: it reads less than two things."""
    split = p != st.piece[p].owner or st.piece[p].next >= 0
    return 1 if split and st.piece[p].reads < 2 else 0


@borrowing
def _send_ticks(st: Any, a: int, b: int) -> Any:
    """Return the ticks that channel (a, b) takes of an interface where its ends are apart."""
    if st.channel[a, b].lines == 0:
        return 0
    return -(-max(1, st.channel[a, b].spikes) * st.costs[0].rate_ticks // st.costs[0].rate_tokens)


@borrowing
def _channel(st: Any, a: int, b: int, spikes: int, lines: int) -> None:
    """Add spikes and sources to channel (a, b); a cluster reads itself without one."""
    t, v = st.clusters[a].tile, st.clusters[b].tile
    if a == b:
        st.total[0].local += spikes
        return
    before, most = _send_ticks(st, a, b), st.costs[0].most
    st.total[0].excess -= max(0, st.channel[a, b].spikes - most)
    st.channel[a, b].spikes += spikes
    st.total[0].excess += max(0, st.channel[a, b].spikes - most)
    st.channel[a, b].lines += lines
    st.total[0].traffic += spikes
    if t == v:
        st.total[0].local += spikes
    else:
        st.total[0].hops += spikes * st.hops[t, v]
        st.tiles[t].sends += _send_ticks(st, a, b) - before


@borrowing
def _row(st: Any, k: int, spikes: int, sign: int) -> None:
    """Add (1) or drop (-1) a row that carries ``spikes``."""
    st.total[0].excess -= _over(st, k)
    st.clusters[k].rows += sign
    st.clusters[k].read += sign * spikes
    st.tiles[st.clusters[k].tile].ticks += sign * spikes * st.costs[0].event
    st.total[0].excess += _over(st, k)


@borrowing
def _line(st: Any, i: int, k: int, sign: int) -> None:
    """Neuron ``i`` takes a row of ``k`` (1), or no longer (-1)."""
    _row(st, k, st.neuron[i].spikes, sign)
    a = st.piece[i].cluster
    if a < 0:
        st.total[0].traffic += sign * st.neuron[i].spikes
    else:
        _channel(st, a, k, sign * st.neuron[i].spikes, sign)


@borrowing
def _read_raw(st: Any, i: int, k: int, sign: int) -> None:
    """One member of ``k`` more (1) or less (-1) reads neuron ``i``."""
    st.total[0].events += sign * st.neuron[i].spikes
    before = st.count[i, k]
    st.count[i, k] = before + sign
    if before + min(sign, 0) == 0:
        _line(st, i, k, sign)


@borrowing
def _open(st: Any, k: int, sign: int) -> None:
    """Cluster ``k`` is no longer empty (1), or it is again (-1)."""
    t = st.clusters[k].tile
    st.total[0].excess -= _crowded(st, t)
    st.tiles[t].held += sign
    st.total[0].excess += _crowded(st, t)
    st.tiles[t].ticks += sign * st.costs[0].base
    st.total[0].clusters += sign


@borrowing
def _join(st: Any, p: int, k: int) -> None:
    """Enter piece ``p`` among the members of ``k``."""
    if st.clusters[k].size == 0:
        _open(st, k, 1)
    st.total[0].excess -= _over(st, k)
    st.members[k, st.clusters[k].size] = p
    st.piece[p].place = st.clusters[k].size
    st.clusters[k].size += 1
    _use(st, p, k, 1)
    st.total[0].excess += _over(st, k)


@borrowing
def _leave(st: Any, p: int, k: int) -> None:
    st.total[0].excess -= _over(st, k)
    st.clusters[k].size -= 1
    _use(st, p, k, -1)
    last = st.members[k, st.clusters[k].size]
    st.members[k, st.piece[p].place] = last
    st.piece[last].place = st.piece[p].place
    st.total[0].excess += _over(st, k)
    if st.clusters[k].size == 0:
        _open(st, k, -1)


@borrowing
def _note(st: Any, what: int, a: int, b: int) -> None:
    entry = st.log[st.total[0].logged]
    entry[0] = what
    entry[1] = a
    entry[2] = b
    st.total[0].logged += 1


@borrowing
def relocate(st: Any, p: int, k: int) -> None:
    """Put piece ``p`` into cluster ``k``."""
    old = st.piece[p].cluster
    _note(st, MOVED, p, old)
    j = st.piece[p].owner
    _leave(st, p, old)
    _join(st, p, k)
    synapses, count = st.synapse, st.count  # arrays by name: faster than out of the tuple
    for s in range(st.neuron[j].first, st.neuron[j + 1].first):
        if synapses[s].piece == p:
            i = synapses[s].source
            count[i, old] -= 1
            if count[i, old] == 0:
                _line(st, i, old, -1)
            count[i, k] += 1
            if count[i, k] == 1:
                _line(st, i, k, 1)
    c = st.piece[j].next
    while c >= 0:
        if st.piece[c].above == p:
            _row(st, old, st.piece[c].weight, -1)
            _row(st, k, st.piece[c].weight, 1)
            _channel(st, st.piece[c].cluster, old, -st.piece[c].weight, -1)
            _channel(st, st.piece[c].cluster, k, st.piece[c].weight, 1)
        c = st.piece[c].next
    if p == j:
        for b in range(count.shape[1]):
            if count[j, b] > 0:
                _channel(st, old, b, -st.piece[p].weight, -1)
                _channel(st, k, b, st.piece[p].weight, 1)
    else:
        b = st.piece[st.piece[p].above].cluster
        _channel(st, old, b, -st.piece[p].weight, -1)
        _channel(st, k, b, st.piece[p].weight, 1)
    st.piece[p].cluster = k


@borrowing
def _louder(st: Any, p: int, spikes: int) -> None:
    """Add ``spikes`` to piece ``p`` and to all pieces that read it."""
    while p != st.piece[p].owner:
        st.piece[p].weight += spikes
        st.total[0].inserted += spikes
        st.total[0].events += spikes
        k = st.piece[st.piece[p].above].cluster
        st.clusters[k].read += spikes
        st.tiles[st.clusters[k].tile].ticks += spikes * st.costs[0].event
        _channel(st, st.piece[p].cluster, k, spikes, 0)
        p = st.piece[p].above


@borrowing
def assign(st: Any, s: int, p: int) -> None:
    """Let piece ``p`` read synapse ``s``, another piece of the same neuron until now."""
    old, i = st.synapse[s].piece, st.synapse[s].source
    _note(st, READ, s, old)
    _read_raw(st, i, st.piece[old].cluster, -1)
    _louder(st, old, -st.neuron[i].spikes)
    st.total[0].excess -= _thin(st, old) + _thin(st, p)
    st.piece[old].reads -= 1
    st.synapse[s].piece = p
    st.piece[p].reads += 1
    st.total[0].excess += _thin(st, old) + _thin(st, p)
    _use_reads(st, old, -1)
    _use_reads(st, p, 1)
    _louder(st, p, st.neuron[i].spikes)
    _read_raw(st, i, st.piece[p].cluster, 1)


@borrowing
def rebind(st: Any, k: int, t: int) -> None:
    """Put cluster ``k`` on tile ``t``."""
    old = st.clusters[k].tile
    if old == t:
        return
    _note(st, BOUND, k, old)
    for b in range(len(st.clusters)):
        if st.channel[k, b].lines > 0:
            _moves_end(st, k, b, old, t, st.clusters[b].tile, st.clusters[b].tile)
        if st.channel[b, k].lines > 0:
            _moves_end(st, b, k, st.clusters[b].tile, st.clusters[b].tile, old, t)
    load = st.costs[0].event * st.clusters[k].read
    st.tiles[old].ticks -= load
    st.tiles[t].ticks += load
    st.total[0].excess -= _over(st, k)
    occupied = st.clusters[k].size > 0
    if occupied:
        _open(st, k, -1)
    st.clusters[k].tile = t
    if occupied:
        _open(st, k, 1)
    st.total[0].excess += _over(st, k)


@borrowing
def _moves_end(st: Any, a: int, b: int, t: int, new_t: int, v: int, new_v: int) -> None:
    """Channel (a, b) runs from ``new_t`` to ``new_v`` instead of from ``t`` to ``v``."""
    ticks, spikes = _send_ticks(st, a, b), st.channel[a, b].spikes
    st.total[0].hops += spikes * (st.hops[new_t, new_v] - st.hops[t, v])
    if t == v:
        st.total[0].local -= spikes
    else:
        st.tiles[t].sends -= ticks
    if new_t == new_v:
        st.total[0].local += spikes
    else:
        st.tiles[new_t].sends += ticks


@borrowing
def _enter(st: Any, p: int, above: int, k: int) -> None:
    """Let piece ``above`` read piece ``p``, silent and reading nothing, of cluster ``k``."""
    j = st.piece[above].owner
    st.piece[p].owner = j
    st.piece[p].above = above
    st.piece[p].cluster = k
    st.piece[p].weight = 0
    st.piece[p].reads = 0
    st.total[0].excess -= _thin(st, above)
    st.piece[p].next = st.piece[j].next
    st.piece[j].next = p
    st.piece[above].reads += 1
    st.total[0].excess += _thin(st, above) + _thin(st, p)
    _use_reads(st, above, 1)
    _join(st, p, k)
    _row(st, st.piece[above].cluster, 0, 1)
    _channel(st, k, st.piece[above].cluster, 0, 1)


@borrowing
def add(st: Any, above: int, k: int) -> Any:
    """Insert a piece of cluster ``k`` that ``above`` reads; return it, or -1 if none is left."""
    if st.total[0].idle == 0:
        return -1
    st.total[0].idle -= 1
    p = st.piece[st.total[0].idle].stock
    st.total[0].pieces = max(st.total[0].pieces, p + 1)
    _note(st, ADDED, p, 0)
    _enter(st, p, above, k)
    return p


@borrowing
def remove(st: Any, p: int) -> None:
    """Drop an inserted piece that reads nothing."""
    _note(st, REMOVED, p, st.piece[p].cluster)
    j, k, above = st.piece[p].owner, st.piece[p].cluster, st.piece[p].above
    st.total[0].excess -= _thin(st, above) + _thin(st, p)
    before = j
    while st.piece[before].next != p:
        before = st.piece[before].next
    st.piece[before].next = st.piece[p].next
    st.piece[above].reads -= 1
    st.total[0].excess += _thin(st, above)
    _use_reads(st, above, -1)
    _row(st, st.piece[above].cluster, 0, -1)
    _channel(st, k, st.piece[above].cluster, 0, -1)
    _leave(st, p, k)
    st.piece[p].cluster = -1
    st.piece[st.total[0].idle].stock = p
    st.total[0].idle += 1


@borrowing
def take_back(st: Any, mark: int) -> None:
    """Take back all changes logged since there were ``mark`` entries."""
    while st.total[0].logged > mark:
        at = st.total[0].logged - 1
        what, a, b = st.log[at, 0], st.log[at, 1], st.log[at, 2]
        if what == MOVED:
            relocate(st, a, b)
        elif what == READ:
            assign(st, a, b)
        elif what == BOUND:
            rebind(st, a, b)
        elif what == ADDED:
            remove(st, a)
        else:
            st.total[0].idle -= 1
            _enter(st, a, st.piece[a].above, b)
        st.total[0].logged = at


@compiled
def fill(st: Any) -> None:
    """Count everything that follows from pieces, clusters and tiles."""
    n = len(st.neuron) - 1
    for p in range(st.total[0].pieces):
        if st.piece[p].cluster >= 0:
            _join(st, p, st.piece[p].cluster)
    for s in range(len(st.synapse)):
        _read_raw(st, st.synapse[s].source, st.piece[st.synapse[s].piece].cluster, 1)
    for p in range(n, st.total[0].pieces):
        if st.piece[p].cluster >= 0:
            k, spikes = st.piece[st.piece[p].above].cluster, st.piece[p].weight
            _row(st, k, spikes, 1)
            _channel(st, st.piece[p].cluster, k, spikes, 1)
            st.total[0].inserted += spikes
            st.total[0].events += spikes
