"""Mt-KaHyPar here, or in a process of its own that is ended when the time has passed.

The partitioner knows no limit, and no other thread of Python runs while it does. As a program this
module imports nothing else of the project, so that it starts in a twentieth of a second: a
hypergraph comes in on standard input, blocks go out on standard output. It stays in the group of
who started it, whose memory is counted and which is killed as a whole, and the system ends it when
the other end of the pipe whose number is its argument is gone: its parent died.
"""

from __future__ import annotations

import fcntl
import marshal
import os
import select
import signal
import subprocess
import sys
from functools import cache
from typing import Any, NamedTuple

#: Seconds from which on a limit is none: the system takes no longer ones (24 days in milliseconds).
LONGEST_S = 1e6


class Hypergraph(NamedTuple):
    """Nodes 0..U-1 and, of every hyperedge, its nodes and its weight."""

    num_nodes: int
    edges: list[list[int]]
    weights: list[int]


class Wanted(NamedTuple):
    """Into how many blocks, by how much larger than the mean one may be, and by which seed."""

    blocks: int
    imbalance: float
    seed: int


def partitioned(graph: Hypergraph, wanted: Wanted) -> list[int]:
    """Return the block of every node, of the least connectivity found (KM1); one thread."""
    kahypar, initializer = _library()
    kahypar.set_seed(wanted.seed)
    context = initializer.context_from_preset(kahypar.PresetType.DETERMINISTIC)
    context.set_partitioning_parameters(wanted.blocks, wanted.imbalance, kahypar.Objective.KM1)
    context.logging = False
    nodes, edges, weights = graph
    made = initializer.create_hypergraph(context, nodes, len(edges), edges, [1] * nodes, weights)
    return list(made.partition(context).get_partition())


def partitioned_within(graph: Hypergraph, wanted: Wanted, seconds: float) -> list[int] | None:
    """Return what :func:`partitioned` does in a process of its own; None if the time passes first.

    Raises
    ------
    ChildProcessError
        If that process ends by itself without blocks.
    """
    given = marshal.dumps((tuple(graph), tuple(wanted)))
    reading, writing = os.pipe()
    # -P: the folder of the program must not shadow modules of the standard library
    with (
        os.fdopen(reading) as alive,
        os.fdopen(writing, "w"),
        subprocess.Popen(
            [sys.executable, "-P", __file__, str(alive.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(alive.fileno(),),
        ) as child,
    ):
        try:
            out, errors = child.communicate(given, None if seconds > LONGEST_S else seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            child.kill()
    if child.returncode:
        lines = errors.decode(errors="replace").strip().splitlines()
        word = lines[-1] if lines else f"exit {child.returncode}"
        raise ChildProcessError(f"Mt-KaHyPar ended without blocks: {word}")
    blocks: list[int] = marshal.loads(out)
    return blocks


@cache
def _library() -> tuple[Any, Any]:
    """Return the library and its initializer; a second one would complain on standard output."""
    import mtkahypar

    return mtkahypar, mtkahypar.initialize(1)


def main() -> None:
    """Partition what stands on standard input."""
    _end_with_parent(int(sys.argv[1]))
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the library may print; blocks must not mix
    graph, wanted = marshal.load(sys.stdin.buffer)
    marshal.dump(partitioned(Hypergraph(*graph), Wanted(*wanted)), out)
    out.close()


def _end_with_parent(lifeline: int) -> None:
    """Let signals end this process: an interrupt, and that the other end of a pipe is gone."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)
    gone = select.poll()
    gone.register(lifeline, select.POLLIN)
    if gone.poll(0):  # it was before the signal was asked for
        sys.exit(1)


if __name__ == "__main__":
    main()
