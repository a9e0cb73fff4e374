"""Where an instance comes from, as data: what jobs, rows and mapping files say of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from optmap.errors import InputError, refuse_unknown
from optmap.generators.bit_planes import on_one_bit_cells, planes_asked
from optmap.instance import Instance, assemble, load
from optmap.readers.constraints import load_constraints
from optmap.shipped import instance_file, platform_file, shipped_instances, shipped_platforms
from optmap.variants import parts_of, short_name, with_changes

#: Fields that name something on this disk.
_PATHS = ("file", "network", "platform", "spikes", "constraints")


@dataclass(frozen=True, slots=True)
class Source:
    """An instance file, or a network with a platform file; both may be shipped ones, by name.

    Parameters
    ----------
    file : str, optional
        The instance file; then only ``encoding``, ``platform`` (another one for it, see
        ``Instance.on``), ``allow_outside`` and ``constraints`` count.
    encoding : str, optional
        Another code for the inputs of the instance file; see ``Instance.encoded``.
    network, platform : str, optional
        A network ("gen:NAME", a file or a folder) and a platform, without an instance file: its
        file or name, with changes after a colon (:mod:`optmap.variants`).
    named_with_platform : bool
        Whether the name of such an instance says its platform, since it meets several.
    tokens : str
        Token mode of such an instance.
    spikes : str, optional
        Its file of spikes.
    keep_zero_weights : bool
        Whether its synapses of weight zero count.
    reading : str
        What its files do not say of themselves, as ``ReadOptions.to_text`` gives it.
    allow_outside : bool
        Whether the instance file may name files outside its folder.
    constraints : str, optional
        A file of constraints, beside those of the instance file: then it stands in their place.
    windows : int
        How many windows are mapped side by side (:mod:`optmap.model.copies`).
    bit_planes : str
        Whose neurons are bit planes, on cells of one bit (:mod:`optmap.generators.bit_planes`).
    """

    file: str | None = None
    encoding: str | None = None
    network: str | None = None
    platform: str | None = None
    named_with_platform: bool = False
    tokens: str = "dataflow"
    spikes: str | None = None
    keep_zero_weights: bool = False
    reading: str = ""
    allow_outside: bool = False
    constraints: str | None = None
    windows: int = 1
    bit_planes: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields that say something."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        default = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in given.items() if value != default[name]}

    @classmethod
    def from_json(cls, data: object, where: str = "source") -> Source:
        """Read a source back; InputError, naming ``where``, if it is none."""
        made_from = "what the mapping was made from: file, or network and platform"
        if not isinstance(data, Mapping) or not data:
            raise InputError(where, "source", repr(data)[:80], made_from)
        kinds = {"bool": bool, "int": int}
        types = {field.name: kinds.get(str(field.type), str) for field in fields(cls)}
        refuse_unknown(data, tuple(types), where, "source.")
        known = {name: value for name, value in data.items() if value is not None}
        for name, value in known.items():
            if not isinstance(value, types[name]) or (types[name] is int and value is True):
                expected = types[name].__name__
                raise InputError(where, f"source.{name}", repr(value)[:80], expected)
        source = cls(**known)
        for name in ("network", "platform"):
            if source.file is None and getattr(source, name) is None:
                raise InputError(where, "source", f"no file and no {name}", made_from)
        return source

    def paths(self) -> dict[str, str]:
        """Return the fields that name something on this disk."""
        named = {name: getattr(self, name) for name in _PATHS}
        named["platform"] = None if self.platform is None else parts_of(self.platform)[0] or None
        given = {n: p for n, p in named.items() if p is not None and not p.startswith("gen:")}
        if given.get("platform") in shipped_platforms():
            given["platform"] = str(platform_file(given["platform"]))
        if given.get("file") in shipped_instances():
            given["file"] = str(instance_file(given["file"]))
        return given

    def tidy(self) -> Source:
        """Return the source with what counts alone, and paths as Path writes them: no ``./``."""
        counts = self
        if self.file is not None:
            counts = replace(
                self,
                network=None,
                tokens="dataflow",
                spikes=None,
                keep_zero_weights=False,
                reading="",
            )
        return counts.with_paths({name: str(Path(p)) for name, p in counts._own_paths().items()})

    def missing(self) -> tuple[str, str] | None:
        """Return the first field that names nothing on this disk, and what it says."""
        return next(((n, p) for n, p in self.paths().items() if not Path(p).exists()), None)

    def seen_from(self, folder: Path) -> Source:
        """Return the source with relative paths that lie under ``folder`` joined to it."""
        below = {n: folder / p for n, p in self.paths().items() if not Path(p).is_absolute()}
        return self.with_paths({n: str(p) for n, p in below.items() if p.exists()})

    def relative_to(self, folder: Path) -> Source:
        """Return the source with its relative paths as they are seen from ``folder``."""
        own = {n: p for n, p in self._own_paths().items() if not Path(p).is_absolute()}
        return self.with_paths({n: os.path.relpath(p, folder) for n, p in own.items()})

    def _own_paths(self) -> dict[str, str]:
        """Return the paths that are written out, not those of what is shipped."""
        return {n: p for n, p in self.paths().items() if (getattr(self, n) or "").startswith(p)}

    def with_paths(self, paths: dict[str, str]) -> Source:
        """Return the source with other paths; what is changed of its platform stays."""
        if "platform" in paths and self.platform is not None:
            changes = parts_of(self.platform)[1]
            paths = {**paths, "platform": with_changes(paths["platform"], changes)}
        changed: dict[str, Any] = {**paths}
        return replace(self, **changed)

    def load(self) -> Instance:
        """Return the instance; its network is read when it is first asked for.

        Raises
        ------
        InputError
            If a file is not there or not right.
        """
        found = self._loaded()
        if self.windows != 1:
            found = replace(found, name=f"{found.name}*{self.windows}", windows=self.windows)
        if self.bit_planes:
            found = _in_planes(found, self.bit_planes)
        if self.constraints is None:
            return found
        return replace(found, constraints=load_constraints(self.constraints))

    def _loaded(self) -> Instance:
        if self.file is not None:
            found = load(self.file, self.encoding, allow_outside=self.allow_outside)
            return found if self.platform is None else found.on(self.platform)
        if self.network is None or self.platform is None:
            raise InputError("source", "", repr(self)[:80], "file, or network and platform")
        made = assemble(
            self.network,
            self.platform,
            self.tokens,
            self.spikes,
            self.keep_zero_weights,
            self.reading,
        )
        if not self.named_with_platform:
            return made
        return replace(made, name=f"{made.name}@{short_name(self.platform)}")


def _in_planes(instance: Instance, asked: str) -> Instance:
    """Return an instance with neurons as bit planes, its crossbars' cells of one bit."""
    bits, _ = planes_asked(asked)
    return replace(
        instance,
        name=f"{instance.name}+planes{asked}",
        platform=on_one_bit_cells(instance.platform, bits),
        bit_planes=asked,
    )
