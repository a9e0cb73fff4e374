"""The functions of ``import optmap as om``: a network in, a mapping, its gaps and pictures out.

Commands do the same in processes of their own; here everything runs where it is called, so that a
network may be an object and a method a function of a notebook.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import pandas as pd

from optmap.compiled import announce_compilation
from optmap.errors import InputError
from optmap.experiment.mapped import MappedNetwork
from optmap.experiment.report.html import report_html
from optmap.experiment.row import Row
from optmap.experiment.run.children import Children
from optmap.experiment.run.environment import environment
from optmap.experiment.run.in_process import judged, run_in_process
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
from optmap.model.platform import Platform
from optmap.model.snn import SNN
from optmap.readers.options import AS_WRITTEN, Reading, as_options
from optmap.readers.spikes import with_spike_file
from optmap.shipped import best_known_folder, is_instance, platform_names
from optmap.variants import read_platform as platform_of

Network = str | Path | SNN | Instance
Chip = str | Path | Platform


def read_platform(name: str | Path, *, reading: Reading = None) -> Platform:
    """Return a platform: of a file (also SANA-FE's and SDF3's), or a shipped one by its name.

    Changes stand after a colon (:mod:`optmap.variants`).

    Parameters
    ----------
    name : str or Path
        The file or name.
    reading : ReadOptions or mapping, optional
        ``{"architecture": "rows=128,..."}``: what the file of another tool lacks.

    Raises
    ------
    InputError
        Naming the file, the field, what was found and what was expected.

    Examples
    --------
    >>> read_platform("dynap_se").num_tiles, read_platform("dynap_se:tiles=9").num_tiles
    (4, 9)
    """
    return platform_of(name, as_options(reading))


@dataclass(frozen=True, eq=False)
class _InMemory(Instance):
    """An instance whose network is an object, or whose platform is."""

    given: SNN | None = None

    @cached_property
    def snn(self) -> SNN:
        """The network that was given."""
        if self.given is None:
            return super().snn
        return self.prepared(self.given)

    def digest(self) -> str:
        """Return a SHA-256 of the network's content, the platform and the token mode."""
        if self.given is None:
            return super().digest()
        sha = hashlib.sha256(f"{self.tokens} {self.platform!r}\n".encode())
        for array in (self.given.indptr, self.given.indices, self.given.spikes):
            sha.update(array.tobytes())
        if self.platform.extras or self.given.weight_bits is not None:
            sha.update(f"{self.platform.extras}\n".encode())
            if self.given.weight_bits is not None:
                sha.update(self.given.weight_bits.tobytes())
        return sha.hexdigest()


def instance_of(
    network: Network,
    platform: Chip | None = None,
    *,
    tokens: str = "dataflow",
    spikes: str | None = None,
    reading: Reading = None,
) -> tuple[Instance, Source]:
    """Return what a network on a platform is as an instance, and how it could be loaded again.

    Parameters
    ----------
    network : str, Path, SNN or Instance
        An instance (object, TOML file, shipped name) brings its platform, in place of which another
        can be given as text; a network (object, file, folder, "gen:NAME") needs one.
    platform : str, Path or Platform, optional
        A platform object, a file, or the name of a shipped one.
    reading : ReadOptions or mapping, optional
        What the files do not say of themselves, as on the command line:
        ``{"format": "edges", "columns": "pre,post", "spike_axes": "TN"}``.

    Raises
    ------
    InputError
        If the platform is missing, or an object for an instance, or a file is not right.
    """
    options = as_options(reading)
    told = options != AS_WRITTEN
    if isinstance(network, Instance) or is_instance(str(network)):
        if isinstance(platform, Platform) or spikes is not None or told:
            found = "an instance with spikes, reading options or a Platform object"
            raise InputError(str(network), "", found, "at most another platform's name")
        spec = None if platform is None else str(platform)
        if isinstance(network, Instance):
            file = None if network.file is None else str(network.file)
            source = Source() if file is None else Source(file=file, platform=spec)
            return network if spec is None else network.on(spec), source
        source = Source(file=str(network), platform=spec)
        return source.load(), source
    if platform is None:
        expected = f"a Platform, a platform file, or {platform_names()}"
        raise InputError("platform", "", "nothing", expected)
    if not isinstance(network, SNN) and not isinstance(platform, Platform):
        text = options.to_text()
        source = Source(
            network=str(network), platform=str(platform), tokens=tokens, spikes=spikes, reading=text
        )
        return source.load(), source
    chip = platform if isinstance(platform, Platform) else read_platform(platform, reading=options)
    path = None if spikes is None else Path(spikes)
    if isinstance(network, SNN):
        if path is not None:
            network = with_spike_file(network, path, options=options)
        return _InMemory("network", "memory", chip, tokens, given=network), Source()
    name = Path(network).stem
    return _InMemory(name, str(network), chip, tokens, path, reading=options), Source()


