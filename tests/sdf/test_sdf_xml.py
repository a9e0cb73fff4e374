"""SDF3 XML: round trip, exact times, one clear line per fault, nothing outside the file opened."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import ParseError, fromstring

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sdf_graphs import small_sdfg

from optmap.errors import InputError
from optmap.sdf.graph import SDFG, sdfg
from optmap.sdf.xml import decimal, parse_sdf3, read_sdf3, sdf3_text
from optmap.sdf.xml_columns import plain_part
from optmap.sdf.xml_reader import Reader

GOOD = """<?xml version="1.0" encoding="UTF-8"?>
<sdf3 type="sdf" version="1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <applicationGraph name="pair">
    <sdf name="pair" type="Pair">
      <actor name="A" type="A"><port name="out" type="out" rate="2"/></actor>
      <actor name="B" type="B"><port name="in" type="in" rate="3"/></actor>
      <channel name="AB" srcActor="A" srcPort="out" dstActor="B" dstPort="in" initialTokens="4"/>
    </sdf>
    <sdfProperties>
      <actorProperties actor="A">
        <processor type="p" default="true"><executionTime time="2.50"/></processor>
      </actorProperties>
      <actorProperties actor="B">
        <processor type="p" default="true"><executionTime time="3"/></processor>
      </actorProperties>
      <channelProperties channel="AB"><tokenSize sz="32"/></channelProperties>
    </sdfProperties>
  </applicationGraph>
