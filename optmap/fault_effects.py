"""What ``map --faults`` says: cells lost on faults, in order and placed around them, and spikes.

Where the instance says what its inputs are shown ([encoding]) the network is simulated three
times: whole, and without the synapses that each placement loses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from optmap.errors import InputError
from optmap.instance import Instance
from optmap.model.clustered_snn import ClusteredSNN
from optmap.model.json_value import Json
from optmap.model.mapping import Mapping
from optmap.model.snn import IntArray
from optmap.simulation.encoded import Shown, shown_to
from optmap.simulation.faults import Faults, Losses, Placed, lost_by, placements, without
from optmap.simulation.simulate import simulate

#: The code in which inputs are shown where an instance gives values but no code.
CODE = "rate"


@dataclass(frozen=True)
class Change:
    """What lost synapses do to a simulated network.

    Parameters
    ----------
    spikes : float
        Summed difference of all neurons' spikes, by all spikes of the whole network.
    answers : int or None
        Samples whose most active neuron of the last layer is another; None for a single output.
    """

    spikes: float
    answers: int | None


@dataclass(frozen=True)
class FaultEffects:
    """What the faults of a chip do to a mapping.

    Parameters
    ----------
    faults : Faults
        Which ones.
    stuck, cells : int
        Stuck cells of the tiles in use, and all of their cells.
    around : list of Placed
        Every cluster placed around them.
    in_order, avoided : Losses
        What is lost without and with that.
    samples : int
        How many samples were simulated; 0: the instance says nothing to show.
    change_in_order, change : Change or None
        What that does to the spikes; None without samples.
    """

    faults: Faults
    stuck: int
    cells: int
    around: list[Placed]
    in_order: Losses
    avoided: Losses
    samples: int = 0
    change_in_order: Change | None = None
    change: Change | None = None

    def record(self) -> dict[str, Json]:
        """Return it as JSON holds it."""
        found: dict[str, Json] = {
            "stuck_cells": self.stuck,
            "cells": self.cells,
            "lost_in_order": self.in_order.lost,
            "lost": self.avoided.lost,
            "synapses_lost_in_order": len(self.in_order.pairs),
            "synapses_lost": len(self.avoided.pairs),
            "samples": self.samples,
        }
        for name, change in (("in_order", self.change_in_order), ("around", self.change)):
            if change is not None:
                found[f"spikes_changed_{name}"] = round(change.spikes, 6)
                found[f"answers_changed_{name}"] = change.answers
        return found

    def placement(self) -> dict[str, Json]:
        """Return which row takes which source, which column which unit, as JSON holds it."""
        clusters: list[Json] = [
            {
                "cluster": one.cluster,
                "tile": one.tile,
                "sources": one.sources.tolist(),
                "rows": one.placement.row_of.tolist(),
                "units": one.units.tolist(),
                "columns": one.placement.column_of.tolist(),
                "lost": one.gone.tolist(),
            }
            for one in self.around
        ]
        return {"schema": 1, "clusters": clusters}


def fault_effects(mapping: Mapping, instance: Instance, faults: Faults) -> FaultEffects:
    """Return what faults take from a mapping, and what that does to its spikes.

    Raises
    ------
    InputError
        If a known fault lies outside the chip, or the clusters are given without their neurons.
    """
    chip = instance.platform
    if isinstance(instance.snn, ClusteredSNN):
        raise InputError("--faults", "", "clusters that are given", "a network of neurons")
    beyond = sorted(t for t in faults.known if t >= chip.num_tiles)
    if beyond:
        found = f"faults of tile {beyond[0]}"
        raise InputError("--faults", "tiles", found, f"tiles below {chip.num_tiles}")
    try:
        around = placements(mapping, chip, faults)
        plain = placements(mapping, chip, faults, around=False)
    except ValueError as error:
        raise InputError("--faults", "tiles", str(error), "faults on the crossbar") from None
    tiles = sorted(set(mapping.binding.tile_of.tolist()))
    maps = [faults.stuck(chip, t) for t in tiles]
    losses = lost_by(mapping, plain), lost_by(mapping, around)
    counts = sum(int(m.sum()) for m in maps), sum(m.size for m in maps)
    shown = None
    if instance.encoding is not None:
        shown = shown_to(instance.snn, Path(instance.network), instance.encoding, CODE)
    if shown is None:
        return FaultEffects(faults, *counts, around, *losses)
    whole = _spikes(shown, np.empty((0, 2), dtype=np.int64))
    changes = [_change(shown, whole, _spikes(shown, one.pairs)) for one in losses]
    return FaultEffects(faults, *counts, around, *losses, len(whole), *changes)


def _spikes(shown: Shown, gone: IntArray) -> IntArray:
    model = without(shown.model, gone)
    return simulate(model, shown.inputs, shown.convention).spikes


def _change(shown: Shown, whole: IntArray, faulty: IntArray) -> Change:
    last = slice(shown.model.first[-2], None)
    answers = None
    if whole[:, last].shape[1] > 1:
        first, second = (s[:, last].argmax(axis=1) for s in (whole, faulty))
        answers = int((first != second).sum())
    return Change(float(np.abs(faulty - whole).sum() / max(int(whole.sum()), 1)), answers)


def fault_lines(found: FaultEffects) -> Iterator[str]:
    """Yield what a person wants to know of the faults."""
    rates, seed = found.faults.rates, found.faults.seed
    drawn = f"{rates.cells:.3g} of the cells, {rates.rows:.3g} of the rows,"
    yield f"  faults, drawn: {drawn} {rates.columns:.3g} of the columns, seed {seed};"
    known = f"{len(found.faults.known)} tiles" if found.faults.known else "nothing"
    stuck = f"{found.stuck:,} of {found.cells:,}"
    yield f"    known: {known}; {stuck} cells of the tiles in use are stuck"
    yield f"    {'':<22}{'cells lost':>11}{'synapses':>10}{'spikes changed':>16}{'answers':>9}"
    for title, lost, change in (
        ("in order", found.in_order, found.change_in_order),
        ("placed around them", found.avoided, found.change),
    ):
        line = f"    {title:<22}{lost.lost:>11,}{len(lost.pairs):>10,}"
        if change is not None:
            answers = "-" if change.answers is None else f"{change.answers} of {found.samples}"
            line += f"{100 * change.spikes:>14.2f} %{answers:>9}"
        yield line
    if not found.samples:
        yield "    spikes not simulated: the instance does not say what its inputs are shown"
