"""The files that a file of the user's names: in its own folder or below, unless they say more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from optmap.errors import InputError
from optmap.shipped import shipped_folder
from optmap.toml_fields import Table


@dataclass(frozen=True)
class Beside:
    """Finds the files that an instance or scenario file names, in its own folder or below.

    Parameters
    ----------
    naming_file : Path
        The file that names others.
    allow_outside : bool
        Whether they may lie outside its folder; shipped files are never outside.
    """

    naming_file: Path
    allow_outside: bool

    def file(self, top: Table, name: str, value: str) -> Path:
        """Return the file ``value`` of the field ``name``; InputError if it must not be read."""
        path = self.naming_file.parent / value
        try:
            there = bool(value) and path.exists()
            inside = self.allow_outside or not there or self._is_inside(path)
        except (OSError, ValueError):  # a name too long, or with a zero byte
            there = inside = False
        if there and not inside:
            expected = "a file in the folder of the file that names it, or --allow-outside"
            raise top.fail(name, f"{value!r}, outside its folder", expected)
        if not there:
            found = f"{value!r}, which does not exist"
            raise top.fail(name, found, "a file beside the one that names it")
        return path

    def _is_inside(self, path: Path) -> bool:
        """Tell whether a path, links followed, stays in the folder or is a shipped file."""
        real = path.resolve()
        if real.is_relative_to(self.naming_file.parent.resolve()):
            return True
        try:
            return real.is_relative_to(shipped_folder().resolve())
        except InputError:  # an installation without instances
            return False
