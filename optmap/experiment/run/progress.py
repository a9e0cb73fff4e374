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


def ended_line(row: Row) -> str:
    """Return one line about a row that has just ended."""
    shown = ("clusters", "traffic", "period")
    found = ", ".join(f"{name} {row.metrics[name]}" for name in shown if name in row.metrics)
    check = "" if row.check in ("ok", "not_run") else f" ({row.check})"
    names = f"{shortened(row.instance, 20):<20} {shortened(row.method, 20):<20}"
    text = f"{names} {row.status}{check} {row.wall_s:.1f} s"
    return f"{text}  {found or row.reason}"


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
        line = f"[{self.done}/{self.total}] {ended_line(row)}"
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
        task = self.progress.add_task(f"{job.instance} / {job.method}", total=limit)
        self.running[job.key()] = (task, time.monotonic(), limit)

    def ended(self, job: Job, row: Row) -> None:
        """Take the line away and print the row above."""
        self.progress.remove_task(self.running.pop(job.key())[0])
        self.progress.advance(self.total)
        self.progress.console.print(ended_line(row), markup=False, highlight=False, overflow="fold")
