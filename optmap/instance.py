"""An instance: one network, one platform, one token mode, and where they come from.

An instance file is TOML::

    schema = 1
    name = "digits-mlp"
    network = "digits_mlp.nir"          # a file beside this one, a folder, or "gen:NAME"
    spikes = "digits_mlp_spikes.npz"    # optional: spikes per neuron and iteration
    platform = "platforms/dynap_se.toml"
    tokens = "dataflow"                 # or "pipelined"
    keep_zero_weights = false
    set = "default"                     # or "all": only run by `compare --all`; or "example"

    [encoding]                          # optional: lets `compare --encodings` change the code
    values = "digits_mlp_values.npz"    # what the inputs are shown, 0 to 1
    steps = 16                          # steps for which a value is shown
    seed = 0
    kind = "rate"                       # optional: the spikes are then simulated, not read
    dt = 0.0001                         # and reset, several, at_threshold: the neurons' convention

    [reading]                           # optional: what the files do not say (docs/networks.md)
    format = "edges"                    # and columns, spike_columns, spike_axes, spike_window
    columns = "pre_id,post_id,weight"

    [weight_bits]                       # optional: bits of weights, of populations and of the rest
    default = 8
    conv1 = 4

    [constraints]                       # optional: what a user demands (docs/constraints.md)
    pin = [{ neurons = "output", tile = 3 }]
    max_neurons = 64                    # and together, apart, min_neurons, balance

    [origin]
    text = "trained on scikit-learn's digits"
    licence = "MIT"
    generator = "scripts/train_digits_mlp.py"
    seed = 0

    [provenance]                        # free text: encoder, reset rule, accuracy, steps
    reset = "subtract"

Files are named relative to the instance file. The network is read when it is first asked for.
"""

from __future__ import annotations

import collections.abc
import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from optmap.beside import Beside
from optmap.errors import InputError, refuse_special
from optmap.generators.bit_planes import with_planes
from optmap.model.constraints import NONE, Constraints
from optmap.model.copies import side_by_side
from optmap.model.mapping import Mapping
from optmap.model.platform import TOKEN_MODES, Platform
from optmap.model.snn import SNN
from optmap.readers.constraints import read_constraints
from optmap.readers.options import AS_WRITTEN, ReadOptions, from_text, options_of
from optmap.readers.platforms import platform_of_file
from optmap.readers.ranc_cores import core_files
from optmap.readers.read import read_network
from optmap.shipped import instance_file, platform_file
from optmap.simulation.encode import ENCODERS
from optmap.toml_fields import Table, read_toml
from optmap.variants import parts_of, read_platform, short_name

if TYPE_CHECKING:
    from optmap.simulation.encoded import Encoding

SCHEMA = 1
SETS = ("default", "all", "example")
#: Bytes of a file that is read before it is hashed: what is no network is refused at once.
LARGE = 200_000_000


