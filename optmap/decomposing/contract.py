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


def _chain() -> tuple[Decomposing, Rebuilding]:
    from optmap.decomposing import chain

    return chain.decompose, chain.rebuild


def _tree() -> tuple[Decomposing, Rebuilding]:
    from optmap.decomposing import tree

    return tree.decompose, tree.rebuild


def _none() -> tuple[Decomposing, Rebuilding]:
    from optmap.decomposing import none

    return none.decompose, none.rebuild


def _spikes() -> tuple[Decomposing, Rebuilding]:
    from optmap.decomposing import spikes

    return spikes.decompose, spikes.rebuild


#: Policy -> loader.
POLICIES: dict[str, Callable[[], tuple[Decomposing, Rebuilding]]] = {
    "chain": _chain,
    "tree": _tree,
    "spikes": _spikes,
    "none": _none,
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
        A name of :data:`POLICIES`.
    parameters : dict, optional
        What the policy takes.

    Raises
    ------
    FanInError
        Policy ``none`` and a neuron of fan-in above ``rows``.
    ValueError
        ``rows`` below 2, an unknown policy, or parameters that it does not take.
    """
    if policy not in POLICIES:
        raise ValueError(f"decomposition {policy!r}: expected one of {', '.join(POLICIES)}")
    given = parameters or {}
    made = POLICIES[policy]()[1](snn, rows, given)
    unknown = set(given) - set(made.parameters)
    if unknown:
        raise ValueError(f"decomposition {policy!r} has no parameter {min(unknown)!r}")
    return made
