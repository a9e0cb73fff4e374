"""Contracts are types: mypy refuses a wrong stage, and every registered name can be loaded."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
from mypy import api

from optmap.binding.contract import BINDERS
from optmap.clustering.contract import CLUSTERERS, DIVIDERS
from optmap.decomposing.contract import DECOMPOSERS, REBUILDERS
from optmap.exact import (
    EXACT_BINDERS,
    EXACT_CLUSTERINGS,
    EXACT_MULTICASTS,
    EXACT_ORDERINGS,
    EXACT_SCHEDULES,
    EXACT_WHOLE,
    TREE_IMPROVERS,
)
from optmap.methods import IMPORTED, METHODS
from optmap.ordering.contract import ORDER_IMPROVERS, ORDERERS
from optmap.whole.contract import WHOLE

LOADERS: list[tuple[str, Callable[[], object]]] = [
    *(
        (f"{kind} {name}", load)
        for kind, stages in (
            ("decomposing", DECOMPOSERS),
            ("rebuilding", REBUILDERS),
            ("clustering", CLUSTERERS),
            ("dividing", DIVIDERS),
            ("leaves", TREE_IMPROVERS),
            ("binding", BINDERS),
            ("exact binding", EXACT_BINDERS),
            ("exact multicast", EXACT_MULTICASTS),
            ("ordering", ORDERERS),
            ("improving orders", ORDER_IMPROVERS),
        )
        for name, load in stages.items()
    ),
    *((f"fewest {name}", stage.fewest) for name, stage in EXACT_CLUSTERINGS.items()),
    *((f"least traffic {name}", stage.least) for name, stage in EXACT_CLUSTERINGS.items()),
    *((f"exact order {name}", stage.load) for name, stage in EXACT_ORDERINGS.items()),
    *((f"schedule {name}", stage.load) for name, stage in EXACT_SCHEDULES.items()),
    *((f"whole {name}", stage.load) for name, stage in (WHOLE | EXACT_WHOLE).items()),
]

WRONG = """
from __future__ import annotations

from optmap.clustering.contract import CLUSTERERS, Clusterer
from optmap.model.decomposition import Decomposition
from optmap.model.mapping import Binding, Clustering
from optmap.model.platform import Platform


def right(decomposition: Decomposition, platform: Platform, *, seed: int = 0) -> Clustering:
    return CLUSTERERS["overlap"]()(decomposition, platform, seed=seed)


def without_seed(decomposition: Decomposition, platform: Platform) -> Clustering:
    return right(decomposition, platform)


def of_another_stage(decomposition: Decomposition, platform: Platform, *, seed: int = 0) -> Binding:
    raise NotImplementedError  # only the type checker reads it


def load_right() -> Clusterer:
    return right


def load_without_seed() -> Clusterer:
    return without_seed  # refused


def load_another_stage() -> Clusterer:
    return of_another_stage  # refused
"""


def test_the_type_checker_refuses_a_wrong_signature(tmp_path: Path):
    file = tmp_path / "heuristic.py"
    file.write_text(WRONG)
    out, _, status = api.run(["--strict", "--follow-imports=silent", str(file)])
    refused = [i for i, line in enumerate(WRONG.splitlines(), 1) if line.endswith("# refused")]
    assert status == 1
    assert [f":{line}: error: Incompatible return value" in out for line in refused] == [True] * 2
    assert out.count("error:") == 2


@pytest.mark.parametrize(("name", "load"), LOADERS, ids=[name for name, _ in LOADERS])
def test_whatever_is_registered_loads(name: str, load: Callable[[], object]):
    stage = load()
    assert callable(stage)
    assert name
    kinds = {p.kind for p in inspect.signature(stage).parameters.values()}
    assert inspect.Parameter.VAR_KEYWORD not in kinds


def test_every_method_is_made_of_registered_stages_and_every_stage_is_in_a_method():
    used: dict[str, set[str]] = {
        "decomposition": set(DECOMPOSERS),
        "clustering": {*CLUSTERERS, *DIVIDERS, *EXACT_CLUSTERINGS, *TREE_IMPROVERS},
        "binding": {*BINDERS, *EXACT_BINDERS, *EXACT_MULTICASTS, *EXACT_SCHEDULES},
        "order": {*ORDERERS, *ORDER_IMPROVERS, *EXACT_ORDERINGS, *EXACT_SCHEDULES},
    }
    for stage, known in used.items():
        named = {getattr(method, stage) for method in METHODS.values()} - {IMPORTED}
        assert named <= known
        assert known - named <= {"none", "round-robin", "joint", "joint-prologue", "benders"}
    assert {m.whole for m in METHODS.values()} <= {"", *WHOLE, *EXACT_WHOLE}
