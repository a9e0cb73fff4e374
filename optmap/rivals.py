"""Published tables of other mappers, made again: ``python -m optmap.rivals --out results/rivals``.

HySMap: 18 jobs, 80 and 108 neurons on meshes of 4 x 4 to 6 x 6, activity-weighted multicast hops
under XY routing. Networks are generated from the published seeds. Constraints are HySMap's: every
core holds 15 % less or more than n / k neurons, floor and ceiling. Values are the judge's; the
bound holds for every mapping with at most so many neurons a core: each core that a spike enters
needs a link of its own.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from dataclasses import asdict, dataclass
from math import ceil, floor
from pathlib import Path

import numpy as np

from optmap.binding.kernels.multicast_nets import unit_nets
from optmap.binding.multicast import annealed, grid_of
from optmap.bounds.traffic import readers_bound
from optmap.command_line import parser, whole
from optmap.decomposing.contract import decompose
from optmap.generators.microcircuit import SCALE, microcircuit
from optmap.judge.multicast import deliveries, multicast
from optmap.model.mapping import Binding, Clustering
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN

SOURCE = "github.com/amineux/HySMap, results/bench.csv at 692a4f8"
#: Neurons, side of the mesh -> the fewest hops of HySMap's five mappers, by seed 1, 2, 3.
PUBLISHED = {
    (80, 4): (3323.17884, 3440.53484, 3836.58032),
    (80, 5): (4499.98108, 4411.54358, 4538.59287),
    (80, 6): (5331.88904, 5356.01428, 5085.14707),
    (108, 4): (5024.70478, 4937.00742, 5304.00285),
    (108, 5): (6658.46142, 7278.42553, 7100.11761),
    (108, 6): (7418.11381, 8146.48077, 7746.92973),
}
#: HySMap's balance: how much more or less than the mean a core may hold.
SLACK = 0.15
#: Runs of annealing from one seed, and moves of each.
RUNS = (400_000,) * 3


@dataclass(frozen=True, slots=True)
class Job:
    """One line of the table; hops and bound in published units, times in seconds."""

    neurons: int
    mesh: int
    seed: int
    published: float
    hops: float
    bound: float
    seconds: float
    tile_of: tuple[int, ...]


def _case(neurons: int, mesh: int, seed: int) -> tuple[SNN, Platform]:
    """Return the published network, and a mesh whose cores hold as many as HySMap allows."""
    snn = microcircuit(neurons, neurons + 17 * seed + mesh)
    most = ceil((1 + SLACK) * neurons / mesh**2)
    tiles = (Tile(Crossbar(max(2, neurons), most), slots=1),) * mesh**2
    return snn, Platform(f"{mesh} x {mesh} cores", tiles, Interconnect("mesh", mesh, mesh))


def _least(neurons: int, mesh: int) -> int:
    """Return the fewest neurons of a core."""
    return floor((1 - SLACK) * neurons / mesh**2)


def judged(neurons: int, mesh: int, seed: int, tile_of: list[int]) -> tuple[float, float]:
    """Return hops and bound of a placement, as the judge counts them.

    Raises
    ------
    ValueError
        If some core holds too few or too many neurons.
    """
    snn, chip = _case(neurons, mesh, seed)
    held, least = np.bincount(tile_of, minlength=mesh**2), _least(neurons, mesh)
    if len(tile_of) != snn.num_units or len(held) > mesh**2:
        raise ValueError(f"{len(tile_of)} places for {snn.num_units} neurons")
    if held.min() < least or held.max() > chip.max_columns:
        found = f"{held.min()} to {held.max()} neurons a core"
        raise ValueError(f"{found}, expected {least} to {chip.max_columns}")
    decomposition = decompose(snn, chip.max_rows, "none")
    clustering = Clustering(np.array(tile_of, dtype=np.int32))
    binding = Binding(np.arange(mesh**2, dtype=np.int32))
    links = multicast(deliveries(decomposition, clustering), chip, binding)
    assert links is not None
    return links.hops / SCALE, readers_bound(snn, chip.max_columns) / SCALE


def mapped(neurons: int, mesh: int, seed: int, runs: tuple[int, ...] = RUNS) -> Job:
    """Return one job: neurons placed by annealing of their multicast hops."""
    begun = time.perf_counter()
    snn, chip = _case(neurons, mesh, seed)
    least = np.full(mesh**2, _least(neurons, mesh))
    most = np.full(mesh**2, chip.max_columns)
    fits = np.ones((neurons, mesh**2), dtype=np.bool_)
    grid = grid_of(chip, least, most, fits)
    start = np.arange(neurons, dtype=np.int64) % mesh**2
    tile_of, _ = annealed(unit_nets(snn), grid, start, seed, runs)
    placed = [int(t) for t in tile_of]
    hops, bound = judged(neurons, mesh, seed, placed)
    seconds = round(time.perf_counter() - begun, 2)
    published = PUBLISHED[neurons, mesh][seed - 1]
    return Job(neurons, mesh, seed, published, hops, bound, seconds, tuple(placed))


def table(jobs: list[Job]) -> str:
    """Return the table in Markdown."""
    lines = [
        "| neurons | mesh | seed | HySMap | optmap | optmap / HySMap | bound | gap | s |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for j in jobs:
        gap = 100 * (1 - j.bound / j.hops)
        lines.append(
            f"| {j.neurons} | {j.mesh} x {j.mesh} | {j.seed} | {j.published:.1f} | {j.hops:.1f}"
            f" | {j.hops / j.published:.3f} | {j.bound:.1f} | {gap:.0f} % | {j.seconds:.1f} |"
        )
    return "\n".join(lines) + "\n"


def verify(folder: Path) -> list[str]:
    """Return what is wrong with a stored table: values and bounds that the judge does not see."""
    problems = []
    for data in json.loads((folder / "hysmap.json").read_text())["jobs"]:
        name = f"{data['neurons']} neurons, {data['mesh']} x {data['mesh']}, seed {data['seed']}"
        found = judged(data["neurons"], data["mesh"], data["seed"], data["tile_of"])
        if found != (data["hops"], data["bound"]):
            problems.append(f"{name}: {data['hops']}, {data['bound']}; judged {found}")
        if data["published"] != PUBLISHED[data["neurons"], data["mesh"]][data["seed"] - 1]:
            problems.append(f"{name}: published {data['published']}")
    return problems


def main(arguments: list[str] | None = None) -> int:
    """Make the table, or check it; return the exit status."""
    made = parser("rivals", __doc__ or "", "python -m optmap.rivals --out results/rivals")
    made.add_argument("--out", type=Path, default=Path("results/rivals"), help="folder")
    made.add_argument("--runs", type=whole(1), default=len(RUNS), help="runs of annealing")
    made.add_argument("--verify", action="store_true", help="judge a stored table again")
    given = made.parse_args(arguments)
    if given.verify:
        problems = verify(given.out)
        sys.stdout.writelines(f"{text}\n" for text in problems or ["every value stands"])
        return int(bool(problems))
    runs = RUNS[:1] * given.runs
    jobs = [mapped(n, m, s, runs) for n, m in PUBLISHED for s in (1, 2, 3)]
    given.out.mkdir(parents=True, exist_ok=True)
    data = {
        "source": SOURCE,
        "method": "annealing of multicast hops",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "jobs": list(map(asdict, jobs)),
    }
    (given.out / "hysmap.json").write_text(json.dumps(data, indent=1) + "\n")
    (given.out / "hysmap.md").write_text(table(jobs))
    sys.stdout.write(table(jobs))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
