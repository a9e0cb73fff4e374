"""What a caller of the library gives: a network, a chip, options of reading, constraints.

Each may be an object, a file or a name; here they become an instance, and its source as data.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from optmap.errors import InputError
from optmap.experiment.run.source import Source
from optmap.instance import Instance
from optmap.model.constraints import Constraints
from optmap.model.platform import Platform
from optmap.model.snn import SNN
from optmap.readers.constraints import as_constraints
from optmap.readers.options import AS_WRITTEN, Reading, as_options
from optmap.readers.spikes import with_spike_file
from optmap.shipped import instance_file, is_instance, platform_names
from optmap.variants import read_platform as platform_of

Network = str | Path | SNN | Instance
Chip = str | Path | Platform
Demands = Constraints | dict[str, object] | str | Path | None


def read_platform(name: str | Path, *, reading: Reading = None) -> Platform:
    """Return a platform: of a file (also SANA-FE's and SDF3's), or a shipped one by its name.

    Changes stand after a colon (:mod:`optmap.variants`).

    Parameters
    ----------
    name : str or Path
        The file or name.
    reading : ReadOptions or mapping, optional
        ``{"architecture": "rows=128,..."}``: what the file of another tool lacks.

    Raises
    ------
    InputError
        Naming the file, the field, what was found and what was expected.

    Examples
    --------
    >>> read_platform("dynap_se").num_tiles, read_platform("dynap_se:tiles=9").num_tiles
    (4, 9)
    """
    return platform_of(name, as_options(reading))


@dataclass(frozen=True, eq=False)
class _InMemory(Instance):
    """An instance whose network is an object, or whose platform is."""

    given: SNN | None = None

    @cached_property
    def snn(self) -> SNN:
        """The network that was given."""
        if self.given is None:
            return super().snn
        return self.prepared(self.given)

    def digest(self) -> str:
        """Return a SHA-256 of the network's content, the platform and the token mode."""
        if self.given is None:
            return super().digest()
        sha = hashlib.sha256(f"{self.tokens} {self.platform!r}\n".encode())
        if self.constraints:
            sha.update(f"{self.constraints!r}\n".encode())
        for array in (self.given.indptr, self.given.indices, self.given.spikes):
            sha.update(array.tobytes())
        if self.platform.extras or self.given.weight_bits is not None:
            sha.update(f"{self.platform.extras}\n".encode())
            if self.given.weight_bits is not None:
                sha.update(self.given.weight_bits.tobytes())
        return sha.hexdigest()


def instance_of(
    network: Network,
    platform: Chip | None = None,
    *,
    tokens: str = "dataflow",
    spikes: str | None = None,
    reading: Reading = None,
) -> tuple[Instance, Source]:
    """Return what a network on a platform is as an instance, and how it could be loaded again.

    Parameters
    ----------
    network : str, Path, SNN or Instance
        An instance (object, TOML file, shipped name) brings its platform, in place of which another
        can be given as text; a network (object, file, folder, "gen:NAME") needs one.
    platform : str, Path or Platform, optional
        A platform object, a file, or the name of a shipped one.
    reading : ReadOptions or mapping, optional
        What the files do not say of themselves, as on the command line:
        ``{"format": "edges", "columns": "pre,post", "spike_axes": "TN"}``.

    Raises
    ------
    InputError
        If the platform is missing, or an object for an instance, or a file is not right.
    """
    if not isinstance(network, str | Path | SNN | Instance):
        expected = "an SNN, an Instance, a file, a shipped name or gen:NAME"
        raise InputError("network", "", type(network).__name__, expected)
    options = as_options(reading)
    told = options != AS_WRITTEN
    if isinstance(network, Instance) or is_instance(str(network)):
        if isinstance(platform, Platform) or spikes is not None or told:
            found = "an instance with spikes, reading options or a Platform object"
            raise InputError(str(network), "", found, "at most another platform's name")
        spec = None if platform is None else str(platform)
        if isinstance(network, Instance):
            file = None if network.file is None else str(network.file)
            source = Source() if file is None else Source(file=file, platform=spec)
            return network if spec is None else network.on(spec), source
        source = Source(file=str(network), platform=spec)
        return source.load(), source
    if platform is None:
        if not isinstance(network, SNN) and ":" not in str(network):
            instance_file(network)  # says what is wrong with a name that is neither
        expected = f"a Platform, a platform file, or {platform_names()}"
        raise InputError("platform", "", "nothing", expected)
    if not isinstance(network, SNN) and not isinstance(platform, Platform):
        text = options.to_text()
        source = Source(
            network=str(network), platform=str(platform), tokens=tokens, spikes=spikes, reading=text
        )
        return source.load(), source
    chip = platform if isinstance(platform, Platform) else read_platform(platform, reading=options)
    path = None if spikes is None else Path(spikes)
    if isinstance(network, SNN):
        if path is not None:
            network = with_spike_file(network, path, options=options)
        return _InMemory("network", "memory", chip, tokens, given=network), Source()
    name = Path(network).stem
    return _InMemory(name, str(network), chip, tokens, path, reading=options), Source()


def demanded(instance: Instance, source: Source, constraints: Demands) -> tuple[Instance, Source]:
    """Return both with constraints of the caller in place of the instance's own."""
    if constraints is None:
        return instance, source
    file = str(constraints) if isinstance(constraints, str | Path) else None
    return replace(instance, constraints=as_constraints(constraints)), replace(
        source, constraints=file
    )
