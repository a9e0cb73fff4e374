"""Which column of a table means what, by the words of its header.

Words are taken apart (``bodyId_pre`` is body, id, pre), so that the headers of pandas, neuprint,
CAVE, Codex, PyNN, NEST and SONATA tables are understood without a list of tools. A word that is not
understood is never guessed: its column is left out and named, or the table is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SOURCE = {"source", "src", "pre", "presyn", "presynaptic", "from", "origin", "sender", "afferent"}
_TARGET = {"target", "tgt", "dst", "dest", "destination", "post", "postsyn", "postsynaptic", "to",
           "receiver", "efferent"}  # fmt: skip
_ID = {"id", "ids", "root", "body", "neuron", "node", "cell", "gid", "nid", "index", "idx", "pt",
       "global", "vertex", "unit", "synaptic"}  # fmt: skip
_LABEL = {"name", "names", "label"}

#: Pairs of words that say nothing of a direction; the first column is the source.
_PAIRS = {("i", "j"), ("u", "v")}
_STEMS = {"entity", "node", "neuron", "cell", "id", "body", "vertex", "unit", "element",
          "interactor", "n", "v"}  # fmt: skip
_ENDS = {("1", "2"), ("a", "b"), ("0", "1")}

_WEIGHT = [{"weight"}, {"weights"}, {"w"}, {"syn", "weight"}, {"synapse", "weight"},
           {"synaptic", "weight"}, {"edge", "weight"}, {"connection", "weight"},
           {"strength"}, {"syn", "strength"}, {"synapse", "strength"}]  # fmt: skip
_COUNT = [{"count"}, {"counts"}, {"synapses"}, {"syn", "count"}, {"synapse", "count"},
          {"num", "synapses"}, {"n", "synapses"}, {"nsyn"}, {"nsyns"}, {"n", "syn"}, {"num", "syn"},
          {"number"},
          {"number", "of", "connections"}, {"number", "of", "synapses"}, {"nbr"}, {"contacts"},
          {"connections"}, {"multiplicity"}]  # fmt: skip
_TYPE = [{"type"}, {"kind"}, {"syn", "type"}, {"synapse", "type"}, {"edge", "type"}, {"etype"},
         {"connection", "type"}, {"conn", "type"}]  # fmt: skip
#: Columns of a truth value, or of a word, that say whether a row counts both ways.
_ONE_WAY = [{"directed"}, {"unidirectional"}, {"oriented"}]
_BOTH_WAYS = [{"undirected"}, {"bidirectional"}, {"reciprocal"}, {"mutual"}, {"symmetric"},
              {"electrical"}, {"gap", "junction"}, {"gap"}, {"gj"}]  # fmt: skip
_DIRECTION = [{"direction"}, {"directionality"}]
#: What a column beside an end may say, so that neurons of one number in two of them are two.
_GROUPS = {"layer", "pop", "group", "area", "ensemble", "module", "nucleus", "column", "core",
           "region", "sheet", "network", "block", "chip", "assembly"}  # fmt: skip
_DELAY = [{"delay"}, {"delays"}, {"delay", "ms"}, {"syn", "delay"}, {"synaptic", "delay"}]

_PIECES = (
    "presynaptic|postsynaptic|presyn|postsyn|source|target|pre|post|src|tgt|dst|from|to|body|root"
    "|neuron|node|cell|ids|id|gid|index|idx|name|weight|count|delay|synapses|synapse|syn|num|type"
)
#: Columns of a header in which words are looked for.
MOST_COLUMNS = 1000

_GLUED = re.compile(f"(?:{_PIECES})+")
_PIECE = re.compile(_PIECES)
_UNIT = re.compile(r"[(\[][^()\[\]]*[)\]]\s*$")  # weight (nS)
_BARE_UNIT = re.compile(  # weight_nS, delay/ms, weight in pA
    r"(?:[_/. ]|\s+in\s+)(?:[fpnuµm]?[SAVC]|[num]?s|µs|a\.?u\.?)\s*$"
)
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


def words_of(cell: str) -> tuple[str, ...]:
    """Return the words of a header's cell, in small letters.

    Examples
    --------
    >>> words_of("bodyId_pre"), words_of("Presynaptic ID"), words_of("postid")
    (('body', 'id', 'pre'), ('presynaptic', 'id'), ('post', 'id'))
    """
    words: list[str] = []
    for word in _WORD.findall(_UNIT.sub("", cell)):
        small = word.lower()
        words += _PIECE.findall(small) if _GLUED.fullmatch(small) else [small]
    return tuple(words)


@dataclass(frozen=True)
class EdgeColumns:
    """Positions of what an edge list has; None where it lacks it.

    ``weight_is_count``: the weight is a number of synapses. ``others``: positions left out.
    """

    source: int
    target: int
    weight: int | None = None
    type: int | None = None
    delay: int | None = None
    weight_is_count: bool = False
    others: tuple[int, ...] = ()


@dataclass(frozen=True)
class Direction:
    """A column that says whether a row counts both ways.

    ``yes``: what its truth values mean: "directed", "undirected", or "" where it has words alone.
    """

    place: int
    yes: str


def direction_columns(header: Sequence[str]) -> list[Direction]:
    """Return the columns that say of a row whether it is directed.

    Examples
    --------
    >>> direction_columns(["pre", "post", "is_directed", "direction"])
    [Direction(place=2, yes='directed'), Direction(place=3, yes='')]
    """
    meanings = ((_ONE_WAY, "directed"), (_BOTH_WAYS, "undirected"), (_DIRECTION, ""))
    return [
        Direction(place, yes)
        for place, cell in enumerate(header)
        for words, yes in meanings
        if set(words_of(cell)) - {"is"} in words
    ]


def group_columns(
    header: Sequence[str], columns: EdgeColumns
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return pairs of columns that say of which layer, group, ... the two ends are.

    Each as (end, what it says of the end) of the source and of the target.

    Examples
    --------
    >>> header = ["pre_layer", "pre", "post_layer", "post"]
    >>> group_columns(header, edge_columns(header))
    [((1, 0), (3, 2))]
    """
    targets: dict[frozenset[str], list[int]] = {}
    words = {place: frozenset(words_of(header[place])) for place in columns.others}
    for place, own in words.items():
        if own & _TARGET:
            targets.setdefault(own - _TARGET, []).append(place)
    return [
        ((columns.source, i), (columns.target, j))
        for i, own in words.items()
        if own & _SOURCE and (own - _SOURCE) & _GROUPS
        for j in targets.get(own - _SOURCE, ())
    ]


