"""RANC core files as arrays: one entry a neuron of the whole grid, bit fields decoded."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from optmap.errors import InputError
from optmap.model.snn import IntArray
from optmap.readers.options import pairs_of
from optmap.readers.text import read_text

PARAMETERS = "tb_spikehard_params.json"
FIELDS = ("grid_dimension_x", "grid_dimension_y", "output_core_x_coordinate",
          "output_core_y_coordinate", "num_neurons", "num_axons", "num_weights", "num_ticks",
          "num_reset_modes", "num_outputs", "potential_width", "weight_width", "leak_width",
          "threshold_width", "max_dimension_x", "max_dimension_y", "tick_latency",
          "num_ticks_to_check")  # fmt: skip
_MAX_SLOTS = 10**8
#: Files, and bytes in all, beyond which a folder is no grid of cores.
MAX_FILES = 50_000
MAX_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Grid:
    """The parameters of a grid of equal cores; widths in bits.

    Outputs are expected from tick ``latency`` on, and checked up to ``checked_ticks`` if given.
    """

    width: int
    height: int
    output: tuple[int, int]
    num_neurons: int
    num_axons: int
    num_weights: int
    num_ticks: int
    num_reset_modes: int
    num_outputs: int
    potential_width: int
    weight_width: int
    leak_width: int
    threshold_width: int
    dx_width: int
    dy_width: int
    latency: int
    checked_ticks: int | None

    @property
    def num_cores(self) -> int:
        """Places on the grid, used or not."""
        return self.width * self.height

    @property
    def axon_width(self) -> int:
        """Bits of an axon's number."""
        return bits_for(self.num_axons)

    @property
    def tick_width(self) -> int:
        """Bits of a delivery tick."""
        return bits_for(self.num_ticks)

    def place(self, x: IntArray, y: IntArray) -> tuple[IntArray, npt.NDArray[np.bool_]]:
        """Return core numbers, and which of them are on the grid and not the output core."""
        inside = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)
        return y * self.width + x, inside & ~((x == self.output[0]) & (y == self.output[1]))


def bits_for(count: int) -> int:
    """Return how many bits number 0..count-1."""
    return (count - 1).bit_length()


@dataclass(frozen=True)
class Cores:
    """Every neuron of the grid, core by core.

    Parameters
    ----------
    grid : Grid
        The parameters.
    connected : (neurons, num_axons) bool array
        Which axons of its own core a neuron reads.
    types : (num_cores, num_axons) int array
        Which of the reader's weights an axon selects.
    core, potential, reset, leak, above, below, mode, tick : (neurons,) int64 arrays
        Core number; potential at the start; value after a reset; leak; thresholds; reset mode
        (0 to the reset value, 1 linear); extra ticks until delivery.
    weights : (neurons, num_weights) int64 array
        The weights to select from.
    target : (neurons,) int64 array
        Core number * num_axons + axon that the neuron drives; -1 where it is an output.
    output : (neurons,) int64 array
        Number of the output that the neuron drives, -1 where it drives an axon.
    """

    grid: Grid
    connected: npt.NDArray[np.bool_]
    types: IntArray
    core: IntArray
    potential: IntArray
    reset: IntArray
    weights: IntArray
    leak: IntArray
    above: IntArray
    below: IntArray
    mode: IntArray
    target: IntArray
    output: IntArray
    tick: IntArray

    @property
    def num_neurons(self) -> int:
        """Neurons on all cores, used or not."""
        return len(self.core)

    def connections(self) -> tuple[IntArray, IntArray]:
        """Return (reader, core number * num_axons + axon) of every connection."""
        reader, axon = np.nonzero(self.connected)
        return reader, self.core[reader] * self.grid.num_axons + axon

    def weights_of(self, reader: IntArray, axon: IntArray) -> IntArray:
        """Return the weight that each connection selects."""
        return self.weights[reader, self.types.reshape(-1)[axon]]

    def can_fire(self) -> npt.NDArray[np.bool_]:
        """Tell which neurons ever can: those with a connection, a leak, or enough to start with."""
        reads = np.count_nonzero(self.connected, axis=1) > 0
        return np.asarray(reads | (self.leak != 0) | (self.potential >= self.above))

    def alive(self) -> npt.NDArray[np.bool_]:
        """Tell which neurons fire into an output, directly or through neurons that do."""
        slots = self.grid.num_cores * self.grid.num_axons
        reader, axon = self.connections()
        alive = self.can_fire() & (self.output >= 0)
        while True:
            driven = np.zeros(slots, dtype=np.bool_)
            driven[axon[alive[reader]]] = True
            more = alive | (self.can_fire() & (self.target >= 0) & driven[self.target])
            if (more == alive).all():
                return alive
            alive = more


def _refuse_link_out(entry: os.DirEntry[str], folder: Path) -> None:
    """Refuse a link to a file elsewhere: whoever made the folder has no business to name it."""
    if entry.is_symlink() and folder.resolve() not in Path(entry.path).resolve().parents:
        raise InputError(entry.path, "", "a link out of its folder", "a file of the folder")


