"""TOML fields: exact numbers, their sources, and one line for whatever is wrong."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from optmap.errors import InputError
from optmap.toml_fields import MAX_BYTES, Table, read_toml


def table(tmp_path: Path, text: str) -> Table:
    file = tmp_path / "t.toml"
    file.write_text(text, encoding="utf-8")
    return read_toml(file)


def refusal(error: pytest.ExceptionInfo[InputError]) -> tuple[str, str, str]:
    assert len(str(error.value).splitlines()) == 1
    return error.value.field, error.value.found, error.value.expected


def test_decimals_are_exact_fractions(tmp_path: Path):
    t = table(tmp_path, "a = 1.8\nb = 1_000.25e-1\nc = { value = 0.1, source = 'S20' }\nd = 3")
    assert t.number("a", 0) == Fraction(9, 5)
    assert t.number("b", 0) == Fraction(100025, 1000)
    assert t.number("c", 0) == Fraction(1, 10)
    assert t.whole("d", 3) == 3
    assert t.number("e", 0, Fraction(1, 3)) == Fraction(1, 3)
    t.close()
    assert t.sources == {
        "a": "assumed",
        "b": "assumed",
        "c": "S20",
        "d": "assumed",
        "e": "assumed (default)",
    }


def test_names_are_dotted_and_indexed(tmp_path: Path):
    top = table(tmp_path, "[a.b]\nc = 1\n[[list]]\n[[list]]\nd = 'x'")
    assert top.table("a").table("b").name_of("c") == "a.b.c"
    assert [t.name_of("d") for t in top.tables("list")] == ["list[0].d", "list[1].d"]
    assert top.table("nothing").data == {}


@pytest.mark.parametrize(
    "value",
    [
        "true",
        "'3'",
        "nan",
        "inf",
        "-inf",
        "-1",
        "-0.5",
        "[1]",
        "1979-05-27",
        "1e999999999",
        "1e-999999999",
        "0x" + "f" * 5000,
        "-0x" + "f" * 5000 if False else "-" + "9" * 4000,
        "{ source = 'S20' }",
        "{ value = 1, sauce = 'S20' }",
        "{ value = 1, source = 3 }",
        "{ value = 'one' }",
        "{ value = -1 }",
    ],
)
def test_no_number(tmp_path: Path, value: str):
    t = table(tmp_path, f"[time]\nx = {value}")
    with pytest.raises(InputError) as error:
        t.table("time").whole("x", 0)
    field, found, _ = refusal(error)
    assert field.startswith("time.x")
    assert len(found) < 200


@pytest.mark.parametrize(("value", "found"), [("1.5", "1.5"), ("1099511627777", "1099511627777")])
def test_no_whole_number(tmp_path: Path, value: str, found: str):
    with pytest.raises(InputError) as error:
        table(tmp_path, f"x = {value}").whole("x", 0)
    assert refusal(error)[:2] == ("x", found)


def test_absent_fields_that_must_be_there(tmp_path: Path):
    t = table(tmp_path, "")
    for read in (t.text, t.tables, t.rows, lambda f: t.number(f, 0), lambda f: t.whole(f, 0)):
        with pytest.raises(InputError) as error:
            read("x")
        assert refusal(error)[:2] == ("x", "nothing")
    assert t.whole_or_none("x", 1) is None


def test_wrong_types(tmp_path: Path):
    t = table(tmp_path, "a = 1\nb = 'maybe'\nc = [1, 2]\nd = 'x'")
    for read, field, expected in (
        (t.text, "a", "a string"),
        (lambda f: t.flag(f, True), "b", "true or false"),
        (t.table, "a", "a table"),
        (t.tables, "c", "an array of tables [[c]]"),
        (lambda f: t.choice(f, ("mesh", "torus")), "d", "one of mesh, torus"),
    ):
        with pytest.raises(InputError) as error:
            read(field)
        assert refusal(error)[0] == field
        assert refusal(error)[2] == expected


@pytest.mark.parametrize(
    "matrix",
    ["1", "[1]", "[[0, 1]]", "[[0, 1], [1]]", "[[0, -1], [1, 0]]", "[[0, 1.0], [1, 0]]",
     "[[false, 1], [1, 0]]", "[[0, 1048577], [1, 0]]", "[['a']]"],
)  # fmt: skip
def test_no_matrix(tmp_path: Path, matrix: str):
    assert table(tmp_path, "m = [[0, 1], [2, 0]]").rows("m") == [[0, 1], [2, 0]]
    with pytest.raises(InputError) as error:
        table(tmp_path, f"m = {matrix}").rows("m")
    assert refusal(error)[0] == "m"


def test_unknown_fields_are_refused_with_the_known_ones(tmp_path: Path):
    t = table(
        tmp_path,
        "hop_ticks = 1\n'hop\\ntiks' = 2".replace("'hop", '"hop').replace("tiks'", 'tiks"'),
    )
    t.whole("hop_ticks", 0)
    t.whole("base_ticks", 0, 1)
    with pytest.raises(InputError) as error:
        t.close()
    assert refusal(error) == ("hop\ntiks", "an unknown field", "one of base_ticks, hop_ticks")


@pytest.mark.parametrize(
    "content",
    [
        b"a = ",
        b"a = 1\na = 2",
        b"\xff\xfe",
        b"a = " + b"[" * 5000,
        b"a = " + b"9" * 5000,
        b"a = 2020-13-45",
    ],
)
def test_no_toml(tmp_path: Path, content: bytes):
    file = tmp_path / "t.toml"
    file.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_toml(file)
    assert refusal(error)[2] == "a TOML file"
    assert error.value.where == str(file)


def test_no_file_a_folder_and_far_too_much(tmp_path: Path):
    for path in (tmp_path / "nothing.toml", tmp_path):
        with pytest.raises(InputError) as error:
            read_toml(path)
        assert error.value.where == str(path)
    file = tmp_path / "large.toml"
    file.write_text("#" * (MAX_BYTES + 1))
    with pytest.raises(InputError, match="at most"):
        read_toml(file)
