"""A proof that no clustering needs fewer crossbars, as data that anybody can re-check.

Prices pi_u >= 0 of the units and a number v such that no crossbar holds units worth more than v
times its cost: every clustering then costs at least sum(pi) / v (weak duality of the covering
problem, in Farley's form). All numbers are whole; the sum is exact; only "no crossbar is worth
more than v" needs a solver again (:mod:`formulations.clustering.verify_certificate`). Where a
search over the crossbars that such a bound admits found no clustering at all, the bound is so much
higher; the search is then run again too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from optmap.errors import InputError

SCHEMA = 2

#: What prices and worth may come to: what is computed of them again stays exact, also in doubles.
MAX_SUM = 2**50


class Certificate(Protocol):
    """What lets others prove a bound again, with the bound that it proves."""

    @property
    def bound(self) -> int:
        """The bound, recomputed from what the certificate holds."""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready data; ``kind`` names what can read it back."""


@dataclass(frozen=True, slots=True)
class PriceCertificate:
    """Prices for the units of one decomposition.

    Parameters
    ----------
    units : str
        Identity of the units, :attr:`optmap.model.decomposition.Decomposition.identity`.
    kinds : tuple of (rows, columns, cost)
        The crossbars that may be used; cost 1 counts crossbars.
    prices : tuple of int
        pi_u >= 0 by unit position.
    worth : int
        v > 0: no crossbar of a kind holds units worth more than v times its cost.
    searched : int
        By how much a search raised the bound that the prices alone give; needs costs of 1.
    """

    units: str
    kinds: tuple[tuple[int, int, int], ...]
    prices: tuple[int, ...]
    worth: int
    searched: int = 0

    def __post_init__(self) -> None:
        if self.worth < 1 or any(p < 0 for p in self.prices):
            raise ValueError("certificate: prices must be >= 0 and the worth of a crossbar >= 1")
        if max(sum(self.prices), self.worth) > MAX_SUM:
            raise ValueError(f"certificate: prices of {sum(self.prices)} in all, above {MAX_SUM}")
        if not self.kinds or any(min(kind) < 1 for kind in self.kinds):
            raise ValueError(f"certificate: kinds {self.kinds}")
        if self.searched < 0 or (self.searched and any(cost != 1 for _, _, cost in self.kinds)):
            raise ValueError(f"certificate: searched {self.searched} for kinds {self.kinds}")

    @property
    def bound(self) -> int:
        """What the certificate proves: ceil(sum(pi) / v), and what was searched.

        Examples
        --------
        >>> PriceCertificate("as given", ((4, 4, 1),), (2, 2, 3), 3).bound
        3
        """
        return -(-sum(self.prices) // self.worth) + self.searched

    def to_json(self) -> dict[str, Any]:
        """Return the certificate as JSON-ready data."""
        return {
            "schema": SCHEMA,
            "kind": "prices",
            "units": self.units,
            "crossbars": [list(kind) for kind in self.kinds],
            "prices": list(self.prices),
            "worth": self.worth,
            "searched": self.searched,
            "bound": self.bound,
        }


def from_dict(data: Any, file: str = "certificate") -> PriceCertificate:
    """Rebuild a certificate; the bound it states must be the one it proves.

    Raises
    ------
    InputError
        Naming ``file``, the field, what was found and what was expected.
    """
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or data.get("kind") != "prices":
        raise InputError(file, "schema", "something else", f"a price certificate, schema {SCHEMA}")
    try:
        searched = data.get("searched", 0)
        numbers = [
            *data["prices"],
            data["worth"],
            searched,
            *(x for kind in data["crossbars"] for x in kind),
        ]
        if not all(type(x) is int for x in numbers):
            raise ValueError("a number that is not whole")
        kinds = tuple((int(r), int(c), int(cost)) for r, c, cost in data["crossbars"])
        made = PriceCertificate(
            str(data["units"]), kinds, tuple(data["prices"]), data["worth"], searched
        )
        stated = data["bound"]
    except KeyError as error:
        raise InputError(file, str(error.args[0]), "nothing", "a field of a certificate") from None
    except (ValueError, TypeError) as error:
        raise InputError(file, "", str(error), "a price certificate") from None
    if stated != made.bound:
        raise InputError(file, "bound", str(stated), f"{made.bound}, what the prices prove")
    return made
