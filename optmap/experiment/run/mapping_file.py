"""A mapping on disk, with what it belongs to, so that anybody can judge it again."""

from __future__ import annotations

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


def read_document(path: Path) -> tuple[dict[str, Any], Instance, Mapping]:
    """Read a mapping file and the instance it belongs to.

    Raises
    ------
    InputError
        If the file is not right, or the instance has changed since.
    """
    data = read_json(path)
    refuse_unknown(data, FIELDS, str(path))
    source = Source.from_json(data.get("source"), str(path))
    missing = source.missing()
    if missing is not None:
        made = "a path as seen from the folder in which the mapping was made"
        name, value = missing
        raise InputError(str(path), f"source.{name}", f"{value!r:.200}, not there", made)
    instance = source.load()
    digest = instance.digest()
    if data.get("digest") != digest:
        raise InputError(
            str(path), "digest", repr(data.get("digest")), f"{digest}, as the instance is now"
        )
    return data, instance, from_dict(data.get("mapping"), instance.snn, str(path))


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
    if data.get("schema") != SCHEMA:
        raise InputError(str(path), "schema", repr(data.get("schema")), str(SCHEMA))
    return data