def map_network(
    network: Network,
    platform: Chip | None = None,
    method: str = "overlap",
    *,
    limits: Limits | None = None,
    tokens: str = "dataflow",
    spikes: str | None = None,
    reading: Reading = None,
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
    announce_compilation()
    instance, source = instance_of(network, platform, tokens=tokens, spikes=spikes, reading=reading)
    job = Job(instance.name, instance.digest(), source, method, limits or Limits())
    return _mapped(instance, job, run_in_process(job, instance))


def evaluate(
    mapping: Mapping | str | Path | dict[str, object],
    network: Network | None = None,
    platform: Chip | None = None,
    *,
    tokens: str = "dataflow",
    spikes: str | None = None,
    reading: Reading = None,
) -> MappedNetwork:
    """Judge a mapping that anybody made, and compare it with bounds.

    Parameters
    ----------
    mapping : Mapping, dict, str or Path
        An object, the content of a mapping file, or a file, bare or wrapped.
    network, platform, tokens, spikes, reading
        What it maps, see :func:`instance_of`; a wrapped file says so itself.

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
    found = Run(Status.FEASIBLE, placed)
    content = content_digest(placed)
    job = Job(instance.name, instance.digest(), source, name, Limits(), mapping_digest=content)
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


def _float(value: float | Fraction | None) -> float | None:
    return None if value is None else float(value)


def compare(
    instances: str | Path | Sequence[str | Path],
    methods: Sequence[str] | None = None,
    *,
    platform: str | None = None,
    limits: Limits | None = None,
    method_file: str | Path | None = None,
    out: str | Path | None = None,
    jobs: int = 1,
    isolated: bool = True,
) -> Comparison:
    """Run every method on every instance, judge all alike, return rows and data frames.

    Parameters
    ----------
    instances : str, Path or sequence of these
        Instance files, folders of them, shipped names; with ``platform`` also networks.
    methods : sequence of str, optional
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

    Raises
    ------
    InputError
        If an input is not right.
    """
    announce_compilation()
    own = [] if method_file is None else [m.name for m in load_method_file(Path(method_file))]
    names = list(methods) if methods is not None else [*_default_methods(), *own]
    for name in names:
        method_named(name)
    unfiled = [n for n in names if n not in BUILT_IN and n not in own]
    if unfiled and out is not None:
        found = f"{unfiled[0]!r}, registered by no file"
        raise InputError("methods", "", found, "method_file, so that stored rows know its code")
    paths = [instances] if isinstance(instances, str | Path) else list(instances)
    plans, unreadable = planned(sources_of(paths, Source(platform=platform)), (), True)
    if unreadable:
        raise InputError("instances", "", unreadable[0], "instances that can be read")
    limits, file = limits or Limits(10.0), "" if method_file is None else str(method_file)
    todo = [p.job(n, limits, file if n in own else "") for p in plans for n in names]
    with tempfile.TemporaryDirectory() as scratch, Store.opened(Path(out or scratch)) as store:
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
