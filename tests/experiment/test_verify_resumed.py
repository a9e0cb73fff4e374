"""Verification in parts: what an earlier call found counts for rows that are still the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forged_run import Stored, claim_of, forged, rows_of, write_rows

from optmap.experiment.verification.kept import Kept, purpose
from optmap.experiment.verification.row import Checker
from optmap.experiment.verification.run import verify_run
from optmap.experiment.verification.verdict import RowVerdict
from optmap.model.outcome import Limits


class _Counting(Checker):
    """Counts the rows that are really checked."""

    def _check(self, row: dict[str, Any], instance: Any) -> RowVerdict:
        CHECKED.append(str(row["method"]))
        return super()._check(row, instance)


CHECKED: list[str] = []


def _resumed(run: Path, cache: Path, wall_s: float = 60.0) -> list[str]:
    """Verify a run and return which methods' rows were really checked."""
    CHECKED.clear()
    limits = Limits(wall_s=wall_s)
    kept = Kept(cache, purpose(limits, False, ()), resume=True)
    checker = _Counting(run, limits, again=False, kept=kept)
    found = verify_run(run, checker, lambda found, left: None)
    assert [p for p in found.problems if "/" in p.split(":")[0]] == found.problems
    assert found.rows == 2
    return list(CHECKED)


def test_a_verification_goes_on_where_it_ended(run: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert len(_resumed(run, cache)) == 2
    assert _resumed(run, cache) == []
    assert (cache / "key").stat().st_mode & 0o077 == 0
    assert len(_resumed(run, cache, 59.0)) == 2, "other limits find other things"
    file = Kept(cache, purpose(Limits(wall_s=60.0), False, ())).file
    text = file.read_text()
    for forged_text in (text.replace('"claims": ', '"claims": 1'), "no line\n[]\n{}\n"):
        file.write_text(forged_text)
        assert len(_resumed(run, cache)) == 2, "a line that nobody signed counts for nothing"
    file.write_text(text)
    (cache / "key").write_bytes(b"0" * 32)
    assert len(_resumed(run, cache)) == 2, "nor does one that another key signed"


def evaluated_as_one(row: Stored, mapping: Stored) -> None:
    claim_of(row, "clusters")["evaluated"] = 1


def test_a_row_that_changed_is_checked_again_and_a_wrong_one_is_never_kept(
    run: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    _resumed(run, cache)
    others = [row for row in rows_of(run) if row["method"] != "cpsat"]
    write_rows(run, [*others, forged(run, evaluated_as_one)])
    for _ in range(2):
        limits = Limits(wall_s=60.0)
        CHECKED.clear()
        kept = Kept(cache, purpose(limits, False, ()), resume=True)
        found = verify_run(run, _Counting(run, limits, again=False, kept=kept), lambda f, n: None)
        assert CHECKED == ["cpsat"]
        assert any("evaluated 1" in problem for problem in found.problems)
