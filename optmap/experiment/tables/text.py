"""Numbers as tables print them: short, never cut, exact while there is room."""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor

#: What Markdown takes for a tag, a link or an address, with the backslashes before it.
MARKUP = re.compile(r"(\\*)(<(?=[A-Za-z/!?])|\[|(?<=www)\.)")


def compact(value: Fraction, width: int = 7) -> str:
    """Return a number in at most ``width`` characters (6 or more): exact while it is that short.

    Examples
    --------
    >>> compact(Fraction(1234567)), compact(Fraction(55, 2)), compact(Fraction(123456789))
    ('1234567', '27.5', '1.235e8')
    >>> compact(Fraction(15596123, 10), 6), compact(Fraction(46518, 10), 6)
    ('1.56e6', '4651.8')
    """
    if value.denominator == 1 and len(str(value)) <= width:
        return str(value)
    number = float(value)
    for text in (f"{number:.1f}", f"{number:.0f}"):
        if len(text) <= width and abs(number) >= 0.05:
            return text
    return f"{number:.{width - 4}e}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


def percent(value: Fraction, sign: str = "%") -> str:
    """Return a gap in percent, one decimal below ten; halves away from zero, as the report does.

    Examples
    --------
    >>> percent(Fraction(1, 8)), percent(Fraction(9, 200)), percent(Fraction(0))
    ('13%', '4.5%', '0%')
    """
    tenths = 10 if 0 < abs(value) < Fraction(1, 10) else 1
    rounded = floor(abs(value) * 100 * tenths + Fraction(1, 2)) * (1 if value >= 0 else -1)
    return f"{rounded / tenths:.1f}{sign}" if tenths == 10 else f"{rounded}{sign}"


def times(ratio: Fraction) -> str:
    """Return how many times faster: two digits after the point below ten, one above.

    Examples
    --------
    >>> times(Fraction(8, 3)), times(Fraction(121, 10)), times(Fraction(1))
    ('2.67x', '12.1x', '1.00x')
    """
    number = float(ratio)
    return f"{number:.2f}x" if number < 9.995 else f"{number:.1f}x"


def ratio_text(mean: float, spread: float) -> str:
    """Return a geometric mean with its geometric standard deviation.

    Examples
    --------
    >>> ratio_text(0.612, 1.4), ratio_text(12.34, 1.0)
    ('0.61 (x/ 1.4)', '12.3 (x/ 1.0)')
    """
    return f"{mean:.2f} (x/ {spread:.1f})" if mean < 9.995 else f"{mean:.1f} (x/ {spread:.1f})"


def no_markup(text: str) -> str:
    r"""Return Markdown in which no name of a stranger's file is a tag, a link or an address.

    Examples
    --------
    >>> print(no_markup("[x](javascript:y), <img src=x>, www.x.org, <= 5, \\[z](y)"))
    \[x](javascript:y), \<img src=x>, www\.x.org, <= 5, \[z](y)
    """
    return MARKUP.sub(lambda m: m[0] if len(m[1]) % 2 else f"{m[1]}\\{m[2]}", text)


def seconds(wall_s: float) -> str:
    """Return a time in at most four characters while it is below 10,000 s."""
    return f"{wall_s:.1f}" if wall_s < 99.95 else f"{wall_s:.0f}"


def shortened(name: str, width: int) -> str:
    """Return a name in at most ``width`` characters; what is left out is marked by "~".

    Examples
    --------
    >>> shortened("song2020/joint", 10), shortened("overlap", 10)
    ('song2~oint', 'overlap')
    """
    if len(name) <= width:
        return name
    tail = (width - 1) // 2
    return f"{name[: width - 1 - tail]}~{name[len(name) - tail :]}"
