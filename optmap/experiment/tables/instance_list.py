"""The table of the shipped instances: ``python -m optmap.experiment.tables.instance_list``.

Everything in it is counted from the network itself; the README's table is this command's output.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from optmap.command_line import DONE, guarded, parser
from optmap.instance import Instance, instance_files, load

HEADERS = ("instance", "neurons", "inputs", "synapses", "largest fan-in", "spikes", "origin")


def instance_rows(paths: Sequence[str | Path], *, everything: bool = False) -> list[list[str]]:
    """Return one row of :data:`HEADERS` per instance, the default set first.

    Parameters
    ----------
    paths : sequence
        Instance files or folders of them.
    everything : bool
        Also the instances outside the default set (marked with a star); some are large.

    Raises
    ------
    InputError
        If an instance cannot be read.
    """
    instances = [load(file) for file in instance_files(list(paths))]
    chosen = [i for i in instances if i.in_default_set]
    if everything:
        chosen += [i for i in instances if not i.in_default_set]
    return [_row(instance) for instance in chosen]


def _row(instance: Instance) -> list[str]:
    snn = instance.snn
    spikes = f"{int(snn.spikes.sum()):,}"
    if snn.spikes_origin == "assumed":
        spikes += " (assumed)"
    return [
        f"`{instance.name}`" + ("" if instance.in_default_set else " *"),
        f"{snn.num_neurons:,}",
        f"{snn.num_neurons - snn.num_units:,}",
        f"{snn.num_synapses:,}",
        f"{snn.max_fan_in:,}",
        spikes,
        instance.origin.get("text", "-").replace("|", "/"),
    ]


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return the rows as a Markdown table."""
    rule = ["---", *["---:"] * 5, "---"]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (HEADERS, rule, *rows))


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    made = parser(
        "experiment.instance_list",
        "Print the table of instances in Markdown.",
        "python -m optmap.experiment.tables.instance_list instances/ --all",
    )
    made.add_argument("paths", nargs="+", help="instance files (.toml) or folders of them")
    made.add_argument("--all", action="store_true", help="also those outside the default set (*)")
    args = made.parse_args(arguments)
    print(markdown(instance_rows(args.paths, everything=args.all)))  # noqa: T201
    return DONE


if __name__ == "__main__":
    sys.exit(guarded(main))
