"""Every label in the docstring of a constraint method stands in formulations/README.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[2] / "formulations"
LABEL = re.compile(r'"""\((?:B|S|J|C|E|W|P|T)[0-9+]*[a-z]*\)')


@pytest.mark.parametrize("stage", ["binding", "ordering", "joint", "whole", "buffers"])
def test_every_label_is_in_the_table(stage: str):
    table = (ROOM / "README.md").read_text(encoding="utf-8")
    files = sorted(f for f in (ROOM / stage).glob("*.py") if f.name != "__init__.py")
    assert files
    for file in files:
        assert f"`{stage}/{file.name}`" in table
        for label in LABEL.findall(file.read_text(encoding="utf-8")):
            assert label.removeprefix('"""') in table, f"{file.name}: {label}"
