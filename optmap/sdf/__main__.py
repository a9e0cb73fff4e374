"""``python -m optmap.sdf FILE.xml``: throughput, latency, buffers and critical cycle of a graph.

Standard output carries the answer, standard error everything else. Exit status: 0 the answer is
there (deadlock and inconsistency are answers), 1 something that was asked for could not be
determined, 2 bad input.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from optmap import command_line
from optmap.compiled import interpreted
from optmap.errors import InputError
from optmap.sdf.algorithms import ALGORITHMS, by_algorithm
from optmap.sdf.buffer_answer import buffer_answer, buffer_lines
from optmap.sdf.graph import SDFG, with_auto_concurrency
from optmap.sdf.latency import latency
from optmap.sdf.parts import is_strongly_connected, parts_on_cycles
from optmap.sdf.repetition import InconsistentError, repetition_vector
from optmap.sdf.throughput import (
    DEADLOCK,
    INCONSISTENT,
    LIVE,
    UNBOUNDED,
    Throughput,
    throughput,
)
from optmap.sdf.xml import read_sdf3, sdf3_text
from optmap.sdf.xml_reader import EXPANDED

EXAMPLE = """\
python -m optmap.sdf instances/lenet_mnist_7.xml --critical-cycle --buffers
  python -m optmap.sdf instances/lenet_mnist_7.xml --latency actor_0 actor_7 --json

