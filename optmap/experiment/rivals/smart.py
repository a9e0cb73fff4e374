"""SMART's ResNet-50: 177 operations on a processor and four tiles of an accelerator [D]_.

Read from the public code and its log (SOURCE), said again in our own words:

- Operations are the layers of ResNet-50 for images of 32 x 32 x 3; an arc is a tensor that one
  layer gives another. The input runs on the processor, every other layer on the processor or on the
  unit of its kind on one of four tiles. A unit runs one operation at a time.
- An operation reads its tensors, computes, and writes its own; its unit waits meanwhile. A tensor
  in memory costs the processor ceil(10 size / 1024) ticks on the memory's channel for each read and
  write, a tile ceil(10 size / 512) on the one DMA channel. A tensor of a tile that stays in its
  scratchpad costs tiles nothing, and the processor the DMA.
- A scratchpad holds 32,768 elements. Only tensors that must wait count: those read on another tile
  or by the processor, or by an operation that another way leads to as well.
- The length of a schedule is when the last operation ends.

The log tells every operation's ticks on both (they are fractions; simulated time is whole). On a
tile they are c / (1 + 0.00024 (c - 1000)) of c on the processor, to the last digit of the log.

References
----------
.. [D] A. Das, "A Design Flow for Scheduling Spiking Deep Convolutional Neural Networks on
   Heterogeneous Neuromorphic System-on-Chip", ACM TECS, 2023.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import ceil
from pathlib import Path

SOURCE = "github.com/drexel-DISCO/SMART, logs/SMART.resnet50.log at 524432e"
#: Lengths of its schedules: all on the processor; tiles by balanced tensors; tensors in
#: scratchpads; transfers in order.
PUBLISHED = {"STEUni": 675_074, "OpMap": 384_468, "ActMap": 370_342, "IPCSchd": 364_952}
TILES, SCRATCHPAD, PROCESSOR = 4, 32_768, -1
#: Elements moved in ten ticks: between processor and memory; by the DMA of the tiles.
MEMORY_WORDS, DMA_WORDS = 1024, 512
#: Ticks on the processor, by operation.
TIMES = """
933 1192.7592 3042.6794 2359.3771 5441.3404 2759.2313 3740.7891 1334.4199 3487.6828 2217.5888
5891.7743 4085.7074 5568.2149 1451.6993 5829.5959 1212.8286 3903.7858 2120.9274 2539.0338 3472.4372
5639.9578 3225.6961 3380.7913 3073.7200 1354.0446 1373.9688 4708.3447 4421.2048 5548.8462 2618.7667
1367.1333 2399.0774 5298.6422 3254.2257 2852.7832 4995.5768 5072.3907 1726.6808 2357.4556 3529.7021
1723.6028 3480.7808 4657.6557 1997.9435 4957.6297 1729.7740 2987.4444 1405.4533 2018.3522 1417.6026
3105.2231 5561.7168 3734.0078 4800.8074 2852.9716 1972.6862 2781.9910 3019.8904 1728.3463 3905.7607
1740.8560 5895.2506 5799.8047 5390.4967 4553.4187 2232.4098 1652.6011 2397.9152 5671.3098 5135.8528
3406.2332 1152.7766 2204.6775 5479.5119 5106.7877 2200.5152 4554.9113 5631.5643 3574.6898 1436.5074
3550.0925 1261.8180 5803.9038 5500.2911 3862.8837 1222.8790 5700.1705 3930.4888 3598.8897 2577.1759
3062.1441 3469.1633 3420.5938 4347.6752 3878.5810 1361.8329 1967.1817 1007.5509 4857.9547 3586.6045
3912.9422 5531.8558 3241.3361 5352.3786 1666.6758 4026.1994 3017.5088 1355.5375 5119.0362 4532.8687
5888.2666 5966.8384 2015.7115 3904.4315 3438.8974 4058.2170 4421.2615 2972.5994 1612.6851 3591.0503
1268.5209 3707.1034 1476.6745 1084.1250 1893.5718 2144.1445 4727.7981 2277.6375 4937.0068 4907.7915
2762.5993 2620.6336 5020.5152 3219.7970 1148.4958 5839.2009 5743.1091 5507.5070 1721.1990 3904.7095
3260.3293 1539.7218 2379.5896 5501.1194 2711.4983 2756.1874 4948.3196 3417.1648 1372.9363 4795.8760
2866.6809 3808.9638 5074.4577 3977.5937 4246.9972 3699.3832 1264.8932 2721.2289 1228.0465 1335.5113
4819.4079 1453.7909 2984.5324 3172.0841 1043.2392 3529.8833 2395.3119 3785.1907 2923.5229 3824.4799
2981.3145 1760.7314 3586.4173 1220.2362 5293.7783 5801.6271 2501.8119
"""
#: Blocks of each stage of ResNet-50, its inner channels, and the side of its images.
STAGES = ((3, 64, 8), (4, 128, 4), (6, 256, 2), (3, 512, 1))


@dataclass(frozen=True, slots=True)
class Operation:
    """A layer: its kind, the operations it reads, and the elements of its tensor."""

    kind: str
    reads: tuple[int, ...]
    elements: int
    processor: float

    @property
    def tile(self) -> float:
        """Ticks on the unit of a tile."""
        return self.processor / (1 + 0.00024 * (self.processor - 1000))

    def ticks(self, place: int) -> int:
        """Return whole ticks on a tile, or on the processor."""
        return ceil(self.processor if place == PROCESSOR else self.tile)


def resnet50() -> tuple[Operation, ...]:
    """Return the operations, numbered as published."""
    times = list(map(float, TIMES.split()))
    made: list[Operation] = []

    def add(kind: str, reads: tuple[int, ...], elements: int) -> int:
        made.append(Operation(kind, reads, elements, times[len(made)]))
        return len(made) - 1

    first = 16 * 16 * 64
    head = [("input", 32 * 32 * 3), ("pad", 38 * 38 * 3), ("conv", first), ("norm", first)]
    head += [("relu", first), ("pad", 18 * 18 * 64), ("pool", 8 * 8 * 64)]
    for number, (kind, elements) in enumerate(head):
        last = add(kind, (number - 1,) if number else (), elements)
    for blocks, channels, side in STAGES:
        inner, outer = side * side * channels, side * side * 4 * channels
        for block in range(blocks):
            start = past = last
            for kind in ("conv", "norm", "relu") * 2:
                past = add(kind, (past,), inner)
            if block == 0:  # the shortcut is a convolution of its own
                skip = add("conv", (start,), outer)
                past = add("conv", (past,), outer)
                skip = add("norm", (skip,), outer)
            else:
                skip, past = start, add("conv", (past,), outer)
            past = add("norm", (past,), outer)
            last = add("relu", (add("add", (skip, past), outer),), outer)
    last = add("average", (last,), outer)
    add("dense", (last,), 100)
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Place (tile or PROCESSOR) and start of each operation, and whose tensors stay on tiles.

    ``starts`` are of computing; transfers come before and after.
    """

    places: tuple[int, ...]
    kept: tuple[int, ...]
    starts: tuple[int, ...]


