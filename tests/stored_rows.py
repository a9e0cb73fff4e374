"""Rows as the store holds them, for tests of everything that is derived from rows."""

from fractions import Fraction

from optmap.bounds.end_to_end import ANY_MAPPING


def stored_row(
    instance, method, clusters, period, *, seed=0, status="feasible", check="ok", **more
):
    """Return a row with every field that tables and reports read."""
    row = {
        "key": f"{instance}-{method}-{seed}",
        "instance": instance,
        "digest": f"digest of {instance}",
        "method": method,
        "seed": seed,
        "decomposition": "chain" if method.startswith(("song2020", "dfs")) else "tree",
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
        },
        "bounds": [
            {"metric": "clusters", "name": "rows", "value": 2, "scope": "decomposition d"},
            {"metric": "period", "name": "work", "value": 4, "scope": ANY_MAPPING},
        ],
        "claims": [],
        "critical_cycle": ["cluster 0 -> cluster 0 [self, 5 ticks, 1 token]"],
    }
    return row | more
