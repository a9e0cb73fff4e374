"""Spike profiles from numpy arrays: counts, rates, recordings by axes, and lists of events."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from optmap.errors import InputError
from optmap.model.snn import MAX_TOTAL_SPIKES, IntArray
from optmap.readers.arrays import text_of
from optmap.readers.columns import ID, TIME, analog_column, is_nest, is_word
from optmap.readers.numpy_file import load_arrays
from optmap.readers.options import ReadOptions
from optmap.readers.spike_scale import whole_counts

Arrays = Mapping[str, npt.NDArray[Any]]
_SAY_AXES = "axes with --spike-axes: T steps, N neurons, B samples, as in TN or BTN"


def read_spike_arrays(path: Path, num_neurons: int, options: ReadOptions) -> tuple[IntArray, str]:
    """Return the spikes of every neuron, and where they come from.

    Raises
    ------
    InputError
        If there is no array of spikes, or its shape has more than one meaning.
    """
    arrays = load_arrays(path)
    axes = options.spike_axes or text_of(arrays, "axes") or None
    reader = _Reader(path, num_neurons, axes, options)
    if "" in arrays or "spikes" in arrays:
        counts, how = reader.read(arrays["" if "" in arrays else "spikes"])
    else:
        ids = [name for name in arrays if is_word(name, ID)]
        times = [name for name in arrays if is_word(name, TIME)]
        if len(ids) != 1 or len(times) != 1:
            found = ", ".join(sorted(arrays)) or "no array"
            raise InputError(str(path), "", found, "an array named spikes, or ids and times")
        analog = analog_column(name for name in arrays if name not in (*ids, *times))
        if analog is not None:
            raise InputError(str(path), "", f"array {analog!r}, no spikes", "spikes alone")
        counts, how = reader.events(arrays[ids[0]], arrays[times[0]], nest=is_nest(ids[0]))
    origin = text_of(arrays, "spikes_origin") or path.name
    return counts, origin + (f" ({how})" if how else "")


class _Reader:
    """Reads one array of a file; every complaint names both."""

    def __init__(self, path: Path, n: int, axes: str | None, options: ReadOptions) -> None:
        self.path, self.n, self.axes, self.options = path, n, axes, options

    def fail(self, found: str, expected: str) -> InputError:
        return InputError(str(self.path), "spikes", found, expected)

    def read(self, array: npt.NDArray[Any]) -> tuple[IntArray, str]:
        """Return counts by neuron and how they were made of an array."""
        if array.dtype.names:
            return self._records(array)
        if array.dtype.kind not in "biuf":
            raise self.fail(f"{array.dtype} values", "numbers")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise self.fail("values that are not finite", "numbers >= 0")
        if array.ndim == 1:
            return self._profile(array)
        if self.options.spike_columns is not None:
            return self._event_table(array)
        return self._recording(array)

    def _profile(self, array: npt.NDArray[Any]) -> tuple[IntArray, str]:
        if array.shape != (self.n,):
            raise self.fail(f"an array of shape {array.shape}", f"{self.n} whole numbers")
        if array.size and float(array.max()) > MAX_TOTAL_SPIKES:
            raise self.fail("numbers too large", f"at most {MAX_TOTAL_SPIKES}")
        if array.dtype.kind != "f" and self.options.spike_window is None:
            return array.astype(np.int64), ""
        if array.size and array.min() < 0:
            raise self.fail(f"{array.min()} spikes", "numbers >= 0")
        values = array if array.dtype.kind == "f" else array.astype(np.float64)
        try:
            counts, scale = whole_counts(values, self.options.spike_window)
        except ValueError as error:
            raise self.fail(f"{array.dtype} numbers, no whole ones", str(error)) from None
        return counts, f"rates {scale}" if scale else ""

    def _recording(self, array: npt.NDArray[Any]) -> tuple[IntArray, str]:
        """Sum a raster over its steps; several samples are averaged, rounded up."""
        axes = self.axes or self._axes_of(array.shape)
        if len(axes) != array.ndim or array.shape[axes.index("N")] != self.n:
            found = f"an array of shape {array.shape}, axes {axes}"
            raise self.fail(found, f"{self.n} neurons along N; {_SAY_AXES}")
        values = array.astype(np.float64)
        if (values < 0).any() or (values != np.floor(values)).any():
            raise self.fail("values that are no counts", "whole numbers >= 0 in every step")
        samples = array.shape[axes.index("B")] if "B" in axes else 1
        if not samples:
            raise self.fail("no sample", "at least one")
        others = tuple(i for i, axis in enumerate(axes) if axis != "N")
        total = values.sum(axis=others)
        if total.sum() > MAX_TOTAL_SPIKES:
            raise self.fail("numbers too large", f"at most {MAX_TOTAL_SPIKES} in all")
        how = f"axes {axes}" + (f", mean of {samples} samples, rounded up" if samples > 1 else "")
        return -(-total.astype(np.int64) // samples), how

    def _axes_of(self, shape: tuple[int, ...]) -> str:
        """Return the axes that a shape can only have; refuse what has two readings."""
        pair = len(shape) == 2 and 2 in shape  # may be (id, time) of as many events
        if len(shape) == 2 and shape.count(self.n) == 1 and not pair:
            return "TN" if shape[1] == self.n else "NT"
        expected = f"{self.n} whole numbers, or the {_SAY_AXES}"
        if pair:
            expected += "; a list of events: --spike-columns id,time or time,id"
        raise self.fail(f"an array of shape {shape}", expected)

    def _event_table(self, array: npt.NDArray[Any]) -> tuple[IntArray, str]:
        words = list(self.options.spike_columns or ())
        if array.ndim != 2 or array.shape[1] != len(words) or sorted(words) != ["id", "time"]:
            found = f"an array of shape {array.shape}, columns {','.join(words)}"
            raise self.fail(found, "events x 2 with --spike-columns id,time or time,id")
        return self.events(array[:, words.index("id")], array[:, words.index("time")])

    def _records(self, array: npt.NDArray[Any]) -> tuple[IntArray, str]:
        names = list(array.dtype.names or ())
        ids = [name for name in names if is_word(name, ID)] or [n for n in names if n == "x"]
        times = [name for name in names if is_word(name, TIME)]
        if len(ids) != 1 or len(times) != 1:
            expected = "events with one field of ids and one of times"
            raise self.fail(f"records of {', '.join(names)}", expected)
        for other in ("y", "p"):
            if ids == ["x"] and other in names and len(np.unique(array[other])) > 1:
                found = f"events of several {other}"
                raise self.fail(
                    found, "one field of ids: x, y and p of a camera are no neurons yet"
                )
        return self.events(array[ids[0]], array[times[0]], nest=is_nest(ids[0]))

    def events(
        self, ids: npt.NDArray[Any], times: npt.NDArray[Any], *, nest: bool = False
    ) -> tuple[IntArray, str]:
        """Count the events of each neuron; ``nest``: ids from 1."""
        if ids.ndim != 1 or ids.shape != times.shape:
            raise self.fail(f"ids {ids.shape}, times {times.shape}", "one of each an event")
        whole = ids.dtype.kind in "iu" or (
            ids.dtype.kind == "f" and bool((ids == np.floor(ids)).all())
        )
        if not whole or times.dtype.kind not in "iuf" or not np.isfinite(times).all():
            raise self.fail(f"ids of type {ids.dtype}, times of {times.dtype}", "whole ids, times")
        if ids.size and not nest <= ids.min() <= ids.max() < self.n + nest:
            worst = ids.min() if ids.min() < nest else ids.max()
            raise self.fail(f"neuron {worst}", f"neurons {int(nest)}..{self.n - 1 + nest}")
        how = f"{len(ids)} events" + (", NEST's ids from 1" if nest else "")
        return np.bincount(ids.astype(np.int64) - nest, minlength=self.n), how
