"""The result store: append-only JSON lines, one per finished row, safe against a kill.

A row is written only when it is complete, and flushed to the disk before the next begins. Tables
are derived from it and never edited. One process at a time may write.

Every line ends with a checksum of its text, which holds the digests of the files beside it
(mappings, details), and with a chain: the digest of the chain before it and its own checksum, so
that no row leaves or moves unnoticed. ``manifest.json`` seals a finished run: the number of rows,
the last chain, the digest of every derived file.

Nothing is dropped without a copy: a line that is torn, damaged, or whose files are missing is
copied to ``rows.aside.jsonl`` before it leaves ``rows.jsonl``, and comes back from there when it
is whole again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from optmap.errors import InputError
from optmap.experiment.row import Row
from optmap.experiment.run.exact_json import dumps

log = logging.getLogger(__name__)

#: The chain before the first row, the file that seals a run, the status of a child that was ended.
START, MANIFEST, CRASHED = "", "manifest.json", "crashed"


class StoreError(Exception):
    """A row could not be written, for example because the disk is full; earlier rows are kept."""


class Store:
    """The rows of one run folder, by key.

    Parameters
    ----------
    folder : Path
        Created if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file, self.aside = folder / "rows.jsonl", folder / "rows.aside.jsonl"
        self.rows: dict[str, dict[str, Any]] = {}
        self.crashed: dict[str, dict[str, Any]] = {}
        self.chain = START

    @classmethod
    @contextlib.contextmanager
    def opened(cls, folder: Path) -> Iterator[Store]:
        """Open the store for writing; InputError if another process has it."""
        store = cls(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / "lock").open("ab+", buffering=0)  # nothing is left to write at the end
        except OSError as error:
            raise InputError(
                str(folder), "", error.strerror or "unusable", "a folder to write to"
            ) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.seek(0)
                owner = lock.read().decode(errors="replace").strip() or "another process"
                raise InputError(
                    str(folder), "", f"a store in use by {owner}", "a folder of its own (--out)"
                ) from None
            with contextlib.suppress(OSError):  # a full disk: the lock holds, nameless
                lock.truncate(0)
                lock.write(f"process {os.getpid()} on {socket.gethostname()}".encode())
            store.repair(store.read())
            store.recover()
            yield store

    def read(self) -> list[bytes]:
        """Read all rows, leave out what is torn or damaged, with a note; return the good lines."""
        self.rows, self.chain, self.crashed = {}, START, {}
        good: list[bytes] = []
        try:
            data = self.file.read_bytes() if self.file.exists() else b""
        except OSError as error:
            raise InputError(str(self.file), "", error.strerror or "unreadable", "rows") from None
        for number, line in enumerate(data.splitlines(keepends=True), 1):
            row = _row(line)
            fault = "a torn line" if row is None else self.fault(row, line)
            if row is None or fault is not None:
                log.warning("%s, line %d: left out %s", self.file, number, fault)
            elif row.get("status") == CRASHED:  # the system ended it: it is run again
                self.crashed[row["key"]] = row
            else:
                self.rows[row["key"]] = row
                good.append(line)
                self.chain = row["chain"]
        return good

    def repair(self, good: Sequence[bytes]) -> None:
        """Keep only these lines of the file, if there are others; copy the others aside first."""
        data = self.file.read_bytes() if self.file.exists() else b""
        if len(b"".join(good)) == len(data):
            return
        kept = set(good)
        lines = [line for line in data.splitlines(keepends=True) if line not in kept]
        self.chain = START
        lines_kept = []
        for line in good:
            self.chain = chain(self.chain, json.loads(line)["checksum"])
            lines_kept.append(_sealed(_body(line), self.chain))
        try:
            known = self.aside.read_bytes() if self.aside.exists() else b""
            with self.aside.open("ab") as stream:
                stream.writelines(
                    line if line.endswith(b"\n") else line + b"\n"
                    for line in lines
                    if line not in known
                )
                stream.flush()
                os.fsync(stream.fileno())
            draft = self.file.with_name(self.file.name + ".part")
            draft.write_bytes(b"".join(lines_kept))
            draft.replace(self.file)
        except OSError as error:
            raise StoreError(f"{self.file}: {error.strerror}; nothing was changed") from None
        log.warning("%s: %d lines were moved to %s", self.file, len(lines), self.aside.name)

    def recover(self) -> None:
        """Take rows back that were moved aside and are whole again."""
        if not self.aside.exists():
            return
        for line in self.aside.read_bytes().splitlines(keepends=True):
            row = _row(line)
            if row is None or row["key"] in self.rows or row.get("status") == CRASHED:
                continue
            if self.fault(row, line) is None:
                self._append_line(_body(line), row)
                log.warning("%s: row %s is whole again and came back", self.file, row["key"])

    def fault(self, row: dict[str, Any], line: bytes) -> str | None:
        """Return what is wrong with a row, its line and the files beside it; None if nothing."""
        try:
            if row["checksum"] != _digest(_body(line)):
                return "a row unlike its checksum"
            for folder, digest in row["attached"].items():
                path = self.folder / folder / f"{row['key']}.json"
                if not path.is_file():
                    return f"a row whose file {folder}/{path.name} is missing"
                if _digest(path.read_bytes()) != digest:
                    return f"a row unlike its file {folder}/{path.name}"
        except OSError as error:
            return f"a row whose files cannot be read ({error.strerror})"
        except (KeyError, TypeError, ValueError, AttributeError):
            return "a row without its checksum"
        return None

    def append(self, row: dict[str, Any], attached: dict[str, Any]) -> None:
        """Write a row and what belongs beside it; StoreError leaves earlier rows as they were.

        Parameters
        ----------
        attached : mapping
            Folder name ("mappings", ...) to what is written to FOLDER/KEY.json.
        """
        key = row["key"]
        texts = {folder: dumps(data) + "\n" for folder, data in attached.items()}
        bare = {name: v for name, v in row.items() if name not in ("checksum", "chain")}
        bare["attached"] = {folder: _digest(text.encode()) for folder, text in texts.items()}
        try:
            for folder, text in texts.items():
                self._write_whole(self.folder / folder / f"{key}.json", text)
        except OSError as error:
            raise self._failed(Path(error.filename or self.file), error) from None
        self._append_line(dumps(bare).encode()[:-1], bare)

    def _append_line(self, body: bytes, row: dict[str, Any]) -> None:
        """Write one line, chained to the last; StoreError leaves the file as it was."""
        checksum = _digest(body)
        chained = chain(self.chain, checksum)
        size = self.file.stat().st_size if self.file.exists() else 0
        try:
            with self.file.open("ab") as stream:
                stream.write(_sealed(body, chained))
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                os.truncate(self.file, size)
            raise self._failed(self.file, error) from None
        self.chain = chained
        self.rows[row["key"]] = {**row, "checksum": checksum, "chain": chained}

    def _failed(self, path: Path, error: OSError) -> StoreError:
        return StoreError(f"{path}: {error.strerror}; {len(self.rows)} finished rows are kept")

    def seal(self, names: Sequence[str]) -> None:
        """Write manifest.json: how many rows there are, the last chain, digests of these files."""
        files = {name: _digest((self.folder / name).read_bytes()) for name in names}
        manifest = {"rows": len(self.rows), "chain": self.chain, "files": files}
        self.write(MANIFEST, json.dumps(manifest, indent=1) + "\n")

    def is_sealed(self, texts: Mapping[str, str]) -> bool:
        """Tell whether the manifest fits the rows and the files it names, ``texts`` among them.

        Then everything that is derived from the rows stands as it was written.
        """
        try:
            manifest = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
            files, rows = manifest["files"], (manifest["rows"], manifest["chain"])
            if rows != (len(self.rows), self.chain):
                return False
            if any(files.get(name) != _digest(text.encode()) for name, text in texts.items()):
                return False
            return all(_digest((self.folder / f).read_bytes()) == d for f, d in files.items())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def typed(self, keys: Iterable[str] | None = None) -> list[Row]:
        """Return the rows of ``keys``, or all; InputError for a row of another schema."""
        chosen = self.rows if keys is None else keys
        return [Row.from_json(self.rows[key], f"{self.file}, row {key}") for key in chosen]

    def attached(self, folder: str, keys: Iterable[str]) -> dict[str, Any]:
        """Return what stands beside the rows of ``keys`` in ``folder``, where there is anything."""
        paths = {key: self.folder / folder / f"{key}.json" for key in keys}
        return {key: json.loads(p.read_text()) for key, p in paths.items() if p.exists()}

    def write(self, name: str, text: str) -> None:
        """Write a derived file as a whole, or raise StoreError."""
        try:
            self._write_whole(self.folder / name, text)
        except OSError as error:
            raise self._failed(self.folder / name, error) from None

    @staticmethod
    def _write_whole(path: Path, text: str) -> None:
        """Write beside and rename, so that no reader sees half a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".part")
        try:
            with draft.open("w") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]


def chain(before: str, checksum: str) -> str:
    """Return the chain after a row: the digest of the chain before it and its checksum."""
    return _digest(f"{before} {checksum}".encode())


def _sealed(body: bytes, chained: str) -> bytes:
    """Return a whole line: the row without its last brace, its checksum, its chain."""
    return body + f',"checksum":"{_digest(body)}","chain":"{chained}"}}\n'.encode()


def canonical(row: dict[str, Any]) -> bytes:
    """Return the line on which a run writes a row that has its checksum and chain."""
    bare = {name: value for name, value in row.items() if name not in ("checksum", "chain")}
    return _sealed(dumps(bare).encode()[:-1], str(row["chain"]))


def _body(line: bytes) -> bytes:
    """Return what a line's checksum is of; ValueError where it has none."""
    return line[: line.rindex(b',"checksum":"')]


def _row(line: bytes) -> dict[str, Any] | None:
    """Return the row on a line; None where the line is torn or holds something else."""
    if not line.endswith(b"\n"):
        return None
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and isinstance(row.get("key"), str) else None
