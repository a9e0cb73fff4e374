"""One network, one mapping: the JSON contract and the one line for every kind of bad input."""

import json
import re
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from commands import Done, run_command

from optmap.instance import load
from optmap.judge.case import judge
from optmap.map import main
from optmap.mapping_json import from_dict
from optmap.model.platform_file import load_platform
from optmap.readers.read import read_network

PLATFORM = "instances/platforms/dynap_se.toml"
KEYS = {
    "method",
    "decomposition",
    "status",
    "clusters",
    "bound_clusters",
    "traffic",
    "external_spikes",
    "input_deliveries",
    "spike_hops",
    "period",
    "energy_pj",
    "check",
}


def run_map(*arguments: object) -> Done:
    return run_command(main, *arguments)


def small_platform(path, slots="", rows=6):
    path.write_text(
        'schema = 1\nname = "small"\n[interconnect]\nkind = "mesh"\nwidth = 2\nheight = 1\n'
        f"[[tiles]]\nrows = {rows}\ncolumns = 4\n{slots}\n"
    )
    return path


@pytest.mark.parametrize("method", ["random", "pacman", "song2020", "song2020-tree"])
def test_one_line_of_json_and_the_judge_agrees(method, tmp_path):
    out = tmp_path / "mapping.json"
    done = run_map(
        "gen:mlp-784-100-10", "--platform", PLATFORM, "--method", method, "--json", "--out", out
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert found.keys() >= KEYS
    assert found["check"] == "ok"
    assert found["traffic"] == found["external_spikes"] + found["input_deliveries"]
    snn, platform = read_network("gen:mlp-784-100-10"), load_platform(PLATFORM)
    mapping = from_dict(json.loads(out.read_text())["mapping"], snn)
    evaluation = judge(snn, platform, mapping, "dataflow").evaluation
    assert Fraction(found["period"]) == evaluation.period
    assert found["clusters"] == evaluation.clusters >= found["bound_clusters"]
    for name in ("clusters", "traffic", "spike_hops", "period"):
        assert found[f"bound_scope_{name}"].startswith("any decomposition, clustering, binding")
        assert found[f"bound_grade_{name}"] == "certified"
        assert found[f"bound_name_{name}"]


def test_json_counts_what_the_best_known_list_counts():
    """A bound for whole neurons says nothing of clusters where fewer are known, as in the text."""
    found = json.loads(run_map("filter_8", "--method", "overlap", "--json").stdout)
    assert (found["bound_clusters"], found["best_known_clusters"]) == (5, 5)
    assert found["bound_scope_clusters"] == "any decomposition, clustering, binding and order"
    assert "whole" in found["bound_scope_period"]


def test_tree_needs_at_most_twenty_clusters_where_thirteen_is_proved():
    done = run_map(
        "gen:mlp-784-100-10", "--platform", PLATFORM, "--method", "song2020-tree", "--json"
    )
    found = json.loads(done.stdout)
    (tree,) = [
        stage
        for stage in found["stage_bounds"]
        if (stage["metric"], stage["optimum_of"]) == ("clusters", "its decomposition")
    ]
    assert (tree["bound"], tree["grade"]) == ("13", "certified")
    assert 1 <= found["bound_clusters"] <= 13  # whatever the decomposition
    assert 13 <= found["clusters"] <= 20


def test_exact_methods_agree_on_a_small_network(tmp_path):
    platform = small_platform(tmp_path / "p.toml")
    values = []
    for method in ("milp", "cpsat"):
        done = run_map(
            "gen:mlp-9-4-2", "--platform", platform, "--method", method, "--work", "20", "--json"
        )
        found = json.loads(done.stdout)
        assert (found["status"], found["check"]) == ("optimal", "ok"), done.stderr
        values.append((found["clusters"], found["traffic"], found["spike_hops"]))
    assert values[0] == values[1]


def test_an_instance_file_names_its_own_platform():
    done = run_map("instances/mlp_784_100_10.toml", "--method", "song2020-tree", "--json")
    assert json.loads(done.stdout)["instance"] == load("instances/mlp_784_100_10.toml").name


BAD = [
    (["gone.nir", "--platform", PLATFORM], "gone.nir"),
    (["gen:gone", "--platform", PLATFORM], "gen:gone"),
    (["gen:mlp-4-2"], "--platform"),
    (["gen:mlp-4-2", "--platform", "gone.toml"], "gone.toml"),
    (["gen:mlp-4-2", "--platform", PLATFORM, "--method", "gone"], "method 'gone'"),
    (
        ["gen:mlp-4-2", "--platform", PLATFORM, "--limit", "0"],
        "--limit: found '0', expected seconds above 0",
    ),
    (["gen:mlp-4-2", "--platform", PLATFORM, "--seed", "-1"], "--seed: found '-1'"),
    (["gen:mlp-4-2", "--platform", PLATFORM, "--spikes", "gone.npz"], "gone.npz"),
    (
        ["instances/mlp_784_100_10.toml", "--tokens", "pipelined"],
        "instance file with other options",
    ),
    (["gen:mlp-4-2", "--platform", PLATFORM, "--out", "gone/away.json"], "gone/away.json"),
]


@pytest.mark.parametrize(("arguments", "named"), BAD)
def test_bad_input_is_one_line_with_status_2(arguments, named):
    done = run_map(*arguments)
    assert done.returncode == 2
    assert done.stdout == "" or "--out" in arguments
    (line,) = done.stderr.splitlines()
    assert named in line


def test_too_few_slots_is_proved_infeasible_and_said_in_one_object(tmp_path):
    platform = small_platform(tmp_path / "p.toml", "slots = 1")
    done = run_map("gen:mlp-9-8-4", "--platform", platform, "--method", "song2020-tree", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert (found["status"], found["clusters"], found["check"]) == ("infeasible", None, "not_run")
    assert "2 slots" in found["reason"]


def test_zero_spikes_still_have_a_period(tmp_path):
    network = tmp_path / "n.csv"
    network.write_text("source,target\na,b\nb,c\n")
    spikes = tmp_path / "s.csv"
    spikes.write_text("neuron,spikes\na,0\nb,0\nc,0\n")
    done = run_map(network, "--platform", PLATFORM, "--spikes", spikes, "--json")
    found = json.loads(done.stdout)
    assert (found["traffic"], found["check"], found["period"]) == (0, "ok", "16")


def test_c_elegans_connectome_maps_with_assumed_spikes(shared_data):
    file = shared_data / "connectome" / "c_elegans_herm_full_edgelist.csv"
    done = run_map(file, "--platform", PLATFORM, "--json")
    found = json.loads(done.stdout)
    assert (found["check"], found["spikes"]) == ("ok", "assumed")
    assert found["clusters"] >= found["bound_clusters"] >= 1


def test_the_verdict_comes_first_and_says_seconds_where_ticks_have_a_length(tmp_path):
    timed = run_map("filter_8", "--method", "song2020").stdout.splitlines()
    assert timed[1].startswith("verdict: fits: 7 programs on 4 crossbars, 2 each at most, no limit")
    assert timed[2].startswith("speed: 6,097,561 inferences per second, one every 164 ns")
    platform = small_platform(tmp_path / "p.toml")
    bare = run_map("gen:mlp-9-4-2", "--platform", platform).stdout
    assert "speed:" not in bare
    assert "the platform gives no energies" in bare
    assert "pJ" not in bare


def test_what_does_not_fit_is_said_first(tmp_path):
    platform = small_platform(tmp_path / "p.toml", "slots = 1")
    done = run_map("gen:mlp-9-8-4", "--platform", platform)
    assert done.stdout.splitlines()[1].startswith("verdict: no valid mapping (the platform has 2")


def test_a_heuristic_that_finds_no_mapping_proves_nothing():
    """PACMAN takes slices of populations, which are many here; others map it."""
    lines = run_map("decomposed_mlp", "--method", "pacman").stdout.splitlines()
    assert lines[1].startswith("verdict: no mapping found (153 clusters fit only tiles of 48 x 16")
    assert lines[3] == "  by pacman; `explain --needs` says whether any fits, and what would do"


def test_what_the_reader_left_out_is_said(tmp_path):
    net = tmp_path / "net.csv"
    net.write_text("pre,post,count,delay\nA,B,3,1\nB,C,2,1\n")
    done = run_map(net, "--platform", PLATFORM, "--method", "overlap")
    assert done.returncode == 0
    assert "read with" in done.stdout
    assert "column 'count' is the weight" in done.stdout
    assert run_map(net, "--platform", PLATFORM, "--columns", "no,such").returncode == 2
    assert run_map(net, "--platform", PLATFORM, "--format", "png").returncode == 2


def test_what_is_fewest_of_whole_neurons_is_not_called_fewest_of_all():
    text = run_map("filter_8", "--method", "overlap").stdout
    # 6 is proved for mappings that divide no neuron that fits, the best one known divides some
    assert re.search(r"clusters +6 +>= 5 for every mapping, end-to-end gap 17%", text)
    assert re.search(r"clusters of its decomposition +>= 6, the optimum", text)
    assert re.search(r"period, ticks +190 +>= 147 for every mapping that divides no neuron", text)
    assert "period of its clustering" in text


@cache
def whole_on_filter_8(*objective: str) -> dict[str, Any]:
    done = run_map("filter_8", "--method", "whole", *objective, "--work", "1", "--json")
    return json.loads(done.stdout)


@pytest.mark.parametrize(("objective", "metric"), [("traffic", "traffic"), ("energy", "energy_pj")])
def test_whole_minimises_what_it_is_told_to(objective, metric):
    aimed, usual = whole_on_filter_8("--objective", objective), whole_on_filter_8()
    assert aimed["method"] == f"whole-{objective}"
    assert aimed[metric] <= usual[metric]


def test_an_objective_is_for_whole():
    done = run_map("filter_8", "--method", "overlap", "--objective", "traffic")
    assert done.returncode == 2
    assert done.stderr == "error: --objective: found method 'overlap', expected method whole\n"
