"""Recordings of other tools: rasters, events, rates; what has two readings is refused."""

from fractions import Fraction

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from optmap.errors import InputError
from optmap.model.snn import from_edges
from optmap.readers.options import ReadOptions, read_options
from optmap.readers.spike_scale import exact_scale, whole_counts
from optmap.readers.spikes import with_spike_file

COUNTS = [3, 0, 4, 1, 0, 1]
EVENTS = [(0, 1), (2, 3), (2, 4), (3, 4), (0, 5), (2, 5), (2, 6), (5, 8), (0, 9)]


@pytest.fixture
def snn():
    return from_edges([0, 1, 2, 3, 4], [3, 3, 4, 5, 5], 6)


def raster(steps=20):
    grid = np.zeros((steps, 6), dtype=np.int8)
    for neuron, time in EVENTS:
        grid[time, neuron] = 1
    return grid


def table(rows, mark=","):
    return "\n".join(mark.join(map(str, row)) for row in rows) + "\n"


TURNED = [(t, i) for i, t in EVENTS]
FRACTIONAL = [(t + 0.5, i) for i, t in EVENTS]
TEXTS = {
    "sonata.csv": "node_ids,timestamps\n" + table(EVENTS),
    "sonata_blanks.csv": "timestamps population node_ids\n"
    + table([(t, "v1", i) for i, t in EVENTS], " "),
    "turned.csv": "t;neuron_id\n" + table(TURNED, ";"),
    "nest.dat": "# NEST version: 3.6\nsender\ttime_ms\n"
    + table([(i + 1, t) for i, t in EVENTS], "\t"),
    "old.gdf": table([(i + 1, t) for i, t in EVENTS], " "),
    "times.txt": table(FRACTIONAL, " "),
    "times.csv": table(FRACTIONAL),
    "remark.txt": "# columns = ['time', 'id']\n" + table(TURNED, " "),
    "rates.csv": "neuron,rate_hz\n" + table([(i, c / 20) for i, c in enumerate(COUNTS)]),
    "counts.csv": "id,n_spikes\n" + table(list(enumerate(COUNTS))),
    "bare.csv": table(list(enumerate(COUNTS))),
    "carlsim.txt": "0 1 5 9\n2 3 4 5 6\n3 4\n5 8\n",
    "carlsim_late.txt": table([(i, t + 100) for i, t in EVENTS], " "),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_of_other_tools(tmp_path, snn, name):
    (tmp_path / name).write_text(TEXTS[name])
    assert with_spike_file(snn, tmp_path / name).spikes.tolist() == COUNTS


def sonata_h5(path):
    with h5py.File(path, "w") as file:
        group = file.create_group("spikes/cortex")
        group["node_ids"] = np.array([i for i, _ in EVENTS])
        group["timestamps"] = np.array([float(t) for _, t in EVENTS])


STRUCTURED = np.array([(i, 0, t, 0) for i, t in EVENTS],
                      dtype=[("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", "<i2")])  # fmt: skip
ARRAYS = {
    "tn.npy": lambda p: np.save(p, raster()),
    "nt.npy": lambda p: np.save(p, raster().T),
    "tn.npz": lambda p: np.savez(p, spikes=raster().astype(bool)),
    "float.npy": lambda p: np.save(p, raster().astype(np.float32)),
    "square.npz": lambda p: np.savez(p, spikes=np.diag([3, 0, 4, 1, 0, 1]), axes="NT"),
    "batch.npz": lambda p: np.savez(p, spikes=np.stack([raster(10)] * 2), axes="BTN"),
    "tonic.npy": lambda p: np.save(p, STRUCTURED),
    "brian.npz": lambda p: np.savez(p, i=[i for i, _ in EVENTS], t=[t * 0.1 for _, t in EVENTS]),
    "phy.npz": lambda p: np.savez(
        p, spike_ids=[i for i, _ in EVENTS], spike_times=[t for _, t in EVENTS]
    ),
    "rates.npy": lambda p: np.save(p, np.array(COUNTS) / 20),
    "single.npy": lambda p: np.save(p, (np.array(COUNTS) / 20).astype(np.float32)),
    "whole.npy": lambda p: np.save(p, np.array(COUNTS, dtype=float)),
    "spikes.h5": sonata_h5,
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_other_tools(tmp_path, snn, name, in_process):
    ARRAYS[name](tmp_path / name)
    assert with_spike_file(snn, tmp_path / name).spikes.tolist() == COUNTS


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.txt", "1 0\n2 0\n4 3\n5 0\n5 5\n", "both may be neurons"),
        ("a.csv", "1,0\n2,0\n4,3\n", "may be neurons, counts or times"),
        ("a.csv", "0,1.5\n2,3.25\n", "'1.5' beside a neuron"),
        ("a.txt", "0 0 1\n1 0 0\n0 1 1\n", "3 numbers in every row"),
        ("a.txt", "7 1\n", "neuron 7"),
        ("a.csv", "id,gid,time\n1,1,2\n", "no one column of ids"),
        ("a.csv", "sender,time_ms\n0,1\n", "neuron '0'"),
        ("a.csv", "axon,when\n1,2\n2,3\n", "a header that names ids and times"),
        ("a.csv", "id,time\n0,nan\n", "time 'nan'"),
        ("a.csv", "id,time\n6,1\n", "neuron '6'"),
        ("a.csv", "id,rate\n0,0.12345678\n", "--spike-window"),
    ],
)
def test_two_readings_are_one_refusal(tmp_path, snn, name, text, found):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        with_spike_file(snn, tmp_path / name)
    assert found in str(caught.value)


