"""No cell of a table is taken for a formula by a spreadsheet, and no number changes."""

from fractions import Fraction

import pandas as pd
import pytest

from optmap.experiment.tables.csv_text import csv_text, plain


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x()", "@SUM(A1)", "\t=1", "\r=1", "-1/0"])
def test_a_name_is_no_formula(name):
    assert plain(name) == "'" + name


@pytest.mark.parametrize(
    "cell", ["-3/4", "+7", "-1.5", "+", "*", "a=b", "", None, -3, Fraction(-1)]
)
def test_what_is_none_stays(cell):
    assert plain(cell) == cell


def test_a_table_keeps_its_numbers_and_its_gaps():
    frame = pd.DataFrame({"name": ["=cmd", "b"], "value": [1, -2], "gap": [None, 0.5]})
    assert csv_text(frame) == "name,value,gap\n'=cmd,1,\nb,-2,0.5\n"
    assert csv_text(pd.DataFrame(columns=["a"])) == "a\n"
