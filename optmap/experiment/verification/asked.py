"""Whether a run plans, and is limited by, what its call asks for; a call can be forged, too."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optmap.errors import InputError
from optmap.experiment.run.environment import code_version
from optmap.experiment.run.plan import sources_of
from optmap.experiment.run.source import Source
from optmap.experiment.tables.derived import ENVIRONMENT
from optmap.shipped import shipped_instances

#: What may follow an instance's name in a plan: a platform, windows, bit planes, a code.
BEHIND_A_NAME = "@*+ [("
#: Options of ``compare`` without a value.
FLAGS = ("--all", "--allow-outside", "-v", "--verbose")
#: Options of ``compare`` that limit its rows -> the field that says so, and what holds without.
LIMITS = {
    "--limit": ("wall_s", 10),
    "--work": ("work", None),
    "--threads": ("threads", 1),
    "--memory": ("memory_mb", None),
}
#: Options that change which methods ``--methods`` stands for.
OTHER_METHODS = ("--objective", "--method-file", "--mapping")


def asked_problems(found: dict[str, Any]) -> Iterator[str]:
    """Yield the shipped instances that the call asks for and the plan does not name."""
    missing = [name for name, is_shipped in _missing(found) if is_shipped]
    if missing and found.get("code_version") == code_version():
        yield (
            f"{ENVIRONMENT}: {len(missing)} instances that the call asks for are not planned, as"
            f" {missing[0]}"
        )


def call_problems(found: dict[str, Any]) -> Iterator[str]:
    """Yield the options of the call that limits or plan contradict.

    What a call does not say holds as usual where it names the command: ``main`` may be called, too.
    """
    limits, arguments = found.get("limits"), found.get("arguments")
    _, given = _paths(arguments)
    if found.get("picked") or found.get("code_version") != code_version():
        return
    if isinstance(limits, dict) and isinstance(arguments, list):
        for option, (field, usual) in LIMITS.items():
            word = _said(option, given)
            if word is None and arguments[:1] != ["compare"]:
                continue
            if option == "--limit" and limits.get("work") is not None:
                continue  # seconds follow from the work
            if limits.get(field) != (usual if word is None else _number(word)):
                told = f"{option} {word or usual}"
                yield f"{ENVIRONMENT}: {field} {limits.get(field)}, its call says {told}"
    names, plan = _said("--methods", given), found.get("planned")
    if names is None or not isinstance(plan, dict) or any(_said(o, given) for o in OTHER_METHODS):
        return
    asked = {name.strip() for name in names.split(",") if name.strip()}
    for instance, methods in plan.items():
        if isinstance(methods, list) and asked != set(map(str, methods)):
            yield f"{ENVIRONMENT}: the methods of {instance} are not those that its call names"
            return


def _said(option: str, given: dict[str, str]) -> str | None:
    """Return what a call says of an option, which may be cut short; None where it says nothing."""
    return next((v for name, v in given.items() if len(name) > 2 and option.startswith(name)), None)


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def asked_notes(found: dict[str, Any]) -> Iterator[str]:
    """Yield a line where other instances that the call asks for are there now and not planned."""
    missing = [name for name, is_shipped in _missing(found) if not is_shipped]
    if missing:
        yield (
            f"{ENVIRONMENT}: {len(missing)} instances that the call asks for are not planned, as"
            f" {missing[0]}: they were unreadable or not there, or somebody left them out"
        )


def _missing(found: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield the instances asked for and not planned, and whether they come with optmap."""
    planned = [str(name) for name in found.get("planned") or ()]
    paths, given = _paths(found.get("arguments"))
    if found.get("picked") or not planned:
        return
    shipped = {path.resolve() for path in shipped_instances().values()}
    networks = Source(platform=given.get("--platform"))
    for word in paths:
        with contextlib.suppress(InputError, OSError, ValueError):  # elsewhere now, or unreadable
            for source in sources_of([word], networks, "--all" in given):
                name = source.load().name
                if not any(_is_of(name, own) for own in planned):
                    yield name, _file_of(source) in shipped


def _file_of(source: Source) -> Path | None:
    file = source.paths().get("file")
    return None if file is None else Path(file).resolve()


def _is_of(name: str, planned: str) -> bool:
    return planned == name or (planned.startswith(name) and planned[len(name)] in BEHIND_A_NAME)


def _paths(arguments: object) -> tuple[list[str], dict[str, str]]:
    """Return what a call of ``compare`` names as paths, and its options with their values."""
    words = list(map(str, arguments)) if isinstance(arguments, list) else []
    paths: list[str] = []
    given: dict[str, str] = {}
    waiting = words[1:] if words[:1] == ["compare"] else words
    while waiting:
        word, *waiting = waiting
        if not word.startswith("-"):
            paths.append(word)
            continue
        name, equals, value = word.partition("=")
        if not equals and name not in FLAGS and waiting:
            value, *waiting = waiting
        given[name] = value
    return paths, given
