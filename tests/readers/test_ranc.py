"""RANC core files: a small grid by hand, the public ones by their own test benches."""

import json

import numpy as np
import pytest

from optmap.errors import InputError
from optmap.judge.check import check
from optmap.judge.evaluation import evaluate
from optmap.readers.options import read_options
from optmap.readers.ranc import read_ranc
from optmap.readers.read import read_network

GRID = {
    "grid_dimension_x": 2, "grid_dimension_y": 2,
    "output_core_x_coordinate": 1, "output_core_y_coordinate": 1,
    "num_outputs": 4, "num_neurons": 3, "num_axons": 4, "num_ticks": 4, "num_weights": 2,
    "num_reset_modes": 2, "potential_width": 5, "weight_width": 5, "leak_width": 5,
    "threshold_width": 5, "max_dimension_x": 8, "max_dimension_y": 8, "num_ticks_to_check": None,
    "tick_latency": 1,
}  # fmt: skip


def bits(value, width):
    return format(value & (1 << width) - 1, f"0{width}b") if width else ""


def neuron(axons=(), weights=(1, 1), above=1, below=-16, to=(0, 0, 0), **other):
    """Return one line of a csram file."""
    connected = "".join("1" if a in axons else "0" for a in reversed(range(4)))
    fields = [other.get("potential", 0), other.get("reset", 0), *weights, other.get("leak", 0)]
    line = connected + "".join(bits(v, 5) for v in [*fields, above, below])
    dx, dy, axon = to
    line += bits(other.get("mode", 0), 1) + bits(dx, 3) + bits(dy, 3) + bits(axon, 2)
    return line + bits(other.get("tick", 0), 2)


IDLE = neuron()


def packet(x, y, axon, tick=0):
    return bits(x, 3) + bits(y, 3) + bits(axon, 2) + bits(tick, 2)


@pytest.fixture
def folder(tmp_path):
    """Two used cores, 0 at (0, 0) and 1 at (1, 0); outputs at (1, 1).

    Neuron a adds axons 0 and 1 and fires at 2, three ticks a time later into core 1. Neuron b
    counts axon 0 down by type 1 and goes nowhere. Neuron c of core 1 repeats a to the output.
    """
    write(tmp_path, GRID, {
        0: [neuron((0, 1), above=2, to=(1, 0, 2)), neuron((0,), (1, -1), to=(0, 0, 3)), IDLE],
        1: [IDLE, neuron((2,), to=(0, 1, 1)), IDLE],
    }, {0: [0, 0, 0, 0], 1: [0, 0, 0, 0]})  # fmt: skip
    bench(tmp_path, [[packet(0, 0, 0), packet(0, 0, 1)], [], [packet(0, 0, 0), packet(0, 0, 1, 1)]],
          [[1], [], [1]])  # fmt: skip
    return tmp_path


def write(path, grid, cores, types):
    (path / "tb_spikehard_params.json").write_text(json.dumps(grid))
    for number, lines in cores.items():
        (path / f"csram_{number}.mem").write_text("\n".join(lines) + "\n")
    for number, axons in types.items():
        (path / f"tc_{number}.mem").write_text("\n".join(bits(t, 1) for t in axons) + "\n")


def bench(path, inputs, outputs):
    (path / "tb_input.txt").write_text("\n".join(p for tick in inputs for p in tick) + "\n")
    (path / "tb_num_inputs.txt").write_text("\n".join(str(len(tick)) for tick in inputs) + "\n")
    (path / "tb_correct.txt").write_text("\n".join(bits(o, 2) for t in outputs for o in t) + "\n")
    (path / "tb_num_outputs.txt").write_text("\n".join(str(len(t)) for t in outputs) + "\n")