def _transfer(elements: int, place: int, kept: bool) -> tuple[str, int]:
    """Return channel and ticks of one read or write by a unit; no ticks within scratchpads."""
    if kept and place != PROCESSOR:
        return "", 0
    if kept or place != PROCESSOR:
        return "dma", ceil(10 * elements / DMA_WORDS)
    return "memory", ceil(10 * elements / MEMORY_WORDS)


def _readers(operations: tuple[Operation, ...]) -> list[list[int]]:
    readers: list[list[int]] = [[] for _ in operations]
    for number, operation in enumerate(operations):
        for source in operation.reads:
            readers[source].append(number)
    return readers


def waiting(operations: tuple[Operation, ...], places: tuple[int, ...]) -> list[bool]:
    """Return whose tensors take room in a scratchpad where they are kept."""
    readers, found = _readers(operations), []
    before: list[set[int]] = []  # all that leads to each operation
    for operation in operations:
        before.append(set(operation.reads).union(*(before[r] for r in operation.reads)))
    for number, own in enumerate(readers):
        elsewhere = any(places[r] != places[number] for r in own)
        around = any(s in before[r] and number in before[s] for r in own for s in before[r])
        found.append(elsewhere or around)
    return found


def scheduled(
    operations: tuple[Operation, ...], places: tuple[int, ...], kept: tuple[int, ...]
) -> Schedule:
    """Return a schedule by list scheduling: of the operations next on their units, the earliest.

    Units take their operations by what is left to the end along the longest way.
    """
    readers, count = _readers(operations), len(operations)
    tail = [0] * count
    for number in reversed(range(count)):
        ahead = max((tail[r] for r in readers[number]), default=0)
        tail[number] = ahead + operations[number].ticks(places[number])
    free: dict[object, int] = {}
    done: dict[int, int] = {}
    starts = [0] * count
    while len(done) < count:
        begin: dict[int, int] = {}
        for n, operation in enumerate(operations):
            if n not in done and all(r in done for r in operation.reads):
                unit = free.get(_unit(operations, places, n), 0)
                begin[n] = max([unit, *(done[r] for r in operation.reads)])
        number = min(begin, key=lambda n: (begin[n], -tail[n]))
        now = begin[number]
        for source in operations[number].reads:
            now = _over(operations[source].elements, places[number], source in kept, now, free)
        starts[number] = now
        now += operations[number].ticks(places[number])
        now = _over(operations[number].elements, places[number], number in kept, now, free)
        free[_unit(operations, places, number)] = done[number] = now
    return Schedule(places, kept, tuple(starts))


