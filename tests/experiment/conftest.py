"""A true run, made once, and a copy of it for each test that forges it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from forged_run import rows_of, write_rows
from tiny_run import compare_tiny

from optmap.experiment.verification import rerun, second_proof
from optmap.mapping_json import to_dict

#: What solving again found, by the whole question: forgeries of one run ask the same, and counted
#: work answers the same.
_ANSWERS: dict[tuple[object, ...], Any] = {}
_SOLVE_AGAIN, _RUN_AGAIN = second_proof._solved_again, rerun._run


@pytest.fixture(autouse=True)
def one_question_is_solved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``verify`` prove a bound, or run a method, once for each mapping, instance and limit."""

    def solve_again(bound: Any, mapping: Any, instance: Any, limits: Any) -> Any:
        asked = (bound, json.dumps(to_dict(mapping)), instance.digest(), limits)
        if asked not in _ANSWERS:
            _ANSWERS[asked] = _SOLVE_AGAIN(bound, mapping, instance, limits)
        return _ANSWERS[asked]

    def run_again(method: Any, instance: Any, limits: Any) -> Any:
        asked = (method, rerun.run, instance.digest(), limits)  # a test may put in another run
        if asked not in _ANSWERS:
            _ANSWERS[asked] = _RUN_AGAIN(method, instance, limits)
        return _ANSWERS[asked]

    monkeypatch.setattr(second_proof, "_solved_again", solve_again)
    monkeypatch.setattr(rerun, "_run", run_again)


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