def test_small_grid_by_hand(folder):
    ranc = read_ranc(folder)
    # Inputs: axons 0 and 1 of core 0. Neurons a, b of core 0; c of core 1 reads a.
    assert [(p.name, p.first, p.last) for p in ranc.snn.populations] == [
        ("input", 0, 1), ("core0", 2, 3), ("core1", 4, 4),
    ]  # fmt: skip
    assert [ranc.snn.sources_of(j).tolist() for j in range(5)] == [[], [], [0, 1], [0], [2]]
    # a fires in ticks 0 and 3 (axon 1's second packet is a tick late); c a tick after the first.
    assert ranc.snn.spikes.tolist() == [2, 2, 2, 2, 1]
    assert ranc.matches is False, "the second output never comes in time"
    assert ranc.snn.spikes_origin.endswith(", outputs are not those of tb_correct.txt")
    assert (ranc.num_axons, ranc.num_connections) == (3, 4)
    assert ranc.dead.tolist() == [3], "b drives an axon that nobody reads"
    assert ranc.clustering.cluster_of.tolist() == [0, 0, 1]
    assert ranc.binding.tile_of.tolist() == [0, 1]
    mapping = ranc.mapping()
    assert mapping.orders.clusters == ((0,), (1,), (), ())
    assert mapping.decomposition.policy == "none"
    assert mapping.decomposition.network == ranc.snn


def test_expected_outputs_are_compared_tick_by_tick(folder):
    both = [[packet(0, 0, 0), packet(0, 0, 1)]]
    bench(folder, [both[0], [], both[0]], [[1], [], [1]])
    assert read_ranc(folder).matches is True
    bench(folder, [both[0], [], both[0]], [[1], [1], []])
    assert read_ranc(folder).matches is False
    write(folder, GRID | {"num_ticks_to_check": 2}, {}, {})
    assert read_ranc(folder).matches is True, "only ticks 0 and 1 are checked"
    full = read_ranc(folder).snn.spikes.tolist()
    (folder / "tb_correct.txt").unlink()
    assert read_ranc(folder).matches is None
    assert read_ranc(folder).snn.spikes.tolist() == full, "the test is as long as announced"
    (folder / "tb_input.txt").unlink()
    ranc = read_ranc(folder)
    assert ranc.snn.spikes_origin == "assumed"
    assert ranc.matches is None


def test_dead_neurons_are_dropped_on_request(folder):
    ranc = read_ranc(folder, drop_dead=True)
    assert ranc.snn.num_neurons == 4
    assert len(ranc.dead) == 0
    assert [ranc.snn.sources_of(j).tolist() for j in range(4)] == [[], [], [0, 1], [2]]


def test_two_neurons_on_one_axon_are_two_sources(folder):
    lines = [neuron((0,), to=(1, 0, 2)), neuron((1,), to=(1, 0, 2)), IDLE]
    (folder / "csram_0.mem").write_text("\n".join(lines) + "\n")
    ranc = read_ranc(folder)
    assert ranc.snn.sources_of(4).tolist() == [2, 3]
    assert ranc.snn.num_synapses == ranc.num_connections + 1
    joined = read_ranc(folder, join_axons=True)
    assert joined.snn.sources_of(4).tolist() == [2], "one axon is one row"
    assert joined.snn.num_units == ranc.snn.num_units, "the second driver keeps its column"
    assert joined.snn.num_synapses == joined.num_connections


def potentials(folder, line, packets_per_tick):
    """Return how often a lone neuron fires under packets on axon 0 per tick."""
    (folder / "csram_0.mem").write_text("\n".join([line, IDLE, IDLE]) + "\n")
    inputs = [[packet(0, 0, a) for a in axons] for axons in packets_per_tick]
    bench(folder, inputs, [[] for _ in inputs])
    snn = read_ranc(folder).snn
    return int(snn.spikes[snn.populations[1].first])


