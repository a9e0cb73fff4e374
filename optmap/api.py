"""The functions of ``import optmap as om``: a network in, a mapping, its gaps and pictures out.

Commands do the same in processes of their own; here everything runs where it is called, so that a
network may be an object and a method a function of a notebook.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pandas as pd

from optmap.compiled import announce_compilation
from optmap.errors import InputError
from optmap.experiment.given import Chip, Demands, Network, demanded, instance_of
from optmap.experiment.mapped import MappedNetwork
from optmap.experiment.report.html import report_html
from optmap.experiment.row import Row
from optmap.experiment.run.children import Children
from optmap.experiment.run.environment import environment
from optmap.experiment.run.in_process import (
    has_machine_code,
    judged,
    judging,
    run_if_small,
    run_in_process,
)
from optmap.experiment.run.in_process import runner as here
from optmap.experiment.run.job import Job
from optmap.experiment.run.mapping_file import content_digest, read_document
from optmap.experiment.run.plan import planned, sources_of
from optmap.experiment.run.process import Ended
from optmap.experiment.run.progress import Quiet
from optmap.experiment.run.source import Source
from optmap.experiment.run.store import Store
from optmap.experiment.run.sweep import finish, sweep
from optmap.experiment.tables.best_known import BestKnown, read_folder
from optmap.experiment.tables.frames import (
    decisions_frame,
    gaps_frame,
    runs_frame,
    stage_gaps_frame,
)
from optmap.experiment.tables.gaps import all_gaps
from optmap.instance import Instance
from optmap.mapping_json import from_dict
from optmap.methods import BUILT_IN, METHODS, load_method_file, method_named
from optmap.model.claim import Run
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits, Status
from optmap.readers.constraints import constraints_file
from optmap.readers.options import Reading, as_options
from optmap.shipped import best_known_folder


def map_network(
    network: Network,
    platform: Chip | None = None,
    method: str = "overlap",
    *,
    limits: Limits | None = None,
    tokens: str = "dataflow",
    spikes: str | None = None,
    reading: Reading = None,
    constraints: Demands = None,
) -> MappedNetwork:
    """Map a network onto a platform by one method, judge the mapping, compare it with bounds.

    Parameters
    ----------
    network, platform, tokens, spikes, reading
        See :func:`instance_of`.
    method : str
        A name of ``METHODS``.
    limits : Limits, optional
        For methods with a solver or a search; 60 seconds and seed 0 if not given.
    constraints : Constraints, mapping, str or Path, optional
        What the mapping must do besides (docs/constraints.md), or the file that says it:
        ``{"pin": [{"neurons": "output", "tile": 3}], "apart": [["a", "b"]], "max_neurons": 64}``.

    Raises
    ------
    InputError
        If an input is not right.
    ValueError
        If there is no such method.

    Examples
    --------
    >>> found = map_network("mlp_tiny", method="song2020-tree")
    >>> found.exact["clusters"], found.exact["period"]
    (1, Fraction(21, 1))
    """
    method_named(method)
    limits = _limits(limits, Limits())
    announce_compilation()
    instance, source = instance_of(network, platform, tokens=tokens, spikes=spikes, reading=reading)
    instance, source = demanded(instance, source, constraints)
    job = Job(instance.name, instance.digest(), source, method, limits)
    # in a session that has it, machine code is quicker from the first call on
    small = None if has_machine_code() else run_if_small(job, instance)
    return _mapped(instance, job, small or run_in_process(job, instance))


def evaluate(
    mapping: Mapping | str | Path | dict[str, object],
    network: Network | None = None,
    platform: Chip | None = None,
    *,
    tokens: str = "dataflow",
    spikes: str | None = None,
    reading: Reading = None,
    constraints: Demands = None,
) -> MappedNetwork:
    """Judge a mapping that anybody made, and compare it with bounds.

    Parameters
    ----------
    mapping : Mapping, dict, str or Path
        An object, the content of a mapping file, or a file, bare or wrapped.
    network, platform, tokens, spikes, reading
        What it maps, see :func:`instance_of`; a wrapped file says so itself.
    constraints : Constraints, mapping, str or Path, optional
        What is demanded of it, in place of the instance's own.

    Raises
    ------
    InputError
        If something is not right, naming unit, cluster or tile.
    """
    announce_compilation()
    name, source = "mapping", Source()
    instance: Instance | None = None
    if network is not None:
        instance, source = instance_of(
            network, platform, tokens=tokens, spikes=spikes, reading=reading
        )
    if isinstance(mapping, str | Path):
        data, instance, placed = read_document(Path(mapping), instance)
        name = str(data.get("method") or Path(mapping).stem)
        if data.get("source"):
            source = Source.from_json(data["source"]).seen_from(Path(mapping).parent)
    elif instance is None:
        raise InputError("network", "", "nothing", "what the mapping maps")
    else:
        placed = mapping if isinstance(mapping, Mapping) else from_dict(mapping, instance.snn)
    instance, source = demanded(instance, source, constraints)
    found = Run(Status.FEASIBLE, placed)
    content = content_digest(placed)
    job = Job(instance.name, instance.digest(), source, name, Limits(), mapping_digest=content)
    with judging(instance):
        return _mapped(instance, job, judged(job, instance, lambda: found))


def _mapped(instance: Instance, job: Job, ended: Ended) -> MappedNetwork:
    row, attached = finish(job, ended)
    document = attached.get("mappings")
    mapping = None if document is None else from_dict(document["mapping"], instance.snn)
    return MappedNetwork(instance, row, mapping, known_values(row.digest))


def known_values(*digests: str) -> BestKnown:
    """Return what the best-known list that comes with optmap says of instances."""
    return read_folder(best_known_folder()).of(*digests)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What :func:`optmap.compare` returns: rows, and data frames made of them."""

    rows: tuple[Row, ...]
    known: BestKnown
    drawn: dict[str, dict[str, object]]

    @property
    def runs(self) -> pd.DataFrame:
        """One line per row: what was asked, how it ended, every metric as a float."""
        frame = runs_frame(self.rows)
        for name in {name for row in self.rows for name in row.metrics}:
            frame[name] = [_float(row.value(name)) for row in self.rows]
        return frame

    @property
    def gaps(self) -> pd.DataFrame:
        """One line per row and metric: value, end-to-end bound, best known, gap, distance."""
        found = all_gaps(self.rows, self.known)
        frame = gaps_frame(found)
        frame["value"] = [float(g.value) for g in found]
        frame["bound"] = [None if g.bound is None else float(g.bound.value) for g in found]
        frame["best_known"] = [float(g.best_known) for g in found]
        return frame

    @property
    def stage_gaps(self) -> pd.DataFrame:
        """One line per row, metric and stage: the gap to that stage's own optimum."""
        return stage_gaps_frame(self.rows, self.known)

    @property
    def decisions(self) -> pd.DataFrame:
        """One line per instance and step: which decision brings how much throughput."""
        return decisions_frame(self.rows, self.known)

    def report(self, path: str | Path) -> Path:
        """Write the report, one HTML page, and return its path."""
        page = report_html(self.rows, self.drawn, environment(), self.known)
        Path(path).write_text(page, encoding="utf-8")
        return Path(path)


