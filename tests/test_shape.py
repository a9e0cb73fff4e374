"""The shape of functions: at most 60 code lines, nested four deep, eight parameters.

Docstrings, comments and blank lines do not count; ``elif`` is no deeper than its ``if``. What is
longer is named here with the reason; a name that no longer needs it must go.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_LINES, MOST_DEPTH, MOST_PARAMETERS = 60, 4, 8

LABELS = "one loop over labels: its twelve tables grow in it, and a numba helper cannot grow them"
GROWTH = "one loop whose steps share more than eight counters, which numba returns only by tuples"
FIELDS = "one parameter a field of what it makes, all but two optional"
KEYWORDS = "a public signature: a keyword for each option of the command of that name"
OPTIONS = "the contract of its stage has four parameters, the others are options with defaults"

#: file:function -> why it may be larger.
EXCEPTIONS: dict[str, str] = {
    "formulations/clustering/column_generation/column_listing.py:_list": LABELS,
    "formulations/clustering/column_generation/pricing_frontier.py:_sweep": LABELS,
    "formulations/clustering/column_generation/pricing_frontier.py:price": OPTIONS,
    "optmap/clustering/kernels/vector_packing_start.py:_grow": GROWTH,
    "formulations/ordering/cpsat.py:solve": OPTIONS,
    "optmap/api.py:compare": KEYWORDS,
    "optmap/model/snn.py:from_edges": FIELDS,
}

BLOCKS = (ast.For, ast.While, ast.If, ast.With, ast.Try, ast.Match)


def functions() -> Iterator[tuple[str, ast.FunctionDef, list[str]]]:
    """Yield every function of both packages with its name and its file's lines."""
    for package in ("optmap", "formulations"):
        for file in sorted((ROOT / package).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef):
                    place = file.relative_to(ROOT).as_posix()
                    yield f"{place}:{node.name}", node, text.splitlines()


def code_lines(function: ast.FunctionDef, lines: list[str]) -> int:
    """Count the lines of a function that are neither docstring, comment nor blank."""
    first = function.body[0]
    text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    end = first.end_lineno or first.lineno
    docstring = range(first.lineno, end + 1) if text else range(0)
    numbers = range(function.lineno, (function.end_lineno or function.lineno) + 1)
    code = (lines[n - 1].strip() for n in numbers if n not in docstring)
    return sum(bool(line) and not line.startswith("#") for line in code)


def depth(node: ast.AST, here: int = 0) -> int:
    """Return how deep blocks are nested in a function."""
    deepest = here
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            continue
        elif_ = isinstance(child, ast.If) and isinstance(node, ast.If) and node.orelse == [child]
        deeper = isinstance(child, BLOCKS) and not elif_
        deepest = max(deepest, depth(child, here + deeper))
    return deepest


def parameters(function: ast.FunctionDef) -> int:
    """Count the parameters, ``self`` and ``cls`` aside."""
    a = function.args
    names = [x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    return len([n for n in names if n not in ("self", "cls")])


def too_large(function: ast.FunctionDef, lines: list[str]) -> bool:
    """Tell whether a function breaks a limit."""
    return (
        code_lines(function, lines) > MOST_LINES
        or depth(function) > MOST_DEPTH
        or parameters(function) > MOST_PARAMETERS
    )


def test_functions_are_small_but_for_those_named() -> None:
    found = {name for name, function, lines in functions() if too_large(function, lines)}
    assert found - set(EXCEPTIONS) == set()
    assert set(EXCEPTIONS) - found == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f():\n" + "    x = 1\n" * 59, False),
        ("def f():\n" + "    x = 1\n" * 60, True),
        ('def f():\n    """A.\n\n    B.\n    """\n' + "    x = 1\n    # no\n\n" * 59, False),
        ("def f(a, b, c, d, *, e, g, h, i): pass\n", False),
        ("def f(a, b, c, d, *, e, g, h, i, j): pass\n", True),
        ("def f(self, a, b, c, d, e, g, h, i): pass\n", False),
    ],
)
def test_the_limits_themselves(text: str, expected: bool) -> None:
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    assert too_large(function, text.splitlines()) is expected


@pytest.mark.parametrize(("blocks", "expected"), [(4, False), (5, True)])
def test_five_deep_is_too_deep(blocks: int, expected: bool) -> None:
    text = "def f():\n" + "".join(f"{'    ' * (n + 1)}while x:\n" for n in range(blocks))
    text += "    " * (blocks + 1) + "pass\n"
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    assert too_large(function, text.splitlines()) is expected
