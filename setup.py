"""Puts ``instances/`` and the best-known list into the built package; the rest: pyproject.toml."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
SUFFIXES = (".toml", ".npz", ".nir", ".xml")


class BuildWithInstances(build_py):
    """Copies what is shipped beside the modules, as ``optmap/data``."""

    def run(self) -> None:
        """Build the modules, then copy; an editable install reads ``instances/`` itself."""
        super().run()
        if self.editable_mode:
            return
        for file in sorted((ROOT / "instances").rglob("*")):
            if file.suffix in SUFFIXES:
                self._copy(file, file.relative_to(ROOT / "instances"))
        for file in sorted((ROOT / "results" / "best_known").glob("*.json")):
            self._copy(file, Path("best_known", file.name))

    def _copy(self, file: Path, name: Path) -> None:
        copy = Path(self.build_lib, "optmap", "data", name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)


setup(cmdclass={"build_py": BuildWithInstances})
