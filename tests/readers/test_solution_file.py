"""Solution files as solvers write them: values by name, or one line that says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from optmap.errors import InputError
from optmap.readers.solution_file import read_values

NAMES = ("x_0_0", "x_0_1", "y_0_0", "L")

HIGHS = """Model status
Time limit reached

# Primal solution values
Feasible
Objective 4
# Columns 4
x_0_0 1
x_0_1 0
y_0_0 0.9999999
L 2.5
# Rows 1
(P1)_0 1

# Dual solution values
None
"""
WRITTEN = {
    "highs": HIGHS,
    "cbc": "Optimal - objective value 4\n  0 x_0_0  1  0\n** 2 y_0_0 0.9999999 0\n 3 L 2.5 -1e-3\n",
    "scip": "solution status: optimal solution found\nobjective value:     4\n"
    "x_0_0      1 \t(obj:0)\ny_0_0   0.9999999 \t(obj:1)\nL  2.5 \t(obj:0)\n",
    "gurobi": "# Solution for model p\n# Objective value = 4\nx_0_0 1\ny_0_0 0.9999999\nL 2.5\n",
    "cplex": '<?xml version = "1.0"?>\n<CPLEXSolution version="1.2">\n <variables>\n'
    '  <variable name="x_0_0" index="0" value="1"/>\n'
    '  <variable name="y_0_0" index="2" value="0.9999999"/>\n'
    '  <variable name="L" index="3" value="2.5"/>\n </variables>\n</CPLEXSolution>\n',
    "equations": "x_0_0 = 1\ny_0_0=0.9999999\nL = 2.5\n",
}


def read(tmp_path: Path, text: str, names: tuple[str, ...] = NAMES) -> dict[str, float]:
    file = tmp_path / "p.sol"
    file.write_text(text)
    return read_values(file, names)


@pytest.mark.parametrize("solver", WRITTEN)
def test_each_solver_s_file_says_the_same(tmp_path, solver):
    found = read(tmp_path, WRITTEN[solver])
    assert {name: value for name, value in found.items() if value} == {
        "x_0_0": 1,
        "y_0_0": 0.9999999,
        "L": 2.5,
    }


def test_variables_by_number_and_in_turn(tmp_path):
    names = ("a", "o b", "c")  # a name may have a space, and begin like a remark
    assert read(tmp_path, "o 3\ns OPTIMUM FOUND\nv x1 -x2\nv x3\n", names) == {
        "a": 1,
        "o b": 0,
        "c": 1,
    }
    response = "status: OPTIMAL\nsolution: 1\nsolution: 0\nsolution: -7\nobjective_value: 3\n"
    assert read(tmp_path, response, names) == {"a": 1, "o b": 0, "c": -7}
    assert read(tmp_path, "o b 5\n", names) == {"o b": 5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Model status\nInfeasible\n\n# Primal solution values\nNone\n",
            "line 2: found Infeasible",
        ),
        (
            "Model status\nTime limit reached\n\n# Primal solution values\nNone\n",
            "line 5: found None",
        ),
        ("Infeasible - objective value 4\n 0 x_0_0 1 0\n", "this solver found none"),
        ("solution status: infeasible\nno solution available\n", "this solver found none"),
        ("s UNSATISFIABLE\n", "this solver found none"),
        ("status: INFEASIBLE\n", "this solver found none"),
        ("", "no value of any variable"),
        ("x_0_0 1\nx_9_9 1\n", "line 2: found x_9_9, expected a variable of this problem"),
        ("x_0_0 1\nx_0_0 0\n", "line 2: found x_0_0 = 0, expected 1, as above"),
        ("x_0_0 one\n", "line 1: found x_0_0 one, expected a finite number"),
        ("x_0_0 nan\n", "expected a finite number"),
        ("x_0_0\n", "line 1: found x_0_0, expected a variable's name and its value"),
        ("v x5\n", "line 1: found x5, expected x1 to x4"),
        ("solution: 1\n" * 5, "line 5: found variable 5 of 4"),
    ],
)
def test_what_is_no_solution_is_one_line(tmp_path, text, said):
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert said in str(error.value)


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "b", tmp_path / "gone", tmp_path):
        with pytest.raises(InputError):
            read_values(path, NAMES)