def _unit(operations: tuple[Operation, ...], places: tuple[int, ...], n: int) -> object:
    return PROCESSOR if places[n] == PROCESSOR else (places[n], operations[n].kind)


def _over(elements: int, place: int, kept: bool, now: int, free: dict[object, int]) -> int:
    """Return when a transfer that may begin now is over; its channel is taken meanwhile."""
    channel, ticks = _transfer(elements, place, kept)
    if not ticks:
        return now
    free[channel] = max(now, free.get(channel, 0)) + ticks
    return free[channel]


def length(operations: tuple[Operation, ...], schedule: Schedule) -> int:
    """Return the length of a schedule that keeps every rule.

    Transfers happen as late (reads) or as early (writes) as they can without a gap.

    Raises
    ------
    ValueError
        Naming the rule that is broken, with the numbers.
    """
    places, kept = schedule.places, set(schedule.kept)
    if not len(places) == len(schedule.starts) == len(operations) or places[0] != PROCESSOR:
        raise ValueError("not a place and a start for each operation, the input on the processor")
    if any(not PROCESSOR <= p < TILES for p in places) or any(places[n] == PROCESSOR for n in kept):
        raise ValueError("a place that is none, or a tensor of the processor kept on a tile")
    for tile in range(TILES):
        used = used_by(operations, places, kept, tile)
        if used > SCRATCHPAD:
            raise ValueError(f"scratchpad of tile {tile}: {used} elements, at most {SCRATCHPAD}")
    busy: dict[object, list[tuple[int, int, str]]] = {}
    ends: list[int] = []
    for n, (operation, start) in enumerate(zip(operations, schedule.starts, strict=True)):
        first = start
        for source in reversed(operation.reads):
            channel, ticks = _transfer(operations[source].elements, places[n], source in kept)
            if ticks:
                busy.setdefault(channel, []).append((first - ticks, first, f"read {source} by {n}"))
            first -= ticks
        stop = start + operation.ticks(places[n])
        channel, ticks = _transfer(operation.elements, places[n], n in kept)
        if ticks:
            busy.setdefault(channel, []).append((stop, stop + ticks, f"write {n}"))
        late = [r for r in operation.reads if ends[r] > first]
        if late or first < 0:
            raise ValueError(f"operation {n} begins at {first}, before what it reads: {late}")
        ends.append(stop + ticks)
        busy.setdefault(_unit(operations, places, n), []).append((first, stop + ticks, f"run {n}"))
    for unit, spans in busy.items():
        spans.sort()
        for (_, stop, one), (begin, _, other) in pairwise(spans):
            if begin < stop:
                raise ValueError(f"{unit}: {other} at {begin} before the end of {one} at {stop}")
    return max(s + o.ticks(p) for s, o, p in zip(schedule.starts, operations, places, strict=True))


