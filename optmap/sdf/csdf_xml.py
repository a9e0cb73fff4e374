"""Cyclo-static graphs in SDF3's XML: lists of rates and times, ``1,2,1`` or ``2*1,3``.

Numbers before a semicolon are of phases that happen once, as Kiter writes them.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import lcm
from xml.etree.ElementTree import Element

from optmap.sdf.csdf import to_sdf
from optmap.sdf.graph import LARGEST, SDFG
from optmap.sdf.phases import CSDFG, MAX_FIRINGS, Channel, Phases
from optmap.sdf.xml_reader import EXPANDED, Reader

_REPEATED = re.compile(r"\s*([0-9]{1,9})\s*\*\s*(.+)", re.DOTALL)


class CyclicReader(Reader):
    """Reads what differs: the element names, lists for numbers."""

    kind = "csdf"
    overlap = True

    def graph(self) -> tuple[SDFG, list[str]]:
        """Return the graph as a synchronous one (:func:`optmap.sdf.csdf.to_sdf`), and notes."""
        if self.root.find("applicationGraph/csdf") is None:
            self.kind = "sdf"  # some files say so in the type only
        application, csdf = self._application()
        self._note_unread()
        rates: dict[tuple[str, str], Phases] = {}
        for actor in csdf.findall("actor"):
            name = self._text(actor, "name", "actor")
            for port in actor.findall("port"):
                place = f"actor {name!r}, port {port.get('name', '')!r}"
                listed = self._list(self._text(port, "rate", place), place)
                rates[name, self._text(port, "name", place)] = Phases(
                    *(self._rates(part, place) for part in listed)
                )
                port.set("rate", "1")
        actors = self._actors(csdf)
        channels = self._channels(csdf, actors)
        times, ticks = self._phase_times(application, list(actors))
        elements = {self._text(e, "name", "channel"): e for e in csdf.findall("channel")}
        made = [
            Channel(
                name,
                source,
                target,
                rates[self._end(elements[name], "src")],
                rates[self._end(elements[name], "dst")],
                tokens,
            )
            for name, (source, target, _, _, tokens) in channels.items()
        ]
        title = application.get("name") or csdf.get("name") or "graph"
        graph = CSDFG(title, tuple(actors), tuple(times), tuple(made), ticks)
        try:
            found = to_sdf(graph, overlap=self.overlap)
        except ValueError as error:
            raise self._fault("csdf", str(error), "a cyclo-static graph that can be run") from None
        if found.num_actors != len(actors) or found.actor_names != tuple(actors):
            self.notes.append(
                f"{EXPANDED}: {len(actors)} actors, expanded to the"
                f" {found.num_actors} firings of an iteration; an actor of several phases never"
                " overlaps itself"
            )
        return found, self.notes

    def _end(self, channel: Element, side: str) -> tuple[str, str]:
        return str(channel.get(f"{side}Actor")).strip(), str(channel.get(f"{side}Port")).strip()

    def _list(self, text: str, place: str) -> tuple[list[str], list[str]]:
        """Return the numbers of the phases that happen once and of those that repeat."""
        once, semicolon, cycle = text.partition(";")
        if not semicolon:
            once, cycle = "", text
        parts = self._numbers(once, place), self._numbers(cycle, place)
        if not parts[1]:
            raise self._fault(place, repr(text), "numbers between commas")
        return parts

    def _numbers(self, text: str, place: str) -> list[str]:
        numbers: list[str] = []
        for item in text.split(",") if text.strip() else []:
            repeated = _REPEATED.fullmatch(item)
            count = int(repeated[1]) if repeated else 1
            if count + len(numbers) > MAX_FIRINGS:
                raise self._fault(place, f"{count} phases", f"at most {MAX_FIRINGS}")
            numbers += [repeated[2] if repeated else item] * count
        return numbers

    def _rates(self, texts: list[str], place: str) -> tuple[int, ...]:
        return tuple(self._whole(text, place, 0, "whole numbers from 0 on") for text in texts)

    def _phase_times(self, application: Element, names: list[str]) -> tuple[list[Phases], int]:
        """Return the ticks of every actor's phases, and the ticks of a time unit."""
        listed: dict[str, tuple[list[Fraction], list[Fraction]]] = {}
        for element in application.iterfind(f"{self.kind}Properties/actorProperties"):
            actor = self._text(element, "actor", "actorProperties")
            if actor not in names or actor in listed:
                raise self._fault("actorProperties", repr(actor), "every actor once")
            processor = self._default_processor(actor, element)
            place = f"actor {actor!r}, executionTime"
            time = processor.find("executionTime")
            if time is None:
                raise self._fault(place, "no executionTime", "an execution time")
            once, cycle = self._list(self._text(time, "time", place), place)
            exact = [[self._time(t.strip(), place) for t in part] for part in (once, cycle)]
            listed[actor] = exact[0], exact[1]
        for actor in names:
            if actor not in listed:
                raise self._fault(f"actor {actor!r}", "no processor", "a default processor")
        everything = [t for parts in listed.values() for part in parts for t in part]
        ticks = lcm(*(t.denominator for t in everything))
        if max((int(t * ticks) for t in everything), default=0) > LARGEST:
            raise self._fault("executionTime", "times too far apart", f"<= {LARGEST} common ticks")
        return [
            Phases(*(tuple(int(t * ticks) for t in part) for part in listed[actor]))
            for actor in names
        ], ticks
