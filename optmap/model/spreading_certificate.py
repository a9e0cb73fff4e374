"""Lengths of nets and weights of roots that bound the traffic; see optmap/bounds/spreading.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from optmap.errors import InputError

SCHEMA = 1
#: What unit weights may count: columns, or shares of rows.
CAPACITIES = ("columns", "rows")
#: Longest net, heaviest root, most rounds: sums stay far from overflow.
MAX_LENGTH, MAX_WEIGHT, MAX_ROUNDS, MAX_TIMES = 2**16, 2**20, 400, 1000


@dataclass(frozen=True, slots=True)
class Round:
    """Lengths by net, the roots whose trees count, their weights, how often all of it counts."""

    lengths: tuple[int, ...]
    roots: tuple[int, ...]
    weights: tuple[int, ...]
    times: int = 1


@dataclass(frozen=True, slots=True)
class SpreadingCertificate:
    """What proves a bound on the traffic of one decomposition, in whole numbers.

    Parameters
    ----------
    units : str
        Identity of the units.
    capacity : str
        What at most so much of fits a crossbar: a name of CAPACITIES.
    rounds : tuple of Round
    stated : int
        The bound.
    """

    units: str
    capacity: str
    rounds: tuple[Round, ...]
    stated: int

    def __post_init__(self) -> None:
        if self.capacity not in CAPACITIES or len(self.rounds) > MAX_ROUNDS or self.stated < 0:
            raise ValueError(f"{len(self.rounds)} rounds, capacity {self.capacity!r}")
        for one in self.rounds:
            if len(one.roots) != len(one.weights):
                raise ValueError(f"{len(one.roots)} roots with {len(one.weights)} weights")
            if not all(1 <= x <= MAX_LENGTH for x in one.lengths):
                raise ValueError(f"lengths must be 1 to {MAX_LENGTH}")
            if not all(0 <= x <= MAX_WEIGHT for x in one.weights):
                raise ValueError(f"weights must be 0 to {MAX_WEIGHT}")
            if not 0 <= one.times <= MAX_TIMES:
                raise ValueError(f"a round must count 0 to {MAX_TIMES} times")

    @property
    def bound(self) -> int:
        """The bound that it states; whoever proves it again computes it anew."""
        return self.stated

    def to_json(self) -> dict[str, Any]:
        """Return the certificate as JSON-ready data."""
        return {
            "schema": SCHEMA,
            "kind": "spreading",
            "units": self.units,
            "capacity": self.capacity,
            "rounds": [
                [list(r.lengths), list(r.roots), list(r.weights), r.times] for r in self.rounds
            ],
            "bound": self.stated,
        }


def from_dict(data: Any, file: str = "certificate") -> SpreadingCertificate:
    """Rebuild a certificate.

    Raises
    ------
    InputError
        Naming ``file``, what was found and what was expected.
    """
    if not isinstance(data, dict) or (data.get("schema"), data.get("kind")) != (
        SCHEMA,
        "spreading",
    ):
        expected = f"a spreading certificate, schema {SCHEMA}"
        raise InputError(file, "schema", "something else", expected)
    try:
        rounds = []
        for one in data["rounds"]:
            lengths, roots, weights, times = one
            if not all(type(x) is int for x in (*lengths, *roots, *weights, times)):
                raise ValueError("a number that is not whole")
            rounds.append(Round(tuple(lengths), tuple(roots), tuple(weights), times))
        if type(data["bound"]) is not int:
            raise ValueError("a bound that is not whole")
        return SpreadingCertificate(
            str(data["units"]), data["capacity"], tuple(rounds), data["bound"]
        )
    except KeyError as error:
        raise InputError(file, str(error.args[0]), "nothing", "a field of a certificate") from None
    except (ValueError, TypeError) as error:
        raise InputError(file, "", str(error), "a spreading certificate") from None
