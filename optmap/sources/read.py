"""One door for every format: a name or a path in, a network out."""

from __future__ import annotations

from pathlib import Path

from optmap.snn import SNN
from optmap.sources.generate import PREFIX, generate


def read_network(
    name: str | Path, *, keep_zero_weights: bool = False, spikes: Path | None = None
) -> SNN:
    """Return the network behind a ``gen:`` name, a file or a folder.

    Raises
    ------
    InputError
        If it is missing, damaged or describes no network.
    """
    if str(name).startswith(PREFIX):
        return generate(str(name))
    raise NotImplementedError