def core_files(folder: Path) -> list[Path]:
    """Return the files that a folder of cores is made of, sorted; nothing below it is looked at.

    Raises
    ------
    InputError
        If it holds no core, or is too large to be one: said before any file is opened.
    """
    found: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for seen, entry in enumerate(entries):
                if seen >= MAX_FILES:
                    expected = f"a RANC folder of at most {MAX_FILES}"
                    raise InputError(str(folder), "", f"more than {MAX_FILES} entries", expected)
                if entry.name.endswith((".mem", ".txt", ".json")) and entry.is_file():
                    _refuse_link_out(entry, folder)
                    found.append(Path(entry.path))
    except OSError as error:
        raise InputError(str(folder), "", error.strerror or "unreadable", "a folder") from None
    if not any(path.name.startswith("csram_") and path.suffix == ".mem" for path in found):
        expected = "a network: a file, or RANC core files"
        raise InputError(str(folder), "", "a folder without csram_*.mem files", expected)
    size = sum(path.stat().st_size for path in found)
    if size > MAX_BYTES:
        raise InputError(str(folder), "", f"{size} bytes", f"at most {MAX_BYTES}")
    return sorted(found)


def read_grid(folder: Path, parameters: str | None = None) -> Grid:
    """Read the parameters of a folder, or what stands in their place.

    ``parameters``: NAME=VALUE pairs between commas, in place of the file or of values in it.

    Raises
    ------
    InputError
        If the file is missing, no JSON, or a field is missing or no whole number.
    """
    path = folder / PARAMETERS
    given = pairs_of("--parameters", parameters, FIELDS)
    data: Any = {}
    if path.exists() or not given:
        expected = "RANC parameters as JSON, or --parameters grid_dimension_x=4,..."
        try:
            data = json.loads(read_text(path, expected), object_pairs_hook=partial(_once, path))
        except (json.JSONDecodeError, RecursionError) as error:
            raise InputError(str(path), "", f"no JSON ({error})", expected) from None
    if not isinstance(data, dict):
        raise InputError(str(path), "", type(data).__name__, "an object")
    data |= given

    def whole(field: str, least: int) -> int:
        value = data.get(field)
        if type(value) is not int or not least <= value <= 2**20:
            raise InputError(str(path), field, repr(value), f"a whole number from {least} to 2^20")
        return value

    grid = Grid(
        whole("grid_dimension_x", 1),
        whole("grid_dimension_y", 1),
        (whole("output_core_x_coordinate", 0), whole("output_core_y_coordinate", 0)),
        whole("num_neurons", 1),
        whole("num_axons", 1),
        whole("num_weights", 1),
        whole("num_ticks", 1),
        whole("num_reset_modes", 1),
        whole("num_outputs", 1),
        whole("potential_width", 1),
        whole("weight_width", 1),
        whole("leak_width", 1),
        whole("threshold_width", 1),
        bits_for(whole("max_dimension_x", 1)),
        bits_for(whole("max_dimension_y", 1)),
        whole("tick_latency", 0) if "tick_latency" in data else 0,
        None if data.get("num_ticks_to_check") is None else whole("num_ticks_to_check", 1),
    )
    widths = (grid.potential_width, grid.weight_width, grid.leak_width, grid.threshold_width)
    if max(widths) > 48 or grid.num_cores * max(grid.num_axons, grid.num_neurons) > _MAX_SLOTS:
        found = f"fields of {max(widths)} bits, {grid.num_cores} cores"
        raise InputError(str(path), "", found, f"at most 48 bits and {_MAX_SLOTS} neurons")
    return grid


