"""What is read of a SANA-FE network, whichever way it is written: groups, edges, biases, trains."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

import numpy as np
import numpy.typing as npt

from optmap.errors import InputError
from optmap.model.snn import SNN, IntArray, Population, from_edges
from optmap.readers.file_limits import refuse_wide_numbers

EXPECTED = "a SANA-FE network: groups, neurons, edges"
LEFT_OUT = "attributes other than weight, bias and spikes, and mappings onto cores, are left out"
EDGE = re.compile(r"([^\s.]+)\.([0-9]{1,9})\s*->\s*([^\s.]+)\.([0-9]{1,9})")


@dataclass
class SanafeNetwork:
    """What has been read so far; edges as (source group, neuron, target group, neuron)."""

    path: Path
    size: dict[str, int] = field(default_factory=dict)
    edges: list[tuple[str, int, str, int]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    blocks: list[tuple[str, IntArray, str, IntArray, npt.NDArray[np.float64] | None]] = field(
        default_factory=list
    )
    biased: set[tuple[str, int]] = field(default_factory=set)
    trains: dict[tuple[str, int], int] = field(default_factory=dict)

    def fail(self, line: int, text: str, expected: str = EXPECTED) -> InputError:
        """Return the error that names a line."""
        return InputError(str(self.path), f"line {line}", repr(text.strip()[:60]), expected)

    def number(self, line: int, text: str, found: str) -> float:
        """Return a finite number of a line."""
        try:
            value = float(found)
        except ValueError:
            value = float("nan")
        if not isfinite(value):
            raise self.fail(line, text, "finite numbers")
        return value

    def edge(self, line: int, ends: tuple[str, str, str, str], weight: float | None) -> None:
        """Add an edge between neurons of groups that are known."""
        source, i, target, j = ends[0], int(ends[1]), ends[2], int(ends[3])
        for group, neuron in ((source, i), (target, j)):
            if neuron >= self.size.get(group, 0):
                raise self.fail(line, f"{group}.{neuron}", "a neuron of a group before it")
        self.edges.append((source, i, target, j))
        self.weights.append(float("nan") if weight is None else weight)

    def snn(self, keep_zero_weights: bool) -> SNN:
        """Return the network, groups in their order."""
        ends = np.cumsum([0, *self.size.values()])
        first = dict(zip(self.size, ends.tolist(), strict=False))
        total = int(ends[-1])
        populations = [
            Population(group, first[group], first[group] + size - 1)
            for group, size in self.size.items()
            if size
        ]
        pre, post, weight = self._synapses(first)
        if not len(pre):
            raise InputError(str(self.path), "", "no edge", EXPECTED)
        refuse_wide_numbers(str(self.path), "neurons", total, len(pre))
        known = not np.isnan(weight).any() and weight.any()
        driven = np.zeros(total, dtype=np.bool_)
        driven[[first[group] + neuron for group, neuron in self.biased]] = True
        notes = [LEFT_OUT]
        spikes, origin = None, None
        if self.trains and len(self.trains) == total:
            spikes = np.zeros(total, dtype=np.int64)
            for (group, neuron), count in self.trains.items():
                spikes[first[group] + neuron] = count
            origin = "spike trains of the file"
        elif self.trains:
            notes.append(f"spike trains of {len(self.trains)} of {total} neurons are left out")
        snn = from_edges(
            pre, post, total, weights=weight if known else None, populations=populations,
            spikes=spikes, spikes_origin=origin, keep_zero_weights=keep_zero_weights,
        )  # fmt: skip
        alone = np.flatnonzero(driven & (snn.fan_in == 0))
        return SNN(
            snn.indptr,
            snn.indices,
            snn.spikes,
            snn.populations,
            snn.weights,
            snn.spikes_origin,
            self_driven=alone.astype(np.int32),
            notes=tuple(notes),
        )

    def _synapses(
        self, first: dict[str, int]
    ) -> tuple[IntArray, IntArray, npt.NDArray[np.float64]]:
        """Return pre, post and weight of every synapse; the weight is NaN where none is given."""
        pre = [np.array([first[s] + i for s, i, _, _ in self.edges], dtype=np.int64)]
        post = [np.array([first[t] + j for _, _, t, j in self.edges], dtype=np.int64)]
        weight = [np.array(self.weights, dtype=np.float64)]
        for source, i, target, j, values in self.blocks:
            pre.append(first[source] + i)
            post.append(first[target] + j)
            weight.append(np.full(len(i), np.nan) if values is None else values)
        return np.concatenate(pre), np.concatenate(post), np.concatenate(weight)
