"""``python -m optmap.explain MAPPING``: why is it no faster, why does it not fit, what would help.

MAPPING is a file that ``map --out`` or ``compare`` wrote (results/RUN/mappings/KEY.json). With
``--needs`` it is a network instead, and the report says what it asks of a platform before mapping.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from rich.console import Console

from optmap.bounds.bound import Bound
from optmap.bounds.resident_memory import memory_shortage
from optmap.clustering.contract import cluster
from optmap.clustering.overlap import partition
from optmap.command_line import (
    CONSTRAINTS_HELP,
    DONE,
    FAILED,
    file_name,
    guarded,
    parser,
    reading_arguments,
    reading_of,
    seconds,
)
from optmap.compiled import interpreted
from optmap.decomposing.contract import decompose
from optmap.errors import InputError
from optmap.exact_questions import conflict_of
from optmap.experiment.run.in_process import judging, mapping_again
from optmap.experiment.run.mapping_file import read_document
from optmap.experiment.run.source import Source
from optmap.experiment.sizing import Sizing, sizing, sizings
from optmap.experiment.tables.best_known import Record, read_folder
from optmap.experiment.tables.gaps import best_for_every_mapping, gap
from optmap.experiment.tables.text import compact, percent
from optmap.experiment.verdict import one_tick_lines, speed_lines, verdict_sentence
from optmap.experiment.what_if import (
    Figures,
    WhatIf,
    figures,
    mapped_again,
    re_evaluated,
    with_bound_of,
    without_one_constraint,
)
from optmap.instance import Instance
from optmap.judge.case import Case
from optmap.judge.evaluation import Evaluation
from optmap.judge.explanation import explain, floors
from optmap.judge.needs import population_needs, shortage
from optmap.methods import METHODS, Method
from optmap.model.capacity import unit_fan_in
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.outcome import Limits
from optmap.model.platform import TOKEN_MODES, Platform
from optmap.model.snn import SNN
from optmap.output import Output, number_table, print_text
from optmap.readers.constraints import load_constraints
from optmap.shipped import best_known_folder, is_instance, platform_help, platform_of_network

if TYPE_CHECKING:  # loads a solver
    from optmap.exact_questions import Conflict

#: Steps of a critical cycle that are printed; some have hundreds.
CYCLE_STEPS = 12
LEGEND = (
    "'faster': this mapping's period by the changed one's; 'gap': of the period to what is proved"
    " for every mapping: for this one the bound that `map` shows, for a changed platform the best"
    " that needs no solver; '-' for energy: the platform charges none."
)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of ``explain``."""
    made = parser(
        "explain",
        "Say what limits a mapping and what would help by how much, every change judged again.",
        "python -m optmap.explain mapping.json\n"
        "  python -m optmap.explain bare.json --of net.nir --platform dynap_se\n"
        "  python -m optmap.explain --needs net.nir --platform dynap_se",
    )
    made.add_argument(
        "mapping", type=file_name, metavar="MAPPING", help="mapping file; with --needs a network"
    )
    made.add_argument(
        "--of",
        metavar="NETWORK",
        help="what a bare mapping maps: an instance, or a network with --platform",
    )
    made.add_argument("--needs", action="store_true", help="report needs before any mapping")
    made.add_argument(
        "--platform",
        metavar="P",
        help=f"with --needs or --of, in place of an instance's own: {platform_help()}",
    )
    made.add_argument(
        "--spikes", type=file_name, metavar="FILE", help="of a network: spikes per neuron"
    )
    made.add_argument("--tokens", choices=TOKEN_MODES, default="dataflow", help="of a network")
    made.add_argument("--constraints", type=file_name, metavar="FILE", help=CONSTRAINTS_HELP)
    made.add_argument(
        "--limit", type=seconds, default=5.0, metavar="S", help="seconds per new mapping tried (5)"
    )
    reading_arguments(made)
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)
    console = Output()
    limits = Limits(wall_s=args.limit)
    if args.needs:
        asking = _named(args.mapping, args)
        with judging(asking):
            return report_needs(asking, console, limits)
    data, instance, mapping = read_document(
        Path(args.mapping), None if args.of is None else _named(args.of, args)
    )
    if args.constraints is not None:
        instance = replace(instance, constraints=load_constraints(args.constraints))
    case = Case(instance.snn, instance.platform, instance.tokens, mapping, instance.constraints)
    say = _Printer(console)
    by = f" by {data['method']}" if data.get("method") else ""
    say(f"{instance.name}{by} on {instance.platform.name}")
    with judging(instance):
        say(f"verdict: {verdict_sentence(case)}")
        base = _say_case(instance, case, say)
    method = METHODS.get(str(data.get("method")))
    if method is not None:
        with mapping_again(instance, method):
            _say_changes(instance, method, limits, base, console)
    if base is not None:
        say(LEGEND)
    return FAILED if case.violations else DONE


