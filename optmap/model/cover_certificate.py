"""A proof that all clusters together cost so much, as data that anybody can re-check.

Prices pi_u >= 0 of the neurons such that no crossbar holds neurons worth more than it costs: the
clusters of every mapping hold each neuron once, so that together they cost the sum of the prices at
least (weak duality of the covering problem). Prices are whole numbers of 1 / ``scale``. That no
crossbar is worth more is what has to be proved again, by the ``pricing`` that the certificate names
(:func:`formulations.whole.synapse_cover.verify_cover`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from optmap.errors import InputError

SCHEMA = 1
METRICS, PRICINGS = ("clusters", "traffic", "period"), ("listing",)


@dataclass(frozen=True, slots=True)
class CoverCertificate:
    """Prices for the neurons of one network, none of which is split.

    Parameters
    ----------
    metric : str
        ``clusters``, ``traffic``, or ``period``, where the cost is execution time.
    pricing : str
        ``listing``: every set that fits a crossbar was visited.
    prices : tuple of int
        pi_u by position among the units.
    scale : int
        What a price of 1 stands for: 1 / scale of a cluster, a spike, a tick.
    tiles : int
        Tiles that share the execution time; 1 for the other metrics.
    """

    metric: str
    pricing: str
    prices: tuple[int, ...]
    scale: int
    tiles: int = 1

    def __post_init__(self) -> None:
        if self.metric not in METRICS or self.pricing not in PRICINGS:
            raise ValueError(f"cover of {self.metric!r}, priced by {self.pricing!r}")
        if min(self.scale, self.tiles) < 1 or any(p < 0 for p in self.prices):
            raise ValueError(f"cover: scale {self.scale}, {self.tiles} tiles, prices must be >= 0")

    @property
    def bound(self) -> int:
        """What the prices prove: their sum, divided among the tiles, rounded up.

        Examples
        --------
        >>> CoverCertificate("period", "listing", (20, 20, 31), 10, 2).bound
        4
        """
        return -(-sum(self.prices) // (self.scale * self.tiles))

    def to_json(self) -> dict[str, Any]:
        """Return the certificate as JSON-ready data."""
        return {
            "schema": SCHEMA,
            "kind": "cover",
            "metric": self.metric,
            "pricing": self.pricing,
            "prices": list(self.prices),
            "scale": self.scale,
            "tiles": self.tiles,
            "bound": self.bound,
        }


def from_dict(data: Any, file: str = "certificate") -> CoverCertificate:
    """Rebuild a certificate; the bound it states must be the one it proves.

    Raises
    ------
    InputError
        Naming ``file``, the field, what was found and what was expected.
    """
    if not isinstance(data, dict) or (data.get("schema"), data.get("kind")) != (SCHEMA, "cover"):
        raise InputError(file, "schema", "something else", f"a cover certificate, schema {SCHEMA}")
    try:
        if not all(type(x) is int for x in (*data["prices"], data["scale"], data["tiles"])):
            raise ValueError("a number that is not whole")
        made = CoverCertificate(
            data["metric"], data["pricing"], tuple(data["prices"]), data["scale"], data["tiles"]
        )
        stated = data["bound"]
    except KeyError as error:
        raise InputError(file, str(error.args[0]), "nothing", "a field of a certificate") from None
    except (ValueError, TypeError) as error:
        raise InputError(file, "", str(error), "a cover certificate") from None
    if stated != made.bound:
        raise InputError(file, "bound", str(stated), f"{made.bound}, what the prices prove")
    return made
