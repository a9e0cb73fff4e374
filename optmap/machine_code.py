"""What numba makes of a kernel: code that is kept, compiled once for all processes and all callers.

Numba alone compiles every function that a kernel calls, and its own for arrays, as if Python
called it: optimised by itself, made machine code, wrapped for Python; what calls it optimises a
copy of it again. Here a function inside another stays LLVM's intermediate code until the kernel
that Python calls is complete, and the whole is optimised once (:class:`LateLibrary`).
"""

# mypy: disable-error-code="no-untyped-call"
# (numba is typed in part)

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import scipy.linalg  # noqa: F401  numba loads it in the first call of any kernel; better here
from llvmlite import binding
from numba import njit
from numba.core import codegen, event, types
from numba.core.intrinsics import INTR_MATH
from numba.core.registry import cpu_target
from numba.np.numpy_support import as_dtype

from optmap import ready_code
from optmap.numba_ways import compare_quickly, index_plainly, remember_types
from optmap.ready_code import folder_stamp, is_trusted, name_of

try:
    import fcntl
except ImportError:  # Windows: processes may compile the same kernel twice
    fcntl = None  # type: ignore[assignment]  # a module elsewhere; asked for before it is used

#: Tells this process's code files from those of others.
PROCESS = uuid4().hex[:12]

#: Other threads run while a kernel does; no C program calls one, so no entry is compiled for it.
OPTIONS = {"nogil": True, "no_cfunc_wrapper": True}

#: Its types know no no_cfunc_wrapper.
_JIT: Any = njit

#: Seconds that a process waits for another that compiles the same kernel, at most, and looks again.
PATIENCE_S, LOOK_AGAIN_S = 120.0, 0.02


def for_python(function: Callable[..., Any]) -> Any:
    """Return numba's form of a function that Python calls, its code kept where that can be."""
    _compile_late()
    try:
        kernel = _JIT(cache=True, **OPTIONS)(function)
    except RuntimeError:
        return _JIT(**OPTIONS)(function)
    file = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    if file is None:
        return kernel
    if not is_trusted(Path(file._index_path).parent):
        return _JIT(**OPTIONS)(function)
    # numba takes kept code for current when the kernel's own file has not changed, although
    # the code holds the kernels it calls, from other files: the whole folder's stamp is right.
    file._source_stamp = folder_stamp(Path(function.__code__.co_filename).parent)
    # an index names the types it has code for; one that an earlier version had and this one
    # has not cannot be loaded, and would end the process
    file._load_index = partial(_index_or_none, file._load_index)
    # numba numbers code files 1, 2, ... in an index. Two processes that compile at once, for
    # different types, would both write number 1, and the index would then name the wrong code.
    name = file._data_name_pattern
    file._data_name_pattern = name.replace(".{number", f".{PROCESS}-{{number")
    kept = ReadyToo(kernel._cache, Path(file._index_path).parent, function)
    kernel._cache = CodeOfAll(kept, Path(f"{file._index_path}.lock"))
    kernel.compile = partial(_compile_and_release, kernel.compile, kernel._cache)
    return kernel