def weight_word(name: str) -> bool:
    """Tell whether a name is that of a weight, or of a number of synapses."""
    return is_word(name, _WEIGHT) or is_word(name, _COUNT)


def type_word(name: str) -> bool:
    """Tell whether a name is that of a type of synapse."""
    return is_word(name, _TYPE)


class UnclearHeader(ValueError):
    """The words of a header do not tell which column is what; ``several`` columns may be it."""

    def __init__(self, text: str, several: bool = False) -> None:
        self.several = several
        super().__init__(text)


def edge_columns(header: Sequence[str]) -> EdgeColumns:
    """Return what the columns of an edge list mean.

    Raises
    ------
    UnclearHeader
        If no pair of columns, or more than one, can be source and target, or two be the weight.

    Examples
    --------
    >>> found = edge_columns(["pre_root_id", "post_root_id", "neuropil", "syn_count"])
    >>> found.source, found.target, found.weight, found.others
    (0, 1, 3, (2,))
    >>> edge_columns(["axon", "dendrite"])
    Traceback (most recent call last):
        ...
    optmap.readers.columns.UnclearHeader: no words for source and target
    """
    if len(header) > MOST_COLUMNS:
        raise UnclearHeader(f"{len(header):,} columns, more than {MOST_COLUMNS:,}")
    cells = [words_of(cell) for cell in header]
    source, target = _ends(cells)
    weight, count, kind, delay = (
        _only(header, cells, words) for words in (_WEIGHT, _COUNT, _TYPE, _DELAY)
    )
    used = count if weight is None else weight
    taken = {source, target, used, kind, delay}
    others = tuple(position for position in range(len(header)) if position not in taken)
    by_count = weight is None and count is not None
    return EdgeColumns(source, target, used, kind, delay, by_count, others)


