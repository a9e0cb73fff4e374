"""Run the cores of a RANC grid tick by tick on the test inputs of their folder.

In a tick a neuron adds to its potential the weights of its connected axons that spiked, then its
leak, in two's complement of the potential's width. At or above the upper threshold it fires and
resets (mode 0: to the reset value, mode 1: by the threshold); else below the lower threshold it
resets (mode 0: to minus the reset value, mode 1: by that threshold). A spike arrives ``tick + 1``
ticks later; an axon that several spikes reach in one tick spikes once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse

from optmap.errors import InputError
from optmap.model.snn import IntArray
from optmap.readers.ranc_cores import Cores, Grid, bits_of, numbers_of, without_comments
from optmap.readers.text import read_text


@dataclass(frozen=True)
class Bench:
    """Test inputs and expected outputs of a folder.

    Parameters
    ----------
    axon, tick : (packets,) int64 arrays
        Core number * num_axons + axon that a packet reaches, and in which tick.
    expected : tuple of tuple of int, or None
        Outputs of every tick, from tick ``latency`` of the grid on; None where the folder has none.
    length : int or None
        Ticks with outputs that ``tb_num_outputs.txt`` announces; None where the folder lacks it.
    """

    axon: IntArray
    tick: IntArray
    expected: tuple[tuple[int, ...], ...] | None
    length: int | None


@dataclass(frozen=True)
class Run:
    """What happened: spikes over all ticks, and whether the outputs were the expected ones."""

    num_ticks: int
    neuron_spikes: IntArray
    axon_spikes: IntArray
    packet_spikes: IntArray
    matches: bool | None


def read_bench(folder: Path, grid: Grid) -> Bench | None:
    """Read ``tb_input.txt`` and its companions; None where the folder has no test inputs.

    Raises
    ------
    InputError
        If packets are of another width, leave the grid, or are more or fewer than announced.
    """
    path = folder / "tb_input.txt"
    if not path.exists():
        return None
    width = grid.dx_width + grid.dy_width + grid.axon_width + grid.tick_width
    rows = _rows(path, f"packets of {width} bits")
    for number, row in enumerate(rows, start=1):
        if len(row) != width or row.strip("01"):
            found = f"{len(row)} characters {row[:12]!r}..."
            raise InputError(str(path), f"line {number}", found, f"{width} bits")
    bits = bits_of(rows) if rows else np.zeros((0, width), dtype=np.uint8)
    after = grid.dx_width + grid.dy_width
    x = numbers_of(bits, 0, grid.dx_width, True)
    y = numbers_of(bits, grid.dx_width, grid.dy_width, True)
    axon = numbers_of(bits, after, grid.axon_width, False)
    extra = numbers_of(bits, after + grid.axon_width, grid.tick_width, False)
    place, inside = grid.place(x, y)  # packets enter at core (0, 0): offsets are coordinates
    if not inside.all() or (axon >= grid.num_axons).any():
        bad = int(np.flatnonzero(~inside | (axon >= grid.num_axons))[0])
        found = f"core ({x[bad]}, {y[bad]}), axon {axon[bad]}"
        raise InputError(str(path), f"line {bad + 1}", found, "an axon of a core of the grid")
    counts = _counts(folder / "tb_num_inputs.txt")
    if sum(counts) != len(rows):
        found = f"{len(rows)} packets"
        raise InputError(str(path), "", found, f"{sum(counts)}, as tb_num_inputs.txt says")
    sent = np.repeat(np.arange(len(counts)), counts)
    announced = folder / "tb_num_outputs.txt"
    length = len(_counts(announced)) if announced.exists() else None
    reached = place * grid.num_axons + axon
    return Bench(reached, sent + extra, _expected(folder, grid), length)


def _rows(path: Path, expected: str) -> list[str]:
    """Return the words of a file; none where it is there but empty: a silent test."""
    if path.is_file() and not path.read_bytes().strip():
        return []
    return without_comments(read_text(path, expected)).split()


def _counts(path: Path) -> list[int]:
    """Return the numbers of a file with one a line."""
    words = without_comments(read_text(path, "one whole number a line")).split()
    for number, word in enumerate(words, start=1):
        if not (word.isascii() and word.isdigit() and len(word) < 10):
            raise InputError(str(path), f"line {number}", repr(word[:20]), "a whole number >= 0")
    return [int(word) for word in words]


def _expected(folder: Path, grid: Grid) -> tuple[tuple[int, ...], ...] | None:
    path = folder / "tb_correct.txt"
    if not path.exists() or not (folder / "tb_num_outputs.txt").exists():
        return None
    counts = _counts(folder / "tb_num_outputs.txt")
    rows = _rows(path, "one output a line")
    for number, row in enumerate(rows, start=1):
        if row.strip("01"):
            raise InputError(str(path), f"line {number}", repr(row[:20]), "bits")
    if sum(counts) != len(rows):
        found = f"{len(rows)} outputs"
        raise InputError(str(path), "", found, f"{sum(counts)}, as tb_num_outputs.txt says")
    numbers = iter([int(row, 2) for row in rows])
    return tuple(tuple(sorted(next(numbers) for _ in range(count))) for count in counts)


def run(cores: Cores, bench: Bench) -> Run:
    """Run until the last tick whose outputs are announced, else until all packets have arrived."""
    grid = cores.grid
    slots = grid.num_cores * grid.num_axons
    last = int(bench.tick.max()) if len(bench.tick) else 0
    num_ticks = last + 1 + grid.latency
    if bench.length is not None:
        num_ticks = grid.latency + bench.length
    reader, axon = cores.connections()
    weight = cores.weights_of(reader, axon)
    matrix = scipy.sparse.csr_array((weight, (reader, axon)), shape=(cores.num_neurons, slots))
    half = 1 << (grid.potential_width - 1)
    ring = np.zeros((grid.num_ticks + 1, slots), dtype=np.int64)
    potential = cores.potential.copy()
    neuron_spikes = np.zeros(cores.num_neurons, dtype=np.int64)
    axon_spikes = np.zeros(slots, dtype=np.int64)
    packet_spikes = np.zeros(slots, dtype=np.int64)
    outputs: list[tuple[int, ...]] = []
    for now in range(num_ticks):
        arrived = ring[now % len(ring)]
        packets = bench.axon[bench.tick == now]
        arrived[packets] = 1
        packet_spikes[np.unique(packets)] += 1
        axon_spikes += arrived
        potential = potential + matrix @ arrived + cores.leak
        arrived[:] = 0
        potential = (potential + half) % (2 * half) - half
        fires = potential >= cores.above
        falls = ~fires & (potential < cores.below)
        linear = cores.mode == 1
        up = np.where(linear, potential - cores.above, cores.reset)
        down = np.where(linear, potential - cores.below, -cores.reset)
        potential = np.where(fires, up, np.where(falls, down, potential))
        neuron_spikes += fires
        sent = np.flatnonzero(fires & (cores.target >= 0))
        ring[(now + 1 + cores.tick[sent]) % len(ring), cores.target[sent]] = 1
        outputs.append(tuple(sorted(cores.output[fires & (cores.output >= 0)].tolist())))
    matches = None
    checked = max(grid.latency, min(num_ticks, grid.checked_ticks or num_ticks))
    if bench.expected is not None:
        matches = tuple(outputs[grid.latency : checked]) == bench.expected[: checked - grid.latency]
    return Run(num_ticks, neuron_spikes, axon_spikes, packet_spikes, matches)
