"""Cores that a solve leases: however many threads a solver starts, they share ``--threads`` cores.

CP-SAT chooses its sub-solvers by its number of workers, so that fewer workers would be another
solver; its eight took every idle core, and rows of one thread were not comparable. They share the
cores of a lease now. A process holds a lease by binding an abstract socket address, which the
system releases however the process ends: no file is left, and solves of other runs on the machine
lease other cores as long as there are some.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

#: Leases of one core before it is used without one: more solves at once than that share by chance.
MOST_ON_A_CORE = 64


@contextmanager
def leased_cores(number: int) -> Iterator[frozenset[int]]:
    """Confine this thread, and the threads it starts from now on, to ``number`` cores.

    Yields the cores; all that the process may use where there are no more than ``number``, or
    where the system does not confine threads (macOS, Windows: an empty set).
    """
    if not hasattr(os, "sched_setaffinity"):
        yield frozenset()
        return
    allowed = os.sched_getaffinity(0)
    if len(allowed) <= number:
        yield frozenset(allowed)
        return
    with ExitStack() as leases:
        cores = _least_leased(sorted(allowed), number, leases)
        os.sched_setaffinity(0, cores)
        try:
            yield frozenset(cores)
        finally:
            os.sched_setaffinity(0, allowed)


def _least_leased(cores: list[int], number: int, leases: ExitStack) -> list[int]:
    """Return ``number`` of ``cores``, those with fewest leases first, and lease them."""
    chosen: list[int] = []
    for place in range(MOST_ON_A_CORE):
        for core in cores:
            if core not in chosen and _lease(core, place, leases):
                chosen.append(core)
                if len(chosen) == number:
                    return chosen
    return chosen + [core for core in cores if core not in chosen][: number - len(chosen)]


def _lease(core: int, place: int, leases: ExitStack) -> bool:
    """Hold one place of a core until the stack closes; False where somebody else holds it."""
    address = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        address.bind(f"\0optmap core {core} {place}")
    except OSError:
        address.close()
        return False
    leases.callback(address.close)
    return True
