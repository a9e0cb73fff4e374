"""``map --faults``: what is lost, told again by a second road, and what it does to spikes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import optmap as om
from optmap.errors import InputError
from optmap.fault_effects import fault_effects, fault_lines
from optmap.instance import Instance, load
from optmap.map import main
from optmap.model.mapping import Mapping
from optmap.simulation.fault_file import read_faults
from optmap.simulation.faults import FaultRates, Faults, TileFaults, placements


@pytest.fixture(scope="module")
def mapped() -> tuple[Mapping, Instance]:
    instance = load("instances/digits_mlp.toml")
    found = om.map_network(instance, method="song2020-tree").mapping
    assert found is not None
    return found, instance


def test_every_cluster_has_rows_and_columns_of_its_own(mapped: tuple[Mapping, Instance]) -> None:
    mapping, instance = mapped
    faults = Faults(FaultRates(0.05, 0.02), 5, {0: TileFaults(rows=(0, 1), columns=(2,))})
    network = mapping.decomposition.network
    for one in placements(mapping, instance.platform, faults):
        stuck = faults.stuck(instance.platform, one.tile)
        rows, columns = one.placement.row_of.tolist(), one.placement.column_of.tolist()
        assert len(set(rows)) == len(one.sources)
        assert len(set(columns)) == len(one.units)
        row = dict(zip(one.sources.tolist(), rows, strict=True))
        column = dict(zip(one.units.tolist(), columns, strict=True))
        lost = {
            (s, u)
            for u in one.units.tolist()
            for s in network.sources_of(u).tolist()
            if stuck[row[s], column[u]]
        }
        assert set(map(tuple, one.gone.tolist())) == lost
        assert len(one.gone) == one.placement.lost


def test_faults_are_told_with_their_effect_on_spikes(mapped: tuple[Mapping, Instance]) -> None:
    found = fault_effects(*mapped, read_faults("cells=0.02,rows=0.02,seed=7"))
    assert 0 < found.avoided.lost < found.in_order.lost
    assert found.change is not None
    assert found.change_in_order is not None
    assert 0 < found.change.spikes < found.change_in_order.spikes
    assert all(len(line) <= 100 for line in fault_lines(found))
    none = fault_effects(*mapped, read_faults("cells=0"))
    assert (none.stuck, none.in_order.lost, none.avoided.lost) == (0, 0, 0)
    assert none.change is not None
    assert none.change.spikes == 0
    every = fault_effects(*mapped, read_faults("cells=1"))
    assert len(every.avoided.pairs) == mapped[1].snn.num_synapses
    with pytest.raises(InputError, match="tile 9"):
        fault_effects(*mapped, Faults(known={9: TileFaults()}))


def test_map_prints_them_and_writes_the_places(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "m.json"
    asked = ["mlp_tiny", "--method", "song2020-tree", "--faults", "cells=0.3,seed=1"]
    assert main([*asked, "--out", str(out), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)["faults"]
    placed = json.loads((tmp_path / "m-f.json").read_text())
    lost = [pair for one in placed["clusters"] for pair in one["lost"]]
    assert len(lost) == record["lost"] <= record["lost_in_order"]
    assert np.unique(placed["clusters"][0]["rows"]).size == len(placed["clusters"][0]["sources"])
    assert main([*asked]) == 0
    assert "placed around them" in capsys.readouterr().out
    with pytest.raises(InputError, match="--faults"):
        main(["mlp_tiny", "--faults", "cells=7"])
