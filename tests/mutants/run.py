"""``make mutants``: is it noticed when one operator, number or keyword of a module changes.

Each module is mutated in a copy of the tree by cosmic-ray and judged by the tests named beside it.
Prints the mutants that survive and the score; what a mutant cannot change (annotations, text of
messages) and what is no Python are left out. ``python tests/mutants/run.py [--only PART,PART]
[--most N] [--seed N]``: a sample of N mutants a module makes it minutes instead of hours.

Each mutant's tests run in a fork of this process, which has loaded the libraries already, with a
limit of processor time: a mutant that makes a loop endless is noticed, however loaded the machine.

What becomes of a mutant is kept at once (``--kept FILE``, else in the user's cache folder), by a
digest of the mutated module and of its tests. A run that is cut off by a signal prints the counts
that it has, and the next one goes on from there, after whatever ended the last one.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import FrameType

import networkx  # noqa: F401 - loaded once, for all forks
import numba  # noqa: F401
import numpy as np  # noqa: F401
import pandas as pd  # noqa: F401
import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parents[2]

#: Module -> the tests that must notice, those that most likely do first.
MODULES = {
    "optmap/model/scope.py": "tests/model/test_scope.py",
    "optmap/model/claim.py": "tests/model/test_claim.py",
    "optmap/model/outcome.py": "tests/model/test_outcome.py",
    "optmap/judge/check.py": "tests/judge/test_check.py",
    "optmap/judge/latency.py": "tests/judge/test_latency.py",
    "optmap/judge/binding_aware_graph.py": (
        "tests/judge/test_binding_aware_graph.py tests/judge/test_token_buffers.py"
    ),
    "optmap/judge/metrics.py": "tests/judge/test_metrics.py tests/judge/test_evaluate.py",
    "optmap/bounds/clusters.py": "tests/bounds/test_bounds.py",
    "optmap/bounds/end_to_end.py": (
        "tests/bounds/test_end_to_end.py tests/bounds/test_end_to_end_shared.py"
        " tests/bounds/test_bounds.py"
    ),
    "optmap/bounds/period.py": "tests/bounds/test_period_bounds.py tests/bounds/test_bounds.py",
    "optmap/bounds/spike_hops.py": "tests/bounds/test_hop_bounds.py tests/bounds/test_bounds.py",
    "optmap/bounds/traffic.py": (
        "tests/bounds/test_bounds.py tests/formulations/clustering/test_exact_traffic.py"
    ),
    "optmap/experiment/run/store.py": "tests/experiment/run/test_store.py",
    "optmap/experiment/tables/gaps.py": (
        "tests/experiment/tables/test_gaps.py tests/experiment/tables/test_tables.py"
    ),
    "optmap/experiment/verification/claims.py": (
        "tests/experiment/test_verify_claims.py tests/experiment/test_verify_environment.py"
        " tests/experiment/test_verify_run.py"
    ),
    "optmap/experiment/verification/folder.py": (
        "tests/experiment/test_verify_asked.py tests/experiment/test_verify_repaired.py"
        " tests/experiment/test_verify_run.py"
    ),
    "formulations/solvers/status.py": "tests/formulations/solvers/test_status.py",
    "formulations/ordering/farey.py": "tests/formulations/ordering/test_order_farey.py",
}
#: Decorators (frozen, cached) change no value; the others need variables to be named.
LEFT_OUT = ("Decorator", "Variable")
#: Processor seconds that a mutant's tests may take: so many times those of the code as it is.
TIMES, MORE_S = 5, 20
#: What cuts a run off.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
#: Seconds after which tests are ended that wait for something and compute nothing.
WAITING_S = 600


def places(code: str) -> list[tuple[str, int]]:
    """Return every (operator, occurrence) of a module, by one walk for all operators."""
    names = [n for n in sorted(operator_names()) if not any(part in n for part in LEFT_OUT)]
    operators = {name: get_operator(name)() for name in names}
    count: Counter[str] = Counter()
    for node in ast_nodes(get_ast(code)):
        for name, operator in operators.items():
            count[name] += sum(1 for _ in operator.mutation_positions(node))
    return [(name, occurrence) for name in names for occurrence in range(count[name])]


def mutants(code: str, order: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int, str]]:
    """Yield (operator, occurrence, mutated code) of the places that change what the code does."""
    plain = _without_text(code)
    for name, occurrence in order:
        changed = mutate_code(code, get_operator(name)(), occurrence)
        if changed is None:  # an operator that mutates some of the places that it names
            continue
        try:
            differs = _without_text(changed) != plain
        except SyntaxError:  # `a & ~b` with its operator replaced by `and not`
            continue
        if differs:
            yield name.removeprefix("core/"), occurrence, changed


def _without_text(code: str) -> str:
    """Return the code's tree without annotations, docstrings and the text of messages."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            node.annotation = ast.Constant(0)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.decorator_list = []  # frozen, slots, cached: they change no value
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            node.value = ""
    return ast.unparse(tree)


class CutOff(BaseException):
    """A signal ends the run; no test framework catches it."""


@dataclass
class Count:
    """How many mutants of a module are noticed, of how many that were tried, of how many."""

    module: str
    all: int
    killed: int = 0
    tried: int = 0

    def __str__(self) -> str:
        left = self.all - self.tried
        return f"{self.module}: {self.killed} of {self.tried}" + f", {left} to come" * bool(left)


