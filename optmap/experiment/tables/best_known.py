"""The best values and bounds known, by the content of an instance: what a run starts from.

``results/best_known/`` holds one JSON file per instance::

    {
     "schema": 1,
     "instance": "filter_8",
     "digest": "...",                  # Instance.digest: network, platform, spikes, token mode
     "platform": "mesh 2 x 2, ...",    # for readers; the digest decides
     "metrics": {
      "period": {
       "value": "149", "method": "whole", "date": "2026-11-25",
       "mapping": {...},               # as in mappings/KEY.json; null where none is shipped
       "bound": {"metric": "period", "name": "cover", "value": 147, "scope": {},
                 "grade": "certified", "certificate": {...}},
       "bound_by": "colgen", "bound_date": "2026-11-25"
      }
     }
    }

Numbers are exact: whole, or "p/q". A bound counts if its scope is every mapping. A run keeps what
it started from in its own ``best_known.json``, one object per instance, so that its tables can be
derived again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

from optmap.bounds.bound import Bound
from optmap.errors import InputError, refuse_unknown
from optmap.model.claim import read, written
from optmap.model.scope import END_TO_END

SCHEMA = 1
FIELDS = ("schema", "instance", "digest", "platform", "metrics")
RECORD_FIELDS = ("value", "method", "date", "mapping", "bound", "bound_by", "bound_date")


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one metric of one instance; value and bound may each be missing."""

    metric: str
    value: Fraction | None = None
    method: str = ""
    date: str = ""
    mapping: Mapping[str, Any] | None = None
    bound: Bound | None = None
    bound_by: str = ""
    bound_date: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the record without its metric's name."""
        return {
            "value": written(self.value),
            "method": self.method,
            "date": self.date,
            "mapping": None if self.mapping is None else dict(self.mapping),
            "bound": None if self.bound is None else self.bound.to_json(),
            "bound_by": self.bound_by,
            "bound_date": self.bound_date,
        }

    @classmethod
    def from_json(cls, metric: str, data: Mapping[str, Any], where: str) -> Record:
        """Read a record back; InputError naming ``where`` if it is none."""
        place = data.get("mapping") if isinstance(data, Mapping) else None
        for what, found in (("", data), (".mapping", {} if place is None else place)):
            if not isinstance(found, Mapping):
                kind = type(found).__name__
                raise InputError(where, f"metrics.{metric}{what}", kind, "an object")
        refuse_unknown(data, RECORD_FIELDS, where, f"metrics.{metric}.")
        try:
            value = read(data.get("value"))
            bound = None if data.get("bound") is None else Bound.from_json(data["bound"])
            texts = {n: str(data.get(n, "")) for n in ("method", "date", "bound_by", "bound_date")}
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            text = f"{type(error).__name__} {error}"
            raise InputError(where, f"metrics.{metric}", text[:100], "value and bound") from None
        if bound is not None and (
            bound.metric != metric or replace(bound.scope, splits_above=None) != END_TO_END
        ):
            found = f"a bound on {bound.metric} for {bound.scope}"
            raise InputError(where, f"metrics.{metric}.bound", found, f"{metric}, any mapping")
        exact = None if value is None else Fraction(value)
        return cls(metric, exact, mapping=place, bound=bound, **texts)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one instance on one platform."""

    instance: str
    digest: str
    platform: str
    records: Mapping[str, Record] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "records", MappingProxyType(dict(self.records)))

    @property
    def file(self) -> str:
        """Name of its file in a list."""
        return f"{self.instance}-{self.digest[:8]}.json"

    @property
    def text(self) -> str:
        """The whole text of its file."""
        return json.dumps(self.to_json(), indent=1) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Return the content of the entry's file."""
        return {
            "schema": SCHEMA,
            "instance": self.instance,
            "digest": self.digest,
            "platform": self.platform,
            "metrics": {name: record.to_json() for name, record in self.records.items()},
        }

    @classmethod
    def from_json(cls, data: object, where: str) -> Entry:
        """Read an entry back; InputError naming ``where`` if it is none."""
        if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
            found = data.get("schema") if isinstance(data, Mapping) else type(data).__name__
            raise InputError(where, "schema", repr(found), str(SCHEMA))
        refuse_unknown(data, FIELDS, where)
        metrics = data.get("metrics")
        if not isinstance(metrics, Mapping) or not isinstance(data.get("digest"), str):
            raise InputError(where, "", "no digest or no metrics", "an entry")
        records = {str(n): Record.from_json(str(n), r, where) for n, r in metrics.items()}
        return cls(str(data.get("instance")), data["digest"], str(data.get("platform")), records)


@dataclass(frozen=True, slots=True)
class BestKnown:
    """What is known of several instances, by digest."""

    entries: Mapping[str, Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", MappingProxyType(dict(self.entries)))

    def of(self, *digests: str) -> BestKnown:
        """Return what is known of these instances."""
        return BestKnown({d: self.entries[d] for d in digests if d in self.entries})

    def _records(self, metric: str) -> list[Record]:
        return [e.records[metric] for e in self.entries.values() if metric in e.records]

    def bounds(self, metric: str) -> list[Bound]:
        """Return the bounds on a metric."""
        return [r.bound for r in self._records(metric) if r.bound is not None]

    def values(self, metric: str) -> list[tuple[Fraction, str]]:
        """Return the values of a metric, and whose they are."""
        return [
            (r.value, f"{r.method}, {r.date}") for r in self._records(metric) if r.value is not None
        ]

    def to_json(self) -> list[dict[str, Any]]:
        """Return the entries, in the order of instances' names."""
        ordered = sorted(self.entries.values(), key=lambda entry: (entry.instance, entry.digest))
        return [entry.to_json() for entry in ordered]

    @classmethod
    def from_json(cls, data: Iterable[object], where: str) -> BestKnown:
        """Read entries back."""
        entries = [Entry.from_json(one, where) for one in data]
        return cls({entry.digest: entry for entry in entries})


#: No list at all.
NOTHING = BestKnown()


def read_folder(folder: Path) -> BestKnown:
    """Return the entries of a best-known list; nothing where there is no such folder.

    Raises
    ------
    InputError
        If a file is no entry, or two are of the same instance.
    """
    entries: dict[str, Entry] = {}
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        entry = Entry.from_json(_json(file), str(file))
        if entry.digest in entries:
            other = entries[entry.digest].instance
            raise InputError(str(file), "digest", f"that of {other}", "one file per instance")
        entries[entry.digest] = entry
    return BestKnown(entries)


def read_copy(file: Path) -> BestKnown:
    """Return what a run started from; nothing where it kept no copy."""
    if not file.is_file():
        return NOTHING
    data = _json(file)
    if not isinstance(data, list):
        raise InputError(str(file), "", type(data).__name__, "a list of entries")
    return BestKnown.from_json(data, str(file))


def _json(file: Path) -> object:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(str(file), "", error.strerror or "unreadable", "a JSON file") from None
    except (ValueError, RecursionError) as error:
        raise InputError(str(file), "", f"no JSON ({error})", "a JSON file") from None
