"""``python -m optmap.admit SCENARIO.toml``: applications come and go on one platform."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from rich.console import Console
from rich.table import Table

from optmap.command_line import DONE, FAILED, guarded, parser
from optmap.errors import InputError
from optmap.model.platform import Platform
from optmap.output import Output
from optmap.readers.options import OUTSIDE_HELP
from optmap.readers.platforms import platform_of_file
from optmap.runtime.application import Application
from optmap.runtime.design_time import Comparison, designed
from optmap.runtime.policies import POLICIES
from optmap.runtime.scenario import (
    CLUSTERINGS,
    Event,
    Record,
    Scenario,
    load_scenario,
    play,
    prepare,
    random_events,
)
from optmap.shipped import platform_file


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of ``admit``."""
    made = parser(
        "admit",
        "Admit applications at run time; every guarantee is checked again after each event.",
        "python -m optmap.admit instances/scenarios/digits.toml\n"
        "  python -m optmap.admit --random 40 --platform dynap_se"
        " gen:mlp-64-64-10",
    )
    made.add_argument(
        "inputs",
        nargs="+",
        metavar="SCENARIO.toml | NETWORK",
        help="one scenario file; with --random: the networks that arrive",
    )
    made.add_argument("--random", type=int, metavar="N", help="N random events instead of a file")
    made.add_argument("--platform", metavar="P", help="platform file or shipped name")
    made.add_argument("--clustering", choices=tuple(CLUSTERINGS), default="overlap")
    made.add_argument("--allow-outside", action="store_true", help=OUTSIDE_HELP)
    made.add_argument("--seed", type=int, default=0, metavar="N", help="seed (0)")
    made.add_argument("--policy", choices=POLICIES, help="instead of the file's; else exclusive")
    made.add_argument("--wheel-ticks", type=int, metavar="N", help="wheel, with --policy wheel")
    made.add_argument(
        "--compare", action="store_true", help="map every admitted application at leisure, too"
    )
    made.add_argument("--json", action="store_true", help="one JSON object on one line of stdout")
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)
    scenario = _scenario(args)
    records, broken = play(scenario)
    compared = comparisons(scenario, records, args.seed) if args.compare else []
    if args.json:
        print(json.dumps(document(scenario, records, broken, compared)))  # noqa: T201
    else:
        console = Output()
        report(scenario, records, broken, compared, console)
    return FAILED if broken else DONE


def _scenario(args: argparse.Namespace) -> Scenario:
    """Return the scenario that the arguments stand for."""
    parts: tuple[Platform, Mapping[str, Application], tuple[Event, ...]]
    if args.random is None:
        if len(args.inputs) != 1 or args.platform:
            raise InputError("admit", "", " ".join(args.inputs), "one scenario file, or --random N")
        scenario = load_scenario(args.inputs[0], allow_outside=args.allow_outside)
        if args.policy is None and args.wheel_ticks is None:
            return scenario
        policy = args.policy or scenario.policy
        wheel = args.wheel_ticks
        if wheel is None and policy == "wheel":
            wheel = scenario.wheel_ticks
        parts = scenario.platform, scenario.applications, scenario.events
    else:
        if not args.platform:
            raise InputError("--platform", "", "nothing", "a platform file")
        if args.random < 1:
            raise InputError("--random", "", str(args.random), "a number of events >= 1")
        if args.seed < 0:
            raise InputError("--seed", "", str(args.seed), "a whole number >= 0")
        platform = platform_of_file(platform_file(args.platform))
        names = dict.fromkeys(args.inputs)
        prepared = {n: prepare(n, n, platform, args.clustering) for n in names}
        events = random_events(list(prepared.values()), platform, args.random, args.seed)
        policy, wheel = args.policy or "exclusive", args.wheel_ticks
        parts = platform, prepared, events
    if (policy == "wheel") != (wheel is not None) or (wheel is not None and wheel < 1):
        found = "nothing" if wheel is None else str(wheel)
        raise InputError("--wheel-ticks", "", found, "ticks >= 1 with policy wheel, and only then")
    return Scenario(parts[0], policy, wheel, parts[1], parts[2])


def comparisons(scenario: Scenario, records: Sequence[Record], seed: int) -> list[Comparison]:
    """Map every admitted application by the design-time flow onto the tiles it was given.

    The two periods compare like with like under the policy ``exclusive`` only: the design-time flow
    has the tiles to itself.
    """
    found = []
    for record in records:
        for decision in record.decisions:
            if decision.period is None or not record.event.application:
                continue
            application = scenario.applications[record.event.application]
            other = designed(application, scenario.platform, decision.tiles, seed)
            if other is not None:
                tiles = len(decision.tiles)
                found.append(
                    Comparison(
                        decision.name, tiles, decision.period, decision.seconds, other[0], other[1]
                    )
                )
    return found


