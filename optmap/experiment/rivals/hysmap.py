"""HySMap's 18 jobs: 80 and 108 neurons on meshes of 4 x 4 to 6 x 6, for few multicast hops.

Hops are weighted by activity, routes are XY. Networks are generated from the published seeds.
Constraints are HySMap's: every core holds 15 % less or more than n / k neurons, floor and ceiling.
Three *full* jobs allow less than that: exactly 3 of 108 neurons on each of 36 cores. Values are the
judge's; the bound holds for every mapping with at most so many neurons a core: each core that a
spike enters needs a link of its own.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from math import ceil, floor
from pathlib import Path

import numpy as np

from optmap.binding.kernels.multicast_anneal import Grid
from optmap.binding.kernels.multicast_nets import unit_nets
from optmap.binding.kernels.multicast_occupancy import anneal_small
from optmap.binding.multicast import annealed, grid_of
from optmap.bounds.traffic import readers_bound
from optmap.decomposing.contract import decompose
from optmap.generators.microcircuit import SCALE, microcircuit
from optmap.judge.multicast import deliveries, multicast
from optmap.model.mapping import Binding, Clustering
from optmap.model.platform import Crossbar, Interconnect, Platform, Tile
from optmap.model.snn import SNN, IntArray

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
#: Moves of the one run where cores are full, by seed: the first job is the hard one.
FULL_MOVES = {1: 20_000_000, 2: 4_000_000, 3: 4_000_000}
#: First and last temperature of the long run, in mean spikes of a net.
FULL_HOT, FULL_COLD = 3.0, 0.1


@dataclass(frozen=True, slots=True)
class Job:
    """One line of the table; hops and bound in published units, times in seconds.

    ``full``: whether every core holds exactly the mean.
    """

    neurons: int
    mesh: int
    seed: int
    published: float
    hops: float
    bound: float
    seconds: float
    tile_of: tuple[int, ...]
    full: bool = False


def _case(neurons: int, mesh: int, seed: int, full: bool = False) -> tuple[SNN, Platform]:
    """Return the published network, and a mesh whose cores hold as many as HySMap allows."""
    snn = microcircuit(neurons, neurons + 17 * seed + mesh)
    most = ceil((1 + SLACK * (not full)) * neurons / mesh**2)
    tiles = (Tile(Crossbar(max(2, neurons), most), slots=1),) * mesh**2
    return snn, Platform(f"{mesh} x {mesh} cores", tiles, Interconnect("mesh", mesh, mesh))


def _least(neurons: int, mesh: int, full: bool = False) -> int:
    """Return the fewest neurons of a core."""
    return floor((1 - SLACK * (not full)) * neurons / mesh**2)


def judged(
    neurons: int, mesh: int, seed: int, tile_of: list[int], full: bool = False
) -> tuple[float, float]:
    """Return hops and bound of a placement, as the judge counts them.

    Raises
    ------
    ValueError
        If some core holds too few or too many neurons.
    """
    snn, chip = _case(neurons, mesh, seed, full)
    held, least = np.bincount(tile_of, minlength=mesh**2), _least(neurons, mesh, full)
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
    grid = _grid(snn, chip, _least(neurons, mesh))
    tile_of, _ = annealed(unit_nets(snn), grid, _start(neurons, mesh), seed, runs)
    return _job((neurons, mesh, seed), tile_of, False, begun)


def mapped_full(neurons: int, mesh: int, seed: int, moves: int) -> Job:
    """Return one job with as many neurons on every core: one long annealing, by exchanges alone."""
    begun = time.perf_counter()
    snn, chip = _case(neurons, mesh, seed, full=True)
    nets, grid = unit_nets(snn), _grid(snn, chip, _least(neurons, mesh, full=True))
    mean = float(nets.weight.mean())
    heats = FULL_HOT * mean, FULL_COLD * mean
    tile_of, _ = anneal_small(_start(neurons, mesh), nets, grid, 77 * seed, moves, *heats)
    return _job((neurons, mesh, seed), tile_of, True, begun)


def _grid(snn: SNN, chip: Platform, fewest: int) -> Grid:
    least = np.full(chip.num_tiles, fewest)
    fits = np.ones((snn.num_units, chip.num_tiles), dtype=np.bool_)
    return grid_of(chip, least, np.full(chip.num_tiles, chip.max_columns), fits)


def _start(neurons: int, mesh: int) -> IntArray:
    return np.arange(neurons, dtype=np.int64) % mesh**2


def _job(case: tuple[int, int, int], tile_of: IntArray, full: bool, begun: float) -> Job:
    neurons, mesh, seed = case
    placed = [int(t) for t in tile_of]
    hops, bound = judged(neurons, mesh, seed, placed, full)
    seconds = round(time.perf_counter() - begun, 2)
    published = PUBLISHED[neurons, mesh][seed - 1]
    return Job(neurons, mesh, seed, published, hops, bound, seconds, tuple(placed), full)


def table(jobs: list[Job]) -> str:
    """Return the table in Markdown."""
    lines = [
        "| neurons | mesh | seed | HySMap | optmap | optmap / HySMap | bound | gap | s |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for j in jobs:
        gap = 100 * (1 - j.bound / j.hops)
        mesh = f"{j.mesh} x {j.mesh}" + (", full" if j.full else "")
        lines.append(
            f"| {j.neurons} | {mesh} | {j.seed} | {j.published:.1f} | {j.hops:.1f}"
            f" | {j.hops / j.published:.3f} | {j.bound:.1f} | {gap:.0f} % | {j.seconds:.1f} |"
        )
    return "\n".join(lines) + "\n"


def make(file: Path, machine: str, runs: tuple[int, ...] = RUNS) -> None:
    """Make all jobs, and store them with their bounds."""
    jobs = [mapped(n, m, s, runs) for n, m in PUBLISHED for s in (1, 2, 3)]
    jobs += [mapped_full(108, 6, seed, moves) for seed, moves in FULL_MOVES.items()]
    data = {
        "source": SOURCE,
        "method": "annealing of multicast hops",
        "machine": machine,
        "jobs": list(map(asdict, jobs)),
    }
    file.write_text(json.dumps(data, indent=1) + "\n")


def load(file: Path) -> list[Job]:
    """Return the stored jobs."""
    jobs = json.loads(file.read_text())["jobs"]
    return [Job(**{**job, "tile_of": tuple(job["tile_of"])}) for job in jobs]


def verify(file: Path) -> list[str]:
    """Return what is wrong with a stored table: values and bounds that the judge does not see."""
    problems = []
    for job in load(file):
        name = f"{job.neurons} neurons, {job.mesh} x {job.mesh}, seed {job.seed}"
        try:
            found = judged(job.neurons, job.mesh, job.seed, list(job.tile_of), job.full)
        except ValueError as error:
            problems.append(f"{name}: {error}")
            continue
        if found != (job.hops, job.bound):
            problems.append(f"{name}: {job.hops}, {job.bound}; judged {found}")
        if job.published != PUBLISHED[job.neurons, job.mesh][job.seed - 1]:
            problems.append(f"{name}: published {job.published}")
    return problems
