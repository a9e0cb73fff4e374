"""Walks an SDF3 XML tree once: actors, ports, channels, times; every complaint names its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from xml.etree.ElementTree import Element

import numpy as np

from optmap.errors import InputError
from optmap.sdf.graph import LARGEST, SDFG
from optmap.sdf.xml_columns import Graph, Plain

WHOLE = re.compile(r"[+-]?[0-9]{1,4000}")
DECIMAL = re.compile(r"[+-]?([0-9]{1,4000}(\.[0-9]{0,300})?|\.[0-9]{1,300})([eE][+-]?[0-9]{1,2})?")
#: Whole numbers that need no closer look.
PLAIN = re.compile(r"[0-9]{1,18}")

#: Parts that are read, by the name of the element around them.
READ = {
    "sdf3": {"applicationGraph"},
    "applicationGraph": {"sdf", "sdfProperties", "csdf", "csdfProperties"},
    "sdf": {"actor", "channel"},
    "csdf": {"actor", "channel"},
    "csdfProperties": {"actorProperties"},
    "actor": {"port"},
    "sdfProperties": {"actorProperties", "channelProperties"},
    "actorProperties": {"processor"},
    "processor": {"executionTime"},
    "channelProperties": {"tokenSize"},
}

#: How the note on a graph begins whose actors are firings of a cyclo-static one.
EXPANDED = "cyclo-static"


def _plain_port(given: dict[str, str]) -> tuple[str, str, int] | None:
    """Return name, direction and rate of a port in which everything is right."""
    name, direction, rate = given.get("name", ""), given.get("type"), given.get("rate", "")
    if not name or name != name.strip() or direction not in ("in", "out"):
        return None
    if not PLAIN.fullmatch(rate) or int(rate) < 1:
        return None
    return name, direction, int(rate)


class Reader:
    """Walks the tree once; every complaint names file and element.

    Where ``plain`` was taken from the file before (optmap.sdf.xml_columns), the tree is of what
    is left.
    """

    kind = "sdf"

    def __init__(self, where: str, root: Element, plain: Plain | None = None) -> None:
        self.where, self.root, self.notes, self.plain = where, root, list[str](), plain
        self.loose: list[str] = []
        for element in root.iter():
            if isinstance(element.tag, str) and "}" in element.tag:
                element.tag = element.tag.rpartition("}")[2]

    def graph(self) -> tuple[SDFG, list[str]]:
        """Return the graph, and notes on what was ignored or decided."""
        application, sdf = self._application()
        self._note_unread()
        found = self._walked(sdf) if self.plain is None else self.plain.graph
        if found.loose:
            self.notes.append("ports without a channel: " + ", ".join(found.loose))
        times = self._times(application, {name: a for a, name in enumerate(found.actors)})
        sizes = self._token_sizes(application, found.channels)
        ticks_per_unit = lcm(*{time.denominator for time in times})
        ticks = [int(time * ticks_per_unit) for time in times]
        if max(ticks, default=0) > LARGEST:
            raise self._fault("executionTime", "times too far apart", f"<= {LARGEST} common ticks")
        graph = SDFG(
            found.actors,
            np.array(ticks, dtype=np.int64),
            found.channels,
            found.source,
            found.target,
            found.production,
            found.consumption,
            found.tokens,
            None
            if not sizes
            else np.array([sizes.get(name, 0) for name in found.channels], dtype=np.int64),
            ticks_per_unit,
            application.get("name") or sdf.get("name") or "graph",
        )
        return graph, self.notes

    def _walked(self, sdf: Element) -> Graph:
        """Return actors and channels as they stand in the tree."""
        ports = self._actors(sdf)
        channels = self._channels(sdf, ports)
        columns = np.array(list(channels.values()), dtype=np.int64).reshape(-1, 5).T
        ends = columns[:2].astype(np.int32)
        names = tuple(ports), tuple(channels)
        return Graph(*names, ends[0], ends[1], columns[2], columns[3], columns[4], self.loose)

    def _fault(self, field: str, found: str, expected: str) -> InputError:
        short = found if len(found) <= 80 else f"{found[:60]}... ({len(found)} characters)"
        return InputError(self.where, field, short, expected)

    def _text(self, element: Element, attribute: str, place: str) -> str:
        value = (element.get(attribute) or "").strip()
        if not value:
            raise self._fault(place, f"no {attribute}", f'{element.tag} {attribute}="..."')
        return value

    def _whole(self, text: str, place: str, low: int, expected: str) -> int:
        if not WHOLE.fullmatch(text.strip()):
            raise self._fault(place, repr(text), expected)
        value = int(text)
        if not low <= value <= LARGEST:
            raise self._fault(place, text.strip(), f"{expected}, up to {LARGEST}")
        return value

    def _application(self) -> tuple[Element, Element]:
        root = self.root
        if root.tag != "sdf3":
            raise self._fault("", f"root element {root.tag!r}", "root element 'sdf3'")
        kind = root.get("type", "sdf")
        if kind.lower() not in ("sdf", "csdf"):
            raise self._fault("sdf3 type", repr(kind), "type 'sdf' or 'csdf'")
        applications = root.findall("applicationGraph")
        if not applications:
            raise self._fault("sdf3", "no applicationGraph", "one applicationGraph")
        if len(applications) > 1:
            self.notes.append(f"{len(applications)} application graphs, the first one is read")
        sdf = applications[0].find(self.kind)
        if sdf is None:
            found, expected = f"no {self.kind} element", f"one {self.kind} element"
            raise self._fault("applicationGraph", found, expected)
        if self.plain is None and sdf.find("actor") is None:
            raise self._fault(self.kind, "no actor", "at least one actor")
        return applications[0], sdf

    def _note_unread(self) -> None:
        found = dict.fromkeys((e.tag, child.tag) for e in self.root.iter() for child in e)
        unread = [
            f"{child} (in {around})"
            for around, child in found
            if isinstance(around, str)
            and isinstance(child, str)
            and child not in READ.get(around, {child})
        ]
        if unread:
            self.notes.append("ignored: " + ", ".join(unread))

    def _actors(self, sdf: Element) -> dict[str, dict[str, tuple[str, int]]]:
        """Return the ports of each actor: name -> (direction, rate)."""
        actors: dict[str, dict[str, tuple[str, int]]] = {}
        for element in sdf.findall("actor"):
            name = self._text(element, "name", f"actor {len(actors) + 1}")
            if name in actors:
                raise self._fault(f"actor {name!r}", "the name twice", "different names")
            ports: dict[str, tuple[str, int]] = {}
            actors[name] = ports
            for port in element.findall("port"):
                plain = _plain_port(port.attrib)
                if plain is not None and plain[0] not in ports:
                    ports[plain[0]] = plain[1:]
                    continue
                port_name = self._text(port, "name", f"actor {name!r}, port {len(ports) + 1}")
                place = f"actor {name!r}, port {port_name!r}"
                if port_name in ports:
                    raise self._fault(place, "the name twice", "different names")
                direction = self._text(port, "type", place)
                if direction not in ("in", "out"):
                    raise self._fault(place, f"type {direction!r}", "type 'in' or 'out'")
                rate = self._text(port, "rate", place)
                if re.search(r"[,*;\s]", rate):
                    raise self._fault(
                        place, f"rate list {rate!r} of a cyclo-static graph (CSDF)", "one rate"
                    )
                ports[port_name] = (
                    direction,
                    self._whole(rate, f"{place}, rate", 1, "a whole number from 1 on"),
                )
        return actors

    def _channels(
        self, sdf: Element, actors: dict[str, dict[str, tuple[str, int]]]
    ) -> dict[str, tuple[int, int, int, int, int]]:
        """Return (source, target, production, consumption, tokens) of each channel."""
        number = {name: a for a, name in enumerate(actors)}
        channels: dict[str, tuple[int, int, int, int, int]] = {}
        used: dict[tuple[str, str], str] = {}
        for element in sdf.findall("channel"):
            if self._plain_channel(element.attrib, number, actors, channels, used):
                continue
            name = self._text(element, "name", f"channel {len(channels) + 1}")
            place = f"channel {name!r}"
            if name in channels:
                raise self._fault(place, "the name twice", "different names")
            ends = []
            for side, direction in (("src", "out"), ("dst", "in")):
                actor = self._text(element, f"{side}Actor", place)
                port = self._text(element, f"{side}Port", place)
                if actor not in actors:
                    raise self._fault(f"{place}, {side}Actor", repr(actor), "an actor's name")
                if port not in actors[actor]:
                    raise self._fault(
                        f"{place}, {side}Port", repr(port), f"a port of actor {actor!r}"
                    )
                found, rate = actors[actor][port]
                if found != direction:
                    raise self._fault(
                        f"{place}, {side}Port",
                        f"port {port!r} of type {found!r}",
                        f"a port of type {direction!r}",
                    )
                if (actor, port) in used:
                    raise self._fault(
                        f"{place}, {side}Port",
                        f"port {port!r} of actor {actor!r}, taken by {used[actor, port]!r}",
                        "a port of its own",
                    )
                used[actor, port] = name
                ends.append((number[actor], rate))
            tokens = self._whole(
                element.get("initialTokens") or "0",
                f"{place}, initialTokens",
                0,
                "a whole number from 0 on",
            )
            channels[name] = ends[0][0], ends[1][0], ends[0][1], ends[1][1], tokens
        self.loose = [
            f"{a}.{p}" for a, ports in actors.items() for p in ports if (a, p) not in used
        ]
        return channels

    @staticmethod
    def _plain_channel(
        given: dict[str, str],
        number: dict[str, int],
        actors: dict[str, dict[str, tuple[str, int]]],
        channels: dict[str, tuple[int, int, int, int, int]],
        used: dict[tuple[str, str], str],
    ) -> bool:
        """Take a channel in which everything is right; leave any other to those who say what."""
        name, tokens = given.get("name", ""), given.get("initialTokens") or "0"
        a, p = given.get("srcActor", ""), given.get("srcPort", "")
        b, q = given.get("dstActor", ""), given.get("dstPort", "")
        out = actors.get(a, {}).get(p, ("", 0))
        into = actors.get(b, {}).get(q, ("", 0))
        right = name and name == name.strip() and name not in channels and PLAIN.fullmatch(tokens)
        if not right or out[0] != "out" or into[0] != "in" or (a, p) in used or (b, q) in used:
            return False
        used[a, p] = used[b, q] = name
        channels[name] = number[a], number[b], out[1], into[1], int(tokens)
        return True

    def _times(self, application: Element, number: dict[str, int]) -> list[Fraction | int]:
        times: dict[str, Fraction | int] = {} if self.plain is None else {**self.plain.times}
        for actor in times.keys() - number.keys():
            raise self._fault("actorProperties", repr(actor), "an actor's name")
        for element in application.iterfind(f"{self.kind}Properties/actorProperties"):
            actor = self._text(element, "actor", "actorProperties")
            if actor not in number:
                raise self._fault("actorProperties", repr(actor), "an actor's name")
            if actor in times:
                raise self._fault(f"actorProperties {actor!r}", "the actor twice", "it once")
            processor = self._default_processor(actor, element)
            place = f"actor {actor!r}, processor {processor.get('type', '')!r}"
            time = processor.find("executionTime")
            if time is None:
                raise self._fault(place, "no executionTime", "an execution time")
            times[actor] = self._time(self._text(time, "time", place), f"{place}, executionTime")
        for actor in number:
            if actor not in times:
                raise self._fault(f"actor {actor!r}", "no processor", "a default processor")
        return [times[actor] for actor in number]

    def _default_processor(self, actor: str, properties: Element) -> Element:
        place = f"actor {actor!r}"
        processors = properties.findall("processor")
        if not processors:
            raise self._fault(place, "no processor", "a default processor")
        default = [p for p in processors if p.get("default", "").strip().lower() in ("true", "1")]
        if len(default) > 1:
            self.notes.append(f"{place}: {len(default)} default processors, the last one counts")
        if not default and len(processors) > 1:
            raise self._fault(place, f"{len(processors)} processors, none default", "one default")
        if not default:
            self.notes.append(f"{place}: its only processor counts, though not marked default")
        return (default or processors)[-1]

    def _time(self, text: str, place: str) -> Fraction:
        expected = "a number from 0 on"
        if PLAIN.fullmatch(text):
            return Fraction(int(text))
        if not DECIMAL.fullmatch(text):
            raise self._fault(place, repr(text), expected)
        value = Fraction(text)
        if value < 0:
            raise self._fault(place, text, expected)
        if max(value.numerator, value.denominator) > LARGEST:
            raise self._fault(place, text, f"{expected}, up to 2^62, up to 18 decimals")
        return value

    def _token_sizes(self, application: Element, names: Sequence[str]) -> dict[str, int]:
        sizes = {} if self.plain is None else {**self.plain.sizes}
        elements = application.findall("sdfProperties/channelProperties")
        channels = set(names) if sizes or elements else set()
        for name in sizes.keys() - channels:
            raise self._fault("channelProperties", repr(name), "a channel's name")
        for element in elements:
            name = self._text(element, "channel", "channelProperties")
            if name not in channels:
                raise self._fault("channelProperties", repr(name), "a channel's name")
            size = element.find("tokenSize")
            if size is not None:
                place = f"channelProperties {name!r}"
                sizes[name] = self._whole(
                    self._text(size, "sz", place),
                    f"{place}, tokenSize",
                    0,
                    "a whole number from 0 on",
                )
        return sizes
