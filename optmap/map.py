"""``python -m optmap.map NETWORK --platform P.toml --method M``: one network, one mapping."""

from __future__ import annotations

import argparse
import contextlib
import errno
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from optmap.command_line import (
    CONSTRAINTS_HELP,
    DONE,
    FAILED,
    add_work,
    complain,
    file_name,
    guarded,
    limits_of,
    parser,
    reading_arguments,
    reading_of,
    seconds,
    whole,
)
from optmap.compiled import announce_compilation
from optmap.errors import InputError
from optmap.experiment.printed import report, summary
from optmap.experiment.run.children import run_child
from optmap.experiment.run.exact_json import dumps
from optmap.experiment.run.in_process import run_if_small
from optmap.experiment.run.job import Job
from optmap.experiment.run.source import Source
from optmap.experiment.run.sweep import finish
from optmap.generators.generate import GENERATORS
from optmap.instance import Instance
from optmap.mapping_json import from_dict, to_dict
from optmap.methods import METHODS, OBJECTIVE_HELP, OBJECTIVES, method_named
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits
from optmap.model.platform import TOKEN_MODES
from optmap.output import Output, print_text
from optmap.shipped import is_instance, platform_help, platform_of_network
from optmap.simulation.fault_file import HELP as FAULTS_HELP
from optmap.simulation.fault_file import read_faults

#: What runs where no method is named.
DEFAULT_METHOD = "song2020-tree"
#: What a disk says when it takes no more.
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of ``map``."""
    made = parser(
        "map",
        "Map one network onto one platform and report what it costs and what bounds it.",
        "python -m optmap.map gen:mlp-784-100-10 --platform dynap_se --method song2020-tree",
    )
    generators = ", ".join(f"gen:{generator.usage}" for generator in GENERATORS)
    made.add_argument(
        "network",
        metavar="NETWORK",
        help="a file (.nir, .csv, .npz, ...), a folder, an instance (.toml, or a shipped one by its"
        f" name, as mlp_tiny), or one of {generators}",
    )
    made.add_argument("--platform", metavar="P", help=platform_help())
    made.add_argument("--method", help=f"one of {', '.join(METHODS)} ({DEFAULT_METHOD})")
    made.add_argument("--objective", choices=OBJECTIVES, help=OBJECTIVE_HELP)
    made.add_argument("--limit", type=seconds, default=60.0, metavar="S", help="seconds (60)")
    add_work(made)
    made.add_argument("--seed", type=whole(0), default=0, metavar="N", help="seed (0)")
    made.add_argument("--threads", type=whole(1), default=1, help="threads (1)")
    made.add_argument(
        "--memory", type=whole(1), metavar="MB", help="kill the solve above this (none)"
    )
    made.add_argument("--tokens", choices=TOKEN_MODES, help="token mode (dataflow)")
    made.add_argument(
        "--spikes", type=file_name, metavar="FILE", help="spikes per neuron and iteration"
    )
    made.add_argument("--keep-zero-weights", action="store_true", help="keep synapses of weight 0")
    made.add_argument("--constraints", type=file_name, metavar="FILE", help=CONSTRAINTS_HELP)
    _variant_arguments(made)
    reading_arguments(made)
    _asking_arguments(made)
    made.add_argument("--json", action="store_true", help="one JSON object on one line of stdout")
    made.add_argument("--out", type=file_name, metavar="FILE", help="write the mapping as JSON")
    made.add_argument(
        "--export-sdf3",
        type=file_name,
        metavar="FILE",
        help="write its binding-aware graph as SDF3 XML",
    )
    made.add_argument(
        "--export-sanafe",
        type=file_name,
        metavar="DIR",
        help="write chip and placed network for SANA-FE, as YAML",
    )
    return made


def _variant_arguments(made: argparse.ArgumentParser) -> None:
    """Add what is made of the network before it is mapped."""
    made.add_argument(
        "--bit-planes",
        default="",
        metavar="B[:P,P]",
        help="cells of one bit, the B-bit weights of all neurons (or of populations P, P) in B"
        " planes that may stand on different crossbars; B: alone splits none",
    )
    made.add_argument(
        "--windows",
        type=whole(1),
        default=1,
        metavar="N",
        help="windows mapped side by side, so that copies of programs take them in turn (1); the"
        " period is then that of N windows",
    )


def _asking_arguments(made: argparse.ArgumentParser) -> None:
    """Add what else can be asked of the mapping, once it is there."""
    made.add_argument(
        "--area",
        action="store_true",
        help="also the least area of crossbars for these units, one for each cluster (P0c)",
    )
    made.add_argument(
        "--pareto",
        action="store_true",
        help="also what period trades against spike-hops and tiles, for these clusters; with --out"
        " F.json the mappings as F-1.json, F-2.json, ...",
    )
    space_help = "also what period more buffer space buys; with --out F.json in F-b1.json, ..."
    made.add_argument("--buffers", action="store_true", help=space_help)
    made.add_argument(
        "--faults", metavar="F", help=f"{FAULTS_HELP}; with --out F.json their places in F-f.json"
    )


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    args = build_parser().parse_args(arguments)
    method = _method(args)
    limits = limits_of(args, args.seed)
    instance, source = _instance(args)
    if args.faults:
        read_faults(args.faults)  # what is wrong with it is said before anything is solved
    job = Job(instance.name, instance.digest(), source, method, limits)
    announce_compilation()
    ended = run_if_small(job, instance) or run_child(job, threading.Event())
    row, attached = finish(job, ended)
    mapping = attached.get("mappings")
    if row.status in ("error", "unsupported"):
        complain(row.reason)
        return 2
    if args.out and mapping is not None:
        out = Path(args.out)
        placed = mapping | {"source": source.relative_to(out.parent).to_json()}
        _write(out, dumps(placed) + "\n")
    if mapping is not None and row.check == "ok" and (args.export_sdf3 or args.export_sanafe):
        _export(from_dict(mapping["mapping"], instance.snn), instance, args)
    lines: list[str] = []
    asked: dict[str, Any] = {}
    if mapping is not None and row.check == "ok":
        lines, asked = _asked(args, mapping, source, instance, limits)
    if args.json:
        print(dumps(summary(row) | asked))  # noqa: T201
    else:
        console = Output()
        report(row, mapping, instance, console)
        for line in lines:
            print_text(console, line)
    return DONE if row.check == "ok" else FAILED


def _method(args: argparse.Namespace) -> str:
    """Return the method's name; an objective is for ``whole``, which is then the default."""
    if args.objective is None:
        return method_named(args.method or DEFAULT_METHOD).name
    if args.method not in (None, "whole"):
        raise InputError("--objective", "", f"method {args.method!r}", "method whole")
    return OBJECTIVES[args.objective]