def _only(
    header: Sequence[str], cells: Sequence[tuple[str, ...]], words: list[set[str]]
) -> int | None:
    """Return the one column that these words name, None where there is none."""
    bare = [words_of(_BARE_UNIT.sub("", name)) for name in header]
    found = [
        i for i, cell in enumerate(cells) if cell and (set(cell) in words or set(bare[i]) in words)
    ]
    if len(found) > 1:
        named = ", ".join(repr(header[i]) for i in found)
        raise UnclearHeader(f"columns of one meaning, {named}", several=True)
    return found[0] if found else None


def _ends(cells: Sequence[tuple[str, ...]]) -> tuple[int, int]:
    """Return the columns of source and target."""
    sources, targets = (_candidates(cells, words) for words in (_SOURCE, _TARGET))
    pairs = [(rest, s, t) for rest, s in sources for other, t in targets if rest == other]
    if not pairs and len(sources) == 1 and len(targets) == 1:
        pairs = [(sources[0][0], sources[0][1], targets[0][1])]
    if not pairs:
        pair = _pair_by_position(cells)
        if pair is None:
            raise UnclearHeader("no words for source and target")
        return pair
    least = min(_rank(rest) for rest, _, _ in pairs)
    best = [(s, t) for rest, s, t in pairs if _rank(rest) == least]
    if len(best) > 1:
        raise UnclearHeader(
            f"{len(best)} pairs of columns that could be source and target", several=True
        )
    return best[0]


def _candidates(
    cells: Sequence[tuple[str, ...]], words: set[str]
) -> list[tuple[frozenset[str], int]]:
    """Return (further words, column) of every column that names an end by one of ``words``."""
    found = []
    for i, cell in enumerate(cells):
        rest = frozenset(cell) - words
        if len(set(cell) & words) == 1 and rest <= _ID | _LABEL:
            found.append((rest, i))
    return found


def names_both_ends(cells: Sequence[str]) -> bool:
    """Tell whether one of these words names a source and another one a target.

    Examples
    --------
    >>> names_both_ends(["pre", "weight", "post"]), names_both_ends(["pre", "pre"])
    (True, False)
    """
    words = [words_of(cell) for cell in cells]
    if any((*a, *b) in _PAIRS for a in words for b in words):
        return True
    return all(_candidates(words, ends) for ends in (_SOURCE, _TARGET))


def _rank(rest: Iterable[str]) -> int:
    """Order columns of one end: the bare word, then ids, then names."""
    words = set(rest)
    return 2 if words & _LABEL else 1 if words else 0


def _pair_by_position(cells: Sequence[tuple[str, ...]]) -> tuple[int, int] | None:
    """Return the first two columns of a kind like ``i,j`` or ``Entity1,Entity2``."""
    found = []
    for a in range(len(cells) - 1):
        first, second = cells[a], cells[a + 1]
        if len(first) == len(second) == 1 and (first[0], second[0]) in _PAIRS:
            found.append((a, a + 1))
        if len(first) < 2 or first[:-1] != second[:-1] or not set(first[:-1]) <= _STEMS:
            continue
        if (first[-1], second[-1]) in _ENDS:
            found.append((a, a + 1))
    return found[0] if len(found) == 1 else None


def population_columns(header: Sequence[str] | None) -> list[int]:
    """Return the columns that say of which population a neuron is, as SONATA's tables do."""
    return [i for i, cell in enumerate(header or ()) if "population" in words_of(cell)]


def stem(name: str) -> str:
    """Return a name without its digits: what a header and a row of names may have in common."""
    return re.sub(r"[0-9]+", "", name).casefold()


