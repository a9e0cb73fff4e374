"""Measure docs/performance.md: ``make bench``, or this file alone; ``--write`` keeps the page.

``--quick`` leaves out the frontier, which takes a quarter of an hour, and keeps what the page says
of it; so does the table of the largest networks where ``--largest`` does not ask for it (4 GB).
Whole processes from start to end, then whole rows from 10^4 to 10^7 synapses, each in one of its
own. Times are processor seconds, of all processes together: machines are shared. Kernels are
compiled before anything is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from frontier import frontier_lines

from optmap.experiment.run.environment import environment
from optmap.experiment.run.process import THREAD_POOLS
from optmap.generators.generate import generate
from optmap.model.snn import SNN
from optmap.sdf.graph import sdfg
from optmap.sdf.xml import sdf3_text

HOUSE = Path(__file__).parents[2]
PAGE = HOUSE / "docs/performance.md"
SIZES = tuple(f"gen:scale-conv-{10**n}" for n in (4, 5, 6, 7))
METHODS = ("overlap", "overlap-spikes")
#: The clustering that the authors' program does as well: it takes 0.233 s for LeNet-5.
LENET = ("gen:lenet5-28", "--platform", "dynap_se", "--method", "overlap")
#: What is mapped where no kernel is compiled yet.
FIRST = (
    ("10^5 synapses", ("gen:scale-conv-100000", "--platform", "dynap_se")),
    ("412,960 synapses", LENET),
)
#: Whole processes: what is run, and the seconds it should take.
PROCESSES = (
    ("a small graph", ("optmap.sdf", "instances/lenet_mnist_7.xml"), 0.2),
    ("SDF3 file, 10,000 actors, 37,000 channels", ("optmap.sdf", "BIG"), None),
    ("a small network", ("optmap.map", "mlp_tiny"), 1.0),
    ("a small network with the bound by sets", ("optmap.map", "filter_8"), 1.0),
    ("79,400 synapses", ("optmap.map", "mlp_784_100_10"), None),
    ("412,960 synapses", ("optmap.map", *LENET), 0.7),
)
#: Networks whose maps are measured from start to end where that is asked for.
LARGEST = (("10^7", SIZES[-1]), ("10^8", "gen:scale-conv-100000000"))
ROW = """
import cProfile, io, json, pstats, resource, sys, time
from optmap.experiment.run import solve
from optmap.experiment.run.job import Job
from optmap.experiment.run.source import Source
from optmap.experiment.run.warm_up import warm_up_for
from optmap.methods import method_named
from optmap.model.outcome import Limits
name, network = sys.argv[1:3]
source = Source(network=network, platform="dynap_se")
warm_up_for(method_named(name), source.load())
began, out, profile = time.process_time(), io.StringIO(), cProfile.Profile()
instance = source.load()
synapses = instance.snn.num_synapses
job = Job(instance.name, instance.digest(), source, name, Limits(600.0))
if len(sys.argv) > 3:
    profile.enable()
