"""After the warm-up a row compiles and loads nothing more: its clock shows the method alone."""

import subprocess
import sys

import pytest

CODE = """
import sys
from optmap.compiled import Kernel
from optmap.experiment.run import warm_up
from optmap.methods import METHODS

def kernels():
    found = {}
    for name, module in list(sys.modules.items()):
        if name.startswith(("optmap", "formulations")):
            for item in vars(module).values():
                if isinstance(item, Kernel) and "dispatcher" in vars(item):
                    found[item.__module__ + "." + item.__name__] = len(item.signatures)
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
