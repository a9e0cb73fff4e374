"""Compare a run with an earlier one, pair by pair, and say which differences are significant.

Test: Wilcoxon's signed-rank test on the relative differences of all pairs (instance, method, seed)
that both runs have, two-sided, per method and metric; zero differences are split (Pratt). Fewer
than six non-zero pairs cannot reach p < 0.05 and are said to be too few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from optmap.experiment.tables.gaps import Gap
from optmap.experiment.tables.metrics import GAPPED

TEST = "Wilcoxon signed-rank, two-sided, zeros by Pratt"
LEAST_PAIRS = 6
#: Of the columns of :func:`lines_of`.
TITLES = ("method, metric", "pairs", "changed", "mean change", "p", "verdict")


@dataclass(frozen=True, slots=True)
class Difference:
    """One method in one metric, now against the baseline; positive change is worse."""

    method: str
    metric: str
    pairs: int
    changed: int
    mean_change: float
    p_value: float | None

    @property
    def verdict(self) -> str:
        """Say in a word what the numbers allow to say."""
        if not self.changed:
            return "equal"
        if self.p_value is None:
            return "too few pairs"
        if self.p_value >= 0.05:
            return "not significant"
        return "worse" if self.mean_change > 0 else "better"


def differences(now: Sequence[Gap], before: Sequence[Gap]) -> list[Difference]:
    """Return the differences per method and metric over the pairs that both runs have."""
    from scipy.stats import wilcoxon  # a second of imports, only where runs are compared

    old = {(g.instance, g.method, g.seed, g.metric): g.value for g in before}
    found = []
    for method in dict.fromkeys(g.method for g in now):
        for metric in (m.name for m in GAPPED):
            changes = [
                float((g.value - old[key]) / max(abs(old[key]), Fraction(1, 10**9)))
                for g in now
                if g.method == method
                and g.metric == metric
                and (key := (g.instance, g.method, g.seed, g.metric)) in old
            ]
            if not changes:
                continue
            changed = sum(change != 0 for change in changes)
            p_value = None
            if changed >= LEAST_PAIRS:
                p_value = float(wilcoxon(changes, zero_method="pratt").pvalue)
            mean = sum(changes) / len(changes)
            found.append(Difference(method, metric, len(changes), changed, mean, p_value))
    return found


def lines_of(found: Sequence[Difference]) -> list[tuple[str, ...]]:
    """Return a line of texts for each difference."""
    lines: list[tuple[str, ...]] = []
    for d in found:
        p_value = "-" if d.p_value is None else f"{d.p_value:.3g}"
        change = f"{100 * d.mean_change:+.2f}%"
        pair = f"{d.method}, {d.metric}"
        lines.append((pair, str(d.pairs), str(d.changed), change, p_value, d.verdict))
    return lines
