"""``verify`` passes a true run and finds each deliberate corruption, checksum repaired or not."""

import contextlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from optmap.experiment.row import Row
from optmap.experiment.run.job import Job
from optmap.experiment.run.source import Source
from optmap.experiment.run.store import Store
from optmap.experiment.tables.best_known import read_copy
from optmap.experiment.tables.derived import BEST_KNOWN, ENVIRONMENT, REPORT, TABLES, derived
from optmap.experiment.verification.row import Checker
from optmap.experiment.verification.run import verify_run
from optmap.model.outcome import Limits


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


def believe(certificate, mapping, instance, limits):
    """Prove nothing: these tests are about everything else."""
    return None if certificate.get("true", True) else "prices too high"


def verdict_of(folder, prove=believe):
    checker = Checker(folder, Limits(wall_s=60.0, seed=9), prove=prove)
    return verify_run(folder, checker, lambda found, left: None)


def problems(folder):
    return verdict_of(folder).problems


def write_rows(folder, rows, sealed=True):
    """Write rows as a forger would who knows the store: checksums, chain, tables, manifest fit."""
    shutil.rmtree(folder / "forged", ignore_errors=True)
    (folder / "rows.jsonl").unlink()
    store = Store(folder)
    for row in rows:
        names = list(row["attached"])
        attached = {
            name: json.loads((folder / name / f"{row['key']}.json").read_text()) for name in names
        }
        bare = {k: v for k, v in row.items() if k not in ("attached", "checksum", "chain")}
        store.append(bare, attached)
    if sealed:
        texts = {name: (folder / name).read_text() for name in TABLES}
        with contextlib.suppress(ValueError):  # a row that nobody can read: old tables stay
            typed = [Row.from_json(row) for row in store.rows.values()]
            texts = derived(typed, read_copy(folder / BEST_KNOWN))
        for name, text in texts.items():
            (folder / name).write_text(text)
        store.seal([*texts, REPORT, ENVIRONMENT, BEST_KNOWN])


def rows_of(folder):
    return [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]


def edit(folder, change, method="cpsat", sealed=True):
    """Change a row and its mapping file; all that a forger can repair is repaired."""
    rows = rows_of(folder)
    for row in rows:
        if row["method"] == method:
            file = folder / "mappings" / f"{row['key']}.json"
            mapping = json.loads(file.read_text())
            change(row, mapping)
            file.write_text(json.dumps(mapping))
    write_rows(folder, rows, sealed)


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


def certify_a_word(row, mapping):
    claim = claim_of(row, "traffic")
    claim["bound"], claim["status"], claim["grade"] = claim["value"], "optimal", "certified"
    claim["scope"].pop("max_clusters")


def widen_to_every_mapping(row, mapping):
    claim_of(row, "period")["scope"] = {}


def widen_to_the_clustering(row, mapping):
    claim_of(row, "period")["scope"] = {"clustering": row["place"]["clustering"]}


def widen_to_prologues(row, mapping):
    claim_of(row, "period")["scope"].pop("prologue")


def lower_a_bound(row, mapping):
    claim = claim_of(row, "spike_hops")
    claim["bound"], claim["status"], row["status"] = 0, "feasible", "feasible"


def raise_a_bound_of_a_worse_mapping(row, mapping):
    """Claim less than was reached, and a bound between that and the truth."""
    claim = claim_of(row, "tile_load_max")
    claim["value"] = claim["evaluated"] = claim["value"] + 40
    claim["bound"] = claim["bound"] + 20
    claim["status"] = row["status"] = "feasible"
    claim["trace"] = []


def float_metric(row, mapping):
    row["metrics"]["clusters"] = float(row["metrics"]["clusters"])


def bool_metric(row, mapping):
    row["metrics"]["tiles_used"] = True


def lose_a_metric(row, mapping):
    del row["metrics"]["latency"]


def another_method(row, mapping):
    row["method"] = mapping["method"] = "overlap"


def unknown_method(row, mapping):
    row["method"] = mapping["method"] = "magic"


