"""Rates that are no whole numbers as whole counts, exactly where a scale makes them so.

A rate is read as the decimal it is written with, not as the binary fraction nearest to it: 0.3
times 10 is 3. Whole counts at a scale keep the proportions of the rates; one iteration is then as
many of the file's windows as the scale says.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from optmap.model.snn import MAX_TOTAL_SPIKES, IntArray

#: Digits behind the point that a scale may take; more are rounded, or asked for.
MAX_DIGITS = 6
#: Different rates that are looked at for a common window.
MAX_DISTINCT = 100_000
#: The scale at which rates of more digits are rounded where nobody can be asked.
ROUNDED_SCALE = 1_000


def exact_scale(rates: npt.NDArray[Any]) -> int | None:
    """Return the smallest scale that makes all rates whole; None if it has more than six digits.

    Decimals first, then fractions: 1/3 and 7/300, which no decimal is equal to.

    Examples
    --------
    >>> exact_scale(np.array([0.02, 0.9, 0.3, 0.001], dtype=np.float32))
    1000
    """
    for digits in range(MAX_DIGITS + 1):
        whole = np.rint(rates.astype(np.float64) * 10**digits)
        if np.abs(whole).max(initial=0) < 2**53 and np.array_equal(
            (whole / 10**digits).astype(rates.dtype), rates
        ):
            common = gcd(10**digits, *map(int, np.unique(whole.astype(np.int64))))
            return int(10**digits // common)
    return _rational_scale(rates)


def _rational_scale(rates: npt.NDArray[Any]) -> int | None:
    """Return the scale of rates that are counts over a window of no decimal length, as 7 / 300.

    Each is the simplest fraction that is rounded to it in the precision of the file.
    """
    distinct = np.unique(rates)
    if len(distinct) > MAX_DISTINCT:
        return None
    scale = 1
    for rate in distinct:
        if rate == 0:
            continue
        exact = Fraction(float(rate))
        low, high = (Fraction(float(np.nextafter(rate, to))) for to in (-np.inf, np.inf))
        simple = _simplest((low + exact) / 2, (exact + high) / 2)
        if rates.dtype.type(simple.numerator / simple.denominator) != rate:
            return None
        scale = lcm(scale, simple.denominator)
        if scale > 10**MAX_DIGITS:
            return None
    return scale


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """Return the fraction of the smallest denominator in an interval, ``0 < low <= high``.

    Examples
    --------
    >>> _simplest(Fraction(33, 100), Fraction(34, 100))
    Fraction(1, 3)
    """
    floor = low.numerator // low.denominator
    if low == floor:
        return Fraction(floor)
    if floor + 1 <= high:
        return Fraction(floor + 1)
    return floor + 1 / _simplest(1 / (high - floor), 1 / (low - floor))


def whole_counts(
    rates: npt.NDArray[Any], window: Fraction | None, *, rounds: bool = False
) -> tuple[IntArray, str]:
    """Return whole counts of rates, and the scale in words; "" if they were whole.

    Parameters
    ----------
    rates : (N,) float array
        Finite and >= 0, in single or double precision as the file has them.
    window : Fraction or None
        What to multiply by; None: the smallest scale that is exact.
    rounds : bool
        Where no scale of six digits is exact: round to the nearest thousandth instead of refusing.

    Raises
    ------
    ValueError
        If no scale is exact and neither ``window`` nor ``rounds`` is given, or a count is too
        large to add up exactly.
    """
    scale = exact_scale(rates)
    if window is None and scale == 1:
        return _fitting(rates.astype(np.float64)).astype(np.int64), ""
    if window is not None:
        factor = window
    elif scale is not None:
        factor = Fraction(scale)
    elif rounds:
        factor = Fraction(ROUNDED_SCALE)
    else:
        raise ValueError(
            f"rates of more than {MAX_DIGITS} digits: say with --spike-window by what to multiply"
        )
    exact = rates.astype(np.float64) * float(factor)
    counts = np.rint(_fitting(exact)).astype(np.int64)
    counts[(counts == 0) & (rates > 0)] = 1  # who fires at all is not silent
    text = f"x {factor}"
    if scale is None or any((factor / scale * k).denominator > 1 for k in _multiples(rates, scale)):
        total = float(exact.sum())
        off = abs(float(counts.sum()) - total) / total if total else 0.0
        text += f", rounded to the nearest whole, {off:.2%} of all spikes off"
    return counts, text


def _multiples(rates: npt.NDArray[Any], scale: int) -> list[int]:
    """Return the distinct whole numbers that the rates are at their scale."""
    distinct = np.unique(np.rint(rates.astype(np.float64) * scale)).astype(np.int64)
    return [int(value) for value in distinct]


def _fitting(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if counts.sum() > MAX_TOTAL_SPIKES:
        raise ValueError(f"more than {MAX_TOTAL_SPIKES} spikes in one iteration")
    return counts
