"""What a comparison runs: from what the user names to instances, and from these to jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from optmap.errors import InputError
from optmap.experiment.row import GIVEN
from optmap.experiment.run.job import Job
from optmap.experiment.run.mapping_file import (
    content_digest,
    is_bare,
    read_document,
    read_json,
    wrapped_source,
)
from optmap.experiment.run.source import Source
from optmap.instance import SETS, Instance, instance_files
from optmap.model.outcome import Limits
from optmap.shipped import instance_file, is_instance, platform_names
from optmap.toml_fields import read_toml
from optmap.variants import with_changes


@dataclass(frozen=True)
class Planned:
    """One instance of a comparison, loaded but its network not yet read."""

    instance: Instance
    source: Source

    @cached_property
    def digest(self) -> str:
        """The hash of the instance's content."""
        return self.instance.digest()

    def job(self, method: str, limits: Limits, method_file: str = "") -> Job:
        """Return the job of one method on it."""
        source = self.source.tidy()
        return Job(self.instance.name, self.digest, source, method, limits, method_file)


def sources_of(
    paths: Sequence[str | Path], networks: Source, everything: bool = True
) -> list[Source]:
    """Return what ``paths`` stand for.

    Parameters
    ----------
    paths : sequence of str or Path
        Instance files, folders of them, shipped names, and networks (files, RANC folders,
        ``gen:NAME``).
    networks : Source
        Platform, token mode and spikes of the networks among them; where there is none, its
        platform stands in place of the instances' own.
    everything : bool
        Of folders also the instances outside the default set; what is named is always taken.

    Raises
    ------
    InputError
        If a path does not exist, or a network comes without a platform.
    """
    found: list[Source] = []
    instead = None if any(map(_is_network, paths)) else networks.platform
    for path in paths:
        if not _is_network(path):
            outside = networks.allow_outside
            files = instance_files([path])
            demands = networks.constraints
            named = [
                Source(file=str(file), platform=instead, allow_outside=outside, constraints=demands)
                for file in files
            ]
            everything_here = everything or not Path(path).is_dir()
            found += [one for one in named if everything_here or _is_wanted(one)]
            continue
        if networks.platform is None:
            expected = f"--platform for the network {path}: a file, or {platform_names()}"
            raise InputError("--platform", "", "nothing", expected)
        found.append(replace(networks, network=str(path), allow_outside=False))
    return found


def _is_wanted(source: Source) -> bool:
    """Tell whether an instance is in the default set; what cannot be read is, to be reported."""
    try:
        if source.file is None:
            return True
        top = read_toml(instance_file(source.file))  # its platform is read with the rest, later
        return top.choice("set", SETS, "default") != "all"
    except InputError:
        return True


def on_platforms(
    sources: Sequence[Source], platforms: Sequence[str], points: Sequence[Mapping[str, int]]
) -> list[Source]:
    """Return every source on every platform with every point's changes.

    Parameters
    ----------
    platforms : sequence of str
        Files, names, with changes after a colon; empty: each source's own.
    points : sequence of mapping
        What is changed of the platform, as :func:`optmap.variants.grid` yields it; empty: nothing.
    """
    if not platforms and not points:
        return list(sources)
    found = []
    for source in sources:
        own = [] if source.file is not None and source.platform is None else [source.platform or ""]
        for platform in platforms or own or [""]:
            for point in points or [{}]:
                spec = with_changes(platform, point)
                of_network = source.file is None
                found.append(replace(source, platform=spec, named_with_platform=of_network))
    return found


def _is_network(path: str | Path) -> bool:
    """Tell a network from an instance file, a folder of these, a shipped name or nothing."""
    if str(path).startswith("gen:"):
        return True
    if is_instance(str(path)) or not Path(path).exists():
        return False
    here = Path(path)
    return any(here.glob("csram_*.mem")) if here.is_dir() else here.is_file()


