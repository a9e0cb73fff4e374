"""``make mutants``: is it noticed when one operator, number or keyword of a module changes.

Each module is mutated in a copy of the tree by cosmic-ray and judged by the tests named beside it.
Prints the mutants that survive and the score; what a mutant cannot change (annotations, text of
messages) and what is no Python are left out. ``python tests/mutants/run.py [--only PART] [--most N]
[--seed N]``: a sample of N mutants a module makes it minutes instead of hours.

Each mutant's tests run in a fork of this process, which has loaded the libraries already, with a
limit of processor time: a mutant that makes a loop endless is noticed, however loaded the machine.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import networkx  # noqa: F401 - loaded once, for all forks
import numba  # noqa: F401
import numpy as np  # noqa: F401
import pandas as pd  # noqa: F401
import pytest
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parents[2]

#: Module -> the tests that must notice.
MODULES = {
    "optmap/model/scope.py": "tests/model/test_scope.py",
    "optmap/model/claim.py": "tests/model/test_claim.py",
    "optmap/model/outcome.py": "tests/model/test_outcome.py",
    "optmap/judge/check.py": "tests/judge",
    "optmap/judge/latency.py": "tests/judge/test_latency.py",
    "optmap/judge/binding_aware_graph.py": "tests/judge",
    "optmap/judge/metrics.py": "tests/judge",
    "optmap/bounds/clusters.py": "tests/bounds",
    "optmap/bounds/end_to_end.py": "tests/bounds",
    "optmap/bounds/period.py": "tests/bounds",
    "optmap/bounds/spike_hops.py": "tests/bounds",
    "optmap/bounds/traffic.py": "tests/bounds tests/formulations/clustering/test_exact_traffic.py",
    "optmap/experiment/run/store.py": "tests/experiment/run/test_store.py",
    "optmap/experiment/tables/gaps.py": "tests/experiment/tables",
    "optmap/experiment/verification/claims.py": (
        "tests/experiment/test_verify_every_field.py tests/experiment/test_verify_environment.py"
        " tests/experiment/test_verify_run.py"
    ),
    "optmap/experiment/verification/folder.py": (
        "tests/experiment/test_verify_run.py tests/experiment/test_verify_repaired.py"
    ),
    "formulations/solvers/status.py": "tests/formulations/solvers",
    "formulations/ordering/farey.py": "tests/formulations/ordering/test_order_farey.py",
}
#: Decorators (frozen, cached) change no value; the others need variables to be named.
LEFT_OUT = ("Decorator", "Variable")
#: Processor seconds that a mutant's tests may take: so many times those of the code as it is.
TIMES, MORE_S = 5, 20
#: Seconds after which tests are ended that wait for something and compute nothing.
WAITING_S = 600


def mutants(code: str) -> Iterator[tuple[str, int, str]]:
    """Yield (operator, occurrence, mutated code) for everything that can change what it does."""
    plain = _without_text(code)
    for name in sorted(operator_names()):
        if any(part in name for part in LEFT_OUT):
            continue
        operator = get_operator(name)()
        for occurrence in range(10_000):
            changed = mutate_code(code, operator, occurrence)
            if changed is None:
                break
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


def main() -> int:
    """Run the mutants; 1 if fewer than 95 % are noticed."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--only", default="", help="modules whose path contains this")
    made.add_argument("--most", type=int, default=0, metavar="N", help="a sample of so many each")
    made.add_argument("--seed", type=int, default=0)
    args = made.parse_args()
    killed = total = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "tree")
        ignored = shutil.ignore_patterns(".git", ".venv", "results", ".*_cache")
        shutil.copytree(ROOT, copy, ignore=ignored)
        for module, tests in MODULES.items():
            if args.only not in module:
                continue
            own_killed, own_total = _one(copy, module, tests.split(), args.most, args.seed)
            killed, total = killed + own_killed, total + own_total
    print(f"{killed} of {total} mutants are noticed, {100 * killed / max(1, total):.1f} %")
    return 0 if killed >= 0.95 * total else 1


def _one(copy: Path, module: str, tests: list[str], most: int, seed: int) -> tuple[int, int]:
    """Return how many mutants of a module are noticed, of how many."""
    code = (ROOT / module).read_text(encoding="utf-8")
    chosen = list(mutants(code))
    if most and len(chosen) > most:
        chosen = random.Random(seed).sample(chosen, most)
    passed, seconds = _run(copy, tests, resource.RLIM_INFINITY)
    if not passed:
        raise SystemExit(f"{module}: its tests fail without any mutant")
    most_s, killed = round(TIMES * seconds) + MORE_S, 0
    for name, occurrence, text in chosen:
        (copy / module).write_text(text, encoding="utf-8")
        if not _run(copy, tests, most_s)[0]:
            killed += 1
            continue
        before, after = ast.unparse(ast.parse(code)), ast.unparse(ast.parse(text))
        pairs = zip(before.splitlines(), after.splitlines(), strict=False)
        line = next((f"{a.strip()}  ->  {b.strip()}" for a, b in pairs if a != b), "")
        print(f"survives: {module} {name} {occurrence}: {line}", flush=True)
    (copy / module).write_text(code, encoding="utf-8")
    print(f"{module}: {killed} of {len(chosen)}", flush=True)
    return killed, len(chosen)


def _run(copy: Path, tests: list[str], most_s: int) -> tuple[bool, float]:
    """Return whether the tests pass in a fork of this process, and its processor seconds."""
    sys.stdout.flush()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    child = os.fork()
    if child == 0:
        _be_a_test_run(copy, tests, most_s)
    end = time.monotonic() + WAITING_S
    status: int | None = None
    while status is None:
        done, code = os.waitpid(child, os.WNOHANG)
        if done:
            status = code
        elif time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            status = os.waitpid(child, 0)[1]
        else:
            time.sleep(0.05)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return status == 0, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _be_a_test_run(copy: Path, tests: list[str], most_s: int) -> None:
    """Run the tests in the copy of the tree, and end this process."""
    os.setpgid(0, 0)
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
