"""Networks like AxonFlow's: limits, partitions of a user's own copy, and forged figures."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from optmap.errors import InputError
from optmap.experiment.rivals import axonflow
from optmap.experiment.rivals.axonflow import Cut, chip, judged, read_partition
from optmap.generators.generate import generate
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.readers.snn_hypergraph import read_hypergraph, write_hypergraph
from optmap.rivals import main

NAME = "gen:reservoir-2d-256-16"


@pytest.fixture(scope="module")
def snn():
    return generate(NAME)


def test_connectivity_is_that_of_the_definition(snn):
    rng = np.random.default_rng(1)
    part = rng.integers(0, 5, snn.num_units).tolist()
    of = dict(zip(snn.units.tolist(), part, strict=True))
    expected = 0
    post = snn.post_of_synapse()
    for i in range(snn.num_neurons):
        blocks = {of[u] for u in post[snn.indices == i].tolist()} | ({of[i]} if i in of else set())
        expected += int(snn.spikes[i]) * max(0, len(blocks) - 1)
    assert judged(snn, chip("loihi64"), part) == (5, expected)


def test_limits_are_kept(snn):
    small = Platform("small", (Tile(Crossbar(256, 100), slots=1),) * 4, Interconnect("mesh", 2, 2))
    with pytest.raises(ValueError, match=r"part of 256 neurons .* at most 100"):
        judged(snn, small, [0] * snn.num_units)
    with pytest.raises(ValueError, match="parts of 3 neurons"):
        judged(snn, small, [0, 1, 2])
    assert (chip("loihi64").num_tiles, chip("loihi84").num_tiles) == (4096, 7056)


def test_a_partition_file_is_read_and_judged(tmp_path: Path, snn, capsys):
    file = tmp_path / "parts.txt"
    lines = [str(n % 3) for n in range(snn.num_neurons)]
    file.write_text("\n".join(lines) + "\n")
    parts = read_partition(file, snn)
    assert parts == [u % 3 for u in snn.units.tolist()]
    assert main(["--partition", str(file), "--network", NAME]) == 0
    _, value = judged(snn, chip("loihi64"), parts)
    assert capsys.readouterr().out == f"3 parts, connectivity {value:,}\n"
    for text, match in (("0\n1\n", "2 lines"), ("\n".join(["x", *lines[1:]]), "line 1: found 'x'")):
        file.write_text(text)
        with pytest.raises(InputError, match=match):
            read_partition(file, snn)


def test_parts_of_a_network_in_its_own_format_are_judged(tmp_path: Path, capsys):
    """Six neurons by hand: 0 sends to 1, 2, 3 (five spikes), 3 to 4 (two), 4 to 5 and 0 (one)."""
    edges = (((1, 2, 3), 0, 5.0), ((4,), 3, 2.0), ((5, 0), 4, 1.0))
    words = struct.pack("<2I", 6, len(edges))
    for targets, source, frequency in edges:
        words += struct.pack(f"<2I{len(targets)}If", len(targets), source, *targets, frequency)
    network, file = tmp_path / "net.snn", tmp_path / "parts.txt"
    network.write_bytes(words)
    given = ["--partition", str(file), "--network", str(network), "--limits", "loihi84"]
    # source 0 enters two parts more than its own (10), source 3 one (2), source 4 none, then both
    for lines, expected in (("0 0 1 2 0 0", "3 parts, connectivity 12\n"), ("7 7 7 7 7 7", "1 ")):
        file.write_text(lines.replace(" ", "\n") + "\n")
        assert main(given) == 0
        assert capsys.readouterr().out.startswith(expected)
    write_hypergraph(tmp_path / "again.snn", read_hypergraph(network))
    assert read_hypergraph(tmp_path / "again.snn") == read_hypergraph(network)
    file.unlink()
    command = [sys.executable, "-m", "optmap.rivals", *given]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert f"{file}: found No such file or directory" in ended.stderr


def test_forged_cuts_are_found(tmp_path: Path, snn):
    part = [u * 4 // snn.num_neurons for u in snn.units.tolist()]
    parts, value = judged(snn, chip("loihi64"), part)
    cut, file = Cut(NAME, "loihi64", parts, value, 0, 0.0, tuple(part)), tmp_path / "axonflow.json"
    for stored, wrong in (
        (cut, 0),
        (replace(cut, connectivity=value - 1), 1),
        (replace(cut, bound=value + 1), 1),
        (replace(cut, cluster_of=(0,)), 1),
    ):
        file.write_text(json.dumps({"cuts": [asdict(stored)]}))
        assert len(axonflow.verify(file)) == wrong
