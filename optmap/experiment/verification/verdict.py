"""What was found of one row: what is wrong with it, and what was proved of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from optmap.bounds.bound import Bound
from optmap.experiment.verification.second_proof import SecondProof


@dataclass
class RowVerdict:
    """What was found of one row.

    Parameters
    ----------
    row : dict or None
        The row as it is stored, where it can be read and nothing is wrong with it.
    end_to_end : list of Bound
        End-to-end bounds that were computed or proved just now.
    exact, again : list of Bound
        All bounds that were computed in exact arithmetic, or proved by solving again, just now.
    proofs : list of (metric, bound, scope, proof)
        What became of the bounds that its stages claim.
    modest : int
        How many of them carry a weaker grade than what was proved just now deserves.
    starved : bool
        Whether it was not held to all that its method does again: it says that it had no time.
    """

    key: str
    name: str
    problems: list[str] = field(default_factory=list)
    row: dict[str, Any] | None = None
    end_to_end: list[Bound] = field(default_factory=list)
    exact: list[Bound] = field(default_factory=list)
    again: list[Bound] = field(default_factory=list)
    mappings: int = 0
    claims: int = 0
    bounds: int = 0
    certificates: int = 0
    proofs: list[tuple[str, str, str, SecondProof]] = field(default_factory=list)
    modest: int = 0
    starved: bool = False

    @classmethod
    def of(cls, row: Mapping[str, Any], *problems: str) -> RowVerdict:
        """Return an empty verdict on a row, or one with these problems."""
        name = f"{row.get('instance')} / {row.get('method')} (seed {row.get('seed')})"
        return cls(str(row.get("key")), name, list(problems))