def test_options_decide(tmp_path, snn):
    def read(name, **options):
        return with_spike_file(snn, tmp_path / name, None, read_options(options)).spikes.tolist()

    (tmp_path / "a.txt").write_text(table(TURNED, " "))
    assert read("a.txt", spike_columns="time,id") == COUNTS
    np.save(tmp_path / "pairs.npy", np.array(EVENTS))
    assert read("pairs.npy", spike_columns="id,time") == COUNTS
    np.save(tmp_path / "square.npy", np.diag(COUNTS))
    assert read("square.npy", spike_axes="TN") == COUNTS
    np.save(tmp_path / "rates.npy", np.array(COUNTS) / 20)
    assert read("rates.npy", spike_window="100") == [15, 0, 20, 5, 0, 5]
    (tmp_path / "wide.csv").write_text("cell,when,q\n0,1,x\n0,2,y\n")
    assert read("wide.csv", spike_columns="cell,when") == [2, 0, 0, 0, 0, 0]


def test_cameras_and_unknown_populations_are_refused(tmp_path, snn, in_process):
    camera = STRUCTURED.copy()
    camera["y"][0] = 1
    np.save(tmp_path / "camera.npy", camera)
    with pytest.raises(InputError, match="events of several y"):
        with_spike_file(snn, tmp_path / "camera.npy")
    sonata_h5(tmp_path / "two.h5")
    with h5py.File(tmp_path / "two.h5", "r+") as file:
        file.copy("spikes/cortex", "spikes/thalamus")
    with pytest.raises(InputError, match="no such population"):
        with_spike_file(snn, tmp_path / "two.h5")


def test_rates_are_decimals_and_keep_their_proportions():
    rates = np.array([0.02, 0.9, 0.3, 0.001], dtype=np.float32)
    counts, how = whole_counts(rates, None)
    assert (counts.tolist(), how) == ([20, 900, 300, 1], "x 1000")
    counts, how = whole_counts(np.array([0.15, 0.05]), Fraction(100))
    assert (counts.tolist(), how) == ([15, 5], "x 100")
    counts, how = whole_counts(np.array([np.pi, 1e-9]), None, rounds=True)
    assert counts.tolist() == [3142, 1]
    assert "rounded to the nearest whole" in how
    with pytest.raises(ValueError, match="spike-window"):
        whole_counts(np.array([np.pi]), None)


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=8), st.sampled_from([1, 8, 10, 1000]))
@settings(max_examples=60, deadline=None)
def test_scales_are_exact(numerators, scale):
    for kind in (np.float64, np.float32):
        rates = (np.array(numerators) / scale).astype(kind)
        counts, how = whole_counts(rates, None)
        used = int(how[2:] or 1) if how else 1
        assert exact_scale(rates) == used
        assert [Fraction(c, used) for c in counts.tolist()] == [
            Fraction(n, scale) for n in numerators
        ]


