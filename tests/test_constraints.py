"""Demands of users end to end: kept by every method or refused by name, told by the judge."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import optmap as om
from optmap.command_line import guarded
from optmap.errors import CapacityError, InputError
from optmap.explain import main as explain
from optmap.flow import run
from optmap.instance import load
from optmap.judge.demands import demand_violations
from optmap.map import main as map_main
from optmap.mapping_json import to_dict
from optmap.methods import METHODS
from optmap.model.constraints import KINDS, Constraints, Pin, neuron_rules
from optmap.model.mapping import Binding, Mapping, StaticOrders, compact
from optmap.model.outcome import Limits
from optmap.model.snn import Population, from_edges
from optmap.readers.constraints import as_constraints, constraints_text, load_constraints
from optmap.stages.constrain import respects

CHIP = om.Platform(
    "four", (om.Tile(om.Crossbar(16, 8)),) * 4, om.Interconnect("mesh", 2, 2), event_ticks=1
)
DEMANDS = {
    "pin": Constraints(pin=(Pin("layer2", 3), Pin("8..9", 1))),
    "together": Constraints(together=(("8", "17"),)),
    "apart": Constraints(apart=(("layer1", "layer2"),)),
    "max_neurons": Constraints(max_neurons=3),
    "min_neurons": Constraints(min_neurons=4),
    "max_difference": Constraints(max_difference=0),
    "max_imbalance": Constraints(max_imbalance=Fraction(1, 10)),
}
#: Methods with a search over everything, or a solver without the demands: only refused by default.
SLOW = [n for n, m in METHODS.items() if m.whole or (m.uses_solver and n not in ("milp", "cpsat"))]
QUICK = [n for n in METHODS if n not in SLOW and n != "hypergraph"]
TEXT = """\
pin = [{ neurons = "layer2", tile = 3 }]
together = [["8", "9"]]
apart = [["layer1", "layer2"]]
max_neurons = 4
min_neurons = 2
max_difference = 1
max_imbalance = 0.25
"""


@pytest.fixture(scope="module")
def snn():
    """Return three dense layers of 8, 8 and 4 neurons, the first one inputs."""
    pairs = [(i, j) for i in range(8) for j in range(8, 16)]
    pairs += [(i, j) for i in range(8, 16) for j in range(16, 20)]
    pre, post = zip(*pairs, strict=True)
    populations = [Population(f"layer{k}", a, b) for k, (a, b) in
                   enumerate(((0, 7), (8, 15), (16, 19)))]  # fmt: skip
    return from_edges(pre, post, 20, spikes=np.arange(20), populations=populations)


def test_every_kind_has_a_case():
    assert set(DEMANDS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(n, marks=pytest.mark.full) for n in SLOW)])
def test_every_method_keeps_a_demand_or_is_refused_by_name(snn, name, kind):
    constraints, method = DEMANDS[kind], METHODS[name]
    if not respects(method, constraints):
        with pytest.raises(CapacityError, match=f"method {name} .*does not respect.*{kind}"):
            run(method, snn, CHIP, "dataflow", Limits(5.0), lambda _: None, None, constraints)
        return
    if name == "imported":
        pytest.skip("it has a placement of its own")
    found = run(method, snn, CHIP, "dataflow", Limits(5.0), lambda _: None, None, constraints)
    assert found.mapping is not None, found.reason
    assert demand_violations(snn, constraints, found.mapping) == []
    assert all(claim.holds for claim in found.claims)


@pytest.mark.parametrize("name", SLOW)
def test_what_has_no_such_families_is_refused_by_name(snn, name):
    limits = Limits(5.0)
    for kind in (k for k in KINDS if k != "max_neurons"):
        if not respects(METHODS[name], DEMANDS[kind]):
            with pytest.raises(CapacityError, match=f"method {name} .*does not respect.*{kind}"):
                run(
                    METHODS[name],
                    snn,
                    CHIP,
                    "dataflow",
                    limits,
                    lambda _: None,
                    None,
                    DEMANDS[kind],
                )


def test_those_that_keep_every_demand_are_the_most():
    every = Constraints((Pin("a", 0),), (("a", "b"),), (("a", "b"),), 4, 2)
    kept = {name for name, method in METHODS.items() if respects(method, every)}
    assert {"song2020", "spinemap", "overlap", "milp", "cpsat", "pacman", "random"} <= kept
    assert not kept & {"whole", "lns", "colgen", "benders", "cpsat-joint", "leaves", "imported"}
    assert all(respects(m, Constraints(max_neurons=3)) for m in METHODS.values())


def test_the_judge_names_what_is_broken(snn):
    decomposition = om.decompose(snn, 16, "none")
    clustering = compact([0] * 6 + [1] * 6)  # cluster 1: two of layer1, all of layer2
    mapping = Mapping(
        decomposition, clustering, Binding(np.array([0, 2])), StaticOrders(((0,), (), (1,), ()))
    )
    constraints = Constraints(
        (Pin("layer1", 0),), (("8", "15"),), (("layer1", "layer2"),), max_neurons=5
    )
    broken = demand_violations(snn, constraints, mapping)
    broken += demand_violations(snn, Constraints(min_neurons=7), mapping)
    uneven = replace(mapping, clustering=compact([0] * 9 + [1] * 3))
    assert demand_violations(snn, Constraints(max_difference=6), uneven) == []
    assert demand_violations(snn, Constraints(max_imbalance=Fraction(1, 2)), uneven) == []
    broken += demand_violations(snn, Constraints(max_difference=5), uneven)
    broken += demand_violations(snn, Constraints(max_imbalance=Fraction(49, 100)), uneven)
    found = " / ".join(map(str, broken))
    for text in (
        "constraint: layer1 pinned on tile 0 has units on tile 2",
        "8, 15 to be together are on tiles 0, 2",
        "layer1 and layer2 to be apart share tile 2",
        "cluster 0 holds 6 units, at most 5 are allowed",
        "cluster 1 holds 6 units, at least 7 are demanded",
        "clusters hold 3 to 9 units, at most 5 apart are allowed",
        "a cluster holds 9 units, at most 1.49 times the mean 6 are allowed",
    ):
        assert text in found
    judged = om.evaluate(mapping, snn, CHIP, constraints=constraints)
    assert judged.check == "violation"
    assert om.evaluate(mapping, snn, CHIP, constraints={"max_neurons": 6}).check == "ok"


@pytest.mark.parametrize(
    ("demands", "found"),
    [
        ({"pin": [{"neurons": "layer9", "tile": 0}]}, "layer9"),
        ({"pin": [{"neurons": "layer0", "tile": 0}]}, "inputs stand outside"),
        ({"pin": [{"neurons": "8..99", "tile": 0}]}, "8..99"),
        ({"pin": [{"neurons": "8", "tile": 4}]}, "tile 4"),
        ({"pin": [Pin("8", 0), Pin("8..9", 1)]}, "tiles 0, 1"),
        ({"pin": [Pin("8", 0), Pin("9", 1)], "together": [["8", "9"]]}, "tiles 0, 1"),
        ({"together": [["8", "9"]], "apart": [["8", "9"]]}, "together and apart"),
        ({"apart": [["layer1", "8"]]}, "in common"),
        ({"apart": [["layer1"]]}, "two groups"),
        ({"max_neurons": 2, "min_neurons": 3}, "min_neurons 3 above"),
        ({"max_neurons": 0}, "max_neurons"),
        ({"max_difference": -1}, "max_difference"),
        ({"max_imbalance": -0.5}, "max_imbalance"),
        ({"max_imbalance": "ten"}, "max_imbalance"),
        ({"max_imbalance": float("inf")}, "max_imbalance"),
        ({"most": 3}, "most"),
        ({"together": ["8"]}, "lists of names"),
    ],
)
def test_demands_that_make_no_sense_are_one_line(snn, demands, found):
    with pytest.raises(InputError, match=found):
        om.map_network(snn, CHIP, constraints=demands)


def test_files_instances_and_python_say_the_same(tmp_path: Path, snn, capsys):
    (tmp_path / "c.toml").write_text(TEXT)
    given = load_constraints(tmp_path / "c.toml")
    assert given == as_constraints(str(tmp_path / "c.toml")) == as_constraints(given)
    assert given == as_constraints(
        {"pin": [Pin("layer2", 3)], "together": [("8", "9")], "apart": [("layer1", "layer2")],
         "max_neurons": 4, "min_neurons": 2, "max_difference": 1, "max_imbalance": 0.25}
    )  # fmt: skip
    shipped = Path(__file__).parents[1] / "instances" / "platforms" / "dynap_se.toml"
    text = f'schema = 1\nname = "c"\nnetwork = "gen:mlp-8-8-4"\nplatform = "{shipped}"\n'
    pin = '[constraints]\npin = [{ neurons = "8..9", tile = 2 }]\n'
    (tmp_path / "i.toml").write_text(text + pin)
    (tmp_path / "bare.toml").write_text(text)
    instance, bare = load(tmp_path / "i.toml"), load(tmp_path / "bare.toml")
    assert instance.constraints == Constraints(pin=(Pin("8..9", 2),))
    assert instance.digest() != bare.digest()
    (tmp_path / "own.toml").write_text(pin.replace("[constraints]\n", ""))
    out = tmp_path / "m.json"
    arguments = [str(tmp_path / "bare.toml"), "--method", "song2020", "--out", str(out)]
    assert guarded(map_main, [*arguments, "--constraints", str(tmp_path / "own.toml")]) == 0
    assert guarded(explain, [str(out), "--limit", "1"]) == 0
    printed = capsys.readouterr().out
    assert "What each constraint costs" in printed
    assert "without pin 8..9 on tile 2" in printed


def test_constraints_of_python_are_known_to_explain(tmp_path: Path, snn, capsys):
    shipped = str(Path(__file__).parents[1] / "instances" / "platforms" / "dynap_se.toml")
    demands = {"pin": [Pin("8..9", 2)], "max_neurons": 4}
    found = om.map_network("gen:mlp-8-8-4", shipped, "song2020", constraints=demands)
    costs = found.constraint_costs()
    assert costs.index.tolist() == [
        "no change: all constraints", "without pin 8..9 on tile 2", "without max_neurons 4"
    ]  # fmt: skip
    assert costs["clusters"].tolist() == [3, 3, 1]
    out = found.save(tmp_path / "m.json")
    assert load_constraints(tmp_path / "m.constraints.toml") == found.instance.constraints
    assert guarded(explain, [str(out), "--limit", "1"]) == 0
    assert "without pin 8..9 on tile 2" in capsys.readouterr().out
    plain = om.map_network("gen:mlp-8-8-4", shipped, "song2020")
    plain.save(tmp_path / "p.json")
    assert not (tmp_path / "p.constraints.toml").exists()
    with pytest.raises(ValueError, match="some needed"):
        plain.constraint_costs()


def test_the_page_names_every_kind():
    page = (Path(__file__).parents[1] / "docs" / "constraints.md").read_text()
    assert all(f"| `{kind}` |" in page for kind in KINDS)


def test_explain_judges_a_bare_mapping_under_constraints(tmp_path: Path, snn, capsys):
    found = om.map_network(snn, CHIP, "song2020")
    assert found.mapping is not None
    out = tmp_path / "bare.json"
    out.write_text(json.dumps(to_dict(found.mapping)))
    file = tmp_path / "net.csv"
    pairs = zip(snn.indices.tolist(), snn.post_of_synapse().tolist(), strict=True)
    file.write_text("source,target\n" + "".join(f"{a},{b}\n" for a, b in pairs))
    of = ["--of", str(file), "--platform", "dynap_se", "--limit", "1"]
    assert guarded(explain, [str(out), *of]) == 0
    demands = tmp_path / "c.toml"
    tile = int(found.mapping.binding.tile_of[0])
    demands.write_text(constraints_text(Constraints(pin=(Pin("8..15", (tile + 1) % 4),))))
    capsys.readouterr()
    assert guarded(explain, [str(out), *of, "--constraints", str(demands)]) == 1
    assert f"8..15 pinned on tile {(tile + 1) % 4} has units on tile" in capsys.readouterr().out


def test_many_groups_are_joined_in_the_time_that_reading_them_takes(snn):
    """Every group shares a neuron with the one before and all are on one tile: one site."""
    groups = (("8", "9"),) * 20_000
    begun = time.process_time()
    rules = neuron_rules(Constraints(pin=(Pin("8", 1), Pin("10", 1)), together=groups), snn, 4)
    assert time.process_time() - begun < 5, "far above what it takes; by pairs it took 13"
    assert rules.tile == (1,)
    assert np.flatnonzero(rules.site == 0).tolist() == [8, 9, 10]
