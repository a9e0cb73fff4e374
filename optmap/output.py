"""Where commands print tables and coloured text: a module of its own, for rich is slow to load."""

from __future__ import annotations

import sys

from rich.console import Console

WIDTH = 100


class Output(Console):
    """Standard output, WIDTH columns where it is no terminal; a closed pipe ends it as an error."""

    def __init__(self) -> None:
        super().__init__(width=None if sys.stdout.isatty() else WIDTH)

    def on_broken_pipe(self) -> None:
        """Leave it to :func:`~optmap.command_line.guarded`; rich would end with exit status 1."""
        self.quiet = True
        raise BrokenPipeError
