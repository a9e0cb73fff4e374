"""Check a finished run again, trusting none of it.

For every row: its checksum and its place in the chain; its key; the instance, loaded again, against
its hash; the mapping, judged again, against every stored metric and name; the method, run again
where it is a seeded heuristic; every claim against the judge and against what its method can claim;
every bound that needs no solver, computed again; every certificate, proved again; every other
bound, proved again if it can be. Every bound is compared with every value that the run reached in
the bound's scope. Last, the tables are derived from the rows again and compared, and the folder
with the manifest that sealed it. Times cannot be known afterwards: they are not checked.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import lru_cache
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from optmap.bounds.bound import Bound
from optmap.errors import InputError
from optmap.experiment.row import Row
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.source import Source
from optmap.experiment.tables.best_known import read_copy
from optmap.experiment.tables.best_known import read_folder as read_list
from optmap.experiment.tables.derived import BEST_KNOWN, ENVIRONMENT, edited
from optmap.experiment.tables.gaps import by_digest, shared_bounds
from optmap.experiment.verification.asked import asked_notes, asked_problems, call_problems
from optmap.experiment.verification.context import (
    behind,
    list_problems,
    proved_by_digest,
    report_problems,
    shown_rows,
    star_problems,
    unverifiable,
)
from optmap.experiment.verification.environment import environment_problems
from optmap.experiment.verification.folder import read_folder, seal_problems, text_problems
from optmap.experiment.verification.row import ODD, Checker
from optmap.experiment.verification.second_proof import Word
from optmap.experiment.verification.verdict import RowVerdict
from optmap.instance import Instance

#: Says that grades were lowered, or that a second solver had no time: nobody can tell which.
MODEST = "rows: {} grade a bound lower than what proves it now deserves; a second solver may have"
MODEST += " had no time, or somebody lowered the grade: {}"

#: Says that a time nobody can check decides what a row is held to.
STARVED = "rows: {} say that they had less than half a core, or that the limit ended a heuristic;"
STARVED += " how much better their methods do is not known: {}"

#: Seconds from which on no two rows take the same on every clock.
LEAST_S = 0.05

#: Rows of one instance that a process checks before it says what it found.
CHUNK = 4


@dataclass
class Verdict:
    """What was found: problems by row, how many of each thing were checked, what cannot be."""

    problems: list[str]
    rows: int = 0
    mappings: int = 0
    claims: int = 0
    bounds: int = 0
    certificates: int = 0
    proofs: Counter[str] = field(default_factory=Counter)
    open_bounds: list[str] = field(default_factory=list)
    modest: list[str] = field(default_factory=list)
    starved: list[str] = field(default_factory=list)
    stars: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, found: RowVerdict) -> None:
        """Add what was found of one row."""
        self.rows += 1
        self.problems += [f"{found.name}: {problem}" for problem in found.problems]
        for name in ("mappings", "claims", "bounds", "certificates"):
            setattr(self, name, getattr(self, name) + getattr(found, name))
        if found.starved:
            self.starved.append(found.name)
        if found.modest:
            self.modest.append(found.name)
        for metric, bound, scope, proof in found.proofs:
            self.proofs[proof.word.value] += 1
            if proof.word is Word.OPEN:
                line = f"{found.name}: {metric} >= {bound} ({scope}): {proof.by}"
                self.open_bounds.append(line)


def verify_run(
    folder: Path,
    checker: Checker,
    on_row: Callable[[RowVerdict, int], None],
    *,
    jobs: int = 0,
) -> Verdict:
    """Check every row of a result folder.

    Parameters
    ----------
    checker : Checker
        How a row is checked.
    on_row : callable
        Called with what was found of each row, and how many rows are still to come.
    jobs : int
        Processes, so that a solver which aborts ends none but its own. 0: this process.

    Raises
    ------
    InputError
        If the folder holds no rows.
    """
    if not (folder / "rows.jsonl").is_file():
        raise InputError(str(folder), "", "no rows.jsonl", "the folder of a finished run")
    found = read_folder(folder)
    verdict = Verdict(list(found.problems))
    if not found.rows and not found.problems:
        raise InputError(str(folder), "", "no row", "the folder of a finished run")
    broken: set[str] = set()
    digests = {str(row.get("key")): str(row.get("digest")) for row in found.rows}
    left, proved = len(found.rows), []
    for one in _checked(found.rows, checker, jobs):
        left -= 1
        verdict.add(one)
        proved.append((digests[one.key], one.exact, one.again))
        if any(problem.startswith("a field is missing or odd") for problem in one.problems):
            broken.add(one.key)
        on_row(one, left)
    try:
        typed = {row["key"]: Row.from_json(row, row["key"]) for row in found.rows}
        whole = [row for key, row in typed.items() if key not in broken]
        verdict.problems += [*_refuted(whole), *_copied(whole)]
        verdict.problems += edited(folder, list(typed.values()))
        shown = shown_rows(folder, list(typed.values()))
        verdict.problems += _beside(folder, shown, proved_by_digest(proved), checker, verdict)
    except (InputError, *ODD) as error:
        verdict.problems.append(f"rows do not compare: {type(error).__name__} {error}")
    verdict.problems += seal_problems(folder, found)
    with contextlib.suppress(ValueError, RecursionError, OSError):  # others say that it is no JSON
        verdict.problems += text_problems(folder)
    for text, names in ((STARVED, verdict.starved), (MODEST, verdict.modest)):
        if names:
            verdict.notes.append(text.format(len(names), ", ".join(names)))
    return verdict


def _beside(
    folder: Path,
    shown: Sequence[Row],
    proved: dict[str, list[tuple[str, Bound]]],
    checker: Checker,
    verdict: Verdict,
) -> Iterator[str]:
    """Yield what is wrong with environment, best-known list, report and stars."""
    known, trusted = read_copy(folder / BEST_KNOWN), read_list(checker.best_known)
    yield from list_problems(known, trusted, BEST_KNOWN)
    copy = folder / BEST_KNOWN
    if copy.is_file() and copy.read_bytes() != f"{dumps(known.to_json())}\n".encode():
        yield f"{BEST_KNOWN}: written otherwise than a run writes it"
    environment: dict[str, Any] = {}
    if (folder / ENVIRONMENT).is_file():
        environment = json.loads((folder / ENVIRONMENT).read_text(encoding="utf-8"))
    before, since = behind(known, trusted, () if environment.get("picked") else shown)
    yield from (f"{BEST_KNOWN}: left out: {text}" for text in before)
    verdict.notes += [f"{BEST_KNOWN}: older, or left out: {text}" for text in since]
    verdict.notes += [*unverifiable(folder, shown, environment), *asked_notes(environment)]
    if environment and shown:
        yield from environment_problems(environment, shown)
        yield from asked_problems(environment)
        yield from call_problems(environment)
        yield from report_problems(folder, shown, environment, known)
    yield from star_problems(shown, known, proved, verdict.stars)


def _checked(rows: Sequence[dict[str, Any]], checker: Checker, jobs: int) -> Iterator[RowVerdict]:
    """Yield what is found of each row, instance by instance; 0 jobs: in this process."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(dumps(row.get("source")), []).append(row)
    chunks = [g[i : i + CHUNK] for g in groups.values() for i in range(0, len(g), CHUNK)]
    _loaded.cache_clear()
    if jobs == 0:
        for chunk in chunks:
            yield from _check_list(chunk, checker)
        return
    lost: list[dict[str, Any]] = []
    with _pool(jobs) as pool:
        waiting = {pool.submit(_check_list, chunk, checker): chunk for chunk in chunks}
        for done in as_completed(waiting):
            try:
                yield from done.result()
            except BrokenProcessPool:  # a solver ended the process: whose row it was is not known
                lost += waiting[done]
    for row in lost:
        yield from _alone(row, checker)


