"""What a sweep shows while it runs: rich on a terminal, plain lines elsewhere (standard error)."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from optmap.experiment.row import Row
from optmap.experiment.run.job import Job
from optmap.experiment.tables.text import shortened

#: Columns that spinner, bar, count and time of a running solve take beside its two names.
BESIDE_NAMES = 52
#: How a line is made to fit, the first that does: characters of a name, metrics shown.
_FITS = (
    (20, ("clusters", "traffic", "period")),
    (16, ("clusters", "traffic", "period")),
    (12, ("clusters", "traffic", "period")),
    (12, ("traffic", "period")),
    (8, ("traffic", "period")),
    (12, ("period",)),
    (6, ("period",)),
)


def ended_line(row: Row, width: int | None, lead: str = "") -> str:
    """Return one line about a row that has just ended.

    Parameters
    ----------
    row : Row
        The row.
    width : int or None
        Columns of the terminal: names are shortened, then metrics left out, numbers never cut.
        None where it is no terminal: nothing is shortened.
    lead : str
        What the line begins with.

    Returns
    -------
    str
        The line; longer than ``width`` only where a reason is, which is said whole.
    """
    check = "" if row.check in ("ok", "not_run") else f" ({row.check})"
    line = ""
    for size, shown in _FITS:
        found = ", ".join(f"{name} {row.metrics[name]}" for name in shown if name in row.metrics)
        names = (row.instance, row.method)
        if width is not None:
            names = (shortened(row.instance, size), shortened(row.method, size))
        padded = " ".join(f"{name:<{size}}" for name in names)
        text = f"{lead}{padded} {row.status}{check} {row.wall_s:.1f} s"
        line = f"{text}  {found or row.reason}"
        if width is None or len(line) <= width or not found:
            return line
    return line


class Quiet:
    """Says nothing: for a notebook, which shows the rows."""

    def started(self, job: Job) -> None:
        """Stay silent."""

    def ended(self, job: Job, row: Row) -> None:
        """Stay silent."""


class PlainProgress:
    """One line as each row ends."""

    def __init__(self, console: Console, total: int) -> None:
        self.console, self.total, self.done = console, total, 0

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def started(self, job: Job) -> None:
        """Stay silent: the line comes at the end."""

    def ended(self, job: Job, row: Row) -> None:
        """Print the line of the row."""
        self.done += 1
        width = self.console.width if self.console.is_terminal else None
        line = ended_line(row, width, f"[{self.done}/{self.total}] ")
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


class LiveProgress:
    """A line per running solve, a total bar below, finished rows above."""

    def __init__(self, console: Console, total: int) -> None:
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self.total = self.progress.add_task("rows", total=total)
        self.running: dict[str, tuple[TaskID, float, float]] = {}
        self.stop = threading.Event()
        self.clock = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> LiveProgress:
        self.progress.start()
        self.clock.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop.set()
        self.progress.stop()

    def _tick(self) -> None:
        while not self.stop.wait(0.25):
            for task, start, limit in list(self.running.values()):
                self.progress.update(task, completed=min(round(time.monotonic() - start), limit))

    def started(self, job: Job) -> None:
        """Add a line for the solve."""
        limit = max(round(job.limits.wall_s), 1)
        size = max(8, (self.progress.console.width - BESIDE_NAMES) // 2)
        names = f"{shortened(job.instance, size)} / {shortened(job.method, size)}"
        task = self.progress.add_task(names, total=limit)
        self.running[job.key()] = (task, time.monotonic(), limit)

    def ended(self, job: Job, row: Row) -> None:
        """Take the line away and print the row above."""
        self.progress.remove_task(self.running.pop(job.key())[0])
        self.progress.advance(self.total)
        line = ended_line(row, self.progress.console.width)
        self.progress.console.print(line, markup=False, highlight=False, overflow="fold")