@dataclass(frozen=True, eq=False)
class Instance:
    """What a method is given.

    Parameters
    ----------
    name : str
        Unique within a run.
    network : str
        The path of a file or folder, or "gen:NAME".
    platform : Platform
        The hardware model.
    tokens : str
        ``dataflow`` or ``pipelined``.
    spikes : Path or None
        A file of spikes per neuron, where the network file has none.
    platform_file : Path or None
        Where ``platform`` was read from.
    file : Path or None
        The instance file.
    reading : ReadOptions
        What the files of network and spikes do not say of themselves.
    in_default_set : bool
        Whether `compare` runs it without ``--all``.
    is_example : bool
        Whether it is there to be looked at: run, but left out of means, since it asks nothing.
    encoding : Encoding or None
        How its inputs can be shown; where it names a code the spikes are simulated.
    weight_bits : mapping
        Bits of the weights by population, "default" for the others; empty: not known.
    origin, provenance : mapping
        What the file says about where the data comes from.
    constraints : Constraints
        What a mapping must do besides fitting the platform.
    windows : int
        How many windows of the network are mapped side by side (:mod:`optmap.model.copies`).
    bit_planes : str
        Whose neurons are bit planes (:mod:`optmap.generators.bit_planes`); empty: nobody's.
    """

    name: str
    network: str
    platform: Platform
    tokens: str = "dataflow"
    spikes: Path | None = None
    keep_zero_weights: bool = False
    in_default_set: bool = True
    is_example: bool = False
    platform_file: Path | None = None
    file: Path | None = None
    reading: ReadOptions = AS_WRITTEN
    encoding: Encoding | None = None
    weight_bits: collections.abc.Mapping[str, int] = field(default_factory=dict)
    origin: collections.abc.Mapping[str, str] = field(default_factory=dict)
    provenance: collections.abc.Mapping[str, str] = field(default_factory=dict)
    constraints: Constraints = NONE
    windows: int = 1
    bit_planes: str = ""

    def __post_init__(self) -> None:
        if self.tokens not in TOKEN_MODES:
            raise ValueError(f"token mode {self.tokens!r}: expected one of {TOKEN_MODES}")
        object.__setattr__(self, "weight_bits", MappingProxyType(dict(self.weight_bits)))
        object.__setattr__(self, "origin", MappingProxyType(dict(self.origin)))
        object.__setattr__(self, "provenance", MappingProxyType(dict(self.provenance)))

    @cached_property
    def snn(self) -> SNN:
        """The network, read on first use; InputError where it cannot be.

        With the widths of its weights, its inputs on cores where the platform has them so, and as
        many windows side by side as asked for.
        """
        snn = self.prepared(self._read())
        return side_by_side(
            with_planes(snn, self.bit_planes) if self.bit_planes else snn, self.windows
        )

    def prepared(self, snn: SNN) -> SNN:
        """Return a network as the instance and its platform want it."""
        if self.weight_bits:
            of = {name: bits for name, bits in self.weight_bits.items() if name != "default"}
            try:
                snn = snn.with_weight_bits(self.weight_bits.get("default"), of)
            except ValueError as error:
                file = str(self.file or self.network)
                raise InputError(file, "weight_bits", str(error), "bits by population") from None
        return snn.with_inputs_on_cores() if self.platform.inputs_on_cores else snn

    def _read(self) -> SNN:
        keep = self.keep_zero_weights
        if self.encoding is None or self.encoding.kind is None:
            return read_network(
                self.network, keep_zero_weights=keep, spikes=self.spikes, options=self.reading
            )
        from optmap.simulation.encoded import with_encoded_spikes  # here: slow to load

        snn = read_network(self.network, keep_zero_weights=keep, options=self.reading)
        return with_encoded_spikes(snn, Path(self.network), self.encoding)

    def encoded(self, kind: str) -> Instance:
        """Return the instance with its inputs in another code, named ``NAME@KIND``.

        Raises
        ------
        InputError
            If the code is unknown, or the instance does not say what its inputs are shown.
        """
        file = str(self.file or self.network)
        if kind not in ENCODERS:
            raise InputError(file, "encoding", repr(kind), "one of " + ", ".join(ENCODERS))
        if self.encoding is None:
            raise InputError(file, "encoding", "nothing", "values and steps, to encode")
        return replace(self, name=f"{self.name}@{kind}", encoding=replace(self.encoding, kind=kind))

    def on(self, platform: str) -> Instance:
        """Return the instance on another platform, named ``NAME@PLATFORM``; InputError without one.

        ``platform`` is a file or a shipped name, with changes after a colon (``dynap_se:rows=64``);
        what begins with a colon changes the instance's own platform.
        """
        spec = f"{self.platform_file}{platform}" if platform.startswith(":") else platform
        return replace(
            self,
            name=f"{self.name}@{short_name(platform).lstrip('-')}",
            platform=read_platform(spec, self.reading),
            platform_file=platform_file(parts_of(spec)[0]),
        )

    def placement(self) -> Mapping:
        """Return the mapping that the network came with; InputError if it came with none."""
        from optmap.readers.ranc import read_ranc  # here: slow to load

        if not Path(self.network).is_dir():
            raise InputError(self.network, "", "no placement", "a RANC folder, which has one")
        mapping = read_ranc(Path(self.network), parameters=self.reading.parameters).mapping()
        used = int(mapping.binding.tile_of.max(initial=-1)) + 1
        if used > self.platform.num_tiles:
            tiles = f"{self.platform.num_tiles} tiles"
            raise InputError(self.network, "", tiles, f"at least {used}, as the placement uses")
        return mapping

    def digest(self) -> str:
        """Return a SHA-256 of everything that can change a result: files, platform, token mode."""
        network, made = Path(self.network), self.network.startswith("gen:")
        if not made and network.is_file() and network.stat().st_size > LARGE:
            self.snn  # noqa: B018
        sha = hashlib.sha256()
        sha.update(f"{self.tokens} {self.keep_zero_weights} {self.platform!r}\n".encode())
        if self.platform.extras or self.weight_bits:
            sha.update(f"{self.platform.extras} {sorted(self.weight_bits.items())}\n".encode())
        if self.reading != AS_WRITTEN:
            sha.update(f"{self.reading.to_text()}\n".encode())
        if self.constraints:
            sha.update(f"{self.constraints!r}\n".encode())
        if self.windows != 1:
            sha.update(f"{self.windows} windows\n".encode())
        if self.bit_planes:
            sha.update(f"{self.bit_planes} bit planes\n".encode())
        if made:
            sha.update(self.network.encode())
        else:
            _add_file(sha, network)
        if self.encoding is not None and self.encoding.kind is not None:
            e = self.encoding
            sha.update(f"{e.kind} {e.steps} {e.seed} {e.convention}\n".encode())
            _add_file(sha, e.values)
        elif self.spikes is not None:
            _add_file(sha, self.spikes)
        return sha.hexdigest()