def _pool(jobs: int) -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """End this process as soon as the one that started it is gone: a pool's waits for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _alone(row: dict[str, Any], checker: Checker) -> list[RowVerdict]:
    """Check one row in a process of its own; where that ends too, the row says so."""
    try:
        with _pool(1) as pool:
            return pool.submit(_check_list, [row], checker).result()
    except BrokenProcessPool:
        text = "checking it ended the process: out of memory, or a solver that aborts"
        return [RowVerdict.of(row, text)]


def _check_list(chunk: list[dict[str, Any]], checker: Checker) -> list[RowVerdict]:
    """Check rows of one source, whose instance is loaded once a process."""
    checker.load_methods()
    try:
        instance = _loaded(dumps(chunk[0].get("source")))
    except (InputError, *ODD):
        instance = None  # each row then says so
    return [checker.check(row, instance) for row in chunk]


@lru_cache(maxsize=1)
def _loaded(source: str) -> Instance:
    return Source.from_json(json.loads(source)).load()


def _copied(rows: Sequence[Row]) -> Iterator[str]:
    """Yield rows that took what another took, to the tenth of a millisecond on every clock."""
    first: dict[str, Row] = {}
    for row in rows:
        if row.wall_s < LEAST_S:  # that short, two rows can take the same
            continue
        clocks = dumps([row.wall_s, row.cpu_s, row.elapsed_s, dict(row.stage_seconds)])
        other = first.setdefault(clocks, row)
        if other is not row:
            one, two = (f"{r.instance} / {r.method} (seed {r.seed})" for r in (row, other))
            yield f"{one}: all its times are those of {two}"


def _refuted(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the bounds that a row in their scope undercuts."""
    for group in by_digest(rows).values():
        bounds = dict.fromkeys(replace(bound, certificate=None) for bound in shared_bounds(group))
        for proved in bounds:
            for other in group:
                reached = other.value(proved.metric)
                if reached is None or reached >= proved.value or other.place is None:
                    continue
                if proved.scope.covers(other.place):
                    yield (
                        f"{other.instance}: bound {proved.value} on {proved.metric}"
                        f" ({proved.name}; {proved.scope}) is refuted by {other.method}, which"
                        f" reached {reached}"
                    )