def test_resets_leak_and_width(folder):
    """Each case by hand, in the words of the hardware: reset modes, floor, leak, wrap around."""
    one = [(0,)] * 6
    to = (1, 0, 2)
    # +3 a tick, threshold 5, hard reset to 0: fires every second of 6 + 1 latency ticks.
    assert potentials(folder, neuron((0,), (3, 0), 5, to=to), one) == 3
    # The same, linear reset keeps the rest: 3, 6>1, 4, 7>2, 5>0, 3 and no input in the last tick.
    assert potentials(folder, neuron((0,), (3, 0), 5, to=to, mode=1), one) == 3
    # Hard reset to 4: 3, 6>4, 7>4, 7>4, 7>4, 7>4, 4.
    assert potentials(folder, neuron((0,), (3, 0), 5, to=to, reset=4), one) == 5
    # Leak 2 alone fires at 4: ticks 1, 3, 5.
    assert potentials(folder, neuron((0,), (0, 0), 4, to=to, leak=2), one) == 3
    # -3 a tick, floor -4: -3, -6 resets to minus 6 = -6, -9 again -6, ...; never fires.
    assert potentials(folder, neuron((0,), (-3, 0), 5, -4, to=to, reset=6), one) == 0
    # Reset value -6: -3, floor to +6, 3 fires to -6, floor to +6, 3 fires, floor to +6, 6 fires.
    assert potentials(folder, neuron((0,), (-3, 0), 3, -4, to=to, reset=-6), one) == 3
    # 15 + 15 = 30 wraps around to -2 in five bits, below the threshold 15.
    assert potentials(folder, neuron((0, 1), (15, 0), 15, to=to), [(0, 1)]) == 0


def test_names_with_leading_zeros_and_missing_cores(folder):
    expected = read_ranc(folder)
    (folder / "csram_0.mem").rename(folder / "csram_000.mem")
    (folder / "tc_1.mem").rename(folder / "tc_01.mem")
    assert read_ranc(folder).snn == expected.snn


def damage(folder):
    """Return (file, new text, what the message holds)."""
    line = neuron((0,))
    wide = json.dumps(GRID | {"potential_width": 64})
    return [
        ("tb_spikehard_params.json", "{", "no JSON"),
        ("tb_spikehard_params.json", "[]", "list"),
        ("tb_spikehard_params.json", json.dumps(GRID | {"num_axons": "4"}), "num_axons"),
        ("tb_spikehard_params.json", json.dumps(GRID | {"num_axons": 0}), "num_axons"),
        ("tb_spikehard_params.json", json.dumps(GRID | {"num_ticks": None}), "num_ticks: found"),
        ("tb_spikehard_params.json", wide, "64 bits"),
        ("csram_0.mem", "\n".join([line] * 2), "2 lines"),
        ("csram_0.mem", "\n".join([line, line, line[:-1]]), "line 3"),
        ("csram_0.mem", "\n".join([line, line, "x" + line[1:]]), "line 3"),
        ("csram_0.mem", "", "an empty file"),
        ("csram_7.mem", line, "a file for core 7"),
        ("csram_00.mem", line, "a file for core 0"),
        ("tc_0.mem", "0\n0\n", "2 lines"),
        ("tb_input.txt", "101\n", "line 1"),
        ("tb_input.txt", packet(1, 1, 0), "core (1, 1)"),
        ("tb_num_inputs.txt", "9\n", "9, as tb_num_inputs.txt says"),
        ("tb_num_inputs.txt", "x\n", "line 1"),
        ("tb_num_outputs.txt", "9\n", "9, as tb_num_outputs.txt says"),
        ("tb_correct.txt", "2\n3\n", "line 1"),
    ]  # fmt: skip


@pytest.mark.parametrize("case", range(19))
def test_damaged_folders_name_file_and_line(folder, case):
    name, text, found = damage(folder)[case]
    (folder / name).write_text(text)
    with pytest.raises(InputError) as caught:
        read_network(folder)
    assert found in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("gone", "left"), [("tc_1", "csram_1"), ("csram_1", "tc_1")])
def test_half_a_core_is_refused(folder, gone, left):
    (folder / f"{gone}.mem").unlink()
    with pytest.raises(InputError, match=rf"{gone}\.mem: found no such file, .* {left}\.mem"):
        read_ranc(str(folder))


def test_missing_files_and_empty_cores(folder):
    (folder / "csram_0.mem").write_text("\n".join([IDLE] * 3))
    (folder / "csram_1.mem").write_text("\n".join([IDLE] * 3))
    with pytest.raises(InputError, match="cores without a connection"):
        read_ranc(folder)
    (folder / "tb_spikehard_params.json").unlink()
    with pytest.raises(InputError, match="No such file"):
        read_ranc(folder)


