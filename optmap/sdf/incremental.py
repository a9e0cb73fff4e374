"""Cycle ratios of many graphs, and of one graph that changes a few edges at a time.

A search that moves one cluster changes a handful of edges. :class:`RatioSearch` keeps the last
policy, which is nearly right, and the last token-free order, which mostly still holds, so that a
move costs a few sweeps instead of a whole analysis. :func:`cycle_ratios` judges many graphs in one
call into compiled code.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from optmap.errors import DeadlockError
from optmap.sdf.compiled import compiled
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.sdf.howard import DONE, NO_CYCLE, TOO_LARGE, howard
from optmap.sdf.marked_graph import MarkedGraph, read_only
from optmap.sdf.ratio_kernel import DEADLOCK, solve

STALE = 4

#: Replacements that can be taken back.
MOST_UNDO = 64


@compiled
def _solve_all(
    num_actors: Any, first_edge: Any, source: Any, target: Any, delay: Any, tokens: Any
) -> Any:
    """Return (status, p, q) of each graph; graph g has the edges first_edge[g]..[g + 1]."""
    count = len(num_actors)
    status = np.empty(count, dtype=np.int64)
    p = np.empty(count, dtype=np.int64)
    q = np.empty(count, dtype=np.int64)
    for g in range(count):
        a, b = first_edge[g], first_edge[g + 1]
        status[g], p[g], q[g], _ = solve(
            num_actors[g], source[a:b], target[a:b], delay[a:b], tokens[a:b]
        )
    return status, p, q


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a graph's cycles say.

    Parameters
    ----------
    deadlock : bool
        Whether the tokens of some cycle sum to zero or less.
    ratio : Fraction or None
        Maximum cycle ratio; None without a cycle and in a deadlock.
    """

    deadlock: bool
    ratio: Fraction | None


def cycle_ratios(graphs: Sequence[MarkedGraph]) -> list[Verdict]:
    """Return the verdict on each graph, all in one call into compiled code.

    Examples
    --------
    >>> loop = MarkedGraph(1, [0], [0], [3], [1])
    >>> stuck = MarkedGraph(1, [0], [0], [3], [0])
    >>> [str(verdict.ratio) for verdict in cycle_ratios([loop, stuck])]
    ['3', 'None']
    """
    if not graphs:
        return []
    sizes = np.array([0, *(graph.num_edges for graph in graphs)], dtype=np.int64)
    packed = (
        read_only(np.concatenate([getattr(graph, field) for graph in graphs]), dtype)
        for field, dtype in (
            ("source", np.int32),
            ("target", np.int32),
            ("delay", np.int64),
            ("tokens", np.int64),
        )
    )
    status, p, q = _solve_all(
        np.array([graph.num_actors for graph in graphs], dtype=np.int64), np.cumsum(sizes), *packed
    )
    verdicts = []
    for graph, s, a, b in zip(graphs, status.tolist(), p.tolist(), q.tolist(), strict=True):
        if s == DONE:
            verdicts.append(Verdict(False, Fraction(a, b)))
        elif s == TOO_LARGE:
            verdicts.append(_verdict(graph))
        else:
            verdicts.append(Verdict(s == DEADLOCK, None))
    return verdicts


def _verdict(graph: MarkedGraph) -> Verdict:
    try:
        return Verdict(False, maximum_cycle_ratio(graph)[0])
    except DeadlockError:
        return Verdict(True, None)


@compiled
def _again(
    source: Any, target: Any, delay: Any, tokens: Any, rank: Any, policy: Any, changed: Any
) -> Any:
    """Return (status, p, q), starting from ``policy`` (an edge of each actor) and overwriting it.

    STALE: the order ``rank`` of the token-free edges does not fit any more, an edge is negative or
    the policy closes no cycle; the graph must be solved afresh.
    """
    n, m = len(rank), len(source)
    for i in range(len(changed)):
        e = changed[i]
        if tokens[e] < 0 or (tokens[e] == 0 and rank[source[e]] <= rank[target[e]]):
            return STALE, 0, 0
    first = np.zeros(n + 1, dtype=np.int64)
    for e in range(m):
        first[rank[source[e]] + 1] += 1
    for r in range(n):
        first[r + 1] += first[r]
    place = first[:-1].copy()
    head = np.empty(m, dtype=np.int32)
    out_delay = np.empty(m, dtype=np.int64)
    out_tokens = np.empty(m, dtype=np.int64)
    edge = np.empty(m, dtype=np.int64)
    choice = np.full(n, -1, dtype=np.int64)
    for e in range(m):
        r = rank[source[e]]
        i = place[r]
        place[r] += 1
        head[i] = rank[target[e]]
        out_delay[i] = delay[e]
        out_tokens[i] = tokens[e]
        edge[i] = e
        if choice[r] < 0 or policy[source[e]] == e:
            choice[r] = i
    value = np.zeros(n, dtype=np.int64)
    status, p, q, _ = howard(first, head, out_delay, out_tokens, choice, value)
    if status == NO_CYCLE:
        return STALE, 0, 0
    if status == DONE:
        for u in range(n):
            policy[u] = edge[choice[rank[u]]] if choice[rank[u]] >= 0 else -1
    return status, p, q