def document(
    scenario: Scenario,
    records: Sequence[Record],
    broken: Sequence[str],
    compared: Sequence[Comparison],
) -> dict[str, Any]:
    """Return everything as one JSON-ready object; fractions as strings."""
    return {
        "policy": scenario.policy,
        "tiles": scenario.platform.num_tiles,
        "summary": summary(records),
        "check": "ok" if not broken else list(broken),
        "events": [
            {
                "time": record.event.time,
                "kind": record.event.kind,
                "name": record.event.name,
                "tile": record.event.tile,
                "note": record.note,
                "running": record.running,
                "utilisation": str(record.utilisation),
                "decisions": [
                    {
                        "name": d.name,
                        "admitted": d.admitted,
                        "reason": d.reason,
                        "period": None if d.period is None else str(d.period),
                        "tiles": list(d.tiles),
                        "seconds": d.seconds,
                    }
                    for d in record.decisions
                ],
            }
            for record in records
        ],
        "compared": [
            {
                "name": c.name,
                "tiles": c.tiles,
                "admitted_period": str(c.admitted_period),
                "designed_period": str(c.designed_period),
                "throughput_lost": float(c.lost),
                "admitted_seconds": c.admitted_seconds,
                "designed_seconds": c.designed_seconds,
            }
            for c in compared
        ],
    }


def summary(records: Sequence[Record]) -> dict[str, Any]:
    """Return the numbers at the end: admitted, rejected by reason, latency, utilisation in time."""
    decisions = [d for record in records for d in record.decisions]
    reasons: dict[str, int] = {}
    for d in decisions:
        if not d.admitted:
            word = d.reason.split(":")[0]
            reasons[word] = reasons.get(word, 0) + 1
    latency = sorted(1000 * d.seconds for d in decisions)
    return {
        "admitted": sum(d.admitted for d in decisions),
        "rejected": sum(not d.admitted for d in decisions),
        "reasons": reasons,
        "latency_ms_median": statistics.median(latency) if latency else None,
        "latency_ms_max": latency[-1] if latency else None,
        "utilisation_mean": _over_time(records),
    }


def _over_time(records: Sequence[Record]) -> float | None:
    """Return the mean utilisation between the first and the last event; None if no time passes."""
    area, span = Fraction(0), 0
    for record, following in pairwise(records):
        ticks = following.event.time - record.event.time
        area, span = area + ticks * record.utilisation, span + ticks
    return float(area / span) if span else None


def report(
    scenario: Scenario,
    records: Sequence[Record],
    broken: Sequence[str],
    compared: Sequence[Comparison],
    console: Console,
) -> None:
    """Print a table of events, the summary, and what was compared."""
    table = Table(title=f"{scenario.platform.name}, policy {scenario.policy}")
    for heading in ("time", "event", "result", "period", "tiles", "ms", "running", "use"):
        right = heading in ("time", "period", "tiles", "ms", "running", "use")
        table.add_column(heading, justify="right" if right else "left")
    for record in records:
        use = f"{float(100 * record.utilisation):.0f} %"
        rows: list[tuple[str, str, str, str, str]] = [
            (
                f"{record.event.kind} {d.name}",
                "admitted" if d.admitted else f"rejected, {d.reason}",
                "" if d.period is None else f"{float(d.period):.1f}",
                str(len(d.tiles)) if d.admitted else "",
                f"{1000 * d.seconds:.1f}",
            )
            for d in record.decisions
        ]
        if record.note:
            rows.insert(0, (record.event.kind, record.note, "", "", ""))
        for row in rows:
            table.add_row(str(record.event.time), *row, str(record.running), use)
    console.print(table)
    numbers = summary(records)
    reasons = ", ".join(f"{word} {n}" for word, n in numbers["reasons"].items())
    console.print(
        f"{numbers['admitted']} admitted, {numbers['rejected']} rejected"
        + (f" ({reasons})" if reasons else "")
    )
    if numbers["latency_ms_median"] is not None:
        console.print(
            f"admission: median {numbers['latency_ms_median']:.2f} ms,"
            f" longest {numbers['latency_ms_max']:.2f} ms"
        )
    if numbers["utilisation_mean"] is not None:
        console.print(f"tiles at work: {100 * numbers['utilisation_mean']:.1f} % over time")
    if compared:
        lost = statistics.fmean(float(c.lost) for c in compared)
        ratio = statistics.median(c.designed_seconds / c.admitted_seconds for c in compared)
        console.print(
            f"against the design-time flow on the same tiles, {len(compared)} applications:"
            f" throughput lost {100 * lost:.1f} % on average, decided {ratio:.0f} times faster"
        )
    for text in broken:
        console.print(f"broken promise: {text}", style="bold red")
    console.print(
        "every guarantee checked after every event: " + ("ok" if not broken else "BROKEN")
    )


if __name__ == "__main__":
    sys.exit(guarded(main))
