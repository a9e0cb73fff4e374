"""The result store: append-only JSON lines, one per finished row, safe against a kill.

A row is written only when it is complete, and flushed to the disk before the next begins. Tables
are derived from it and never edited. One process at a time may write.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from optmap.errors import InputError
from optmap.experiment.run.exact_json import dumps

log = logging.getLogger(__name__)


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
        self.file = folder / "rows.jsonl"
        self.rows: dict[str, dict[str, Any]] = {}

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
            yield store

    def read(self) -> list[bytes]:
        """Read all rows, leave out what is torn or damaged, with a note; return the good lines."""
        self.rows = {}
        good: list[bytes] = []
        try:
            data = self.file.read_bytes() if self.file.exists() else b""
        except OSError as error:
            raise InputError(str(self.file), "", error.strerror or "unreadable", "rows") from None
        for number, line in enumerate(data.splitlines(keepends=True), 1):
            row = _row(line)
            if row is None:
                log.warning("%s, line %d: dropped a torn line", self.file, number)
            elif not self.matches(row):
                log.warning("%s, line %d: dropped a row unlike its checksum", self.file, number)
            else:
                self.rows[row["key"]] = row
                good.append(line)
        return good

    def repair(self, good: Sequence[bytes]) -> None:
        """Keep only these lines of the file, if there are others."""
        size = self.file.stat().st_size if self.file.exists() else 0
        kept = b"".join(good)
        if len(kept) == size:
            return
        try:
            draft = self.file.with_name(self.file.name + ".part")
            draft.write_bytes(kept)
            draft.replace(self.file)
        except OSError as error:
            raise StoreError(f"{self.file}: {error.strerror}; nothing was changed") from None

    def matches(self, row: dict[str, Any]) -> bool:
        """Tell whether a row and the files that belong to it are as they were written."""
        try:
            return bool(row["checksum"] == checksum(row, self.attached_texts(row)))
        except (OSError, KeyError, TypeError, ValueError):
            return False

    def append(self, row: dict[str, Any], attached: dict[str, Any]) -> None:
        """Write a row and what belongs beside it; StoreError leaves earlier rows as they were.

        Parameters
        ----------
        attached : mapping
            Folder name ("mappings", ...) to what is written to FOLDER/KEY.json.
        """
        key = row["key"]
        texts = {folder: dumps(data) + "\n" for folder, data in attached.items()}
        row = {**row, "attached": sorted(texts)}
        row["checksum"] = checksum(row, texts)
        line = dumps(row).encode() + b"\n"
        size = self.file.stat().st_size if self.file.exists() else 0
        try:
            for folder, text in texts.items():
                self._write_whole(self.folder / folder / f"{key}.json", text)
            with self.file.open("ab") as stream:
                stream.write(line)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                os.truncate(self.file, size)
            raise StoreError(
                f"{self.file}: {error.strerror}; {len(self.rows)} finished rows are kept"
            ) from None
        self.rows[key] = row

    def attached_texts(self, row: dict[str, Any]) -> dict[str, str]:
        """Return the files that belong to a row, as they stand; a missing one is empty."""
        paths = {f: self.folder / f / f"{row['key']}.json" for f in row.get("attached", ())}
        return {f: p.read_text() if p.is_file() else "" for f, p in paths.items()}

    def attached(self, folder: str, keys: Iterable[str]) -> dict[str, Any]:
        """Return what stands beside the rows of ``keys`` in ``folder``, where there is anything."""
        paths = {key: self.folder / folder / f"{key}.json" for key in keys}
        return {key: json.loads(p.read_text()) for key, p in paths.items() if p.exists()}

    def write(self, name: str, text: str) -> None:
        """Write a derived file as a whole, or raise StoreError."""
        try:
            self._write_whole(self.folder / name, text)
        except OSError as error:
            raise StoreError(
                f"{self.folder / name}: {error.strerror}; {len(self.rows)} finished rows are kept"
            ) from None

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


def checksum(row: dict[str, Any], attached: dict[str, str]) -> str:
    """Return a hash over a row, without its own checksum, and the files that belong to it."""
    bare = {name: value for name, value in row.items() if name != "checksum"}
    sha = hashlib.sha256(json.dumps(json.loads(dumps(bare)), sort_keys=True).encode())
    for folder in sorted(attached):
        sha.update(f"{folder}\n{attached[folder]}".encode())
    return sha.hexdigest()[:24]


def _row(line: bytes) -> dict[str, Any] | None:
    """Return the row on a line; None where the line is torn or holds something else."""
    if not line.endswith(b"\n"):
        return None
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and isinstance(row.get("key"), str) else None