def another_seed(row, mapping):
    row["seed"] = 7


def another_limit(row, mapping):
    row["limit_s"] = 3600.0


def another_key(row, mapping):
    row["code_version"] = "0123456789ab"


def another_instance_name(row, mapping):
    row["instance"] = mapping["instance"] = "lenet"


def turn_into_a_timeout(row, mapping):
    row["status"] = "timeout_hard"
    row["check"] = "not_run"


def turn_into_a_violation(row, mapping):
    row["check"], row["reason"] = "violation", "made up"


def turn_into_a_mismatch(row, mapping):
    row["check"], row["reason"] = "mismatch", "made up"


def an_unknown_word(row, mapping):
    row["status"] = "splendid"


def a_trace_that_proved_more(row, mapping):
    claim_of(row, "clusters")["trace"] = [[0.1, 9, 9]]


def hide_a_prologue(row, mapping):
    orders = mapping["mapping"]["orders"]
    mapping["mapping"]["offsets"] = [[0] * len(order) for order in orders]
    longest = max(range(len(orders)), key=lambda t: len(orders[t]))
    mapping["mapping"]["offsets"][longest] = [1] * len(orders[longest])


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
    verdict = verdict_of(run)
    assert verdict.problems == []
    assert (verdict.rows, verdict.mappings) == (2, 2)
    assert verdict.claims >= 5
    assert verdict.bounds > 10
    assert sum(verdict.proofs.values()) >= 5


FORGERIES = [
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
    certify_a_word,
    widen_to_every_mapping,
    widen_to_the_clustering,
    widen_to_prologues,
    lower_a_bound,
    raise_a_bound_of_a_worse_mapping,
    float_metric,
    bool_metric,
    lose_a_metric,
    another_method,
    unknown_method,
    another_seed,
    another_limit,
    another_key,
    another_instance_name,
    turn_into_a_timeout,
    turn_into_a_violation,
    turn_into_a_mismatch,
    an_unknown_word,
    a_trace_that_proved_more,
    hide_a_prologue,
    forget_claims,
    rename_decomposition,
    borrow_units,
    borrow_clustering,
    shrink_network,
    hide_from_the_judge,
    drop_all_claims,
]


@pytest.mark.parametrize("change", FORGERIES)
def test_each_forgery_is_found_although_checksums_chain_and_tables_fit(run, change):
    edit(run, change)
    found = [problem for problem in problems(run) if EDITED not in problem]
    assert found
    assert not any("checksum" in problem or "manifest" in problem for problem in found)


def test_any_change_breaks_the_checksum(run):
    text = (run / "rows.jsonl").read_text()
    (run / "rows.jsonl").write_text(text.replace('"wall_s":', '"wall_s":1'))
    assert any("checksum" in problem for problem in problems(run))


def test_a_heuristic_under_a_false_name_is_found_by_running_it_again(run):
    def rename(row, mapping):
        row["method"] = mapping["method"] = "pacman"
        limits = Limits(row["limit_s"], row["threads"], row["seed"], row["memory_mb"])
        job = Job(row["instance"], row["digest"], Source(), "pacman", limits)
        row["key"] = job.key(code=row["code_version"], solvers=row["solver_versions"])

    rows = rows_of(run)
    for row in rows:
        if row["method"] == "song2020-tree":
            old = row["key"]
            file = run / "mappings" / f"{old}.json"
            mapping = json.loads(file.read_text())
            rename(row, mapping)
            file.unlink()
            (run / "mappings" / f"{row['key']}.json").write_text(json.dumps(mapping))
            (run / "details" / f"{old}.json").rename(run / "details" / f"{row['key']}.json")
    write_rows(run, rows)
    assert any("gives another mapping" in problem for problem in problems(run))


