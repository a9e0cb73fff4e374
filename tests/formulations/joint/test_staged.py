"""Bindings along the data: the model against enumeration; periods that only they lead to."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from scheduling_instances import random_instance, random_recurrent

from formulations.binding.sets import fits_platform
from formulations.joint.search import JointSearch
from formulations.joint.sets import JointSets
from formulations.joint.staged import StagedModel, circles
from formulations.ordering.period_search import Probe
from formulations.solvers.run_cpsat import run_cpsat
from formulations.solvers.stopwatch import Stopwatch
from optmap.bounds.period import period_bound
from optmap.model.mapping import Binding
from optmap.model.outcome import SOLVED, Limits, Status

LIMITS = Limits(600.0)  # no test waits for it
pytestmark = pytest.mark.wall_clock


def leads_on(sets: JointSets, tiles: tuple[int, ...], *, together: bool) -> bool:
    """Tell whether channels lead to later tiles of a row, whose places are the tiles' numbers."""
    label = circles(sets)
    for e in sets.channels:
        back = 0 if together and label[e.source] == label[e.target] else e.initial
        if tiles[e.source] > tiles[e.target] + back:
            return False
    return True


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_finds_a_binding_where_one_leads_along_the_row(seed: int, together: bool):
    case = random_instance(seed, most_clusters=5)
    sets = JointSets(case.graph, case.platform)
    period = sets.floor.__ceil__() + seed % 3
    model = StagedModel(sets, Fraction(period), together=together)
    if model.impossible:
        return
    run = run_cpsat(model.build().cp, Stopwatch(LIMITS), workers=1)
    exists = any(
        leads_on(sets, tiles, together=together)
        and fits_platform(sets.graph, sets.platform, Binding(list(tiles)))
        and busiest(sets, tiles) <= period
        for tiles in product(sets.tiles, repeat=len(sets.clusters))
    )
    assert (run.status in SOLVED) is exists
    if exists:
        found = tuple(model.binding(run.solver).tile_of.tolist())
        assert leads_on(sets, found, together=together)


def busiest(sets: JointSets, tiles: tuple[int, ...]) -> int:
    """Return the ticks of the tile or interface with most work."""
    most = 0
    for t in sets.tiles:
        here = [a for a in sets.clusters if tiles[a] == t]
        work = sum(sets.tau[a] for a in here) + (sets.switch * len(here) if len(here) > 1 else 0)
        sends = [e for e in sets.channels if tiles[e.source] == t != tiles[e.target]]
        most = max(most, work, sum(e.send for e in sends))
    return most


@pytest.mark.parametrize(("clusters", "tiles", "seed"), [(30, 8, 0), (40, 4, 1)])
def test_leads_to_the_bound(monkeypatch, clusters: int, tiles: int, seed: int):
    """With no other way."""
    sets = JointSets(*random_recurrent(clusters, tiles, seed))
    search = JointSearch(sets, Stopwatch(LIMITS))
    monkeypatch.setattr(JointSearch, "_binding", lambda *_: None)
    monkeypatch.setattr(JointSearch, "_probe", lambda *_: Probe(Status.UNKNOWN, ended=True))
    outcome = search.least_period(None)
    assert outcome.status is Status.OPTIMAL
    assert outcome.claimed == period_bound(sets.graph, sets.platform).value
