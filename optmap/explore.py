"""``python -m optmap.explore NETWORK... --grid AXES``: mappings and platforms chosen together."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from rich.console import Console

from optmap.command_line import (
    BAD_INPUT,
    DONE,
    FAILED,
    add_work,
    file_name,
    guarded,
    limits_of,
    parser,
    seconds,
    whole,
)
from optmap.errors import InputError, visible
from optmap.experiment.prediction.descriptors import Descriptor
from optmap.experiment.prediction.hopes import Hopes, described, stored_rows
from optmap.experiment.report.front_picture import front_html
from optmap.experiment.row import Row
from optmap.experiment.run.children import Children
from optmap.experiment.run.environment import jobs_at_once
from optmap.experiment.run.job import Job
from optmap.experiment.run.plan import Planned, on_platforms, planned, sources_of
from optmap.experiment.run.progress import PlainProgress, Quiet
from optmap.experiment.run.source import Source
from optmap.experiment.run.store import Store, StoreError
from optmap.experiment.run.sweep import Runner, sweep
from optmap.experiment.tables.csv_text import plain
from optmap.experiment.tables.front import (
    OBJECTIVES,
    OnFront,
    Point,
    Vector,
    front,
    is_beaten,
    proved_floors,
)
from optmap.experiment.tables.text import compact
from optmap.methods import method_named
from optmap.model.outcome import Limits
from optmap.model.platform import Platform
from optmap.output import Output, print_text
from optmap.shipped import platform_help
from optmap.variants import add_axes, asked_for

#: Fast flows, the published one and the two that decide the decomposition by spikes.
METHODS = ("song2020", "song2020-spikes", "overlap-spikes")
#: What hopes are asked with: a row's description, the chip, windows side by side, objectives.
Asked = tuple[Descriptor, Platform, int, Sequence[str]]


@dataclass(frozen=True)
class Candidate:
    """One network on one platform of the grid."""

    network: str
    plan: Planned
    objectives: tuple[str, ...]
    hopes: Hopes | None = None
    _known: dict[str, Descriptor] = field(default_factory=dict, compare=False)

    @property
    def platform(self) -> str:
        """What tells the platform, and the windows side by side, from the others of the grid."""
        name = self.plan.source.platform or self.plan.instance.platform.name
        windows = self.plan.source.windows
        return name if windows == 1 else f"{name} *{windows}"

    @cached_property
    def proved(self) -> dict[str, Fraction]:
        """What is proved for every mapping, metric by metric."""
        return proved_floors(self.plan.instance.snn, self.plan.instance.platform)

    @cached_property
    def floor(self) -> Vector:
        """What is proved for every mapping, objective by objective."""
        chip, windows = self.plan.instance.platform, self.plan.source.windows
        return tuple(OBJECTIVES[o].least(self.proved, chip, windows) for o in self.objectives)

    def may_add(self, method: str, known: Sequence[Point], limits: Limits) -> bool:
        """Tell whether a mapping by a method, at the best that is guessed, is not beaten."""
        best = None if self.hopes is None else self.hopes.best_case(*self._asked(method, limits))
        return best is None or not is_beaten(best, known)

    def promise(self, method: str, limits: Limits) -> tuple[Fraction, str]:
        """Return what is guessed of a method, else the floor, as a product over the objectives."""
        expected = None if self.hopes is None else self.hopes.expected(*self._asked(method, limits))
        product = Fraction(1)
        for value in expected or self.floor:
            product *= 1 + value
        return product, self.platform

    def _asked(self, method: str, limits: Limits) -> Asked:
        instance = self.plan.instance
        if method not in self._known:
            clusterings = None if self.hopes is None else self.hopes.clusterings
            self._known[method] = described(instance, method, self.proved, limits, clusterings)
        return self._known[method], instance.platform, self.plan.source.windows, self.objectives

    def point(self, row: Row) -> Point | None:
        """Return what a row reached; None without a checked mapping."""
        if row.check != "ok":
            return None
        chip = self.plan.instance.platform
        values = [OBJECTIVES[o].of(row, chip) for o in self.objectives]
        known = tuple(value for value in values if value is not None)
        if len(known) < len(values):
            return None
        return Point(self.network, self.platform, row.method, row.key, known)


@dataclass(frozen=True)
class Explored:
    """What an exploration of one network found."""

    network: str
    front: tuple[OnFront, ...]
    points: tuple[Point, ...]
    platforms: int
    skipped: tuple[str, ...]
    saved: int
    hopeless: int = 0


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of ``explore``."""
    made = parser(
        "explore",
        "Find the platforms of a grid, and mappings on them, that nothing else of it beats.",
        'python -m optmap.explore filter_8 --grid "size=16..64x2,tiles=1..4x2"\n'
        "  python -m optmap.explore net.nir --platforms dynap_se,loihi_like --objectives"
        " period,energy",
    )
    made.add_argument(
        "networks", nargs="+", metavar="NETWORK", help="instances (files, names), networks"
    )
    made.add_argument("--platform", metavar="P", help=f"in place of own: {platform_help()}")
    add_axes(made)
    made.add_argument(
        "--windows",
        default="1",
        metavar="N,N",
        help="also with so many windows mapped side by side, so that copies of crossbar programs"
        " take windows in turn (1); period and energy are then those of one window",
    )
    made.add_argument(
        "--objectives",
        default="period,energy,area",
        help=f"comma-separated, of: {', '.join(OBJECTIVES)} (%(default)s)",
    )
    made.add_argument("--methods", default=",".join(METHODS), help="comma-separated (%(default)s)")
    made.add_argument(
        "--limit", type=seconds, default=10.0, metavar="S", help="seconds per row (10)"
    )
    add_work(made)
    made.add_argument("--seed", type=whole(0), default=0, metavar="N", help="seed (0)")
    made.add_argument("--jobs", type=whole(1), help="rows at a time (cores / threads)")
    made.add_argument("--threads", type=whole(1), default=1, help="threads per row (1)")
    made.add_argument("--memory", type=whole(1), metavar="MB", help="kill a row above it (none)")
    made.add_argument(
        "--everything", action="store_true", help="solve also what bounds prove to be dominated"
    )
    made.add_argument(
        "--predict",
        action="append",
        default=[],
        metavar="RUN",
        help="skip also what rows of this run, and those made so far, let nobody hope for: no"
        " proof, may miss a point (several times; extra [predict])",
    )
    made.add_argument(
        "--out", type=file_name, default="results/explore", help="result folder (%(default)s)"
    )
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)
    methods = _names(args.methods, "--methods")
    for name in methods:
        method_named(name)
    objectives = _names(args.objectives, "--objectives")
    for name in objectives:
        if name not in OBJECTIVES:
            raise InputError("--objectives", "", repr(name), "some of " + ", ".join(OBJECTIVES))
    log, out = Console(stderr=True), Output()
    networks, unreadable = candidates(args, objectives)
    for error in unreadable:
        print_text(log, f"skipped: {error}")
    if not networks:
        return BAD_INPUT
    limits = limits_of(args, args.seed)
    hopes = Hopes(stored_rows(args.predict), seed=args.seed) if args.predict else None
    found = []
    try:
        with Store.opened(Path(args.out)) as store, Children() as children:
            for group in networks.values():
                found.append(
                    explore(
                        [replace(candidate, hopes=hopes) for candidate in group],
                        methods,
                        limits,
                        store,
                        children.run,
                        parallel=args.jobs or jobs_at_once(args.threads),
                        everything=args.everything,
                        log=log,
                    )
                )
            store.write("front.csv", front_csv(found, objectives))
            store.write("front.html", front_html(found, objectives))
    except StoreError as error:
        print_text(log, f"error: {error}")
        return FAILED
    for line in front_lines(found, objectives):
        print_text(out, line)
    text = f"written to {visible(str(args.out))}/: front.html, front.csv, rows.jsonl, mappings/"
    out.print(text, markup=False)
    return FAILED if unreadable or not all(e.points for e in found) else DONE


