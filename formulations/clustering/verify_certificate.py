"""Re-verification of a price certificate, trusting nothing of the run that wrote it.

The prices' sum is exact arithmetic. That no crossbar holds units worth more than v is proved again
in independent ways: by shapes where units are cells of a lattice (column_generation/lattice.py),
else by CP-SAT on the whole-number prices ((P2)-(P4) for one cluster) and, where its time runs out,
by the frontier sweep of column_generation/pricing.py in whole numbers. Which of them succeeded is
part of the verdict.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from formulations.clustering.column_generation.column_cover import can_do
from formulations.clustering.column_generation.lattice import lattice_of
from formulations.clustering.column_generation.pricing import Pricer
from formulations.clustering.crossbar_kinds import Kind
from formulations.clustering.sets import kinds_worth_having
from formulations.solvers.run_cpsat import WORKERS, run_cpsat
from formulations.solvers.stopwatch import Stopwatch
from optmap.clustering.kernels.classes import Classes, classes_of
from optmap.clustering.kernels.within_limits import columns_left
from optmap.model.capacity import stated
from optmap.model.certificate import PriceCertificate
from optmap.model.decomposition import Decomposition
from optmap.model.outcome import Limits
from optmap.model.platform import Platform
from optmap.model.snn import SNN, IntArray


@dataclass(frozen=True, slots=True)
class Verdict:
    """What re-verification found.

    Parameters
    ----------
    holds : bool or None
        True: proved again. False: refuted, ``why`` says by what. None: neither within the limits.
    why : str
        The proof used, or the reason.
    """

    holds: bool | None
    why: str


def verify(
    certificate: PriceCertificate,
    decomposition: Decomposition,
    platform: Platform,
    limits: Limits,
    *,
    workers: int = WORKERS,
) -> Verdict:
    """Prove the certificate's bound for this decomposition and platform once more."""
    wide = columns_left(decomposition.network, platform) if stated(platform) else platform
    needed = tuple((r, c, 1) for r, c in kinds_worth_having(wide))
    return _verify(certificate, decomposition, needed, limits, workers)


def verify_area(
    certificate: PriceCertificate,
    decomposition: Decomposition,
    kinds: tuple[Kind, ...],
    limits: Limits,
    *,
    workers: int = WORKERS,
) -> Verdict:
    """Prove once more that the certificate bounds the area of every clustering, in the kinds' unit.

    The stock is not looked at: with less of it nothing gets smaller.
    """
    needed = tuple((kind.rows, kind.columns, kind.area) for kind in kinds)
    return _verify(certificate, decomposition, needed, limits, workers)


def _verify(
    certificate: PriceCertificate,
    decomposition: Decomposition,
    needed: tuple[tuple[int, int, int], ...],
    limits: Limits,
    workers: int,
) -> Verdict:
    """Prove the certificate, after checking that no crossbar is larger or cheaper than it says."""
    network = decomposition.network
    if certificate.units != decomposition.identity:
        return Verdict(False, f"certificate for units {certificate.units}, not for these")
    if len(certificate.prices) != network.num_units:
        return Verdict(False, f"{len(certificate.prices)} prices for {network.num_units} units")
    for r, c, cost in needed:
        if not any(s >= r and d >= c and e <= cost for s, d, e in certificate.kinds):
            return Verdict(False, f"the platform's crossbar {r} x {c} is not in the certificate")
    watch = Stopwatch(limits)
    sizes = tuple((rows, columns) for rows, columns, _ in needed)
    proofs = set()
    for rows, columns, cost in needed:
        most = min(certificate.worth * cost, sum(certificate.prices))
        share = watch.left / (2 * len(needed))
        worth, proof = _worth(certificate, network, (rows, columns), most, watch, share, workers)
        if worth is None:
            return Verdict(None, f"crossbar {rows} x {columns}: no proof within the time limit")
        if worth > most:
            return Verdict(
                False, f"a crossbar {rows} x {columns} holds units worth {worth} > {most}"
            )
        proofs.add(proof)
    if certificate.searched:
        possible = _search(certificate, network, sizes, watch, workers)
        if possible is None:
            return Verdict(None, f"{certificate.bound - 1} crossbars: not searched in time")
        if possible:
            return Verdict(False, f"{certificate.bound - 1} crossbars are enough")
        proofs.add("search")
    return Verdict(True, " and ".join(sorted(proofs)))


def _search(
    certificate: PriceCertificate,
    network: SNN,
    sizes: tuple[tuple[int, int], ...],
    watch: Stopwatch,
    workers: int,
) -> bool | None:
    """Tell whether one crossbar less than the certificate says is enough; None if not in time."""
    classes = classes_of(network)
    prices = _by_class(certificate, classes)
    pricers = [Pricer(classes, rows, columns) for rows, columns in sizes]
    closed = []
    for pricer in pricers:
        goal = pricer.heuristic(prices, 0, 2000).best
        closed.append(pricer.closed(prices, goal, watch.processor(watch.left / (2 * len(pricers)))))
    most = certificate.bound - 1
    return can_do(pricers, prices, closed, most, watch, watch.left, workers).possible


def _by_class(certificate: PriceCertificate, classes: Classes) -> IntArray:
    """Return the largest price of each class's members."""
    prices = [max(certificate.prices[p] for p in members) for members in classes.members]
    return np.array(prices, dtype=np.int64)


def _worth(
    certificate: PriceCertificate,
    network: SNN,
    size: tuple[int, int],
    most: int,
    watch: Stopwatch,
    seconds: float,
    workers: int,
) -> tuple[int | None, str]:
    """Return a crossbar's worth if above ``most``, or a proved bound of at most that, or None."""
    rows, columns = size
    lattice = lattice_of(network)
    if lattice is not None:
        held = lattice.worth(np.array(certificate.prices, dtype=np.int64), rows)
        if held <= most:
            return held, "shapes on a lattice"
    model = pricing_model(network, certificate.prices, rows, columns)
    run = run_cpsat(
        model, Stopwatch(watch.limits, watch.started), workers=workers, wall_s=min(seconds, 60.0)
    )
    if run.value is not None and -run.value > most:
        return -run.value, "CP-SAT"
    if run.bound is not None and -run.bound <= most:
        return -run.bound, "CP-SAT"
    classes = classes_of(network)
    by_class = _by_class(certificate, classes)
    proved = Pricer(classes, rows, columns).bound(by_class, most, watch.processor(watch.left))
    return (proved, "frontier sweep") if proved <= most else (None, "")


def pricing_model(
    network: SNN, prices: tuple[int, ...], rows: int, columns: int
) -> cp_model.CpModel:
    """Return the pricing problem of one crossbar, minimising minus the worth.

    (P2) sum_u x[u] <= C; (P3) x[u] <= a[i], i in P(u); (P4) sum_i a[i] <= R. Units without a price
    take room and earn nothing, so they are left out.
    """
    model = cp_model.CpModel()
    x: list[cp_model.IntVar] = []
    worth: list[int] = []
    a: dict[int, cp_model.IntVar] = {}
    for u, pi in zip(network.units.tolist(), prices, strict=True):
        if pi:
            x.append(model.new_bool_var(f"x_{u}"))
            worth.append(pi)
            for i in network.sources_of(u).tolist():
                if i not in a:
                    a[i] = model.new_bool_var(f"a_{i}")
                model.add_implication(x[-1], a[i])
    model.add(sum(x) <= columns)
    model.add(sum(a.values()) <= rows)
    nothing = model.new_constant(0)  # keeps the sum an expression when no unit has a price
    model.minimize(nothing - sum(pi * v for pi, v in zip(worth, x, strict=True)))
    return model
