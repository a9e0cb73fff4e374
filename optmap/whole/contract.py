"""What a method that decides everything is, and the list of those that need no solver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits, Outcome
from optmap.model.platform import Platform
from optmap.model.scope import Scope
from optmap.model.snn import SNN


class WholeMapper(Protocol):
    """Decide decomposition, clustering, binding and orders of a network."""

    def __call__(
        self,
        snn: SNN,
        platform: Platform,
        tokens: str,
        limits: Limits,
        *,
        objective: str = "period",
        start: Mapping | None = None,
        on_better: Callable[[Outcome[Mapping]], None] | None = None,
    ) -> Outcome[Mapping]:
        """Return the best mapping found, and a bound that holds for every mapping, or None.

        Parameters
        ----------
        objective : str
            The column of the judge's row that is minimised.
        start : Mapping, optional
            A mapping that is known and was reported; the result is never worse.
        on_better : callable, optional
            Told of every better mapping at once, so that a kill loses nothing.
        """


@dataclass(frozen=True, slots=True)
class Whole:
    """A loader, and what the bounds of its method hold for.

    Parameters
    ----------
    load : callable
        Called once a run: what it returns may keep what it found for one metric for the next.
    prologue : bool
        They hold for orders with a prologue too.
    whole_neurons : bool
        They hold only for decompositions that split no neuron which fits a crossbar.
    metrics : tuple of str
        What it is run for, one after the other; empty: for the objective alone.
    """

    load: Callable[[], WholeMapper]
    prologue: bool = True
    whole_neurons: bool = False
    metrics: tuple[str, ...] = ()

    def scope(self, platform: Platform) -> Scope:
        """Return what the bounds hold for on a platform."""
        kept = platform.max_rows if self.whole_neurons else None
        return Scope(prologue=self.prologue, splits_above=kept)


def _search() -> WholeMapper:
    from optmap.whole.search import search

    return search


def _copies() -> WholeMapper:
    from optmap.whole.cluster_copies import with_copies

    return with_copies


#: Name that a :class:`optmap.methods.Method` has as its ``whole`` -> loader and class of schedules.
WHOLE: dict[str, Whole] = {
    "search": Whole(_search),
    "search-clusters": Whole(_search, metrics=("clusters",)),
    "search-traffic": Whole(_search, metrics=("traffic",)),
    "search-energy": Whole(_search, metrics=("energy_pj",)),
    "copies": Whole(_copies),
    "search-multicast": Whole(_search, metrics=("multicast_hops",)),
}
