"""What is plain in an SDF3 file, read by columns: ten times faster than walking a tree of it.

Programs write every port, channel and actor's properties of a file with the same attributes in the
same order. One pattern, made from the first of each, takes them all; what it does not match stays
in the text, which is parsed and walked as any other (:mod:`optmap.sdf.xml_reader`). Nothing is
taken from a file with declarations, comments, entities inside what is taken, or with a fault: the
walk says where that is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress, count, repeat

import numpy as np

from optmap.sdf.marked_graph import IndexArray, IntArray

#: White space of XML; a value without it and without what XML gives a meaning; whole numbers.
SPACE, VALUE, FROM_0, FROM_1 = (
    r"[ \t\r\n]",
    r"[^\"'<&\x00-\x20\x7f]++",
    r"[0-9]{1,18}",
    r"[1-9][0-9]{0,17}",
)
#: Encodings in which a file of ASCII characters says what it seems to say.
ASCII_IN = ("utf-8", "us-ascii", "iso-8859-1")
_DECLARATION = re.compile(r"<\?xml[^<>?]*\?>")
_ENCODING = re.compile(r"encoding\s*=\s*[\"']([^\"']*)")
_ATTRIBUTE = re.compile(rf"{SPACE}+([A-Za-z]+)=([\"'])[^\"'<&]*[\"']")


@dataclass(frozen=True, eq=False)
class Graph:
    """Actors and channels of a file, as the walk over its tree finds them.

    Parameters
    ----------
    actors, channels : sequence of str
        Their names.
    source, target, production, consumption, tokens : (m,) arrays
        As in :class:`optmap.sdf.graph.SDFG`.
    loose : sequence of str
        Ports without a channel, ``actor.port``.
    """

    actors: Sequence[str]
    channels: Sequence[str]
    source: IndexArray
    target: IndexArray
    production: IntArray
    consumption: IntArray
    tokens: IntArray
    loose: Sequence[str]


@dataclass(frozen=True, eq=False)
class Plain:
    """What was taken from a file: its graph, times by actor, token sizes by channel; the rest."""

    graph: Graph
    times: dict[str, int]
    sizes: dict[str, int]
    rest: str


def plain_part(data: bytes) -> Plain | None:
    """Return what is plain in the text of a file, or None where its graph is not.

    Every complaint is left to the walk: a file with a fault in its graph is not plain. The rest
    holds everything else, and is well-formed where the whole is.
    """
    if not data.isascii() or (b"!" in data and b"<!" in data):
        return None
    text = data.decode("ascii")
    begin, end = re.search(r"<sdf(?: [^<>]*)?>", text), text.rfind("</sdf>")
    if begin is None or end < begin.end():
        return None
    head, tail = text[: begin.end()], text[end:]
    if not _is_plain_around(head, tail):
        return None
    graph = _graph(text[begin.end() : end])
    if graph is None:
        return None
    rest, times = _take(tail, _times_pattern)
    rest, sizes = _take(rest, _sizes_pattern)
    return Plain(graph, times, sizes, head + rest)


def _is_plain_around(head: str, tail: str) -> bool:
    """Tell whether what is around the graph says nothing else of it.

    Inside the graph nothing has to be looked for: all of it matches the patterns, which hold
    neither instructions nor elements of other names.
    """
    said = _DECLARATION.match(head)
    encoding = _ENCODING.search(said[0]) if said else None
    if head.count("<?") != (said is not None) or "<?" in tail:
        return False
    if encoding is not None and encoding[1].lower() not in ASCII_IN:
        return False
    if any("csdf" in part.lower() for part in (head, tail)):
        return False
    return re.search(r"<sdf[ >]", tail) is None


def _tag(text: str, tag: str, wanted: dict[str, str], rare: str = "") -> str | None:
    """Return a pattern of all tags laid out as the first one of that name, up to its end.

    Each of ``wanted`` is a group of its name, which matches its pattern; ``rare`` may be missing.
    None where there is no such tag, or not all of ``wanted`` is in it.
    """
    first = re.search(rf"<{tag}((?:{_ATTRIBUTE.pattern})*)", text)
    layout = [] if first is None else _ATTRIBUTE.findall(first[1])
    names = [name for name, _ in layout]
    if rare and rare not in names:
        layout.append((rare, layout[-1][1] if layout else '"'))
    if len(set(names)) < len(names) or not set(wanted) <= {name for name, _ in layout}:
        return None
    pattern = f"<{tag}"
    for name, quote in layout:
        value = f"(?P<{name}>{wanted[name]})" if name in wanted else r"[^\"'<&\x00-\x1f]*"
        attribute = f"{SPACE}++{name}={quote}{value}{quote}"
        pattern += f"(?:{attribute})?" if name == rare else attribute
    return pattern + f"{SPACE}*"


def _columns(pattern: str, text: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return what lies between the matches of a pattern, and its groups as columns."""
    made = re.compile(pattern)
    parts, step = made.split(text), made.groups + 1
    return parts[::step], {name: parts[g::step] for name, g in made.groupindex.items()}


