"""Which kind of method a row is of: tables and pictures show them in these groups."""

from __future__ import annotations

from collections.abc import Iterable

from optmap.methods import METHODS

#: Name of a group -> what is in it.
GROUPS = {
    "published": "flows as published, and a random one as the floor",
    "improved": "heuristics of ours, and published flows with one stage changed",
    "exact": "at least one stage by a solver or a search with bounds",
    "whole": "decomposition, clustering, binding and order decided together",
    "yours": "methods and mappings of your own files",
}

PUBLISHED = frozenset(
    (
        "random",
        "pacman",
        "spinemap",
        "song2020",
        "song2020-published",
        "dfsynthesizer",
        "edgemap",
        "hyperedge-overlap",
        "hypergraph",
        "imported",
    )
)


def group_of(method: str) -> str:
    """Return the group of a method; one that does not come with optmap is yours.

    Examples
    --------
    >>> group_of("song2020"), group_of("overlap"), group_of("cpsat"), group_of("mapping:mine")
    ('published', 'improved', 'exact', 'yours')
    """
    known = METHODS.get(method)
    if (known is not None and known.whole) or method.split("-")[0] == "whole":
        return "whole"
    if known is None or known.digest:
        return "yours"
    if method in PUBLISHED:
        return "published"
    return "exact" if known.uses_solver else "improved"


def by_group(methods: Iterable[str]) -> dict[str, list[str]]:
    """Return the methods by group, groups in their order, empty ones left out."""
    found: dict[str, list[str]] = {group: [] for group in GROUPS}
    for method in dict.fromkeys(methods):
        found[group_of(method)].append(method)
    return {group: own for group, own in found.items() if own}