def _once(path: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; a name with two values is refused."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if found.setdefault(name, value) != value:
            raise InputError(str(path), name, f"{found[name]!r} and {value!r}", "one value")
    return found


def read_cores(folder: Path, grid: Grid) -> Cores:
    """Read the core files of a folder.

    Raises
    ------
    InputError
        If a file does not have the lines and bits that the parameters ask for.
    """
    files = _numbered_files(folder, "csram", grid)
    type_files = _numbered_files(folder, "tc", grid)
    for number in sorted(files.keys() ^ type_files.keys()):
        there = (files | type_files)[number]
        kinds = ("csram", "tc") if number in files else ("tc", "csram")
        lacking = str(there.with_name(there.name.replace(*kinds, 1)))
        raise InputError(lacking, "", "no such file", f"the core's other half beside {there.name}")
    types = np.zeros((grid.num_cores, grid.num_axons), dtype=np.int64)
    for number, path in type_files.items():
        width = bits_for(grid.num_weights)
        types[number] = numbers_of(_bits(path, grid.num_axons, width), 0, width, signed=False)
        if types[number].max() >= grid.num_weights:
            found = f"type {types[number].max()}"
            raise InputError(str(path), "", found, f"types 0..{grid.num_weights - 1}")
    widths = _field_widths(grid)
    parts = [_bits(path, grid.num_neurons, sum(widths)) for path in files.values()]
    bits = np.concatenate(parts)
    core = np.repeat(np.array(list(files), dtype=np.int64), grid.num_neurons)
    start = np.cumsum([0, *widths])
    first_weight = 3

    def field(index: int, signed: bool = True) -> IntArray:
        return numbers_of(bits, int(start[index]), widths[index], signed)

    after = first_weight + grid.num_weights
    x = core % grid.width + field(after + 4)
    y = core // grid.width + field(after + 5)
    place, inside = grid.place(x, y)
    axon = field(after + 6, signed=False)
    if (axon[inside] >= grid.num_axons).any():
        found = f"a target axon {axon[inside].max()}"
        raise InputError(str(folder), "", found, f"axons 0..{grid.num_axons - 1}")
    mode = field(after + 3, signed=False)
    if mode.max() > 1:
        raise InputError(str(folder), "", f"reset mode {mode.max()}", "0 (value) or 1 (linear)")
    return Cores(
        grid=grid,
        connected=bits[:, : grid.num_axons][:, ::-1].astype(np.bool_),  # last bit: axon 0
        types=types,
        core=core,
        potential=field(1),
        reset=field(2),
        weights=np.stack([field(first_weight + w) for w in range(grid.num_weights)], axis=1),
        leak=field(after),
        above=field(after + 1),
        below=field(after + 2),
        mode=mode,
        target=np.where(inside, place * grid.num_axons + axon, -1),
        output=np.where(inside, -1, axon),
        tick=field(after + 7, signed=False),
    )


def _field_widths(grid: Grid) -> list[int]:
    return [
        grid.num_axons,
        grid.potential_width,
        grid.potential_width,
        *[grid.weight_width] * grid.num_weights,
        grid.leak_width,
        grid.threshold_width,
        grid.threshold_width,
        bits_for(grid.num_reset_modes),
        grid.dx_width,
        grid.dy_width,
        grid.axon_width,
        grid.tick_width,
    ]


def _numbered_files(folder: Path, stem: str, grid: Grid) -> dict[int, Path]:
    """Return the files of one kind by core number, whatever zeros the names begin with."""
    found: dict[int, Path] = {}
    for path in sorted(folder.glob(f"{stem}_*.mem")):
        match = re.fullmatch(rf"{stem}_([0-9]{{1,9}})\.mem", path.name)
        number = int(match[1]) if match else -1
        if not 0 <= number < grid.num_cores or number in found:
            expected = f"one {stem} file a core, cores 0..{grid.num_cores - 1}"
            raise InputError(str(path), "", f"a file for core {number}", expected)
        found[number] = path
    if not found:
        raise InputError(str(folder), "", f"no {stem}_*.mem file", "one for each used core")
    return dict(sorted(found.items()))


def without_comments(text: str) -> str:
    r"""Return a memory file without Verilog's comments, which ``$readmemb`` allows.

    Examples
    --------
    >>> without_comments("// core 0\n01 /* two */ 10").split()
    ['01', '10']
    """
    kept: list[str] = []
    at = 0
    while True:
        line, block = text.find("//", at), text.find("/*", at)
        starts = [place for place in (line, block) if place >= 0]
        if not starts:
            return "".join([*kept, text[at:]])
        start = min(starts)
        kept += [text[at:start], " "]
        end = text.find("\n" if start == line else "*/", start + 2)
        if end < 0:
            return "".join(kept)
        at = end + (1 if start == line else 2)


def _bits(path: Path, lines: int, width: int) -> npt.NDArray[np.uint8]:
    """Return a file of 0/1 lines as an array (lines, width)."""
    text = read_text(path, f"{lines} lines of {width} bits")
    rows = [word.replace("_", "") for word in without_comments(text).split()]
    if len(rows) != lines:
        raise InputError(str(path), "", f"{len(rows)} lines", f"{lines} lines")
    for number, row in enumerate(rows, start=1):
        if len(row) != width or row.strip("01"):
            found = f"{len(row)} characters {row[:12]!r}..."
            raise InputError(str(path), f"line {number}", found, f"{width} bits")
    return bits_of(rows)


def bits_of(rows: list[str]) -> npt.NDArray[np.uint8]:
    """Return equally long lines of 0 and 1 as an array of bits."""
    flat = np.frombuffer("".join(rows).encode("ascii"), dtype=np.uint8) - ord("0")
    bits: npt.NDArray[Any] = flat.reshape(len(rows), -1)
    return bits


def numbers_of(bits: npt.NDArray[np.uint8], start: int, width: int, signed: bool) -> IntArray:
    """Return the field of ``width`` bits at ``start`` as numbers, two's complement if signed."""
    value = np.zeros(len(bits), dtype=np.int64)
    for column in range(start, start + width):
        value = 2 * value + bits[:, column]
    if signed and width:
        value -= (bits[:, start].astype(np.int64)) << width
    return value
