"""Map spiking neural networks onto crossbar hardware and measure how good the mapping is.

``import optmap as om`` imports nothing else; each name below loads its module when it is first
used. ``dir(om)`` lists them.

Examples
--------
>>> import optmap as om
>>> found = om.map_network("mlp_tiny", method="song2020-tree")
>>> int(found.metrics["clusters"]), found.check
(1, 'ok')
"""

import os
import sys
from importlib import import_module

__version__ = "0.1.0"

#: Public name -> module that has it; ``__init__.pyi`` tells type checkers the same.
_HOMES = {
    "Binding": "optmap.model.mapping",
    "Bound": "optmap.bounds.bound",
    "Clustering": "optmap.model.mapping",
    "Constraints": "optmap.model.constraints",
    "Comparison": "optmap.api",
    "Crossbar": "optmap.model.platform",
    "Decomposition": "optmap.model.decomposition",
    "Grade": "optmap.model.grade",
    "InputError": "optmap.errors",
    "Instance": "optmap.instance",
    "Interconnect": "optmap.model.platform",
    "Limits": "optmap.model.outcome",
    "METHODS": "optmap.methods",
    "MappedNetwork": "optmap.experiment.mapped",
    "Mapping": "optmap.model.mapping",
    "Outcome": "optmap.model.outcome",
    "Pin": "optmap.model.constraints",
    "Platform": "optmap.model.platform",
    "SNN": "optmap.model.snn",
    "Scope": "optmap.model.scope",
    "StaticOrders": "optmap.model.mapping",
    "Status": "optmap.model.outcome",
    "Tile": "optmap.model.platform",
    "compare": "optmap.api",
    "decompose": "optmap.decomposing.contract",
    "evaluate": "optmap.api",
    "from_edges": "optmap.model.snn",
    "load": "optmap.instance",
    "load_method_file": "optmap.methods",
    "map_network": "optmap.api",
    "read_network": "optmap.readers.read",
    "read_platform": "optmap.experiment.given",
    "register": "optmap.methods",
    "shipped_instances": "optmap.shipped",
    "shipped_platforms": "optmap.shipped",
}

__all__ = ["__version__", *_HOMES]

if sys.argv[:1] == ["-m"]:  # ``python -m optmap...``: libraries fail without a working directory
    for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(pool, "1")
    try:
        os.getcwd()
    except FileNotFoundError:
        sys.exit("error: the working directory: found nothing, it was removed")


def __getattr__(name: str) -> object:
    """Return a public name, from the module that has it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'optmap' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
