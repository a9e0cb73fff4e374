"""The cycle ratio of a graph that changes a few edges at a time.

A search that moves one cluster changes a handful of edges. :class:`RatioSearch` keeps the last
proof: potentials, critical cycle, policy and token-free order. Where the changed edges keep to the
potentials and the cycle is untouched, the ratio stands; else a few sweeps mend the proof instead
of a whole analysis.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from optmap.compiled import compiled
from optmap.sdf.batch import Verdict, verdict_of
from optmap.sdf.howard import DONE, NO_CYCLE, howard
from optmap.sdf.longest_path import LIMIT, SETTLED, settle, work_for
from optmap.sdf.marked_graph import MarkedGraph

STALE = 4

#: Replacements that can be taken back.
MOST_UNDO = 64


class Edges(NamedTuple):
    """Edges of a marked graph, as kernels take them; all of shape (m,)."""

    source: Any
    target: Any
    delay: Any
    tokens: Any


@compiled
def _still_holds(edges: Edges, changed: Any, p: int, q: int, value: Any, critical: Any) -> Any:
    """Return whether a ratio p/q and its proof survive the change of some edges.

    The critical cycle must be untouched, and every changed edge keep to the potentials.
    """
    source, target, delay, tokens = edges.source, edges.target, edges.delay, edges.tokens
    for i in range(len(changed)):
        e = changed[i]
        if critical[e]:
            return False
        if float(q) * float(delay[e]) + float(p) * abs(float(tokens[e])) > LIMIT:
            return False
        if q * delay[e] - p * tokens[e] + value[target[e]] > value[source[e]]:
            return False
    return True


@compiled
def _fits(source: Any, target: Any, tokens: Any, rank: Any, changed: Any) -> Any:
    """Return whether the changed edges are not negative and, token-free, lead to lower ranks."""
    for i in range(len(changed)):
        e = changed[i]
        if tokens[e] < 0 or (tokens[e] == 0 and rank[source[e]] <= rank[target[e]]):
            return False
    return True


@compiled
def _again(edges: Edges, rank: Any, policy: Any, p: int, q: int, value: Any) -> Any:
    """Return (status, p, q, policy, value, critical), starting from the last ones.

    With q > 0 the ratio p/q is that of a cycle still there, so it can only have risen: the
    potentials are mended first, and only a cycle found on the way starts Howard's iteration. With
    q = 0 Howard starts from the policy (an edge of each actor, or -1). STALE: no cycle was found.
    """
    source, target, delay, tokens = edges.source, edges.target, edges.delay, edges.tokens
    n, m = len(rank), len(source)
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
    most = 0.0
    for e in range(m):
        r = rank[source[e]]
        i = place[r]
        place[r] += 1
        head[i] = rank[target[e]]
        out_delay[i] = delay[e]
        out_tokens[i] = tokens[e]
        edge[i] = e
        most = max(most, float(q) * float(delay[e]) + float(p) * float(tokens[e]))
        if choice[r] < 0 or policy[source[e]] == e:
            choice[r] = i
    potential = np.zeros(n, dtype=np.int64)
    if q > 0 and most <= LIMIT:
        for u in range(n):
            potential[rank[u]] = value[u]
        weight = np.empty(m, dtype=np.int64)
        for i in range(m):
            weight[i] = q * out_delay[i] - p * out_tokens[i]
        better = np.full(n, -1, dtype=np.int64)
        status = settle(first, head, weight, potential, better, work_for(n))
        if status == SETTLED:
            mended = np.empty(n, dtype=np.int64)
            for u in range(n):
                mended[u] = potential[rank[u]]
            return DONE, p, q, policy, mended, np.zeros(0, dtype=np.int64)
        for r in range(n):
            if better[r] >= 0:
                choice[r] = better[r]
    status, p, q, cycle = howard(first, head, out_delay, out_tokens, choice, potential)
    if status == NO_CYCLE:
        status = STALE
    new_policy = np.empty(n, dtype=np.int64)
    new_value = np.empty(n, dtype=np.int64)
    for u in range(n):
        r = rank[u]
        new_policy[u] = edge[choice[r]] if choice[r] >= 0 else -1
        new_value[u] = potential[r]
    return status, p, q, new_policy, new_value, edge[cycle]


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
class _Proof:
    """What is known of a graph, for the next one to start from; arrays are never written again.

    ``rank`` is None where there is an edge below zero, or no order of the token-free edges; q is 0
    where there is no ratio p/q with potentials ``value`` and a cycle, ``critical`` by edge.
    """

    verdict: Verdict
    rank: npt.NDArray[np.int64] | None
    policy: npt.NDArray[np.int64]
    p: int = 0
    q: int = 0
    value: npt.NDArray[np.int64] | None = None
    critical: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class _Replaced:
    """What :meth:`RatioSearch.undo` puts back."""

    edges: npt.NDArray[np.int64]
    fields: dict[str, npt.NDArray[Any]]
    proof: _Proof


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
        self._undo: deque[_Replaced] = deque(maxlen=MOST_UNDO)
        self._proof = self._afresh(np.full(graph.num_actors, -1, dtype=np.int64))

    @property
    def verdict(self) -> Verdict:
        """What the present graph's cycles say."""
        return self._proof.verdict

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
        self._undo.append(_Replaced(changed, before, self._proof))
        for field, values in new.items():
            self._arrays[field][changed] = values
        self._proof = self._updated(changed)
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
        self._proof = last.proof
        return self.verdict

    def _updated(self, changed: npt.NDArray[np.int64]) -> _Proof:
        """Return the proof for the present graph, from the last one where that helps."""
        last, a = self._proof, self._arrays
        ends = a["source"], a["target"]
        if last.rank is None or not _fits(*ends, a["tokens"], last.rank, changed):
            return self._afresh(last.policy)
        if last.q and last.value is not None and last.critical is not None:
            arrays = Edges(*ends, a["delay"], a["tokens"])
            if _still_holds(arrays, changed, last.p, last.q, last.value, last.critical):
                return last
            if not last.critical[changed].any():
                return self._continued(last, last.p, last.q)
        return self._continued(last, 0, 0)

    def _continued(self, last: _Proof, p: int, q: int) -> _Proof:
        """Return the proof found from the last policy, and potentials where q > 0."""
        a = self._arrays
        value = last.value if last.value is not None else np.zeros(0, dtype=np.int64)
        edges = Edges(a["source"], a["target"], a["delay"], a["tokens"])
        status, p, q, policy, value, cycle = _again(edges, last.rank, last.policy, p, q, value)
        if status != DONE:
            return _Proof(verdict_of(self.graph()), last.rank, last.policy)
        critical = last.critical
        if len(cycle):
            critical = np.zeros(len(a["source"]), dtype=np.bool_)
            critical[cycle] = True
        return _Proof(Verdict(False, Fraction(p, q)), last.rank, policy, p, q, value, critical)

    def _afresh(self, policy: npt.NDArray[np.int64]) -> _Proof:
        """Return the proof found with a new order of the token-free edges."""
        a = self._arrays
        if len(a["tokens"]) and a["tokens"].min() < 0:
            return _Proof(verdict_of(self.graph()), None, policy)
        ordered, rank = _token_free_rank(self.num_actors, a["source"], a["target"], a["tokens"])
        if not ordered:
            return _Proof(Verdict(True, None), None, policy)
        return self._continued(_Proof(Verdict(False, None), rank, policy), 0, 0)
