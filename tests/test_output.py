"""What commands print fits the terminal: text breaks between words, tables keep their numbers."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from optmap.errors import wrapped
from optmap.output import number_table, print_text

SENTENCE = (
    "  364 rows: 364 with a checked mapping, 28 proved in every stage, 0 failed; slowest 10.7 s"
)


def printed(width: int, *, terminal: bool) -> list[str]:
    out = StringIO()
    print_text(Console(file=out, width=width, force_terminal=terminal), SENTENCE)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [20, 60, 80, 100])
def test_text_breaks_between_words_on_a_terminal(width):
    lines = printed(width, terminal=True)
    assert max(map(len, lines)) <= width
    assert " ".join(" ".join(lines).split()) == SENTENCE.strip()
    assert all(line.startswith("    ") for line in lines[1:])


def test_a_file_gets_whole_lines():
    assert printed(20, terminal=False) == [SENTENCE]


def test_a_name_that_no_line_holds_is_broken():
    lines = wrapped("written to /a/" + "b" * 90, 60).splitlines()
    assert max(map(len, lines)) == 60
    assert "".join(lines).replace(" ", "") == "writtento/a/" + "b" * 90


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_table_keeps_its_numbers(width):
    rows = [
        ("crossbars of twice the rows and columns", "1,234,567", "12.34x", "51%", "2.8"),
        ("network interfaces twice as fast", "3", "1.00x", "100%", "1,111"),
    ]
    out = StringIO()
    console = Console(file=out, width=width)
    titles = ("change", "period", "faster", "gap to the bound", "nJ")
    console.print(number_table(None, titles, rows, width), highlight=False)
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for _, *numbers in rows:
        assert any(numbers == line.split()[-4:] for line in text.splitlines())