def _limits(limits: Limits | None, otherwise: Limits) -> Limits:
    """Return the limits that were given, or others; InputError for what is none."""
    if limits is not None and not isinstance(limits, Limits):
        raise InputError("limits", "", repr(limits), "Limits, as om.Limits(10.0) for ten seconds")
    return otherwise if limits is None else limits


def _float(value: float | Fraction | None) -> float | None:
    return None if value is None else float(value)


def compare(
    instances: str | Path | Sequence[str | Path],
    methods: str | Sequence[str] | None = None,
    *,
    platform: str | None = None,
    limits: Limits | None = None,
    method_file: str | Path | None = None,
    out: str | Path | None = None,
    jobs: int = 1,
    isolated: bool = True,
    spikes: str | None = None,
    reading: Reading = None,
    constraints: Demands = None,
) -> Comparison:
    """Run every method on every instance, judge all alike, return rows and data frames.

    Parameters
    ----------
    instances : str, Path or sequence of these
        Instance files, folders of them, shipped names; with ``platform`` also networks.
    methods : str or sequence of str, optional
        Those of ``compare --methods``; without it the default ones (and those of ``method_file``).
    limits : Limits, optional
        Of each row; 10 seconds and seed 0 if not given.
    method_file : str or Path, optional
        A Python file that registers methods of its own.
    out : str or Path, optional
        A folder that keeps the rows: what is there is not run again. Without it nothing is kept.
    jobs : int
        Rows at a time.
    isolated : bool
        Each solver in a process of its own, ended hard when its limit is over. A method that was
        registered in this process, by no file, runs here in any case.
    spikes : str, optional
        The spike file of networks.
    reading : ReadOptions or mapping, optional
        What files of networks do not say of themselves, see :func:`map_network`.
    constraints : Constraints, mapping, str or Path, optional
        What every mapping must do besides, see :func:`map_network`; in place of the instances' own.
        What is no file yet is written as ``constraints.toml`` beside the rows.

    Raises
    ------
    InputError
        If an input is not right.
    """
    announce_compilation()
    limits = _limits(limits, Limits(10.0))
    if jobs < 1:
        raise InputError("jobs", "", str(jobs), "1 or more rows at a time")
    if isinstance(methods, str):
        methods = methods.split(",")
    own = [] if method_file is None else [m.name for m in load_method_file(Path(method_file))]
    names = list(methods) if methods is not None else [*_default_methods(), *own]
    for name in names:
        method_named(name)
    unfiled = [n for n in names if n not in BUILT_IN and n not in own]
    if unfiled and out is not None:
        found = f"{unfiled[0]!r}, registered by no file"
        raise InputError("methods", "", found, "method_file, so that stored rows know its code")
    paths = [instances] if isinstance(instances, str | Path) else list(instances)
    file = "" if method_file is None else str(method_file)
    text = as_options(reading).to_text()
    with tempfile.TemporaryDirectory() as scratch, Store.opened(Path(out or scratch)) as store:
        demands = constraints_file(constraints, store.folder)
        common = Source(platform=platform, spikes=spikes, reading=text, constraints=demands)
        plans, unreadable = planned(sources_of(paths, common), ())
        if unreadable:
            raise InputError("instances", "", unreadable[0], "instances that can be read")
        todo = [p.job(n, limits, file if n in own else "") for p in plans for n in names]
        with Children() as children:
            runner = _runner(children.run, isolated, own)
            sweep(todo, store, Quiet(), parallel=jobs, runner=runner)
        keys = [job.key() for job in todo]
        rows = tuple(store.typed(keys))
        drawn = dict(store.attached("details", keys))
    return Comparison(rows, known_values(*(row.digest for row in rows)), drawn)


def _runner(
    child: Callable[..., Ended], isolated: bool, of_file: Sequence[str]
) -> Callable[..., Ended]:
    """Return what runs a job: a child, or this process for what no child knows."""

    def chosen(job: Job, stop: threading.Event) -> Ended:
        known_elsewhere = job.method in BUILT_IN or job.method in of_file
        return child(job, stop) if isolated and known_elsewhere else here(job, stop)

    return chosen


def _default_methods() -> list[str]:
    return [name for name, method in METHODS.items() if method.by_default]