@st.composite
def recordings(draw):
    events = draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30)), min_size=1))
    parts = draw(st.permutations(["id", "time", *(["x"] if draw(st.booleans()) else [])]))
    words = {"id": draw(st.sampled_from(["id", "neuron_id", "node_ids", "i"])),
             "time": draw(st.sampled_from(["time", "t", "timestamps"])), "x": "pop"}  # fmt: skip
    mark = draw(st.sampled_from([",", ";", "\t", " "]))
    half = draw(st.sampled_from([0, 0.5]))
    rows = [{"id": i, "time": t + half, "x": "q"} for i, t in events]
    lines = [[words[p] for p in parts]] if draw(st.booleans()) else []
    lines += [[str(row[p]) for p in parts] for row in rows]
    counts = [sum(i == n for i, _ in events) for n in range(6)]
    return table(lines, mark), counts, draw(st.sampled_from(["a.csv", "a.txt", "a.dat"]))


def read_equals_written(folder, snn, case):
    text, counts, name = case
    (folder / name).write_text(text)
    cells = [line.split(mark) for line in text.splitlines() for mark in ",;\t" if mark in line]
    # A line for every neuron, nothing above: neuron,spikes by definition.
    assume(sorted(row[0] for row in cells) != list("012345"))
    try:
        read = with_spike_file(snn, folder / name, None, ReadOptions())
    except InputError:
        return
    assert read.spikes.tolist() == counts, text


@given(case=recordings())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_events_are_read_as_written_or_refused(tmp_path, snn, case):
    read_equals_written(tmp_path, snn, case)


@pytest.mark.full
@given(case=recordings())
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_events_are_read_as_written_or_refused_many_times(tmp_path, snn, case):
    read_equals_written(tmp_path, snn, case)


@pytest.mark.parametrize(
    ("arrays", "counts"),
    [
        ({"senders": [1, 1, 4], "times": [1.0, 2.0, 3.0]}, [2, 0, 0, 1, 0, 0]),
        ({"i": [0, 0, 3], "t": [1.0, 2.0, 3.0]}, [2, 0, 0, 1, 0, 0]),
    ],
)
def test_senders_are_nests_and_count_from_one(tmp_path, snn, arrays, counts):
    np.savez(tmp_path / "s.npz", **arrays)
    assert with_spike_file(snn, tmp_path / "s.npz").spikes.tolist() == counts


def test_options_that_contradict_a_header_are_refused(tmp_path, snn):
    (tmp_path / "s.csv").write_text("node_ids,timestamps\n0,1\n3,2\n")
    told = read_options({"spike_columns": "time,id"})
    with pytest.raises(InputError, match="both call alike"):
        with_spike_file(snn, tmp_path / "s.csv", options=told)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sender\ttime_ms\tV_m\n1\t1.0\t-70\n1\t2.0\t-69\n", "column 'V_m', no spikes"),
        ("id,time,current\n1,1.0,3\n", "column 'current', no spikes"),
        ("t,i,trial\n1,0,0\n2,0,1\n", "trials 0, 1"),
        ("sample,neuron,spikes\n0,0,1\n1,1,2\n", "trials 0, 1"),
    ],
)
def test_columns_that_make_other_spikes_are_refused(tmp_path, snn, text, why):
    (tmp_path / "s.dat").write_text(text)
    with pytest.raises(InputError, match=why):
        with_spike_file(snn, tmp_path / "s.dat")


def test_a_multimeter_archive_is_refused(tmp_path, snn):
    np.savez(tmp_path / "s.npz", senders=[1, 1], times=[1.0, 2.0], V_m=[-70.0, -69.0])
    with pytest.raises(InputError, match="array 'V_m', no spikes"):
        with_spike_file(snn, tmp_path / "s.npz")
