"""What is wrong with a best-known list: every field of every entry against judge and proofs.

A value must be what the judge says of its mapping. A bound must be what exact arithmetic gives for
the instance, or be proved again within limits. Who found what, and when, nobody can know
afterwards: names and days must be such, and no more is said of them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from optmap.bounds.bound import Bound, best
from optmap.errors import InputError, refuse_special
from optmap.experiment.best_known_list import ENERGY, MAPPINGS, file_of
from optmap.experiment.run.description import platform_text
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.tables.best_known import Entry, Record
from optmap.experiment.tables.metrics import GAPPED
from optmap.experiment.verification.second_proof import Word, prove_bound
from optmap.instance import Instance
from optmap.judge.case import Case
from optmap.mapping_json import from_dict, to_dict
from optmap.methods import METHODS
from optmap.model.mapping import Mapping as MappingOf
from optmap.model.outcome import Limits
from optmap.model.scope import END_TO_END

#: Bytes that a mapping of a list may unpack to.
MOST_BYTES = 200_000_000
#: When the first entry was written.
FIRST_DAY = date(2026, 11, 25)


def missing_values(entries: Iterable[Entry], instances: Iterable[str]) -> list[str]:
    """Say of which instances, by name, the list has no entry, and of which metrics no value.

    An entry without any energy is of a platform that charges none.
    """
    known = {entry.instance: entry.records for entry in entries}
    missing: list[str] = []
    for name in instances:
        if name not in known:
            missing.append(f"{name}: no entry")
            continue
        records = known[name]
        for metric in GAPPED:
            record = records.get(metric.name)
            free = record is None and metric.name == ENERGY
            if not free and (record is None or record.value is None):
                missing.append(f"{name}: no value of {metric.name}")
    return missing


def folder_problems(folder: Path, entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the files of a list that are no entry's, or written otherwise than a list writes."""
    texts, used = {}, set()
    for entry in entries:
        texts[entry.file] = entry.text
        used |= {
            str(record.mapping.get("file"))
            for record in entry.records.values()
            if record.mapping is not None
        }
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name in texts:
            if path.read_text(encoding="utf-8") != texts[name]:
                yield f"{name}: written otherwise than a list writes it"
        elif name not in used and name != MAPPINGS:
            yield f"{name}: no entry's file"


def entry_problems(folder: Path, entry: Entry, instance: Instance, limits: Limits) -> Iterator[str]:
    """Yield what is wrong with an entry.

    Parameters
    ----------
    folder : Path
        The list, whose mappings the entry names.
    instance : Instance
        What the entry says it is of.
    limits : Limits
        For proving a bound again that exact arithmetic does not give.
    """
    name = entry.instance
    if instance.digest() != entry.digest:
        yield f"{name}: digest {entry.digest[:12]}, the instance has {instance.digest()[:12]}"
        return
    if instance.name != name:
        yield f"{name}: the instance is called {instance.name!r}"
    if entry.platform != platform_text(instance):
        yield f"{name}: platform {entry.platform!r}, it is {platform_text(instance)!r}"
    judged = _Judged(folder, instance, {})
    for metric, record in entry.records.items():
        if metric not in [known.name for known in GAPPED]:
            yield f"{name}: {metric} is no metric of the list"
            continue
        yield from (f"{name}: {metric} {text}" for text in _of_people(record))
        yield from (f"{name}: {metric} {text}" for text in judged.problems(metric, record))
    for case in list(judged.cases.values())[:1]:  # end to end, any mapping gives the same
        for metric in (known.name for known in GAPPED):
            found = entry.records.get(metric, Record(metric))
            low = best(b for b in case.bounds if b.metric == metric and b.scope == END_TO_END)
            for text in _of_bound(found, low, case, instance, limits):
                yield f"{name}: {metric} {text}"


def strangers(entry: Entry) -> Iterator[str]:
    """Yield the names in an entry that no method here has: a mapping that somebody brought."""
    for metric, record in entry.records.items():
        for who in (record.method, record.bound_by):
            if who and who not in METHODS:
                yield f"{entry.instance}: {metric} of {who!r}, no method here"


