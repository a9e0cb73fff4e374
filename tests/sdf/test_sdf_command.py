"""``python -m optmap.sdf``: answers, exit status, and agreement with the published numbers."""

from __future__ import annotations

import csv
import itertools
import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from sdf_graphs import small_sdfg

from optmap.compiled import interpreted
from optmap.sdf import buffer_answer
from optmap.sdf.__main__ import analyse, main
from optmap.sdf.algorithms import ALGORITHMS, by_algorithm
from optmap.sdf.buffers import pareto_points
from optmap.sdf.graph import sdfg
from optmap.sdf.latency import latency
from optmap.sdf.throughput import throughput
from optmap.sdf.xml import read_sdf3, sdf3_text


def test_a_graph_as_python_is_as_compiled():
    """Small graphs are analysed by interpreted kernels; every algorithm says the same."""
    rng = np.random.default_rng(7)
    for _ in range(20):
        graph = small_sdfg(rng)
        with interpreted():
            here = analyse(graph, latency_of=(0, graph.num_actors - 1), check=True)
        assert here == analyse(graph, latency_of=(0, graph.num_actors - 1), check=True)


PAIR = [("A", "B", 2, 1, 0), ("B", "A", 1, 2, 2)]


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    path = tmp_path / "pair.xml"
    path.write_text(sdf3_text(sdfg([("A", 4), ("B", 1)], PAIR, name="pair")))
    return path


def answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict]:
    status = main([str(a) for a in arguments] + ["--json"])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return status, json.loads(out)


def rows(shared_data: Path, name: str) -> list[dict[str, str]]:
    with (shared_data / "sdf" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_published_throughputs_by_every_algorithm(shared_data: Path):
    for row in rows(shared_data, "expected.csv"):
        graph, _ = read_sdf3(shared_data / "sdf" / row["file"])
        assert (graph.num_actors, graph.num_channels) == (int(row["actors"]), int(row["channels"]))
        for algorithm in ALGORITHMS:
            result = by_algorithm(graph, algorithm)
            assert result.status == row["status"], (row["file"], algorithm)
            assert sum(result.repetitions) == int(row["sum_of_repetition_vector"])
            if result.status == "live":
                assert result.throughput == Fraction(row["throughput"])
                assert result.period == Fraction(row["period"])


def test_published_buffer_distributions(shared_data: Path):
    expected = rows(shared_data, "expected_buffers.csv")
    for file in {row["file"] for row in expected}:
        graph, _ = read_sdf3(shared_data / "sdf" / file)
        points = pareto_points(graph)
        wanted = [row for row in expected if row["file"] == file and row["pareto_minimal"] == "yes"]
        assert [(p.total, p.throughput) for p in points] == [
            (int(row["total_tokens"]), Fraction(row["throughput"])) for row in wanted
        ]
        for point, row in zip(points, wanted, strict=True):
            named = dict(zip(graph.channel_names, point.capacities, strict=True))
            assert named == json.loads(row["capacity_per_channel_tokens_json"])


def test_published_latencies(shared_data: Path):
    for row in rows(shared_data, "expected_latency.csv"):
        graph, _ = read_sdf3(shared_data / "sdf" / row["file"])
        found = latency(graph, graph.actor(row["src_actor"]), graph.actor(row["dst_actor"]))
        assert found.self_timed == Fraction(row["selftimed_latency"])
        assert found.minimal == Fraction(row["minimal_latency"])
        assert found.single_processor == Fraction(row["single_processor_minimal_latency"])
        assert found.offset == int(row["iteration_offset_dst_firing_index"])


def test_the_command_prints_the_published_numbers(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
):
    for row in rows(shared_data, "expected.csv"):
        status, found = answer(capsys, shared_data / "sdf" / row["file"], "--check")
        assert status == 0
        assert (found["status"], found["throughput"], found["period"]) == (
            row["status"],
            row["throughput"],
            row["period"],
        )
        assert found["strongly_connected"] == (row["strongly_connected"] == "yes")
        assert set(found["algorithms"].values()) == {row["throughput"]}


def test_one_object_with_everything(pair: Path, capsys: pytest.CaptureFixture[str]):
    status, found = answer(
        capsys, pair, "--throughput", "--latency", "A", "B", "--buffers", "--critical-cycle"
    )
    assert status == 0
    assert found["throughput"] == "1/5"
    assert found["period"] == "5"
    assert found["rates"] == {"A": "1/5", "B": "2/5"}
    assert found["repetitions"] == {"A": 1, "B": 2}
    assert sorted(found["critical_cycle"]["actors"]) == ["A", "B"]
    assert found["latency"] == {
        "source": "A",
        "target": "B",
        "self_timed": "5",
        "minimal": "5",
        "single_processor": "6",
        "offset": 1,
    }
    assert found["buffers"] == [{"total": 4, "throughput": "1/5", "capacities": {"c0": 2, "c1": 2}}]
    assert found["failures"] == found["notes"] == []


def test_a_table_for_people(pair: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(pair), "--latency", "A", "B", "--buffers", "--critical-cycle"]) == 0
    out = capsys.readouterr().out
    assert "throughput    1/5 iterations per time unit" in out
    assert "critical cycle A -[c0]-> B -[c1]-> A" in out
    assert "A to B: self-timed 5, minimal 5, on one processor 6 (firing 1)" in out
    assert "4  1/5  c0=2 c1=2" in out