solve.solve(job, out)
profile.disable()
row = json.loads(out.getvalue().splitlines()[-1])
found = {"synapses": synapses, "seconds": time.process_time() - began, "check": row["check"],
         "clusters": row["metrics"]["clusters"], "stages": row["stage_seconds"],
         "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
if len(sys.argv) > 3:
    calls = pstats.Stats(profile).stats
    top = sorted((c[3], f) for f, c in calls.items() if "/optmap/" in f[0])[::-1]
    found["profile"] = [(f"{f[0].split('/optmap/')[1]}: {f[2]}", seconds) for seconds, f in top]
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Process:
    """A whole process and its children: seconds waited for and computed, and its memory."""

    wall: float
    processor: float
    megabytes: float


def whole_process(
    module: str, *arguments: str, kernels: str | None = None, once: bool = False
) -> Process:
    """Run a command once to load what is cached, then once to be measured.

    Where an empty folder for ``kernels`` is given, it is run once, and compiles them.
    """
    command = [sys.executable, "-m", module, *arguments]
    environment = os.environ if kernels is None else {**os.environ, "NUMBA_CACHE_DIR": kernels}
    for _ in range(1 if once or kernels else 2):
        began = time.perf_counter()
        started = subprocess.Popen(command, cwd=HOUSE, env=environment, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(started.pid, 0)
        wall, started.returncode = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
        if started.returncode:
            raise subprocess.CalledProcessError(started.returncode, command)
    return Process(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def row(method: str, network: str, *profile: str) -> dict:
    """Map a generated network in a process of its own, on one thread as a row of ``compare``."""
    command = [sys.executable, "-c", ROW, method, network, *profile]
    env = os.environ | dict.fromkeys(THREAD_POOLS, "1")
    done = subprocess.run(command, cwd=HOUSE, check=True, capture_output=True, text=True, env=env)
    return json.loads(done.stdout)


def big_graph() -> str:
    """Return a ring of 10,000 actors with 27,000 random channels, as SDF3 XML."""
    rng = np.random.default_rng(1)
    ends = [(a, (a + 1) % 10_000, int(a == 9_999)) for a in range(10_000)]
    ends += [(a, b, 1) for a, b in rng.integers(10_000, size=(27_000, 2)).tolist()]
    channels = [(f"a{a}", f"a{b}", 1, 1, tokens) for a, b, tokens in ends]
    return sdf3_text(sdfg([(f"a{a}", a % 97 + 1) for a in range(10_000)], channels, name="big"))


def process_lines() -> list[str]:
    """Return the table of whole processes."""
    lines = ["| command | processor, s | waited, s | goal, s |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        big = Path(folder, "big.xml")
        big.write_text(big_graph())
        for about, (module, *arguments), goal in PROCESSES:
            found = whole_process(module, *(str(big) if a == "BIG" else a for a in arguments))
            command = f"`{module.removeprefix('optmap.')} {' '.join(arguments)}`: {about}"
            goal_text = "-" if goal is None else f"{goal:g}"
            lines.append(f"| {command} | {found.processor:.2f} | {found.wall:.2f} | {goal_text} |")
    for about, arguments in FIRST:
        with tempfile.TemporaryDirectory() as kernels:
            found = whole_process("optmap.map", *arguments, kernels=kernels)
        command = f"`map {' '.join(arguments)}`: {about}, no kernel compiled before"
        lines.append(f"| {command} | {found.processor:.2f} | {found.wall:.2f} | 10 |")
    return lines


def row_lines() -> list[str]:
    """Return the table of rows by size, with the growth from 10^5 on."""
    sizes = [f"10^{n}" for n in (4, 5, 6, 7)]
    lines = [f"| method | {' | '.join(sizes)} | growth | MB at 10^7 |", "|---" * 7 + "|"]
    for method in METHODS:
        rows = [row(method, network) for network in SIZES]
        assert all(r["check"] == "ok" for r in rows)
        logs = np.log([(r["synapses"], r["seconds"]) for r in rows[1:]])
        growth = float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])
        cells = " | ".join(f"{r['seconds']:.2f}" for r in rows)
        lines.append(f"| `{method}` | {cells} | {growth:.2f} | {rows[-1]['megabytes']:.0f} |")
    return lines


def profile_lines(method: str, network: str) -> list[str]:
    """Return where the time of one row goes, the profiler's own share included."""
    found = row(method, network, "profile")
    lines = [f"`{method}` on `{network}`, {found['clusters']} clusters:", ""]
    lines += ["| function | seconds, with what it calls |", "|---|---|"]
    return lines + [f"| `{name}` | {seconds:.3f} |" for name, seconds in found["profile"][:14]]


FRONTIER, WHOLE = "## Frontier", "## Whole commands on the largest networks"
#: What the authors' C++ takes for its clustering on one core: seconds inside it, and its clusters.
PEERS = (
    ("gen:mlp-784-100-10", 0.057, 601),
    ("gen:smooth-64", 0.0055, 50),
    ("gen:edges-64", 0.072, 142),
    ("gen:lenet5-28", 0.233, 640),
    ("gen:reservoir-1000", 0.161, 571),
)


def clustering_seconds(found: dict) -> float:
    """Return what a row's clustering took."""
    return found["stages"]["clustering"]


def peer_lines() -> list[str]:
    """Return ``overlap`` beside the authors' program, which is not installed: figures recorded."""
    lines = [
        "| network | ours, s | clusters | authors' C++, s | clusters | ours / theirs |",
        "|---" * 6 + "|",
    ]
    for network, theirs, clusters in PEERS:
        found = min((row("overlap", network) for _ in range(3)), key=clustering_seconds)
        ours = clustering_seconds(found)
        ends = f"{theirs} | {clusters} | {ours / theirs:.1f}"
        lines.append(f"| `{network}` | {ours:.4f} | {found['clusters']} | {ends} |")
    return lines


def pass_ms(snn: SNN) -> float:
    """Return the milliseconds that one pass over the synapses takes, the least of five."""
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        snn.indices.sum(dtype=np.int64)
        seconds.append(time.perf_counter() - began)
    return 1000 * min(seconds)


def largest_lines() -> list[str]:
    """Return the table of whole ``map`` commands on the largest networks, with its date."""
    lines = ["| command | processor, s | waited, s | MB |", "|---" * 4 + "|"]
    for size, network in LARGEST:
        for method in METHODS:
            command = ("optmap.map", network, "--platform", "dynap_se", "--method", method)
            command += ("--limit", "900")
            found = whole_process(*command, once=network != SIZES[-1])  # the first ones compile
            ends = f"{found.processor:.1f} | {found.wall:.1f} | {found.megabytes:.0f}"
            lines.append(f"| `map {network} --method {method}`: {size} | {ends} |")
    snn = generate(SIZES[-1])
    text = (
        f"Measured at {environment()['started']}. One pass over the {snn.num_synapses:,} synapses"
        f" of {SIZES[-1]} (their sum) takes {pass_ms(snn):.1f} ms."
    )
    return [text, "", *lines]


def kept(title: str) -> list[str]:
    """Return what the page says under a title."""
    _, _, text = PAGE.read_text(encoding="utf-8").partition(f"{title}\n\n")
    return text.partition("\n\n#")[0].splitlines() or ["Not measured yet."]


def page(quick: bool = False, largest: bool = False) -> str:
    """Return the page."""
    made_on = environment()
    machine = f"{made_on['processor']}, {made_on['cores']} cores, {made_on['os']}"
    parts = [
        ["# Performance"],
        [f"Measured by `make bench` at {made_on['started']} on {machine}, Python"
         f" {made_on['python']}, code {made_on['code_version']}; one-minute load"
         f" {os.getloadavg()[0]:.1f}, so that seconds waited say little above"
         f" {made_on['cores']}. Other programs' times are in docs/clustering.md and"
         " docs/dataflow.md, where they were measured; the sizes up to which optima are proved"
         " are in docs/clustering.md and docs/scheduling.md, those where proofs stop below."],
        ["## Whole processes, kernels cached"],
        process_lines(),
        ["## Whole rows: read, decide, judge, bound", "",
         "Seconds of processor time by synapses (`gen:scale-conv-N` on `dynap_se`). Growth is the"
         " exponent from 10^5 on."],
        row_lines(),
        [WHOLE],
        largest_lines() if largest else kept(WHOLE),
        ["## Beside the authors' program", "",
         "Seconds of the clustering alone, the least of three; theirs were measured once, on"
         " another machine's cores, fan-in limited to 127: read the ratios coarsely."],
        peer_lines(),
        [FRONTIER],
        kept(FRONTIER) if quick else frontier_lines(),
        ["## Where the time goes"],
        profile_lines("song2020-tree", "gen:filter-16"),
        profile_lines("overlap", SIZES[-1]),
    ]  # fmt: skip
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def main() -> None:
    """Print the page, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--quick", action="store_true", help="keep the frontier as it is written")
    parser.add_argument(
        "--largest", action="store_true", help="measure 10^7 and 10^8, whole commands"
    )
    args = parser.parse_args()
    text = page(args.quick, args.largest)
    if args.write:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)  # noqa: T201


if __name__ == "__main__":
    main()
