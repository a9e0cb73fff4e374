"""``python -m optmap.explain MAPPING``: why is it no faster, why does it not fit, what would help.

MAPPING is a file that ``map --out`` or ``compare`` wrote (results/RUN/mappings/KEY.json). With
``--needs`` it is a network instead, and the report says what it asks of a platform before mapping.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from optmap.clustering.overlap import partition
from optmap.command_line import DONE, FAILED, Output, guarded, parser
from optmap.errors import InputError
from optmap.experiment.run.mapping_file import read_document
from optmap.experiment.tables.markdown import compact
from optmap.experiment.what_if import WhatIf, mapped_again, re_evaluated
from optmap.instance import Instance, assemble, load
from optmap.judge.evaluation import judge
from optmap.judge.explanation import explain
from optmap.judge.needs import population_needs, shortage
from optmap.methods import METHODS
from optmap.model.outcome import Limits
from optmap.shipped import is_instance, platform_help, platform_names


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of ``explain``."""
    made = parser(
        "explain",
        "Say what limits a mapping and what would help by how much, every change judged again.",
        "python -m optmap.explain mapping.json\n"
        "  python -m optmap.explain --needs net.nir --platform P.toml",
    )
    made.add_argument("mapping", metavar="MAPPING", help="mapping file; with --needs a network")
    made.add_argument("--needs", action="store_true", help="report needs before any mapping")
    made.add_argument("--platform", metavar="P", help=f"with --needs: {platform_help()}")
    made.add_argument(
        "--limit", type=float, default=5.0, metavar="S", help="seconds per new mapping tried (5)"
    )
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)
    console = Output()
    if args.needs:
        return _report_needs(_needed(args), console, Limits(wall_s=args.limit))
    data, instance, mapping = read_document(Path(args.mapping))
    verdict = judge(instance.snn, instance.platform, mapping, instance.tokens)
    say = _Printer(console)
    say(f"{instance.name} by {data.get('method')} on {instance.platform.name}")
    if verdict.evaluation is None:
        say("The mapping cannot be executed:")
        for violation in verdict.violations:
            say(f"  {violation}")
    else:
        for sentence in explain(verdict.evaluation).sentences:
            say(f"- {sentence}")
        say("critical cycle:")
        for step in verdict.evaluation.critical_cycle[:12]:
            say(f"    {step}")
        more = len(verdict.evaluation.critical_cycle) - 12
        if more > 0:
            say(f"    ... {more} more")
        console.print(_table("The same mapping, if there were", re_evaluated(instance, mapping)))
    method = METHODS.get(str(data.get("method")))
    if method is not None:
        changes = mapped_again(instance, method, Limits(wall_s=args.limit))
        console.print(_table(f"Mapped again by {method.name}, if there were", changes))
    return FAILED if verdict.violations else DONE


class _Printer:
    """Prints plain lines: no markup, no colour of numbers."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def __call__(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False)


def _table(title: str, changes: Sequence[WhatIf]) -> Table:
    table = Table(title=title, box=None, pad_edge=False, title_justify="left", title_style="bold")
    table.add_column("change")
    for name in ("period", "then", "times as fast", "clusters", "then"):
        table.add_column(name, justify="right")
    best = sorted(changes, key=lambda c: c.speedup or 0, reverse=True)
    for change in best:
        periods = (
            "-" if p is None else compact(p) for p in (change.period_before, change.period_after)
        )
        counts = (
            "-" if c is None else str(c) for c in (change.clusters_before, change.clusters_after)
        )
        speed = "fits now" if change.fits_now else "-"
        if change.speedup is not None:
            speed = f"{float(change.speedup):.2f}"
        table.add_row(change.change, *periods, speed, *counts)
    return table


def _needed(args: argparse.Namespace) -> Instance:
    if is_instance(args.mapping):
        return load(args.mapping)
    if not args.platform:
        raise InputError("--platform", "", "nothing", "a platform file or " + platform_names())
    return assemble(args.mapping, args.platform)


def _report_needs(instance: Instance, console: Console, limits: Limits) -> int:
    snn, platform = instance.snn, instance.platform
    say = _Printer(console)
    sizes = ", ".join(f"{rows} rows x {columns} neurons" for rows, columns in platform.kinds)
    say(
        f"{instance.name}: {snn.num_neurons:,} neurons, {snn.num_synapses:,} synapses, spikes"
        f" {snn.spikes_origin}"
    )
    slots = platform.total_slots or "not limited"
    say(f"{platform.name}: {platform.num_tiles} tiles, crossbars of {sizes}, slots {slots}")
    table = Table(box=None, pad_edge=False)
    table.add_column("population")
    for name in ("neurons", "inputs", "fan-in", "sources", "too wide", "units", "crossbars >="):
        table.add_column(name, justify="right")
    for p in population_needs(snn, platform):
        numbers = (p.neurons, p.inputs, p.max_fan_in, p.sources, p.too_wide, p.units)
        table.add_row(p.name, *(f"{n:,}" for n in numbers), f"{p.least_crossbars:,}")
    console.print(table)
    say(
        f"'too wide': neurons with more than {platform.max_rows} sources; 'units': what the tree"
        " decomposition makes of the population; 'crossbars >=': needed for it alone, at least."
    )
    if platform.total_slots is None:
        return DONE
    from formulations.clustering.explain import explain as conflict_of  # loads a solver

    conflict = conflict_of(snn, platform, "tree", limits, partition)
    if conflict is None:
        say("It fits: a clustering within the slots was found.")
        return DONE
    for sentence in shortage(snn, platform) or [
        f"at least {conflict.needed} clusters are needed, none with as few as {conflict.slots}"
        " was found"
    ]:
        say(f"It does not fit: {sentence}.")
    for name, clusters in conflict.by_population[:5]:
        say(f"  population {name} alone takes part in at least {clusters} clusters")
    say("What would be enough, one change at a time:")
    for relaxation in conflict.relaxations:
        say(f"  {relaxation}")
    return FAILED


if __name__ == "__main__":
    sys.exit(guarded(main))