Firings of one actor overlap unless a self-loop limits them, as in SDF3; --auto-concurrency 1 gives
every actor a self-loop with one token. Exit status: 0 the answer is there (a deadlock is an
answer), 1 something asked for could not be determined, 2 bad input."""


#: Firings of an iteration and channels of a graph that is small: a quarter of a second of Python.
SMALL = 5000
#: Steps of a cycle that the table shows; a walk through an unfolded graph may have thousands.
SHOWN_STEPS = 16


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    made = command_line.parser(
        "sdf", "Exact throughput, latency, buffers and critical cycle of an SDF3 graph.", EXAMPLE
    )
    made.add_argument(
        "file",
        type=command_line.file_name,
        metavar="FILE.xml",
        help="application graph in SDF3's XML",
    )
    made.add_argument(
        "--throughput", action="store_true", help="throughput and rates (always shown)"
    )
    made.add_argument(
        "--latency",
        nargs=2,
        metavar=("SRC", "DST"),
        help="latency from the start of actor SRC to the end of the matching firing of DST",
    )
    made.add_argument(
        "--buffers", action="store_true", help="Pareto points of total capacity and throughput"
    )
    made.add_argument(
        "--at-least",
        metavar="FRACTION",
        help="with --buffers: stop at this throughput (iterations per time unit), e.g. 1/960",
    )
    made.add_argument(
        "--limit",
        type=command_line.seconds,
        default=60.0,
        metavar="S",
        help="with --buffers: seconds, then what was found (60)",
    )
    made.add_argument(
        "--critical-cycle", action="store_true", help="the cycle that limits the throughput"
    )
    made.add_argument("--export", metavar="OUT", help="write the graph as SDF3 XML")
    made.add_argument(
        "--auto-concurrency",
        type=int,
        metavar="N",
        help="at most N overlapping firings of each actor (default: no limit beyond self-loops)",
    )
    made.add_argument(
        "--check",
        action="store_true",
        help="compute the throughput by every other algorithm as well; exit 1 if they differ",
    )
    made.add_argument("--json", action="store_true", help="one JSON object on one line")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = parser().parse_args(arguments)
    try:
        graph, notes = read_sdf3(options.file, overlap=options.auto_concurrency != 1)
        if options.auto_concurrency is not None:
            if options.auto_concurrency < 1:
                raise InputError(
                    "--auto-concurrency", "", str(options.auto_concurrency), "1 or more"
                )
            if options.auto_concurrency > 1 and any(n.startswith(EXPANDED) for n in notes):
                found = f"{options.auto_concurrency} on a cyclo-static graph"
                raise InputError("--auto-concurrency", "", found, "1, or no limit")
            graph = with_auto_concurrency(graph, options.auto_concurrency)
        target = _fraction(options.at_least)
        if target is not None and not options.buffers:
            raise InputError("--at-least", "", "no --buffers", "--buffers with it")
        pair = None
        if options.latency is not None:
            pair = _actor(graph, options.latency[0]), _actor(graph, options.latency[1])
        if options.export is not None:
            _write(options.export, graph)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  a command line
        return command_line.BAD_INPUT
    for note in notes:
        print(f"note: {options.file}: {note}", file=sys.stderr)  # noqa: T201
    limit_s = options.limit if options.buffers else None
    try:
        with interpreted() if limit_s is None and _is_small(graph) else nullcontext():
            answer, failures = analyse(
                graph, latency_of=pair, buffers=limit_s, at_least=target, check=options.check
            )
    except OverflowError as error:  # more copies or larger numbers than any algorithm here can take
        print(f"{options.file}: too large: {error}", file=sys.stderr)  # noqa: T201
        return command_line.FAILED
    for failure in failures:
        print(f"{options.file}: {failure}", file=sys.stderr)  # noqa: T201
    answer = {"file": options.file, **answer, "notes": notes, "failures": failures}
    if options.json:
        print(json.dumps(answer))  # noqa: T201
    else:
        print("\n".join(table(answer, critical_cycle=options.critical_cycle)))  # noqa: T201
    return command_line.FAILED if failures else command_line.DONE


def _is_small(graph: SDFG) -> bool:
    """Tell whether one analysis in plain Python is done before numba is loaded."""
    if graph.num_channels > SMALL:
        return False
    with interpreted(), suppress(InconsistentError):
        return sum(repetition_vector(graph)) + graph.num_channels <= SMALL
    return True


def _fraction(text: str | None) -> Fraction | None:
    if text is None:
        return None
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if value <= 0:
        raise InputError("--at-least", "", repr(text), "a positive fraction, such as 1/960")
    return value


def _actor(graph: SDFG, name: str) -> int:
    try:
        return graph.actor(name)
    except ValueError:
        some = ", ".join(graph.actor_names[:8]) + (", ..." if graph.num_actors > 8 else "")
        raise InputError("--latency", "", repr(name), f"an actor of the graph ({some})") from None


def _write(path: str, graph: SDFG) -> None:
    try:
        Path(path).write_text(sdf3_text(graph), encoding="utf-8")
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(path, "", found, "a file that can be written") from None


def analyse(
    graph: SDFG,
    *,
    latency_of: tuple[int, int] | None = None,
    buffers: float | None = None,
    at_least: Fraction | None = None,
    check: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Return the answer as plain data, fractions as strings, and what could not be determined.

    Parameters
    ----------
    latency_of : (source actor, target actor), optional
        Add the latency from the one to the other.
    buffers : float, optional
        Add the Pareto points that this many seconds find, up to ``at_least`` iterations per time
        unit where given.
    check : bool
        Compute the throughput by every algorithm.
    """
    result = throughput(graph)
    failures: list[str] = []
    answer: dict[str, Any] = {
        "graph": graph.name,
        "actors": graph.num_actors,
        "channels": graph.num_channels,
        "status": result.status,
        **_speed(result),
        "strongly_connected": is_strongly_connected(graph),
    }
    if result.status == INCONSISTENT:
        answer["reason"] = result.message
    else:
        answer["firings_per_iteration"] = sum(result.repetitions)
        answer["repetitions"] = dict(zip(graph.actor_names, result.repetitions, strict=True))
        answer["rates"] = {
            name: _text(result, result.rate(a)) for a, name in enumerate(graph.actor_names)
        }
        answer["critical_cycle"] = _cycle(graph, result.cycle)
        if not answer["strongly_connected"]:
            answer["components"] = _components(graph, result)
    if check:
        answer["algorithms"] = _check(graph, result, failures)
    if latency_of is not None:
        answer["latency"] = _latency(graph, *latency_of, failures)
    if buffers is not None:
        answer |= buffer_answer(graph, at_least, buffers, failures)
    return answer, failures


def _text(result: Throughput, value: Fraction | None) -> str | None:
    """Return a throughput as text: "inf" where it is unbounded, None where there is none."""
    if value is None:
        return "inf" if result.status == UNBOUNDED else None
    return str(value)


def _speed(result: Throughput) -> dict[str, str | None]:
    period = None if result.period is None else str(result.period)
    return {
        "throughput": _text(result, result.throughput),
        "period": "inf" if result.status == DEADLOCK else period,
    }


def _cycle(graph: SDFG, cycle: Sequence[int]) -> dict[str, list[str]]:
    return {
        "actors": [graph.actor_names[graph.source[c]] for c in cycle],
        "channels": [graph.channel_names[c] for c in cycle],
    }