@dataclass(frozen=True)
class _Judged:
    """The mappings of an entry, each judged once."""

    folder: Path
    instance: Instance
    cases: dict[str, Case]

    def problems(self, metric: str, record: Record) -> Iterator[str]:
        """Yield how a value is not that of its mapping."""
        if record.mapping is None:
            if record.value is not None:
                yield f"{record.value} without a mapping"
            return
        file = _file_of(self.folder, record)
        if file not in self.cases:
            mapping = mapping_of(self.folder, record, self.instance)
            made = self.instance
            self.cases[file] = Case(made.snn, made.platform, made.tokens, mapping, made.constraints)
        evaluation = self.cases[file].evaluation
        value = None if evaluation is None else evaluation.row().get(metric)
        if value is None or value != record.value:
            yield f"{record.value}, judged {value}"


def mapping_of(folder: Path, record: Record, instance: Instance) -> MappingOf:
    """Return the mapping of a record.

    Raises
    ------
    InputError
        If its file is missing, damaged, or is not what a list writes for that mapping.
    """
    file = _file_of(folder, record)
    path = folder / file
    refuse_special(path, "a mapping")
    try:
        text = _unpacked(path.read_bytes(), path)
        mapping = from_dict(json.loads(text), instance.snn, str(path))
    except OSError as error:
        raise InputError(str(path), "", error.strerror or str(error), "a mapping") from None
    except (zlib.error, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(str(path), "", f"no gzipped JSON ({error})", "a mapping") from None
    if file != file_of(mapping) or text != dumps(to_dict(mapping)).encode():
        raise InputError(str(path), "", "content of another name", "the mapping it is named by")
    return mapping


def _file_of(folder: Path, record: Record) -> str:
    """Return where in the list a record says that its mapping is; InputError if it cannot be."""
    place: Mapping[str, object] = record.mapping or {}
    file = str(place.get("file"))
    if set(place) != {"file"} or Path(file).parent.as_posix() != MAPPINGS:
        raise InputError(str(folder), record.metric, repr(dict(place)), f"a file in {MAPPINGS}/")
    return file


def _unpacked(packed: bytes, path: Path) -> bytes:
    """Return what one gzip member holds: a few bytes can unpack to gigabytes."""
    reader = zlib.decompressobj(wbits=31)
    text = reader.decompress(packed, MOST_BYTES)
    if not reader.eof or reader.unused_data:
        raise InputError(str(path), "", "more than one whole gzip member", f"{MOST_BYTES} bytes")
    return text


def _of_people(record: Record) -> Iterator[str]:
    """Yield what is no name of a method and no day on which it can have run."""
    for what, there, who, when in (
        ("value", record.value, record.method, record.date),
        ("bound", record.bound, record.bound_by, record.bound_date),
    ):
        if there is None:
            if who or when:
                yield f"has no {what}, yet it is of {who!r} on {when!r}"
            continue
        if not who or who != who.strip() or not who.isprintable():
            yield f"{what} is of nobody: {who!r}"
        try:
            day = date.fromisoformat(when)
        except ValueError:
            day = date.max
        latest = (datetime.now(UTC) + timedelta(days=1)).date()
        if not FIRST_DAY <= day <= latest or when != day.isoformat():
            yield f"{what} is of {when!r}, which is no day of this list until now"


def _of_bound(
    record: Record, computed: Bound | None, case: Case, instance: Instance, limits: Limits
) -> Iterator[str]:
    """Yield how a bound is not what can be proved of every mapping now."""
    low, value = record.bound, record.value
    free = computed is not None and record.metric == ENERGY and computed.value == 0
    if low is not None and value is not None and value < low.value:
        yield f"{value} is below its bound {low.value}"
        return
    if computed is not None and not free and (low is None or low.value < computed.value):
        stated = "no bound" if low is None else f"bound {low.value}"
        yield f"has {stated}, exact arithmetic gives {computed.value} ({computed.name})"
        return
    if low is None:
        return
    if computed is not None and Fraction(low.value) == computed.value:
        stored, made = dumps(low.to_json()), dumps(computed.to_json())
        if stored != made:
            yield f"bound is {made}, stored as {stored}"
        return
    proof = prove_bound(low, case.mapping, instance, case.bounds, limits)
    if proof.word is Word.REFUTED:
        yield f"bound {low.value} ({low.scope}) is too high: {proof.by}"
    elif proof.word is Word.OPEN or not proof.vouches_for(low.grade):
        yield f"bound {low.value} ({low.scope}) is not proved again: {proof.by}"
