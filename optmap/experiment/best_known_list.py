"""The best-known list as files: what a row or a bound improves, mappings beside it, all checked.

An entry is a JSON file (:mod:`optmap.experiment.tables.best_known` has the format), a mapping a
gzipped file in ``mappings/`` named by its content, shared by the metrics that it is best in.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from optmap.bounds.bound import Bound
from optmap.experiment.row import Row
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.mapping_file import content_digest
from optmap.experiment.tables.best_known import Entry, Record, read_folder
from optmap.experiment.tables.markdown import table
from optmap.experiment.tables.metrics import GAPPED, metric_named
from optmap.experiment.tables.text import compact, percent
from optmap.mapping_json import to_dict
from optmap.model.mapping import Mapping as MappingOf
from optmap.model.scope import END_TO_END

MAPPINGS, ENERGY = "mappings", "energy_pj"


@dataclass(frozen=True, slots=True)
class Improvement:
    """One number of the list that became better."""

    instance: str
    metric: str
    what: str  # "value" or "bound"
    before: Fraction | None
    after: Fraction
    by: str

    def __str__(self) -> str:
        """Return a line for people."""
        old = "nothing" if self.before is None else str(self.before)
        return f"{self.instance}: {self.metric} {self.what} {old} -> {self.after} ({self.by})"


def with_value(
    entry: Entry, row: Row, mapping: MappingOf, date: str
) -> tuple[Entry, list[Improvement]]:
    """Return the entry with every metric in which a judged row is better than what it knows.

    Raises
    ------
    ValueError
        If a value is below a bound of the list: one of the two is wrong.
    """
    records, found = dict(entry.records), []
    for metric in GAPPED:
        value, record = metric.value(row), records.get(metric.name, Record(metric.name))
        if value is None or (record.value is not None and value >= record.value):
            continue
        _refuse_crossing(entry, metric.name, value, record.bound)
        place = {"file": file_of(mapping)}
        records[metric.name] = replace(
            record, value=value, method=row.method, date=date, mapping=place
        )
        found.append(
            Improvement(entry.instance, metric.name, "value", record.value, value, row.method)
        )
    return replace(entry, records=records), found


def with_bounds(
    entry: Entry, bounds: Iterable[Bound], by: str, date: str
) -> tuple[Entry, list[Improvement]]:
    """Return the entry with every end-to-end bound that is better than what it knows."""
    records, found = dict(entry.records), []
    gapped = {metric.name for metric in GAPPED}
    for bound in bounds:
        record = records.get(bound.metric, Record(bound.metric))
        known = None if record.bound is None else Fraction(record.bound.value)
        value = Fraction(bound.value)
        better = known is None or value > known
        free = bound.metric == ENERGY and value == 0
        if bound.metric not in gapped or bound.scope != END_TO_END or free or not better:
            continue
        _refuse_crossing(entry, bound.metric, record.value, bound)
        records[bound.metric] = replace(record, bound=bound, bound_by=by, bound_date=date)
        found.append(Improvement(entry.instance, bound.metric, "bound", known, value, by))
    return replace(entry, records=records), found


def _refuse_crossing(
    entry: Entry, metric: str, value: Fraction | None, bound: Bound | None
) -> None:
    if value is not None and bound is not None and value < bound.value:
        raise ValueError(
            f"{entry.instance}: a {metric} of {value} is below the bound {bound.value}"
            f" ({bound.name}): one of them is wrong, nothing was written"
        )


def write_mapping(folder: Path, mapping: MappingOf) -> None:
    """Write a mapping beside the entries, under its content's name, always the same bytes."""
    path = folder / file_of(mapping)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(dumps(to_dict(mapping)).encode(), mtime=0))


def file_of(mapping: MappingOf) -> str:
    """Return where a list keeps a mapping: its content decides."""
    return f"{MAPPINGS}/{content_digest(mapping)[:16]}.json.gz"


def write_entry(folder: Path, entry: Entry) -> None:
    """Write an entry into the file of its instance and digest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / entry.file).write_text(entry.text, encoding="utf-8")


def drop_unused_mappings(folder: Path) -> None:
    """Delete the mappings that no entry names any more."""
    entries = read_folder(folder).entries.values()
    used = {
        str(record.mapping["file"])
        for entry in entries
        for record in entry.records.values()
        if record.mapping is not None
    }
    for path in sorted((folder / MAPPINGS).glob("*.json.gz")):
        if f"{MAPPINGS}/{path.name}" not in used:
            path.unlink()


#: Characters of a number in the table.
WIDEST = 9
#: Name of an instance's set -> its period's gap is below this.
SETS = {"closed": Fraction(1, 10**9), "nearly closed": Fraction(2, 100), "hard": Fraction(1, 4)}


def open_gaps(entries: Iterable[Entry]) -> list[str]:
    """Return a Markdown table of best value, best bound and gap, by set, then by the period's gap.

    Bounds hold for every mapping. Sets are those of :data:`SETS`; the rest is *open*.
    """
    shown = ("period", "clusters", "traffic", ENERGY)
    titles = ["set", "instance", *(f"{metric_named(m).title}: value, bound, gap" for m in shown)]
    rows = sorted(entries, key=lambda e: (_gap(e, "period") or 0, e.instance))
    rows = sorted(rows, key=lambda e: [*SETS, "open"].index(_set_of(e)))
    lines = [[_set_of(e), e.instance, *(_best_and_bound(e, m) for m in shown)] for e in rows]
    return table(titles, lines, frozenset(range(2, len(titles))))


def _set_of(entry: Entry) -> str:
    gap = _gap(entry, "period")
    return next((s for s, most in SETS.items() if gap is not None and gap < most), "open")


def _gap(entry: Entry, metric: str) -> Fraction | None:
    record = entry.records.get(metric, Record(metric))
    if record.value is None or record.bound is None:
        return None
    bound = Fraction(record.bound.value)
    return (record.value - bound) / record.value if record.value else Fraction(0)


def _best_and_bound(entry: Entry, metric: str) -> str:
    record = entry.records.get(metric, Record(metric))
    gap = _gap(entry, metric)
    value = "-" if record.value is None else compact(record.value, WIDEST)
    bound = "-" if record.bound is None else compact(Fraction(record.bound.value), WIDEST)
    return f"{value}, {bound}, {'-' if gap is None else percent(gap)}"
