"""Forgeries by somebody who has read the checker: other spellings, second readings, excuses.

Each differs in kind from those of the other files. What cannot be known is said in a line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from forged_run import (
    Stored,
    claim_of,
    forged,
    row_problems,
    rows_of,
    verdict_of,
    write_rows,
)

from formulations.binding.stages import why_not_built
from optmap.clock import is_counted
from optmap.errors import CapacityError
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.job import Job
from optmap.experiment.run.mapping_file import read_document
from optmap.experiment.run.source import Source
from optmap.experiment.verification import rerun
from optmap.experiment.verification.form import NOTES, form_problems
from optmap.experiment.verification.rerun import had_its_time, rerun_problems
from optmap.instance import Instance
from optmap.methods import METHODS
from optmap.model.claim import Claim, Run
from optmap.model.outcome import Limits, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.stages.course import ENDED_EARLY

ARABIC = str.maketrans("0123456789", "".join(map(chr, range(0x660, 0x66A))))


# one row: the same number, name or place written otherwise


def look_alike_method(row: Stored, mapping: Stored) -> None:
    row["method"] = mapping["method"] = "\u0441psat"  # its first letter is Cyrillic


def look_alike_instance(row: Stored, mapping: Stored) -> None:
    row["instance"] = mapping["instance"] = "\u0456"


def given_method_with_claims(row: Stored, mapping: Stored) -> None:
    row["method"] = mapping["method"] = "mapping:cpsat"


def arabic_digits(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "period")
    claim["value"] = claim["evaluated"] = str(claim["value"]).translate(ARABIC)


def blank_before_a_fraction(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "period")
    claim["bound"] = f" {claim['bound']}"


def underscores(row: Stored, mapping: Stored) -> None:
    row["bounds"][0]["value"] = "1_0"


def not_in_lowest_terms(row: Stored, mapping: Stored) -> None:
    claim = claim_of(row, "period")
    claim["bound"] = f"{2 * int(claim['bound'])}/2"


def fewest_clusters_of_no_number(row: Stored, mapping: Stored) -> None:
    row["place"]["clusters"] = True


def label_that_is_true(row: Stored, mapping: Stored) -> None:
    labels = mapping["mapping"]["cluster_of"]
    labels[labels.index(1)] = True


def tile_that_is_a_float(row: Stored, mapping: Stored) -> None:
    tiles = mapping["mapping"]["tile_of"]
    tiles[0] = float(tiles[0])


def schema_that_is_true(row: Stored, mapping: Stored) -> None:
    mapping["schema"] = True


def label_of_nobody(row: Stored, mapping: Stored) -> None:
    mapping["mapping"]["tile_of"].append(0)


def tile_from_the_end(row: Stored, mapping: Stored) -> None:
    mapping["mapping"]["tile_of"][0] = -1


def huge_tile(row: Stored, mapping: Stored) -> None:
    mapping["mapping"]["tile_of"][0] = 2**32


def source_in_other_words(row: Stored, mapping: Stored) -> None:
    row["source"] = mapping["source"] = {**row["source"], "tokens": "dataflow"}


def another_road_to_the_instance(row: Stored, mapping: Stored) -> None:
    row["source"] = {**row["source"], "allow_outside": True}


def certificate_without_need(row: Stored, mapping: Stored) -> None:
    row["certificates"] = [{"schema": 1, "kind": "prices", "bound": 10**400}]


def certificate_of_a_shape_unknown(row: Stored, mapping: Stored) -> None:
    row["certificates"] = [[["prices"]]]


def praise_as_a_note(row: Stored, mapping: Stored) -> None:
    row["reason"] = "clusters: no model of theirs comes near"


def praise_after_a_note(row: Stored, mapping: Stored) -> None:
    row["reason"] = "period: no order model: 9,000 tasks, at most 6,000 are tried by losers"


def scope_with_a_load_of_nobody(row: Stored, mapping: Stored) -> None:
    claim_of(row, "period")["scope"]["max_load"] = 1


def a_cap_on_clusters_that_are_fewer(row: Stored, mapping: Stored) -> None:
    claim_of(row, "traffic")["scope"]["max_clusters"] -= 1


def a_bound_for_another_bound(row: Stored, mapping: Stored) -> None:
    row["bounds"][-1] = row["bounds"][0]


def a_bound_renamed(row: Stored, mapping: Stored) -> None:
    row["bounds"][0]["name"] = "ours"


def key_that_climbs(row: Stored, mapping: Stored) -> None:
    row["key"] = "../mappings/" + row["key"]


def attached_to_itself(row: Stored, mapping: Stored) -> None:
    row["attached"] = {**row["attached"], "..": "0" * 24}


ROWS = [
    look_alike_method,
    look_alike_instance,
    given_method_with_claims,
    arabic_digits,
    blank_before_a_fraction,
    underscores,
    not_in_lowest_terms,
    fewest_clusters_of_no_number,
    label_that_is_true,
    tile_that_is_a_float,
    schema_that_is_true,
    label_of_nobody,
    tile_from_the_end,
    huge_tile,
    source_in_other_words,
    another_road_to_the_instance,
    certificate_without_need,
    certificate_of_a_shape_unknown,
    praise_as_a_note,
    praise_after_a_note,
    scope_with_a_load_of_nobody,
    a_cap_on_clusters_that_are_fewer,
    a_bound_for_another_bound,
    a_bound_renamed,
    key_that_climbs,
    attached_to_itself,
]


@pytest.mark.parametrize("change", ROWS)
def test_each_is_found(run: Path, change: Callable[[Stored, Stored], None]) -> None:
    assert row_problems(run, forged(run, change))


def test_a_file_that_says_two_things_is_found(run: Path) -> None:
    """Readers that take the first of two names see another mapping than the judge."""
    row = rows_of(run)[1]
    file = run / "mappings" / f"{row['key']}.json"
    text = file.read_text()
    file.write_text(text.replace('"tile_of":', '"tile_of":[0],"tile_of":', 1))
    assert any("written otherwise" in p for p in row_problems(run, row))
    file.write_text(text)
    drawn = run / "details" / f"{row['key']}.json"
    drawn.write_text(drawn.read_text().replace('"period":', '"period":1,"period":', 1))
    assert row_problems(run, row) == ["details: not those of the mapping"]


def test_notes_that_stages_leave_are_known() -> None:
    for note in (
        "no model of the clustering: 40,568,504 terms, too many for the limit",
        "no model of the binding: 12,345,678 terms, at most 4,000,000 are tried",
        "no model of multicast hops: 12,000,000 lines to cross",
        "no model of the classes: too many terms for the limit",
        "no order model: 9,000 tasks, at most 6,000 are tried",
        "no order model: 900 tasks take some 12.0 s to build, 3.1 s are left",
        "no joint model: 9,000 terms of 20 clusters take some 1,012.0 s to build, 0.0 s are left",
        "no order model: the limit passed after 12 of 40 steps of longest paths",
        "no order model: the limit passed after 12 pairs of tasks",
        why_not_built(50_000, "hops", 0.1),
        "more than 1000000 sets fit a crossbar, or finding them takes too long",
        "the limit came after 31250 of the sets that fit a crossbar",
        "nothing found keeps to every limit",
        "a heuristic was ended by the limit",
    ):
        assert NOTES.fullmatch(note), note


@pytest.mark.parametrize(
    "note",
    [
        "no model of the clustering: 9,999 terms, at most 2,000,000 are tried",
        "no order model: 60 tasks, at most 6,000 are tried",
        "no joint model: 90 terms of 20 clusters, at most 2,000,000 are tried",
        "no order model: 900 tasks take some 1.0 s to build, 3.1 s are left",
        "no prices of the clustering: 12 terms take some 900.0 s to build, 800.0 s are left",
    ],
)
def test_an_excuse_is_borne_out_by_its_numbers(run: Path, note: str) -> None:
    row = forged(run, lambda row, mapping: row.update(reason=note))
    assert any("not borne out" in p for p in row_problems(run, row))


def test_an_excuse_that_nobody_can_check_is_said(run: Path) -> None:
    """A row that says it had no core is not held to what its method proves in a short run."""

    def modest(row: Stored, mapping: Stored) -> None:
        row["cpu_s"] = 0.0
        claim_of(row, "period")["grade"] = "claimed"

    row = forged(run, modest)
    write_rows(run, [*(r for r in rows_of(run) if r["method"] != "cpsat"), row])
    (note,) = (n for n in verdict_of(run).notes if "less than half a core" in n)
    assert "i / cpsat (seed 0)" in note


def test_a_heuristic_that_the_limit_ended_took_its_limit(run: Path) -> None:
    row = next(row for row in rows_of(run) if row["method"] == "song2020-tree")
    row["reason"] = ENDED_EARLY
    assert any(ENDED_EARLY in problem for problem in form_problems(row))
    for share in (0.97, 1.03):  # the next round would have taken longer than was left
        row["wall_s"] = row["elapsed_s"] = share * float(row["limit_s"])
        assert list(form_problems(row)) == []
        assert not had_its_time(row)


def test_a_grade_that_is_too_low_is_said(run: Path) -> None:
    claims = [c for r in rows_of(run) for c in r["claims"] if c["grade"] == "two solvers"]
    assert claims, "something to lower"

    def lower(row: Stored, mapping: Stored) -> None:
        for claim in row["claims"]:
            if claim["grade"] == "two solvers":
                claim["grade"] = "claimed"

    row = forged(run, lower)
    write_rows(run, [*(r for r in rows_of(run) if r["method"] != "cpsat"), row])
    verdict = verdict_of(run, again=False)
    assert verdict.problems == []
    (note,) = (n for n in verdict.notes if "lower than what proves it now deserves" in n)
    assert "i / cpsat (seed 0)" in note


def test_a_worse_order_called_the_shortest_is_refuted(run: Path) -> None:
    """A mapping and all that follows from it are true; only the bound is not."""
    row = next(row for row in rows_of(run) if row["method"] == "cpsat")
    value = claim_of(row, "period")["value"]
    claim_of(row, "period").update(bound=str(int(value) + 1), status="feasible", trace=[])
    assert any("above" in problem for problem in row_problems(run, row))


def test_mappings_that_changed_places_are_found(run: Path) -> None:
    """Each mapping is right, digests and names were repaired; the heuristic does not give it."""
    rows = rows_of(run)
    files = [run / "mappings" / f"{row['key']}.json" for row in rows]
    made = [json.loads(file.read_text())["mapping"] for file in files]
    for row, file, mapping in zip(rows, files, reversed(made), strict=True):
        file.write_text(dumps({**json.loads(file.read_text()), "mapping": mapping}) + "\n")
        assert made[0] == made[1] or row_problems(run, row, again=True)


def test_a_row_under_another_seed_is_run_with_that_seed(run: Path) -> None:
    """Key, plan and tables fit the seed; a method that draws gives something else."""
    row = next(row for row in rows_of(run) if row["method"] == "song2020-tree")
    random = {**row, "method": "random", "seed": 5}
    instance = Source.from_json(row["source"]).load()
    stored = read_document(run / "mappings" / f"{row['key']}.json")[2]
    found = list(rerun_problems(random, METHODS["random"], instance, stored))
    assert any("random" in problem for problem in found)


def test_a_refusal_is_worded_as_the_method_words_it(monkeypatch: pytest.MonkeyPatch) -> None:
    method, row = METHODS["song2020"], {"seed": 0, "limit_s": 1.0, "work": None, "claims": []}
    row |= {"check": "not_run", "status": "no_solution"}
    small = Platform("p", (Tile(Crossbar(6, 4), slots=1),), Interconnect("mesh", 1, 1))
    instance = Instance("i", "gen:mlp-9-4-2", small)

    def said(**more: object) -> list[str]:
        return list(rerun_problems({**row, **more}, method, instance, None))

    (told,) = said(reason="it never works")
    assert said(reason=told.partition(" says ")[2]) == []

    def refuse(*problem: object) -> Run:
        raise CapacityError("no room")

    monkeypatch.setattr(rerun, "run", refuse)
    assert said(status="unsupported", reason="no room") == []
    assert said(status="unsupported", reason="it never works")
    assert said(reason="no room") == ["status no_solution, yet song2020 refuses: no room"]


def test_another_limit_needs_times_that_fit(run: Path) -> None:
    """The key was made anew for a shorter limit; the seconds were not."""
    row = rows_of(run)[1]
    row["limit_s"], row["wall_s"], row["elapsed_s"] = 1.0, 200.0, 201.0
    limits = Limits(1.0, row["threads"], row["seed"], row["memory_mb"])
    job = Job(row["instance"], row["digest"], Source(), row["method"], limits)
    row["key"] = job.key(code=row["code_version"], solvers=row["solver_versions"])
    assert any("a child is ended" in problem for problem in form_problems(row))


def test_a_row_without_a_core_is_held_to_a_tenth_of_what_it_had(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine others' optimum may be out of reach: an honest row is no forgery."""
    row = next(row for row in rows_of(run) if row["method"] == "cpsat")
    instance = Source.from_json(row["source"]).load()
    stored = read_document(run / "mappings" / f"{row['key']}.json")[2]
    claims = tuple(map(Claim.from_json, row["claims"]))
    asked: list[tuple[float, bool]] = []

    def ran(*problem: object) -> Run:
        asked.append((problem[4].wall_s, is_counted()))
        return Run(Status.FEASIBLE, stored, claims)

    monkeypatch.setattr(rerun, "run", ran)

    def said(**more: object) -> list[str]:
        return list(rerun_problems({**row, **more}, METHODS["cpsat"], instance, stored))

    worse = [dict(claim) for claim in row["claims"]]
    optimal = next(c for c in worse if c["status"] == "optimal" and Fraction(c["value"]) > 5)
    optimal |= {"value": str(Fraction(optimal["value"]) + 1), "status": "feasible"}
    busy = {"cpu_s": row["wall_s"] / 4}
    assert said() == said(**busy) == said(**busy, claims=worse) == []
    assert said(claims=worse) != []
    full, little = 0.1 * row["limit_s"], max(0.1 * busy["cpu_s"], 0.01)
    assert asked == [(full, True), (little, True)], "each is run once"
