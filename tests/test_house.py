"""The house, executed: every module has a place, imports point downhill, solvers stay in one room.

A room is a module or a package; its level is its place on the hill. A new file in a room needs no
edit here, a new room does.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).parents[1]

#: Imports go from a higher level to a lower one, or stay inside a room.
LEVEL = {
    "optmap": 0,  # the package itself: its version
    "optmap.ready_code": -2,
    "optmap.numba_ways": -2,
    "optmap.machine_code": -1,
    "optmap.compiled": 0,
    "optmap.clock": 0,
    "optmap.errors": 0,
    "optmap.shipped": 1,
    "optmap.toml_fields": 1,
    "optmap.beside": 2,
    "optmap.sdf": 1,
    "optmap.model": 2,
    "optmap.bounds": 3,
    "optmap.generators": 3,
    "optmap.decomposing": 4,
    "optmap.mapping_json": 5,
    "optmap.judge": 5,
    "optmap.readers": 5,
    "optmap.exporters": 6,
    "optmap.variants": 6,
    "optmap.simulation": 6,
    "optmap.instance": 7,
    "optmap.clustering": 6,
    "optmap.ordering": 6,
    "optmap.binding": 7,
    "optmap.whole": 8,
    "formulations": 9,
    "optmap.runtime": 9,
    "optmap.exact": 10,
    "optmap.exact_questions": 10,
    "optmap.trade_offs": 10,
    "optmap.fault_effects": 10,
    "optmap.methods": 11,
    "optmap.stages": 12,
    "optmap.flow": 13,
    "optmap.command_line": 13,
    "optmap.output": 13,
    "optmap.experiment": 14,
    "optmap.api": 15,
    "optmap.compare": 16,
    "optmap.map": 16,
    "optmap.explain": 16,
    "optmap.explore": 16,
    "optmap.reproduce": 16,
    "optmap.admit": 16,
    "optmap.export": 16,
    "optmap.verify": 16,
    "optmap.submit": 16,
    "optmap.rivals": 16,
    "optmap.sdf.__main__": 16,
    "optmap.__main__": 17,
}
COMMAND = 16
SOLVERS = {"ortools", "pulp", "highspy"}
ONLY_ERRORS = ("optmap.sdf",)  # the kernel knows no network


@cache
def modules() -> dict[str, Path]:
    """Return every module of both packages by dotted name."""
    found = {}
    for package in ("optmap", "formulations"):
        for file in sorted((ROOT / package).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


@cache
def imports(module: str) -> frozenset[str]:
    """Return what a module imports, anywhere in its text; submodules rather than packages."""
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            inside = full & set(modules())
            names |= inside or {str(node.module)}
    return frozenset(names)


def room(module: str) -> str:
    """Return the longest prefix of ``module`` that the table knows, whole names only."""
    parts = module.split(".")
    prefixes = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next(p for p in prefixes if p in LEVEL and (p != "optmap" or module == "optmap"))


def project(module: str) -> list[str]:
    """Return the modules of this project that ``module`` imports."""
    return sorted(n for n in imports(module) if n.split(".")[0] in ("optmap", "formulations"))


@pytest.mark.parametrize("module", modules())
def test_every_module_has_a_place_and_imports_point_downhill(module: str):
    here = room(module)
    for name in project(module):
        there = room(name)
        assert there == here or LEVEL[there] < LEVEL[here], f"{module} imports {name}"


def test_no_two_test_files_have_one_name():
    """Pytest imports them by name; a clean checkout would collect only the first."""
    names = Counter(file.name for file in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, n in names.items() if n > 1] == []


def test_no_import_goes_round_in_a_circle():
    graph = nx.DiGraph((m, name) for m in modules() for name in project(m) if name != m)
    assert sorted(nx.simple_cycles(graph)) == []


@pytest.mark.parametrize("module", modules())
def test_nobody_imports_a_command(module: str):
    assert [name for name in project(module) if LEVEL[room(name)] == COMMAND] == []


@pytest.mark.parametrize("module", [m for m in modules() if room(m) in ONLY_ERRORS])
def test_the_dataflow_kernel_knows_no_network(module: str):
    assert {room(name) for name in project(module)} <= {
        "optmap.sdf",
        "optmap.errors",
        "optmap.compiled",
    }


@pytest.mark.parametrize("module", [m for m in modules() if m.startswith("optmap")])
def test_solvers_are_imported_in_formulations_only(module: str):
    assert {name.split(".")[0] for name in imports(module)} & SOLVERS == set()


def test_the_package_itself_imports_nothing_of_weight():
    assert {name.split(".")[0] for name in imports("optmap")} <= set(sys.stdlib_module_names)


#: The lists of stages: their loaders are the only ones that import a stage.
CONTRACTS = (
    "optmap.decomposing.contract",
    "optmap.clustering.contract",
    "optmap.binding.contract",
    "optmap.ordering.contract",
    "optmap.whole.contract",
    "optmap.exact",
)


def lazy(module: str) -> set[str]:
    """Return the modules that the loaders of a module import when they are called."""
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = [node for node in found if node.name.startswith("_")]
    named = {
        str(node.module)
        for function in inside
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom)
    }
    return named & set(modules())


@cache
def stages() -> frozenset[str]:
    """Return the modules that the contracts load."""
    return frozenset(name for contract in CONTRACTS for name in lazy(contract))


def test_the_contracts_load_modules_that_exist():
    assert len(stages()) >= 25
    assert tuple(c for c in CONTRACTS if c in modules()) == CONTRACTS


@pytest.mark.parametrize("module", sorted(stages()))
def test_stages_do_not_know_their_siblings(module: str):
    """What two stages share is a module of its own that is no stage; warm starts are passed."""
    own = room(module) if room(module) != "formulations" else ".".join(module.split(".")[:2])
    siblings = {name for name in stages() if name.startswith(f"{own}.")}
    # what chooses the better of others by its own account, and says so in its text
    composed = {
        "formulations.binding.search",
        "optmap.clustering.blocks",
        "optmap.clustering.overlap",
        "optmap.binding.multicast",
    }
    assert module in composed or siblings & imports(module) == set()


#: The only modules that reach formulations, each by calls that load what is asked for.
REACH = {"optmap.exact", "optmap.exact_questions", "optmap.export", "optmap.trade_offs"}


@pytest.mark.parametrize("module", modules())
def test_formulations_are_reached_from_one_place(module: str):
    """And loaded there by calls only, so that nobody pays for a solver who does not ask for one."""
    ours = module.startswith("optmap")
    reached = {name for name in imports(module) if name.split(".")[0] == "formulations"}
    assert not ours or not reached or module in REACH


@pytest.mark.parametrize("module", modules())
def test_no_module_is_named_in_a_string(module: str):
    """An import by a string would hide from this file and from the type checker."""
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    strings = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    named = {text for text in strings if re.fullmatch(r"(optmap|formulations)(\.\w+)+", text)}
    # the public names; the table of commands; entry points; templates; a child process
    known = {"optmap", "optmap.__main__", "optmap.methods", "optmap.experiment.report.html"}
    known |= {"optmap.experiment.run.process"}
    assert module in known or {name for name in named if room_exists(name)} == set()


def room_exists(name: str) -> bool:
    """Tell whether a dotted name is a module, or something in one."""
    return name in modules() or name.rpartition(".")[0] in modules()


def test_no_room_is_named_that_does_not_exist():
    assert [name for name in LEVEL if name not in modules()] == []


@pytest.mark.parametrize("module", modules())
def test_texts_refer_to_modules_that_exist(module: str):
    text = modules()[module].read_text(encoding="utf-8")
    named = re.findall(r":(?:func|class|data|attr|meth):`~?((?:optmap|formulations)[\w.]*)`", text)
    assert [name for name in named if not any(name[:n] in modules() for n in ends(name))] == []
    whole = re.findall(r":mod:`~?((?:optmap|formulations)[\w.]*)`", text)
    assert [name for name in whole if name not in modules()] == []


def ends(name: str) -> list[int]:
    """Return the lengths of what may be the module in ``module.Class.member``."""
    dots = [i for i, letter in enumerate(name) if letter == "."]
    return [len(name), *dots[-2:]]


def test_importing_everything_but_formulations_loads_no_solver():
    names = [m for m in modules() if m.startswith("optmap") and not m.endswith("__main__")]
    code = f"import sys, importlib\nfor m in {names}: importlib.import_module(m)\n"
    code += f"sys.exit(str(sorted({SOLVERS} & set(sys.modules))))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.stderr.strip() == "[]"  # what sys.exit was given


@pytest.mark.parametrize("module", modules())
def test_a_file_is_a_page_or_two(module: str):
    assert len(modules()[module].read_text(encoding="utf-8").splitlines()) < 400


def test_the_table_itself_is_held_to_its_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An uphill import, a command imported and an unknown room are all noticed."""
    file = tmp_path / "odd.py"
    file.write_text("from optmap import compare\nimport optmap.judge.check\nimport ortools.sat\n")
    known = dict(modules())
    odd = {"optmap.model.snn": file, "optmap.newroom": file}
    monkeypatch.setitem(globals(), "modules", lambda: known | odd)
    imports.cache_clear()
    assert project("optmap.model.snn") == ["optmap.compare", "optmap.judge.check"]
    with pytest.raises(AssertionError, match=r"optmap\.model\.snn imports"):
        test_every_module_has_a_place_and_imports_point_downhill("optmap.model.snn")
    with pytest.raises(AssertionError):
        test_nobody_imports_a_command("optmap.model.snn")
    with pytest.raises(AssertionError):
        test_solvers_are_imported_in_formulations_only("optmap.model.snn")
    with pytest.raises(StopIteration):
        room("optmap.newroom")
    imports.cache_clear()
