"""Commands run in this process: what one prints and its status, without a start of Python.

A start costs about a second of a core. What only a process of its own shows (signals, closed
pipes, a full disk, methods from a file) is tested with one: test_command_line.py, test_main.py,
test_compare.py, test_survival.py.
"""

from __future__ import annotations

import gc
import io
import subprocess
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout

from optmap import clock
from optmap.command_line import guarded

Done = subprocess.CompletedProcess[str]


def run_command(main: Callable[[list[str]], int], *arguments: object) -> Done:
    """Run a command's ``main`` as ``python -m`` does, by the machine's clock; return its end."""
    texts = [str(argument) for argument in arguments]
    out, err, sweep_after = io.StringIO(), io.StringIO(), gc.get_threshold()
    counts, clock._counts[:] = clock._counts[:], []
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = guarded(main, texts)
    except SystemExit as end:  # --help, wrong options
        status = end.code if isinstance(end.code, int) else 1
    finally:
        clock._counts[:] = counts
        gc.set_threshold(*sweep_after)
    return Done(texts, status, out.getvalue(), err.getvalue())
