"""Each field of a row and of its files changed: whatever a row says is held.

Found by changing every one of them by a program and looking at what nobody noticed. Keys are made
anew where a field counts in them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from forged_run import Stored, claim_of, row_problems, rows_of

from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.job import Job
from optmap.experiment.run.mapping_file import read_document
from optmap.experiment.run.source import Source
from optmap.experiment.verification.form import (
    NOTHING_KEEPS,
    form_problems,
    missing_claims,
    rewritten,
    stage_problems,
)
from optmap.experiment.verification.orders import order_problems
from optmap.judge.case import Case
from optmap.methods import METHODS
from optmap.model.mapping import StaticOrders
from optmap.model.outcome import Limits
from optmap.ordering.contract import ORDERERS
from optmap.stages.course import ENDED_EARLY

Change = Callable[[Stored, Stored], None]


def put(path: str, value: Any) -> Change:
    def change(row: Stored, mapping: Stored) -> None:
        *above, last = path.split(".")
        at = row
        for name in above:
            at = at[name]
        at[last] = value

    change.__name__ = f"{path}={value!r:.30}"
    return change


def of_new_key(path: str, value: Any) -> Change:
    def change(row: Stored, mapping: Stored) -> None:
        put(path, value)(row, mapping)
        names = ("limit_s", "threads", "seed", "memory_mb", "work")
        limits = Limits(*(row[name] for name in names))
        job = Job(row["instance"], row["digest"], Source(), row["method"], limits)
        row["key"] = job.key(code=row["code_version"], solvers=row["solver_versions"])

    change.__name__ = f"{path}={value!r:.30} of its key"
    return change


def twin(row: Stored) -> Stored:
    """Return the second of two bounds that are alike: readers that look for each find the first."""
    seen: list[Stored] = []
    for bound in row["bounds"]:
        if bound in seen:
            return bound
        seen.append(bound)
    raise AssertionError("no two bounds are alike")


def a_twin_raised(row: Stored, mapping: Stored) -> None:
    twin(row)["value"] += 1


def a_twin_lowered(row: Stored, mapping: Stored) -> None:
    twin(row)["value"] = 0


def a_twin_for_every_mapping(row: Stored, mapping: Stored) -> None:
    twin(row).update(scope={}, value=int(row["metrics"]["period"]))


def a_twin_of_another_clustering(row: Stored, mapping: Stored) -> None:
    twin(row)["scope"] = {"clustering": "0" * 16}


def a_twin_renamed(row: Stored, mapping: Stored) -> None:
    twin(row)["name"] = "ours"


def a_twin_on_another_metric(row: Stored, mapping: Stored) -> None:
    twin(row)["metric"] = "latency"


def a_twin_of_another_grade(row: Stored, mapping: Stored) -> None:
    twin(row)["grade"] = "claimed"


def a_twin_twice(row: Stored, mapping: Stored) -> None:
    place = next(i for i, bound in enumerate(row["bounds"]) if bound is twin(row))
    row["bounds"][place + 1] = dict(twin(row))


def bounds_backwards(row: Stored, mapping: Stored) -> None:
    row["bounds"].reverse()


def the_first_bound_last(row: Stored, mapping: Stored) -> None:
    row["bounds"].append(row["bounds"].pop(0))


def a_bound_without_grade(row: Stored, mapping: Stored) -> None:
    del row["bounds"][0]["grade"]


def stages_in_another_order(row: Stored, mapping: Stored) -> None:
    row["stage_seconds"] = dict(reversed(row["stage_seconds"].items()))


def no_order(row: Stored, mapping: Stored) -> None:
    del row["stage_seconds"]["order"]


def no_binding(row: Stored, mapping: Stored) -> None:
    del row["stage_seconds"]["binding"]


def a_cycle_without_its_end(row: Stored, mapping: Stored) -> None:
    row["critical_cycle"].pop()


def a_cycle_that_begins_elsewhere(row: Stored, mapping: Stored) -> None:
    row["critical_cycle"].append(row["critical_cycle"].pop(0))


def nothing_split(row: Stored, mapping: Stored) -> None:
    del row["place"]["least_split"]


def a_period_for_a_throughput(row: Stored, mapping: Stored) -> None:
    row["metrics"]["throughput"] = row["metrics"]["period"]


def another_policy(row: Stored, mapping: Stored) -> None:
    mapping["mapping"]["decomposition"]["policy"] = "chain"


def more_rows_than_there_are(row: Stored, mapping: Stored) -> None:
    mapping["mapping"]["decomposition"]["rows"] = 3


def a_tile_more(row: Stored, mapping: Stored) -> None:
    mapping["mapping"]["orders"].append([])


def an_order_turned(row: Stored, mapping: Stored) -> None:
    longest = max(mapping["mapping"]["orders"], key=len)
    longest.append(longest.pop(0))


def a_mapping_in_another_order(row: Stored, mapping: Stored) -> None:
    mapping["mapping"] = dict(reversed(mapping["mapping"].items()))


def a_mapping_whose_units_stand_in_another_order(row: Stored, mapping: Stored) -> None:
    parts = mapping["mapping"]["decomposition"]
    mapping["mapping"]["decomposition"] = dict(reversed(parts.items()))


def a_mapping_before_its_instance(row: Stored, mapping: Stored) -> None:
    mapping["instance"] = mapping.pop("instance")


def metrics_in_another_order(row: Stored, mapping: Stored) -> None:
    row["metrics"] = dict(reversed(row["metrics"].items()))


def cut_for_other_rows(row: Stored, mapping: Stored) -> None:
    mapping["mapping"]["decomposition"]["rows"] += 1


ROWS: list[Change] = [
    metrics_in_another_order,
    cut_for_other_rows,
    put("cpu_s", None),
    put("elapsed_s", None),
    put("elapsed_s", 1e6),
    a_mapping_in_another_order,
    a_mapping_whose_units_stand_in_another_order,
    a_mapping_before_its_instance,
    put("stage_seconds.order", 0),
    put("stage_seconds.order", True),
    a_twin_raised,
    a_twin_lowered,
    a_twin_for_every_mapping,
    a_twin_of_another_clustering,
    a_twin_renamed,
    a_twin_on_another_metric,
    a_twin_of_another_grade,
    a_twin_twice,
    bounds_backwards,
    the_first_bound_last,
    a_bound_without_grade,
    stages_in_another_order,
    no_order,
    no_binding,
    a_cycle_without_its_end,
    a_cycle_that_begins_elsewhere,
    nothing_split,
    a_period_for_a_throughput,
    another_policy,
    more_rows_than_there_are,
    a_tile_more,
    an_order_turned,
    put("code_version", None),
    put("solver_versions", None),
    put("decomposition", None),
    put("wall_s", 1),
    put("cpu_s", 1),
    put("elapsed_s", 1000),
    put("peak_rss_mb", 300),
    put("cpu_s", -0.0),
    put("stage_seconds.order", -0.0),
    put("ended", "2026-11-26"),
    put("ended", "2026-11-26T12:00:00Z"),
    put("ended", "2026-11-26T12:00:00+02:00"),
    put("reason", f"{ENDED_EARLY}; {ENDED_EARLY}"),
    put("network.tokens", "pipelined"),
    put("network.spikes_origin", "given"),
    put("network.crossbars", "6x8"),
    put("place.has_prologue", True),
    put("place.clusters", 4.0),
    put("metrics.buffer_use_max", 0),
    put("metrics.multicast_link_variance", "0"),
    put("metrics.energy_pj", 0),
    put("critical_cycle", []),
    of_new_key("code_version", ""),
    of_new_key("solver_versions", ""),
    of_new_key("memory_mb", 1),
    of_new_key("limit_s", 60),
]


@pytest.mark.parametrize("change", ROWS, ids=lambda change: change.__name__)
def test_each_is_found(run: Path, change: Change) -> None:
    row = next(row for row in rows_of(run) if row["method"] == "song2020-tree")
    row["peak_rss_mb"] = 200.0
    before = row["key"]
    file = run / "mappings" / f"{before}.json"
    mapping = json.loads(file.read_text())
    change(row, mapping)
    for folder in ("mappings", "details"):
        (run / folder / f"{before}.json").rename(run / folder / f"{row['key']}.json")
    (run / "mappings" / f"{row['key']}.json").write_text(dumps(mapping) + "\n")
    assert row_problems(run, row)


def test_a_course_that_was_left_out_is_found(run: Path) -> None:
    """Every stage but a stranger's, and one search, notes how it came to what it claims."""
    row = next(row for row in rows_of(run) if row["method"] == "cpsat")
    claim_of(row, "period")["trace"] = []
    assert any("no course" in problem for problem in row_problems(run, row))
    method, snn = METHODS["cpsat"], Source.from_json(row["source"]).load().snn
    assert list(missing_claims(row, method, snn))
    assert list(missing_claims(row, replace(method, digest="of a file"), snn)) == []


