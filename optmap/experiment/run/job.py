"""One solve as data: what the parent sends to the child process, and the key of its row."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from optmap.experiment.run.environment import code_version, solver_versions
from optmap.experiment.run.source import Source
from optmap.instance import Instance
from optmap.methods import method_named
from optmap.model.outcome import Limits


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

    def changed(self, instance: Instance) -> str | None:
        """Return what to say of an instance whose files are not those of the job's digest.

        The network is read first: what is written while it is read is noticed too. Such a row is of
        no instance, and the next call runs it again.
        """
        instance.snn  # noqa: B018
        digest = instance.digest()
        if digest == self.digest:
            return None
        what = self.source.file or self.source.network
        return f"{what}: changed since the run began (hash {self.digest[:12]}, now {digest[:12]})"

    def to_json(self) -> str:
        """Return the job as one line."""
        return json.dumps(asdict(self) | {"source": self.source.to_json()})

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Read a job back."""
        data = json.loads(text)
        parts = {
            "source": Source.from_json(data["source"]) if data["source"] else Source(),
            "limits": Limits(**data["limits"]),
        }
        return cls(**{**data, **parts})
