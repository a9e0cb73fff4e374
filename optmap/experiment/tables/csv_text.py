"""A table as CSV whose cells no spreadsheet takes for formulas."""

from __future__ import annotations

from fractions import Fraction

import pandas as pd
from pandas.api.types import is_numeric_dtype

#: What a spreadsheet takes for the beginning of a formula.
OF_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(frame: pd.DataFrame) -> str:
    """Return a table as CSV; text that begins as a formula does gets an apostrophe before it.

    Names come from files of strangers. What is a number stays one, with its sign.

    Examples
    --------
    >>> print(csv_text(pd.DataFrame({"name": ["=1+1", "a=b"], "gap": ["-3/4", "+x"]})), end="")
    name,gap
    '=1+1,-3/4
    a=b,'+x
    """
    texts = [name for name in frame.columns if not is_numeric_dtype(frame[name])]
    text: str = frame.assign(**{name: frame[name].map(plain) for name in texts}).to_csv(index=False)
    return text


def plain(cell: object) -> object:
    """Return a cell as it is, or text that is no formula in its place."""
    if not isinstance(cell, str) or len(cell) < 2 or not cell.startswith(OF_A_FORMULA):
        return cell  # a lone mark, as "+" for two solvers, is no formula
    try:
        Fraction(cell)
    except (ValueError, ZeroDivisionError):
        return "'" + cell
    return cell
