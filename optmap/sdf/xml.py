"""SDF graphs as SDF3 XML: reading with one clear line per fault, and writing.

Read are the application graph's actors, ports with rates, channels with initial tokens, execution
times on the default processor, and token sizes. Where an actor lists several default processors
the last one counts, as in SDF3. Everything else is ignored with a note. Times may be decimals
("2.0", "0.25") and are read exactly. Document type declarations and entities are refused, so
nothing outside the file is ever opened.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, indent, tostring
from xml.parsers import expat

from optmap.errors import InputError, refuse_special
from optmap.sdf.csdf_xml import CyclicReader
from optmap.sdf.graph import SDFG
from optmap.sdf.xml_columns import plain_part
from optmap.sdf.xml_reader import Reader


def read_sdf3(path: str | Path, *, overlap: bool = True) -> tuple[SDFG, list[str]]:
    """Return the graph in a file, and notes on what was ignored or decided.

    ``overlap``: actors of a single phase in a cyclo-static graph may overlap themselves.

    Raises
    ------
    InputError
        One line naming the file, the element, what was found and what was expected.
    """
    return parse_sdf3(_bytes(Path(path)), str(path), overlap=overlap)


def xml_root(path: Path) -> Element:
    """Return the root of an SDF3 file, whatever it describes; InputError if it is no plain XML."""
    return _root(_bytes(path), str(path))


def _bytes(path: Path) -> bytes:
    refuse_special(path, "an SDF3 XML file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(str(path), "", error.strerror or str(error), "a readable file") from None


def _root(data: bytes, where: str) -> Element:
    """Return the root of XML without declarations."""
    try:
        _refuse_declarations(data, where)
        with without_collection():
            return fromstring(data)
    except (ParseError, expat.ExpatError) as error:
        raise InputError(where, "", f"no XML ({error})", "an SDF3 XML file") from None
    except InputError:
        raise
    except (LookupError, ValueError) as error:
        raise InputError(where, "", f"no text ({error})", "an SDF3 XML file") from None


def _refuse_declarations(data: bytes, where: str) -> None:
    """Refuse a document type declaration, the only place where entities can be declared.

    A pass of its own, which builds nothing: what builds the tree knows no such question, or is ten
    times slower.
    """

    def refuse(*_: object) -> None:
        expected = "plain XML without declarations"
        raise InputError(where, "", "a document type declaration", expected)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(data, True)


def parse_sdf3(data: bytes, where: str, *, overlap: bool = True) -> tuple[SDFG, list[str]]:
    """Return the graph in the text of an SDF3 file; see :func:`read_sdf3`."""
    with without_collection(), suppress(InputError):  # a fault is told of the whole file
        plain = plain_part(data)
        if plain is not None:
            return Reader(where, _root(plain.rest.encode(), where), plain).graph()
    root = _root(data, where)
    with without_collection():
        if root.tag.rpartition("}")[2] == "sdf3" and _is_cyclic(root):
            reader = CyclicReader(where, root)
            reader.overlap = overlap
            return reader.graph()
        return Reader(where, root).graph()


@contextmanager
def without_collection() -> Iterator[None]:
    """Let no garbage be looked for: 10^5 elements are made, all of which stay, at half the cost."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _is_cyclic(root: Element) -> bool:
    """Tell whether a file says that its graph is cyclo-static."""
    return root.get("type", "sdf").lower() == "csdf" or any(
        isinstance(e.tag, str) and e.tag.rpartition("}")[2] == "csdf" for e in root.iter()
    )


def sdf3_text(graph: SDFG) -> str:
    """Return the graph as SDF3 XML; reading it again gives an equal graph.

    Raises
    ------
    ValueError
        If a time has no finite decimal form.
    """
    root = Element("sdf3", {"type": "sdf", "version": "1.0"})
    application = SubElement(root, "applicationGraph", {"name": graph.name})
    sdf = SubElement(application, "sdf", {"name": graph.name, "type": graph.name})
    actors = [SubElement(sdf, "actor", {"name": n, "type": n}) for n in graph.actor_names]
    for c, name in enumerate(graph.channel_names):
        source, target = int(graph.source[c]), int(graph.target[c])
        for actor, port, rate in (
            (source, "out", graph.production[c]),
            (target, "in", graph.consumption[c]),
        ):
            attributes = {"name": f"{port}_{name}", "type": port, "rate": str(rate)}
            SubElement(actors[actor], "port", attributes)
        attributes = {
            "name": name,
            "srcActor": graph.actor_names[source],
            "srcPort": f"out_{name}",
            "dstActor": graph.actor_names[target],
            "dstPort": f"in_{name}",
        }
        if graph.tokens[c]:
            attributes["initialTokens"] = str(graph.tokens[c])
        SubElement(sdf, "channel", attributes)
    properties = SubElement(application, "sdfProperties")
    for name, ticks in zip(graph.actor_names, graph.execution_time.tolist(), strict=True):
        element = SubElement(properties, "actorProperties", {"actor": name})
        processor = SubElement(element, "processor", {"type": "default", "default": "true"})
        SubElement(processor, "executionTime", {"time": decimal(graph.units(ticks))})
    if graph.token_size is not None:
        for name, size in zip(graph.channel_names, graph.token_size.tolist(), strict=True):
            channel = SubElement(properties, "channelProperties", {"channel": name})
            SubElement(channel, "tokenSize", {"sz": str(size)})
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def decimal(value: Fraction) -> str:
    """Return a fraction in decimals, exactly; ValueError where it has no finite decimal form.

    Examples
    --------
    >>> decimal(Fraction(5, 4)), decimal(Fraction(7))
    ('1.25', '7')
    """
    digits = 0
    scaled = value
    while scaled.denominator > 1:
        if digits == 18:
            raise ValueError(f"the time {value} has no decimal form of 18 digits or fewer")
        scaled, digits = scaled * 10, digits + 1
    text = str(scaled.numerator).rjust(digits + 1, "0")
    return text if not digits else f"{text[:-digits]}.{text[-digits:]}"
