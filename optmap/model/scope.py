"""What a bound holds for, as data: its scope, and the place of a mapping that it may cover.

Units, clustering and binding are named by their *identity*, a digest of their content by one
function each: two decompositions, clusterings or bindings of one instance have one identity only
if they are equal, whatever policy, row count or method made them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from optmap.errors import InputError
from optmap.model.identity import digest_of
from optmap.model.mapping import Binding, Clustering, Mapping, compact


def clustering_identity(units: str, clustering: Clustering) -> str:
    """Return the identity of a clustering of the units named ``units``; labels do not matter."""
    return digest_of(units, compact(clustering.cluster_of).cluster_of)


def binding_identity(units: str, clustering: Clustering, binding: Binding) -> str:
    """Return the identity of a binding: which tile each unit of which clustering is on."""
    made = clustering_identity(units, clustering)
    return digest_of(made, binding.tile_of[clustering.cluster_of])


@dataclass(frozen=True, slots=True)
class Place:
    """Where one mapping lies: its identities and the numbers that scopes are limited by.

    Parameters
    ----------
    units, clustering, binding : str
        Identities.
    clusters : int
        Number of clusters.
    load : int
        Largest tile load in ticks, an idle tile's being 0.
    has_prologue : bool
        Whether an entry of its orders runs ahead.
    least_split : int, optional
        Fan-in of the narrowest neuron that its decomposition splits; None where none is split.
    """

    units: str
    clustering: str
    binding: str
    clusters: int
    load: int
    has_prologue: bool
    least_split: int | None = None

    def to_json(self) -> dict[str, str | int]:
        """Return the fields by name, without what is None."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, data: Any, where: str = "place") -> Place:
        """Read a place back; InputError naming ``where`` if it is none."""
        return cls(**_checked(data, where, cls.__annotations__))


def place_of(mapping: Mapping, load: int) -> Place:
    """Return the place of a mapping whose largest tile load is ``load`` ticks."""
    units, clustering = mapping.decomposition.identity, mapping.clustering
    return Place(
        units,
        clustering_identity(units, clustering),
        binding_identity(units, clustering, mapping.binding),
        clustering.num_clusters,
        load,
        mapping.orders.has_prologue,
        mapping.decomposition.least_split,
    )


@dataclass(frozen=True, slots=True)
class Scope:
    """For which mappings of one instance a bound holds; None: for any.

    Parameters
    ----------
    units, clustering, binding : str, optional
        Identities of the decomposition's units, of the clustering, of the binding.
    max_clusters : int, optional
        Holds for mappings of at most so many clusters.
    max_load : int, optional
        Holds for mappings none of whose tiles is busy for more ticks.
    prologue : bool
        Whether it also holds for orders with a prologue.
    splits_above : int, optional
        Holds for decompositions that split only neurons of a larger fan-in.

    Examples
    --------
    >>> print(Scope())
    any decomposition, clustering, binding and order
    >>> print(Scope(units="5a1c", max_clusters=13))
    this decomposition, at most 13 clusters
    >>> Scope(units="5a1c").covers(Place("77aa", "c", "b", 3, 10, False))
    False
    """

    units: str | None = None
    clustering: str | None = None
    binding: str | None = None
    max_clusters: int | None = None
    max_load: int | None = None
    prologue: bool = True
    splits_above: int | None = None

    def covers(self, place: Place) -> bool:
        """Tell whether the bound holds for the mapping at that place."""
        return (
            self.units in (None, place.units)
            and self.clustering in (None, place.clustering)
            and self.binding in (None, place.binding)
            and (self.max_clusters is None or place.clusters <= self.max_clusters)
            and (self.max_load is None or place.load <= self.max_load)
            and (self.prologue or not place.has_prologue)
            and (
                None in (self.splits_above, place.least_split)
                or _at_most(self.splits_above, (place.least_split or 0) - 1)
            )
        )

    def within(self, other: Scope) -> bool:
        """Tell whether every mapping in this scope is in the other one too."""
        return (
            other.units in (None, self.units)
            and other.clustering in (None, self.clustering)
            and other.binding in (None, self.binding)
            and _at_most(self.max_clusters, other.max_clusters)
            and _at_most(self.max_load, other.max_load)
            and (other.prologue or not self.prologue)
            and (other.splits_above is None or _at_most(other.splits_above, self.splits_above or 0))
        )

    @property
    def stage(self) -> str:
        """The latest decision that is taken as given, "end to end" where none is."""
        named = {"binding": self.binding, "clustering": self.clustering, "units": self.units}
        return next((name for name, given in named.items() if given is not None), "end to end")

    def __str__(self) -> str:
        """Return the text that tables show."""
        given = {
            "end to end": "any decomposition, clustering, binding and order",
            "units": "this decomposition",
            "clustering": "this clustering",
            "binding": "this binding",
        }
        text = given[self.stage]
        if self.max_clusters is not None:
            text += f", at most {self.max_clusters} clusters"
        if self.max_load is not None:
            text += f", tile load at most {self.max_load}"
        if self.splits_above is not None:
            text += f", neurons of fan-in up to {self.splits_above} whole"
        return text if self.prologue else f"{text}, orders without prologue"

    def to_json(self) -> dict[str, str | int]:
        """Return what differs from :data:`END_TO_END`, by name."""
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if getattr(self, f.name) != f.default
        }

    @classmethod
    def from_json(cls, data: Any, where: str = "scope") -> Scope:
        """Read a scope back; InputError naming ``where`` if it is none."""
        if data == {}:
            return END_TO_END  # of most bounds
        return cls(**_checked(data, where, cls.__annotations__))


#: Holds whatever a method decides.
END_TO_END = Scope()


def _at_most(own: int | None, limit: int | None) -> bool:
    return limit is None or (own is not None and own <= limit)


def _checked(data: Any, where: str, types: dict[str, str]) -> dict[str, Any]:
    """Return the fields as they are, if they are known and of the declared types."""
    if not isinstance(data, dict):
        raise InputError(where, "", type(data).__name__, "an object")
    for name, value in data.items():
        if name not in types:
            raise InputError(where, name, "an unknown field", "one of " + ", ".join(types))
        if type(value).__name__ not in types[name]:
            raise InputError(where, name, repr(value)[:80], types[name])
    return data