def _names(text: str, option: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise InputError(option, "", repr(text), "a comma-separated list")
    return names


def candidates(
    args: argparse.Namespace, objectives: tuple[str, ...]
) -> tuple[dict[str, list[Candidate]], list[str]]:
    """Return the platforms of each network, and a line for each that cannot be."""
    platforms, points = asked_for(args.platforms, args.grid)
    if not platforms and not points:
        raise InputError("--grid", "", "nothing", "--platforms or --grid: what to choose from")
    networks = Source(platform=args.platform or (platforms[0] if platforms else None))
    windows = [_windows(text) for text in _names(args.windows, "--windows")]
    found: dict[str, list[Candidate]] = {}
    unreadable: list[str] = []
    for source in sources_of(args.networks, networks):
        placed = on_platforms([source], platforms, points)
        plans, errors = planned((replace(s, windows=n) for s in placed for n in windows), ())
        unreadable += errors
        for plan in plans:
            name = plan.instance.name.rpartition("@")[0]
            found.setdefault(name, []).append(Candidate(name, plan, objectives))
    return found, unreadable


def _windows(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise InputError("--windows", "", repr(text), "whole numbers >= 1")
    return int(text)


def explore(
    group: Sequence[Candidate],
    methods: Sequence[str],
    limits: Limits,
    store: Store,
    runner: Runner,
    *,
    parallel: int = 1,
    everything: bool = False,
    log: Console | None = None,
) -> Explored:
    """Map one network on the platforms of a grid, save those that bounds prove dominated.

    Platforms are taken in the order of their floors (the product over the objectives), so that
    what is solved early excludes much of what comes later; with hopes, single methods on platforms
    in the order of what is guessed of them, ``parallel`` at a time.

    Parameters
    ----------
    group : sequence of Candidate
        The network on every platform; with hopes, what these predict to be dominated is skipped,
        too, and the front may lack a point.
    methods : sequence of str
        Every one is run on every platform that is not skipped.
    everything : bool
        Solve all of them, for an audit: the front is the same.
    """
    points: list[Point] = []
    beaten: Counter[str] = Counter()
    hopeless = 0
    for batch in _batches(group, methods, limits, parallel):
        jobs: dict[str, tuple[Candidate, Job]] = {}
        for candidate, method in batch:
            if not everything and is_beaten(candidate.floor, points):
                beaten[candidate.platform] += 1
            elif not candidate.may_add(method, points, limits):
                hopeless += 1
            else:
                job = candidate.plan.job(method, limits)
                jobs[job.key()] = candidate, job
        _run([job for _, job in jobs.values()], store, runner, parallel, log)
        rows = store.typed(jobs)
        if group[0].hopes is not None:
            group[0].hopes.learn(rows)
        points += [p for row in rows if (p := jobs[row.key][0].point(row)) is not None]
    floors = {c.platform: c.floor for c in group}
    return Explored(
        group[0].network,
        tuple(front(points, floors)),
        tuple(points),
        len(group),
        tuple(name for name, solves in beaten.items() if solves == len(methods)),
        beaten.total(),
        hopeless,
    )


def _batches(
    group: Sequence[Candidate], methods: Sequence[str], limits: Limits, parallel: int
) -> list[list[tuple[Candidate, str]]]:
    """Return what is looked at together: a platform's methods, or the most promising pairs."""
    if group[0].hopes is None:
        ordered = sorted(group, key=lambda c: c.promise("", limits))
        return [[(candidate, method) for method in methods] for candidate in ordered]
    pairs = [(candidate, method) for candidate in group for method in methods]
    pairs.sort(key=lambda pair: (pair[0].promise(pair[1], limits), pair[1]))
    return [pairs[i : i + parallel] for i in range(0, len(pairs), parallel)]


def _run(
    jobs: Sequence[Job], store: Store, runner: Runner, parallel: int, log: Console | None
) -> None:
    missing = sum(job.key() not in store.rows for job in jobs)
    if log is None or not missing:
        sweep(jobs, store, Quiet(), parallel=parallel, runner=runner)
    else:
        with PlainProgress(log, missing) as watcher:
            sweep(jobs, store, watcher, parallel=parallel, runner=runner)


def front_lines(found: Sequence[Explored], objectives: Sequence[str]) -> Iterator[str]:
    """Yield the fronts as a table per network, and what bounds saved."""
    for explored in found:
        points = explored.front
        width = max([len(p.point.platform) for p in points] + [8])
        yield ""
        yield f"{explored.network}: {len(points)} of {len(explored.points)} mappings on the front"
        titles = "".join(f"{OBJECTIVES[o].title:>13}" for o in objectives)
        yield f"  {'platform':<{width}}  {'method':<16}{titles}  proved"
        for on in points:
            values = "".join(f"{compact(value):>13}" for value in on.point.values)
            proved = "yes" if on.proved else f"open ({len(on.room)} platforms)"
            yield f"  {on.point.platform:<{width}}  {on.point.method:<16}{values}  {proved}"
        yield (
            f"  {len(explored.skipped)} of {explored.platforms} platforms skipped: nothing on them"
            f" can be better ({explored.saved} solves saved)"
        )
        if explored.hopeless:
            yield (
                f"  {explored.hopeless} solves left out as hopeless: predicted, not proved"
                " (without --predict they are made)"
            )


def front_csv(found: Sequence[Explored], objectives: Sequence[str]) -> str:
    """Return every point of every network: values (exact), whether it is on the front, proved."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["network", "platform", "method", "key", *objectives, "front", "proved"])
    for explored in found:
        on = {o.point.key: o for o in explored.front}
        for p in explored.points:
            state = on.get(p.key)
            proved = "" if state is None else str(state.proved).lower()
            is_on = str(state is not None).lower()
            names = map(plain, (p.network, p.platform, p.method))
            lines.writerow([*names, p.key, *p.values, is_on, proved])
    return text.getvalue()


if __name__ == "__main__":
    sys.exit(guarded(main))