def test_deadlock_unbounded_and_inconsistent_are_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "graph.xml"
    path.write_text(
        sdf3_text(sdfg([("A", 4), ("B", 1)], [("A", "B", 1, 1, 0), ("B", "A", 1, 1, 0)]))
    )
    status, found = answer(capsys, path)
    assert (status, found["status"], found["throughput"], found["period"]) == (
        0, "deadlock", "0", "inf",
    )  # fmt: skip
    assert main([str(path)]) == 0
    assert "blocking cycle A -[c0]-> B -[c1]-> A" in capsys.readouterr().out

    path.write_text(sdf3_text(sdfg([("A", 4), ("B", 1)], [("A", "B", 1, 1, 0)])))
    status, found = answer(capsys, path)
    assert (status, found["status"], found["throughput"], found["period"]) == (
        0, "unbounded", "inf", "0",
    )  # fmt: skip
    assert found["rates"] == {"A": "inf", "B": "inf"}
    assert main([str(path)]) == 0
    assert "unbounded     A; B (on their own)" in capsys.readouterr().out
    status, found = answer(capsys, path, "--auto-concurrency", 1)
    assert (status, found["throughput"]) == (0, "1/4")

    path.write_text(sdf3_text(sdfg([("A", 4)], [("A", "A", 1, 2, 0)])))
    status, found = answer(capsys, path)
    assert (status, found["status"], found["throughput"]) == (0, "inconsistent", None)
    assert "'c0'" in found["reason"]
    assert main([str(path)]) == 0


def test_what_cannot_be_determined_is_exit_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "graph.xml"
    path.write_text(sdf3_text(sdfg([("A", 4), ("B", 1)], [("A", "B", 1, 1, 0)])))
    status, found = answer(capsys, path, "--latency", "A", "B", "--buffers")
    assert status == 1
    assert found["latency"]["self_timed"] is None
    assert found["buffers"] is None
    assert len(found["failures"]) == 2
    status, found = answer(capsys, path, "--buffers", "--at-least", "3/5")
    assert status == 0
    assert found["buffers"][-1]["throughput"] == "3/5"


def test_export_reads_back(pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "out.xml"
    assert main([str(pair), "--export", str(out), "--auto-concurrency", "1"]) == 0
    graph, _ = read_sdf3(out)
    assert graph.num_channels == 4
    assert throughput(graph).period == 6
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.xml"], "missing.xml: found No such file"),
        (["FILE", "--latency", "A", "X"], "--latency: found 'X', expected an actor"),
        (["FILE", "--at-least", "0"], "--at-least: found '0'"),
        (["FILE", "--at-least", "1/0"], "--at-least: found '1/0'"),
        (["FILE", "--auto-concurrency", "0"], "--auto-concurrency: found 0"),
        (["FILE", "--export", "missing/x.xml"], "missing/x.xml: found No such file"),
    ],
)
def test_bad_input_is_one_line_and_exit_status_2(
    arguments: list[str],
    message: str,
    pair: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(pair.parent)
    assert main([str(pair) if a == "FILE" else a for a in arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert (
        "python -m optmap.sdf instances/lenet_mnist_7.xml --latency actor_0 actor_7 --json"
        in capsys.readouterr().out
    )


def test_a_process_without_compilation_gives_the_same_answer(pair: Path):
    done = subprocess.run(
        [sys.executable, "-m", "optmap.sdf", str(pair), "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["throughput"] == "1/5"


def test_a_search_that_the_limit_ends_says_what_is_exact(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """A clock of the test's own: it has passed after so many looks at it."""
    path = tmp_path / "graph.xml"
    channels = [("A", "B", 2, 3, 0), ("B", "C", 1, 2, 0), ("A", "A", 1, 1, 1), ("B", "B", 1, 1, 1)]
    path.write_text(sdf3_text(sdfg([("A", 2), ("B", 3), ("C", 1)], channels)))
    command = [str(path), "--buffers", "--limit", "30"]
    assert main(command) == 0
    whole = capsys.readouterr()
    assert "ended by the limit" not in whole.out
    ends = []
    for seconds in (100.0, 6.0, 3.0, 1.0):
        monkeypatch.setattr(buffer_answer, "now", itertools.count(0.0, seconds).__next__)
        status, found = main(command), capsys.readouterr()
        *_, last = found.out.splitlines()
        if status == 0:
            assert found.out == whole.out
            continue
        assert last.startswith("ended by the limit: ")
        points = found.out.partition("capacity  throughput\n")[2].splitlines()[:-2]
        assert f"limit: {len(points) or 'no'} point" in last
        assert "the time is over" in found.err
        assert all(point in whole.out for point in points)
        ends.append(last)
        if seconds < 10:
            assert "s of 30" in found.err
    assert len(set(ends)) > 1
    monkeypatch.setattr(buffer_answer, "now", itertools.count(0.0, 6.0).__next__)
    status, data = answer(capsys, path, "--buffers", "--limit", "30")
    assert status == 1
    assert all(point["total"] < data["buffers_all_below"] for point in data["buffers"])