def test_a_stage_that_claims_a_value_found_something(run: Path) -> None:
    row = next(row for row in rows_of(run) if row["method"] == "cpsat")
    row["reason"] = f"traffic: {NOTHING_KEEPS}"
    assert any(NOTHING_KEEPS in problem for problem in form_problems(row))


def test_orders_of_a_solver_keep_the_sends_that_it_chose(run: Path) -> None:
    """Without them they are those it started from, or no run's: the default may cost the same."""
    row = next(row for row in rows_of(run) if row["method"] == "cpsat")
    file = run / "mappings" / f"{row['key']}.json"
    _, instance, made = read_document(file)

    def found(orders: StaticOrders) -> list[str]:
        of = Case(instance.snn, instance.platform, instance.tokens, replace(made, orders=orders))
        return list(order_problems(row, METHODS["cpsat"], of))

    case = Case(instance.snn, instance.platform, instance.tokens, made)
    first = ORDERERS["projection"]()(case.graph, made.binding, instance.platform, seed=0)
    assert found(made.orders) == found(first) == []
    lists = [list(order) for order in first.clusters]
    longest = max(lists, key=len)
    longest.append(longest.pop(0))
    (said,) = found(StaticOrders(tuple(map(tuple, lists))))
    assert "lack the sends" in said


