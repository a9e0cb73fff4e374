"""Networks like AxonFlow's: limits, partitions of a user's own copy, and forged figures."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from optmap.errors import InputError
from optmap.experiment.rivals import axonflow
from optmap.experiment.rivals.axonflow import Cut, chip, judged, read_partition
from optmap.generators.generate import generate
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
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
