"""Identities: names of units, clusterings and bindings by a digest of their content."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

#: Hexadecimal digits of a name; 64 bits, so that 10^6 rows of one instance do not collide.
DIGITS = 16


def digest_of(*parts: str | npt.NDArray[Any]) -> str:
    """Return the name of a content: texts and arrays, the arrays' types and shapes included."""
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            sha.update(f"text {len(part)} {part}".encode())
        else:
            sha.update(f"array {part.dtype} {part.shape}".encode())
            sha.update(np.ascontiguousarray(part).data)
    return sha.hexdigest()[:DIGITS]
