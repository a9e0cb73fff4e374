"""Kept machine code of kernels, called without numba: loading numba takes a third of a second.

Numba keeps of every kernel the object code, in which a function takes Python's arguments and
returns Python's result. Beside it a file of ours keeps the same code, with what numba's own files
need numba for: which arguments it is for, and what the code looks up while it runs. numba's
libraries in C, which the code calls, are loaded without the package.

Nothing is guessed: code is used for the kernel and for arguments of the very types that it was made
for, by the versions and on the processor that it was made by and for, from sources of the same
content, as it was written, from a folder that nobody else writes to, and only where every symbol
that it calls is known. Else numba does it.
"""

from __future__ import annotations

import builtins
import ctypes
import hashlib
import importlib.machinery
import importlib.util
import os
import pickle
import stat
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

#: What Python's values are as arguments; types not listed are looked into, or left to numba.
SCALARS: dict[type, str] = {
    bool: "|b1",
    np.bool_: "|b1",
    float: "<f8",
    np.float64: "<f8",
    np.int64: "<i8",
    np.int32: "<i4",
    type(None): "None",
}
#: numba's libraries in C that machine code calls, and how their functions are called there.
LIBRARIES = (
    ("numba._helperlib", "numba_"),
    ("numba.core.runtime._nrt_python", "NRT_"),
    ("numba._dynfunc", "numba_"),
)
#: Releases of numba whose libraries are called here as their own package calls them: any other's
#: code is left to it, until somebody has looked.
RELEASES = ("0.68",)
#: The first bytes of object code whose symbols :func:`wanted_symbols` reads: ELF, 64 bits, little.
ELF = b"\x7fELF\x02\x01"
#: How a section of symbols is marked there, and the bytes of a symbol.
SYMBOL_TABLE, SYMBOL_BYTES = 2, 24
#: When this process began, a little earlier: clocks of files lag. Sources that have changed since
#: may not be those that its functions were read from.
BEGAN = time.time() - 0.05
#: Bytes of the digest at the beginning of a file.
DIGEST_BYTES = 32


class UnknownKindError(TypeError):
    """A value whose kind is not described here: numba knows it."""


class Code(NamedTuple):
    """A kernel's machine code for arguments of one kind.

    Parameters
    ----------
    made_by : tuple
        :func:`maker` of the process that made it.
    sources : tuple
        :func:`folder_stamp` of the folder of the kernel's source.
    kernel : str
        :func:`name_of` the kernel.
    kind : str
        What :func:`kind_of` says of the arguments.
    entry : str
        The symbol of the function that Python calls.
    symbols, mathematics : tuples of str
        The symbols that the code calls; those that numba takes from its own library.
    module : str
        Where the kernel is.
    constants : tuple of (str, tuple)
        Where the kernel, first, and what it calls look for their environment, and the constants of
        that, which they look up while they run.
    machine_code : bytes
        An object file.
    """

    made_by: tuple[Any, ...]
    sources: tuple[Any, ...]
    kernel: str
    kind: str
    entry: str
    symbols: tuple[str, ...]
    mathematics: tuple[str, ...]
    module: str
    constants: tuple[tuple[str, tuple[Any, ...]], ...]
    machine_code: bytes


def name_of(function: Callable[..., Any]) -> str:
    """Return how a kernel's files are called, as ``module.function-line``."""
    code = function.__code__
    return f"{Path(code.co_filename).stem}.{function.__qualname__}-{code.co_firstlineno}"