def _say_case(instance: Instance, case: Case, say: _Printer) -> Figures | None:
    """Print why the mapping is no faster, or what it breaks; return what it costs."""
    if case.evaluation is None:
        for violation in case.violations:
            say(f"  {violation}")
        return None
    entry = read_folder(best_known_folder()).entries.get(instance.digest())
    known = None if entry is None else entry.records.get("period")
    base = figures(instance, instance.platform, case.evaluation)
    bound = _bound_as_mapped(case, known)
    base = base if bound is None else replace(base, bound=Fraction(bound.value))
    _say_why(case.evaluation, case, known, say, instance.windows)
    changes = [WhatIf("(this mapping)", base), *re_evaluated(instance, case.mapping)]
    _print_table("The same mapping, if there were", base, changes, say.console)
    return base


def _say_changes(
    instance: Instance, method: Method, limits: Limits, base: Figures | None, console: Console
) -> None:
    """Print what the mapping's own method reaches on other platforms, and without constraints."""
    as_it_is, *changed = mapped_again(instance, method, limits)
    changes = [WhatIf("(this mapping)", base), with_bound_of(as_it_is, base), *changed]
    _print_table(f"Mapped again by {method.name}, if there were", base, changes, console)
    if instance.constraints:
        kept, *freed = without_one_constraint(instance, method, limits)
        freed = [with_bound_of(kept, base), *freed]
        title = f"What each constraint costs: mapped again by {method.name}"
        _print_table(title, freed[0].after, freed, console)


def _bound_as_mapped(case: Case, known: Record | None) -> Bound | None:
    """Return the bound on the period that ``map`` shows: the best-known list's counts, too."""
    bounds = [bound for bound in case.bounds if bound.metric == "period"]
    if known is not None and known.bound is not None:
        bounds.append(known.bound)
    return best_for_every_mapping(bounds, case.place, None if known is None else known.value)


def _say_why(
    evaluation: Evaluation, case: Case, known: Record | None, say: _Printer, windows: int = 1
) -> None:
    """Print the speed, the sentences of the explanation, and the critical cycle."""
    period = None if evaluation.period is None else evaluation.period / windows
    for line in speed_lines(period, evaluation.latency, case.platform):
        say(line)
    for line in one_tick_lines(case.platform, isinstance(case.snn, ClusteredSNN)):
        say(line)
    for sentence in explain(evaluation, floors(case)).sentences:
        say(f"- {sentence}")
    if known is not None and known.value is not None and evaluation.period:
        far = gap(evaluation.period, known.value)
        say(
            f"- The best period known is {compact(known.value)} ({known.method}, {known.date}):"
            f" {percent(far)} below this one."
        )
    say("critical cycle:")
    for step in evaluation.critical_cycle[:CYCLE_STEPS]:
        say(f"    {step}")
    more = len(evaluation.critical_cycle) - CYCLE_STEPS
    if more > 0:
        say(f"    ... {more} more")