def test_a_rival_without_its_mapping_is_run_again(run):
    rows = rows_of(run)
    for row in rows:
        row.update(status="timeout_hard", check="not_run", reason="", claims=[], bounds=[])
        row.update(metrics={}, place=None, certificates=[], attached={}, decomposition="")
        (run / "mappings" / f"{row['key']}.json").unlink()
        (run / "details" / f"{row['key']}.json").unlink()
    write_rows(run, rows)
    assert sum("finds a valid one" in problem for problem in problems(run)) == 2


def test_a_row_that_was_removed_is_missed(run):
    lines = (run / "rows.jsonl").read_text().splitlines(keepends=True)
    (run / "rows.jsonl").write_text(lines[1])
    found = problems(run)
    assert any("was removed or moved" in problem for problem in found)
    assert any("seals 2 rows" in problem for problem in found)


def test_a_row_that_the_tables_hide_is_found(run):
    typed = [row for row in Store(run).typed() if row.method != "cpsat"]
    rows = rows_of(run)
    write_rows(run, rows)
    store = Store(run)
    store.read()
    typed = [row for row in store.typed() if row.method != "cpsat"]
    texts = derived(typed, read_copy(run / BEST_KNOWN))
    for name, text in texts.items():
        (run / name).write_text(text)
    store.seal([*texts, REPORT, ENVIRONMENT, BEST_KNOWN])
    assert problems(run) == ["runs.csv: 1 rows of this run are not shown, as i / cpsat"]


def test_a_row_under_a_second_key_is_found(run):
    rows = rows_of(run)
    double = json.loads(json.dumps(rows[0]))
    double["key"] = "0" * 20
    for place in ("mappings", "details"):
        shutil.copy(run / place / f"{rows[0]['key']}.json", run / place / f"{double['key']}.json")
    write_rows(run, [*rows, double])
    assert any("is not that of its method" in problem for problem in problems(run))


@pytest.mark.parametrize("name", ["report.html", "environment.json", "runs.csv", "manifest.json"])
def test_a_sealed_file_that_changed_or_went_is_found(run, name):
    (run / name).write_text((run / name).read_text() + " ")
    if name != "manifest.json":
        assert any(problem.startswith(name) for problem in problems(run))
    (run / name).unlink()
    assert any(problem.startswith(name) for problem in problems(run))


def test_details_are_those_of_the_mapping(run):
    for file in (run / "details").iterdir():
        data = json.loads(file.read_text())
        data[next(iter(data))] = []
        file.write_text(json.dumps(data))
    write_rows(run, rows_of(run))
    assert sum("details" in problem for problem in problems(run)) == 2


def test_a_file_of_nobody_is_found(run):
    (run / "more_tables.md").write_text("| our method | best |")
    assert problems(run) == ["more_tables.md: belongs to no row and is not sealed"]


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
    assert f"{name}, line {line}: {EDITED}" in problems(run)
    if name != "runs.csv":  # it says which rows the others show
        (run / name).write_text(text + "and more\n")
        assert f"{name}, line {text.count(chr(10)) + 1}: {EDITED}" in problems(run)
        (run / name).unlink()
        assert f"{name}, line 1: {EDITED}" in problems(run)


def test_a_line_of_a_row_that_is_not_there_is_found(run):
    with (run / "runs.csv").open("a") as stream:
        stream.write("made up\n")
    assert "runs.csv: of 3 lines 1 belong to no row, as None" in problems(run)


def test_missing_files_and_torn_rows_are_problems_not_tracebacks(run):
    for file in (run / "mappings").iterdir():
        file.unlink()
    with (run / "rows.jsonl").open("a") as stream:
        stream.write("[" * 100_000 + '\n{"key": "k", "checksum": Infinity}\n')
        stream.write('{"key": "torn", "che')
    found = problems(run)
    assert sum("no row" in problem for problem in found) == 3
    assert sum("No such file" in problem for problem in found) >= 2


def test_a_row_that_stands_twice_is_found(run):
    lines = (run / "rows.jsonl").read_text()
    (run / "rows.jsonl").write_text(lines + lines.splitlines(keepends=True)[0])
    assert any("stands twice" in problem for problem in problems(run))
