"""More forgeries: how a row ended, numbers written otherwise, stages of another method."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from forged_run import (
    Stored,
    as_written,
    claim_of,
    forged,
    problems,
    row_problems,
    rows_of,
    seal,
    typed_rows,
    write_rows,
)

from optmap.errors import InputError
from optmap.experiment.run.environment import code_version
from optmap.experiment.run.mapping_file import read_document
from optmap.experiment.run.source import Source
from optmap.experiment.tables.best_known import BestKnown, read_folder
from optmap.experiment.tables.derived import ENVIRONMENT
from optmap.experiment.verification.context import behind, list_problems
from optmap.experiment.verification.form import (
    form_problems,
    rewritten,
    stage_problems,
    trace_problems,
)
from optmap.experiment.verification.rerun import _not_repeated, _other_stages
from optmap.experiment.verification.row import ODD
from optmap.flow import run as run_method
from optmap.instance import Instance
from optmap.methods import METHODS
from optmap.model.grade import Grade, stronger
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits


def ended(status: str, **more: Any) -> Callable[[Stored, Stored], None]:
    def change(row: Stored, mapping: Stored) -> None:
        row.update(status=status, **more)

    change.__name__ = f"ended_with_{status}"
    return change


def field(name: str, value: Any) -> Callable[[Stored, Stored], None]:
    def change(row: Stored, mapping: Stored) -> None:
        *above, last = name.split(".")
        at = row
        for part in above:
            at = at[part]
        at[last] = value

    change.__name__ = f"{name}_{value!r:.20}"
    return change


def claimed(metric: str, /, **more: Any) -> Callable[[Stored, Stored], None]:
    def change(row: Stored, mapping: Stored) -> None:
        claim_of(row, metric).update(more)

    change.__name__ = f"{metric}_" + "_".join(f"{n}_{v!r:.20}" for n, v in more.items())
    return change


def text_for_a_number(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "clusters")
    claim["value"] = claim["evaluated"] = str(claim["value"])


def float_for_a_number(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "clusters")
    claim["value"] = float(claim["value"])


def half_less(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "clusters")
    claim.update(bound=f"{2 * claim['bound'] - 1}/2", status="feasible")
    row["status"] = "feasible"


def a_trace_that_loses_its_best(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "traffic")
    claim["trace"] = [[0.01, claim["value"] - 3, None], [0.02, claim["value"], claim["bound"]]]


def a_trace_in_words(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "traffic")
    claim["trace"] = [[0.01, "ours", None], [0.02, claim["value"], None]]


def nothing_certified(row: Stored, mapping: Stored) -> None:
    for claim in row["claims"]:
        if claim["grade"] == "certified":
            claim["grade"] = "two solvers"


def a_stage_gives_up(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "spike_hops")
    claim |= {"status": "unknown", "value": None, "evaluated": None, "bound": None, "trace": []}
    claim["grade"], row["status"] = "claimed", "feasible"


def stages_forgotten(row: Stored, mapping: Stored) -> None:
    row["stage_seconds"] = {}


def bounds_forgotten(row: Stored, mapping: Stored) -> None:
    row["bounds"] = []


def a_bound_twice(row: Stored, mapping: Stored) -> None:
    row["bounds"].append(row["bounds"][0])


def a_note_in_the_mapping(row: Stored, mapping: Stored) -> None:
    mapping["mapping"]["note"] = "ours"


def a_mapping_of_another_digest(row: Stored, mapping: Stored) -> None:
    mapping["digest"] = "0" * 64


def offsets_of_nothing(row: Stored, mapping: Stored) -> None:
    orders = mapping["mapping"]["orders"]
    mapping["mapping"]["offsets"] = [[1] * len(order) for order in orders]


def a_file_more(row: Stored, mapping: Stored) -> None:
    row["attached"]["notes"] = "0" * 24


FORGERIES = [
    ended("timeout_hard"),
    ended("memout"),
    ended("memout", memory_mb=10**6, peak_rss_mb=5.0),
    ended("crashed"),
    ended("error", reason="ValueError: a bug of theirs"),
    ended("no_solution"),
    ended("infeasible"),
    ended("unsupported"),
    field("wall_s", 3600.0),
    field("schema", 2.0),
    field("schema", True),
    field("note", "ours"),
    field("metrics.beauty", 1),
    field("network.beauty", 1),
    field("network.set", "example"),
    field("place.least_split", 1),
    field("place.load", 0),
    field("ended", "3000-01-01T00:00:00+00:00"),
    field("ended", "2026-01-01T00:00:00"),
    field("reason", "clusters: theirs is far behind ours"),
    field("reason", "period: \x1b[31mred"),
    field("stage_seconds.whole", 0.0),
    field("seed", 10**30),
    field("threads", 0),
    field("work", 3000),
    field("memory_mb", 1),
    field("solver_versions", "ortools-99"),
    claimed("clusters", note="ours"),
    claimed("clusters", evaluated=1),
    claimed("spike_hops", bound=False),
    claimed("spike_hops", status="infeasible"),
    claimed("period", metric="energy_pj"),
    text_for_a_number,
    float_for_a_number,
    half_less,
    a_trace_that_loses_its_best,
    a_trace_in_words,
    nothing_certified,
    a_stage_gives_up,
    stages_forgotten,
    bounds_forgotten,
    a_bound_twice,
    a_note_in_the_mapping,
    a_mapping_of_another_digest,
    offsets_of_nothing,
    a_file_more,
]
#: Only running the method once more shows these.
BY_RUNNING = (nothing_certified, half_less, a_stage_gives_up)


def of_form(row: Stored) -> list[str]:
    """Return what is wrong with a row as it stands, before anything is judged or proved again."""
    method = METHODS[row["method"]]
    try:
        found = [*form_problems(row), *rewritten(row), *stage_problems(row, method)]
        return [*found, *trace_problems(row)]
    except (InputError, *ODD) as error:  # as the checker says it
        return [str(error)]


def test_nothing_is_wrong_with_the_form_of_a_true_run(run: Path) -> None:
    assert [of_form(row) for row in rows_of(run)] == [[], []]


@pytest.mark.parametrize("change", FORGERIES, ids=lambda change: change.__name__)
def test_each_is_found(run: Path, change: Callable[[Stored, Stored], None]) -> None:
    row = forged(run, change)
    assert of_form(row) or row_problems(run, row, again=change in BY_RUNNING)


def test_grades_have_an_order() -> None:
    assert [stronger(a, b) for a in Grade for b in Grade] == [
        *(False, True, True),
        *(False, False, True),
        *(False, False, False),
    ]


def test_a_rival_on_units_of_another_decomposition_is_found(run: Path) -> None:
    """Its claims are on other units then, so that no bound of the method's own can be compared."""
    method, (instance, stored) = METHODS["cpsat"], _made(run, "song2020-tree")
    chained = _made(run, "song2020")[1]
    assert list(_other_stages(method, instance, stored, stored)) == []
    found = list(_other_stages(method, instance, chained, stored))
    assert found == [f"its units are not those of cpsat: {method.decomposition} cuts otherwise"]


