"""``import optmap as om``: light, complete, typed, and the same numbers as the commands."""

import base64
import json
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

import optmap as om
from optmap.compiled import COMPILING
from optmap.experiment.report.pictures import PICTURES
from optmap.judge.case import judge
from optmap.methods import METHODS


def test_importing_loads_nothing_of_weight_and_dir_shows_all():
    code = (
        "import sys, optmap as om; names = dir(om);"
        "print(len(names), sorted({'numpy', 'numba', 'ortools', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split(maxsplit=1)[1].strip() == "[]", done.stderr
    assert int(done.stdout.split()[0]) == len(om.__all__)


@pytest.mark.parametrize("name", om.__all__)
def test_every_name_is_there(name):
    assert getattr(om, name) is not None


def test_type_checkers_are_told_the_same_names():
    stub = (om.__file__ or "").replace("__init__.py", "__init__.pyi")
    with open(stub, encoding="utf-8") as file:
        told = {line.split()[1]: line.split()[-1] for line in file if line.startswith("from ")}
    lines = {}
    with open(stub, encoding="utf-8") as file:
        for line in file:
            if line.startswith("from "):
                _, module, _, name, _, _ = line.split()
                lines[name] = module
    assert told
    assert lines == om._HOMES


def test_a_wrong_name_says_so():
    with pytest.raises(AttributeError, match="no attribute 'mapp'"):
        om.mapp  # noqa: B018


def test_a_mapping_has_numbers_gaps_and_words():
    found = om.map_network("filter_8", method="song2020")
    assert (found.status, found.check) == ("feasible", "ok")
    assert found.exact["period"] == Fraction(164)
    assert found.metrics["period"] == 164.0
    assert found.metrics.dtype == float
    assert found.metrics.describe()["count"] > 10
    assert list(found.gaps.columns[:3]) == ["value", "bound", "gap"]
    assert 0 < found.gaps.loc["period", "gap"] < 1
    assert found.gaps.loc["period", "distance"] <= found.gaps.loc["period", "gap"]
    assert len(found.stage_gaps)
    assert found.explain().startswith("fits: 7 programs on 4 crossbars")
    assert "period 164" in repr(found)
    assert "<table" in found._repr_html_()
    assert json.loads(found.to_json())["method"] == "song2020"


def test_a_small_network_compiles_nothing(tmp_path):
    code = (
        "import numba, optmap as om; found = om.map_network('filter_8'); print(found.explain());"
        "found.plot(); om.evaluate(found.save('m.json')).gaps;"
        "from optmap.explain import main; main(['m.json']); main(['--needs', 'filter_8'])"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    environment["PYTHONPATH"] = os.getcwd()
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, env=environment, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert COMPILING not in done.stderr
    assert not list(tmp_path.rglob("*.nb?"))
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"network": None}, "network: found NoneType, expected an SNN"),
        ({"network": ["filter_8"]}, "network: found list"),
        ({"network": "filter_8", "method": None}, "method None: expected one of"),
        ({"network": "filter_8", "limits": 5}, "limits: found 5, expected Limits"),
    ],
)
def test_what_is_no_network_method_or_limit_is_named(asked, said):
    with pytest.raises(ValueError, match=said):
        om.map_network(**asked)


def test_a_comparison_says_what_it_cannot_do():
    with pytest.raises(om.InputError, match="jobs: found 0"):
        om.compare("filter_8", "song2020", jobs=0)
    with pytest.raises(ValueError, match="did you mean 'song2020'"):
        om.compare("filter_8", "overlap,song2021")
    with pytest.raises(ValueError, match="found wall_s 'x', expected a number"):
        om.Limits("x")  # type: ignore[arg-type]  # what a user may type


def test_what_is_saved_is_judged_alike_wherever_it_lies(tmp_path, monkeypatch):
    (tmp_path / "net.csv").write_text("source,target\na,c\nb,c\nc,d\n")
    monkeypatch.chdir(tmp_path)
    found = om.map_network("net.csv", platform="dynap_se")
    path = found.save(tmp_path / "m.json")
    monkeypatch.chdir("/")
    again = om.evaluate(path)
    assert again.exact == found.exact
    assert again.row.digest == found.row.digest