def _graph(text: str) -> Graph | None:
    """Return the graph in what is between ``<sdf>`` and ``</sdf>``, or None if not all is plain."""
    at = text.find("<channel")
    if at < 0:
        return None
    of_actors, of_channels = text[:at], text[at:]
    port = _tag(of_actors, "port", {"name": VALUE, "type": "in|out", "rate": FROM_1})
    ends = dict.fromkeys(("name", "srcActor", "srcPort", "dstActor", "dstPort"), VALUE)
    channel = _tag(of_channels, "channel", {**ends, "initialTokens": FROM_0}, "initialTokens")
    actor = _tag(of_actors, "actor", {"name": VALUE})
    if port is None or channel is None or actor is None:
        return None
    between, of_channel = _columns(f"{channel}(?:/>|>{SPACE}*</channel>){SPACE}*", of_channels)
    if any(between):
        return None
    between, of_port = _columns(f"{port}(?:/>|>{SPACE}*</port>){SPACE}*", of_actors)
    head = re.compile(rf"{SPACE}*(?:</actor>)?{SPACE}*{actor}>{SPACE}*")
    begins = list(compress(count(), between))
    heads = [head.fullmatch(between[i]) for i in begins[:-1]]
    last = begins and begins[-1] == len(of_port["name"]) and between[-1].strip(" \t\r\n")
    actors = [found["name"] for found in heads if found is not None]
    opened = [i for i, found in zip(begins, heads, strict=False) if found and "</" in found[0]]
    right = last == "</actor>" and begins[0] == 0 and opened == begins[1:-1]
    if not right or len(set(actors)) < len(heads):
        return None
    return _joined(actors, np.diff(begins), of_port, of_channel)


def _joined(
    actors: list[str],
    num_ports: IntArray,
    ports: dict[str, list[str]],
    channels: dict[str, list[str]],
) -> Graph | None:
    """Return the graph of these columns, or None where ports and channels do not go together."""
    owner = np.repeat(np.arange(len(actors)), num_ports)
    number, names = dict(zip(actors, count())), channels["name"]
    at = [_numbers(number, channels[f"{side}Actor"]) for side in ("src", "dst")]
    said = [channels[f"{side}Port"] for side in ("src", "dst")]
    if min(at[0].min(), at[1].min()) < 0 or len(set(names)) < len(names):
        return None
    ends = _ports_in_order(owner, ports["name"], at, said)
    if ends is None:
        ends = _ports_by_name(owner, ports["name"], at, said)
    if ends is None:
        return None
    source, target = ends
    outward = np.fromiter(map(len, ports["type"]), np.int64, len(owner)) == len("out")
    uses = np.bincount(np.concatenate(ends), minlength=len(owner))
    if uses.max() > 1 or not outward[source].all() or outward[target].any():
        return None
    rates = _whole(ports["rate"])
    tokens = _whole(channels["initialTokens"])
    unused = np.flatnonzero(uses == 0).tolist()
    loose = [f"{actors[owner[p]]}.{ports['name'][p]}" for p in unused]
    source_of, target_of = owner[source].astype(np.int32), owner[target].astype(np.int32)
    return Graph(
        actors, names, source_of, target_of, rates[source], rates[target], tokens, loose
    )  # fmt: skip


