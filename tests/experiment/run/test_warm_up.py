"""After the warm-up a row compiles and loads nothing more: its clock shows the method alone."""

import subprocess
import sys

import pytest

FORMS = """
def forms(kernel):
    signatures = kernel.signatures if "dispatcher" in vars(kernel) else ()
    return len(signatures) + len({id(code) for code in kernel.ready.values() if code})
"""
CODE = f"""{FORMS}
import sys
from optmap.compiled import Kernel
from optmap.experiment.run import warm_up
from optmap.methods import METHODS

def kernels():
    found = dict()
    for name, module in list(sys.modules.items()):
        if name.startswith(("optmap", "formulations")):
            for item in vars(module).values():
                if isinstance(item, Kernel):
                    found[item.__module__ + "." + item.__name__] = forms(item)
    return found

method = METHODS[sys.argv[1]]
warm_up.warm_up(method)
before = kernels()
warm_up._run_and_describe(method, "filter-12", 1.0)
after = kernels()
print([name for name, count in after.items() if count != before.get(name, 0) and count])
"""


SEARCHED = """
from formulations.binding import search as binding_search
binding_search.CPSAT_SHARE = 1e-9  # CP-SAT proves nothing

from optmap.clock import counted
run = warm_up._run_and_describe

def run_counted(*arguments):  # as far on every machine
    with counted():
        run(*arguments)

warm_up._run_and_describe = run_counted
"""


def test_a_searched_binding_is_compiled_off_the_clock():
    code = CODE.replace("before =", SEARCHED + "before =").replace("filter-12", "mlp-9-24-9")
    done = subprocess.run([sys.executable, "-c", code, "colgen"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("method", ["random", "overlap", "cpsat-joint", "spinemap", "cpsat"])
def test_nothing_is_compiled_on_the_clock(method):
    done = subprocess.run([sys.executable, "-c", CODE, method], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


PACKED = f"""{FORMS}
from optmap.clustering.kernels import vector_packing_start as packing
from optmap.clustering.kernels.classes import classes_of
from optmap.experiment.run.warm_up import pack_vectors
from optmap.model.snn import from_edges

pack_vectors()
before = forms(packing._grow)
pre, post = [0, 1, 1, 2, 3, 4], [6, 6, 7, 7, 8, 8]
made = packing.vector_packing_start(classes_of(from_edges(pre, post, 10)), 3, 3)
print(before, forms(packing._grow), made is None)
"""


def test_vectors_are_packed_by_what_the_warm_up_compiled():
    """Networks without units that share no row never come to it: nor did the warm-up."""
    done = subprocess.run([sys.executable, "-c", PACKED], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", "1", "False"]


LATE = f"""{FORMS}
import sys, time
from types import SimpleNamespace
from optmap import clock
from optmap.experiment.run.warm_up import warm_up
from optmap.methods import METHODS

fast = SimpleNamespace(perf_counter=lambda: 1e5 * time.perf_counter(), process_time=lambda: 0.0)
clock.time = fast  # every limit passes at once, as where all kernels are compiled first
for method in sys.argv[1].split(","):
    warm_up(METHODS[method])
for name in sys.argv[2:]:
    module, _, kernel = name.rpartition(".")
    print(forms(getattr(sys.modules[module], kernel)) if module in sys.modules else 0)
"""


#: Kernels that the searches of methods come to only where time is left, or networks are large.
REACHED = {
    "colgen,whole,cover": (
        "formulations.clustering.column_generation.pricing_frontier._sweep",
        "formulations.clustering.column_generation.column_listing._list",
        "formulations.clustering.every_crossbar_kernel.cover",
        "formulations.binding.ruin_and_recreate.ruin_and_recreate",
        "formulations.binding.spreading_bound._mesh_sum",
        "formulations.whole.pricing_listing._go_on",
        "optmap.clustering.kernels.annealing_clusters._anneal",
        "optmap.binding.kernels.tile_swaps._pass",
        "optmap.sdf.incremental._still_holds",
    ),
    "lns": (
        "formulations.clustering.every_crossbar_kernel.cover",
        "optmap.clustering.kernels.annealing_clusters._anneal",
        "optmap.sdf.incremental._still_holds",
        "optmap.sdf.incremental._fits",
    ),
    "benders": (
        "formulations.ordering.branch_and_bound._search",
        "optmap.sdf.incremental._still_holds",
        "optmap.sdf.incremental._fits",
    ),
    "leaves,multilevel,overlap-prologue": (
        "optmap.clustering.kernels.balancing.balance",
        "optmap.clustering.kernels.regrowth._regrow",
        "optmap.clustering.kernels.vector_packing_start._grow",
        "optmap.sdf.ratio_kernel.solve_signed",
        "optmap.ordering.kernels.modulo_schedule._place_some",
    ),
}


@pytest.mark.parametrize("methods", REACHED)
def test_a_warm_up_comes_as_far_where_everything_is_compiled_first(methods):
    kernels = REACHED[methods]
    done = subprocess.run(
        [sys.executable, "-c", LATE, methods, *kernels], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    counts = dict(zip(kernels, done.stdout.split(), strict=True))
    assert "0" not in counts.values(), counts
