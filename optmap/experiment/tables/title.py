"""The line above what is said of an instance."""

from __future__ import annotations

from optmap.experiment.row import Row


def instance_title(row: Row) -> str:
    """Return the line above an instance's table."""
    network = row.network
    if not network:
        return row.instance
    return (
        f"{row.instance}: {network['neurons']:,} neurons, {network['synapses']:,} synapses,"
        f" fan-in to {network['max_fan_in']:,}; {network['tiles']} tiles of {network['crossbars']};"
        f" spikes {short_origin(str(network['spikes_origin']))}"
    )


def short_origin(origin: str) -> str:
    """Return "assumed" or "given": the long text stands in runs.csv."""
    return "assumed" if origin == "assumed" else "given"
