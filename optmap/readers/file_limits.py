"""How much a file may claim: counts that are not backed by content are refused before memory is.

A header of eight bytes can name 4 billion neurons, a compressed file can unfold to a thousand times
its size. Readers ask here before they allocate.
"""

from __future__ import annotations

from pathlib import Path

from optmap.errors import InputError

#: Indices may leave gaps, but not of a kind that makes empty arrays of gigabytes.
ALWAYS_ALLOWED = 1_000_000
PER_ENTRY = 4

#: What an archive may always unfold to, and how many times its own size beyond that.
FREE_BYTES = 64_000_000
RATIO = 100

#: Bytes that ``st_blocks`` counts in, whatever the disk's own blocks are.
BLOCK = 512


def most_neurons(entries: int) -> int:
    """Return how many neurons a list of so many entries may name."""
    return min(max(ALWAYS_ALLOWED, PER_ENTRY * entries), 2**31 - 1)


def refuse_wide_numbers(where: str, field: str, count: int, entries: int) -> None:
    """Raise InputError if ``count`` neurons are out of proportion to ``entries`` in the file.

    Examples
    --------
    >>> refuse_wide_numbers("net.snn", "nodes", 1_000, 5)
    >>> refuse_wide_numbers("net.snn", "nodes", 4_000_000_000, 5)
    Traceback (most recent call last):
        ...
    optmap.errors.InputError: net.snn: nodes: found 4000000000, expected at most 1000000 for 5 entries
    """  # noqa: E501
    most = most_neurons(entries)
    if count > most:
        raise InputError(where, field, str(count), f"at most {most} for {entries} entries")


def refuse_holes(path: Path) -> None:
    """Raise InputError for a file that says to be large and takes no room on its disk.

    A sparse file unfolds to zeros as an archive does. Where a file system does not say what a file
    takes, nothing is refused.
    """
    about = path.stat()
    stored = getattr(about, "st_blocks", 0) * BLOCK
    if stored:
        refuse_bomb(str(path), about.st_size, stored)


def most_unfolded(size: int) -> int:
    """Return to how many bytes a compressed file of ``size`` bytes may unfold.

    Real networks compress to a tenth; a hundredth is no weights but zeros.
    """
    return FREE_BYTES + RATIO * size


def refuse_bomb(where: str, unfolded: int, size: int) -> None:
    """Raise InputError if a file of ``size`` bytes unfolds to suspiciously many."""
    most = most_unfolded(size)
    if unfolded > most:
        found = f"{unfolded} bytes packed into {size}"
        raise InputError(where, "", found, f"at most {most} bytes, {RATIO} times the file's size")
