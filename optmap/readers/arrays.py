"""Networks as numpy files: ``.npz`` with named arrays, ``.npy`` with one; never pickled objects.

What an ``.npz`` may hold:

- ``indptr``, ``indices`` (fan-in lists, :mod:`optmap.model.snn`), optionally ``weights`` per
  synapse;
- or ``pre``, ``post`` (one entry a synapse; or what a header of an edge list may call them),
  optionally ``weights`` and ``num_neurons``;
- or ``weights`` alone, N x N: row = reading neuron, column = neuron read, as in ``W @ x``;
- or what ``scipy.sparse.save_npz`` writes, N x N with the same meaning (``rows="pre"`` reads both
  the other way round: row = neuron that drives);
- beside each of them ``spikes`` per neuron with ``spikes_origin``, the neurons that are
  ``self_driven``, and the populations as ``population_names``, ``population_first`` and
  ``population_last`` (inclusive).

An ``.npy`` holds the N x N weights, or S x 2 whole numbers (pre, post).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from optmap.errors import InputError
from optmap.model.snn import SNN, IndexArray, Population, from_edges, frozen
from optmap.readers.columns import (
    UnclearHeader,
    direction_columns,
    edge_columns,
    population_columns,
)
from optmap.readers.file_limits import most_neurons
from optmap.readers.numpy_file import DAMAGE, EXPECTED, load_arrays
from optmap.readers.synapse_kinds import direction

Arrays = Mapping[str, npt.NDArray[Any]]

#: Arrays with a meaning, beside those that scipy writes.
_KNOWN = {"indptr", "indices", "pre", "post", "weights", "num_neurons", "spikes", "spikes_origin",
          "self_driven", "population_names", "population_first", "population_last"}  # fmt: skip
_SCIPY = {"format", "shape", "data", "row", "col", "_is_array"}
#: The direction that a matrix does not say: transposed it is a network as well, and another one.
ROW_READS = "matrix: row = reading neuron, column = neuron read"
ROW_DRIVES = "matrix: row = driving neuron, column = neuron that reads"


def read_arrays(path: Path, *, keep_zero_weights: bool = False, rows: str | None = None) -> SNN:
    """Read a network from an ``.npz`` or ``.npy`` file.

    Parameters
    ----------
    path : Path
        The file.
    keep_zero_weights : bool
        Keep listed synapses of weight zero.
    rows : str or None
        What a row of a matrix is: "post" (reads, also None) or "pre" (drives).

    Raises
    ------
    InputError
        If the arrays are missing, of the wrong kind, or contradict each other, or ``rows`` is told
        of a file without matrix.
    """
    arrays: Arrays = load_arrays(path)
    try:
        if rows == "pre":
            arrays = _transposed(arrays)
        if "" in arrays:
            snn = _from_single(arrays[""], keep_zero_weights, rows)
        else:
            arrays = _renamed(arrays)
            _refuse_both_ways(arrays)
            snn = _from_named(arrays, keep_zero_weights).with_notes(*_left_out(arrays))
        if rows is not None and ROW_READS not in snn.notes:
            found = f"--matrix-rows {rows} for lists of synapses"
            raise InputError(str(path), "", found, "a matrix")
        notes = [ROW_DRIVES if rows == "pre" and n == ROW_READS else n for n in snn.notes]
        return replace(snn, notes=tuple(notes))
    except InputError:
        raise
    except DAMAGE as error:
        raise InputError(str(path), "", str(error).split("\n")[0], EXPECTED) from None


def _renamed(arrays: Arrays) -> Arrays:
    """Return lists of synapses with pre, post and weights so called, by the words of a header."""
    lists = [name for name, array in arrays.items() if array.ndim == 1 and name not in _KNOWN]
    ends = [name for name in ("pre", "post") if name in arrays]
    if {"indptr", "format"} & set(arrays) or len(ends) == 1 or not lists:
        return arrays
    names = [*ends, *lists]
    try:
        columns = edge_columns(names)
    except UnclearHeader:
        return arrays
    called = {names[columns.source]: "pre", names[columns.target]: "post"}
    if columns.weight is not None and "weights" not in arrays:
        called[names[columns.weight]] = "weights"
    return {called.get(name, name): array for name, array in arrays.items()}


def _refuse_both_ways(arrays: Arrays) -> None:
    """Refuse synapses that an array says to count both ways, or to join several populations."""
    names = list(arrays)
    for column in direction_columns(names):
        values = np.unique(arrays[names[column.place]]).tolist()
        if any(direction(str(value), column.yes) != 1 for value in values):
            raise ValueError(f"array {names[column.place]!r}: list synapses in both directions")
    if "pre" not in arrays:
        return
    told = [arrays[names[p]] for p in population_columns(names) if names[p] not in _KNOWN]
    told = [array.reshape(-1) for array in told if array.shape == arrays["pre"].shape]
    if told and len(np.unique(np.concatenate(told))) > 1:
        raise ValueError("ends of several populations: number all neurons in one list")


def _left_out(arrays: Arrays) -> Iterator[str]:
    """Say which arrays have no meaning here."""
    known = _KNOWN | _SCIPY if "format" in arrays else _KNOWN
    left = sorted(set(arrays) - known)
    if left:
        yield "arrays left out: " + ", ".join(left[:20])


def _from_single(array: npt.NDArray[Any], keep_zero_weights: bool, rows: str | None) -> SNN:
    if array.shape == (2, 2) and array.dtype.kind in "iuf" and rows is None:
        values = array.astype(np.float64)
        if (values >= 0).all() and (values == np.floor(values)).all():
            raise ValueError("2 x 2 whole numbers, a matrix or two pairs: say with --matrix-rows")
    if array.shape in ((3, 3), (4, 4)) and array.dtype.kind in "iuf" and rows is None:
        ends = array[:, :2].astype(np.float64)
        if (ends >= 0).all() and (ends == np.floor(ends)).all() and ends.max() > 1:
            found = f"{len(array)} rows of {len(array)} numbers, a matrix or pre, post, weight"
            raise ValueError(f"{found}: say with --matrix-rows")
    if array.ndim == 2 and array.shape[0] == array.shape[1]:
        return _from_dense(array, keep_zero_weights, {})
    if array.ndim == 2 and array.shape[1] == 2 and len(array):
        pairs = _whole(array, "the pairs")
        return from_edges(pairs[:, 0], pairs[:, 1], _room_for(int(pairs.max()) + 1, len(pairs)))
    raise ValueError(f"an array of shape {array.shape}; weights beside pairs as .npz: pre, post")


def _from_named(arrays: Arrays, keep_zero_weights: bool) -> SNN:
    if {"format", "shape", "data"} <= set(arrays):
        return _from_scipy(arrays, keep_zero_weights)
    if {"indptr", "indices", "pre", "post"} <= set(arrays):
        raise ValueError("both indptr, indices and pre, post")  # which are the synapses?
    if "indptr" in arrays and "indices" in arrays:
        indptr, indices = _whole(arrays["indptr"], "indptr"), _whole(arrays["indices"], "indices")
        if indptr.ndim != 1 or len(indptr) < 1 or indices.ndim != 1:
            raise ValueError("indptr or indices is no list")
        # Through SNN first: it refuses lists that from_edges would silently sort.
        weights = _numbers(arrays, "weights")
        snn = SNN(
            indptr,
            _narrow(indices, len(indptr) - 1),
            np.ones(len(indptr) - 1, dtype=np.int64),
            weights=None if weights is None else _narrow_weights(weights),
        )
        if snn.weights is None or keep_zero_weights or snn.weights.all():
            return _dressed(snn, arrays)
        bare = from_edges(snn.indices, snn.post_of_synapse(), snn.num_neurons, weights=snn.weights)
        return _dressed(bare, arrays)
    if "pre" in arrays and "post" in arrays:
        return _from_pairs(arrays, keep_zero_weights)
    if "weights" in arrays:
        return _from_dense(arrays["weights"], keep_zero_weights, arrays)
    raise ValueError("arrays " + (", ".join(sorted(arrays)) or "none"))


def _narrow(indices: npt.NDArray[np.int64], num_neurons: int) -> IndexArray:
    """Return the indices as int32, refusing those that would wrap around."""
    if len(indices) and not 0 <= indices.min() <= indices.max() < num_neurons:
        low, high = indices.min(), indices.max()
        raise ValueError(f"indices {low}..{high} for neurons 0..{num_neurons - 1}")
    return indices.astype(np.int32)


def _narrow_weights(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):  # beyond float32 is infinite, which SNN refuses
        return weights.astype(np.float32)


def _from_pairs(arrays: Arrays, keep_zero_weights: bool) -> SNN:
    pre, post = _whole(arrays["pre"], "pre"), _whole(arrays["post"], "post")
    if "num_neurons" in arrays:
        count = int(_whole(arrays["num_neurons"], "num_neurons"))
    elif "spikes" in arrays:
        count = arrays["spikes"].size
    else:
        count = int(max(pre.max(initial=-1), post.max(initial=-1))) + 1
    weights = _numbers(arrays, "weights")
    if not {"num_neurons", "spikes"} & set(arrays) and count > most_neurons(pre.size):
        named, place = np.unique(np.concatenate((pre, post)), return_inverse=True)
        if named[0] < 0:
            raise ValueError(f"neuron {named[0]}, not a number from 0 on")
        note = f"numbers up to {named[-1]} name {len(named)} neurons, in ascending order"
        snn = from_edges(
            place[: len(pre)], place[len(pre) :], len(named), weights=weights,
            keep_zero_weights=keep_zero_weights, notes=[note],
        )  # fmt: skip
        return _dressed(snn, arrays)
    if "spikes" not in arrays:
        _room_for(count, pre.size)
    snn = from_edges(pre, post, count, weights=weights, keep_zero_weights=keep_zero_weights)
    return _dressed(snn, arrays)


def _room_for(count: int, entries: int) -> int:
    """Return ``count``, or refuse more neurons than a list of so many entries may name."""
    if count > most_neurons(entries):
        raise ValueError(f"{count} neurons for {entries} synapses")
    return count


def _from_dense(matrix: npt.NDArray[Any], keep_zero_weights: bool, arrays: Arrays) -> SNN:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"weights of shape {matrix.shape}")
    values = np.asarray(_numbers({"weights": matrix}, "weights"))
    if not np.isfinite(values).all():
        raise ValueError("weights that are not finite")
    # In a full matrix a zero is the absence of a synapse, whatever the instance says.
    post, pre = np.nonzero(values)
    snn = from_edges(pre, post, len(values), weights=values[post, pre])
    return _dressed(snn.with_notes(ROW_READS), arrays)


def _transposed(arrays: Arrays) -> Arrays:
    """Return the arrays of the transposed matrix; lists of synapses as they are."""
    if "" in arrays:
        single = arrays[""]
        return {"": single.T if single.ndim == 2 and single.shape[0] == single.shape[1] else single}
    if {"format", "shape", "data"} <= set(arrays):
        other = {"csr": "csc", "csc": "csr"}
        kind = _kind(arrays)
        turned = {"format": np.array(other.get(kind, kind)), "shape": arrays["shape"][::-1]}
        swapped = {"row": "col", "col": "row"}
        return {swapped.get(name, name): array for name, array in arrays.items()} | turned
    if "weights" in arrays and arrays["weights"].ndim == 2:
        return {**arrays, "weights": arrays["weights"].T}
    return arrays


def _kind(arrays: Arrays) -> str:
    """Return the name of a scipy format."""
    kind = arrays["format"].item()
    return kind.decode("ascii") if isinstance(kind, bytes) else str(kind)


def _from_scipy(arrays: Arrays, keep_zero_weights: bool) -> SNN:
    shape = tuple(int(n) for n in _whole(arrays["shape"], "shape"))
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"a sparse matrix of shape {shape}")
    kind = _kind(arrays)
    values = _numbers({"data": arrays["data"]}, "data")
    if values is None or not np.isfinite(values).all():
        raise ValueError("weights that are not finite")
    if kind == "coo":
        parts: tuple[Any, ...] = (arrays["row"], arrays["col"])
        matrix = scipy.sparse.coo_array((values, parts), shape=shape)
    elif kind in ("csr", "csc"):
        parts = (values, arrays["indices"], arrays["indptr"])
        build = scipy.sparse.csr_array if kind == "csr" else scipy.sparse.csc_array
        compressed = build(parts, shape=shape)
        compressed.check_format(full_check=True)
        matrix = compressed.tocoo()
    else:
        raise ValueError(f"a sparse matrix of format {kind!r}")
    _room_for(shape[0], matrix.nnz)
    post, pre = matrix.coords
    snn = from_edges(pre, post, shape[0], weights=matrix.data, keep_zero_weights=keep_zero_weights)
    return _dressed(snn.with_notes(ROW_READS), arrays)


def _dressed(snn: SNN, arrays: Arrays) -> SNN:
    """Return the network with the spikes and populations of the file, where it has them."""
    spikes, origin = snn.spikes, snn.spikes_origin
    if "spikes" in arrays:
        spikes = _whole(arrays["spikes"], "spikes")
        if spikes.shape != (snn.num_neurons,):
            raise ValueError(f"spikes of shape {spikes.shape} for {snn.num_neurons} neurons")
        origin = text_of(arrays, "spikes_origin") or "given"
    populations = _populations(arrays, snn.num_neurons)
    driven = _whole(arrays["self_driven"], "self_driven") if "self_driven" in arrays else ()
    return SNN(
        snn.indptr,
        snn.indices,
        spikes,
        populations,
        snn.weights,
        origin,
        frozen(driven, np.int32),
        snn.notes,
    )


def _populations(arrays: Arrays, num_neurons: int) -> tuple[Population, ...]:
    fields = ("population_names", "population_first", "population_last")
    if not all(name in arrays for name in fields):
        return (Population("neurons", 0, num_neurons - 1),) if num_neurons else ()
    names = [str(name) for name in arrays[fields[0]].tolist()]
    first, last = (_whole(arrays[name], name).tolist() for name in fields[1:])
    if not len(names) == len(first) == len(last):
        raise ValueError(f"{len(names)} population names, {len(first)} first, {len(last)} last")
    return tuple(map(Population, names, first, last))


def text_of(arrays: Arrays, name: str) -> str:
    """Return a text stored as an array of one string, "" where it is absent."""
    return str(arrays[name].item()) if name in arrays and arrays[name].size == 1 else ""


def _whole(array: npt.NDArray[Any], name: str) -> npt.NDArray[np.int64]:
    """Return the array as int64, or refuse it; 2.0 is a whole number, 2.5 is not."""
    if array.dtype.kind == "f" and np.isfinite(array).all() and (array == np.floor(array)).all():
        if array.size and abs(array).max() >= 2**53:
            raise ValueError(f"{name} beyond 2^53")
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} of type {array.dtype}, not whole numbers")
    if array.size and array.max() >= 2**62:
        raise ValueError(f"{name} beyond 2^62")
    return array.astype(np.int64)


def _numbers(arrays: Arrays, name: str) -> npt.NDArray[np.float64] | None:
    if name not in arrays:
        return None
    if arrays[name].dtype.kind not in "biuf":
        raise ValueError(f"{name} of type {arrays[name].dtype}, not numbers")
    return arrays[name].astype(np.float64)


def write_arrays(path: Path, snn: SNN) -> None:
    """Write a network so that :func:`read_arrays` gives it back."""
    arrays: dict[str, npt.NDArray[Any]] = {
        "indptr": snn.indptr,
        "indices": snn.indices,
        "spikes": snn.spikes,
        "spikes_origin": np.array(snn.spikes_origin),
        "population_names": np.array([p.name for p in snn.populations], dtype=np.str_),
        "population_first": np.array([p.first for p in snn.populations], dtype=np.int64),
        "population_last": np.array([p.last for p in snn.populations], dtype=np.int64),
    }
    if snn.weights is not None:
        arrays["weights"] = snn.weights
    if len(snn.self_driven):
        arrays["self_driven"] = snn.self_driven
    with path.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)
