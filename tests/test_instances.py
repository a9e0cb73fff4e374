"""Every shipped instance loads, is what the table says, and can be mapped."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from optmap.bounds.bound import best
from optmap.bounds.clusters import cluster_bounds
from optmap.command_line import guarded
from optmap.decomposing.contract import decompose
from optmap.experiment.tables.instance_list import HEADERS, instance_rows, main, markdown
from optmap.generators.generate import generate
from optmap.instance import load
from optmap.model.platform_file import load_platform

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "instances"
TABLE = ROOT / "docs" / "instances.md"
FILES = sorted(FOLDER.glob("*.toml"))
SCALING = sorted((FOLDER / "scaling").glob("*.toml"))
LARGE = ("1e6", "1e7", "vgg_32_40")


def table_rows(text: str) -> dict[str, str]:
    """Return the rows of every table of instances in a page, by name."""
    rows = [line.strip() for line in text.splitlines() if line.strip().startswith("| `")]
    return {row.split("`")[1]: row for row in rows}


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_it_loads_and_is_what_the_table_says(file: Path):
    instance = load(file)
    assert instance.name == file.stem
    assert {"text", "licence", "generator", "seed"} <= set(instance.origin)
    assert instance.provenance
    script = instance.origin["generator"].split()[0]
    assert script.startswith("gen:") or (FOLDER / script).is_file()
    (row,) = instance_rows([file], everything=True)
    told = table_rows(TABLE.read_text(encoding="utf-8"))[instance.name]
    assert told == "| " + " | ".join(row) + " |"
    assert len(instance.digest()) == 64


def test_the_table_has_nothing_else():
    told = table_rows(TABLE.read_text(encoding="utf-8"))
    assert set(told) == {file.stem for file in (*FILES, *SCALING)}


def sizes(file: Path) -> None:
    (row,) = instance_rows([file], everything=True)
    assert table_rows(TABLE.read_text(encoding="utf-8"))[file.stem] == "| " + " | ".join(row) + " |"


@pytest.mark.parametrize("file", [f for f in SCALING if not f.stem.endswith(LARGE)], ids=str)
def test_sweeps(file: Path):
    sizes(file)


@pytest.mark.full
@pytest.mark.parametrize("file", [f for f in SCALING if f.stem.endswith(LARGE)], ids=str)
def test_large_sweeps(file: Path):
    sizes(file)


def test_sweeps_span_seven_orders_of_magnitude():
    told = table_rows(TABLE.read_text(encoding="utf-8"))
    synapses = sorted(int(row.split(" | ")[3].replace(",", "")) for row in told.values())
    assert synapses[0] == 10
    assert synapses[-1] > 9 * 10**7
    assert all(b < 30 * a for a, b in pairwise(synapses))


def test_the_papers_shapes_have_the_papers_sizes():
    expected = {
        "smoothing_64": 9_025,
        "edges_64": 66_970,
        "mlp_784_100_10": 79_400,
        "digits_mlp_784": 79_400,
        "lenet5_28": 412_960,
        "reservoir_1000": 73_948,
    }
    for name, synapses in expected.items():
        assert load(FOLDER / f"{name}.toml").snn.num_synapses == synapses


def test_smoothing_spikes_are_nine_inputs_averaged():
    """A neuron that adds a ninth of nine inputs fires a ninth of their spikes, give or take one."""
    snn = load(FOLDER / "smoothing_64.toml").snn
    assert np.array_equal(snn.indices, generate("gen:smooth-64").indices)
    for neuron in snn.units[::37]:
        heard = int(snn.spikes[snn.sources_of(neuron)].sum())
        assert heard // 9 - 1 <= snn.spikes[neuron] <= heard // 9 + 1


def test_walkers_are_neither_lost_nor_made():
    snn = load(FOLDER / "random_walk.toml").snn
    chance, counter, gate = (snn.spikes[p.first : p.last + 1] for p in snn.populations)
    assert counter.sum() == gate.sum() == chance.sum()
    out = np.zeros(len(counter), dtype=np.int64)
    for k, neuron in enumerate(range(snn.populations[2].first, snn.populations[2].last + 1)):
        node = snn.sources_of(neuron)[1] - snn.populations[1].first
        out[node] += gate[k]
    assert np.array_equal(out, counter), "who is counted on a node leaves through one of its gates"


def test_four_cells_a_synapse_leave_a_quarter_of_the_columns():
    instance = load(FOLDER / "decomposed_mlp.toml")
    assert (instance.platform.cells_per_synapse, instance.platform.max_columns) == (4, 16)
    weights = instance.snn.weights[: 64 * 64]
    levels = np.unique(np.round(weights / np.abs(weights).max() * 15))
    assert set(levels.astype(int).tolist()) <= set(range(-15, 16, 2)), "sums of +-1, 2, 4, 8"


@pytest.mark.parametrize(
    "file", sorted((FOLDER / "platforms").glob("*.toml")), ids=lambda f: f.stem
)
def test_every_number_of_a_platform_says_where_it_is_from(file: Path):
    platform = load_platform(file)
    assert platform.sources
    assert all(source.strip() for source in platform.sources.values())
    assert not [name for name, source in platform.sources.items() if "default" in source]


def test_the_mixed_platform_has_every_size_twice():
    platform = load_platform(FOLDER / "platforms" / "mixed_32_256.toml")
    assert sorted(platform.rows_of) == [32, 32, 64, 64, 128, 128, 256, 256]
    assert platform.area.cell_um2 == 1


def test_no_instance_exceeds_the_slots_of_its_platform():
    for file in FILES:
        instance = load(file)
        slots = instance.platform.total_slots
        if slots is None:
            continue
        tree = decompose(instance.snn, instance.platform.max_rows, "tree")
        assert best(cluster_bounds(tree, instance.platform)).value <= slots


def test_the_set_stays_small():
    files = [f for f in FOLDER.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    assert sum(f.stat().st_size for f in files) < 12_000_000


def test_the_command_prints_the_table(capsys):
    file = FOLDER / "mlp_tiny.toml"
    assert guarded(main, [str(file)]) == 0
    assert capsys.readouterr().out.strip() == markdown(instance_rows([file]))
    assert HEADERS[0] == "instance"
    assert guarded(main, ["gone.toml"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "gone.toml" in line


def test_examples_are_run_by_default_and_say_what_they_are():
    instances = [load(file) for file in FILES]
    assert {i.name for i in instances if i.is_example} == {"mlp_tiny", "lenet_mnist_7"}
    assert all(i.in_default_set for i in instances if i.is_example)
