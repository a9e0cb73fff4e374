"""What environment.json says of a run, held against its rows: code, machine, libraries, plan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any
from unicodedata import normalize

import optmap
from optmap.experiment.row import GIVEN, Row
from optmap.experiment.run.environment import LIBRARIES, SOLVERS, code_version
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.tables.derived import ENVIRONMENT, limits_of
from optmap.experiment.verification.form import CLOCKS_S, is_written_time
from optmap.methods import METHODS

#: What environment.json says of a run.
OF_ENVIRONMENT = (
    *("optmap", "code_version", "python", "libraries", "os", "processor", "cores", "memory_mb"),
    *("started", "arguments", "planned", "seeds", "limits", "picked"),
)

#: Libraries without which nothing is read, judged or written.
NEEDED = ("numpy", "scipy", "numba", "networkx", "pandas")

#: How versions of Python and of libraries are written (PEP 440).
PYTHON = re.compile(r"(\d+)\.(\d+)\.\d+((a|b|rc)\d+)?\+?", re.ASCII)
VERSION = re.compile(
    r"(\d+!)?\d+(\.\d+)*((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?(\+[A-Za-z0-9]+([._-][A-Za-z0-9]+)*)?",
    re.ASCII,
)
#: The oldest Python that runs optmap.
OLDEST = (3, 11)


def environment_problems(found: dict[str, Any], shown: Sequence[Row]) -> Iterator[str]:
    """Yield where environment.json is not of the rows that the tables show.

    Machine and libraries cannot be known afterwards; code, solvers and the plan can.
    """
    yield from _two_of_one_name(shown)
    yield from _odd_environment(found)
    codes = {row.code_version for row in shown}
    if codes != {found.get("code_version")}:
        stated = f"{found.get('code_version')!r}, the rows {', '.join(sorted(codes))}"
        yield f"{ENVIRONMENT}: code_version {stated}"
    own = found.get("code_version") == code_version()
    if own and found.get("optmap") != optmap.__version__:
        yield f"{ENVIRONMENT}: optmap {found.get('optmap')!r}, its code is {optmap.__version__}'s"
    libraries = found.get("libraries")
    versions = libraries if isinstance(libraries, dict) else {}
    solvers = " ".join(f"{n}-{versions.get(n)}" for n in SOLVERS)
    of_rows = {row.solver_versions for row in shown}
    if of_rows != {solvers}:
        yield f"{ENVIRONMENT}: solvers {solvers}, the rows {', '.join(sorted(of_rows))}"
    limits = {dumps(limits_of(row)) for row in shown}
    if "limits" in found and limits != {dumps(found["limits"])}:
        yield f"{ENVIRONMENT}: limits {found['limits']}, the rows {', '.join(sorted(limits))}"
    strange = sorted(set(found) - set(OF_ENVIRONMENT))
    yield from (f"{ENVIRONMENT}: {name} is nothing that a run says" for name in strange)
    yield from _beyond_the_machine(found, shown)
    yield from _unplanned(found, shown)
    yield from _plan_out_of_order(found)


def _odd_environment(found: dict[str, Any]) -> Iterator[str]:
    """Yield what a run never says so of itself, of another type or twice; true or not."""
    for name in ("optmap", "code_version", "python", "os", "processor", "started"):
        if not isinstance(found.get(name), str) or (name != "processor" and not found[name]):
            yield f"{ENVIRONMENT}: {name} {found.get(name)!r} is no text"
    libraries, started = found.get("libraries"), str(found.get("started"))
    versions = libraries.values() if isinstance(libraries, dict) else [0]
    if any(own is not None and not VERSION.fullmatch(str(own)) for own in versions) or any(
        type(own) not in (str, type(None)) for own in versions
    ):
        yield f"{ENVIRONMENT}: libraries without a version"
    python = PYTHON.fullmatch(str(found.get("python")))
    if python is None:
        yield f"{ENVIRONMENT}: python {found.get('python')!r} is no version"
    elif (int(python[1]), int(python[2])) < OLDEST:
        yield f"{ENVIRONMENT}: python {found.get('python')}, which does not run optmap"
    for name in ("os", "processor"):
        if not str(found.get(name)).isprintable():
            yield f"{ENVIRONMENT}: {name} {found.get(name)!r} holds what no screen shows"
    if found.get("code_version") == code_version():
        yield from _odd_names(found)
    if isinstance(libraries, dict) and not set(LIBRARIES) <= set(libraries):
        yield f"{ENVIRONMENT}: says nothing of {', '.join(sorted(set(LIBRARIES) - set(libraries)))}"
    if not is_written_time(started):
        yield f"{ENVIRONMENT}: started {started!r} is no time as a run writes it, or still to come"
    cores, arguments = found.get("cores"), found.get("arguments")
    if type(cores) is not int or cores < 1:
        yield f"{ENVIRONMENT}: {cores!r} cores"
    memory = found.get("memory_mb")
    if memory is not None and (type(memory) is not int or memory < 1):
        yield f"{ENVIRONMENT}: {memory!r} MB of memory"
    if not isinstance(arguments, list) or not all(
        isinstance(a, str) and "\0" not in a for a in arguments
    ):
        yield f"{ENVIRONMENT}: arguments that are no texts"
    if found.get("picked", True) is not True:
        yield f"{ENVIRONMENT}: picked {found['picked']!r}, where a run says true or nothing"
    lists = [found.get("seeds", [0]), *(found.get("planned") or {}).values()]
    if any(not isinstance(own, list) or not own or len(set(own)) < len(own) for own in lists):
        yield f"{ENVIRONMENT}: a plan that names nothing, or something twice"


def _odd_names(found: dict[str, Any]) -> Iterator[str]:
    """Yield what this version of optmap names otherwise: libraries, and those it cannot lack."""
    libraries = found.get("libraries")
    if isinstance(libraries, dict) and list(libraries) != list(LIBRARIES):
        yield f"{ENVIRONMENT}: other libraries, or in another order, than a run names"
    if isinstance(libraries, dict) and any(libraries.get(name) is None for name in NEEDED):
        yield f"{ENVIRONMENT}: without a library that optmap cannot lack"
    if [n for n in found if n in OF_ENVIRONMENT] != [n for n in OF_ENVIRONMENT if n in found]:
        yield f"{ENVIRONMENT}: its fields stand in another order than a run writes them"
    missing = [name for name in ("seeds", "limits", "memory_mb") if name not in found]
    yield from (f"{ENVIRONMENT}: no {name}, which every run writes" for name in missing)


def _two_of_one_name(shown: Sequence[Row]) -> Iterator[str]:
    """Yield names under which tables would show two instances as one: equal, or alike (NFKC)."""
    digests: dict[str, str] = {}
    for row in shown:
        name = normalize("NFKC", row.instance)
        if digests.setdefault(name, row.digest) != row.digest:
            yield f"rows.jsonl: two instances are called {name!r}; one is {row.method}'s"


def _unplanned(found: dict[str, Any], shown: Sequence[Row]) -> Iterator[str]:
    """Yield the rows that were planned and are not shown.

    A run without a plan (of an earlier version) shows every method on every instance.
    """
    if "planned" not in found and found.get("code_version") == code_version():
        yield f"{ENVIRONMENT}: no plan, which every run writes"
    there = {(row.instance, row.method, row.seed) for row in shown}
    own = [row for row in shown if not row.method.startswith(GIVEN)]
    methods = list(dict.fromkeys(row.method for row in own))
    plan = {row.instance: methods for row in own}
    plan = found.get("planned", plan)
    seeds = found.get("seeds", list(dict.fromkeys(row.seed for row in own)))
    if not any(plan.values()) or any(type(seed) is not int for seed in seeds):
        yield f"{ENVIRONMENT}: a plan of nothing, or seeds that are none"
    asked = [
        (instance, method, seed)
        for instance, names in plan.items()
        for method in names
        for seed in (seeds[:1] if method.startswith(GIVEN) else seeds)
    ]
    grids = {
        frozenset(name for name in names if not name.startswith(GIVEN)) for names in plan.values()
    }
    if len(grids) > 1 and not found.get("picked"):
        yield f"{ENVIRONMENT}: a plan of other methods on some instances than on others"
    missing = [row for row in asked if row not in there]
    if missing:
        first = " / ".join(map(str, missing[0]))
        yield f"rows.jsonl: {len(missing)} of {len(asked)} planned rows are missing, as {first}"


def _beyond_the_machine(found: dict[str, Any], shown: Sequence[Row]) -> Iterator[str]:
    """Yield rows that took more processors, or more memory, than the machine has.

    Rows of earlier calls, and those of a cluster's workers, may be of other machines.
    """
    cores, memory = found.get("cores"), found.get("memory_mb")
    for row in () if on_cluster(found) else shown:
        if row.ended < str(found.get("started")):
            continue
        name, seconds = f"{row.instance} / {row.method}", row.wall_s + CLOCKS_S
        if type(cores) is int and row.cpu_s is not None and row.cpu_s > cores * seconds:
            yield f"{name}: {row.cpu_s} s of {cores} cores in {row.wall_s} s"
        if type(memory) is int and row.peak_rss_mb is not None and row.peak_rss_mb > memory:
            yield f"{name}: {row.peak_rss_mb} MB on a machine of {memory} MB"


def on_cluster(found: dict[str, Any]) -> bool:
    """Tell whether a run says that workers of a Dask cluster ran its rows."""
    return "--cluster" in _words(found.get("arguments"))


def _plan_out_of_order(found: dict[str, Any]) -> Iterator[str]:
    """Yield where methods or seeds are planned in another order than the call asked for them.

    A call that names no methods runs them in the order in which optmap lists them; a promise
    (``--predict``) or an objective changes it.
    """
    plan, seeds = found.get("planned"), found.get("seeds")
    given = dict(pairwise(["", *_words(found.get("arguments")), ""]))
    if found.get("picked") or not isinstance(plan, dict):
        return
    named = given.get("--seeds", "").split(",")
    said = [str(seed) for seed in seeds] if isinstance(seeds, list) else []
    if sorted(said) == sorted(set(named)) and said != list(dict.fromkeys(named)):
        yield f"{ENVIRONMENT}: plans seeds {seeds}, asked for as {given['--seeds']}"
    if any(option.startswith(("--p", "--ob")) for option in given):
        return
    names = given.get("--methods", "")
    order = [name.strip() for name in names.split(",")] if names else list(METHODS)
    for instance, methods in plan.items():
        known = [name for name in methods if name in order]
        if known != [name for name in order if name in known]:
            yield f"{ENVIRONMENT}: plans the methods of {instance} in another order than a run"


def _words(arguments: object) -> Iterator[str]:
    """Yield the words of a call, options apart from their values."""
    for word in arguments if isinstance(arguments, list) else ():
        yield from str(word).split("=", 1) if str(word).startswith("--") else (str(word),)
