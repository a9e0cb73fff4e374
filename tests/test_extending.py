"""The code on the page about extending runs as it stands, block after block."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```python(?: file=(\S+))?\n(.*?)```", re.DOTALL)


def test_the_page_runs_from_top_to_bottom(tmp_path):
    blocks = BLOCK.findall(PAGE)
    assert len(blocks) >= 6
    script = ""
    for name, text in blocks:
        if name:
            (tmp_path / name).write_text(text)
        else:
            script += text
    (tmp_path / "page.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "page.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "SNN(4 neurons, 3 synapses, 2 inputs" in done.stdout
    assert "hops per spike" in done.stdout


def test_the_files_that_the_page_names_are_there():
    for name in re.findall(r"`((?:optmap|formulations|tests)/[\w/.]+)`", PAGE):
        assert (ROOT / name).exists(), name
