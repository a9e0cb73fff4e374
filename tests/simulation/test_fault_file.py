"""Faults as a text, a seed, a file: what they say, and how wrong ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import optmap as om
from optmap.errors import InputError
from optmap.simulation.fault_file import read_faults
from optmap.simulation.faults import FaultRates, Faults, TileFaults, draw_faults

CHIP = om.Platform("p", (om.Tile(om.Crossbar(4, 3)),) * 2, om.Interconnect("mesh", 2, 1))

FILE = """\
cells = 0.25
seed = 4

[[tiles]]
tile = 1
cells = [[0, 2]]
rows = [3]
columns = [1]
"""


def test_a_seed_shares_and_a_file_say_the_faults(tmp_path: Path) -> None:
    assert read_faults("12") == Faults(FaultRates(0.01), 12)
    assert read_faults("cells=0.5, columns=1,seed=3") == Faults(FaultRates(0.5, 0, 1), 3)
    file = tmp_path / "faults.toml"
    file.write_text(FILE)
    found = read_faults(str(file))
    assert found == Faults(FaultRates(0.25), 4, {1: TileFaults(((0, 2),), (3,), (1,))})
    drawn = draw_faults(om.Crossbar(4, 3), FaultRates(0.25), 4 * 2 + 1)
    stuck = found.stuck(CHIP, 1)
    assert stuck[0, 2]
    assert stuck[3].all()
    assert stuck[:, 1].all()
    drawn[0, 2], drawn[3], drawn[:, 1] = True, True, True
    assert (stuck == drawn).all()


@pytest.mark.parametrize(
    "text",
    ["cells=2", "cells=x", "cells=nan", "cells=0.1,cells=0.2", "rows=0.1,lines=1", "seed=-1",
     "seed=x", "", "nothing.toml", "9" * 40, "cells=0.1,", "-1"],
)  # fmt: skip
def test_wrong_texts_are_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError) as told:
        read_faults(text)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "text",
    ["cells = 1.5", "rows = true", "seed = 0.5", "lines = 1", "[[tiles]]\nrows = [1]",
     "[[tiles]]\ntile = 0\nrows = 3", "[[tiles]]\ntile = 0\ncells = [1]",
     "[[tiles]]\ntile = 0\ncells = [[1]]", "[[tiles]]\ntile = 0\ncolumns = [-1]",
     "[[tiles]]\ntile = 0\ncolumns = [true]", "[[tiles]]\ntile = 0\n[[tiles]]\ntile = 0",
     "[[tiles]]\ntile = 0\ncolumn = [1]", "tiles = 3"],
)  # fmt: skip
def test_wrong_files_are_refused_in_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "faults.toml"
    file.write_text(text + "\n")
    with pytest.raises(InputError) as told:
        read_faults(str(file))
    assert "\n" not in str(told.value)
    assert "faults.toml" in str(told.value)


@pytest.mark.parametrize("known", [TileFaults(rows=(4,)), TileFaults(cells=((0, 3),))])
def test_a_fault_outside_the_crossbar_is_refused(known: TileFaults) -> None:
    with pytest.raises(ValueError, match="of tile 0, which has"):
        Faults(known={0: known}).stuck(CHIP, 0)