def test_a_row_whose_key_alone_was_made_anew_is_right(run: Path) -> None:
    """So that what is found above is the change, not the tools."""
    row = next(row for row in rows_of(run) if row["method"] == "song2020-tree")
    key = row["key"]
    of_new_key("memory_mb", None)(row, {})
    assert row["key"] == key
    assert row_problems(run, row) == []


def edit_details(name: str, change: Callable[[Any], Any]) -> Callable[[Stored], None]:
    def edit(details: Stored) -> None:
        details[name] = change(details[name])

    edit.__name__ = name
    return edit


def test_every_part_of_the_details_is_held(run: Path) -> None:
    row = next(row for row in rows_of(run) if row["method"] == "song2020-tree")
    file = run / "details" / f"{row['key']}.json"
    text = file.read_text()
    for name, value in json.loads(text).items():
        for other in (None, [value], {name: value}):
            file.write_text(dumps({**json.loads(text), name: other}) + "\n")
            assert row_problems(run, row) == ["details: not those of the mapping"], name
    file.write_text(text)
    assert row_problems(run, row) == []


def test_each_method_has_its_own_stages() -> None:
    def found(method: str, *stages: str) -> list[str]:
        row = {"status": "feasible", "stage_seconds": dict.fromkeys(stages, 0.1)}
        return list(stage_problems(row, METHODS[method]))

    assert found("song2020", "clustering", "binding", "order") == []
    assert found("lns", "clustering", "binding and order") == []
    assert found("whole", "clustering", "binding", "order", "whole") == []
    assert found("imported", "clustering", "order") == []
    assert found("lns", "clustering", "binding", "order")
    assert found("whole", "clustering", "binding", "order")
    assert found("imported", "clustering", "binding", "order")


def test_fields_that_are_missing_or_stand_otherwise_are_found(run: Path) -> None:
    row = rows_of(run)[0]
    assert list(rewritten(row)) == []
    assert list(rewritten(dict(reversed(row.items()))))
    short = {name: value for name, value in row.items() if name != "certificates"}
    assert list(rewritten(short)) == ["certificates: missing, although a run writes it"]
