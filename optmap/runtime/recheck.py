"""Every guarantee again, on the combined graph, by the judge itself.

Admission computes periods from its own arrays; this goes through
:func:`optmap.judge.check.check_graph` and :func:`optmap.judge.binding_aware_graph.lower` instead,
as every other mapping is judged.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from optmap.judge.binding_aware_graph import BindingAwareGraph, lower
from optmap.judge.check import check_graph
from optmap.model.cluster_graph import ClusterGraph
from optmap.model.mapping import Binding
from optmap.model.platform import Platform
from optmap.model.snn import IntArray
from optmap.ordering.kernels.order_on_tiles import projected
from optmap.runtime.admission import Runtime
from optmap.runtime.policies import combined, on_wheel
from optmap.runtime.state import Running
from optmap.sdf.cycle_ratio import maximum_cycle_ratio
from optmap.sdf.marked_graph import MarkedGraph


def broken_promises(runtime: Runtime) -> list[str]:
    """Return what is wrong with the running applications; empty if every guarantee holds.

    Checked are crossbars, slots, buffers, orders and liveness on the combined graph, that no
    cluster is on a failed tile, what the policy promises about tiles, cycle or wheel, and that
    every stated period is the exact one and within its bound.
    """
    state, platform = runtime.state, runtime.platform
    if not state.running:
        return []
    graph, order, tile_of = combined(state)
    binding = Binding(tile_of.astype(np.int32))
    orders = projected(order, binding, platform)
    found = [str(v) for v in check_graph(graph, platform, binding, orders)]
    found += [f"tile {t} has failed and is in use" for t in state.failed & set(tile_of.tolist())]
    users = [t for _, run in state.running for t in run.tiles]
    if runtime.policy == "exclusive":
        found += [f"tile {t} is shared" for t in sorted(set(users)) if users.count(t) > 1]
    if runtime.wheel_ticks is not None:
        left = state.wheel_left(platform, runtime.wheel_ticks)
        used = sorted(set(users))
        found += [f"the wheel of tile {t} is overbooked" for t in used if left[t] < 0]
    whole = _period(graph, platform, order, tile_of) if runtime.policy == "lockstep" else None
    for name, run in state.running:
        true = whole if whole is not None else _own(run, runtime)
        if true != run.period:
            found.append(f"{name}: period {true}, stated {run.period}")
        if run.most_period is not None and run.period > run.most_period:
            found.append(f"{name}: period {run.period} above the promised {run.most_period}")
    return found


def _period(
    graph: ClusterGraph, platform: Platform, order: IntArray, tile_of: IntArray
) -> Fraction | None:
    binding = Binding(tile_of.astype(np.int32))
    bound = lower(graph, platform, binding, projected(order, binding, platform))
    return maximum_cycle_ratio(bound.graph)[0]


def _own(run: Running, runtime: Runtime) -> Fraction | None:
    """Return an application's period when no other disturbs it, or on its slice of the wheel."""
    application, platform = run.application, runtime.platform
    if run.slice_ticks is None or runtime.wheel_ticks is None:
        return _period(application.graph, platform, application.sequence, run.tile_of)
    binding = Binding(run.tile_of.astype(np.int32))
    orders = projected(application.sequence, binding, platform)
    bound = lower(application.graph, platform, binding, orders)
    return maximum_cycle_ratio(_stretched(bound, platform, run.slice_ticks, runtime.wheel_ticks))[0]


def _stretched(
    bound: BindingAwareGraph, platform: Platform, slice_ticks: int, wheel_ticks: int
) -> MarkedGraph:
    """Return the graph with every execution time as long as the wheel can make it.

    An edge's delay is its source's execution time plus what the network adds, which no wheel turns.
    """
    clusters = bound.clusters
    shared = np.concatenate((clusters.tau + platform.switch_ticks, bound.time[len(clusters.tau) :]))
    longest = on_wheel(shared, slice_ticks, wheel_ticks)
    graph = bound.graph
    delay = graph.delay - bound.time[graph.source] + longest[graph.source]
    return MarkedGraph(graph.num_actors, graph.source, graph.target, delay, graph.tokens)