def bound(operations: tuple[Operation, ...]) -> int:
    """Return what no schedule undercuts: the longest way, each operation where it is fastest.

    The input's tensor is the processor's, so that it is written to memory and read from it.
    """
    ends: list[int] = []
    for n, operation in enumerate(operations):
        choices = []
        for place in (PROCESSOR, *range(bool(n))):
            first = max((ends[r] for r in operation.reads), default=0)
            first += sum(
                _transfer(operations[r].elements, p, False)[1]
                for r in operation.reads
                if r == 0
                for p in (PROCESSOR, place)
            )
            choices.append(first + operation.ticks(place))
        ends.append(min(choices))
    return max(ends)


def segmented(operations: tuple[Operation, ...]) -> Schedule:
    """Return a schedule in which tiles take the layers in turn and every tensor stays.

    A tile takes as many as its scratchpad allows, what it hands to the next one included.

    Raises
    ------
    ValueError
        If the scratchpads of all tiles are too small.
    """
    count, first = len(operations), 1
    places = [PROCESSOR] * count
    for tile in range(TILES):
        for stop in range(count, first, -1):
            tried = (*places[:first], *[tile] * (stop - first), *[tile + 1] * (count - stop))
            if used_by(operations, tried, range(1, count), tile) <= SCRATCHPAD:
                places[first:stop] = [tile] * (stop - first)
                first = stop
                break
    if first < count:
        raise ValueError(f"scratchpads are full at operation {first}")
    return scheduled(operations, tuple(places), tuple(range(1, count)))


def remade(operations: tuple[Operation, ...]) -> int:
    """Return the length of the first published schedule: all on the processor, one by one.

    The published figure is larger: its simulator is threads that poll a clock, which lose time.
    """
    everything = (PROCESSOR,) * len(operations)
    return length(operations, scheduled(operations, everything, ()))


def used_by(
    operations: tuple[Operation, ...], places: tuple[int, ...], kept: Iterable[int], tile: int
) -> int:
    """Return the elements of a tile's scratchpad that kept tensors take."""
    waits = waiting(operations, places)
    return sum(operations[n].elements for n in kept if places[n] == tile and waits[n])


def table(file: Path) -> str:
    """Return the stored schedule beside the published ones, in Markdown."""
    data = json.loads(file.read_text())
    low = data["bound"]
    lines = ["| schedule | ticks | above the bound |", "|---|---:|---:|"]
    found = {f"SMART, {name}": ticks for name, ticks in PUBLISHED.items()}
    found["STEUni, remade by these rules"] = data["remade"]
    found["optmap, layers over tiles in turn"] = data["length"]
    for name, ticks in found.items():
        lines.append(f"| {name} | {ticks:,} | {ticks / low - 1:.1%} |")
    lines.append(f"| bound: longest way | {low:,} | |")
    return "\n".join(lines) + "\n"


def make(file: Path, machine: str) -> None:
    """Schedule the operations, and store the schedule with its length and bound."""
    begun = time.perf_counter()
    operations = resnet50()
    schedule = segmented(operations)
    data = {
        "source": SOURCE,
        "published": PUBLISHED,
        "method": "layers over tiles in turn, list scheduling",
        "machine": machine,
        "seconds": round(time.perf_counter() - begun, 2),
        "length": length(operations, schedule),
        "remade": remade(operations),
        "bound": bound(operations),
        "schedule": asdict(schedule),
    }
    file.write_text(json.dumps(data, indent=1) + "\n")


def verify(file: Path) -> list[str]:
    """Return what is wrong with a stored schedule: rules, length, bound, published figures."""
    data, operations = json.loads(file.read_text()), resnet50()
    own = Schedule(**{name: tuple(value) for name, value in data["schedule"].items()})
    try:
        found = length(operations, own)
    except ValueError as error:
        return [f"ResNet-50: {error}"]
    problems = []
    expected = {
        "length": found,
        "bound": bound(operations),
        "remade": remade(operations),
        "published": PUBLISHED,
    }
    for name, value in expected.items():
        if data[name] != value:
            problems.append(f"ResNet-50: {name} {data[name]}; judged {value}")
    return problems
