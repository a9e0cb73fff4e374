"""A certificate proved again, whatever kind it is of, and the bound that it then gives."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

from optmap.bounds.bound import Bound
from optmap.bounds.spreading import prove_spreading
from optmap.errors import InputError, refuse_unknown
from optmap.exact_questions import prove_again, prove_cover_again
from optmap.experiment.run.exact_json import dumps
from optmap.instance import Instance
from optmap.model.certificate import Certificate, from_dict
from optmap.model.cover_certificate import from_dict as cover_from_dict
from optmap.model.grade import Grade
from optmap.model.mapping import Mapping
from optmap.model.outcome import Limits
from optmap.model.scope import Scope
from optmap.model.spreading_certificate import from_dict as spreading_from_dict

PRICE_FIELDS = ("schema", "kind", "units", "crossbars", "prices", "worth", "searched", "bound")
SPREADING_FIELDS = ("schema", "kind", "units", "capacity", "rounds", "bound")
COVER_FIELDS = ("schema", "kind", "metric", "pricing", "prices", "scale", "tiles", "bound")


class NotProvedError(ValueError):
    """A certificate was refuted, or not proved within the limits; the message says which."""


def _prices(data: dict[str, Any], mapping: Mapping, instance: Instance, limits: Limits) -> Bound:
    """Prove prices for the units of the mapping's decomposition again."""
    refuse_unknown(data, PRICE_FIELDS, "certificate")
    certificate, decomposition = from_dict(data), mapping.decomposition
    verdict = prove_again(certificate, decomposition, instance.platform, limits)
    if not verdict.holds:
        raise NotProvedError(f"not proved again: {verdict.why}")
    units = Scope(units=decomposition.identity)
    return Bound("clusters", "prices", certificate.bound, units, Grade.CERTIFIED)


def _cover(data: dict[str, Any], mapping: Mapping, instance: Instance, limits: Limits) -> Bound:
    """Price every set of whole neurons that fits a crossbar again; it takes a second or two."""
    refuse_unknown(data, COVER_FIELDS, "certificate")
    certificate = cover_from_dict(data)
    proved, why = prove_cover_again(certificate, instance.snn, instance.platform)
    if proved is None:
        raise NotProvedError(f"not proved again: {why}")
    whole = Scope(splits_above=instance.platform.max_rows)
    return Bound(certificate.metric, "cover", ceil(proved), whole, Grade.CERTIFIED)


def _spreading(data: dict[str, Any], mapping: Mapping, instance: Instance, limits: Limits) -> Bound:
    """Grow the trees of a spreading bound again, in whole numbers."""
    refuse_unknown(data, SPREADING_FIELDS, "certificate")
    certificate, decomposition = spreading_from_dict(data), mapping.decomposition
    try:
        proved = prove_spreading(certificate, decomposition, instance.platform)
    except ValueError as error:
        raise NotProvedError(f"not proved again: {error}") from None
    if proved < certificate.bound:
        raise NotProvedError(f"not proved again: it proves {proved}, not {certificate.bound}")
    units = Scope(units=decomposition.identity)
    return Bound("traffic", "spreading", certificate.bound, units, Grade.CERTIFIED)


#: Proves one kind of certificate again and returns the bound.
Prove = Callable[[dict[str, Any], Mapping, Instance, Limits], Bound]

#: Kind of certificate -> what proves it again.
PROVERS: dict[str, Prove] = {"prices": _prices, "cover": _cover, "spreading": _spreading}

#: Kind of certificate -> what reads it.
READERS: dict[str, Callable[[dict[str, Any]], Certificate]] = {
    "prices": from_dict,
    "cover": cover_from_dict,
    "spreading": spreading_from_dict,
}


def prove_certificate(
    data: dict[str, Any], mapping: Mapping, instance: Instance, limits: Limits
) -> Bound:
    """Return the bound that a certificate proves for a mapping's instance.

    Raises
    ------
    NotProvedError
        If it does not, or not within the limits.
    InputError
        If it is not well formed.
    """
    kind = data.get("kind") if isinstance(data, dict) else None
    if kind not in PROVERS:
        raise InputError("certificate", "kind", repr(kind), "one of " + ", ".join(PROVERS))
    proved = PROVERS[kind](data, mapping, instance, limits)
    if dumps(READERS[kind](data).to_json()) != dumps(data):  # 1.0 for 1, fields in another order
        raise InputError("certificate", "", "written otherwise than a run writes it", "as it is")
    return proved