def inside(function: Callable[..., Any], borrows: bool = False) -> Any:
    """Return numba's form of a function as other kernels call it.

    A constant is no type of its own: what is called with 0 and with a number is compiled once.
    What only ``borrows`` arrays is compiled without numba's counting of references.
    """
    uncounted = {"_nrt": False} if borrows else {}
    kernel = _JIT(no_cpython_wrapper=True, **uncounted, **OPTIONS)(function)
    resolve = kernel.get_call_template

    def get_call_template(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        given = tuple(map(types.unliteral, args))
        template = resolve(given, kws)
        if borrows and given in kernel.overloads:
            _refuse_arrays(function.__qualname__, kernel.overloads[given].signature.return_type)
        return template

    kernel.get_call_template = get_call_template
    return kernel


def _refuse_arrays(name: str, result: Any) -> None:
    """Raise TypeError where a kernel that only borrows arrays would hand one on, uncounted."""
    if isinstance(result, types.BaseTuple):
        parts: Any = result
        for part in parts:
            _refuse_arrays(name, part)
    elif not isinstance(result, (types.Number, types.Boolean, types.NoneType)):
        raise TypeError(f"kernel {name} only borrows arrays, but returns {result}")


def _index_or_none(load: Callable[[], Any]) -> Any:
    """Return an index of kept code, empty where it is of another version."""
    try:
        return load()
    except (AttributeError, ImportError):
        return {}


class CodeOfAll:
    """A kernel's kept code; who compiles it holds a lock, and others wait and load what he made.

    The system opens the lock of a process that is killed; where none can be had nobody waits.
    """

    def __init__(self, kept: Any, lock: Path) -> None:
        self.kept, self.lock = kept, lock
        self.held: int | None = None

    def load_overload(self, types_of_call: Any, target: Any) -> Any:
        """Return the code for some types; None: there is none, and nobody else is compiling it."""
        found = self.kept.load_overload(types_of_call, target)
        if found is None and self.held is None:
            self._wait()
            found = self.kept.load_overload(types_of_call, target)
        return found

    def _wait(self) -> None:
        """Take the lock, later if another process has it; not at all where it cannot be had."""
        if fcntl is None:
            return
        with suppress(OSError):
            self.held = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end:
                with suppress(BlockingIOError):
                    fcntl.flock(self.held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return
                time.sleep(LOOK_AGAIN_S)

    def release(self) -> None:
        """Let others compile, or load what was compiled."""
        if self.held is not None:
            os.close(self.held)
            self.held = None

    def __getattr__(self, name: str) -> Any:
        """Return what numba's own form has."""
        return getattr(self.kept, name)


class ReadyToo:
    """A kernel's kept code, kept as well for those who have not loaded numba."""

    def __init__(self, kept: Any, folder: Path, function: Callable[..., Any]) -> None:
        self.kept, self.folder, self.function = kept, folder, function

    def save_overload(self, signature: Any, made: Any) -> None:
        """Keep code that was compiled."""
        self.kept.save_overload(signature, made)
        self._keep(made)

    def load_overload(self, types_of_call: Any, target: Any) -> Any:
        """Return numba's code for some types; whoever comes later needs no numba for it."""
        found = self.kept.load_overload(types_of_call, target)
        if found is not None:
            self._keep(found)
            with suppress(OSError):  # of the same sources, though they be newer: it is current
                os.utime(self.kept._cache_file._index_path)
        return found

    def _keep(self, made: Any) -> None:
        code = ready(made, self.function)
        if code is None:
            return
        file = ready_code.code_file(self.folder, code.kernel, code.kind)
        known = ready_code.read(file)
        if known is None or known[:2] != code[:2]:  # made by another, or from other sources
            ready_code.keep(code, file)

    def __getattr__(self, name: str) -> Any:
        """Return what numba's own form has."""
        return getattr(self.kept, name)


def _compile_and_release(compile_or_load: Callable[[Any], Any], code: CodeOfAll, key: Any) -> Any:
    """Compile a kernel or load its code; in the end its lock is open."""
    try:
        return compile_or_load(key)
    finally:
        code.release()


def ready(made: Any, function: Callable[..., Any]) -> ready_code.Code | None:
    """Return what numba compiled as code that is called without it; None where that cannot be."""
    machine_code = None
    if isinstance(made.library, LateLibrary):
        machine_code, made.library.loaded = made.library.loaded, None
    if machine_code is None:
        _, _, (machine_code, _) = made.library.serialize_using_object_code()
    if made.reload_init or made.lifted:
        return None
    try:
        made_by = ready_code.maker()
        kind = f"({','.join(map(kind_of_type, made.signature.args))})"
        symbols = ready_code.wanted_symbols(machine_code)
    except (ImportError, ready_code.UnknownKindError):
        return None
    own = made.environment
    others = made.referenced_envs or made._find_referenced_environments()
    environments = [own, *(other for other in others if other is not own)]
    return ready_code.Code(
        made_by,
        folder_stamp(Path(function.__code__.co_filename).parent),
        name_of(function),
        kind,
        made.fndesc.llvm_cpython_wrapper_name,
        symbols,
        tuple(symbol for symbol in symbols if symbol in INTR_MATH),
        own.globals["__name__"],
        tuple((environment.env_name, tuple(environment.consts)) for environment in environments),
        machine_code,
    )


def kind_of_type(of: Any) -> str:
    """Return what :func:`optmap.ready_code.kind_of` says of values of one of numba's types."""
    if of in (types.boolean, types.none, types.int32, types.int64, types.float64):
        return "None" if of is types.none else str(as_dtype(of).str)
    if type(of) is types.Array and of.aligned:
        return f"{as_dtype(of.dtype).str}{of.ndim}{of.layout}{'' if of.mutable else 'r'}"
    if isinstance(of, types.BaseTuple):
        parts: Any = of
        made_by = getattr(parts, "instance_class", None)
        name = f"{made_by.__module__}.{made_by.__qualname__}" if made_by else ""
        return f"{name}({','.join(map(kind_of_type, parts))})"
    raise ready_code.UnknownKindError(of)


class Nesting(event.Listener):
    """Counts how deep inside the compilation of a kernel numba is; no garbage is sought there.

    What compiling makes it keeps; looking through it over and over takes a sixth of the time.
    """

    def __init__(self) -> None:
        self.depth, self.collected = 0, False

    def on_start(self, event: event.Event) -> None:
        """Go one deeper."""
        if self.depth == 0:
            self.collected = gc.isenabled()
            gc.disable()
        self.depth += 1

    def on_end(self, event: event.Event) -> None:
        """Come back, also from what failed."""
        self.depth -= 1
        if self.depth == 0 and self.collected:
            gc.enable()


NESTING = Nesting()


class LateLibrary(codegen.JITCodeLibrary):
    """The code of a function: machine code at once where Python calls it, with the caller else."""

    loaded: bytes | None = None

    def _set_compiled_object(self, value: bytes) -> None:
        """Note code that was kept, and what it was."""
        self.loaded = value
        super()._set_compiled_object(value)

    def get_pointer_to_function(self, name: str) -> int:
        """Return where the function's entry for Python is; 0: it has none."""
        if not self._finalized and NESTING.depth > 1:
            return 0
        return int(super().get_pointer_to_function(name))

    def add_linking_library(self, library: Any) -> None:
        """Note a library whose functions this one calls."""
        if not isinstance(library, LateLibrary):
            library._ensure_finalized()
        self._linking_libraries.append(library)

    def _optimize_functions(self, module: Any) -> None:
        """Leave it to the whole: there every function is optimised again."""
        module.data_layout = self._codegen._data_layout

    def _get_module_for_linking(self) -> Any:
        """Return the functions, as often as they are linked, for what calls them."""
        if self._finalized:
            return super()._get_module_for_linking()
        module = self._final_module.clone()
        for function in module.functions:
            if not function.is_declaration and function.linkage == binding.Linkage.external:
                function.linkage = "linkonce_odr"
        return module

    def finalize(self) -> None:
        """Link all that is called, directly or not, optimise it and make machine code of it."""
        called: dict[Any, None] = {}

        def collect(library: Any) -> None:
            for other in library._linking_libraries:
                if other not in called:
                    called[other] = None
                    if not other._finalized:
                        collect(other)

        collect(self)
        self._linking_libraries = list(called)
        super().finalize()
        made: Any = self._codegen
        made.set_late_environments(self._final_module)


class LateCodegen(codegen.JITCPUCodegen):
    """Makes libraries that are late; tells functions their environments when they are there."""

    _library_class = LateLibrary
    late: dict[str, Any]

    def set_env(self, name: str, environment: Any) -> None:
        """Write a function's environment (its module's names) where the function looks for it."""
        if self._engine.is_symbol_defined(name):
            super().set_env(name, environment)
        else:
            self.late[name] = environment

    def set_late_environments(self, module: Any) -> None:
        """Write the environments of functions that have just become machine code."""
        here = {variable.name for variable in module.global_variables} & set(self.late)
        for name in here:
            if self._engine.is_symbol_defined(name):
                super().set_env(name, self.late.pop(name))


@cache
def _compile_late() -> None:
    """Let numba compile functions with their callers, from now on in this process."""
    index_plainly()
    remember_types()
    compare_quickly()
    event.register("numba:compile", NESTING)
    made: Any = cpu_target.target_context.codegen()
    plain = type(made) is codegen.JITCPUCodegen
    if plain:
        made.late = {}
        made.__class__ = LateCodegen
