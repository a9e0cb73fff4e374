"""The ten programs of the publications' experiments, in shapes as published where these are public.

Two are scaled down, since whole AlexNet and VGG-16 (10^8 synapses and more) would take hours by the
slower methods; their layers, kernels, strides and ratios of widths are those of the networks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optmap.experiment.run.plan import Planned, on_platforms
from optmap.experiment.run.source import Source

#: The platform that every axis starts from.
PLATFORM = "dynap_se"
BASE: Mapping[str, int] = {"size": 128, "tiles": 4}


@dataclass(frozen=True, slots=True)
class Program:
    """One program.

    Parameters
    ----------
    name : str
        As the tables call it.
    network : str
        A shipped instance, or ``gen:NAME``.
    shape : str
        What it is, and whose shape: the publications' or ours.
    """

    name: str
    network: str
    shape: str

    def on(self, changes: Mapping[str, int]) -> Planned:
        """Return the program on the base platform with changes."""
        known = self.network.startswith("gen:")
        source = Source(network=self.network) if known else Source(file=self.network)
        (placed,) = on_platforms([source], [PLATFORM], [{**BASE, **changes}])
        return Planned(placed.load(), placed)


PROGRAMS: Sequence[Program] = (
    Program("LeNet", "lenet5_28", "LeNet-5 over 28 x 28, the published shape (412,960 synapses)"),
    Program(
        "AlexNet",
        "gen:alexnet-63-6",
        "AlexNet's layers over 3 x 63 x 63, a sixteenth of the maps: ours; spikes assumed",
    ),
    Program(
        "VGG16",
        "gen:vgg-32-4",
        "VGG-16's convolutions over 3 x 32 x 32, a sixteenth of the maps: ours; spikes assumed",
    ),
    Program("heart class", "heart_class", "1-D CNN over a beat, ours (published: 2-D, 82 x 82)"),
    Program("MLP", "digits_mlp_784", "dense 784-100-10, the published shape (79,400 synapses)"),
    Program("edges", "edges_64", "edge detection 64 x 64, the published shape (66,970 synapses)"),
    Program(
        "smoothing",
        "smoothing_64",
        "smoothing 64 x 64 to 32 x 32, the published shape (9,025 synapses)",
    ),
    Program("heart rate", "heart_rate", "liquid state machine on an ECG: their kind, our size"),
    Program("pursuit", "pursuit", "visual pursuit: their kind, our size (theirs is larger)"),
    Program(
        "recurrent digits",
        "digits_reservoir",
        "784-250-250 with competition: the shape of Diehl and Cook 2015",
    ),
)


def program_named(name: str) -> Program:
    """Return the program of that name; ValueError with the known names otherwise."""
    found = next((p for p in PROGRAMS if name in (p.name, p.name.replace(" ", "-"))), None)
    if found is None:
        names = ", ".join(p.name.replace(" ", "-") for p in PROGRAMS)
        raise ValueError(f"program {name!r}: expected one of {names}")
    return found
