"""A mapping on disk, so that anybody can judge it again.

Two forms, both accepted wherever a mapping is read: *bare*, as docs/formats.md describes it and any
tool can write it, and *wrapped* with the instance, source and digest that it belongs to. A bare one
needs the instance from elsewhere: an option of the command, an argument of the function.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from optmap.errors import InputError, refuse_special, refuse_unknown
from optmap.experiment.run.source import Source
from optmap.instance import Instance
from optmap.mapping_json import from_dict, to_dict
from optmap.model.mapping import Mapping

SCHEMA = 1
MAX_BYTES = 2_000_000_000
FIELDS = ("schema", "instance", "source", "digest", "method", "mapping")


def document(
    mapping: Mapping, instance: str, source: Source, digest: str, method: str
) -> dict[str, Any]:
    """Return the file's content."""
    return {
        "schema": SCHEMA,
        "instance": instance,
        "source": source.to_json(),
        "digest": digest,
        "method": method,
        "mapping": to_dict(mapping),
    }


def read_document(
    path: Path, instance: Instance | None = None
) -> tuple[dict[str, Any], Instance, Mapping]:
    """Read a mapping file and the instance it belongs to.

    Parameters
    ----------
    path : Path
        A wrapped or a bare mapping. Paths in a wrapped one are seen from its own folder; what is
        not there is looked for from the working directory.
    instance : Instance, optional
        What the mapping is of. A bare mapping needs it; a wrapped one must have been made from the
        same content.

    Returns
    -------
    tuple
        The file's content (``method`` is absent for a bare one), the instance, the mapping.

    Raises
    ------
    InputError
        If the file is not right, or the instance has changed since.
    """
    data = read_json(path)
    if is_bare(data):
        if instance is None:
            raise InputError(str(path), "source", "nothing", "a wrapped mapping, or its instance")
        return {"mapping": data}, instance, from_dict(data, instance.snn, str(path))
    refuse_unknown(data, FIELDS, str(path))
    if instance is None:
        instance = wrapped_source(data, path).load()
    digest = instance.digest()
    if data.get("digest") != digest:
        raise InputError(
            str(path), "digest", repr(data.get("digest")), f"{digest}, as the instance is now"
        )
    return data, instance, from_dict(data.get("mapping"), instance.snn, str(path))


def content_digest(mapping: Mapping) -> str:
    """Return a SHA-256 of a mapping's content."""
    text = json.dumps(to_dict(mapping), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def is_bare(data: dict[str, Any]) -> bool:
    """Tell whether a mapping file's content is the mapping itself."""
    return "cluster_of" in data and "mapping" not in data


def wrapped_source(data: dict[str, Any], path: Path) -> Source:
    """Return what a wrapped mapping in the file ``path`` was made from, its paths as found."""
    source = Source.from_json(data.get("source"), str(path)).seen_from(path.parent)
    missing = source.missing()
    if missing is not None:
        name, value = missing
        made = "a path as seen from the mapping's folder, or from the working directory"
        raise InputError(str(path), f"source.{name}", f"{value!r:.200}, not there", made)
    return source


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file, or say in one line why not."""
    refuse_special(path, "a JSON file")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(str(path), "", f"{path.stat().st_size} bytes", f"at most {MAX_BYTES}")
        data = json.loads(path.read_text())
    except OSError as error:
        raise InputError(str(path), "", error.strerror or "unreadable", "a JSON file") from None
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), "", f"no JSON ({error})", "a JSON file") from None
    if not isinstance(data, dict):
        raise InputError(str(path), "", type(data).__name__, "a JSON object")
    if data.get("schema") != SCHEMA or type(data["schema"]) is not int:
        raise InputError(str(path), "schema", repr(data.get("schema")), str(SCHEMA))
    return data
