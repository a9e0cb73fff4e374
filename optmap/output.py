"""Where commands print tables and coloured text: a module of its own, for rich is slow to load."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from optmap.errors import wrapped

WIDTH = 100
#: Below this many columns tables stand closer.
NARROW = 80


def print_text(console: Console, text: str) -> None:
    """Print text that holds no markup: on a terminal broken between words, elsewhere as it is."""
    if console.is_terminal:
        text = "\n".join(wrapped(line, console.width) for line in text.split("\n"))
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def number_table(
    title: str | None, columns: Sequence[str], rows: Sequence[Sequence[str]], width: int
) -> Table:
    """Return a table of a name and numbers: where room is short names wrap, never a number.

    Parameters
    ----------
    columns : sequence of str
        Titles; the first is the names'.
    width : int
        Columns of the terminal: below NARROW one blank stands between two, else two.
    """
    table = Table(
        title=title,
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0 if width < NARROW else 1),
        title_justify="left",
        title_style="bold",
    )
    name, *numbers = columns
    table.add_column(name, overflow="fold")
    for i, number in enumerate(numbers, 1):
        least = max((len(row[i]) for row in rows), default=0)
        table.add_column(number, justify="right", min_width=least, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


class Output(Console):
    """Standard output, WIDTH columns where it is no terminal; a closed pipe ends it as an error."""

    def __init__(self) -> None:
        super().__init__(width=None if sys.stdout.isatty() else WIDTH)

    def on_broken_pipe(self) -> None:
        """Leave it to :func:`~optmap.command_line.guarded`; rich would end with exit status 1."""
        self.quiet = True
        raise BrokenPipeError
