"""Which stage of a greedy flow loses what: gaps with the upstream stages fixed.

For a flow F on one instance, all periods by the judge:

- order: F's period against the best order for F's binding (method "F/order");
- binding: "F/order" against the best binding and order for F's clusters ("song2020/joint", whose
  clusters are those of both flows);
- clustering: "song2020/joint" against the best period any row without prologue reached;
- together: F against the bound that holds for every mapping of the instance.

Each loss is (P - D) / P. Where D is a value that a better stage reached, the loss is at least that,
and exactly that if the stage was solved to optimality. Where D is a bound, the loss is at most
that, and exactly that if some row reaches the bound. Clusters have a decomposition line (F against
the same clustering on the tree) and a clustering line (F against its decomposition's bound).
Spike-hops have a binding line, F against the fewest of its clusters ("song2020/hops",
"spinemap/hops"), where these hold whatever the tiles' loads: on platforms of one program a tile.

A flow may bind otherwise with another seed: F and F/order are rows of one seed, or there is no
order line. Rows of several clusterings are not compared as one clustering's either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from optmap.bounds.bound import Bound, best
from optmap.experiment.row import Row
from optmap.experiment.tables.gaps import MARK, covering, gap, shared_bounds
from optmap.model.outcome import Status
from optmap.model.scope import END_TO_END, Scope

FLOWS = ("song2020", "dfsynthesizer")

#: Flow -> the method that binds its clusters for fewest spike-hops.
NEAREST = {
    "song2020": "song2020/hops",
    "dfsynthesizer": "song2020/hops",
    "spinemap": "spinemap/hops",
}

#: How sure a loss is, and the sign of that.
PROVED, AT_LEAST, AT_MOST = "proved", "at least", "at most"
SIGN = {PROVED: "", AT_LEAST: ">=", AT_MOST: "<="}


@dataclass(frozen=True, slots=True)
class StageLoss:
    """What one stage of one flow loses on one instance."""

    instance: str
    flow: str
    stage: str
    metric: str
    value: Fraction
    better: Fraction
    sure: str

    @property
    def loss(self) -> Fraction:
        """What the stage loses, relative to the flow's value at that stage."""
        return gap(self.value, self.better)

    def record(self) -> dict[str, str | float]:
        """Return the fields by name, numbers exact as text and the loss as a float."""
        return {
            "instance": self.instance,
            "flow": self.flow,
            "stage": self.stage,
            "metric": self.metric,
            "value": str(self.value),
            "better": str(self.better),
            "loss": float(self.loss),
            "sure": self.sure,
        }


def stage_losses(rows: Sequence[Row]) -> list[StageLoss]:
    """Return the losses of every flow whose refined rows are there."""
    found = []
    for instance in dict.fromkeys(row.instance for row in rows):
        solved = [row for row in rows if row.instance == instance and row.accepted]
        for flow in NEAREST:
            own = _rows_of_one_seed(flow, solved)
            if flow in own:
                found += _of_flow(flow, own) if flow in FLOWS else []
                found += _of_binding(flow, own)
    return found


def _of_binding(flow: str, own: Mapping[str, Row]) -> list[StageLoss]:
    """Return what the flow loses in spike-hops, where its clusters' fewest were sought."""
    nearest = NEAREST[flow]
    if nearest not in own or not _clustered_alike(own, flow, nearest):
        return []
    whatever_load = Scope(clustering=_clustering(own[nearest]))
    claims = [
        claim
        for claim in own[nearest].claims
        if claim.metric == "spike_hops" and claim.scope == whatever_load
    ]
    value, fewest = (own[name].value("spike_hops") for name in (flow, nearest))
    if not claims or value is None or fewest is None:
        return []
    sure = PROVED if claims[0].status is Status.OPTIMAL else AT_LEAST
    better = min(value, fewest)
    return [StageLoss(own[flow].instance, flow, "binding", "spike_hops", value, better, sure)]


def _rows_of_one_seed(flow: str, rows: Sequence[Row]) -> dict[str, Row]:
    """Return a row of each method: of the first seed with both F and F/order, where there is one.

    Other methods' rows may be of any seed; F/order is left out where it has no row of F's seed.
    """
    seeds = {m: [r.seed for r in rows if r.method == m] for m in (flow, f"{flow}/order")}
    both = [seed for seed in seeds[flow] if seed in seeds[f"{flow}/order"]]
    chosen = next(iter(both or seeds[flow]), None)
    own = {row.method: row for row in reversed(rows)}
    own |= {row.method: row for row in reversed(rows) if row.seed == chosen}
    if not both:
        own.pop(f"{flow}/order", None)
    return own


def _of_flow(flow: str, own: Mapping[str, Row]) -> list[StageLoss]:
    row = own[flow]
    found = []

    def add(stage: str, metric: str, value: Fraction, better: Fraction, sure: str) -> None:
        found.append(StageLoss(row.instance, flow, stage, metric, value, min(value, better), sure))

    clusters = Fraction(row.metrics["clusters"] or 0)
    on_tree = own.get("song2020-tree")
    if on_tree is not None and row.decomposition == "chain":
        sure = PROVED if _units(on_tree) == _units(row) else AT_LEAST
        add("decomposition", "clusters", clusters, on_tree.value("clusters") or clusters, sure)
    proved = [b for b in shared_bounds(own.values()) if b.grade in MARK]
    fewest = best(b for b in covering(row, "clusters", proved))
    if fewest is not None:
        known = [r.value("clusters") for r in own.values() if _units(r) == _units(row)]
        sure = PROVED if fewest.value in known else AT_MOST
        add("clustering", "clusters", clusters, Fraction(fewest.value), sure)
    periods = {name: r.value("period") for name, r in own.items()}
    joint = "song2020/joint"  # both flows cluster alike: one best schedule for their clusters
    steps = [("order", flow, f"{flow}/order"), ("binding", f"{flow}/order", joint)]
    for stage, worse, better in steps:
        value, improved = periods.get(worse), periods.get(better)
        if value is not None and improved is not None and _clustered_alike(own, worse, better):
            optimal = own[better].status == "optimal"
            add(stage, "period", value, improved, PROVED if optimal else AT_LEAST)
    shortest = periods.get(joint)
    without = [
        p
        for name, p in periods.items()
        if p is not None and (place := own[name].place) is not None and not place.has_prologue
    ]
    if shortest is not None and without and _clustered_alike(own, flow, joint):
        add("clustering", "period", shortest, min(without), AT_LEAST)
    together, value = _end_to_end(proved), periods[flow]
    if together is not None and value is not None:
        limit = Fraction(together.value)
        add("together", "period", value, limit, PROVED if limit in without else AT_MOST)
    return found


def _units(row: Row) -> str | None:
    return None if row.place is None else row.place.units


def _clustering(row: Row) -> str | None:
    return None if row.place is None else row.place.clustering


def _clustered_alike(own: Mapping[str, Row], one: str, other: str) -> bool:
    return _clustering(own[one]) == _clustering(own[other])


def _end_to_end(proved: Sequence[Bound]) -> Bound | None:
    return best(b for b in proved if b.metric == "period" and b.scope == END_TO_END)
