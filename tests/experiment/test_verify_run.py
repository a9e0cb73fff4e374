"""``verify`` passes a true run and finds each deliberate corruption, checksum repaired or not."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from optmap.experiment.run.store import Store, checksum
from optmap.experiment.tables.derived import derived
from optmap.experiment.verify_run import verify_run


@pytest.fixture(scope="module")
def true_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    (folder / "p.toml").write_text(
        'schema = 1\nname = "tiny"\n[interconnect]\nkind = "mesh"\nwidth = 2\nheight = 1\n'
        "[[tiles]]\nrows = 6\ncolumns = 4\n[time]\nevent_ticks = 1\n"
    )
    (folder / "i.toml").write_text(
        'schema = 1\nname = "i"\nnetwork = "gen:mlp-9-4-2"\nplatform = "p.toml"\n'
    )
    command = [sys.executable, "-m", "optmap.compare", str(folder / "i.toml"), "--limit", "5"]
    command += ["--out", str(folder / "run"), "--methods", "song2020-tree,cpsat"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture
def run(true_run, tmp_path):
    return Path(shutil.copytree(true_run, tmp_path / "run"))


EDITED = "not what the rows give"


def believe(certificate, mapping, instance):
    """Prove nothing: these tests are about everything else."""
    return None if certificate.get("true", True) else "prices too high"


def problems(folder):
    return verify_run(folder, believe, lambda name: None).problems


def edit(folder, change, method="cpsat", repair=True):
    """Change a row and its mapping file; with ``repair`` the checksum is made to match again."""
    store = Store(folder)
    lines = []
    for line in (folder / "rows.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["method"] == method:
            file = folder / "mappings" / f"{row['key']}.json"
            mapping = json.loads(file.read_text())
            change(row, mapping)
            file.write_text(json.dumps(mapping))
            if repair:
                row["checksum"] = checksum(row, store.attached_texts(row))
        lines.append(json.dumps(row))
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")


def claim_of(row, metric):
    return next(claim for claim in row["claims"] if claim["metric"] == metric)


def move_unit(row, mapping):
    labels = mapping["mapping"]["cluster_of"]
    home = max(set(labels), key=labels.count)
    away = next(k for k in labels if k != home)
    labels[labels.index(home)] = away


def swap_order(row, mapping):
    orders = mapping["mapping"]["orders"]
    longest = max(orders, key=len)
    longest.reverse()


def drop_from_order(row, mapping):
    max(mapping["mapping"]["orders"], key=len).pop()


def move_cluster(row, mapping):
    tiles = mapping["mapping"]["tile_of"]
    tiles[0] = 1 - tiles[0]


def raise_claim(row, mapping):
    claim_of(row, "traffic")["value"] += 1


def raise_bound(row, mapping):
    claim_of(row, "clusters")["bound"] += 1


def lower_bound_of_an_optimum(row, mapping):
    claim_of(row, "clusters")["bound"] = 0


def raise_computed_bound(row, mapping):
    row["bounds"][0]["value"] += 1


def lower_metric(row, mapping):
    row["metrics"]["spike_hops"] -= 1


def halve_period(row, mapping):
    row["metrics"]["period"] = "1/2"


def change_hash(row, mapping):
    row["digest"] = mapping["digest"] = "0" * 64


def change_method(row, mapping):
    mapping["method"] = "milp"


def spoil_certificate(row, mapping):
    row["certificates"] = [{"true": False}]


def forget_claims(row, mapping):
    row["status"] = "optimal"
    row["claims"] = []


def rename_decomposition(row, mapping):
    row["decomposition"] = "custom"


def borrow_units(row, mapping):
    row["place"]["units"] = "units for which somebody proved more"


def borrow_clustering(row, mapping):
    row["place"]["clustering"] = "a clustering for which somebody proved more"


def shrink_network(row, mapping):
    row["network"]["neurons"] -= 1


def hide_from_the_judge(row, mapping):
    row["check"] = "not_run"


def drop_all_claims(row, mapping):
    row["claims"] = None


def test_a_true_run_passes(run):
    verdict = verify_run(run, believe, lambda name: None)
    assert verdict.problems == []
    assert (verdict.rows, verdict.mappings) == (2, 2)
    assert verdict.claims >= 5
    assert verdict.bounds > 10


@pytest.mark.parametrize(
    "change",
    [
        move_unit,
        swap_order,
        drop_from_order,
        move_cluster,
        raise_claim,
        raise_bound,
        lower_bound_of_an_optimum,
        raise_computed_bound,
        lower_metric,
        halve_period,
        change_hash,
        change_method,
        spoil_certificate,
        forget_claims,
        rename_decomposition,
        borrow_units,
        borrow_clustering,
        shrink_network,
        hide_from_the_judge,
        drop_all_claims,
    ],
)
def test_each_corruption_is_found_although_the_checksum_fits(run, change):
    edit(run, change)
    found = [problem for problem in problems(run) if EDITED not in problem]  # tables differ, too
    assert found
    assert not any("checksum" in problem for problem in found)


def test_any_change_breaks_the_checksum(run):
    edit(run, lambda row, mapping: row.update(wall_s=0.0), repair=False)
    assert any("checksum" in problem for problem in problems(run))


def test_a_bound_that_another_row_refutes_is_found(run):
    def both(row, mapping):
        claim = claim_of(row, "clusters")
        claim["bound"] = claim["value"] = 99
        claim["status"] = "optimal"

    edit(run, both)
    assert any("refuted by song2020-tree" in problem for problem in problems(run))


@pytest.mark.parametrize(
    "name", ["runs.csv", "gaps.csv", "stages.csv", "tables.md", "headline.md", "tables.tex"]
)
def test_a_table_that_was_edited_is_found(run, name):
    text = (run / name).read_text()
    at = max(i for i, letter in enumerate(text) if letter.isalnum())
    (run / name).write_text(text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :])
    line = text[:at].count("\n") + 1
    assert problems(run) == [f"{name}, line {line}: {EDITED}"]
    if name != "runs.csv":  # it says which rows the others show
        (run / name).write_text(text + "and more\n")
        assert problems(run) == [f"{name}, line {text.count(chr(10)) + 1}: {EDITED}"]
        (run / name).unlink()
        assert problems(run) == [f"{name}, line 1: {EDITED}"]


def test_a_line_of_a_row_that_is_not_there_is_found(run):
    with (run / "runs.csv").open("a") as stream:
        stream.write("made up\n")
    assert problems(run) == ["runs.csv: of 3 lines 1 belong to no row, as None"]


def test_tables_of_an_earlier_call_show_some_of_the_rows(run):
    shown = [row for row in Store(run).typed() if row.method == "cpsat"]
    for name, text in derived(shown).items():
        (run / name).write_text(text)
    assert problems(run) == []
    (run / "runs.csv").unlink()
    assert problems(run) == []  # killed before it wrote tables


def test_missing_files_and_torn_rows_are_problems_not_tracebacks(run):
    for file in (run / "mappings").iterdir():
        file.unlink()
    with (run / "rows.jsonl").open("a") as stream:
        stream.write("[" * 100_000 + '\n{"key": "k", "checksum": Infinity}\n')
        stream.write('{"key": "torn", "che')
    found = problems(run)
    assert sum("no row" in problem for problem in found) == 3
    assert sum("No such file" in problem for problem in found) == 2


def test_a_row_that_stands_twice_is_found(run):
    lines = (run / "rows.jsonl").read_text()
    (run / "rows.jsonl").write_text(lines + lines.splitlines(keepends=True)[0])
    assert any("stands twice" in problem for problem in problems(run))
