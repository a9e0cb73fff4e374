"""What a run's folder holds: whole rows in their order, the files that belong to them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optmap.experiment.run.store import CRASHED, MANIFEST, START, Store, canonical, chain
from optmap.experiment.tables.derived import BEST_KNOWN, ENVIRONMENT, REPORT, TABLES

#: Files that a store may have besides rows, attached files and what its manifest names.
OF_THE_STORE = ("rows.jsonl", "rows.aside.jsonl", "lock", MANIFEST)
#: What stands in the lock of a store, who opened it last; bytes that this takes at most.
LOCK, OWNER = "lock", re.compile(rb"(process \d+ on [^\s]+)?")
OWNER_BYTES = 1_000
#: Files that a finished run has.
DERIVED = (*TABLES, REPORT, ENVIRONMENT, BEST_KNOWN)
#: Folders of the files that belong to rows.
ATTACHED = ("mappings", "details")
#: Files that a run writes before its first row.
BEFORE = (ENVIRONMENT, BEST_KNOWN)


@dataclass
class Folder:
    """The rows of a run as they stand, the last chain, and what is wrong with the folder."""

    rows: list[dict[str, Any]]
    chain: str
    problems: list[str]


def read_folder(folder: Path) -> Folder:
    """Read the rows; a line that is none, is unlike its checksum or misplaced is a problem."""
    store, found = Store(folder), Folder([], START, [])
    seen: set[str] = set()
    for i, line in enumerate((folder / "rows.jsonl").read_bytes().splitlines(keepends=True), 1):
        where = f"rows.jsonl, line {i}"
        try:
            row = json.loads(line, parse_constant=_no_number)
            key, checksum, linked = str(row["key"]), str(row["checksum"]), str(row["chain"])
        except (ValueError, KeyError, TypeError, RecursionError):
            found.problems.append(f"{where}: no row")
            continue
        if key in seen:
            found.problems.append(f"{where}: key {key} stands twice")
            continue
        seen.add(key)
        fault = store.fault(row, line)
        if fault is None and not set(row["attached"]) <= set(ATTACHED):
            fault = "a row with files beside it that no run writes"
        if fault is None and not _as_written(line, row):
            fault = "a row that is written otherwise than a run writes it"
        if fault is not None:
            found.problems.append(f"{where}: {fault} ({key})")
        if linked != chain(found.chain, checksum):
            found.problems.append(f"{where}: a row before {key} was removed or moved")
        found.chain = linked
        found.rows.append(row)
    return found


def _as_written(line: bytes, row: dict[str, Any]) -> bool:
    try:
        return line == canonical(row)
    except (ValueError, RecursionError):  # 1e400, lists within lists
        return False


def text_problems(folder: Path) -> Iterator[str]:
    """Yield the files beside the rows that are written otherwise than a run writes them.

    A name that stands twice in an object is read by one reader as the first, by another as the
    last.
    """
    for name in (ENVIRONMENT, MANIFEST):
        path = folder / name
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "replace")  # line ends as they are
            if text != json.dumps(json.loads(text), indent=1) + "\n":
                yield f"{name}: written otherwise than a run writes it"


def seal_problems(folder: Path, found: Folder) -> Iterator[str]:
    """Yield what does not fit the manifest: rows, derived files, files that nobody wrote."""
    path = folder / MANIFEST
    named: dict[str, str] = {}
    if path.is_file():
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            named = {str(name): str(digest) for name, digest in manifest["files"].items()}
            sealed = (manifest["rows"], manifest["chain"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            yield f"{MANIFEST}: not a manifest"
            return
        if type(sealed[0]) is not int or list(manifest) != ["rows", "chain", "files"]:
            yield f"{MANIFEST}: says more than a run seals, or in another order"
        if sealed != (len(found.rows), found.chain):
            yield f"{MANIFEST}: seals {sealed[0]} rows, other than the {len(found.rows)} here"
        yield from (f"{name}: sealed, and no file of a run" for name in set(named) - set(DERIVED))
        for name, digest in named.items():
            if name not in DERIVED:
                continue
            file = folder / name
            if not file.is_file():
                yield f"{name}: sealed, and not there"
            elif hashlib.sha256(file.read_bytes()).hexdigest()[:24] != digest:
                yield f"{name}: not the file that was sealed"
        yield from (f"{name}: not in the manifest" for name in DERIVED if name not in named)
        if [n for n in named if n in DERIVED] != [n for n in DERIVED if n in named]:
            yield f"{MANIFEST}: its files stand in another order than a run seals them"
    elif any((folder / name).is_file() for name in DERIVED if name not in BEFORE):
        yield f"{MANIFEST}: missing, although the run's tables were written"
    if found.rows and not (folder / ENVIRONMENT).is_file() and ENVIRONMENT not in named:
        yield f"{ENVIRONMENT}: missing, although a run writes it before its first row"
    yield from _strangers(folder, found.rows, set(named))


def _strangers(folder: Path, rows: list[dict[str, Any]], named: set[str]) -> Iterator[str]:
    """Yield the files that belong neither to the store nor to a row nor to the manifest."""
    attached = {
        f"{place}/{row['key']}.json"
        for row in rows
        if isinstance(row.get("attached"), dict)
        for place in row["attached"]
    }
    unsealed = set() if named else set(BEFORE)
    known = {*OF_THE_STORE, *(named & set(DERIVED)), *attached, *unsealed}
    twice: dict[tuple[int, int], str] = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_symlink():
            yield f"{name}: a link, not a file of the run"
        elif file.is_dir():
            if name not in ATTACHED and not any(file.iterdir()):  # of others each file is named
                yield f"{name}: a folder that no run makes"
        elif name == LOCK and not _names_its_owner(file):
            yield f"{name}: says more than who opened the store"
        elif name not in known:
            yield f"{name}: belongs to no row and is not sealed"
        elif twice.setdefault(_place(file), name) != name:
            yield f"{name}: one file with {twice[_place(file)]}, by two names"
    yield from _aside(folder, {str(row["key"]) for row in rows})


def _names_its_owner(lock: Path) -> bool:
    if not lock.is_file() or lock.stat().st_size > OWNER_BYTES:
        return False
    return OWNER.fullmatch(lock.read_bytes()) is not None


def _place(file: Path) -> tuple[int, int]:
    """Return where a file stands on the disk, whatever it is called."""
    found = file.stat()
    return found.st_dev, found.st_ino


def _aside(folder: Path, keys: set[str]) -> Iterator[str]:
    """Yield rows that stand aside although nothing is wrong with them: they would come back."""
    store = Store(folder)
    lines = store.aside.read_bytes().splitlines(keepends=True) if store.aside.is_file() else []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            whole = row["status"] != CRASHED and store.fault(row, line) is None
            if whole and row["key"] not in keys:
                yield f"{store.aside.name}, line {number}: a whole row that the run does not show"
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue  # torn or damaged: that is why it stands aside


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")
