"""SDF3 architecture graphs as platforms: tiles, point-to-point connections, network interfaces.

A connection's delay is the hops between its two tiles, at one tick a hop; every two tiles need one
in both directions, for SDF3 routes nothing. Crossbars are not described there: rows and columns are
not limited unless they are told, as is right for SDF3 applications, which come clustered. The
bandwidth of a network interface is in bits a tick; ``token_bits`` makes it tokens. Memory sizes,
numbers of connections and time-division wheels are left out, and the platform's notes say so.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element

from optmap.errors import InputError
from optmap.model.interconnect import MAX_MATRIX_TILES
from optmap.model.platform import MAX_SIDE, Crossbar, Interconnect, Platform, Tile
from optmap.sdf.xml import xml_root

EXPECTED = "an SDF3 architectureGraph of tiles and connections"
MAX_DELAY = 2**20
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{0,15})?([eE][+-]?[0-9]{1,2})?", re.ASCII)


def read_architecture(path: Path, told: dict[str, int]) -> Platform:
    """Read an SDF3 architecture graph.

    Parameters
    ----------
    path : Path
        The XML file.
    told : dict of str to int
        What the file lacks (:data:`optmap.readers.platforms.ARCHITECTURE`).

    Raises
    ------
    InputError
        If it is none, or says something that this model cannot, naming the element.
    """
    return _Reader(path, xml_root(path), told).platform()


class _Reader:
    """Reads one file; every complaint names the element."""

    def __init__(self, path: Path, root: Element, told: dict[str, int]) -> None:
        self.path, self.root, self.told = path, root, told
        self.notes: list[str] = []
        for element in root.iter():
            if isinstance(element.tag, str):
                element.tag = element.tag.rpartition("}")[2]

    def fail(self, where: str, found: str, expected: str = EXPECTED) -> InputError:
        return InputError(str(self.path), where, found, expected)

    def platform(self) -> Platform:
        """Return the platform."""
        graphs = self.root.findall("architectureGraph") if self.root.tag == "sdf3" else []
        if len(graphs) != 1:
            raise self.fail("", f"root {self.root.tag!r} with {len(graphs)} architectureGraph")
        graph = graphs[0]
        tiles = graph.findall("tile")
        names = [self._text(tile, "name", f"tile {n}") for n, tile in enumerate(tiles)]
        if not 1 <= len(tiles) <= MAX_MATRIX_TILES or len(set(names)) < len(names):
            raise self.fail(
                "tile", f"{len(tiles)} tiles", f"1 to {MAX_MATRIX_TILES} of different names"
            )
        types = {self._processor(tile, name) for tile, name in zip(tiles, names, strict=True)}
        if len(types) > 1:
            found = "processors of types " + ", ".join(sorted(types))
            raise self.fail("processor", found, "one type: execution times here know no other")
        told = self.told
        rows, columns = (told.get(name, MAX_SIDE) for name in ("rows", "columns"))
        if not (2 <= rows <= MAX_SIDE and 1 <= columns <= MAX_SIDE):
            raise InputError("--architecture", "rows, columns", f"{rows}, {columns}", "2 to 2^20")
        if {"rows", "columns"} - set(told):
            self.notes.append("crossbars are not limited where --architecture does not say")
        if graph.find("network") is not None:
            self.notes.append("the network's slot table is left out")
        return Platform(
            graph.get("name") or self.path.stem,
            (Tile(Crossbar(rows, columns), slots=told.get("slots")),) * len(tiles),
            self._connections(graph, names),
            hop_ticks=1,
            ni_tokens_per_tick=self._rate(tiles, names),
            base_ticks=told.get("base_ticks", 1),
            event_ticks=told.get("event_ticks", 0),
            switch_ticks=told.get("switch_ticks", 0),
            sources={"file": f"SDF3 architecture {self.path.name}"}
            | {f"note {n}": text for n, text in enumerate(dict.fromkeys(self.notes), start=1)},
        )

    def _text(self, element: Element, attribute: str, place: str) -> str:
        value = (element.get(attribute) or "").strip()
        if not value:
            raise self.fail(place, f"no {attribute}", f'{element.tag} {attribute}="..."')
        return value

    def _number(self, element: Element, attribute: str, place: str, most: int) -> Fraction:
        """Return an attribute exactly: SDF3's schema has decimals and doubles there."""
        text = self._text(element, attribute, place)
        if not _NUMBER.fullmatch(text) or not 0 <= Fraction(text) <= most:
            raise self.fail(f"{place}, {attribute}", repr(text[:40]), f"a number, 0 to {most}")
        return Fraction(text)

    def _processor(self, tile: Element, name: str) -> str:
        """Return the type of a tile's one processor."""
        processors = tile.findall("processor")
        if len(processors) != 1:
            raise self.fail(f"tile {name!r}", f"{len(processors)} processors", "one processor")
        if processors[0].find("arbitration") is not None:
            self.notes.append("arbitration wheels are left out: tiles run static orders")
        if tile.find("memory") is not None:
            self.notes.append("memory sizes are left out: buffers are not limited")
        return self._text(processors[0], "type", f"tile {name!r}, processor")

    def _rate(self, tiles: list[Element], names: list[str]) -> Fraction:
        """Return the tokens that a network interface sends in a tick; all must be alike."""
        bits = self.told.get("token_bits")
        rates = set()
        for tile, name in zip(tiles, names, strict=True):
            interface = tile.find("networkInterface")
            place = f"tile {name!r}, networkInterface"
            if interface is None:
                raise self.fail(place, "nothing", "a networkInterface with outBandwidth")
            rates.add(self._number(interface, "outBandwidth", place, 10**12))
            if interface.get("inBandwidth") not in (None, interface.get("outBandwidth")):
                self.notes.append("bandwidths into a tile (inBandwidth) are left out")
            if interface.get("nrConnections"):
                self.notes.append("numbers of connections (nrConnections) are left out")
        if len(rates) > 1 or not min(rates):
            found = "outBandwidth " + ", ".join(map(str, sorted(rates)[:4]))
            raise self.fail("networkInterface", found, "one bandwidth above 0 on all tiles")
        if not bits:
            found = f"outBandwidth {min(rates)} bits a tick, and no size of a token"
            raise self.fail("networkInterface", found, "--architecture token_bits=N")
        return Fraction(min(rates), bits)

    def _connections(self, graph: Element, names: list[str]) -> Interconnect:
        """Return the delays between tiles as a hop matrix."""
        number = {name: t for t, name in enumerate(names)}
        delay: dict[tuple[int, int], int] = {}
        for n, element in enumerate(graph.findall("connection")):
            place = f"connection {element.get('name') or n}"
            ends = [self._text(element, end, place) for end in ("srcTile", "dstTile")]
            for end in ends:
                if end not in number:
                    raise self.fail(place, f"tile {end!r}", "a tile's name")
            pair = number[ends[0]], number[ends[1]]
            if pair[0] == pair[1] or pair in delay:
                raise self.fail(place, f"{ends[0]} to {ends[1]}", "each two tiles once")
            ticks = self._number(element, "delay", place, MAX_DELAY)
            if ticks.denominator > 1:
                raise self.fail(f"{place}, delay", str(float(ticks)), "whole ticks")
            delay[pair] = int(ticks)
        tiles = range(len(names))
        pairs = ((a, b) for a in tiles for b in tiles if a != b)
        missing = next((pair for pair in pairs if pair not in delay), None)
        if missing is not None:
            found = f"none from {names[missing[0]]!r} to {names[missing[1]]!r}"
            raise self.fail("connection", found, "one from every tile to every other")
        matrix = tuple(tuple(delay.get((a, b), 0) for b in tiles) for a in tiles)
        return Interconnect("matrix", matrix=matrix)
