"""The publications' experiments: figures show what rows say, files are whole and verified."""

from __future__ import annotations

import csv
import errno
import io
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction
from math import sqrt
from pathlib import Path

import pytest
from stored_rows import stored_row

from optmap import command_line, reproduce
from optmap.command_line import guarded
from optmap.experiment.reproduction.admission import admission, application
from optmap.experiment.reproduction.figures import FIGURES, METHODS
from optmap.experiment.reproduction.page import files, page
from optmap.experiment.reproduction.programs import BASE, PROGRAMS, program_named
from optmap.experiment.reproduction.results import AT_BASE, Results, geometric
from optmap.experiment.reproduction.svg import Picture
from optmap.experiment.reproduction.tokens import _line
from optmap.methods import METHODS as KNOWN
from optmap.model.buffer_front import BufferFront, BufferPoint
from optmap.model.grade import Grade
from optmap.model.mapping import Buffers
from optmap.model.outcome import Limits
from optmap.reproduce import NAMES, jobs_of, main
from optmap.trade_offs import BufferTradeOff

PERIODS = {"spinemap": 100, "pacman": 80, "dfsynthesizer": 50, "song2020": 60, "whole": 25}


def results(programs=("a", "b")):
    """Return rows of every method at the base; periods of b are four times those of a."""
    rows = {}
    for program, factor in zip(programs, (1, 4), strict=False):
        for method in METHODS:
            period = PERIODS.get(method, 70) * factor
            row = stored_row(program, method, 4, period)
            rows[program, method, AT_BASE] = replace(row, digest=program)
    return Results(programs, rows)


FIGURE = {figure.name: figure for figure in FIGURES}


def test_every_program_is_there_on_the_same_platform():
    assert len(PROGRAMS) == 10
    for program in PROGRAMS:
        instance = program.on({}).instance
        assert instance.platform.num_tiles == BASE["tiles"]
        assert instance.platform.kinds == ((BASE["size"], BASE["size"]),)
    assert program_named("heart-rate").name == "heart rate"
    with pytest.raises(ValueError, match="expected one of LeNet"):
        program_named("LeMet")


def test_every_figure_needs_known_methods_and_is_one_command():
    assert set(NAMES) - {f.name for f in FIGURES} == {"tokens", "admission"}
    for figure in FIGURES:
        assert {method for method, _ in figure.needs} <= set(KNOWN)
    jobs = jobs_of(FIGURES, [program_named("MLP")], Limits(1.0))
    assert len({job.key() for job in jobs.values()}) == len(jobs)  # nothing is run twice
    axes = {name for _, _, changes in jobs for name, _ in changes}
    assert axes == {"tiles", "size", "buffers", "buffers_tokens"}


def test_throughput_is_relative_and_turned_round():
    shown = FIGURE["throughput"].show(results())
    table = shown.tables[0]
    assert table.title == "throughput relative to spinemap"
    line = next(line for line in table.lines if line[0] == "dfsynthesizer")
    assert line[1:] == ["2", "2", "2"]
    assert "Its throughput is 2 times" in shown.verdict
    assert "better on 2 of 2 programs" in shown.verdict
    assert "have 2 times DFSynthesizer's" in shown.verdict


def test_a_curve_takes_programs_with_every_value_only():
    found = results()
    rows = dict(found.rows)
    for tiles, factor in ((1, 2), (2, 1), (8, 1), (16, 1)):
        row = stored_row("a", "song2020", 4, 60 * factor)
        rows["a", "song2020", (("tiles", tiles),)] = replace(row, digest=f"a{tiles}")
    shown = FIGURE["tiles"].show(replace(found, rows=rows))
    line = next(line for line in shown.tables[0].lines if line[0] == "song2020")
    assert line[-1] == "1"  # b has no row but at the base
    assert line[1] == "8,333.3"  # 10^6 ticks by 120
    assert "song2020 2.00 times from 1 to 16" in shown.verdict


def test_geometric_mean():
    assert geometric([1.0, 2.0]) == pytest.approx(sqrt(2))


@pytest.mark.parametrize("name", FIGURE)
def test_files_say_every_cell_and_pictures_are_whole(name):
    figure = FIGURE[name]
    shown = figure.show(results())
    made = dict(files(name, figure.title, figure.claim, shown))
    lines = list(csv.DictReader(io.StringIO(made[f"{name}.csv"])))
    cells = sum(len(line) - 1 for table in shown.tables for line in table.lines)
    assert len(lines) == cells
    assert shown.verdict in made[f"{name}.md"]
    for file, text in made.items():
        if file.endswith(".svg"):
            root = ET.fromstring(text)
            assert root.get("aria-label")
    text = page([(name, figure.title, figure.claim, shown)], PROGRAMS, ["note"], "r/", "../docs/")
    assert figure.claim in text
    assert shown.verdict in text


