"""What a decomposition policy is, and the one list of them; it is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from optmap.model.decomposition import Decomposition, Parameters
from optmap.model.platform import Platform
from optmap.model.snn import SNN


class Decomposing(Protocol):
    """Choose units of fan-in at most R for a network."""

    def __call__(self, snn: SNN, platform: Platform, *, seed: int = 0) -> Decomposition:
        """Return the units; ``seed`` is the only source of randomness."""


class Rebuilding(Protocol):
    """Make the units again that a mapping file names by policy, rows and parameters."""

    def __call__(self, snn: SNN, rows: int, parameters: Parameters) -> Decomposition:
        """Return units that are equal to those that were written, :attr:`Decomposition.identity`.

        ``parameters`` come from a file: ValueError, KeyError or TypeError where they are odd.
        """


def _by_chain() -> Decomposing:
    from optmap.decomposing.chain import decompose

    return decompose


def _by_tree() -> Decomposing:
    from optmap.decomposing.tree import decompose

    return decompose


def _by_spikes() -> Decomposing:
    from optmap.decomposing.spikes import decompose

    return decompose


def _by_none() -> Decomposing:
    from optmap.decomposing.none import decompose

    return decompose


def _again_chain() -> Rebuilding:
    from optmap.decomposing.chain import rebuild

    return rebuild


def _again_tree() -> Rebuilding:
    from optmap.decomposing.tree import rebuild

    return rebuild


def _again_spikes() -> Rebuilding:
    from optmap.decomposing.spikes import rebuild

    return rebuild


def _again_none() -> Rebuilding:
    from optmap.decomposing.none import rebuild

    return rebuild


#: Policy -> loader of what chooses units.
DECOMPOSERS: dict[str, Callable[[], Decomposing]] = {
    "chain": _by_chain,
    "tree": _by_tree,
    "spikes": _by_spikes,
    "none": _by_none,
}
#: Policy -> loader of what makes them again; what is not here stands in mapping files as lists.
REBUILDERS: dict[str, Callable[[], Rebuilding]] = {
    "chain": _again_chain,
    "tree": _again_tree,
    "spikes": _again_spikes,
    "none": _again_none,
}


def decompose(
    snn: SNN, rows: int, policy: str, parameters: Parameters | None = None
) -> Decomposition:
    """Return ``snn`` with every fan-in at most ``rows``.

    Parameters
    ----------
    snn : SNN
        The network; it is returned unchanged inside the result if nothing exceeds ``rows``.
    rows : int
        R >= 2, the rows of the largest crossbar.
    policy : str
        A name of :data:`REBUILDERS`.
    parameters : dict, optional
        What the policy takes.

    Raises
    ------
    FanInError
        Policy ``none`` and a neuron of fan-in above ``rows``.
    ValueError
        ``rows`` below 2, an unknown policy, or parameters that it does not take.
    """
    if policy not in REBUILDERS:
        raise ValueError(f"decomposition {policy!r}: expected one of {', '.join(REBUILDERS)}")
    given = parameters or {}
    made = REBUILDERS[policy]()(snn, rows, given)
    unknown = set(given) - set(made.parameters)
    if unknown:
        raise ValueError(f"decomposition {policy!r} has no parameter {min(unknown)!r}")
    return made