def _made(run: Path, method: str, seed: int = 0) -> tuple[Instance, Mapping]:
    """Return the instance of a run and the mapping that a method makes for it."""
    instance = Source.from_json(rows_of(run)[0]["source"]).load()
    parts = (instance.snn, instance.platform, instance.tokens)
    made = run_method(METHODS[method], *parts, Limits(seed=seed), lambda _: None)
    assert made.mapping is not None
    return instance, made.mapping


def test_what_a_heuristic_decides_before_a_solver_is_the_same(run: Path) -> None:
    instance, stored = _made(run, "song2020")
    _, rival = _made(run, "dfsynthesizer")
    method = METHODS["song2020/order"]
    assert list(_other_stages(method, instance, stored, stored)) == []
    found = list(_other_stages(method, instance, rival, stored))
    assert found == [f"its binding is not that of {method.name}: {method.binding} repeats exactly"]
    seeds = [_made(run, "random", seed)[1] for seed in (1, 0)]
    found = list(_other_stages(METHODS["random"], instance, *seeds))
    assert found == ["its clusters are not those of random: random repeats exactly"]


def test_counted_work_repeats_to_the_letter(run: Path) -> None:
    row = next(row for row in rows_of(run) if row["method"] == "cpsat")
    instance = Source.from_json(row["source"]).load()
    limits = Limits(work=20)
    made = run_method(
        METHODS["cpsat"], instance.snn, instance.platform, instance.tokens, limits, lambda _: None
    )
    assert made.mapping is not None
    row |= {"work": 20, "status": made.status.value, "claims": [c.to_json() for c in made.claims]}
    assert list(_not_repeated(row, made, made.mapping)) == []
    row["claims"][1]["bound"] -= 1
    assert len(list(_not_repeated(row, made, made.mapping))) == 1
    row["claims"][1]["grade"] = "certified"
    assert len(list(_not_repeated(row, made, made.mapping))) == 2
    other = read_document(run / "mappings" / f"{rows_of(run)[0]['key']}.json")[2]
    assert "another mapping" in next(_not_repeated(row, made, other))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"limits": {"wall_s": 3600.0}}, "limits {'wall_s': 3600.0}"),
        ({"planned": {"i": ["cpsat", "song2020-tree"], "j": ["cpsat"]}}, "of other methods"),
        ({"praise": "best of all"}, "praise is nothing that a run says"),
    ],
)
def test_an_environment_of_another_run_is_found(
    run: Path, change: dict[str, Any], expected: str
) -> None:
    file = run / ENVIRONMENT
    as_written(file, json.loads(file.read_text()) | change)
    seal(run)
    assert any(expected in problem for problem in problems(run, again=False))