def test_a_picture_of_nothing_or_one_value_is_drawn():
    for values in ([None], [3.0]):
        ET.fromstring(Picture("t", "x", "y", ["1"], {"a": values}).svg())


def test_admission_repeats_its_periods():
    programs = [program_named("smoothing"), program_named("pursuit")]
    first, second = admission(programs, 0), admission(programs, 0)
    shown = [[line[:5] for line in s.tables[0].lines] for s in (first, second)]
    assert shown[0] == shown[1]
    assert [line[0] for line in shown[0]] == ["smoothing", "pursuit"]
    prepared = application(programs[1], programs[1].on({}).instance.platform)
    assert shown[0][1][1] == str(prepared.graph.num_clusters)


def test_a_line_says_both_ends_and_where_the_limit_ended_the_front():
    def point(total: int, period: int, bound: int, grade: Grade = Grade.CERTIFIED) -> BufferPoint:
        return BufferPoint(total, Fraction(period), Buffers(()), bound, grade)

    ends = point(60, 30, 60), point(80, 20, 70, Grade.CLAIMED)
    whole = BufferTradeOff(BufferFront(ends[:1], None), 100, 60, 60, Grade.CERTIFIED)
    assert _line("a", 7, whole) == [
        *("a", "7", "100", "60", "30", "60", "40.0", "1", "both ends, certified")
    ]
    part = BufferTradeOff(BufferFront(ends, 65), 100, 80, 70, Grade.CLAIMED)
    assert _line("a", 7, part)[3:] == [
        *("60", "30", "80 (>= 70)", "20.0", "2, all below 65", "bounds, claimed")
    ]
    # the fewest tokens that run are 50 at least, 80 were found, and those have the shortest period
    open_ = BufferTradeOff(BufferFront(ends[1:], 50), 100, 80, 70, Grade.CERTIFIED)
    assert _line("a", 7, open_)[3:5] == ["80 (>= 50)", "20"]
    nothing = BufferTradeOff(BufferFront((), None), 100, None, None, Grade.CLAIMED)
    assert _line("a", 7, nothing)[3:7] == ["-", "-", "-", "-"]


@pytest.mark.full
def test_tokens_of_stored_mappings_are_few_and_proved(tmp_path):
    out = tmp_path / "out"
    command = ["--figure", "tokens", "--programs", "heart-rate", "--out", str(out)]
    assert main([*command, "--limit", "20", "--jobs", "1"]) == 0
    lines = list(csv.DictReader((out / "tokens.csv").read_text().splitlines()))
    said = {(x["row"], x["column"]): x["value"] for x in lines if x["table"].startswith("Tokens")}
    for method in ("song2020", "overlap-spikes"):
        name = f"heart rate, {method}"
        assert said[name, "proved"].startswith("both ends")
        fewest, given = (
            int(said[name, c].replace(",", "")) for c in ("fewest, own period", "tokens")
        )
        assert 0 < fewest < given


@pytest.mark.full
def test_a_figure_is_resumed_and_its_run_verified(tmp_path, capsys):
    from optmap.verify import main as verify

    out = tmp_path / "out"
    command = ["--figure", "buffers", "--programs", "smoothing", "--out", str(out), "--limit", "20"]
    assert main(command) == 0
    first = (out / "buffers.md").read_text()
    assert main(command) == 0
    command[1] = "tokens"  # of the same rows
    assert main(command) == 0
    assert "no channel" in (out / "tokens.md").read_text()
    assert "0 of 15 rows to run" in capsys.readouterr().err
    assert (out / "buffers.md").read_text() == first
    assert verify([str(out / "run")]) == 0


class _Full(io.StringIO):
    """A full disk."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_output_that_cannot_be_written_is_said_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(reproduce, "run", lambda *_: pytest.fail("rows are run"))
    monkeypatch.setattr(sys, "stdout", _Full())
    monkeypatch.setattr(command_line, "_discard_output", lambda: None)  # a descriptor's
    assert guarded(main, ["--out", str(tmp_path / "out"), "--figure", "tiles"]) == 1
    assert capsys.readouterr().err == "error: standard output: No space left on device\n"
    assert list(tmp_path.iterdir()) == []
