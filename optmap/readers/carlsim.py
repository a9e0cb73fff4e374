"""CARLsim / NeuroXplorer text: ``source target target ...`` and ``neuron time time ...``.

One line a neuron, whole numbers between blanks. A connection line lists the neurons that its first
neuron drives; a spike line lists when its first neuron fired, so that the count of the times is the
neuron's spikes. A neuron may have several lines; a target named twice counts once.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from optmap.errors import InputError
from optmap.model.snn import SNN, IntArray, Population, from_edges
from optmap.readers.edge_doubts import may_be_sizes
from optmap.readers.file_limits import refuse_wide_numbers
from optmap.readers.text import read_text

EXPECTED = "lines of whole numbers: source target target ..."

_MAX_NEURON = 100_000_000


def read_connections(path: Path, *, asked: bool = True) -> SNN:
    """Read connection lines; every neuron counts one assumed spike.

    Neurons are 0 to the largest number named. ``asked``: whether the format was told.

    Raises
    ------
    InputError
        If a line is no list of neurons, naming the line, or no line names a target, or the first
        line may be the numbers of neurons and synapses and the format was not told.
    """
    sources: list[int] = []
    counts: list[int] = []
    targets: list[IntArray] = []
    for line, text in _lines(path, EXPECTED):
        numbers = _whole(path, line, text, text.split(), EXPECTED)
        sources.append(int(numbers[0]))
        counts.append(len(numbers) - 1)
        targets.append(numbers[1:])
    pre = np.repeat(np.array(sources, dtype=np.int64), counts)
    post = np.concatenate(targets) if targets else pre
    if not len(pre):
        raise InputError(str(path), "", "no synapse", EXPECTED)
    if not asked:
        _refuse_sizes(path, sources, counts, post)
    count = int(max(max(sources), post.max())) + 1
    refuse_wide_numbers(str(path), "largest neuron + 1", count, len(pre))
    return from_edges(pre, post, count, populations=[Population("neurons", 0, count - 1)])


def _refuse_sizes(path: Path, sources: list[int], counts: list[int], post: IntArray) -> None:
    """Refuse a first line ``5`` or ``5 8`` that may be the numbers of neurons and synapses."""
    first = [sources[0], *post[: counts[0]].tolist()]
    largest = int(max([0, *sources[1:], *post[counts[0] :].tolist()]))
    alone = len(first) == 1 and first[0] in (largest + 1, len(sources) - 1)
    if alone or may_be_sizes(first, largest, sum(counts[1:])):
        found = f"{' '.join(map(str, first))!r}, which may be numbers of neurons and synapses"
        raise InputError(str(path), "first line", found, "--format carlsim or --format edges")


def read_spike_lines(path: Path, num_neurons: int) -> IntArray:
    """Return how often each neuron fired, shape (num_neurons,); unnamed neurons were silent.

    Raises
    ------
    InputError
        If a line is no list of times, or names a neuron that is not there.
    """
    expected = "lines of numbers: neuron time time ..."
    spikes = np.zeros(num_neurons, dtype=np.int64)
    for line, text in _lines(path, expected):
        words = text.split()
        neuron = int(_whole(path, line, text, words[:1], expected)[0])
        if neuron >= num_neurons:
            raise InputError(
                str(path), f"line {line}", f"neuron {neuron}", f"neurons 0..{num_neurons - 1}"
            )
        try:
            times = np.array(words[1:], dtype=np.float64)
        except ValueError:
            raise InputError(str(path), f"line {line}", repr(text[:40]), expected) from None
        if not np.isfinite(times).all() or (times < 0).any():
            raise InputError(str(path), f"line {line}", "a time below 0 or none", expected)
        spikes[neuron] += len(times)
    return spikes


def _lines(path: Path, expected: str) -> list[tuple[int, str]]:
    lines = enumerate(read_text(path, expected).splitlines(), start=1)
    return [(n, text) for n, text in lines if text.strip() and not text.lstrip().startswith("#")]


def _whole(path: Path, line: int, text: str, words: list[str], expected: str) -> IntArray:
    try:
        if "_" in text or not text.isascii():  # digits to Python, not to others
            raise ValueError
        numbers = np.array(words, dtype=np.int64)
    except (ValueError, OverflowError):
        raise InputError(str(path), f"line {line}", repr(text[:40]), expected) from None
    if numbers.min() < 0 or numbers.max() > _MAX_NEURON:
        worst = int(numbers.min() if numbers.min() < 0 else numbers.max())
        raise InputError(str(path), f"line {line}", f"neuron {worst}", f"neurons 0..{_MAX_NEURON}")
    return numbers
