"""README shows what compare printed, and its commands exist."""

import csv
import re
from importlib import import_module
from pathlib import Path

import pytest
from commands import run_command

from optmap.experiment.run.store import Store
from optmap.experiment.tables.best_known import read_copy
from optmap.experiment.tables.derived import BEST_KNOWN
from optmap.experiment.tables.headline import headline_markdown
from optmap.experiment.tables.publish import BEGIN, END, HEADLINE, readme_part, results_page

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
REFERENCE = ROOT / "results" / "reference"


def reference_rows():
    store = Store(REFERENCE)
    store.read()
    with (REFERENCE / "runs.csv").open(newline="") as table:  # in the order of the tables
        return store.typed([row["key"] for row in csv.DictReader(table)])


def test_the_result_table_is_the_reference_runs():
    rows, known = reference_rows(), read_copy(REFERENCE / BEST_KNOWN)
    headline = (REFERENCE / HEADLINE).read_text()
    assert README.split(BEGIN)[1].split(END)[0] == readme_part(headline)
    assert (ROOT / "docs" / "results.md").read_text() == results_page(rows, known, headline)
    assert headline == headline_markdown(rows, known)


def test_the_reference_run_is_sound():
    rows = reference_rows()
    assert len(rows) > 50
    assert {row.check for row in rows} == {"ok"}
    assert sum(p.stat().st_size for p in REFERENCE.rglob("*") if p.is_file()) < 8_000_000


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"python -m (optmap(?:\.\w+)+)", README)))
)
def test_commands_have_help_with_an_example_and_a_version(command):
    module = import_module(f"{command}.__main__" if command == "optmap.sdf" else command)
    assert 'if __name__ == "__main__":' in Path(module.__file__ or "").read_text()
    done = run_command(module.main, "--help")
    assert done.returncode == 0
    assert "example" in done.stdout
    version = run_command(module.main, "--version")
    assert version.returncode == 0
    assert version.stdout.startswith("optmap ")
