"""``optmap COMMAND ...``, also as ``python -m optmap``: one door to all commands."""

from __future__ import annotations

import sys
from importlib import import_module

import optmap
from optmap.command_line import BAD_INPUT, DONE, complain, guarded
from optmap.shipped import did_you_mean

#: Command -> (module, what it does); ``python -m MODULE`` is the same command.
COMMANDS = {
    "compare": ("optmap.compare", "every instance by every method: rows, gaps, tables, report"),
    "map": ("optmap.map", "one network, one mapping, what bounds it"),
    "explain": ("optmap.explain", "why a mapping is no faster, what would help by how much"),
    "explore": ("optmap.explore", "which platforms of a grid, and mappings on them, nothing beats"),
    "reproduce": ("optmap.reproduce", "the publications' experiments: a table and picture each"),
    "verify": ("optmap.verify", "check every mapping, claim and table of a run again"),
    "submit": ("optmap.submit", "what a run or a mapping improves in the best-known list"),
    "admit": ("optmap.admit", "applications arrive and leave on one platform"),
    "export": ("optmap.export", "a problem as a file for another solver"),
    "rivals": ("optmap.rivals", "published tables of other mappers, made again and bounded"),
    "sdf": ("optmap.sdf.__main__", "throughput, latency, buffers of any SDF3 graph"),
}


def usage() -> str:
    """Return what ``optmap --help`` prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {about}" for name, (_, about) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: optmap COMMAND ...    (optmap COMMAND --help says more)",
            "",
            "How far are the heuristics that map spiking networks onto crossbar chips from the",
            "optimum?",
            "",
            *lines,
            "",
            "example:",
            "  optmap map mlp_tiny",
            "  optmap compare filter_8 --limit 5",
        ]
    )


def main() -> int:
    """Run the command that the first argument names; return its exit status."""
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        return guarded(lambda _: _say(usage()), arguments)
    if name == "--version":
        return guarded(lambda _: _say(f"optmap {optmap.__version__}"), arguments)
    if name not in COMMANDS:
        near = did_you_mean(name, list(COMMANDS))
        complain(f"command {name!r}: expected one of {', '.join(COMMANDS)}{near}")
        return BAD_INPUT
    return guarded(lambda given: int(import_module(COMMANDS[name][0]).main(given)), arguments)


def _say(text: str) -> int:
    print(text)  # noqa: T201
    return DONE


if __name__ == "__main__":
    sys.exit(main())
