"""The families of the whole model: each is needed, or is known to save time only."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache

import pytest
from ortools.sat.python import cp_model
from whole_oracle import least_period, random_whole_case

from formulations.whole import cpsat
from formulations.whole.cpsat_model import WholeModel
from formulations.whole.sets import WholeSets
from optmap.judge.case import judge
from optmap.model.outcome import Limits, Status
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, from_edges

LIMITS = Limits(600.0)  # no test waits for it
Whole = tuple[SNN, Platform, str]
#: The seed of a random case, or what makes one.
Case = int | Callable[[], Whole]


def row(tiles: list[Tile], base: int = 1, event: int = 1, tokens: int = 1) -> Platform:
    """Return tiles in a row."""
    return Platform(
        "row",
        tuple(tiles),
        Interconnect("mesh", len(tiles), 1),
        base_ticks=base,
        event_ticks=event,
        ni_tokens_per_tick=Fraction(tokens),
    )


def few_slots() -> Whole:
    """Four equal units, a crossbar each; two of them cannot stand on the tile of one slot."""
    tiles = [Tile(Crossbar(2, 1), slots=3), Tile(Crossbar(2, 1), slots=1)]
    return from_edges([0, 1, 2, 3], [4, 5, 6, 7], 8, spikes=[2] * 8), row(tiles), "pipelined"


def short_output() -> Whole:
    """Two units whose channel no output buffer holds: both on one tile."""
    tile = Tile(Crossbar(3, 1), output_buffer=5)
    snn = from_edges([0, 0, 1], [1, 2, 2], 3, spikes=[3, 3, 3])
    return snn, row([tile, tile], base=5, tokens=3), "pipelined"


def two_circles() -> Whole:
    """Two recurrences through one unit, whose interface sends to one, then to the other."""
    snn = from_edges([0, 1, 0, 2], [1, 0, 2, 0], 3, spikes=[4, 4, 4])
    return snn, row([Tile(Crossbar(3, 1))] * 3, base=8, event=0), "dataflow"


def six_sources() -> Whole:
    """One neuron of six sources on crossbars of three rows: two inserted units."""
    snn = from_edges(range(6), [6] * 6, 7, spikes=[1, 2, 3, 4, 5, 6, 1])
    return snn, row([Tile(Crossbar(3, 1))] * 2), "pipelined"


#: Family -> the case that tells that it is missing: a seed, or made for it.
NECESSARY: dict[str, Case] = {
    "close_each_round": 93,
    "count_sums": 9,
    "fill_rows": 8,
    "fire_one_at_a_time": 60,
    "link_tiles": 8,
    "measure_hops": 8,
    "measure_sends": 8,
    "place_each_synapse_once": 48,
    "place_each_unit_once": 8,
    "put_tokens": 93,
    "read_each_source_once": 65,
    "respect_buffers": short_output,
    "respect_columns": 8,
    "respect_crossbars": 10,
    "respect_rows": 57,
    "respect_slots": few_slots,
    "send_one_at_a_time": two_circles,
    "start_after_channels": 8,
    "switch_on_shared_tiles": 8,
    "take_time": 8,
}
#: Families whose absence the solver need not use; asked for directly below.
IN_OBJECTIVE = ("read_each_sum_once", "sum_two_at_least")
REDUNDANT = (
    "break_tile_symmetry",
    "keep_apart",
    "number_clusters",
    "place_each_cluster_once",
    "respect_interface_loads",
    "respect_loads",
    "use_places_in_turn",
)
#: Its variables are made where it is posted: it cannot be left out.
MAKES_VARIABLES = ("open_channels",)


@cache
def case_of(name: Case) -> tuple[Whole, Fraction | None]:
    """Return a case with its enumerated least period."""
    case = random_whole_case(name) if isinstance(name, int) else name()
    return case, least_period(*case, split="any")


def assert_right(name: Case) -> None:
    """Compare the (possibly crippled) model with enumeration and the judge."""
    (snn, platform, tokens), expected = case_of(name)
    found = cpsat.solve(snn, platform, tokens, LIMITS, workers=1)
    assert (found.status, found.claimed, found.bound) == (Status.OPTIMAL, expected, expected)
    assert found.solution is not None
    case = judge(snn, platform, found.solution, tokens)
    assert case.violations == ()
    assert case.evaluation is not None
    assert case.evaluation.period == expected


def test_every_family_is_on_one_list():
    families = {
        name
        for name in dir(WholeModel)
        if (getattr(WholeModel, name).__doc__ or "").startswith("(") and name != "minimize_period"
    }
    assert families == {*NECESSARY, *IN_OBJECTIVE, *REDUNDANT, *MAKES_VARIABLES}
    said = {name for name in families if "Redundant" in (getattr(WholeModel, name).__doc__ or "")}
    assert said == set(REDUNDANT)


@pytest.mark.parametrize("family", NECESSARY)
def test_dropping_a_necessary_family_is_noticed(family: str, monkeypatch):
    assert_right(NECESSARY[family])
    monkeypatch.setattr(WholeModel, family, lambda self: None)
    with pytest.raises((AssertionError, ValueError)):
        assert_right(NECESSARY[family])


@pytest.mark.parametrize("family", REDUNDANT)
@pytest.mark.parametrize("name", [8, 48, 57, 93, few_slots, two_circles])
def test_dropping_a_redundant_family_changes_no_optimum(family: str, name: Case, monkeypatch):
    monkeypatch.setattr(WholeModel, family, lambda self: None)
    assert_right(name)


@pytest.mark.parametrize("family", IN_OBJECTIVE)
def test_a_unit_that_sums_nothing_is_kept_out(family: str, monkeypatch):
    """The fewest reads of sums, or by an inserted unit, are fewer without the family."""
    least = fewest_reads(family)
    assert least > 0
    monkeypatch.setattr(WholeModel, family, lambda self: None)
    assert fewest_reads(family) < least


def fewest_reads(family: str) -> int:
    """Minimise what the family bounds from below, at a period that is long enough."""
    snn, platform, tokens = six_sources()
    model = WholeModel(WholeSets(snn, platform, tokens), Fraction(60)).build()
    if family == "read_each_sum_once":
        reads = list(model.b.values())
    else:
        last = model.inserted[-1]
        model.cp.add(model.act[last] == 1)
        reads = [r for (_, u), r in model.r.items() if u == last]
        reads += [b for (_, v), b in model.b.items() if v == last]
    model.cp.minimize(sum(reads))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model.cp) == cp_model.OPTIMAL
    return round(solver.objective_value)
