"""Whether an order model can be built in the time that is left: asked before, and while, it is."""

from __future__ import annotations

from collections.abc import Sequence

from formulations.solvers.time_to_build import too_long

#: Seconds of longest paths per cubed number of tasks, of arcs and variables per pair on a resource.
SECONDS_PER_CUBE, SECONDS_PER_PAIR = 2e-9, 4e-6
#: More tasks need too much memory: a few tables of 8 bytes for every pair.
MAX_TASKS = 6000


class OutOfTimeError(Exception):
    """The limit passed while a model was being built."""


def why_not_built(
    resources: Sequence[Sequence[int]],
    num_tasks: int,
    left: float,
    seconds_per_pair: float = SECONDS_PER_PAIR,
) -> str:
    """Return why a model of these tasks is not built in ``left`` seconds; empty if it may be.

    Parameters
    ----------
    seconds_per_pair : float
        What the model takes for each ordered pair of one resource's tasks.

    Examples
    --------
    >>> why_not_built([[0, 1, 2]], 3, 1.0)
    ''
    >>> why_not_built([range(9000)], 9000, 60.0)
    'no order model: 9,000 tasks, at most 6,000 are tried'
    """
    if num_tasks > MAX_TASKS:
        return f"no order model: {num_tasks:,} tasks, at most {MAX_TASKS:,} are tried"
    pairs = sum(len(group) ** 2 for group in resources)
    seconds = SECONDS_PER_CUBE * num_tasks**3 + seconds_per_pair * pairs
    return too_long("no order model", f"{num_tasks:,} tasks", seconds, left)
