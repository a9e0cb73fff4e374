"""The store keeps every finished row, whatever happens to the process or the disk."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from optmap.errors import InputError
from optmap.experiment.run.store import Store, StoreError, canonical, chain


def test_rows_and_mappings_come_back(tmp_path):
    with Store.opened(tmp_path) as store:
        store.append({"key": "a", "value": 1}, {"mappings": {"schema": 1}})
        store.append({"key": "b", "value": 2}, {})
    with Store.opened(tmp_path) as again:
        assert [row["value"] for row in again.rows.values()] == [1, 2]
        assert again.attached("mappings", again.rows) == {"a": {"schema": 1}}


@pytest.mark.parametrize("torn", [b'{"key": "c", "val', b'{"key": "c"}', b"\x00\x00\x00\x00"])
def test_torn_last_line_is_dropped_with_a_note(tmp_path, torn, caplog):
    with Store.opened(tmp_path) as store:
        store.append({"key": "a"}, {})
    with store.file.open("ab") as stream:
        stream.write(torn)
    with Store.opened(tmp_path) as again:
        assert list(again.rows) == ["a"]
        again.append({"key": "b"}, {})
    assert "a torn line" in caplog.text
    with Store.opened(tmp_path) as third:
        assert list(third.rows) == ["a", "b"]


def test_a_damaged_line_in_the_middle_costs_only_itself(tmp_path):
    with Store.opened(tmp_path) as store:
        for key in "abc":
            store.append({"key": key}, {})
    lines = store.file.read_bytes().splitlines(keepends=True)
    store.file.write_bytes(lines[0] + b"garbage\n" + lines[2])
    with Store.opened(tmp_path) as again:
        assert list(again.rows) == ["a", "c"]
    kept = store.file.read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["key"] for line in kept] == ["a", "c"]
    assert store.aside.read_bytes() == b"garbage\n"


@pytest.mark.parametrize("damage", ["row", "mapping", "no mapping", "depth"])
def test_what_is_unlike_its_checksum_is_left_out_and_solved_again(tmp_path, damage, caplog):
    with Store.opened(tmp_path) as store:
        store.append({"key": "a", "value": 1}, {"mappings": {"schema": 1}})
        store.append({"key": "b", "value": 2}, {})
    first, second = store.file.read_bytes().splitlines(keepends=True)
    mapping = tmp_path / "mappings" / "a.json"
    if damage == "row":
        store.file.write_bytes(first.replace(b'"value":1', b'"value":7') + second)
    elif damage == "mapping":
        mapping.write_text("{}")
    elif damage == "no mapping":
        mapping.unlink()
    else:
        store.file.write_bytes(b"[" * 100_000 + b"\n" + second)
    with Store.opened(tmp_path) as again:
        assert list(again.rows) == ["b"]
    assert "left out a" in caplog.text
    assert [json.loads(x)["key"] for x in store.file.read_bytes().splitlines()] == ["b"]
    assert first not in store.aside.read_bytes() or damage in ("mapping", "no mapping")


def test_reading_another_run_changes_nothing_in_it(tmp_path):
    with Store.opened(tmp_path) as store:
        store.append({"key": "a"}, {})
    with store.file.open("ab") as stream:
        stream.write(b'{"key": "half')
    before = store.file.read_bytes()
    baseline = Store(tmp_path)
    baseline.read()
    assert list(baseline.rows) == ["a"]
    assert store.file.read_bytes() == before


def test_a_full_disk_hides_no_error_behind_the_lock(tmp_path, monkeypatch):
    class Full:
        def __init__(self, file):
            self.file = file

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, _):
            raise OSError(28, "No space left on device")

    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda *a, **k: Full(opened(*a, **k)))
    with pytest.raises(StoreError, match="as told"), Store.opened(tmp_path):
        raise StoreError("as told")


def test_a_second_process_is_refused_and_told_who_has_it(tmp_path):
    code = (
        "import pathlib; from optmap.experiment.run.store import Store\n"
        "from optmap.errors import InputError\n"
        "try:\n"
        f"    with Store.opened(pathlib.Path({str(tmp_path)!r})): print('opened')\n"
        "except InputError as error: print(error)\n"
    )
    with Store.opened(tmp_path):
        second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "in use by process" in second.stdout
    third = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert third.stdout == "opened\n"


def test_full_disk_keeps_the_rows_before_it(tmp_path, monkeypatch):
    with Store.opened(tmp_path) as store:
        store.append({"key": "a"}, {})
        before = store.file.read_bytes()

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("optmap.experiment.run.store.os.fsync", full)
        with pytest.raises(StoreError, match="No space left on device; 1 finished rows are kept"):
            store.append({"key": "b"}, {})
        assert store.file.read_bytes() == before
        with pytest.raises(StoreError, match="No space left"):
            store.write("tables.md", "text")
        assert not (tmp_path / "tables.md").exists()


def test_a_folder_that_cannot_be_made_is_bad_input(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a folder to write to"), Store.opened(tmp_path / "file"):
        pass


def test_a_folder_that_went_away_is_made_again(tmp_path):
    store = Store(tmp_path / "a" / "b")
    store.append({"key": "a"}, {"mappings": {}})
    assert (tmp_path / "a" / "b" / "mappings" / "a.json").is_file()


def test_what_cannot_be_written_is_named(tmp_path):
    (tmp_path / "mappings").write_text("a file, where a folder is made")
    with (
        Store.opened(tmp_path) as store,
        pytest.raises(StoreError, match="mappings: File exists; 0 finished rows are kept"),
    ):
        store.append({"key": "a"}, {"mappings": {}})


def test_rows_whose_files_went_away_come_back_with_them(tmp_path):
    with Store.opened(tmp_path) as store:
        for key in "abc":
            store.append({"key": key}, {"mappings": {"of": key}})
    (tmp_path / "mappings").rename(tmp_path / "elsewhere")
    with Store.opened(tmp_path) as without:
        assert without.rows == {}
        without.append({"key": "b", "again": True}, {"mappings": {"of": "b again"}})
    shutil.copytree(tmp_path / "elsewhere", tmp_path / "mappings", dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "elsewhere")
    with Store.opened(tmp_path) as again:
        assert sorted(again.rows) == ["a", "b", "c"]
    assert len(again.aside.read_bytes().splitlines()) == 4  # nothing is ever lost: both rows "b"


def test_a_row_that_crashed_is_run_again(tmp_path):
    with Store.opened(tmp_path) as store:
        store.append({"key": "a", "status": "crashed"}, {})
        store.append({"key": "b", "status": "feasible"}, {})
    with Store.opened(tmp_path) as again:
        assert list(again.rows) == ["b"]
        again.append({"key": "a", "status": "feasible"}, {})
    with Store.opened(tmp_path) as third:
        assert sorted(third.rows) == ["a", "b"]


def test_the_chain_tells_that_a_row_is_gone(tmp_path):
    with Store.opened(tmp_path) as store:
        for key in "abc":
            store.append({"key": key}, {})
        store.write("tables.md", "text")
        store.seal(["tables.md"])
    rows = [json.loads(line) for line in store.file.read_bytes().splitlines()]
    before = ""
    for row in rows:
        assert row["chain"] == chain(before, row["checksum"])
        before = row["chain"]
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert (manifest["rows"], manifest["chain"]) == (3, before)
    assert list(manifest["files"]) == ["tables.md"]


ODD_MANIFESTS = [
    "no JSON", "[]", "7", "null", "{}", '{"rows": 1}', '{"files": [], "rows": 1, "chain": ""}',
    '{"files": {"../a": "0"}, "rows": 1, "chain": ""}',
]  # fmt: skip


@pytest.mark.parametrize("text", ODD_MANIFESTS)
def test_a_manifest_that_is_none_seals_nothing(tmp_path, text):
    with Store.opened(tmp_path) as store:
        store.append({"key": "a"}, {})
        store.write("a.csv", "x")
        store.seal(["a.csv"])
        assert store.is_sealed({"a.csv": "x"})
        assert not store.is_sealed({"a.csv": "y"})
        assert not store.is_sealed({"b.csv": "x"})
        store.write("manifest.json", text.replace('""', f'"{store.chain}"'))
        assert not store.is_sealed({})
        (tmp_path / "manifest.json").unlink()
        assert not store.is_sealed({})


def test_a_row_more_or_a_file_that_changed_breaks_the_seal(tmp_path):
    with Store.opened(tmp_path) as store:
        store.append({"key": "a"}, {})
        store.write("a.csv", "x")
        store.seal(["a.csv"])
        (tmp_path / "a.csv").write_text("z")
        assert not store.is_sealed({})
        store.write("a.csv", "x")
        assert store.is_sealed({})
        store.append({"key": "b"}, {})
        assert not store.is_sealed({})


def test_a_line_is_the_row_as_it_was_given_and_its_seals(tmp_path):
    with Store.opened(tmp_path) as store:
        store.append({"key": "a", "value": [1, "2/3"]}, {"mappings": {"schema": 1}})
    (line,) = store.file.read_bytes().splitlines(keepends=True)
    row = json.loads(line)
    assert list(row) == ["key", "value", "attached", "checksum", "chain"]
    assert (row["key"], row["value"]) == ("a", [1, "2/3"])
    assert canonical(row) == line
