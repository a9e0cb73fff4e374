"""What an earlier call found of the same rows, kept aside so that a long verification goes on.

It is kept in the user's own cache folder and never in the run's, so that nobody who hands on a run
hands on what was found of it. Each line is of one row without a problem and is named by a digest of
all that decides what is found: the row and the files beside it, the code that checks, its limits,
the files of methods, the best-known list. A key that never leaves the cache folder signs it: a line
that was written elsewhere counts for nothing. It is read only where the user asks for it
(``--resume``); the instance is loaded, and chain, tables and manifest are checked, every time.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optmap.bounds.bound import Bound
from optmap.experiment.run.environment import code_version, solver_versions
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.verification.second_proof import SecondProof, Word
from optmap.experiment.verification.verdict import RowVerdict
from optmap.model.grade import Grade
from optmap.model.outcome import Limits

#: Bytes of the key that signs lines, and its file.
KEY_BYTES, KEY = 32, "key"
COUNTS = ("mappings", "claims", "bounds", "certificates", "modest", "starved")
BOUNDS = ("end_to_end", "exact", "again")


def cache_folder() -> Path:
    """Return where what was found is kept: under XDG_CACHE_HOME, else ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "optmap", "verify")


def purpose(limits: Limits, again: bool, files: Iterable[Path]) -> str:
    """Return a digest of everything besides the row that decides what is found of it."""
    parts = [code_version(), solver_versions(), repr(limits), str(again)]
    for file in files:
        with contextlib.suppress(OSError):
            parts.append(hashlib.sha256(file.read_bytes()).hexdigest())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass
class Kept:
    """Rows in which nothing was wrong, by their digest.

    Parameters
    ----------
    folder : Path
        Of the user; made where it is not there. Where nothing can be written, nothing is kept.
    purpose : str
        What :func:`purpose` gives: rows of another one are not seen.
    resume : bool
        Whether earlier lines are read.
    """

    folder: Path
    purpose: str
    resume: bool = False
    _found: dict[str, dict[str, Any]] | None = field(default=None, repr=False)

    @property
    def file(self) -> Path:
        """Where the lines of this purpose stand."""
        return self.folder / f"{self.purpose[:24]}.jsonl"

    def name_of(self, row: Mapping[str, Any]) -> str:
        """Return the digest of a row; it holds the digests of its files."""
        bare = {name: value for name, value in row.items() if name not in ("checksum", "chain")}
        return hashlib.sha256(f"{self.purpose} {dumps(bare)}".encode()).hexdigest()

    def get(self, row: Mapping[str, Any]) -> RowVerdict | None:
        """Return what was found of a row before; None where that is not known."""
        if not self.resume:
            return None
        if self._found is None:
            self._found = dict(self._lines())
        data = self._found.get(self.name_of(row))
        try:
            return None if data is None else _verdict(data, row)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def add(self, row: Mapping[str, Any], found: RowVerdict) -> None:
        """Keep what was found of a row, if nothing is wrong with it."""
        key = self._key()
        if found.problems or key is None:
            return
        name, data = self.name_of(row), _data(found)
        line = json.dumps({"of": name, "found": data, "mac": _signed(key, name, data)})
        with contextlib.suppress(OSError), self.file.open("a", encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            stream.write(line + "\n")

    def _lines(self) -> Iterable[tuple[str, dict[str, Any]]]:
        key = self._key()
        try:
            lines = self.file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return
        for line in lines if key is not None else ():
            try:
                kept = json.loads(line)
                name, data, mac = kept["of"], kept["found"], str(kept["mac"])
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
            if key is not None and hmac.compare_digest(mac, _signed(key, name, data)):
                yield name, data

    def _key(self) -> bytes | None:
        """Return the key that signs; it is made where there is none."""
        path = self.folder / KEY
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with contextlib.suppress(FileExistsError):
                made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(made, "wb") as stream:
                    stream.write(secrets.token_bytes(KEY_BYTES))
            key = path.read_bytes()
            return key if len(key) == KEY_BYTES else None
        return None


def _signed(key: bytes, name: object, data: object) -> str:
    return hmac.new(key, json.dumps([name, data]).encode(), hashlib.sha256).hexdigest()


def _data(found: RowVerdict) -> dict[str, Any]:
    data: dict[str, Any] = {name: getattr(found, name) for name in COUNTS}
    for name in BOUNDS:
        bounds = (bound.to_json() for bound in getattr(found, name))
        data[name] = [{n: v for n, v in b.items() if n != "certificate"} for b in bounds]
    data["proofs"] = [
        [metric, bound, scope, proof.word.value, proof.by, proof.grade.value]
        for metric, bound, scope, proof in found.proofs
    ]
    return data


def _verdict(data: dict[str, Any], row: Mapping[str, Any]) -> RowVerdict:
    found = RowVerdict.of(row)
    for name in COUNTS:
        setattr(found, name, int(data[name]))
    for name in BOUNDS:
        setattr(found, name, [Bound.from_json(bound) for bound in data[name]])
    found.proofs = [
        (metric, bound, scope, SecondProof(Word(word), by, Grade(grade)))
        for metric, bound, scope, word, by, grade in data["proofs"]
    ]
    found.row = dict(row)
    return found
