"""One row of a run: what was asked, how it ended, what was reached and what was proved.

Rows are stored as JSON objects, one a line; this is the only place that knows their fields. A row
of another schema is refused by its number, never read by guessing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from optmap.bounds.bound import Bound
from optmap.errors import InputError, refuse_unknown
from optmap.experiment.run.source import Source
from optmap.model.claim import Claim, read, written
from optmap.model.outcome import Value
from optmap.model.scope import Place

#: Raised when a stored field changes its meaning. 1 had scopes in words and no number.
SCHEMA = 2

#: How the rows of given mappings are named: this, then the name of the file without suffix.
GIVEN = "mapping:"

#: What the store adds to a row.
OF_THE_STORE = ("schema", "attached", "checksum", "chain")


#: What ``network["set"]`` says of an instance that is there to be looked at.
EXAMPLE = "example"


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one instance with one seed.

    Parameters
    ----------
    key : str
        Hash of everything that makes two rows the same; see ``Job.key``.
    instance, digest, source
        The instance's name, the hash of its content, how it is loaded.
    method, seed, limit_s, threads, memory_mb, work
        What was asked for.
    status : str
        How the method ended: ``optimal``, ``feasible``, ``infeasible``, ``no_solution``,
        ``timeout_hard``, ``memout``, ``unsupported``, ``error``.
    check : str
        What the judge said: ``ok``, ``violation``, ``mismatch``, or ``not_run``.
    reason : str
        Why, in words, where there is something to say.
    wall_s, cpu_s, elapsed_s : float
        The method's own time and its process's, seconds.
    peak_rss_mb : float or None
        Resident memory of the process group, None where it was never seen.
    decomposition : str
        Policy of the mapping's decomposition, "" without a mapping.
    place : Place or None
        Where the mapping lies among all mappings: which scopes cover it.
    network : mapping
        Sizes of network and platform.
    metrics : mapping
        The judge's values, exact; empty without a valid mapping.
    bounds, claims
        What was proved without a solver, and what the stages say.
    """

    key: str
    instance: str
    digest: str
    method: str
    seed: int
    status: str
    check: str
    reason: str = ""
    wall_s: float = 0.0
    cpu_s: float | None = None
    elapsed_s: float | None = None
    peak_rss_mb: float | None = None
    limit_s: float | None = None
    threads: int = 1
    memory_mb: int | None = None
    work: int | None = None
    source: Source = field(default_factory=Source)
    decomposition: str = ""
    place: Place | None = None
    network: Mapping[str, int | str] = field(default_factory=dict)
    metrics: Mapping[str, Value | None] = field(default_factory=dict)
    bounds: tuple[Bound, ...] = ()
    claims: tuple[Claim, ...] = ()
    certificates: tuple[Mapping[str, Any], ...] = ()
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    critical_cycle: tuple[str, ...] = ()
    code_version: str = ""
    solver_versions: str = ""
    ended: str = ""

    def __post_init__(self) -> None:
        for name in ("network", "metrics", "stage_seconds"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def is_example(self) -> bool:
        """Whether its instance asks nothing: it is shown, and left out of means."""
        return self.network.get("set") == EXAMPLE

    @property
    def accepted(self) -> bool:
        """Whether the row has a mapping that passed the check."""
        return self.check == "ok" and bool(self.metrics)

    def value(self, metric: str) -> Fraction | None:
        """Return the judge's value; None without a mapping, or where nothing bounds it."""
        found = self.metrics.get(metric)
        return None if found is None else Fraction(found)

    @property
    def proved(self) -> tuple[Bound, ...]:
        """Every bound the row brings: those without a solver, then those of its stages."""
        claimed = (
            Bound(c.metric, self.method, c.bound, c.scope, c.grade)
            for c in self.claims
            if c.bound is not None
        )
        return (*self.bounds, *claimed)

    def to_json(self) -> dict[str, Any]:
        """Return the row as it is stored; exact fractions become "p/q"."""
        data: dict[str, Any] = {"schema": SCHEMA}
        data |= {f.name: getattr(self, f.name) for f in fields(self)}
        data["source"] = self.source.to_json()
        data["place"] = None if self.place is None else self.place.to_json()
        data["network"] = dict(self.network)
        data["stage_seconds"] = dict(self.stage_seconds)
        data["metrics"] = {name: written(value) for name, value in self.metrics.items()}
        data["bounds"] = [bound.to_json() for bound in self.bounds]
        data["claims"] = [claim.to_json() for claim in self.claims]
        data["certificates"] = [dict(c) for c in self.certificates]
        data["critical_cycle"] = list(self.critical_cycle)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any], where: str = "row") -> Row:
        """Read a row back.

        Raises
        ------
        InputError
            If it is of another schema, or a field is missing or not what it should be.
        """
        schema = data.get("schema", 1)
        if schema != SCHEMA:
            expected = f"{SCHEMA}: run it again, this version does not read older rows"
            raise InputError(where, "schema", repr(schema), expected)
        given = {name: value for name, value in data.items() if name not in OF_THE_STORE}
        refuse_unknown(given, tuple(f.name for f in fields(cls)), where)
        try:
            given["source"] = (
                Source.from_json(data["source"], where) if data["source"] else Source()
            )
            place = data.get("place")
            given["place"] = None if place is None else Place.from_json(place, where)
            given["metrics"] = {n: read(v) for n, v in (data.get("metrics") or {}).items()}
            given["bounds"] = tuple(map(_bound, data.get("bounds", ())))
            given["claims"] = tuple(map(Claim.from_json, data.get("claims", ())))
            given["certificates"] = tuple(data.get("certificates", ()))
            given["critical_cycle"] = tuple(data.get("critical_cycle", ()))
            return cls(**given)
        except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
            if isinstance(error, InputError):
                raise
            text = f"{type(error).__name__} {error}"
            raise InputError(
                where, "", f"a field that is missing or odd ({text:.100})", "a row"
            ) from None


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """A certificate as it stands in a row; whoever proves it again reads ``data``."""

    data: Mapping[str, Any]

    @property
    def bound(self) -> int:
        """The bound that it states."""
        return int(self.data["bound"])

    def to_json(self) -> dict[str, Any]:
        """Return what stands in the row."""
        return dict(self.data)


def _bound(data: dict[str, Any]) -> Bound:
    bound = Bound.from_json(data)
    if data.get("certificate") is None:
        return bound
    return replace(bound, certificate=StoredCertificate(data["certificate"]))