@dataclass
class Kept:
    """What became of mutants in this and earlier runs: one line of JSON each, written at once."""

    file: Path
    found: dict[str, bool] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.is_file() else []
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError):  # torn by what ended it
                kept = json.loads(line)
                if "seconds" in kept:
                    self.seconds[kept["of"]] = float(kept["seconds"])
                else:
                    self.found[kept["of"]] = bool(kept["killed"])

    def add(self, name: str, killed: bool) -> None:
        """Keep whether the tests noticed a mutant."""
        self.found[name] = killed
        self._write({"of": name, "killed": killed})

    def add_seconds(self, name: str, seconds: float) -> None:
        """Keep how long tests take that nothing was changed for."""
        self.seconds[name] = seconds
        self._write({"of": name, "seconds": round(seconds, 2)})

    def _write(self, line: dict[str, object]) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the mutants; 1 if fewer than 95 % are noticed, or some were not tried."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--only", default="", help="modules whose path contains one of these parts")
    made.add_argument("--most", type=int, default=0, metavar="N", help="a sample of so many each")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--kept", type=Path, default=_cache(), metavar="FILE")
    args = made.parse_args(arguments)
    for number in SIGNALS:
        signal.signal(number, _cut_off)
    kept, counts, why = Kept(args.kept), [], ""
    with tempfile.TemporaryDirectory() as folder:
        try:
            copy = Path(folder, "tree")
            ignored = shutil.ignore_patterns(".git", ".venv", "results", ".*_cache")
            shutil.copytree(ROOT, copy, ignore=ignored)
            for module, tests in MODULES.items():
                if any(part in module for part in args.only.split(",")):
                    chosen = _chosen(module, args.most, args.seed)
                    counts.append(Count(module, len(chosen)))
                    _one(copy, tests.split(), chosen, kept, counts[-1])
                    print(counts[-1], flush=True)
        except CutOff as error:
            print(*counts[-1:], flush=True)
            why = f"; cut off by {error}, the same command goes on from here"
        for number in SIGNALS:  # what is left takes no time
            signal.signal(number, signal.SIG_IGN)
    killed, tried = sum(c.killed for c in counts), sum(c.tried for c in counts)
    print(f"{killed} of {tried} mutants are noticed, {100 * killed / max(1, tried):.1f} %{why}")
    return 0 if killed >= 0.95 * tried and not why else 1


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "optmap", "mutants.jsonl")


def _cut_off(number: int, frame: FrameType | None) -> None:
    raise CutOff(signal.Signals(number).name)


def _chosen(module: str, most: int, seed: int) -> list[tuple[str, int, str]]:
    """Return the mutants of a module, or the first ``most`` of them in a seeded order."""
    code = (ROOT / module).read_text(encoding="utf-8")
    order = places(code)
    random.Random(f"{seed} {module}").shuffle(order)
    return list(islice(mutants(code, order), most or None))


def _one(
    copy: Path, tests: list[str], chosen: list[tuple[str, int, str]], kept: Kept, count: Count
) -> None:
    """Try the mutants of a module that were not tried before, and count all."""
    module, digest = count.module, _digest_of(tests)
    code = (ROOT / module).read_text(encoding="utf-8")
    most_s = 0
    for name, occurrence, text in chosen:
        key = hashlib.sha256(f"{digest} {module} {text}".encode()).hexdigest()[:24]
        if key not in kept.found:
            most_s = most_s or _allowed(copy, module, tests, f"{digest} {module}", kept)
            (copy / module).write_text(text, encoding="utf-8")
            kept.add(key, not _run(copy, tests, most_s)[0])
            (copy / module).write_text(code, encoding="utf-8")
        count.tried += 1
        count.killed += kept.found[key]
        if not kept.found[key]:
            print(f"survives: {module} {name} {occurrence}: {_change(code, text)}", flush=True)


def _digest_of(tests: list[str]) -> str:
    """Return a digest of test files and folders."""
    digest = hashlib.sha256()
    for test in tests:
        path = ROOT / test
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _allowed(copy: Path, module: str, tests: list[str], name: str, kept: Kept) -> int:
    """Return the processor seconds that tests may take; SystemExit if they fail as they are."""
    if name not in kept.seconds:
        passed, seconds = _run(copy, tests, resource.RLIM_INFINITY)
        if not passed:
            raise SystemExit(f"{module}: its tests fail without any mutant")
        kept.add_seconds(name, seconds)
    return round(TIMES * kept.seconds[name]) + MORE_S


def _change(code: str, text: str) -> str:
    """Return the first line that a mutant changes, before and after."""
    before, after = ast.unparse(ast.parse(code)), ast.unparse(ast.parse(text))
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    return next((f"{a.strip()}  ->  {b.strip()}" for a, b in pairs if a != b), "")


def _run(copy: Path, tests: list[str], most_s: int) -> tuple[bool, float]:
    """Return whether the tests pass in a fork of this process, and its processor seconds."""
    sys.stdout.flush()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    child = os.fork()
    if child == 0:
        _be_a_test_run(copy, tests, most_s)
    with contextlib.suppress(OSError):  # both set it: whoever comes first
        os.setpgid(child, child)
    end = time.monotonic() + WAITING_S
    status: int | None = None
    try:
        while status is None and time.monotonic() < end:
            done, code = os.waitpid(child, os.WNOHANG)
            if done:
                status = code
            else:
                time.sleep(0.05)
    finally:
        if status is None:  # it waits for something, or we are cut off
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            status = os.waitpid(child, 0)[1]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return status == 0, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _be_a_test_run(copy: Path, tests: list[str], most_s: int) -> None:
    """Run the tests in the copy of the tree, and end this process."""
    os.setpgid(0, 0)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CPU, (most_s, most_s))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    command = ["-q", "-x", "-n0", "-p", "no:benchmark", "-p", "no:cacheprovider"]
    os._exit(int(pytest.main([*command, "-m", "not full", *tests])))


if __name__ == "__main__":
    sys.exit(main())
