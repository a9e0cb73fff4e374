"""The child process from its first moment: it ends with its parent, then loads what solves.

It ends its whole process group when the pipe whose number is its argument closes: a parent that
dies takes its solves along, and a child that is still loading, which takes seconds on a busy
machine.
"""

from __future__ import annotations

import os
import signal
import sys
import threading


def main() -> None:
    """Watch the parent, where there is a pipe, and run what stands on standard input."""
    if sys.argv[1].isdecimal():
        threading.Thread(target=_end_with_parent, args=(int(sys.argv[1]),), daemon=True).start()
    from optmap.experiment.run.solve import main as solve

    solve()


def _end_with_parent(lifeline: int) -> None:
    os.read(lifeline, 1)  # nothing is ever written: it returns when the other end is gone
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    main()
