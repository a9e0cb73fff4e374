"""Puts a copy of ``instances/`` into the built package; everything else is in pyproject.toml."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
SUFFIXES = (".toml", ".npz", ".nir", ".xml")


class BuildWithInstances(build_py):
    """Copies the shipped instances beside the modules, as ``optmap/data``."""

    def run(self) -> None:
        """Build the modules, then copy; an editable install reads ``instances/`` itself."""
        super().run()
        if self.editable_mode:
            return
        for file in sorted((ROOT / "instances").rglob("*")):
            if file.suffix in SUFFIXES:
                copy = Path(self.build_lib, "optmap", "data", file.relative_to(ROOT / "instances"))
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)


setup(cmdclass={"build_py": BuildWithInstances})