def test_a_network_may_be_an_object_and_its_mapping_is_saved_bare(tmp_path):
    snn = om.from_edges([0, 1, 2], [2, 2, 3], 4, spikes=[3, 1, 2, 1])
    chip = om.Platform(
        "two", (om.Tile(om.Crossbar(4, 4)),) * 2, om.Interconnect("mesh", 2, 1), event_ticks=1
    )
    found = om.map_network(snn, chip)
    assert found.mapping is not None
    assert found.case.evaluation == judge(snn, chip, found.mapping, "dataflow").evaluation
    path = found.save(tmp_path / "bare.json")
    assert "cluster_of" in json.loads(path.read_text())
    assert om.evaluate(path, snn, chip).exact == found.exact
    assert om.evaluate(found.mapping, snn, chip).exact == found.exact
    assert om.evaluate(json.loads(path.read_text()), snn, chip).exact == found.exact
    with pytest.raises(om.InputError, match="its instance"):
        om.evaluate(path)


def test_a_mapping_that_breaks_a_rule_is_said_to_and_draws_nothing(tmp_path):
    snn = om.from_edges([0, 1, 2], [2, 2, 3], 4)
    chip = om.Platform("one", (om.Tile(om.Crossbar(2, 1)),), om.Interconnect("mesh", 1, 1))
    units = om.decompose(snn, 2, "tree")
    both = om.Mapping(units, om.Clustering([0, 0]), om.Binding([0]), om.StaticOrders(((0,),)))
    found = om.evaluate(both, snn, chip)
    assert found.check == "violation"
    assert "columns: cluster 0 needs 2 columns, tile 0 has 1" in found.explain()
    with pytest.raises(ValueError, match="nothing to draw"):
        found.plot()


@pytest.mark.parametrize("picture", list(PICTURES))
def test_pictures_show_what_the_judge_counts(picture):
    found = om.map_network("filter_8", method="overlap")
    figure = found.plot(picture)
    assert len(figure.data) >= 1
    if picture == "loads":
        assert max(figure.data[0].y) == found.metrics["tile_load_max"]
    if picture == "crossbars":
        assert found.mapping is not None
        stored = [base64.b64decode(trace.z["bdata"]) for trace in figure.data]
        cells = sum(np.count_nonzero(np.frombuffer(z, "<u2")) for z in stored)
        members = found.mapping.clustering.members()
        titles = [figure.layout[f"xaxis{n}"].title.text for n in ("", 2, 3)]
        drawn = [int(title.split("<")[0].split()[-1]) for title in titles]
        network = found.mapping.decomposition.network
        assert cells == sum(network.fan_in[network.units[members[k]]].sum() for k in drawn)
        assert len(drawn) >= 3
    if picture == "traffic":
        graph, tile_of = found.case.graph, found.mapping.binding.tile_of
        between = tile_of[graph.source] != tile_of[graph.target]
        assert sum(map(sum, figure.data[0].z)) == graph.spikes[between].sum()
    with pytest.raises(ValueError, match="expected one of schedule"):
        found.plot("pie")


@pytest.mark.parametrize("method", ["overlap", "milp", "lns", "benders", "whole"])
def test_chips_of_more_tiles_than_have_a_table_of_hops_get_mappings(method):
    """4,900 tiles: what needs the hops between every two of them is not built, and says so."""
    tiles = tuple(om.Tile(om.Crossbar(8, 4)) for _ in range(70 * 70))
    chip = om.Platform("large", tiles, om.Interconnect("mesh", width=70, height=70))
    net = om.from_edges([0, 1, 2, 3, 4, 0], [3, 3, 4, 5, 5, 4], 6, spikes=[2, 1, 3, 1, 2, 1])
    found = om.map_network(net, chip, method, limits=om.Limits(2.0))
    assert found.exact["period"] > 0, found.row.reason
    assert ("too many for a table of hops" in (found.row.reason or "")) == (
        method in ("milp", "lns", "benders")
    )


