"""How much memory a process group holds, read from outside."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def group_rss_mb(group: int) -> float | None:
    """Return the resident memory of a process group in MB; None where the system does not say."""
    if Path("/proc/self/statm").exists():
        return _from_proc(group)
    listing = subprocess.run(
        ["ps", "-axo", "pgid=,rss="], capture_output=True, text=True, check=False
    )
    rows = [line.split() for line in listing.stdout.splitlines()]
    used = [int(row[1]) for row in rows if len(row) == 2 and row[0] == str(group)]
    return sum(used) / 1024 if used else None


def _from_proc(group: int) -> float | None:
    page_mb = os.sysconf("SC_PAGE_SIZE") / 2**20
    total, found = 0.0, False
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            stat = Path(entry.path, "stat").read_text()
            fields = stat[stat.rindex(")") + 2 :].split()
            if int(fields[2]) == group:
                total += int(fields[21]) * page_mb
                found = True
        except (OSError, ValueError):  # it ended while we looked
            continue
    return total if found else None
