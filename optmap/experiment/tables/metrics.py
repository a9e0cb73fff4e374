"""The metrics of the tables, in one list: CSV, Markdown, LaTeX, report, map and docs follow it.

A metric that users should see is one entry here; with ``gap=True`` it gets a gap to its end-to-end
bounds everywhere. Its bounds come from the rows: whoever proves a bound on a column of the judge
names that column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from optmap.bounds.bound import Bound
from optmap.experiment.row import Row
from optmap.experiment.tables.text import compact


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing that is measured; smaller is better.

    Parameters
    ----------
    name : str
        As files and options call it: a column of the judge's row, if ``value`` is not given.
    label : str
        As sentences and titles call it.
    unit : str
        "" for a plain number.
    about : str
        What it is, in one sentence, for the docs.
    gap : bool
        Whether tables show its gap to the proved bound and its distance to the best known value.
    value : callable, optional
        What a row has of it; None where the row has none.
    bounds : callable, optional
        The bounds on it that a row brings, of whatever scope.
    format : callable
        Text of a value, in at most so many characters.
    """

    name: str
    label: str
    unit: str
    about: str
    gap: bool = False
    value_of: Callable[[Row], Fraction | None] | None = None
    bounds_of: Callable[[Row], Iterator[Bound]] | None = None
    format: Callable[[Fraction, int], str] = compact

    def value(self, row: Row) -> Fraction | None:
        """Return what a row has of it."""
        return row.value(self.name) if self.value_of is None else self.value_of(row)

    def bounds(self, row: Row) -> Iterator[Bound]:
        """Yield the bounds on it that a row brings."""
        if self.bounds_of is not None:
            yield from self.bounds_of(row)
        else:
            yield from (bound for bound in row.proved if bound.metric == self.name)

    @property
    def title(self) -> str:
        """The label with its unit."""
        return f"{self.label}, {self.unit}" if self.unit else self.label


METRICS = (
    Metric("clusters", "clusters", "", "crossbar programs that the network is cut into", gap=True),
    Metric(
        "traffic", "traffic", "spikes", "spikes that enter clusters from outside, inputs included",
        gap=True,
    ),
    Metric(
        "spike_hops", "spike-hops", "", "spikes between clusters times the hops they travel",
        gap=True,
    ),
    Metric(
        "period", "period", "ticks", "time between two inferences, the inverse of throughput",
        gap=True,
    ),
    Metric(
        "energy_pj", "energy", "pJ",
        "energy of one inference: spikes, synapses, routing; of platforms that give prices",
        gap=True, format=compact, value_of=lambda row: row.value("energy_pj") or None,
    ),
    Metric("latency", "latency", "ticks", "time from the first input to the last output"),
    Metric("tiles_used", "tiles used", "", "tiles that hold a cluster"),
    Metric("tile_load_max", "largest tile load", "ticks", "busiest tile's work in one period"),
    Metric("area_um2", "area", "um2", "area of the tiles in use"),
    Metric("connectivity", "connectivity", "", "spikes times (clusters of source and readers - 1)"),
    Metric(
        "multicast_hops", "multicast hops", "",
        "spikes times the links of their route union: XY routes to all readers, shared links once",
    ),
    Metric("multicast_link_max", "busiest link", "spikes", "most multicast spikes over one link"),
    Metric(
        "multicast_link_variance", "variance of links", "",
        "variance of multicast spikes over all directed links",
    ),
    Metric(
        "spike_latency_mean", "mean spike latency", "ticks",
        "ticks from a spike's tile to a cluster that reads it",
    ),
    Metric("spike_latency_max", "worst spike latency", "ticks", "the largest of these"),
)  # fmt: skip

#: Those with a gap, in the order of the tables' columns.
GAPPED = tuple(metric for metric in METRICS if metric.gap)


def metric_named(name: str) -> Metric:
    """Return the metric of that name; ValueError with the known names otherwise."""
    found = next((metric for metric in METRICS if metric.name == name), None)
    if found is None:
        raise ValueError(f"metric {name!r}: expected one of {', '.join(m.name for m in METRICS)}")
    return found