def test_compare_gives_frames_and_a_report(tmp_path):
    import optmap.compare  # noqa: F401  the command of that name does not hide the function

    found = om.compare(["mlp_tiny", "filter_8"], ["song2020", "overlap"], isolated=False)
    assert len(found.rows) == 4
    assert {"instance", "method", "metric", "value", "gap_to_bound"} <= set(found.gaps.columns)
    periods = found.gaps.query("metric == 'period'").pivot(
        index="instance", columns="method", values="value"
    )
    assert periods.loc["filter_8", "song2020"] == 164
    assert found.runs["period"].dtype == float
    assert found.report(tmp_path / "r.html").read_text().startswith("<!")


def test_a_method_of_a_notebook_runs_here_and_is_judged():
    def in_order(decomposition, platform, *, seed=0):
        """Put each unit on a crossbar of its own."""
        return om.Clustering(np.arange(decomposition.num_units))

    om.register("test-one-each", clustering=in_order)
    try:
        found = om.map_network("filter_8", method="test-one-each")
        assert found.check == "ok"
        assert found.exact["clusters"] == 16
        both = om.compare("filter_8", ["overlap", "test-one-each"])
        assert list(both.runs["clusters"]) == [6, 16]
        with pytest.raises(om.InputError, match="registered by no file"):
            om.compare("filter_8", ["test-one-each"], out="somewhere")
    finally:
        from optmap.clustering.contract import CLUSTERERS

        METHODS.pop("test-one-each")
        CLUSTERERS.pop("test-one-each")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gen:mlp-3-2",), "a Platform, a platform file, or one of"),
        (
            ("filter_8", om.read_platform("dynap_se")),
            "an instance with spikes, reading",
        ),
        (("gone.nir", "dynap_se"), "no such file"),
        (("gen:mlp-3-2", "dynapse"), "did you mean 'dynap_se'"),
        (("gen:mlp-3-2", "dynap_se", "overlab"), "did you mean 'overlap'"),
    ],
)
def test_wrong_arguments_are_said_in_a_line(arguments, said):
    with pytest.raises(ValueError, match=said):
        om.map_network(*arguments)


def test_compiling_is_announced_once(tmp_path):
    (tmp_path / "kernel.py").write_text(
        "from optmap.compiled import announce_compilation, compiled\n"
        "announce_compilation()\n"
        "@compiled\ndef one(x):\n    return x + 1\n"
        "print(one(1), one(1.5))\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    environment.pop("OPTMAP_QUIET", None)
    environment["PYTHONPATH"] = os.getcwd()
    command = [sys.executable, str(tmp_path / "kernel.py")]
    first = subprocess.run(command, capture_output=True, text=True, env=environment)
    second = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert first.stdout == second.stdout == "2 2.5\n"
    assert first.stderr == COMPILING + "\n"
    assert second.stderr == ""


def test_compare_takes_options_of_reading_and_constraints(tmp_path):
    network = tmp_path / "net.csv"
    rows = [f"{j},{i},7" for i in range(4) for j in range(4, 8)]
    network.write_text("reader,driver,delay\n" + "\n".join(rows) + "\n")
    demands = {"apart": [["4", "5"]], "max_neurons": 2}
    found = om.compare(
        network,
        ["overlap", "colgen"],
        platform="mesh_2x2_16",
        isolated=False,
        out=tmp_path / "run",
        reading={"columns": "driver,reader"},
        constraints=demands,
    )
    done, refused = found.rows
    assert done.check == "ok"
    assert done.value("clusters") in (2, 3)  # the repair cuts a pair that overlap joined
    assert "colgen" in refused.reason
    assert "apart" in refused.reason
    text = (tmp_path / "run" / "constraints.toml").read_text()
    assert text == 'apart = [["4", "5"]]\nmax_neurons = 2\n'
    free = om.map_network(network, "mesh_2x2_16", reading={"columns": "driver,reader"})
    assert free.exact["clusters"] == 1
