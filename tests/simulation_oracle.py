"""The period of a mapping by playing it, tick by tick, from the words of docs/model.md.

Nothing of ``optmap.judge`` is used: clusters, rates and initial tokens are read off the fan-in
lists again, tiles walk their orders, network interfaces send, buffers have a capacity in tokens
that is claimed at a producer's start and freed at a consumer's end. The play ends when a state
returns; the ticks between the two visits over the iterations between them are the period.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

import networkx as nx

from optmap.model.mapping import Mapping
from optmap.model.platform import Platform


class Stuck(Exception):
    """Nothing runs, nothing is on its way and nothing can start."""


@dataclass(frozen=True)
class Application:
    """Clusters with their events, channels with their spikes and initial iterations."""

    events: dict[int, int]
    spikes: dict[tuple[int, int], int]
    initial: dict[tuple[int, int], int]


def application(mapping: Mapping, tokens: str) -> Application:
    """Read the clustered network off the fan-in lists, one synapse at a time."""
    network = mapping.decomposition.network
    cluster_of = {
        int(u): int(k) for u, k in zip(network.units, mapping.clustering.cluster_of, strict=True)
    }
    read: dict[int, set[int]] = {k: set() for k in cluster_of.values()}
    for unit, k in cluster_of.items():
        read[k] |= set(network.sources_of(unit).tolist())
    events = {k: sum(int(network.spikes[i]) for i in sources) for k, sources in read.items()}
    spikes: dict[tuple[int, int], int] = defaultdict(int)
    for k, sources in read.items():
        for i in sources:
            if i in cluster_of and cluster_of[i] != k:
                spikes[cluster_of[i], k] += int(network.spikes[i])
    channels = nx.DiGraph(list(spikes))
    initial = {(a, b): int(tokens == "pipelined" or nx.has_path(channels, b, a)) for a, b in spikes}
    return Application(events, dict(spikes), initial)


@dataclass
class Buffer:
    """Space for tokens: how much is claimed, and how many tokens are ready to be read."""

    capacity: int
    claimed: int
    ready: int

    def claim(self, tokens: int) -> None:
        """Take space at a start."""
        self.claimed += tokens
        assert self.claimed <= self.capacity

    def free(self, tokens: int) -> None:
        """Give space back at an end, with the tokens that lay there."""
        self.claimed -= tokens
        assert self.claimed >= self.ready >= 0

    def room_for(self, tokens: int) -> bool:
        """Tell whether so many more tokens fit."""
        return self.claimed + tokens <= self.capacity


class Resource:
    """A tile or a network interface: walks its order; round r fires iteration r + offset."""

    def __init__(self, order, offsets) -> None:
        self.order, self.offsets = order, offsets
        self.round, self.position = -max(offsets, default=0), 0
        self.busy_with = None
        self._skip()

    def _skip(self) -> None:
        """Pass entries that have not begun yet: their iteration would be negative."""
        while self.order and self.round + self.offsets[self.position] < 0:
            self._step()

    def _step(self) -> None:
        self.position += 1
        if self.position == len(self.order):
            self.round, self.position = self.round + 1, 0

    @property
    def next(self):
        """What it fires next; None while it is busy or has nothing to do."""
        return self.order[self.position] if self.order and self.busy_with is None else None

    def start(self) -> None:
        """Fire the next entry."""
        self.busy_with = self.order[self.position]
        self._step()
        self._skip()


class Play:
    """The state of one group of tiles that depend on each other."""

    def __init__(self, mapping: Mapping, platform: Platform, app: Application, tiles, sends):
        self.app, self.platform = app, platform
        self.tile_of = mapping.binding.tile_of.tolist()
        orders, windows = mapping.orders, platform.buffer_windows
        sharing = defaultdict(int)
        for t in self.tile_of:
            sharing[t] += 1
        self.tau = {
            k: platform.base_ticks
            + platform.event_ticks * events
            + (platform.switch_ticks if sharing[self.tile_of[k]] > 1 else 0)
            for k, events in app.events.items()
        }
        self.tiles, self.interfaces = {}, {}
        for t in tiles:
            order = orders.clusters[t]
            offsets = orders.offsets[t] if orders.offsets else [0] * len(order)
            self.tiles[t] = Resource(order, offsets)
            ahead = orders.send_offsets[t] if orders.send_offsets else [0] * len(sends[t])
            self.interfaces[t] = Resource(sends[t], ahead)
        self.tokens = {c: max(1, s) for c, s in app.spikes.items()}
        self.input, self.output = {}, {}
        for (a, b), r in self.tokens.items():
            if self.tile_of[a] in self.tiles:
                held = app.initial[a, b] * r
                self.input[a, b] = Buffer(windows * r, held, held)
                if self.remote((a, b)):
                    self.output[a, b] = Buffer(windows * r, 0, 0)
        self.now, self.pending = 0, []  # pending: (time, word, subject)
        self.fired = {k: 0 for t in tiles for k in orders.clusters[t]}

    def remote(self, channel) -> bool:
        """Tell whether the channel's ends stand on different tiles."""
        return self.tile_of[channel[0]] != self.tile_of[channel[1]]

    def writes_to(self, channel) -> Buffer:
        """Return the buffer the producer's spikes are put into."""
        return self.output[channel] if self.remote(channel) else self.input[channel]

    def can_fire(self, k) -> bool:
        """Tell whether cluster k has its tokens, and space for what it produces."""
        return all(self.input[c].ready >= self.tokens[c] for c in self.tokens if c[1] == k) and all(
            self.writes_to(c).room_for(self.tokens[c]) for c in self.tokens if c[0] == k
        )

    def can_send(self, channel) -> bool:
        """Tell whether a window lies in the output buffer and another fits the input buffer."""
        r = self.tokens[channel]
        return self.output[channel].ready >= r and self.input[channel].room_for(r)

    def send_ticks(self, channel) -> int:
        """Return the fewest whole ticks in which the interface passes the channel's tokens."""
        ticks = 0
        while ticks * self.platform.ni_tokens_per_tick < self.tokens[channel]:
            ticks += 1
        return ticks

    def start_all(self) -> None:
        """Start whatever can start now."""
        for t, tile in self.tiles.items():
            k = tile.next
            if k is not None and self.can_fire(k):
                tile.start()
                self.pending.append((self.now + self.tau[k], "fired", (t, k)))
                for c in self.tokens:
                    if c[0] == k:
                        self.writes_to(c).claim(self.tokens[c])
        for t, interface in self.interfaces.items():
            c = interface.next
            if c is not None and self.can_send(c):
                interface.start()
                end = self.now + self.send_ticks(c)
                u, v = self.tile_of[c[0]], self.tile_of[c[1]]
                flight = int(self.platform.hops[u][v]) * self.platform.hop_ticks
                self.input[c].claim(self.tokens[c])
                self.pending.append((end, "sent", (t, c)))
                self.pending.append((end + flight, "arrived", c))

    def end(self, word, subject) -> None:
        """Let one thing end."""
        if word == "arrived":
            self.input[subject].ready += self.tokens[subject]
        elif word == "sent":
            t, c = subject
            self.interfaces[t].busy_with = None
            self.output[c].ready -= self.tokens[c]
            self.output[c].free(self.tokens[c])
        else:
            t, k = subject
            self.tiles[t].busy_with = None
            self.fired[k] += 1
            for c, r in self.tokens.items():
                if c[0] == k:
                    self.writes_to(c).ready += r
                if c[1] == k:
                    self.input[c].ready -= r
                    self.input[c].free(r)

    def state(self):
        """Return everything that decides the future, without the clock."""
        resources = (*self.tiles.values(), *self.interfaces.values())
        return (
            tuple((min(r.round, 0), r.position, r.busy_with) for r in resources),
            tuple((b.claimed, b.ready) for b in (*self.input.values(), *self.output.values())),
            tuple(sorted((time - self.now, word, subject) for time, word, subject in self.pending)),
        )

    def period(self) -> Fraction:
        """Play until a state returns."""
        seen = {}
        while True:
            self.start_all()
            if not self.pending:
                raise Stuck
            here = self.state()
            if here in seen:
                then, fired = seen[here]
                rounds = {self.fired[k] - fired[k] for k in self.fired}
                assert len(rounds) == 1, "all clusters of a group run at one rate"
                return Fraction(self.now - then, rounds.pop())
            seen[here] = (self.now, dict(self.fired))
            self.now = min(time for time, _, _ in self.pending)
            ending = [(w, s) for time, w, s in self.pending if time == self.now]
            self.pending = [entry for entry in self.pending if entry[0] != self.now]
            for word, subject in ending:
                self.end(word, subject)


def default_sends(mapping: Mapping, app: Application, num_tiles: int):
    """Return the send orders: by the producers' place in the order, then the consumer's index."""
    tile_of, sends = mapping.binding.tile_of, []
    for t in range(num_tiles):
        sends.append(
            [
                (a, b)
                for a in mapping.orders.clusters[t]
                for b in range(len(tile_of))
                if (a, b) in app.spikes and tile_of[b] != t
            ]
        )
    return sends


def simulated_period(mapping: Mapping, platform: Platform, tokens: str) -> Fraction:
    """Return the average ticks per iteration of the slowest group of tiles.

    Raises
    ------
    Stuck
        If the execution stops.
    """
    app = application(mapping, tokens)
    sends = mapping.orders.sends or default_sends(mapping, app, platform.num_tiles)
    together = nx.Graph()
    tile_of = mapping.binding.tile_of.tolist()
    together.add_nodes_from(tile_of)
    together.add_edges_from((tile_of[a], tile_of[b]) for a, b in app.spikes)
    return max(
        Play(mapping, platform, app, sorted(group), sends).period()
        for group in nx.connected_components(together)
    )