#: What the columns of a spike file may be called.
ID = [{"id"}, {"ids"}, {"node", "ids"}, {"node", "id"}, {"neuron"}, {"neuron", "id"},
      {"neuron", "ids"}, {"gid"}, {"gids"}, {"sender"}, {"senders"}, {"index"}, {"idx"}, {"i"},
      {"unit"}, {"unit", "id"}, {"cell"}, {"cell", "id"}, {"channel"}, {"addr"}, {"address"},
      {"spike", "ids"}, {"spike", "id"}, {"spike", "indices"}, {"indices"},
      {"name"}, {"neuron", "name"}, {"neuron", "index"}, {"source"}, {"source", "id"}]  # fmt: skip
TIME = [{"time"}, {"times"}, {"t"}, {"timestamp"}, {"timestamps"}, {"ts"}, {"time", "ms"},
        {"time", "s"}, {"times", "ms"}, {"t", "ms"}, {"t", "s"}, {"spike", "time"},
        {"spike", "times"}, {"time", "step"}, {"step"}, {"timestep"}]  # fmt: skip
COUNT = [{"spikes"}, {"count"}, {"counts"}, {"spike", "count"}, {"spike", "counts"},
         {"n", "spikes"}, {"num", "spikes"}, {"number", "of", "spikes"}]  # fmt: skip
RATE = [{"rate"}, {"rates"}, {"firing", "rate"}, {"spike", "rate"}, {"mean", "rate"}, {"hz"},
        {"rate", "hz"}, {"firing", "rate", "hz"}, {"frequency"}, {"frequencies"},
        {"frequency", "hz"}, {"spike", "frequency"}]  # fmt: skip
#: Columns of a spike file that tell repetitions apart, and those of a recording of potentials.
_TRIAL = {"trial", "trials", "sample", "batch", "run", "repetition", "repeat", "sweep", "episode",
          "stimulus", "presentation", "segment"}  # fmt: skip
_ANALOG = {"v", "vm", "voltage", "potential", "current", "conductance", "membrane", "isyn"}
_SPIKE_WORDS = {"id": ID, "time": TIME, "count": COUNT, "rate": RATE}


def is_word(cell: str, words: list[set[str]]) -> bool:
    """Tell whether a cell has one of these meanings."""
    return set(words_of(cell)) in words


def trial_columns(header: Sequence[str] | None) -> list[int]:
    """Return the columns that say of which trial, sample, ... a spike is."""
    return [i for i, cell in enumerate(header or ()) if _TRIAL & set(words_of(cell))]


def analog_column(header: Iterable[str]) -> str | None:
    """Return the name of a column of potentials, currents, ...: no spikes, but a multimeter's.

    Examples
    --------
    >>> analog_column(["sender", "time_ms", "V_m"])
    'V_m'
    """
    for cell in header:
        words = words_of(cell)
        if _ANALOG & set(words) or words in (("g", "ex"), ("g", "in"), ("i", "syn"), ("u", "m")):
            return cell
    return None


def is_nest(word: str) -> bool:
    """Tell whether a word names neurons as NEST does, which counts them from 1."""
    return words_of(word) in (("sender",), ("senders",))


def spike_columns(header: Sequence[str]) -> dict[str, int]:
    """Return the columns of a spike file: ``id`` and one of ``time``, ``count``, ``rate``.

    Raises
    ------
    UnclearHeader
        If there is no such pair, or more than one.

    Examples
    --------
    >>> spike_columns(["timestamps", "population", "node_ids"])
    {'id': 2, 'time': 0}
    """
    found = {
        name: [i for i, cell in enumerate(header) if is_word(cell, words)]
        for name, words in _SPIKE_WORDS.items()
    }
    values = [name for name in ("count", "rate", "time") if found[name]]
    if len(found["id"]) == 1 and len(values) == 1 and len(found[values[0]]) == 1:
        return {"id": found["id"][0], values[0]: found[values[0]][0]}
    several = bool(found["id"] and values)
    raise UnclearHeader("no one column of ids and one of times, counts or rates", several)
