"""Which decision brings how much throughput: from the published flow to the best mapping known.

A method decides four things: decomposition, clustering, binding, order. Against a flow F, a method
*changes* those of the four that it makes otherwise. A *step* is a set of decisions; its period is
the shortest of all rows whose methods change nothing outside the set (F itself is one of them).

- alone: one decision changed, everything else as in F;
- the waterfall adds one decision after the other, in the order in which a flow makes them. Its last
  step is the best row of all. Every step says which row reached it, so a step that brings nothing
  because no row was there to show it is seen as such.

Throughput is the inverse of the period, so that a step's factor is F's period by the step's. The
proved limit is F's period by the best end-to-end bound: no mapping at all exceeds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp, log

from optmap.experiment.row import Row
from optmap.experiment.tables.best_known import NOTHING, BestKnown
from optmap.experiment.tables.gaps import Gap, all_gaps
from optmap.experiment.tables.remembered import remembered
from optmap.methods import METHODS

#: The decisions of a flow in their order, and the field of a method that says how it makes each.
DECISIONS = ("decomposition", "clustering", "binding", "order")

#: The published flow that the table starts from.
FLOW = "song2020"

ALL = "everything"


@dataclass(frozen=True, slots=True)
class Step:
    """The shortest period with some decisions changed, and the method that reached it.

    ``tried`` counts the rows that change something and nothing else; without any, nobody looked.
    ``clusters`` is what the mapping costs in crossbar programs.
    """

    name: str
    period: Fraction
    method: str
    factor: Fraction
    tried: int
    clusters: int
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """One instance: the flow's period, each decision alone, the waterfall, the proved limit."""

    instance: str
    period: Fraction
    alone: tuple[Step, ...]
    waterfall: tuple[Step, ...]
    limit: Fraction | None
    gap: Fraction | None

    @property
    def limit_factor(self) -> Fraction | None:
        """How many times the flow's throughput no mapping exceeds; None without a bound."""
        return self.period / self.limit if self.limit else None

    def record(self) -> list[dict[str, str | float | int | None]]:
        """Return one line per step, numbers exact as text and factors as floats."""
        kinds = [("alone", step) for step in self.alone]
        kinds += [("waterfall", step) for step in self.waterfall]
        return [
            {
                "instance": self.instance,
                "kind": kind,
                "step": step.name,
                "period": str(step.period),
                "method": step.method,
                "throughput": float(step.factor),
                "rows_tried": step.tried,
                "clusters": step.clusters,
                "limit": None if self.limit is None else str(self.limit),
            }
            for kind, step in kinds
        ]


def changed(method: str) -> frozenset[str] | None:
    """Return the decisions that a method makes otherwise than the flow; None: unknown, or whole.

    Examples
    --------
    >>> sorted(changed("song2020-tree")), sorted(changed("song2020/joint"))
    (['decomposition'], ['binding', 'order'])
    """
    own, flow = METHODS.get(method), METHODS[FLOW]
    if own is None or own.whole or own.digest:  # of a stranger's file: other processes know nothing
        return None
    return frozenset(d for d in DECISIONS if getattr(own, d) != getattr(flow, d))


@remembered
def decisions(rows: Sequence[Row], known: BestKnown = NOTHING) -> list[Decisions]:
    """Return the table's line of every instance on which the flow has a mapping."""
    by_instance: dict[str, list[Gap]] = {}
    clusters = {row.key: int(row.value("clusters") or 0) for row in rows}
    for g in all_gaps(rows, known):
        if g.metric == "period":
            by_instance.setdefault(g.instance, []).append(g)
    lines = (_of_instance(instance, gaps, clusters) for instance, gaps in by_instance.items())
    return [line for line in lines if line is not None]


def _of_instance(
    instance: str, gaps: Sequence[Gap], clusters: Mapping[str, int]
) -> Decisions | None:
    of_flow = [g for g in gaps if g.method == FLOW]
    if not of_flow:
        return None
    start = min(of_flow, key=lambda g: g.value)

    def step(name: str, free: frozenset[str] | None) -> Step:
        """Return the best of the rows that change nothing outside ``free``; None: of all rows."""
        own = [start]  # the flow's own row comes first: equals show it
        for g in gaps:
            what = changed(g.method)
            if g.method != FLOW and (free is None or (what is not None and what <= free)):
                own.append(g)
        best = min(own, key=lambda g: g.value)
        factor = start.value / best.value if best.value else Fraction(1)
        tried, crossbars = len(own) - 1, clusters[best.key]
        return Step(name, best.value, best.method, factor, tried, crossbars, best.mark)

    alone = [step(decision, frozenset([decision])) for decision in DECISIONS]
    alone.append(step("binding and order", frozenset(["binding", "order"])))
    waterfall = [step(FLOW, frozenset())]
    waterfall += [step(d, frozenset(DECISIONS[: i + 1])) for i, d in enumerate(DECISIONS)]
    waterfall.append(step(ALL, None))
    limit = None if start.bound is None else Fraction(start.bound.value)
    reached = waterfall[-1].period
    left = None if limit is None or not reached else (reached - limit) / reached
    return Decisions(instance, start.value, tuple(alone), tuple(waterfall), limit, left)


def geometric_mean(factors: Sequence[Fraction]) -> float | None:
    """Return the geometric mean of positive factors; None of none."""
    return exp(sum(log(f) for f in factors) / len(factors)) if factors else None