@compiled
def _token_free_rank(num_actors: int, source: Any, target: Any, tokens: Any) -> Any:
    """Return (ordered, rank): a numbering in which token-free edges lead to lower numbers."""
    missing = np.zeros(num_actors, dtype=np.int64)
    first = np.zeros(num_actors + 1, dtype=np.int64)
    for e in range(len(source)):
        if tokens[e] == 0:
            missing[source[e]] += 1
            first[target[e] + 1] += 1
    for u in range(num_actors):
        first[u + 1] += first[u]
    place = first[:-1].copy()
    into = np.empty(first[num_actors], dtype=np.int64)
    for e in range(len(source)):
        if tokens[e] == 0:
            into[place[target[e]]] = source[e]
            place[target[e]] += 1
    rank = np.full(num_actors, -1, dtype=np.int64)
    queue = np.empty(num_actors, dtype=np.int64)
    count, done = 0, 0
    for u in range(num_actors):
        if missing[u] == 0:
            queue[count] = u
            count += 1
    while done < count:
        u = queue[done]
        rank[u] = done
        done += 1
        for i in range(first[u], first[u + 1]):
            missing[into[i]] -= 1
            if missing[into[i]] == 0:
                queue[count] = into[i]
                count += 1
    return count == num_actors, rank


@dataclass(frozen=True, slots=True)
class _Replaced:
    """What :meth:`RatioSearch.undo` puts back."""

    edges: npt.NDArray[np.int64]
    fields: dict[str, npt.NDArray[Any]]
    verdict: Verdict


class RatioSearch:
    """The cycle ratio of a marked graph whose edges are replaced, a few at a time.

    Parameters
    ----------
    graph : MarkedGraph
        The start. Its numbers of actors and edges stay; an edge is switched off by making it a
        self-loop with delay 0 and one token.

    Examples
    --------
    >>> search = RatioSearch(MarkedGraph(2, [0, 1], [1, 0], [3, 2], [0, 1]))
    >>> search.verdict.ratio
    Fraction(5, 1)
    >>> search.replace([1], tokens=[2]).ratio
    Fraction(5, 2)
    >>> search.undo().ratio
    Fraction(5, 1)
    """

    def __init__(self, graph: MarkedGraph) -> None:
        self.num_actors = graph.num_actors
        self._arrays = {
            field: np.array(getattr(graph, field))
            for field in ("source", "target", "delay", "tokens")
        }
        self._policy = np.full(graph.num_actors, -1, dtype=np.int64)
        self._rank: npt.NDArray[np.int64] | None = None
        self._undo: deque[_Replaced] = deque(maxlen=MOST_UNDO)
        self.verdict = self._afresh()

    def graph(self) -> MarkedGraph:
        """Return the present graph."""
        return MarkedGraph(self.num_actors, **self._arrays)

    def replace(
        self,
        edges: npt.ArrayLike,
        *,
        source: npt.ArrayLike | None = None,
        target: npt.ArrayLike | None = None,
        delay: npt.ArrayLike | None = None,
        tokens: npt.ArrayLike | None = None,
    ) -> Verdict:
        """Replace the given fields of distinct ``edges``; return the new verdict.

        Raises
        ------
        ValueError
            If an actor does not exist or a delay is negative; nothing has changed then.
        """
        changed = np.asarray(edges, dtype=np.int64)
        given = {"source": source, "target": target, "delay": delay, "tokens": tokens}
        new = {field: np.asarray(v) for field, v in given.items() if v is not None}
        for field, values in new.items():
            high = self.num_actors - 1 if field in ("source", "target") else None
            if field != "tokens" and len(values) and values.min() < 0:
                raise ValueError(f"{field} {values.min()}, expected >= 0")
            if high is not None and len(values) and values.max() > high:
                raise ValueError(f"{field} {values.max()}, actors are 0..{high}")
        before = {field: self._arrays[field][changed] for field in new}
        self._undo.append(_Replaced(changed, before, self.verdict))
        for field, values in new.items():
            self._arrays[field][changed] = values
        self.verdict = self._from_policy(changed)
        return self.verdict

    def undo(self) -> Verdict:
        """Take back the last replacement; return the verdict from before it.

        Raises
        ------
        ValueError
            If there is nothing to take back; ``MOST_UNDO`` replacements are remembered.
        """
        if not self._undo:
            raise ValueError("no replacement to take back")
        last = self._undo.pop()
        for field, values in last.fields.items():
            self._arrays[field][last.edges] = values
        # The order may have been made for the edges just taken back.
        if self._rank is not None and self._misfits(last.edges):
            self._rank = None
        self.verdict = last.verdict
        return last.verdict

    def _misfits(self, changed: npt.NDArray[np.int64]) -> bool:
        assert self._rank is not None
        tokens = self._arrays["tokens"][changed]
        falls = (
            self._rank[self._arrays["source"][changed]]
            > self._rank[self._arrays["target"][changed]]
        )
        return bool(((tokens < 0) | ((tokens == 0) & ~falls)).any())

    def _from_policy(self, changed: npt.NDArray[np.int64]) -> Verdict:
        if self._rank is not None:
            status, p, q = _again(
                self._arrays["source"],
                self._arrays["target"],
                self._arrays["delay"],
                self._arrays["tokens"],
                self._rank,
                self._policy,
                changed,
            )
            if status == DONE:
                return Verdict(False, Fraction(p, q))
        return self._afresh()

    def _afresh(self) -> Verdict:
        """Solve without the past, and renew the order that later moves rely on."""
        a = self._arrays
        self._rank = None
        if not len(a["tokens"]) or a["tokens"].min() >= 0:
            ordered, rank = _token_free_rank(self.num_actors, a["source"], a["target"], a["tokens"])
            if ordered:
                self._rank = rank
                status, p, q = _again(
                    a["source"],
                    a["target"],
                    a["delay"],
                    a["tokens"],
                    rank,
                    self._policy,
                    np.empty(0, dtype=np.int64),
                )
                if status == DONE:
                    return Verdict(False, Fraction(p, q))
        return _verdict(self.graph())