def source_files(folder: Path) -> list[Path]:
    """Return the Python files of a folder and the packages in it: kernels call no others."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if Path(place, f, "__init__.py").exists()]
        found += (Path(place, f) for f in files if f.endswith(".py"))
    return sorted(found)


def folder_stamp(folder: Path) -> tuple[tuple[str, str], ...]:
    """Return name and digest of every file whose change may change the code of a folder's kernels.

    Where one has changed since this process began, the stamp fits no other: nobody knows whether
    the functions in memory are those of the file.
    """
    files, times = source_files(folder), []
    for file in files:
        status = file.stat()
        times.append((status.st_mtime_ns, status.st_ctime_ns, status.st_size))
    stamp: tuple[tuple[str, str], ...] = _stamp(folder, tuple(files), tuple(times))
    return stamp


@cache
def _stamp(
    folder: Path, files: tuple[Path, ...], times: tuple[tuple[int, int, int], ...]
) -> tuple[tuple[str, str], ...]:
    if any(max(changed[:2]) > BEGAN * 1e9 for changed in times):
        return (("changed since", os.urandom(8).hex()),)
    return tuple(
        (str(file.relative_to(folder)), hashlib.sha256(file.read_bytes()).hexdigest())
        for file in files
    )


@cache
def is_trusted(folder: Path) -> bool:
    """Tell whether code in a folder is ours: else somebody might have put his own there.

    It belongs to the user, to root or to who has installed optmap, and not all may write there.
    """
    if not hasattr(os, "geteuid"):
        return True
    try:
        status, package = folder.stat(), Path(__file__).stat()
    except OSError:
        return False
    return not status.st_mode & stat.S_IWOTH and status.st_uid in {os.geteuid(), 0, package.st_uid}


def form_of(value: Any) -> Any:
    """Return what is looked up quickly: values of one form are of one kind (but huge integers)."""
    of = type(value)
    if of is np.ndarray:
        return value.dtype, value.ndim, value.flags.num
    if issubclass(of, tuple):
        return of, *map(form_of, value)
    return of


def kind_of(value: Any) -> str:
    """Return a text that is equal for two values only if numba sees one type in both.

    Raises
    ------
    UnknownKindError
        If it is none of the kinds that kernels are given most.
    """
    of = type(value)
    if of is np.ndarray:
        flags = value.flags
        if value.dtype.names or not flags.aligned:
            raise UnknownKindError(value.dtype)
        layout = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"
        return f"{value.dtype.str}{value.ndim}{layout}{'' if flags.writeable else 'r'}"
    if of is int:
        if -(2**63) <= value < 2**63:
            return "<i8"
    elif of in SCALARS:
        return SCALARS[of]
    elif isinstance(value, tuple):
        name = f"{of.__module__}.{of.__qualname__}" if hasattr(value, "_fields") else ""
        if name or of is tuple:
            return f"{name}({','.join(map(kind_of, value))})"
    raise UnknownKindError(of)


def wanted_symbols(machine_code: bytes) -> tuple[str, ...]:
    """Return the symbols that an object file calls, and does not have.

    Raises
    ------
    UnknownKindError
        If it is no file of the kind that is read here.
    """
    if machine_code[: len(ELF)] != ELF:
        raise UnknownKindError("object file")
    (sections,) = struct.unpack_from("<Q", machine_code, 40)
    size, number = struct.unpack_from("<HH", machine_code, 58)
    headers = [
        struct.unpack_from("<IIQQQQII", machine_code, sections + size * n) for n in range(number)
    ]
    found = set()
    for _, kind, _, _, begin, length, names, _ in headers:
        if kind != SYMBOL_TABLE:
            continue
        for entry in range(begin, begin + length, SYMBOL_BYTES):
            name, _, _, section = struct.unpack_from("<IBBH", machine_code, entry)
            at = headers[names][4] + name
            if name and section == 0:
                found.add(machine_code[at : machine_code.index(b"\0", at)].decode())
    return tuple(sorted(found))


@cache
def maker() -> tuple[Any, ...]:
    """Return what must be the same for code to be used: versions and the processor.

    Raises
    ------
    ImportError
        Without numba or llvmlite, or if numba is none of RELEASES.
    """
    import llvmlite
    from llvmlite import binding

    found = importlib.util.find_spec("numba")
    if found is None or found.origin is None:
        raise ImportError("numba")
    installed = Path(found.origin).parents[1]
    names = sorted(found.name for found in installed.glob("numba-*.dist-info"))
    if not any(name.startswith(f"numba-{release}.") for name in names for release in RELEASES):
        raise ImportError(f"numba {', '.join(RELEASES)}")
    package = os.stat(found.origin)
    processor = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
    versions = sys.version, np.__version__, llvmlite.__version__
    return (*versions, *names, found.origin, package.st_mtime_ns, package.st_size, *processor)


def code_file(folder: Path, kernel: str, kind: str) -> Path:
    """Return where a kernel's code for arguments of a kind is kept."""
    python = f"{sys.implementation.name[0]}{sys.version_info[0]}{sys.version_info[1]}"
    return folder / f"{kernel}.{python}.{hashlib.sha256(kind.encode()).hexdigest()[:16]}.code"


def keep(code: Code, file: Path) -> None:
    """Write code to a file; nothing happens where that cannot be done."""
    made = file.with_name(f"{file.name}.{os.urandom(6).hex()}")
    content = pickle.dumps(code, protocol=pickle.HIGHEST_PROTOCOL)
    try:
        made.write_bytes(hashlib.sha256(content).digest() + content)
        os.replace(made, file)
    except OSError:
        with suppress(OSError):
            made.unlink()


def read(file: Path) -> Code | None:
    """Return what a file keeps; None where that is not what was written, or of another version."""
    try:
        kept = file.read_bytes()
        digest, content = kept[:DIGEST_BYTES], kept[DIGEST_BYTES:]
        if hashlib.sha256(content).digest() != digest:
            return None
        code = pickle.loads(content)
    except (OSError, AttributeError, ImportError, TypeError):
        return None
    return code if isinstance(code, Code) else None