#: Ports of the channels' sources and of their targets.
_Ends = tuple[IntArray, IntArray]


def _ports_in_order(
    owner: IntArray, names: list[str], at: list[IntArray], said: list[list[str]]
) -> _Ends | None:
    """Return each channel's two ports where every actor lists its ports in the channels' order.

    Names are compared then, not looked up: a third of the time for 10^5 different names. None where
    the order is another one, or a name stands twice.
    """
    if 2 * len(at[0]) != len(owner):
        return None
    ends = np.column_stack(at).ravel()
    order = np.argsort(ends, kind="stable")
    if (ends[order] != owner).any():
        return None
    of_end = [""] * len(ends)
    of_end[::2], of_end[1::2] = said
    if list(map(of_end.__getitem__, order.tolist())) != names or len(set(names)) < len(names):
        return None
    port = np.empty_like(order)
    port[order] = np.arange(len(order))
    return port[::2], port[1::2]


def _ports_by_name(
    owner: IntArray, names: list[str], at: list[IntArray], said: list[list[str]]
) -> _Ends | None:
    """Return each channel's two ports, or None where one is missing or an actor has one twice."""
    words = dict(zip(dict.fromkeys(names), count()))
    keys = len(words) * owner + _numbers(words, names)
    order = np.argsort(keys, kind="stable")
    in_order = keys[order]
    if (in_order[1:] == in_order[:-1]).any():
        return None
    ends = []
    for actor, ports in zip(at, said, strict=True):
        port = _numbers(words, ports)
        wanted = len(words) * actor + port
        found = np.minimum(np.searchsorted(in_order, wanted), len(order) - 1)
        if port.min() < 0 or (in_order[found] != wanted).any():
            return None
        ends.append(order[found])
    return ends[0], ends[1]


def _numbers(of: dict[str, int], texts: list[str]) -> IntArray:
    """Return the number of each text, -1 where it has none."""
    return np.fromiter(map(of.get, texts, repeat(-1)), np.int64, len(texts))


def _whole(texts: list[str]) -> IntArray:
    """Return numbers, 0 where there is no text; few are different, and each is read once."""
    known = {text: int(text or 0) for text in set(texts)}
    return np.fromiter(map(known.__getitem__, texts), np.int64, len(texts))


def _take(text: str, pattern_of: Callable[[str], str | None]) -> tuple[str, dict[str, int]]:
    """Return the text without what a pattern takes, and the numbers it takes by whose they are.

    Nothing is taken where one is there twice.
    """
    pattern = pattern_of(text)
    if pattern is None:
        return text, {}
    rest, columns = _columns(pattern, text)
    owners, numbers = columns.values()
    found = dict(zip(owners, map(int, numbers), strict=True))
    return (text, {}) if len(found) < len(owners) else ("".join(rest), found)


def _times_pattern(text: str) -> str | None:
    """Return the pattern of an actor with one processor, marked default, of whole time."""
    of = _tag(text, "actorProperties", {"actor": VALUE})
    processor = _tag(text, "processor", {"default": "true"})
    time = _tag(text, "executionTime", {"time": FROM_0})
    if of is None or processor is None or time is None:
        return None
    inner = f"{processor.replace('(?P<default>', '(?:')}>{SPACE}*{time}/>{SPACE}*</processor>"
    return f"{of}>{SPACE}*{inner}{SPACE}*</actorProperties>{SPACE}*"


def _sizes_pattern(text: str) -> str | None:
    """Return the pattern of a channel of which the size of its tokens is all that is said."""
    of = _tag(text, "channelProperties", {"channel": VALUE})
    size = _tag(text, "tokenSize", {"sz": FROM_0})
    if of is None or size is None:
        return None
    return f"{of}>{SPACE}*{size}/>{SPACE}*</channelProperties>{SPACE}*"
