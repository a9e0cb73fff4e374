"""Scenarios: applications that arrive and leave, and tiles that fail, in time.

A scenario file is TOML::

    schema = 1
    platform = "platforms/dynap_se.toml"    # relative to this file, as all names of files
    policy = "exclusive"                    # or "lockstep", or "wheel"
    wheel_ticks = 4096                      # with "wheel" only

    [[applications]]
    name = "digits"
    network = "digits_mlp.nir"              # a file, a folder, or "gen:NAME"
    spikes = "digits_mlp_spikes.npz"        # optional
    tokens = "dataflow"                     # or "pipelined"
    clustering = "overlap"                  # or "song2020", "song2020-tree"

    [[events]]
    time = 0                                # ticks; events of one time in the order of the file
    kind = "arrive"                         # or "leave", "fail"
    application = "digits"
    name = "digits-1"                       # optional: the same application may run twice
    max_period = 5000                       # optional: without it best effort

    [[events]]
    time = 20000
    kind = "leave"
    name = "digits-1"

    [[events]]
    time = 30000
    kind = "fail"
    tile = 2
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType, ModuleType

import numpy as np

from optmap.beside import Beside
from optmap.clustering import overlap as partition_overlap
from optmap.clustering import song2020 as partition_song2020
from optmap.clustering.contract import cluster
from optmap.decomposing.contract import decompose
from optmap.errors import CapacityError, InputError
from optmap.model.capacity import unit_fan_in
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.platform import Platform
from optmap.readers.platforms import platform_of_file
from optmap.readers.read import read_network
from optmap.runtime.admission import Decision, Runtime
from optmap.runtime.application import Application, design
from optmap.runtime.policies import POLICIES
from optmap.runtime.recheck import broken_promises
from optmap.toml_fields import Table, read_toml

SCHEMA = 1
ARRIVE, LEAVE, FAIL = "arrive", "leave", "fail"

#: Clustering of an application: decomposition and module with ``partition``.
CLUSTERINGS: Mapping[str, tuple[str, ModuleType]] = MappingProxyType(
    {
        "overlap": ("tree", partition_overlap),
        "song2020": ("chain", partition_song2020),
        "song2020-tree": ("tree", partition_song2020),
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something happens at ``time`` (ticks); which fields count depends on ``kind``."""

    time: int
    kind: str
    name: str = ""
    application: str = ""
    max_period: Fraction | None = None
    tile: int | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A platform, the applications known at design time, and what happens."""

    platform: Platform
    policy: str
    wheel_ticks: int | None
    applications: Mapping[str, Application]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What an event led to.

    ``decisions`` are the answers to requests (several after a failure), ``note`` says what else is
    to be said, ``utilisation`` is that of the tiles afterwards, mean over all of them, ``running``
    how many applications run.
    """

    event: Event
    decisions: tuple[Decision, ...]
    note: str
    utilisation: Fraction
    running: int


def prepare(
    name: str,
    network: str,
    platform: Platform,
    clustering: str = "overlap",
    tokens: str = "dataflow",
    spikes: Path | None = None,
) -> Application:
    """Return the design-time artefacts of a network on a platform."""
    snn = read_network(network, spikes=spikes)
    policy, module = CLUSTERINGS[clustering]
    if isinstance(snn, ClusteredSNN):  # an SDF3 graph: its actors are the clusters
        rows = max(snn.max_fan_in, platform.max_rows)
        decomposition, clusters = decompose(snn, rows, "none"), snn.clustering
    else:
        decomposition = decompose(snn, unit_fan_in(snn, platform), policy)
        clusters = cluster(module.partition, decomposition, platform)
    return design(name, decomposition, clusters, platform, tokens)


def load_scenario(path: str | Path, *, allow_outside: bool = False) -> Scenario:
    """Read a scenario file and prepare its applications.

    Parameters
    ----------
    path : str or Path
        The file.
    allow_outside : bool
        Read files outside its folder; shipped ones are never outside.

    Raises
    ------
    InputError
        Naming the file, the field, what was found and what was expected.
    """
    file = Path(path)
    top = read_toml(file)
    schema = top.whole("schema", 1)
    if schema != SCHEMA:
        raise top.fail("schema", str(schema), str(SCHEMA))
    beside = Beside(file, allow_outside)
    platform = platform_of_file(beside.file(top, "platform", top.text("platform")))
    policy = top.choice("policy", POLICIES, "exclusive")
    wheel_ticks = top.whole_or_none("wheel_ticks", 1)
    if (policy == "wheel") != (wheel_ticks is not None):
        found = "nothing" if wheel_ticks is None else f"{wheel_ticks} with policy {policy!r}"
        raise top.fail("wheel_ticks", found, "a length with policy 'wheel', and only then")
    applications: dict[str, Application] = {}
    for table in top.tables("applications"):
        application = _application(table, platform, beside)
        if application.name in applications:
            raise table.fail("name", f"{application.name!r} a second time", "another name")
        applications[application.name] = application
    events = [_event(table, applications, platform) for table in top.tables("events")]
    top.close()
    events.sort(key=lambda event: event.time)
    return Scenario(platform, policy, wheel_ticks, applications, tuple(events))


