"""Rows as the store holds them, for tests of everything that is derived from rows."""

from fractions import Fraction

from optmap.bounds.bound import Bound
from optmap.experiment.row import SCHEMA, Row
from optmap.model.grade import Grade
from optmap.model.scope import END_TO_END, Place, Scope


def stored_row(
    instance,
    method,
    clusters,
    period,
    *,
    seed=0,
    status="feasible",
    check="ok",
    units=None,
    clustering="c",
    metrics=None,
    **more,
):
    """Return a row with every field that tables and reports read.

    Its units are those of its decomposition, its clustering that of all rows, unless said.
    """
    policy = "chain" if method.startswith(("song2020", "dfs")) else "tree"
    units = units or policy
    place = Place(units, clustering, f"{method} {seed}", clusters, 5, "prologue" in method)
    certified = Grade.CERTIFIED
    row = {
        "schema": SCHEMA,
        "source": {"file": f"{instance}.toml"},
        "key": f"{instance}-{method}-{seed}",
        "instance": instance,
        "digest": f"digest of {instance}",
        "method": method,
        "seed": seed,
        "decomposition": policy,
        "place": place.to_json(),
        "status": status,
        "check": check,
        "reason": "",
        "wall_s": 1.0,
        "limit_s": 10.0,
        "threads": 1,
        "network": {
            "neurons": 10,
            "inputs": 4,
            "synapses": 20,
            "max_fan_in": 4,
            "spikes": 10,
            "spikes_origin": "assumed",
            "platform": "p",
            "crossbars": "4x4",
            "tiles": 2,
            "tokens": "dataflow",
        },
        "metrics": {
            "clusters": clusters,
            "traffic": 10 * clusters,
            "spike_hops": 3,
            "period": str(Fraction(period)),
            "energy_pj": "1500",
            **(metrics or {}),
        },
        "bounds": [
            Bound("clusters", "rows", 2, Scope(units=units), certified).to_json(),
            Bound("period", "work", 4, END_TO_END, certified).to_json(),
        ],
        "claims": [],
        "critical_cycle": ["cluster 0 -> cluster 0 [self, 5 ticks, 1 token]"],
    }
    return Row.from_json(row | more)
