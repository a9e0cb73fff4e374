"""Aggregated formulations: equal to the plain ones and to enumeration, family by family."""

from __future__ import annotations

from types import ModuleType

import oracles
import pytest
from test_pricing import with_twins

from formulations.clustering import cpsat as partition_cpsat
from formulations.clustering import twins_cpsat as partition_twins_cpsat
from formulations.clustering import twins_milp as partition_twins_milp
from optmap.decomposing.contract import decompose
from optmap.generators.generate import generate
from optmap.model.grade import Grade
from optmap.model.outcome import Limits, Status

LIMITS = Limits(wall_s=60.0)
SEEDS = range(16)
BACK_ENDS = [partition_twins_cpsat, partition_twins_milp]
SHAPES = [[(4, 3)], [(3, 2), (4, 1)], [(4, 2), (3, 4)]]


def assert_agrees(back_end: ModuleType, seed: int) -> None:
    decomposition = decompose(with_twins(seed), 4, "tree")
    platform = oracles.mesh(SHAPES[seed % 3])
    more = {"workers": 1} if back_end is partition_twins_cpsat else {}
    outcome = back_end.minimize_clusters(decomposition, platform, LIMITS, **more)
    plain = partition_cpsat.minimize_clusters(decomposition, platform, LIMITS, workers=1)
    assert outcome.status is plain.status is Status.OPTIMAL
    assert outcome.claimed == outcome.bound == plain.claimed
    assert outcome.solution.num_clusters == outcome.claimed
    reads = [set(decomposition.network.sources_of(u).tolist()) for u in decomposition.network.units]
    for members in outcome.solution.members():
        assert oracles.fits_some(reads, members.tolist(), SHAPES[seed % 3])
    if decomposition.num_units <= 8:
        assert outcome.claimed == oracles.fewest_clusters(decomposition, platform)


def assert_all_agree(back_end: ModuleType) -> None:
    for seed in SEEDS:
        assert_agrees(back_end, seed)


@pytest.mark.parametrize("back_end", [partition_twins_cpsat, partition_twins_milp])
def test_no_model_is_built_where_the_start_is_proved(
    back_end: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(back_end, "_run", lambda *given: pytest.fail("run"))
    decomposition = decompose(generate("gen:mlp-24-12-6"), 24, "tree")
    found = back_end.minimize_clusters(decomposition, oracles.mesh([(24, 24)]), Limits(wall_s=60))
    assert (found.status, found.claimed, found.bound) == (Status.OPTIMAL, 2, 2)
    assert found.grade is Grade.CERTIFIED


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_agrees_with_the_plain_formulation(back_end: ModuleType, seed: int) -> None:
    assert_agrees(back_end, seed)


@pytest.mark.parametrize(
    "family",
    [
        "place_each_unit_once",
        "respect_columns",
        "count_classes",
        "link_axons",
        "respect_rows",
        "choose_one_kind",
    ],
)
@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_dropping_a_necessary_family_is_noticed(
    back_end: ModuleType, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(back_end.TwinModel, family, lambda self: None)
    with pytest.raises((AssertionError, ValueError)):
        assert_all_agree(back_end)


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_a_redundant_family_changes_no_answer(
    back_end: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(back_end.TwinModel, "break_cluster_symmetry", lambda self: None)
    for seed in list(SEEDS)[:6]:
        assert_agrees(back_end, seed)