</sdf3>
"""


def parse(text: str) -> tuple[SDFG, list[str]]:
    return parse_sdf3(text.encode(), "file.xml")


def test_reads_a_small_graph():
    graph, notes = parse(GOOD)
    assert notes == []
    assert (graph.name, graph.actor_names, graph.channel_names) == ("pair", ("A", "B"), ("AB",))
    assert (graph.production[0], graph.consumption[0], graph.tokens[0]) == (2, 3, 4)
    assert [graph.units(t) for t in graph.execution_time.tolist()] == [Fraction(5, 2), 3]
    assert graph.ticks_per_unit == 2
    assert graph.token_size is not None
    assert graph.token_size.tolist() == [32]


@given(st.integers(0, 10**6))
@example(1)
def test_written_graphs_read_back_equal(seed: int):
    rng = np.random.default_rng(seed)
    graph = small_sdfg(rng, ring=bool(rng.integers(0, 2)))
    graph = replace(graph, ticks_per_unit=int(rng.choice([1, 2, 8, 10, 125])))
    if rng.integers(0, 2):
        graph = replace(graph, token_size=rng.integers(0, 100, graph.num_channels))
    again, notes = parse(sdf3_text(graph))
    assert again == graph
    assert notes == []


def test_names_survive_whatever_they_hold():
    graph = replace(sdfg([("A", 1)], [("A", "A", 1, 1, 1)]), actor_names=["<&\"'> é"], name="a<b")
    again, _ = parse(sdf3_text(graph))
    assert again.actor_names == ("<&\"'> é",)
    assert again.name == "a<b"


def test_a_time_without_decimals_is_not_written():
    with pytest.raises(ValueError, match="1/3 has no decimal form"):
        sdf3_text(sdfg([("A", Fraction(1, 3))], []))
    assert decimal(Fraction(-0)) == "0"
    assert decimal(Fraction(1, 1000)) == "0.001"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.0", 2),
        ("0", 0),
        (".5", Fraction(1, 2)),
        ("7.", 7),
        ("1e2", 100),
        ("25E-2", Fraction(1, 4)),
    ],
)
def test_times_are_read_exactly(text: str, value: Fraction):
    graph, _ = parse(GOOD.replace('time="3"', f'time="{text}"'))
    assert graph.units(int(graph.execution_time[1])) == value


def test_the_last_of_several_default_processors_counts():
    more = '<processor type="q" default="true"><executionTime time="9"/></processor></actorProp'
    graph, notes = parse(GOOD.replace("</actorProp", more, 1))
    assert graph.units(int(graph.execution_time[0])) == 9
    assert notes == ["actor 'A': 2 default processors, the last one counts"]


def test_an_only_processor_counts_though_not_marked():
    graph, notes = parse(GOOD.replace(' default="true"', "", 1))
    assert graph.units(int(graph.execution_time[0])) == Fraction(5, 2)
    assert notes == ["actor 'A': its only processor counts, though not marked default"]


def test_missing_initial_tokens_are_none():
    assert parse(GOOD.replace(' initialTokens="4"', ""))[0].tokens.tolist() == [0]


def test_unknown_parts_are_ignored_with_a_note():
    text = GOOD.replace(
        "</sdfProperties>", "<graphProperties><x/></graphProperties></sdfProperties>"
    ).replace("<tokenSize", "<bufferSize/><tokenSize")
    graph, notes = parse(text)
    assert graph == parse(GOOD)[0]
    assert notes == [
        "ignored: graphProperties (in sdfProperties), bufferSize (in channelProperties)"
    ]


def test_ports_without_a_channel_are_noted():
    port = '<port name="spare" type="in" rate="1"/></actor>'
    graph, notes = parse(GOOD.replace("</actor>", port, 1))
    assert graph == parse(GOOD)[0]
    assert notes == ["ports without a channel: A.spare"]


def test_two_application_graphs_are_noted():
    _, notes = parse(GOOD.replace("</sdf3>", "<applicationGraph/></sdf3>"))
    assert notes == ["2 application graphs, the first one is read"]


def test_elements_may_have_a_namespace():
    graph, _ = parse(GOOD.replace("<sdf3 ", '<sdf3 xmlns="http://www.es.ele.tue.nl/sdf3" '))
    assert graph == parse(GOOD)[0]


FAULTS = {
    "": "no XML (no element found",
    "hello": "no XML (syntax error",
    GOOD[:400]: "no XML",
    "<html/>": "root element 'html', expected root element 'sdf3'",
    "<sdf3 type='sdf'/>": "no applicationGraph",
    "<sdf3 type='sdf'><applicationGraph/></sdf3>": "no sdf element",
    "<sdf3><applicationGraph><sdf/></applicationGraph></sdf3>": "no actor",
    "<sdf3 type='csdf'/>": "no applicationGraph",
    "<sdf3><applicationGraph><csdf/></applicationGraph></sdf3>": "csdf: found no actor",
    "<sdf3 type='sadf'/>": "found 'sadf', expected type 'sdf'",
}

#: (what stands in GOOD, what takes its place, what the line says)
BROKEN = [
    ('rate="2"', 'rate="0"', "actor 'A', port 'out', rate: found 0"),
    ('rate="2"', 'rate="-1"', "rate: found -1"),
    ('rate="2"', 'rate="1,2"', "rate list '1,2' of a cyclo-static graph (CSDF)"),
    ('rate="2"', 'rate="2*1"', "rate list '2*1' of a cyclo-static graph (CSDF)"),
    ('rate="2"', 'rate="x"', "rate: found 'x'"),
    ('rate="2"', 'rate="1.5"', "rate: found '1.5'"),
    ('rate="2"', "", "actor 'A', port 'out': found no rate"),
    ('rate="2"', f'rate="{2**63}"', "up to 4611686018427387904"),
    ('rate="2"', f'rate="{"9" * 5000}"', "(5002 characters)"),
    ('type="out"', 'type="inout"', "found type 'inout', expected type 'in' or 'out'"),
    ('name="out" ', "", "actor 'A', port 1: found no name"),
    ('name="B" type', 'name="A" type', "actor 'A': found the name twice"),
    ('actor name="A" ', "actor ", "actor 1: found no name"),
    ('srcPort="out"', 'srcPort="x"', "srcPort: found 'x', expected a port of actor 'A'"),
    ('srcPort="out"', "", "channel 'AB': found no srcPort"),
    ('dstActor="B"', 'dstActor="C"', "dstActor: found 'C', expected an actor's name"),
    ('dstActor="B" dstPort="in"', 'dstActor="A" dstPort="out"', "found port 'out' of type 'out'"),
    ('initialTokens="4"', 'initialTokens="-4"', "initialTokens: found -4"),
    ('initialTokens="4"', 'initialTokens="4.5"', "initialTokens: found '4.5'"),
    ('initialTokens="4"', 'initialTokens="many"', "initialTokens: found 'many'"),
    ("</sdf>", '<channel name="AB"/></sdf>', "channel 'AB': found the name twice"),
    (
        "</sdf>",
        '<channel name="C" srcActor="A" srcPort="out" dstActor="B" dstPort="in"/></sdf>',
        "port 'out' of actor 'A', taken by 'AB'",
    ),
    ('time="3"', 'time="-3"', "actor 'B', processor 'p', executionTime: found -3"),
    ('time="3"', 'time="nan"', "executionTime: found 'nan'"),
    ('time="3"', 'time="1e99"', "executionTime: found 1e99"),
    ('time="3"', 'time="1_000"', "executionTime: found '1_000'"),
    ('time="3"', "", "actor 'B', processor 'p': found no time"),
    ('<executionTime time="3"/>', "", "actor 'B', processor 'p': found no executionTime"),
    ('actorProperties actor="B"', 'actorProperties actor="Z"', "actorProperties: found 'Z'"),
    ('actorProperties actor="B"', 'actorProperties actor="A"', "found the actor twice"),
    (
        '<processor type="p" default="true"><executionTime time="3"/></processor>',
        "",
        "actor 'B': found no processor, expected a default processor",
    ),
    (
        '<processor type="p" default="true"><executionTime time="3"/></processor>',
        '<processor type="p"/><processor type="q" default="false"/>',
        "actor 'B': found 2 processors, none default",
    ),
    ('channelProperties channel="AB"', 'channelProperties channel="X"', "found 'X'"),
    ('sz="32"', 'sz="-1"', "channelProperties 'AB', tokenSize: found -1"),
]


def assert_one_line(data: bytes, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_sdf3(data, "file.xml")
    message = str(caught.value)
    assert message.startswith("file.xml: ")
    assert expected in message
    assert "\n" not in message
    assert len(message) < 250


@pytest.mark.parametrize(("text", "expected"), FAULTS.items())
def test_what_is_no_sdf3_file_is_refused(text: str, expected: str):
    assert_one_line(text.encode(), expected)


@pytest.mark.parametrize(("old", "new", "expected"), BROKEN)
def test_every_fault_is_one_clear_line(old: str, new: str, expected: str):
    assert old in GOOD
    assert_one_line(GOOD.replace(old, new, 1).encode(), expected)


@pytest.mark.parametrize(
    "declaration",
    [
        "<!DOCTYPE sdf3>",
        '<!DOCTYPE sdf3 SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE sdf3 [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE sdf3 [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
    ],
)
def test_declarations_and_entities_are_refused(declaration: str):
    head, body = GOOD.split("?>\n", 1)
    assert_one_line(f"{head}?>\n{declaration}\n{body}".encode(), "a document type declaration")


def test_bytes_that_are_no_text_are_refused():
    assert_one_line(bytes(range(128, 256)), "no XML")
    assert parse_sdf3(GOOD.replace("UTF-8", "UTF-16").encode("utf-16"), "x")[0] == parse(GOOD)[0]


def test_an_unreadable_file_is_one_line(tmp_path: Path):
    with pytest.raises(InputError, match="a readable file"):
        read_sdf3(tmp_path / "missing.xml")
    with pytest.raises(InputError, match="a readable file"):
        read_sdf3(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"actor_names": ["A", "A"]}, "two actors are named 'A'"),
        ({"actor_names": ["A", ""]}, "actor 1 has an empty name"),
        ({"actor_names": ["A"]}, "1 actors, execution times of shape"),
        ({"execution_time": [1, -1]}, "execution_time of 'B' is -1"),
        ({"production": [0]}, "production of 'AB' is 0"),
        ({"target": [2]}, "target of 'AB' is 2"),
        ({"tokens": [-1]}, "tokens of 'AB' is -1"),
        ({"tokens": [1, 2]}, "1 channels, tokens of shape"),
        ({"token_size": [1, 2]}, "token sizes of shape"),
        ({"ticks_per_unit": 0}, "0 ticks per unit"),
    ],
)
def test_broken_graphs_cannot_be_made(change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        replace(parse(GOOD)[0], **change)


def walked(text: str) -> tuple[SDFG, list[str]] | str:
    """Return what the walk over the whole tree says, or its complaint."""
    try:
        return Reader("file.xml", fromstring(text.encode())).graph()
    except InputError as error:
        return str(error)


PLAIN = sdf3_text(
    replace(
        sdfg(
            [("A", 2), ("B", 3)], [("A", "B", 2, 3, 4), ("B", "A", 3, 2, 12), ("A", "A", 1, 1, 1)]
        ),
        token_size=np.array([8, 9, 10]),
    )
)


def test_a_plain_file_is_read_by_columns():
    plain = plain_part(PLAIN.encode())
    assert plain is not None
    assert plain.times == {"A": 2, "B": 3}
    assert plain.sizes == {"c0": 8, "c1": 9, "c2": 10}
    assert not any(word in plain.rest for word in ("actor", "channel", "port"))


def other_texts() -> list[str]:
    """Return siblings of the plain file: a piece left out, said twice, or another value."""
    lines = PLAIN.splitlines(keepends=True)
    without = ["".join(lines[:i] + lines[i + 1 :]) for i in range(len(lines))]
    twice = ["".join([*lines[: i + 1], *lines[i:]]) for i in range(len(lines))]
    swapped = [
        "".join([*lines[:i], *lines[i : i + 2][::-1], *lines[i + 2 :]]) for i in range(1, 40)
    ]
    values = set(re.findall(r'"[^"]*"', PLAIN))
    others = (
        '""',
        '" A"',
        '"0"',
        '"-1"',
        '"9999999999999999999"',
        '"B"',
        '"in"',
        "'a > b'",
        '"&#65;"',
    )
    given = [PLAIN.replace(old, new, 1) for old in sorted(values) for new in others]
    comments = [PLAIN.replace(">\n", ">" + more, 1) for more in ("<!-- <sdf> -->", "x", "<?pi?>")]
    return without + twice + swapped + given + comments + [PLAIN.replace('"', "'")]


def test_the_columns_say_what_the_walk_says():
    taken = 0
    for text in other_texts():
        try:
            fromstring(text.encode())
        except (ParseError, LookupError, ValueError):
            with pytest.raises(InputError, match=r"no XML|no text"):
                parse(text)
            continue
        try:
            found: tuple[SDFG, list[str]] | str = parse(text)
        except InputError as error:
            found = str(error)
        assert found == walked(text), text
        taken += plain_part(text.encode()) is not None
    assert taken > 50


@pytest.mark.parametrize("seed", range(6))
def test_ports_in_any_order_and_of_any_names_go_to_their_channels(seed: int):
    rng = np.random.default_rng(seed)
    names = [f"a{a}" for a in range(6)]
    ends = [(names[a], names[b]) for a, b in rng.integers(6, size=(20, 2)).tolist()]
    text = sdf3_text(sdfg([(n, 1) for n in names], [(a, b, 2, 3, 1) for a, b in ends]))
    if seed % 2:  # each actor's ports are p0, p1, ... as other programs name them
        for a in range(6):
            mine = re.findall(r'(?<=port name=")[^"]+', text.split(f'name="a{a}"')[1])
            mine = mine[: text.split(f'name="a{a}"')[1].split("</actor>")[0].count("<port")]
            for p, name in enumerate(mine):
                side = "src" if name.startswith("out") else "dst"
                text = text.replace(f'{side}Port="{name}"', f'{side}Port="p{p}"')
                text = text.replace(f'port name="{name}"', f'port name="p{p}"')
    if seed >= 2:
        lines = text.splitlines(keepends=True)
        ports = [i for i, line in enumerate(lines) if "<port" in line]
        for first, second in pairwise(ports):
            if second == first + 1 and rng.integers(2):
                lines[first], lines[second] = lines[second], lines[first]
        text = "".join(lines)
    assert plain_part(text.encode()) is not None
    assert parse(text) == walked(text)