def test_an_environment_without_a_plan_or_none_at_all_is_found(run: Path) -> None:
    file = run / ENVIRONMENT
    data = json.loads(file.read_text())
    del data["planned"]
    as_written(file, data)
    seal(run)
    assert problems(run, again=False) == [f"{ENVIRONMENT}: no plan, which every run writes"]
    for name in (*json.loads((run / "manifest.json").read_text())["files"], "manifest.json"):
        (run / name).unlink()
    assert f"{ENVIRONMENT}: missing" in problems(run, again=False)[0]


def test_a_row_of_other_versions_among_the_others_is_found(run: Path) -> None:
    rows = rows_of(run)
    rows[0]["solver_versions"] = "ortools-1 pulp-1 highspy-1"
    write_rows(run, rows)
    assert any(f"{ENVIRONMENT}: solvers" in p for p in problems(run, again=False))


def test_a_manifest_says_nothing_more(run: Path) -> None:
    file = run / "manifest.json"
    as_written(file, json.loads(file.read_text()) | {"note": "ours"})
    found = problems(run, again=False)
    assert found == ["manifest.json: says more than a run seals, or in another order"]


LIST = Path(__file__).parents[2] / "results" / "best_known"


def _changed(change: Callable[[dict[str, Any]], None]) -> tuple[BestKnown, BestKnown]:
    """Return a copy of one entry of the list, changed, and the list."""
    trusted = read_folder(LIST)
    entry = next(e for e in trusted.entries.values() if e.instance == "filter_8").to_json()
    change(entry)
    return BestKnown.from_json([entry], "copy"), trusted


def _record(**more: Any) -> Callable[[dict[str, Any]], None]:
    return lambda entry: entry["metrics"]["clusters"].update(more)


@pytest.mark.parametrize(
    "change",
    [
        _record(method="ours"),
        _record(date="1999-01-01"),
        _record(mapping=None),
        _record(bound_by="ours"),
        _record(bound_date="1999-01-01"),
        lambda entry: entry["metrics"]["clusters"]["bound"].update(name="ours"),
        lambda entry: entry.update(instance="ours"),
        lambda entry: entry.update(platform="ours"),
    ],
)
def test_a_copy_of_the_list_is_the_list_to_the_letter(
    change: Callable[[dict[str, Any]], None],
) -> None:
    assert list(list_problems(*_changed(lambda entry: None), "copy")) == []
    assert list(list_problems(*_changed(change), "copy"))


def test_a_grade_in_a_copy_is_the_grade_of_the_list() -> None:
    def weaker(entry: dict[str, Any]) -> None:
        entry["metrics"]["clusters"]["bound"]["grade"] = "claimed"

    copy, trusted = _changed(lambda entry: None)
    weak, _ = _changed(weaker)
    assert any("is graded certified" in p for p in list_problems(copy, weak, "copy"))
    assert trusted


def test_a_weakened_copy_of_the_list_is_found_by_its_dates(run: Path) -> None:
    def worse(entry: dict[str, Any]) -> None:
        entry["metrics"]["clusters"]["value"] = 10**6

    copy, trusted = _changed(worse)
    digest = next(iter(copy.entries))
    row = replace(typed_rows(run)[0], digest=digest, code_version=code_version())
    after, on_the_day = (
        behind(copy, trusted, [replace(row, ended=f"{day}T00:00:00+00:00")])
        for day in ("2099-01-01", "2000-01-01")
    )
    assert (len(after[0]), after[1]) == (1, [])
    assert (on_the_day[0], len(on_the_day[1])) == ([], 1)
    assert behind(BestKnown(), trusted, [replace(row, ended="2099-01-01")])[0]
    older = replace(row, ended="2099-01-01", code_version="0123456789ab")
    assert behind(copy, trusted, [older])[0] == []
