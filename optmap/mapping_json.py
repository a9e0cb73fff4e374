"""A mapping as JSON data, and back: the format of docs/formats.md."""

from __future__ import annotations

from typing import Any

import numpy as np

from optmap.decomposing.contract import REBUILDERS, decompose
from optmap.errors import InputError, refuse_unknown
from optmap.model.decomposition import Decomposition, Parameters, custom
from optmap.model.mapping import Binding, Buffers, Channel, Clustering, Mapping, StaticOrders
from optmap.model.snn import SNN, IndexArray

SCHEMA = 1


def to_dict(mapping: Mapping) -> dict[str, Any]:
    """Return the mapping as JSON-ready data (schema in docs/formats.md)."""
    d, orders = mapping.decomposition, mapping.orders
    decomposition: dict[str, Any] = {"policy": d.policy, "rows": d.rows}
    if d.policy not in REBUILDERS:  # nobody can make it again from its name: the lists themselves
        decomposition = {"policy": "custom", "rows": d.rows, **_custom_lists(d)}
    elif d.parameters:
        decomposition["parameters"] = d.parameters
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "decomposition": decomposition,
        "cluster_of": mapping.clustering.cluster_of.tolist(),
        "tile_of": mapping.binding.tile_of.tolist(),
        "orders": [list(order) for order in orders.clusters],
    }
    for name in ("offsets", "sends", "send_offsets"):
        value = getattr(orders, name)
        if value is not None:
            data[name] = [[list(x) if isinstance(x, tuple) else x for x in row] for row in value]
    if mapping.buffers is not None:
        data["buffers"] = [list(channel) for channel in mapping.buffers.channels]
    return data


def _custom_lists(d: Decomposition) -> dict[str, Any]:
    n, network = d.num_neurons, d.network
    inserted = [
        [int(d.owner[u]), network.sources_of(u).tolist()] for u in range(n, network.num_neurons)
    ]
    replaced = {str(o): network.sources_of(o).tolist() for o in sorted({o for o, _ in inserted})}
    return {"inserted": inserted, "replaced": replaced}


def from_dict(data: Any, snn: SNN, file: str = "mapping") -> Mapping:
    """Rebuild a mapping of ``snn`` from JSON data.

    Raises
    ------
    InputError
        Naming ``file``, the field, what was found and what was expected.
    """
    if not isinstance(data, dict):
        raise InputError(file, "", type(data).__name__, "an object")
    if type(data.get("schema")) is not int or data["schema"] != SCHEMA:
        raise InputError(file, "schema", repr(data.get("schema")), str(SCHEMA))
    refuse_unknown(data, _FIELDS, file)
    if isinstance(data.get("decomposition"), dict):
        part = data["decomposition"]
        fields = _CUSTOM_FIELDS if part.get("policy") == "custom" else _ANY_FIELDS
        refuse_unknown(part, fields, file, "decomposition.")
    field = "decomposition"
    try:
        part = data[field]
        if type(part["rows"]) is not int:
            raise ValueError(f"rows {part['rows']!r}")
        if part["policy"] == "custom":
            replaced = {int(j): reads for j, reads in part["replaced"].items()}
            decomposition = custom(snn, part["rows"], part["inserted"], replaced)
        elif part["policy"] in REBUILDERS:
            decomposition = decompose(
                snn, part["rows"], part["policy"], _parameters(part.get("parameters", {}))
            )
        else:
            raise ValueError(f"policy {part['policy']!r}")
        field = "cluster_of"
        clustering = Clustering(_whole_numbers(data[field]))
        field = "tile_of"
        binding = Binding(_whole_numbers(data[field]))
        parts: dict[str, Any] = {}
        for field, read in _ORDER_FIELDS.items():
            if field == "orders" or field in data:
                parts[field] = read(data[field])
        field = "orders"
        orders = StaticOrders(parts.pop("orders"), **parts)
        field = "buffers"
        buffers = _buffers(data[field]) if field in data else None
        field = ""
        return Mapping(decomposition, clustering, binding, orders, buffers)
    except KeyError as error:
        raise InputError(file, str(error.args[0]), "nothing", "a field of a mapping") from None
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise InputError(file, field, str(error), "a well-formed mapping of this network") from None


def _parameters(given: Any) -> Parameters:
    if not isinstance(given, dict):
        raise ValueError(f"parameters {given!r:.80}, not an object")
    return given


def _whole_numbers(values: Any) -> IndexArray:
    if not isinstance(values, list):
        raise ValueError(f"{values!r:.80} where a list of whole numbers belongs")
    odd = next((i for i, v in enumerate(values) if type(v) is not int), None)
    if odd is not None:
        raise ValueError(f"{values[odd]!r:.80} at place {odd} of a list of whole numbers")
    largest = max(values, default=0, key=abs)
    if abs(largest) > np.iinfo(np.int32).max:
        raise ValueError(f"{largest:.6g} where clusters and tiles are counted from 0")
    return np.array(values, dtype=np.int32)


def _channels(rows: Any) -> tuple[tuple[Channel, ...], ...]:
    return tuple(tuple((a, b) for a, b in _nested(row)) for row in rows)


def _buffers(rows: Any) -> Buffers:
    return Buffers(tuple((a, b, out, into) for a, b, out, into in _nested(rows)))


def _nested(rows: Any) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(_whole_numbers(row).tolist()) for row in rows)


_ORDER_FIELDS = {
    "orders": _nested,
    "offsets": _nested,
    "sends": _channels,
    "send_offsets": _nested,
}
_CUSTOM_FIELDS = ("policy", "rows", "inserted", "replaced")
_ANY_FIELDS = (*_CUSTOM_FIELDS, "parameters")
_FIELDS = ("schema", "decomposition", "cluster_of", "tile_of", *_ORDER_FIELDS, "buffers")
