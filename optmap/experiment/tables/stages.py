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

from optmap.experiment.run.exact_json import number
from optmap.experiment.tables.gaps import Row, accepted, all_gaps, gap, place_of_row, shared_bounds
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
class StageGap:
    """One stage of one flow on one instance."""

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


def stage_gaps(rows: Sequence[Row]) -> list[StageGap]:
    """Return the stage gaps of every flow whose refined rows are there."""
    found = []
    for instance in dict.fromkeys(row["instance"] for row in rows):
        solved = [row for row in rows if row["instance"] == instance and accepted(row)]
        for flow in NEAREST:
            own = _rows_of_one_seed(flow, solved)
            if flow in own:
                found += _of_flow(flow, own) if flow in FLOWS else []
                found += _of_binding(flow, own)
    return found


def _of_binding(flow: str, own: Mapping[str, Row]) -> list[StageGap]:
    """Return what the flow loses in spike-hops, where its clusters' fewest were sought."""
    nearest = NEAREST[flow]
    if nearest not in own or not _clustered_alike(own, flow, nearest):
        return []
    whatever_load = Scope(clustering=place_of_row(own[nearest]).clustering)
    claims = [
        claim
        for claim in own[nearest]["claims"]
        if claim["metric"] == "spike_hops" and Scope.from_json(claim["scope"]) == whatever_load
    ]
    value, fewest = (number(own[name]["metrics"]["spike_hops"]) for name in (flow, nearest))
    if not claims or value is None or fewest is None:
        return []
    sure = PROVED if claims[0]["status"] == "optimal" else AT_LEAST
    better = min(value, fewest)
    return [StageGap(own[flow]["instance"], flow, "binding", "spike_hops", value, better, sure)]


def _rows_of_one_seed(flow: str, rows: Sequence[Row]) -> dict[str, Row]:
    """Return a row of each method: of the first seed with both F and F/order, where there is one.

    Other methods' rows may be of any seed; F/order is left out where it has no row of F's seed.
    """
    seeds = {m: [r["seed"] for r in rows if r["method"] == m] for m in (flow, f"{flow}/order")}
    both = [seed for seed in seeds[flow] if seed in seeds[f"{flow}/order"]]
    chosen = next(iter(both or seeds[flow]), None)
    own = {row["method"]: row for row in reversed(rows)}
    own |= {row["method"]: row for row in reversed(rows) if row["seed"] == chosen}
    if not both:
        own.pop(f"{flow}/order", None)
    return own


def _of_flow(flow: str, own: Mapping[str, Row]) -> list[StageGap]:
    instance = own[flow]["instance"]
    found = []

    def add(stage: str, metric: str, value: Fraction, better: Fraction, sure: str) -> None:
        found.append(StageGap(instance, flow, stage, metric, value, min(value, better), sure))

    clusters = Fraction(own[flow]["metrics"]["clusters"])
    units = place_of_row(own[flow]).units
    on_tree = own.get("song2020-tree")
    if on_tree is not None and own[flow]["decomposition"] == "chain":
        same = place_of_row(on_tree).units == units
        fewer = Fraction(on_tree["metrics"]["clusters"])
        add("decomposition", "clusters", clusters, fewer, PROVED if same else AT_LEAST)
    known = [r["metrics"]["clusters"] for r in own.values() if place_of_row(r).units == units]
    for g in all_gaps(list(own.values())):
        if g.method == flow and g.metric == "clusters" and g.bound is not None:
            reached = PROVED if min(known) == g.bound else AT_MOST
            add("clustering", "clusters", clusters, g.bound, reached)
    periods = {name: number(row["metrics"]["period"]) for name, row in own.items()}
    best = "song2020/joint"  # both flows cluster alike: one best schedule for their clusters
    steps = [("order", flow, f"{flow}/order"), ("binding", f"{flow}/order", best)]
    for stage, worse, better in steps:
        value, improved = periods.get(worse), periods.get(better)
        if value is not None and improved is not None and _clustered_alike(own, worse, better):
            optimal = own[better]["status"] == "optimal"
            add(stage, "period", value, improved, PROVED if optimal else AT_LEAST)
    joint = periods.get(best)
    without = [p for name, p in periods.items() if p is not None and "prologue" not in name]
    if joint is not None and without and _clustered_alike(own, flow, best):
        add("clustering", "period", joint, min(without), AT_LEAST)
    together = _bound_for_every_mapping(own)
    value = periods[flow]
    if together is not None and value is not None:
        add("together", "period", value, together, PROVED if together in without else AT_MOST)
    return found


def _clustered_alike(own: Mapping[str, Row], one: str, other: str) -> bool:
    return place_of_row(own[one]).clustering == place_of_row(own[other]).clustering


def _bound_for_every_mapping(own: Mapping[str, Row]) -> Fraction | None:
    values = [
        Fraction(bound.value)
        for bound in shared_bounds(own.values())
        if bound.metric == "period" and bound.scope == END_TO_END
    ]
    return max(values, default=None)