class _Printer:
    """Prints plain lines: no markup, no colour of numbers."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def __call__(self, text: str) -> None:
        lead = len(text) - len(text.lstrip(" -"))
        lines = fill(text, self.console.width, subsequent_indent=" " * (lead or 2))
        print_text(self.console, lines)


def _print_table(
    title: str, base: Figures | None, changes: Sequence[WhatIf], console: Console
) -> None:
    """Print one table; every change is compared with the same mapping, the base."""
    columns = ("change", "period", "faster", "gap", "latency", "clusters", "traffic", "nJ")
    first, *rest = changes
    rest.sort(key=lambda c: c.speedup(base) or 0, reverse=True)
    rows = [(change.change, *_cells(change, base)) for change in (first, *rest)]
    console.print(number_table(title, columns, rows, console.width))


def _cells(change: WhatIf, base: Figures | None) -> tuple[str, ...]:
    after = change.after
    if after is None:
        return ("-", "no fit", "-", "-", "-", "-", "-")
    speed = change.speedup(base)
    faster = "fits now" if base is None else "-"
    if speed is not None:
        faster = f"{float(speed):.2f}x"
    return (
        "-" if after.period is None else compact(after.period),
        faster,
        "-" if after.gap is None else percent(after.gap),
        "-" if after.latency is None else compact(after.latency),
        str(after.clusters),
        compact(Fraction(after.traffic)),
        compact(after.energy_pj / 1000) if after.energy_pj else "-",
    )


def _named(network: str, args: argparse.Namespace) -> Instance:
    """Return the instance that a network, with --platform where it is no instance, stands for."""
    reading = reading_of(args)
    if is_instance(network):
        if args.spikes or reading.to_dict():
            found = "an instance with options of reading"
            raise InputError(network, "", found, "at most --platform")
        outside = args.allow_outside
        return Source(file=network, platform=args.platform, allow_outside=outside).load()
    return Source(
        network=network,
        platform=platform_of_network(network, args.platform),
        tokens=args.tokens,
        spikes=args.spikes,
        reading=reading.to_text(),
    ).load()


def report_needs(instance: Instance, console: Console, limits: Limits) -> int:
    """Print what a network asks of a platform: the verdict, then the numbers behind it."""
    snn, platform = instance.snn, instance.platform
    say = _Printer(console)
    sizes = ", ".join(f"{rows} rows x {columns} neurons" for rows, columns in platform.kinds)
    say(
        f"{instance.name}: {snn.num_neurons:,} neurons, {snn.num_synapses:,} synapses, spikes"
        f" {snn.spikes_origin}"
    )
    for note in snn.notes:
        say(f"note: {note}")
    slots = platform.total_slots or "not limited"
    say(f"{platform.name}: {platform.num_tiles} tiles, crossbars of {sizes}, slots {slots}")
    conflict = None
    own = sizing(snn, platform, platform.max_rows, _widest(platform))
    if not own.fits:
        with interpreted(on=False):  # many clusterings of crossbars of many sizes
            conflict = conflict_of(snn, platform, "tree", limits, partial(cluster, partition))
    short = memory_shortage(decompose(snn, unit_fan_in(snn, platform), "tree").network, platform)
    verdict = f"does not fit: {short}" if short else _needs_verdict(own, platform, conflict)
    say(f"verdict: {verdict}")
    if conflict is not None:
        _say_conflict(conflict, snn, platform, say)
    _print_populations(snn, platform, console)
    say(
        f"'too wide': neurons with more than {platform.max_rows} sources; 'units': what the tree"
        " decomposition makes of the population; 'crossbars >=': needed for it alone, at least."
    )
    _print_sizing(snn, platform, console)
    say("'programs': proved necessary for the tree's units, and found; 'cells': in use of those.")
    return FAILED if conflict is not None or short else DONE


def _widest(platform: Platform) -> int:
    return max(tile.crossbar.columns for tile in platform.tiles)


def _needs_verdict(own: Sizing, platform: Platform, conflict: Conflict | None) -> str:
    if conflict is not None:
        return f"does not fit {platform.total_slots} programs; what would be enough stands below"
    limit = "no limit on programs given"
    if platform.total_slots is not None:
        limit = f"room for {platform.total_slots}"
    if not own.fits:  # the solver found what the heuristic had not
        return f"fits: at most {platform.total_slots} programs are needed, {limit}"
    return (
        f"fits: {own.found} program{'s' * (own.found != 1)} on {platform.num_tiles}"
        f" crossbar{'s' * (platform.num_tiles != 1)}, {own.per_tile} each if spread evenly, {limit}"
    )


def _print_populations(snn: SNN, platform: Platform, console: Console) -> None:
    titles = ("neurons", "inputs", "fan-in", "sources", "too wide", "units", "crossbars >=")
    rows = []
    for p in population_needs(snn, platform):
        numbers = (p.neurons, p.inputs, p.max_fan_in, p.sources, p.too_wide, p.units)
        rows.append((p.name, *(f"{n:,}" for n in numbers), f"{p.least_crossbars:,}"))
    console.print(number_table(None, ("population", *titles), rows, console.width))


def _print_sizing(snn: SNN, platform: Platform, console: Console) -> None:
    titles = ("crossbar", "units", "programs >=", "found", "per tile", "cells", "fits")
    rows = []
    for s in sizings(snn, platform):
        own = (s.rows, s.columns) == (platform.max_rows, _widest(platform))
        numbers = (s.units, s.least, s.found, s.per_tile)
        size = f"{s.rows} x {s.columns}{' (now)' if own else ''}"
        fits = "yes" if s.fits else "no"
        rows.append((size, *(f"{n:,}" for n in numbers), percent(s.used), fits))
    title = "With crossbars of another size"
    console.print(number_table(title, titles, rows, console.width))


def _say_conflict(conflict: Conflict, snn: SNN, platform: Platform, say: _Printer) -> None:
    for sentence in shortage(snn, platform) or [
        f"at least {conflict.needed} clusters are needed, none with as few as {conflict.slots}"
        " was found"
    ]:
        say(f"  {sentence}")
    for name, clusters in conflict.by_population[:5]:
        say(f"  population {name} alone takes part in at least {clusters} clusters")
    say("What would be enough, one change at a time:")
    for relaxation in conflict.relaxations:
        say(f"  {relaxation}")


if __name__ == "__main__":
    sys.exit(guarded(main))
