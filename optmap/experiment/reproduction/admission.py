"""Run-time admission against the design-time flow on the programs, alone and several at once.

Kernels are compiled before the clock starts: every program is admitted once and mapped at leisure
once on the side, unmeasured. Periods are exact and repeat; seconds are this machine's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from optmap.clustering import song2020
from optmap.clustering.contract import cluster
from optmap.decomposing.contract import decompose
from optmap.experiment.reproduction.programs import Program
from optmap.experiment.reproduction.results import Shown, Table, geometric, number
from optmap.experiment.reproduction.svg import Picture
from optmap.model.capacity import unit_fan_in
from optmap.model.platform import Platform
from optmap.runtime.admission import Runtime
from optmap.runtime.application import Application, design
from optmap.runtime.design_time import designed

#: Admissions of one program whose median time counts.
REPEATS = 5
#: Tiles of the platform on which several applications run at once.
CROWD_TILES = 16


@dataclass(frozen=True, slots=True)
class Admitted:
    """One program both ways; periods in ticks, seconds of wall clock."""

    program: str
    clusters: int
    period: float
    seconds: float
    designed_period: float
    designed_seconds: float


def application(program: Program, platform: Platform) -> Application:
    """Return what is stored at design time: the published clustering on the published chain."""
    instance = program.on({}).instance
    snn = instance.snn
    units = decompose(snn, unit_fan_in(snn, platform), "chain")
    clusters = cluster(song2020.partition, units, platform)
    return design(program.name, units, clusters, platform, instance.tokens)


def admitted(prepared: Application, platform: Platform, seed: int) -> Admitted | None:
    """Admit an application on an empty platform and map it at leisure; None if either fails.

    Policy ``lockstep``, for the exclusive one gives an application without a constraint one tile.
    """
    decision = Runtime(platform, "lockstep").admit(prepared)  # compiles what is not compiled
    if decision.period is None or designed(prepared, platform, decision.tiles, seed) is None:
        return None
    decisions = [Runtime(platform, "lockstep").admit(prepared) for _ in range(REPEATS)]
    other = designed(prepared, platform, decision.tiles, seed)
    if other is None:
        return None
    return Admitted(
        prepared.name,
        prepared.graph.num_clusters,
        float(decision.period),
        median(d.seconds for d in decisions),
        float(other[0]),
        other[1],
    )


def admission(
    programs: Sequence[Program], seed: int, say: Callable[[str], None] = lambda _: None
) -> Shown:
    """Return the figure: every program alone, then all of them one after the other."""
    platform = programs[0].on({}).instance.platform
    prepared = [application(program, platform) for program in programs]
    found = []
    for one in prepared:
        result = admitted(one, platform, seed)
        say(f"admission: {one.name}" + (" refused" if result is None else ""))
        found += [] if result is None else [result]
    lines = [
        [
            a.program,
            number(a.clusters),
            number(a.period),
            number(a.designed_period),
            f"{100 * (1 - a.designed_period / a.period):.2f}",
            f"{1e3 * a.seconds:.2f}",
            f"{1e3 * a.designed_seconds:.1f}",
            number(a.designed_seconds / a.seconds, ".3g"),
        ]
        for a in found
    ]
    header = ["program", "clusters", "period admitted", "period designed", "lost, %"]
    header += ["admission, ms", "design, ms", "times faster"]
    tables = [Table("Each program alone, all of 4 tiles", header, lines)]
    tables += [_crowd(programs, policy) for policy in ("exclusive", "lockstep")]
    names = [a.program for a in found]
    picture = Picture(
        "Admission and design-time flow, milliseconds",
        "",
        "milliseconds",
        names,
        {
            "admission": [1e3 * a.seconds for a in found],
            "design-time flow": [1e3 * a.designed_seconds for a in found],
        },
        joined=False,
    )
    faster = geometric(a.designed_seconds / a.seconds for a in found)
    lost = [100 * (1 - a.designed_period / a.period) for a in found]
    mean = sum(lost) / len(lost) if lost else None
    verdict = (
        f"Admission is {number(faster, '.3g')} times faster than the design-time flow (geometric"
        f" mean) and gives up {number(mean, '.3g')} % of its throughput. Claimed: 780 times and"
        " 6.25 % worse (in spikes), for a run-time flow that also clusters, against a design-time"
        " partitioner: another pair, the same conclusion where our loss is of that size or below."
    )
    return Shown(tables, {"": picture}, verdict)


def _crowd(programs: Sequence[Program], policy: str) -> Table:
    """Return what happens when all programs arrive one after the other."""
    platform = programs[0].on({"tiles": CROWD_TILES}).instance.platform
    runtime, lines = Runtime(platform, policy), []
    for program in programs:
        decision = runtime.admit(application(program, platform))
        period = "-" if decision.period is None else number(float(decision.period))
        what = "admitted" if decision.admitted else decision.reason
        tiles = str(len(decision.tiles))
        lines.append([program.name, what, tiles, period, f"{1e3 * decision.seconds:.2f}"])
    header = ["arrives", "answer", "tiles", "period", "ms"]
    return Table(f"All on {CROWD_TILES} tiles, policy {policy}", header, lines)