def _add_file(sha: hashlib._Hash, path: Path) -> None:
    for file in core_files(path) if path.is_dir() else [path]:
        refuse_special(file, "a file")
        try:
            with file.open("rb") as stream:
                sha.update(f"{file.name}\n".encode())
                for block in iter(lambda: stream.read(1 << 20), b""):
                    sha.update(block)
        except OSError as error:
            raise InputError(str(file), "", error.strerror or "unreadable", "a file") from None


def load(path: str | Path, encoding: str | None = None, *, allow_outside: bool = False) -> Instance:
    """Read an instance file (not yet its network).

    Parameters
    ----------
    path : str or Path
        The file, or the name of a shipped instance.
    encoding : str, optional
        Another code for its inputs; see :meth:`Instance.encoded`.
    allow_outside : bool
        Read files outside the instance file's folder, which a stranger's instance has no business
        to name; shipped instances and platforms are never outside.

    Raises
    ------
    InputError
        Naming the file, the field, what was found and what was expected.

    Examples
    --------
    >>> instance = load("instances/mlp_784_100_10.toml")
    >>> instance.snn.num_synapses, instance.tokens
    (79400, 'dataflow')
    """
    path = instance_file(path)
    top = read_toml(path)
    beside = Beside(path, allow_outside)
    schema = top.whole("schema", 1)
    if schema != SCHEMA:
        raise top.fail("schema", str(schema), str(SCHEMA))
    name, network = top.text("name"), top.text("network")
    if not name.isprintable() or not name or any(c in name for c in "/\\,"):
        raise top.fail("name", repr(name), "a printable name without slash or comma")
    if not network.startswith("gen:"):
        network = str(beside.file(top, "network", network))
    spikes = beside.file(top, "spikes", top.text("spikes")) if top.has("spikes") else None
    platform_file = beside.file(top, "platform", top.text("platform"))
    reading = options_of(top.table("reading"))
    instance = Instance(
        name=name,
        network=network,
        platform=platform_of_file(platform_file, reading),
        tokens=top.choice("tokens", TOKEN_MODES, "dataflow"),
        spikes=spikes,
        keep_zero_weights=top.flag("keep_zero_weights", False),
        in_default_set=top.choice("set", SETS, "default") != "all",
        is_example=top.choice("set", SETS, "default") == "example",
        platform_file=platform_file,
        file=path,
        reading=reading,
        encoding=_encoding(top, beside) if top.has("encoding") else None,
        weight_bits=top.table("weight_bits").wholes(1),
        origin=top.table("origin").texts(),
        provenance=top.table("provenance").texts(),
        constraints=read_constraints(top.table("constraints")),
    )
    top.close()
    return instance if encoding is None else instance.encoded(encoding)


def _encoding(top: Table, beside: Beside) -> Encoding:
    from optmap.simulation.encoded import encoding_of  # here: slow to load

    return encoding_of(top.table("encoding"), beside)


def assemble(
    network: str,
    platform: str,
    tokens: str = "dataflow",
    spikes: str | None = None,
    keep_zero_weights: bool = False,
    reading: str = "",
) -> Instance:
    """Return an instance of a network and a platform, without an instance file.

    Parameters
    ----------
    platform : str
        A platform file, or the name of a shipped platform, with changes after a colon.
    reading : str
        Options of reading as :meth:`ReadOptions.to_text` gives them.

    Raises
    ------
    InputError
        If the platform file is not right, or the network does not exist.
    """
    if not network.startswith("gen:") and not Path(network).exists():
        raise InputError(network, "", "no such file or folder", "a network, or gen:NAME")
    options = from_text(reading)
    return Instance(
        name=Path(network).stem,
        network=network,
        platform=read_platform(platform, options),
        tokens=tokens,
        spikes=None if spikes is None else Path(spikes),
        keep_zero_weights=keep_zero_weights,
        platform_file=platform_file(parts_of(platform)[0]),
        reading=options,
    )


def instance_files(paths: list[str | Path]) -> list[Path]:
    """Return the instance files that ``paths`` stand for: files, folders, shipped names.

    Raises
    ------
    InputError
        If a path does not exist or a folder has no instance file.
    """
    files: list[Path] = []
    for path in map(instance_file, paths):
        if path.is_dir():
            found = sorted(path.glob("*.toml"))
            if not found:
                raise InputError(str(path), "", "no *.toml file", "a folder of instance files")
            files += found
        elif path.exists():
            files.append(path)
        else:
            raise InputError(str(path), "", "no such file or folder", "an instance file or folder")
    return files