@pytest.mark.parametrize(
    ("name", "cores", "neurons", "axons", "connections", "shared_axons"),
    [("vmm_64", 11, 336, 430, 1_032, 24), ("mnist_256", 5, 506, 1_280, 58_696, 0)],
)
def test_public_grids(shared_data, name, cores, neurons, axons, connections, shared_axons):
    """Counts of the data's own description, and every expected output in its tick."""
    ranc = read_ranc(shared_data / "ranc" / name)
    assert ranc.matches is True
    assert ranc.snn.num_units == neurons
    assert (ranc.num_axons, ranc.num_connections) == (axons, connections)
    assert ranc.snn.num_synapses == connections + shared_axons
    assert ranc.clustering.num_clusters == cores
    assert ranc.snn.spikes.sum() > 1_000
    assert ranc.snn == read_network(shared_data / "ranc" / name)
    mapping = ranc.mapping()
    assert check(ranc.snn, ranc.platform(), mapping, "dataflow") == []
    judged = evaluate(ranc.platform(), mapping, "dataflow")
    assert judged.period >= max(1, ranc.snn.spikes.max())
    small = read_ranc(shared_data / "ranc" / name, drop_dead=True)
    assert small.snn.num_units == neurons - len(ranc.dead)
    live = np.setdiff1d(ranc.snn.units, ranc.dead)
    assert ranc.snn.spikes[live].sum() == small.snn.spikes[small.snn.units].sum()
    joined = read_ranc(shared_data / "ranc" / name, join_axons=True)
    assert np.count_nonzero(joined.snn.fan_out) == axons


def test_parameters_may_be_told_instead(folder):
    written = read_ranc(folder)
    (folder / "tb_spikehard_params.json").unlink()
    with pytest.raises(InputError, match="--parameters grid_dimension_x"):
        read_ranc(folder)
    told = ",".join(f"{name}={value}" for name, value in GRID.items() if value is not None)
    assert read_ranc(folder, parameters=told).matches == written.matches
    options = read_options({"parameters": told})
    assert read_network(folder, options=options) == written.snn
    for wrong in ("colour=3", "num_axons", "num_axons=x", "num_axons=-4"):
        with pytest.raises(InputError, match="NAME=WHOLE NUMBER"):
            read_ranc(folder, parameters=wrong)
    with pytest.raises(InputError, match="grid_dimension_x: found None"):
        read_ranc(folder, parameters="num_axons=4")


def test_a_parameter_has_one_value(folder):
    path = folder / "tb_spikehard_params.json"
    text = path.read_text()
    path.write_text(text[:-1] + ', "grid_dimension_x": 2}')
    assert read_ranc(folder).grid.width == 2
    path.write_text(text[:-1] + ', "grid_dimension_x": 3}')
    with pytest.raises(InputError, match="grid_dimension_x: found 2 and 3, expected one value"):
        read_ranc(folder)
    with pytest.raises(InputError, match="num_axons=4 and num_axons=5"):
        read_ranc(folder, parameters="num_axons=4,num_axons=5")


def test_verilog_comments_are_no_lines(folder):
    expected = read_ranc(folder).snn
    file = folder / "csram_0.mem"
    lines = file.read_text().splitlines()
    lines[0] = (
        "// core 0, 3 neurons\n/* two\nlines */ " + lines[0][:4] + "_" + lines[0][4:] + " // a"
    )
    file.write_text("\n".join(lines) + "\n/* open")
    assert read_ranc(folder).snn == expected


def test_a_neuron_that_leaks_into_firing_takes_a_column(folder):
    lines = (folder / "csram_0.mem").read_text().splitlines()
    lines[2] = neuron(leak=1, above=1, to=(1, 0, 2))
    (folder / "csram_0.mem").write_text("\n".join(lines) + "\n")
    ranc = read_ranc(folder)
    driven = ranc.snn.self_driven.tolist()
    assert len(driven) == 1
    assert driven[0] in ranc.snn.units
    assert len(ranc.clustering.cluster_of) == ranc.snn.num_units


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "secret.txt"
    elsewhere.write_text("root:x:0:0\n")
    (folder / "csram_999.mem").symlink_to(elsewhere)
    with pytest.raises(InputError, match=r"csram_999\.mem: found a link out of its folder"):
        read_network(str(folder))