def _instance(args: argparse.Namespace) -> tuple[Instance, Source]:
    """Return the instance that the arguments stand for, and how a child loads it."""
    if is_instance(args.network):
        reading = reading_of(args).to_dict()
        if args.spikes or args.tokens or args.keep_zero_weights or reading:
            raise InputError(
                args.network, "", "an instance file with other options", "at most --platform"
            )
        source = Source(
            file=args.network,
            platform=args.platform,
            allow_outside=args.allow_outside,
            constraints=args.constraints,
            bit_planes=args.bit_planes,
            windows=args.windows,
        )
        return source.load(), source
    source = Source(
        network=args.network,
        platform=platform_of_network(args.network, args.platform),
        tokens=args.tokens or "dataflow",
        spikes=args.spikes,
        keep_zero_weights=args.keep_zero_weights,
        reading=reading_of(args).to_text(),
        constraints=args.constraints,
        bit_planes=args.bit_planes,
        windows=args.windows,
    )
    return source.load(), source


def _asked(
    args: argparse.Namespace,
    document: dict[str, Any],
    source: Source,
    instance: Instance,
    limits: Limits,
) -> tuple[list[str], dict[str, Any]]:
    """Answer --area, --pareto, --buffers and --faults: lines, fields of the JSON."""
    if not (args.area or args.pareto or args.buffers or args.faults):
        return [], {}
    from optmap.trade_offs import (  # here and below: what few runs ask for
        area_lines,
        buffer_lines,
        buffer_trade_off,
        least_area,
        trade_off_lines,
        trade_offs,
    )

    mapping = from_dict(document["mapping"], instance.snn)
    lines: list[str] = []
    fields: dict[str, Any] = {}
    if args.area:
        if isinstance(instance.snn, ClusteredSNN):
            raise InputError("--area", "", "clusters that are given", "a network of neurons")
        area = least_area(mapping, instance.platform, limits)
        lines += area_lines(area)
        fields["area"] = area.record()
    if args.pareto:
        points, complete = trade_offs(mapping, instance.platform, instance.tokens, limits)
        lines += trade_off_lines(points, complete)
        records = [point.record() for point in points]
        fields["trade_offs"] = {"complete": complete, "points": records}
        _write_each(args.out, "-", [p.mapping for p in points], document, source)
    if args.buffers:
        space = buffer_trade_off(mapping, instance.platform, instance.tokens, limits)
        lines += buffer_lines(space)
        fields["buffers"] = space.record()
        sized = [replace(mapping, buffers=p.buffers) for p in space.front.points]
        _write_each(args.out, "-b", sized, document, source)
    if args.faults:
        from optmap.fault_effects import fault_effects, fault_lines

        effects = fault_effects(mapping, instance, read_faults(args.faults))
        lines += fault_lines(effects)
        fields["faults"] = effects.record()
        if args.out:
            path = Path(args.out)
            placed = path.with_name(f"{path.stem}-f{path.suffix}")
            _write(placed, dumps(effects.placement()) + "\n")
    return lines, fields


def _write_each(
    out: str | None, mark: str, made: Sequence[Mapping], document: dict[str, Any], source: Source
) -> None:
    """Write mappings beside ``out``, numbered from 1."""
    for n, mapping in enumerate(made, 1) if out else ():
        path = Path(out or "")
        source_there = source.relative_to(path.parent).to_json()
        placed = document | {"source": source_there, "mapping": to_dict(mapping)}
        _write(path.with_name(f"{path.stem}{mark}{n}{path.suffix}"), dumps(placed) + "\n")


def _export(mapping: Mapping, instance: Instance, args: argparse.Namespace) -> None:
    """Write a mapping in the formats of other tools."""
    if args.export_sdf3:
        from optmap.exporters.sdf3 import binding_aware_sdfg
        from optmap.sdf.xml import sdf3_text

        graph = binding_aware_sdfg(instance.platform, mapping, instance.tokens, instance.name)
        _write(Path(args.export_sdf3), sdf3_text(graph))
    if args.export_sanafe:
        from optmap.exporters.sanafe import architecture_yaml, network_yaml

        folder = Path(args.export_sanafe)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(str(folder), "", error.strerror or "unusable", "a folder") from None
        _write(folder / "arch.yaml", architecture_yaml(instance.platform, mapping))
        _write(folder / "snn.yaml", network_yaml(mapping, instance.name))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        if error.errno in DISK_FULL and path.is_file():  # half a mapping is none
            with contextlib.suppress(OSError):
                path.unlink()
        raise InputError(str(path), "", error.strerror or "unusable", "a file to write") from None


if __name__ == "__main__":
    sys.exit(guarded(main))
