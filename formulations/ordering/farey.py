"""Neighbours of a fraction among those of small denominator: how a bisection ends in a proof.

A period is the ratio of a cycle's ticks and tokens, so its denominator is at most the most tokens Q
on a simple cycle. Between a value and its predecessor of denominator <= Q no period lies: if the
predecessor is infeasible, the value is optimal.
"""

from __future__ import annotations

from fractions import Fraction


def below(value: Fraction, most: int) -> Fraction:
    """Return the largest fraction < ``value`` whose denominator is at most ``most``.

    Examples
    --------
    >>> below(Fraction(10), 3), below(Fraction(5, 2), 3)
    (Fraction(29, 3), Fraction(7, 3))
    """
    p, q = value.numerator, value.denominator
    return max(Fraction((p * d - 1) // q, d) for d in range(1, _checked(most) + 1))


def above(value: Fraction, most: int) -> Fraction:
    """Return the smallest fraction > ``value`` whose denominator is at most ``most``.

    Examples
    --------
    >>> above(Fraction(10), 3), above(Fraction(5, 2), 3)
    (Fraction(31, 3), Fraction(8, 3))
    """
    p, q = value.numerator, value.denominator
    return min(Fraction(p * d // q + 1, d) for d in range(1, _checked(most) + 1))


def at_least(value: Fraction, most: int) -> Fraction:
    """Return the smallest fraction >= ``value`` whose denominator is at most ``most``.

    Examples
    --------
    >>> at_least(Fraction(17, 7), 3)
    Fraction(5, 2)
    """
    return value if value.denominator <= most else above(value, most)


def _checked(most: int) -> int:
    if most < 1:
        raise ValueError(f"denominators up to {most}: expected at least 1")
    return most
