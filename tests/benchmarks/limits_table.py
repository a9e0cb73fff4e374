"""Whether every method keeps its limit beside a busy loop on each core (``make limits``).

Runs every method on every instance under each limit with ``compare``, beside as many endless loops
as there are cores, and prints a table: how many rows have a checked mapping, how many a refusal
with its reason, how many were killed, the longest time beyond the limit. A row is wrong that was
killed, that has neither mapping nor refusal, or that took more than three seconds beyond its limit.

``python tests/benchmarks/limits_table.py [--limits 1,3,10] [--instances A,B] [--methods M,N]
[--out FOLDER]``. The same folder is continued; rows under another limit stay beside each other.
"""

from __future__ import annotations

import argparse
import multiprocessing
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from optmap.experiment.row import Row
from optmap.experiment.run.environment import cores
from optmap.experiment.run.store import Store
from optmap.experiment.tables.markdown import table
from optmap.methods import METHODS
from optmap.shipped import shipped_instances

#: Seconds beyond its limit after which a row is wrong.
BEYOND_S = 3.0
#: How a row without a mapping may end: its reason says what was proved, or what the method lacks.
REFUSED = ("infeasible", "unsupported", "no_solution")


def beyond_s(row: Row) -> float:
    """Return the seconds that a method took beyond its limit; below 0 within it."""
    return row.wall_s - (row.limit_s or 0.0)


def is_refusal(row: Row) -> bool:
    """Tell whether a row has no mapping and says why."""
    return row.status in REFUSED and bool(row.reason)


def is_wrong(row: Row) -> bool:
    """Tell whether a row breaks what the module's first lines demand."""
    return beyond_s(row) > BEYOND_S or not (row.accepted or is_refusal(row))


def lines_of(rows: Sequence[Row]) -> list[str]:
    """Return the table of rows by method and limit, then a line for each that is wrong."""
    groups: dict[tuple[str, float], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.method, row.limit_s or 0.0), []).append(row)
    lines = [
        (
            method,
            f"{limit:g}",
            str(len(own)),
            str(sum(row.accepted for row in own)),
            str(sum(map(is_refusal, own))),
            str(sum(row.status in ("timeout_hard", "memout", "crashed", "error") for row in own)),
            f"{max(map(beyond_s, own)):+.1f}",
        )
        for (method, limit), own in sorted(groups.items())
    ]
    headers = ("method", "limit (s)", "rows", "mapped", "refused", "ended", "beyond (s)")
    wrong = [
        f"wrong: {row.instance} / {row.method}, limit {row.limit_s:g} s: {row.status},"
        f" {row.wall_s:.1f} s: {row.reason}"
        for row in rows
        if is_wrong(row)
    ]
    return [*table(headers, lines, frozenset(range(1, 7))), "", *wrong, f"{len(wrong)} wrong"]


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Let so many processes compute without end while the block runs."""
    loops = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(count)]
    for loop in loops:
        loop.start()
    try:
        yield
    finally:
        for loop in loops:
            loop.terminate()
            loop.join()


def _spin() -> None:
    while True:
        pass


def main() -> int:
    """Run and print; 1 if a row is wrong."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--limits", default="1,3,10")
    made.add_argument("--instances", default=",".join(shipped_instances()))
    made.add_argument("--methods", default=",".join(n for n in METHODS if n != "imported"))
    made.add_argument("--out", type=Path)
    made.add_argument("--idle", action="store_true", help="start no loops: others are busy")
    args = made.parse_args()
    with tempfile.TemporaryDirectory() as folder, busy(0 if args.idle else cores()):
        out = args.out or Path(folder)
        for limit in args.limits.split(","):
            command = [sys.executable, "-m", "optmap.compare", *args.instances.split(",")]
            command += ["--methods", args.methods, "--limit", limit, "--jobs", "1"]
            subprocess.run([*command, "--out", str(out / limit)], check=False)
        rows = []
        for limit in args.limits.split(","):
            store = Store(out / limit)
            store.read()
            rows += [*store.typed(), *map(Row.from_json, store.crashed.values())]
    lines = lines_of(rows)
    sys.stdout.write("\n".join(lines) + "\n")
    return int(any(map(is_wrong, rows)))


if __name__ == "__main__":
    sys.exit(main())
