"""Sets and parameters of the formulations over all decisions (README.md, W), shared by all.

Sets         J neurons with fan-in, each with one root unit; Q_j places for inserted units of neuron
             j, of which some are used; U all of these; K places for clusters; T tiles
Parameters   P(j) sources, s_i spikes, R and C' of every tile, F sources of a unit at most, base,
             event and switch ticks, hops, windows W, buffers, slots

How many places are enough for every mapping of period at most L:

- A neuron of f sources has at most f - 2 inserted units (each unit sums two inputs or more), at
  least ceil((f - 1) / (F - 1)) - 1.
- An inserted unit stands on a row of the cluster that reads it, beside it or not, and so its spikes
  are read once more: at least the two smallest counts of P(j).
  All clusters together run for T L ticks at most, and raw source i is read by ceil(deg_i / C')
  clusters or more in every decomposition. What that leaves bounds the inserted units of each
  neuron, and the clusters, each of which takes base ticks (and switch, but for T - 1 of them); the
  columns of so many clusters bound the inserted units again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from formulations.joint.symmetry import Rule, automorphisms, rules
from optmap.bounds.end_to_end import fewest_clusters
from optmap.decomposing.contract import decompose
from optmap.model.decomposition import Decomposition, custom
from optmap.model.mapping import Clustering, compact
from optmap.model.platform import Platform
from optmap.model.snn import SNN

#: What an inserted unit reads, children first: (owner, sources and inserted units).
Inserted = tuple[int, list[int]]


@dataclass(frozen=True)
class WholeSets:
    """One problem over all decisions.

    Parameters
    ----------
    tokens : str
        ``dataflow`` or ``pipelined``.
    needed_only : bool
        As few inserted units as each neuron needs: a smaller problem, whose "no" means nothing.
    """

    snn: SNN
    platform: Platform
    tokens: str
    needed_only: bool = False

    @property
    def not_modelled(self) -> str:
        """What of the platform these models lack, in words; empty where they have all of it."""
        if self.platform.buffer_tokens is None:
            return ""
        return "buffer_tokens: the model of all decisions knows buffer_windows only; not searched"

    @cached_property
    def neurons(self) -> list[int]:
        """J."""
        found: list[int] = self.snn.units.tolist()
        return found

    @cached_property
    def sources(self) -> dict[int, list[int]]:
        """P(j)."""
        return {j: self.snn.sources_of(j).tolist() for j in self.neurons}

    @cached_property
    def spikes(self) -> list[int]:
        """s_i of every neuron, inputs included."""
        found: list[int] = self.snn.spikes.tolist()
        return found

    @cached_property
    def rows(self) -> int:
        """R of the largest crossbar."""
        return self.platform.max_rows

    @cached_property
    def widest(self) -> int:
        """F, sources of a unit at most: R, or what the platform allows where that is less."""
        allowed = self.platform.fan_in
        return self.rows if allowed is None else min(self.rows, allowed)

    @property
    def tiles(self) -> range:
        """T."""
        return range(self.platform.num_tiles)

    @cached_property
    def tile_rules(self) -> list[Rule]:
        """(B6) as rules on the first clusters."""
        group = automorphisms(self.platform, hops_matter=self.platform.has_latency)
        return rules(group, self.platform.num_tiles)

    @cached_property
    def least_clusters(self) -> int:
        """No decomposition has a clustering of fewer clusters."""
        return max(1, fewest_clusters(self.snn, self.platform))

    @cached_property
    def raw_reads(self) -> int:
        """Spikes of raw sources that all clusters read together, at least."""
        copies = -(-self.snn.fan_out // self.platform.max_columns)
        return sum(s * c for s, c in zip(self.spikes, copies.tolist(), strict=True))

    def least_sums(self, j: int) -> int:
        """Return the spikes of inserted units of ``j`` that are read at least: the f - F + 1."""
        counts, extra = self.counts(j), len(self.sources[j]) - self.widest + 1
        return sum(counts[:extra]) if extra > 1 else 0

    def counts(self, j: int) -> list[int]:
        """Return the spikes of the sources of ``j``, ascending."""
        return sorted(self.spikes[i] for i in self.sources[j])

    def slack(self, period: Fraction) -> Fraction:
        """Return the ticks that the least work leaves of T periods; negative: none is feasible."""
        platform, tiles = self.platform, len(self.platform.in_use)
        work = platform.base_ticks * self.least_clusters
        work += (
            platform.switch_ticks
            * max(0, self.least_clusters - tiles + 1)
            * (self.least_clusters > tiles)
        )
        reads = self.raw_reads + sum(self.least_sums(j) for j in self.neurons)
        return tiles * period - work - platform.event_ticks * reads

    def most_inserted(self, j: int, period: Fraction) -> int:
        """Return how many inserted units neuron ``j`` can have at that period."""
        least, most = self.least_inserted(j), max(0, len(self.sources[j]) - 2)
        if self.needed_only:
            return least
        event, two = self.platform.event_ticks, sum(self.counts(j)[:2])
        if most and event * two:
            spare = self.slack(period) / event + self.least_sums(j)
            most = min(most, max(0, int(spare / two)))
        needed = len(self.neurons) + sum(self.least_inserted(i) for i in self.neurons)
        columns = self.most_clusters(period) * self.platform.max_columns
        return max(least, min(most, columns - needed + least))

    def has_choice(self, period: Fraction) -> bool:
        """Tell whether some neuron may have more inserted units than it needs."""
        return any(self.most_inserted(j, period) > self.least_inserted(j) for j in self.neurons)

    def least_inserted(self, j: int) -> int:
        """Return how many inserted units neuron ``j`` needs."""
        return max(0, -(-(len(self.sources[j]) - 1) // (self.widest - 1)) - 1)

    def most_clusters(self, period: Fraction) -> int:
        """Return how many clusters a mapping of that period can have; 0 if there is none.

        Every neuron asks for the same period.
        """
        known = self._counted.get(period)
        if known is None:
            known = self._counted[period] = self._most_clusters(period)
        return known

    @cached_property
    def _counted(self) -> dict[Fraction, int]:
        """Period -> most clusters, of the periods that were asked for."""
        return {}

    def _most_clusters(self, period: Fraction) -> int:
        units = sum(max(1, len(self.sources[j]) - 1) for j in self.neurons)
        base, switch = self.platform.base_ticks, self.platform.switch_ticks
        spare = self.slack(period)
        if spare < 0:
            return 0
        count = self.least_clusters
        while count < units:
            first = count + 1 == self.platform.num_tiles + 1  # from here on, two switch at least
            step = base + switch * (2 if first else 1 if count >= self.platform.num_tiles else 0)
            if step > spare:
                break
            spare -= step
            count += 1
        slots = self.platform.total_slots
        return min(count, units) if slots is None else min(count, units, slots)

    @cached_property
    def most_ticks(self) -> int:
        """More than any valid order's period: every unit alone, every channel sent."""
        units = sum(1 + max(0, len(self.sources[j]) - 2) for j in self.neurons)
        read = self.rows * max((sum(self.counts(j)) for j in self.neurons), default=0)
        platform = self.platform
        firing = platform.base_ticks + platform.switch_ticks + platform.event_ticks * read
        fired = max(self.spikes, default=0) + read
        latency = int(platform.latency.max())
        return units * firing + units * units * (platform.send_ticks(max(1, fired)) + latency)

    def most_tokens(self, low: Fraction, value: Fraction) -> int:
        """Return Q: no period in low..value has a larger denominator.

        It is the ratio of a simple cycle, whose ticks are at most those of all tasks: T periods on
        crossbars, T on interfaces, and the hops of all sends, of a tick each at least.
        """
        platform, tiles = self.platform, self.platform.num_tiles
        clusters = max(1, self.most_clusters(value))
        sends = min(clusters * (clusters - 1), int(tiles * value))
        ticks = 2 * tiles * value + sends * int(platform.latency.max())
        return max(1, int(ticks / low)) if low else 1


def build_decomposition(
    snn: SNN, rows: int, inserted: Sequence[Inserted], replaced: dict[int, list[int]]
) -> Decomposition:
    """Return the decomposition of explicit lists, the plain one where nothing is inserted."""
    if not inserted:
        return decompose(snn, rows, "none")
    return custom(snn, rows, inserted, replaced)


def clustering_of(labels: Sequence[int]) -> tuple[Clustering, dict[int, int]]:
    """Return a clustering of any labels, and the cluster that each label became."""
    clustering = compact(np.array(labels, dtype=np.int64))
    return clustering, dict(zip(labels, clustering.cluster_of.tolist(), strict=True))