def planned(sources: Iterable[Source], encodings: Sequence[str]) -> tuple[list[Planned], list[str]]:
    """Return the instances that can be read, and a line for each source that cannot.

    Parameters
    ----------
    encodings : sequence of str
        An instance that says what its inputs are shown is one instance for each of them.
    """
    found: list[Planned] = []
    unreadable: list[str] = []
    seen: dict[str, Source] = {}
    for source in sources:
        try:
            instance = source.load()
            if instance.name in seen:
                other = seen[instance.name]
                text = f"{instance.name!r}, as in {other.file or other.network}"
                raise InputError(str(source.file or source.network), "name", text, "a new name")
            variants = [Planned(instance, source)]
            if encodings and instance.encoding is not None:
                variants = [
                    Planned(instance.encoded(code), replace(source, encoding=code))
                    for code in encodings
                ]
            for variant in variants:
                variant.digest  # noqa: B018 - reads every file
        except InputError as error:
            unreadable.append(str(error))
            continue
        seen[instance.name] = source
        found += variants
    return found, unreadable


def plan_of(jobs: Sequence[Job], *, picked: bool = False) -> dict[str, object]:
    """Return what was asked for: the methods of each instance, the seeds, one limit for all.

    Parameters
    ----------
    picked : bool
        Whether each job was picked by itself: else every method runs on every instance, and
        ``verify`` takes a plan of fewer on some for a plan that somebody cut.
    """
    methods: dict[str, list[str]] = {}
    for job in jobs:
        names = methods.setdefault(job.instance, [])
        if job.method not in names:
            names.append(job.method)
    limits = asdict(jobs[0].limits)
    del limits["seed"]
    seeds = list(dict.fromkeys(job.limits.seed for job in jobs))
    plan = {"planned": methods, "seeds": seeds, "limits": limits}
    return plan | ({"picked": True} if picked else {})


def mapping_files(paths: Iterable[str]) -> list[Path]:
    """Return the mapping files that ``paths`` stand for: files, and the *.json of folders.

    Raises
    ------
    InputError
        If a path is not there, or a folder has none.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        found = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not found or not found[0].exists():
            what = "no *.json file" if path.is_dir() else "no such file or folder"
            raise InputError(str(path), "", what, "a mapping file, or a folder of them")
        files += found
    return files


def given_mappings(
    files: Iterable[Path], plans: list[Planned], limits: Limits
) -> tuple[list[Job], list[Planned]]:
    """Return a job for each mapping file, and the instances that only such files name.

    A wrapped mapping belongs to the instance of its digest; where none of ``plans`` is, it brings
    its own. A bare one belongs to the only instance there is.

    Raises
    ------
    InputError
        If a mapping is not well formed for its instance, naming unit, cluster or tile; if a bare
        one could belong to several; if two have one name.
    """
    jobs: list[Job] = []
    brought: list[Planned] = []
    contents = [(file, read_json(file)) for file in files]
    for file, data in sorted(contents, key=lambda pair: is_bare(pair[1])):  # wrapped ones first
        known = [*plans, *brought]
        own = next((p for p in known if p.digest == data.get("digest")), None)
        if own is None and not is_bare(data):
            source = wrapped_source(data, file)
            own = Planned(source.load(), source)
            brought.append(own)
        if own is None:
            if len(known) != 1:
                found = f"a bare mapping, and {len(known)} instances"
                raise InputError(str(file), "", found, "the one instance that it maps")
            own = known[0]
        _, _, mapping = read_document(file, own.instance)
        job = replace(
            own.job(GIVEN + file.stem, limits),
            mapping_file=str(file),
            mapping_digest=content_digest(mapping),
        )
        twin = next((j for j in jobs if (j.method, j.digest) == (job.method, job.digest)), None)
        if twin is not None:
            raise InputError(str(file), "", f"the name of {twin.mapping_file}", "a new name")
        jobs.append(job)
    return jobs, brought