@cache
def load(folders: tuple[Path, ...], kernel: str, kind: str, sources: tuple[Any, ...]) -> Any:
    """Return the kept function for arguments of a kind; None if there is none to be used."""
    for folder in filter(is_trusted, folders):
        code = read(code_file(folder, kernel, kind))
        if code is None or (code.kernel, code.kind, code.sources) != (kernel, kind, sources):
            continue
        with suppress(ImportError, OSError, RuntimeError):
            if code.made_by == maker():
                return _function(code)
    return None


def _function(code: Code) -> Callable[..., Any] | None:
    """Make machine code callable; None where it calls what is not known here."""
    from llvmlite import binding

    dynamic, helpers = _libraries()["numba._dynfunc"], _libraries()["numba._helperlib"].c_helpers
    for symbol in code.mathematics:
        binding.add_symbol(symbol, helpers[symbol])
    machine = _target().create_target_machine(jit=True)  # the engine's own: it ends with it
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
    # what is not found when code is made ready ends the process: it is asked for before
    if not all(map(binding.address_of_symbol, code.symbols)):
        return None
    engine.add_object_file(binding.ObjectFileRef.from_data(code.machine_code))
    engine.finalize_object()
    address = engine.get_function_address(code.entry)
    if not address:
        return None
    module = importlib.import_module(code.module)
    environments = []
    for symbol, constants in code.constants:
        environments.append(dynamic.Environment(vars(module)))
        environments[-1].consts.extend(constants)
        place = engine.get_global_value_address(symbol)
        if place:
            ctypes.c_void_p.from_address(place).value = id(environments[-1])
    made: Callable[..., Any] = dynamic.make_function(
        module, code.entry, "kept machine code", address, environments[0], (engine, *environments)
    )
    return made


@cache
def _target() -> Any:
    from llvmlite import binding

    for prepare in ("initialize_native_target", "initialize_native_asmprinter"):
        getattr(binding, prepare)()
    return binding.Target.from_default_triple()


@cache
def _libraries() -> dict[str, ModuleType]:
    """Load numba's libraries in C, without the package, and name their functions to LLVM."""
    from llvmlite import binding

    root = Path(str(importlib.util.find_spec("numba").origin)).parent  # type: ignore[union-attr]  # maker asked
    found = {}
    for name, prefix in LIBRARIES:
        found[name] = _library(name, root)
        for short, address in getattr(found[name], "c_helpers", {}).items():
            symbol = short if short.startswith("_") and prefix == "NRT_" else f"{prefix}{short}"
            binding.add_symbol(symbol, address)
    binding.add_symbol("_Py_NoneStruct", id(None))
    for value in vars(builtins).values():
        if isinstance(value, type) and issubclass(value, BaseException):
            binding.add_symbol(f"PyExc_{value.__name__}", id(value))
    runtime = found["numba.core.runtime._nrt_python"]
    # numba has it as code of its own, which does the same
    binding.add_symbol("NRT_MemInfo_data_fast", runtime.c_helpers["MemInfo_data"])
    runtime.memsys_use_cpython_allocator()
    _let_constants_be_read()
    return found


def _let_constants_be_read() -> None:
    """Let the code read constants that are kept as bytes: numba's library asks the package."""
    if "numba" in sys.modules:
        return
    known: dict[tuple[int, bytes], Any] = {}

    def read(address: int, kept: bytes, digest: bytes) -> Any:
        """Return a constant, made once: what numba's function of the same place does."""
        if (address, digest) not in known:
            known[address, digest] = pickle.loads(kept)
        return known[address, digest]

    helpers = _library("numba._helperlib", Path()).c_helpers
    ask = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)
    stand_ins = {name: ModuleType(name) for name in ("numba", "numba.core.serialize")}
    for stand_in in stand_ins.values():
        stand_in._numba_unpickle = read  # type: ignore[attr-defined]  # what the library looks for
    sys.modules.update(stand_ins)
    try:  # it keeps what it finds
        nothing = pickle.dumps(None)
        ask(helpers["unpickle"])(nothing, len(nothing), bytes(20))
    finally:
        for name in stand_ins:
            del sys.modules[name]


def _library(name: str, root: Path) -> ModuleType:
    """Return one of numba's libraries; numba finds it loaded, should it be imported later."""
    if name in sys.modules:
        return sys.modules[name]
    folder = root.joinpath(*name.split(".")[1:-1])
    spec = importlib.machinery.PathFinder.find_spec(name, [str(folder)])
    if spec is None or spec.loader is None:
        raise ImportError(name)
    library = importlib.util.module_from_spec(spec)
    sys.modules[name] = library
    spec.loader.exec_module(library)
    return library
