"""How much memory and processor time a process group has taken, read from outside."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Use:
    """Resident memory in MB; seconds of processor time, None where the system does not say."""

    rss_mb: float
    cpu_s: float | None


def group_use(group: int, waiting_leader: bool = False) -> Use | None:
    """Return what the living processes of a group hold and took; None where there is none.

    A leader that waits for its own copy holds what the copy does: it is then not counted twice.
    """
    if Path("/proc/self/statm").exists():
        return _from_proc(group, group if waiting_leader else 0)
    listing = subprocess.run(
        ["ps", "-axo", "pgid=,rss="], capture_output=True, text=True, check=False
    )
    rows = [line.split() for line in listing.stdout.splitlines()]
    used = [int(row[1]) for row in rows if len(row) == 2 and row[0] == str(group)]
    return Use(sum(used) / 1024, None) if used else None


def _from_proc(group: int, waiting: int) -> Use | None:
    page_mb, ticks = os.sysconf("SC_PAGE_SIZE") / 2**20, os.sysconf("SC_CLK_TCK")
    pages, cpu, found = 0, 0, False
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            stat = Path(entry.path, "stat").read_text()
            fields = stat[stat.rindex(")") + 2 :].split()
            if int(fields[2]) == group:
                pages += int(fields[21]) * (entry.name != str(waiting))
                cpu += int(fields[11]) + int(fields[12])
                found = True
        except (OSError, ValueError):  # it ended while we looked
            continue
    return Use(pages * page_mb, cpu / ticks) if found else None
