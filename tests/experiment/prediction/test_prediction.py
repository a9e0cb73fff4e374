"""Predictions order work and leave rows out; they learn from rows and never are a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from stored_rows import stored_row

from optmap.bounds.bound import Bound
from optmap.errors import InputError
from optmap.experiment.prediction import clustered
from optmap.experiment.prediction.descriptors import GUESSED, Descriptor, crossbar, floors_of
from optmap.experiment.prediction.hopes import Hopes, described
from optmap.experiment.prediction.predictor import LEAST_ROWS, Predictor
from optmap.experiment.prediction.process import GaussianProcess
from optmap.experiment.prediction.promise import by_promise
from optmap.experiment.row import Row
from optmap.experiment.run.in_process import runner
from optmap.experiment.run.plan import Planned
from optmap.experiment.run.progress import Quiet
from optmap.experiment.run.source import Source
from optmap.experiment.run.store import Store
from optmap.experiment.run.sweep import sweep
from optmap.experiment.tables.front import dominates
from optmap.explore import build_parser, candidates, explore
from optmap.methods import method_named
from optmap.model.grade import Grade
from optmap.model.outcome import Limits
from optmap.model.scope import END_TO_END, Scope

SURE = Grade.CERTIFIED


def row(method: str, size: int, tiles: int, factor: int) -> Row:
    """Return a row whose period is ``factor`` times its floor, which falls with the tiles."""
    floor = 1_000 * size // tiles
    made = stored_row(f"n{size}@tiles{tiles}", method, size, floor * factor)
    network = {"neurons": 10 * size, "synapses": 100 * size, "tiles": tiles, "crossbars": "64x64"}
    bounds = (
        Bound("period", "work", floor, END_TO_END, SURE),
        Bound("clusters", "c", 1, END_TO_END, SURE),
    )
    return replace(made, network=network, bounds=bounds)


FACTORS = {"song2020": 4, "overlap": 2}
ROWS = [
    row(method, size, tiles, factor)
    for method, factor in FACTORS.items()
    for size in (1, 2, 3, 5, 8)
    for tiles in (1, 2, 4)
]


def test_a_rule_that_rows_follow_is_learned():
    predictor = Predictor(ROWS)
    for method, factor in FACTORS.items():
        unseen = row(method, 4, 3, factor)
        guess = predictor.predict(Descriptor.of(unseen), "period")
        value = unseen.value("period")
        assert guess is not None
        assert value is not None
        assert guess.value == pytest.approx(float(value), rel=0.1)
        assert guess.low <= guess.value <= guess.high
        assert guess.low >= float(value) / factor  # never below the proved floor


def test_only_bounds_for_every_mapping_are_floors():
    other = Scope(clustering="x")
    bounds = (
        Bound("period", "a", 7, END_TO_END, SURE),
        Bound("period", "b", 9, other, SURE),
        Bound("latency", "c", 5, END_TO_END, SURE),
    )
    assert floors_of(bounds) == {"period": 7.0}
    assert crossbar({}) == (1.0, 1.0)


def test_too_few_rows_are_refused_and_hopes_wait_for_more():
    with pytest.raises(InputError, match="at least"):
        Predictor(ROWS[: LEAST_ROWS - 1])
    instance = Source(network="gen:mlp-9-4", platform="dynap_se").load()
    known, chip = described(instance, "song2020"), instance.platform
    hopes = Hopes(ROWS[:2])
    assert hopes.best_case(known, chip, 1, ("period",)) is None
    hopes.learn(ROWS[2:])
    best = hopes.best_case(known, chip, 1, ("period",))
    assert best is not None
    floor = known.floor("period")
    assert best[0] >= Fraction(floor) * chip.tick_ns * Fraction(999, 1000)


def test_the_area_hoped_for_is_that_of_the_tiles_that_rows_take():
    """Rows that fill every tile: what fits one tile, too, is hoped for on all of them."""
    filling = [
        replace(one, metrics={**one.metrics, "tiles_used": one.network["tiles"]}) for one in ROWS
    ]
    instance = Source(network="gen:mlp-60-40-10", platform="dynap_se:tiles=3").load()
    known, chip = described(instance, "song2020"), instance.platform
    assert (known.base("tiles_used"), known.proved("tiles_used")) == (3.0, 1.0)
    taught, untaught = (Hopes(r).best_case(known, chip, 1, ("area",)) for r in (filling, ROWS))
    assert taught == (3 * chip.area.tile_um2,)
    assert untaught == (chip.area.tile_um2,)


def test_the_most_gain_in_a_second_comes_first():
    """Periods are 4 and 2 floors; what is slower by more than it gains by more comes later."""
    source = Source(network="gen:mlp-60-40-10", platform="dynap_se:size=8,tiles=16")
    plan = Planned(source.load(), source)
    jobs = [plan.job(name, Limits(1000.0)) for name in ("pacman", "song2020", "overlap")]

    def ordered(seconds: dict[str, float], known: Sequence[Row] = ()) -> list[str]:
        rows = [replace(one, wall_s=seconds[one.method]) for one in ROWS]
        return [job.method for job in by_promise(jobs, [plan], [*rows, *known], 0)]

    assert ordered({"song2020": 1.0, "overlap": 1.0}) == ["overlap", "song2020", "pacman"]
    assert ordered({"song2020": 1.0, "overlap": 90.0}) == ["song2020", "overlap", "pacman"]
    reached = replace(ROWS[0], digest=plan.digest, method="spinemap", metrics={"period": 1})
    assert ordered({"song2020": 1.0, "overlap": 90.0}, [reached]) == [
        "overlap",
        "song2020",
        "pacman",
    ]


GRID = ["--grid", "size=16..32x2,tiles=1..2", "--platform", "dynap_se"]
METHODS = ("song2020", "overlap", "overlap-spikes", "spinemap")


def test_explore_leaves_out_what_nobody_hopes_for_and_says_so(tmp_path):
    """Audited by the full run: nothing that was kept is worse, what is missing is counted."""
    args = build_parser().parse_args(["filter_8", *GRID])
    names = ("period", "clusters")
    (group,) = candidates(args, names)[0].values()
    with Store.opened(tmp_path / "whole") as store:
        whole = explore(group, METHODS, Limits(600.0), store, runner, everything=True)
        rows = store.typed()
    with Store.opened(tmp_path / "quick") as store:
        hopes = Hopes(rows)
        hopeful = [replace(candidate, hopes=hopes) for candidate in group]
        quick = explore(hopeful, METHODS, Limits(600.0), store, runner)
        made = len(store.rows)
    assert quick.hopeless > 0
    assert made + quick.hopeless + quick.saved == len(group) * len(METHODS)
    best = [o.point.values for o in whole.front]
    for on in quick.front:
        assert not any(dominates(on.point.values, value) for value in best)
    assert {o.point.values for o in quick.front} == set(best)


NAMES = ("song2020", "pacman", "overlap-spikes", "dfsynthesizer")


def test_clusters_are_described_before_they_are_bound_as_rows_have_them(tmp_path):
    source = Source(network="gen:mlp-60-40-10", platform="dynap_se:size=32")
    plan = Planned(source.load(), source)
    limits = Limits(600.0)
    with Store.opened(tmp_path / "run") as store:
        sweep([plan.job(name, limits) for name in NAMES], store, Quiet(), parallel=1, runner=runner)
        rows = store.typed()
    of_rows, made_once = clustered.of_rows(rows), clustered.Clusterings()
    for one in rows:
        method = method_named(one.method)
        made = made_once.of(plan.instance, one.method, limits)
        assert made == of_rows[(one.instance, *clustered.flow_of(method))]
        known = Descriptor.of(one, made)
        for metric in GUESSED:
            value = one.value(metric)
            assert value is not None
            assert 0 < known.proved(metric) <= float(value) <= known.most(metric)
    assert clustered.flow_of(method_named("whole")) == ("spikes", "overlap")
    assert not clustered.keeps_clusters("whole")
    assert clustered.flow_of(method_named("lns")) == ("tree", "overlap")
    assert made_once.of(plan.instance, "imported", limits) is None


def test_platforms_of_the_same_crossbars_share_clusters_and_nothing_else():
    """Whatever tiles, slots and hops are, what is kept says the same as clusters made anew."""
    limits, kept = Limits(600.0), clustered.Clusterings()
    seen = []
    for changes in ("tiles=1", "tiles=9", "tiles=4,slots=2", "tiles=4,hop_ticks=7", "rows=16"):
        source = Source(network="gen:mlp-60-40-10", platform=f"dynap_se:size=32,{changes}")
        if changes == "rows=16":
            source = replace(source, platform="dynap_se:size=32,rows=16")
        instance = source.load()
        for name in ("song2020", "overlap-spikes"):
            found = kept.of(instance, name, limits)
            assert found is not None
            assert found == clustered.Clusterings().of(instance, name, limits)
            seen.append(found)
    assert len(set(seen)) > 4
    assert len(kept) == 4  # two flows on two kinds of crossbars


def test_the_process_goes_through_its_rows_and_knows_its_errors():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(40, 3))
    values = inputs @ np.array([1.0, -2.0, 0.5]) + 3.0
    whole = GaussianProcess(inputs, values)
    assert whole.predict(inputs[7]) == pytest.approx(values[7], abs=0.3)
    errors = []
    for i in range(40):
        kept = np.delete(np.arange(40), i)
        errors.append(GaussianProcess(inputs[kept], values[kept]).predict(inputs[i]) - values[i])
    # scaled by other means and spreads each time, hence not equal to the last digit
    assert whole.left_out == pytest.approx(float(np.mean(np.square(errors))), rel=0.3)
