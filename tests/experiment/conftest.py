"""A true run, made once, and a copy of it for each test that forges it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from forged_run import rows_of, write_rows
from tiny_run import compare_tiny


@pytest.fixture(scope="session")
def true_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a comparison of a heuristic and an exact method.

    On a busy machine too its rows say that they had a core for themselves: verify holds rows that
    had not to less.
    """
    folder = compare_tiny(tmp_path_factory.mktemp("verify"), "song2020-tree,cpsat")
    write_rows(folder, [row | {"cpu_s": row["wall_s"]} for row in rows_of(folder)])
    return folder


@pytest.fixture
def run(true_run: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may change."""
    return Path(shutil.copytree(true_run, tmp_path / "run"))