def _components(graph: SDFG, result: Throughput) -> list[dict[str, Any]]:
    """Return each component with the throughput it would have alone, in the graph's iterations."""
    parts, loose = parts_on_cycles(graph)
    rows: list[dict[str, Any]] = []
    for part in parts:
        alone = throughput(part.graph)
        scale = result.repetitions[part.actors[0]] // repetition_vector(part.graph)[0]
        speed = None if alone.throughput is None else alone.throughput / scale
        rows.append(
            {
                "actors": list(part.graph.actor_names),
                "status": alone.status,
                "throughput": _text(alone, speed),
            }
        )
    for a in loose:
        rows.append({"actors": [graph.actor_names[a]], "status": UNBOUNDED, "throughput": "inf"})
    return rows


def _check(graph: SDFG, result: Throughput, failures: list[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for algorithm in ALGORITHMS:
        try:
            other = by_algorithm(graph, algorithm)
        except (ValueError, OverflowError) as error:
            found[algorithm] = None
            if result.status != INCONSISTENT:
                print(f"note: algorithm {algorithm} not taken: {error}", file=sys.stderr)  # noqa: T201
            continue
        found[algorithm] = _speed(other)["throughput"]
        if (other.status, other.period) != (result.status, result.period):
            failures.append(
                f"algorithm {algorithm} finds {other.status}, throughput {found[algorithm]};"
                f" expected {result.status}, {_speed(result)['throughput']}"
            )
    return found


def _latency(graph: SDFG, source: int, target: int, failures: list[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "source": graph.actor_names[source],
        "target": graph.actor_names[target],
        "self_timed": None,
        "minimal": None,
        "single_processor": None,
        "offset": None,
    }
    try:
        found = latency(graph, source, target)
    except (ValueError, OverflowError) as error:
        failures.append(str(error))
        return answer
    for name in ("self_timed", "minimal", "single_processor"):
        answer[name] = str(getattr(found, name))
    answer["offset"] = found.offset
    return answer


def _latency_line(row: dict[str, Any]) -> str:
    ends = f"latency       {row['source']} to {row['target']}:"
    if row["self_timed"] is None:
        return f"{ends} none"
    return (
        f"{ends} self-timed {row['self_timed']}, minimal {row['minimal']},"
        f" on one processor {row['single_processor']} (firing {row['offset']})"
    )


def table(answer: dict[str, Any], *, critical_cycle: bool = False) -> list[str]:
    """Return the answer as lines for a terminal."""
    size = f"{answer['actors']} actors, {answer['channels']} channels"
    lines = [
        f"graph         {answer['graph']}: {size}",
        f"status        {answer['status']}",
    ]
    if answer["status"] == INCONSISTENT:
        return [*lines, f"reason        {answer['reason']}"]
    lines += [
        f"throughput    {answer['throughput']} iterations per time unit",
        f"period        {answer['period']} time units",
        f"iteration     {answer['firings_per_iteration']} firings",
    ]
    cycle = answer["critical_cycle"]
    if cycle["actors"] and (critical_cycle or answer["status"] == DEADLOCK):
        title = "critical" if answer["status"] == LIVE else "blocking"
        title = "free" if answer["status"] == UNBOUNDED else title
        steps = [f"{a} -[{c}]->" for a, c in zip(cycle["actors"], cycle["channels"], strict=True)]
        end = cycle["actors"][0]
        if len(steps) > SHOWN_STEPS:
            end = f"... ({len(steps)} steps in all, --json has them)"
        lines.append(f"{title + ' cycle':<13} {' '.join([*steps[:SHOWN_STEPS], end])}")
    unbounded = [
        ", ".join(row["actors"])
        for row in answer.get("components", [])
        if row["status"] == UNBOUNDED
    ]
    if unbounded:
        lines.append(f"unbounded     {'; '.join(unbounded)} (on their own)")
    for algorithm, found in answer.get("algorithms", {}).items():
        lines.append(f"by {algorithm:<10} {found or 'not taken'}")
    if "latency" in answer:
        lines.append(_latency_line(answer["latency"]))
    lines += ["", f"{'actor':<24} {'firings':>12}  rate"]
    for name, count in answer["repetitions"].items():
        lines.append(f"{name:<24} {count:>12}  {answer['rates'][name]}")
    lines += buffer_lines(answer)
    return lines


if __name__ == "__main__":
    sys.exit(command_line.guarded(main))