def _application(table: Table, platform: Platform, beside: Beside) -> Application:
    name, network = table.text("name"), table.text("network")
    tokens = table.choice("tokens", ("dataflow", "pipelined"), "dataflow")
    clustering = table.choice("clustering", tuple(CLUSTERINGS), "overlap")
    spikes = beside.file(table, "spikes", table.text("spikes")) if table.has("spikes") else None
    if not network.startswith("gen:"):
        network = str(beside.file(table, "network", network))
    table.close()
    try:
        return prepare(name, network, platform, clustering, tokens, spikes)
    except InputError:
        raise
    except (CapacityError, ValueError) as error:
        raise table.fail("network", str(error), "a network that fits the platform") from None


def _event(table: Table, applications: Mapping[str, Application], platform: Platform) -> Event:
    kind = table.choice("kind", (ARRIVE, LEAVE, FAIL))
    when = table.whole("time", 0)
    event = Event(when, kind)
    if kind == FAIL:
        tile = table.whole("tile", 0)
        if tile >= platform.num_tiles:
            raise table.fail("tile", str(tile), f"0 to {platform.num_tiles - 1}")
        event = Event(when, kind, tile=tile)
    elif kind == LEAVE:
        event = Event(when, kind, name=table.text("name"))
    else:
        application = table.choice("application", tuple(applications))
        most = table.number("max_period", 0) if table.has("max_period") else None
        if most is not None and most <= 0:
            raise table.fail("max_period", str(most), "ticks above 0")
        name = table.text("name", application)
        event = Event(when, kind, name, application, most)
    table.close()
    return event


def random_events(
    applications: Sequence[Application], platform: Platform, count: int, seed: int
) -> tuple[Event, ...]:
    """Return ``count`` events drawn from ``seed``: mostly arrivals, then departures, few failures.

    An arrival asks for a period between 1.2 and 8 times what an eighth of the platform could do at
    best; one in ten asks for nothing. At most a quarter of the tiles fail.
    """
    rng = np.random.default_rng(seed)
    events: list[Event] = []
    present: list[str] = []
    failed: set[int] = set()
    when = 0
    for number in range(count):
        when += int(rng.integers(1, 10_000))
        draw = rng.random()
        if draw < 0.6 or not present:
            application = applications[int(rng.integers(len(applications)))]
            share = max(1, platform.num_tiles // 8)
            alone = Fraction(int(application.graph.tau.max()))
            best = max(Fraction(application.total_ticks, share), alone)
            most = best * int(rng.integers(12, 81)) / 10 if rng.random() < 0.9 else None
            name = f"{application.name}-{number}"
            present.append(name)
            events.append(Event(when, ARRIVE, name, application.name, most))
        elif draw < 0.95 or 4 * (len(failed) + 1) > platform.num_tiles:
            events.append(Event(when, LEAVE, present.pop(int(rng.integers(len(present))))))
        else:
            tile = int(rng.choice([t for t in range(platform.num_tiles) if t not in failed]))
            failed.add(tile)
            events.append(Event(when, FAIL, tile=tile))
    return tuple(events)


def play(scenario: Scenario) -> tuple[list[Record], list[str]]:
    """Run a scenario; return a record per event and every broken promise, checked after each."""
    runtime = Runtime(scenario.platform, scenario.policy, scenario.wheel_ticks)
    records, broken = [], []
    for event in scenario.events:
        decisions, note = _happen(runtime, event, scenario.applications)
        broken += [f"time {event.time}: {text}" for text in broken_promises(runtime)]
        use = runtime.utilisation()
        records.append(
            Record(
                event, decisions, note, sum(use, Fraction(0)) / len(use), len(runtime.state.running)
            )
        )
    return records, broken


def _happen(
    runtime: Runtime, event: Event, applications: Mapping[str, Application]
) -> tuple[tuple[Decision, ...], str]:
    """Let an event happen; an event that does not apply is noted and changes nothing."""
    if event.kind == FAIL and event.tile is not None:
        if event.tile in runtime.state.failed:
            return (), f"tile {event.tile} had failed before"
        return tuple(runtime.rebind(event.tile)), f"tile {event.tile} failed"
    if event.kind == LEAVE:
        if runtime.state.get(event.name) is None:
            return (), f"{event.name} does not run"
        runtime.leave(event.name)
        return (), f"{event.name} left"
    if runtime.state.get(event.name) is not None:
        return (), f"{event.name} runs already"
    throughput = None if event.max_period is None else 1 / event.max_period
    application = applications[event.application]
    return (runtime.admit(application, throughput, name=event.name),), ""
