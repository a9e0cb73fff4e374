"""Published tables of other mappers, made again: ``python -m optmap.rivals --out results/rivals``.

HySMap's multicast hops, SMART's schedules of ResNet-50, and networks like AxonFlow's under its
limits: our values with bounds, method, time and machine beside the published ones. ``--partition``
judges what a user's own copy of AxonFlow or AxonCUDA writes for one of these networks.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from optmap.command_line import guarded, parser, whole
from optmap.experiment.rivals import axonflow, hysmap, smart
from optmap.generators.generate import generate
from optmap.readers.snn_hypergraph import read_hypergraph

TABLES = ("hysmap", "smart", "axonflow")
#: Units of work, about seconds, of the search and of the bound, for networks of AxonFlow's kind.
WORK = 50


def made(name: str, folder: Path, machine: str, runs: int) -> None:
    """Make one table, and store it as JSON and Markdown."""
    file = folder / f"{name}.json"
    if name == "hysmap":
        hysmap.make(file, machine, hysmap.RUNS[:1] * runs)
    elif name == "smart":
        smart.make(file, machine)
    else:
        axonflow.make(file, machine, WORK)


def table(name: str, folder: Path) -> str:
    """Return a stored table in Markdown."""
    file = folder / f"{name}.json"
    if name == "smart":
        return smart.table(file)
    if name == "hysmap":
        return hysmap.table(hysmap.load(file))
    return axonflow.table(axonflow.load(file))


def verify(folder: Path) -> list[str]:
    """Return what is wrong with the stored tables."""
    problems = []
    for name, check in zip(TABLES, (hysmap.verify, smart.verify, axonflow.verify), strict=True):
        if not (folder / f"{name}.json").is_file():
            problems.append(f"{name}.json is not there")
            continue
        problems += check(folder / f"{name}.json")
        if not problems and (folder / f"{name}.md").read_text() != table(name, folder):
            problems.append(f"{name}.md is not the table of {name}.json")
    return problems


def main(arguments: list[str] | None = None) -> int:
    """Make tables, check them, or judge a partition; return the exit status."""
    options = parser("rivals", __doc__ or "", "python -m optmap.rivals --out results/rivals")
    options.add_argument("--out", type=Path, default=Path("results/rivals"), help="folder")
    options.add_argument("--table", choices=TABLES, help="which table (all)")
    options.add_argument("--runs", type=whole(1), default=3, help="annealings of HySMap's jobs")
    options.add_argument("--verify", action="store_true", help="judge the stored tables again")
    options.add_argument("--partition", type=Path, help="file of AxonFlow's parts to judge")
    options.add_argument("--network", default=axonflow.CASES[0][0], help=".snn file, or gen:NAME")
    options.add_argument("--limits", choices=axonflow.LIMITS, default="loihi64", help="its cores")
    given = options.parse_args(arguments)
    if given.partition is not None:
        named = given.network.startswith("gen:")
        snn = generate(given.network) if named else read_hypergraph(Path(given.network))
        chip = axonflow.chip(given.limits)
        parts = axonflow.read_partition(given.partition, snn)
        found = axonflow.judged(snn, chip, parts)
        sys.stdout.write(f"{found[0]} parts, connectivity {found[1]:,}\n")
        return 0
    if given.verify:
        problems = verify(given.out)
        sys.stdout.writelines(f"{text}\n" for text in problems or ["every value stands"])
        return int(bool(problems))
    given.out.mkdir(parents=True, exist_ok=True)
    for name in (given.table,) if given.table else TABLES:
        made(name, given.out, f"{platform.machine()}, {os.cpu_count()} cores", given.runs)
        text = table(name, given.out)
        (given.out / f"{name}.md").write_text(text)
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
