"""Column generation for (P0c): least area over kinds of crossbar with areas and a stock.

Sets         classes q with n_q members; columns j: crossbars' contents; kinds h
Master       min sum area_j l_j  s.t.  sum_j count_qj l_j >= n_q, area_j that of the cheapest kind
             which holds j                                     (column_generation/master.py)
Pricing      for every h: max sum pi_q m_q over what fits kind h, against area_h
Bound        v whole with "no crossbar of kind h holds more than v area_h" proved for every h: no
             clustering has less area than ceil(sum_q n_q pi_q / v). The stock is left out of
             it, so that the bound is valid for any stock
Incumbent    the columns found as an integer program (CP-SAT): l[j,h] copies of j on kind h,
             sum_j l[j,h] <= stock_h
Check        the clustering's area by an assignment problem (crossbar_kinds.py)
"""

from __future__ import annotations

from functools import partial

import numpy as np
from ortools.sat.python import cp_model

from formulations.clustering.color_refinement import refine
from formulations.clustering.column_generation.column_cover import without_surplus
from formulations.clustering.column_generation.solve import DEPTHS, SCALE, ColumnGeneration
from formulations.clustering.crossbar_kinds import Kind, area_of
from formulations.clustering.sets import area_start, keep_better
from formulations.solvers.run_cpsat import run_cpsat
from formulations.solvers.stopwatch import Stopwatch
from optmap.model.certificate import PriceCertificate
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Clustering, compact
from optmap.model.outcome import Limits, Outcome, Status


def minimize_area(
    decomposition: Decomposition,
    kinds: tuple[Kind, ...],
    limits: Limits,
    warm: Clustering | None = None,
    *,
    workers: int = 8,
) -> tuple[Outcome[Clustering], PriceCertificate | None]:
    """(P0c) Return a clustering of little area, a proved bound, and the bound's certificate.

    Value and bound are in the kinds' unit. UNKNOWN where no clustering was found that the stock
    allows; the certificate is re-checked by
    :func:`formulations.clustering.verify_certificate.verify_area`.
    """
    watch = Stopwatch(limits)
    _, start, value = area_start(decomposition, kinds, warm)
    usable = tuple((kind.rows, kind.columns, kind.area) for kind in kinds)
    network = decomposition.network
    measure = partial(area_of, network, kinds=kinds)
    if not network.num_units or network.max_fan_in > max(r for r, _, _ in usable):
        bound = 0 if value == 0 else None
        return keep_better(watch, measure, Status.UNKNOWN, start, bound), None
    incumbent = network.num_units * max(a for _, _, a in usable) if value is None else value
    generation = ColumnGeneration(decomposition, usable, watch, [], incumbent, 0)
    if start is not None:
        generation.columns = generation.classes.columns_of(start)
    _tighten(generation, value)
    found = start
    if value is None or generation.bound < value:
        packed = _round_up(generation, kinds, value, workers)
        made = None if packed is None else measure(packed)
        if made is not None and (value is None or made < value):
            found = packed
    bound = generation.bound
    done = keep_better(watch, measure, Status.UNKNOWN, found, bound)
    return done, generation.certificate


def _tighten(generation: ColumnGeneration, value: int | None) -> None:
    """Solve the LP coarse to fine and certify every better bound, in 60 % of the time."""
    watch, last = generation.watch, -1
    total = watch.limits.wall_s
    for depth in DEPTHS:
        orbits = refine(generation.classes, depth)
        if int(orbits.max()) == last:
            continue
        last = int(orbits.max())
        _, prices = generation.level(orbits, min(0.6 * total, watch.spent + 0.25 * total))
        whole = np.floor(prices * SCALE).astype(np.int64)
        if -(-int((generation.classes.size * whole).sum()) // SCALE) > generation.bound:
            generation.certify(whole, watch.processor(min(0.2 * total, 0.5 * watch.left)))
        if watch.spent > 0.6 * total or (value is not None and generation.bound >= value):
            return
    singles = np.arange(generation.classes.num_classes, dtype=np.int32)
    generation.level(singles, min(0.7 * total, watch.spent + 0.2 * total))


def _round_up(
    generation: ColumnGeneration, kinds: tuple[Kind, ...], value: int | None, workers: int
) -> Clustering | None:
    """Return the cover of least area by the columns found, and by single units, within the stock.

    A unit of its own may go where no column found would fit a kind that is still in stock.
    """
    classes = generation.classes
    columns = list(generation.columns)
    for kind in kinds:
        for q in range(classes.num_classes):
            if classes.fan_in[q] <= kind.rows:
                columns.append({q: min(int(classes.size[q]), kind.columns)})
    columns = [dict(key) for key in dict.fromkeys(tuple(sorted(c.items())) for c in columns)]
    model = cp_model.CpModel()
    level: dict[tuple[int, int], cp_model.IntVar] = {}
    by_class: list[list[tuple[int, cp_model.IntVar]]] = [[] for _ in range(classes.num_classes)]
    for j, column in enumerate(columns):
        rows, units = classes.rows_of(list(column)), sum(column.values())
        for h, kind in enumerate(kinds):
            if kind.holds(rows, units):
                level[j, h] = model.new_int_var(0, int(classes.size.sum()), f"l_{j}_{h}")
                for q, n in column.items():
                    by_class[q].append((n, level[j, h]))
    for q, held in enumerate(by_class):
        model.add(sum(n * v for n, v in held) >= int(classes.size[q]))
    for h, kind in enumerate(kinds):
        if kind.stock is not None:
            model.add(sum(v for (_, k), v in level.items() if k == h) <= kind.stock)
    area = sum(kinds[h].area * v for (_, h), v in level.items())
    model.add(area >= generation.bound)
    if value is not None:
        model.add(area <= value)
    model.minimize(area)
    watch = generation.watch
    run = run_cpsat(model, Stopwatch(watch.limits, watch.started), workers=workers)
    if run.value is None:
        return None
    picked = [columns[j] for (j, _), v in level.items() for _ in range(run.solver.value(v))]
    return compact(classes.clustering(without_surplus(classes, picked)).cluster_of)
