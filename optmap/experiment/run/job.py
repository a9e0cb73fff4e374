"""One solve as data: what the parent sends to the child process, and the key of its row."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from optmap.errors import InputError
from optmap.experiment.run.environment import code_version, solver_versions
from optmap.experiment.run.mapping_file import content_digest, read_document
from optmap.experiment.run.source import Source
from optmap.instance import Instance
from optmap.methods import Method, load_method_file, method_named, method_or_none
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits


class ChangedError(ValueError):
    """An instance's files are other than when the run began."""


@dataclass(frozen=True, slots=True)
class Job:
    """One method on one instance with one seed.

    Parameters
    ----------
    instance : str
        The instance's name.
    digest : str
        Hash of everything in the instance that can change a result.
    source : Source
        How the child loads it.
    method_file : str
        The file that registers the method, seen from the child's folder; empty for one of ours.
    method_digest : str
        The hash of that file as whoever sends the job read it; :meth:`to_json` writes it.
    mapping_file, mapping_digest : str
        A mapping that is judged instead of running a method, and the hash of its content; empty for
        a method.
    """

    instance: str
    digest: str
    source: Source
    method: str
    limits: Limits
    method_file: str = ""
    method_digest: str = ""
    mapping_file: str = ""
    mapping_digest: str = ""

    def key(self, *, code: str | None = None, solvers: str | None = None) -> str:
        """Return what makes two rows the same: instance, method, limits, seed, code, solvers.

        ``code`` and ``solvers`` are versions other than those that run now. A method of one's own
        counts by the digest of its file, a given mapping by its content; no other row's key has
        any.
        """
        digest = self.mapping_digest or method_named(self.method).digest
        parts = (
            self.instance,
            self.digest,
            self.method,
            asdict(self.limits),
            code_version() if code is None else code,
            solver_versions() if solvers is None else solvers,
            *((digest,) if digest else ()),
        )
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]

    def load(self) -> Instance:
        """Return the instance, its network read.

        What is written while it is read is noticed too.

        Raises
        ------
        ChangedError
            If its files are not those of the job's digest, or gone: the row is of no instance, and
            the next call runs it again.
        InputError
            If they are the same and wrong.
        """
        try:
            instance = self.source.load()
            instance.snn  # noqa: B018
            digest = instance.digest()
        except InputError as error:
            if self._digest_now() == self.digest:
                raise
            raise ChangedError(f"changed since the run began: {error}") from None
        if digest != self.digest:
            what, now = self.source.file or self.source.network, digest[:12]
            text = f"changed since the run began (hash {self.digest[:12]}, now {now})"
            raise ChangedError(f"{what}: {text}")
        return instance

    def load_method(self) -> Method:
        """Return the method; the file that registers it is run if it is still the same.

        Raises
        ------
        ChangedError
            If it is not, or gone.
        """
        if self.method_file:
            path, now = Path(self.method_file), ""
            with suppress(OSError):
                now = hashlib.sha256(path.read_bytes()).hexdigest()
            if self.method_digest not in ("", now):
                raise ChangedError(f"{path}: changed since the run began")
            load_method_file(path)
        return method_named(self.method)

    def load_mapping(self, instance: Instance) -> Mapping:
        """Return the given mapping; ChangedError where it is not what it was, or gone."""
        try:
            mapping = read_document(Path(self.mapping_file), instance)[2]
        except InputError as error:
            raise ChangedError(f"changed since the run began: {error}") from None
        if content_digest(mapping) != self.mapping_digest:
            raise ChangedError(f"{self.mapping_file}: changed since the run began")
        return mapping

    def _digest_now(self) -> str | None:
        """Return the hash that the files have now; None where they cannot be read."""
        try:
            return self.source.load().digest()
        except InputError:
            return None

    def to_json(self) -> str:
        """Return the job as one line."""
        method = method_or_none(self.method)
        digest = self.method_digest if method is None else method.digest
        more = {"source": self.source.to_json(), "method_digest": digest}
        return json.dumps(asdict(self) | more)

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Read a job back."""
        data = json.loads(text)
        parts = {
            "source": Source.from_json(data["source"]) if data["source"] else Source(),
            "limits": Limits(**data["limits"]),
        }
        return cls(**{**data, **parts})
