"""Kernels: functions that numba compiles when they are first called.

Nothing of numba is loaded before that: a command that calls no kernel does not pay for it. Machine
code is cached where a cache can be written, kept in memory where not. Inside :func:`interpreted`
kernels run as the Python they are written in: on a small graph or network that is done before
numba, half a second, is loaded.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache, cached_property, update_wrapper
from pathlib import Path
from typing import Any

import numpy as np

from optmap import ready_code
from optmap.ready_code import folder_stamp, name_of, source_files

#: How the modules' names start whose kernels run as Python; threads started inside compile theirs.
_INTERPRETED: ContextVar[tuple[str, ...]] = ContextVar("interpreted", default=())


#: Whether a kernel that runs as Python is being computed: what it calls keeps numpy's numbers.
_INSIDE: ContextVar[bool] = ContextVar("inside", default=False)


#: Whether kernels without kept code run as Python where that is done before they are compiled.
_SPARING: ContextVar[bool] = ContextVar("sparing", default=False)

#: Processor seconds of Python after which a kernel is compiled: that takes about as long.
PATIENCE_S = 1.0
#: Calls of a kernel after which numba is asked, which looks at arguments more quickly.
OFTEN = 10_000
#: Numbers in the arrays of a call, above which the kernel is compiled at once.
MOST_NUMBERS = 200_000
#: How often a laborious kernel looks at a number that others look at once.
LABORIOUS = 4


@contextmanager
def sparing() -> Iterator[None]:
    """Compile only what costs: for a first run on a machine, where no code of kernels is kept.

    A kernel whose code is kept is loaded. Another runs as Python until it is given large arrays or
    has taken as long as compiling it would: at most twice the time of who knew that before.
    """
    token = _SPARING.set(True)
    try:
        yield
    finally:
        _SPARING.reset(token)


def numbers_in(value: Any) -> int:
    """Return how many numbers are in an array, or in those of a tuple."""
    if isinstance(value, tuple):
        return sum(map(numbers_in, value))
    return int(value.size) if isinstance(value, np.ndarray) else 0


def _as_python(result: Any) -> Any:
    """Return a kernel's result as machine code does: numbers are Python's, also in tuples."""
    if isinstance(result, np.generic):
        return result.item()
    if isinstance(result, tuple):
        parts = map(_as_python, result)
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    return result


@contextmanager
def interpreted(on: bool = True, rooms: tuple[str, ...] = ("",)) -> Iterator[None]:
    """Run kernels as Python, or again compiled: for what is small, or for a part that is not.

    ``rooms`` are how the modules' names start whose kernels are meant: all, where none are named.

    The answers are the same; the time is some 100 times that of machine code, without the second
    that loading numba and the code takes, or the half minute of compiling it.
    """
    token = _INTERPRETED.set(rooms if on else ())
    try:
        yield
    finally:
        _INTERPRETED.reset(token)


class Kernel:
    """A function that numba compiles at its first call, by Python or by another kernel."""

    def __init__(self, function: Callable[..., Any], borrows: bool = False, looks: int = 1) -> None:
        self.function, self.borrows, self.looks, self.spent_s = function, borrows, looks, 0.0
        self.ready: dict[Any, Any] = {}
        self.calls = 0
        update_wrapper(self, function)

    def __call__(self, *args: Any) -> Any:
        """Compute it, by machine code unless told otherwise."""
        if _INSIDE.get():
            return self.function(*args)
        if self.function.__module__.startswith(_INTERPRETED.get()):
            return self._in_python(args)
        if _SPARING.get() and self._is_cheap(args):
            began = time.thread_time()
            try:
                return self._in_python(args)
            finally:
                self.spent_s += time.thread_time() - began
        if self.calls < OFTEN:
            self.calls += 1
            form = ready_code.form_of(args)
            if form not in self.ready:
                self.ready[form] = self._ready_for(args)
            code = self.ready[form]
            if code is not None:
                return code(*args)
        return self.dispatcher(*args)

    def _ready_for(self, args: tuple[Any, ...]) -> Any:
        """Return kept code that needs no numba, for arguments of this kind; None without any."""
        try:
            kind = ready_code.kind_of(args)
        except ready_code.UnknownKindError:
            return None
        name, folder = name_of(self.function), Path(self.function.__code__.co_filename).parent
        places = kept_in(folder).get(name, ())
        return ready_code.load(places, name, kind, folder_stamp(folder))

    def _is_cheap(self, args: tuple[Any, ...]) -> bool:
        """Tell whether these arguments are done as Python before code for them is compiled."""
        if (
            "dispatcher" in vars(self)
            or self.spent_s > PATIENCE_S
            or self.looks * numbers_in(args) > MOST_NUMBERS
        ):
            return False
        folder = Path(self.function.__code__.co_filename).parent
        return name_of(self.function) not in kept_in(folder)

    def _in_python(self, args: tuple[Any, ...]) -> Any:
        """Compute it as the Python it is written in, and the kernels that it calls too."""
        token = _INSIDE.set(True)
        try:
            with np.errstate(over="ignore"):  # hashes wrap around, as in machine code
                return _as_python(self.function(*args))
        finally:
            _INSIDE.reset(token)

    @cached_property
    def dispatcher(self) -> Any:
        """Numba's form of the function for those who call it from Python."""
        from optmap.machine_code import for_python  # loads numba

        _listen()
        return for_python(self.function)

    @cached_property
    def inside(self) -> Any:
        """Numba's form of the function for kernels that call it."""
        from optmap.machine_code import inside

        return inside(self.function, self.borrows)

    @property
    def _numba_type_(self) -> Any:
        """What numba asks for where a kernel calls this one."""
        return self.inside._numba_type_

    def __getattr__(self, name: str) -> Any:
        """Return what numba's form has (signatures, stats), but not what numba asks of callees."""
        if name.startswith("_") or name in ("dispatcher", "inside", "name", "targetoptions"):
            raise AttributeError(name)
        return getattr(self.dispatcher, name)


def compiled(function: Callable[..., Any]) -> Any:
    """Return ``function`` as a kernel, its machine code kept for later processes.

    The code is kept beside the source, else in the user's cache folder, or where the environment
    variable NUMBA_CACHE_DIR says. Where none of them can be written, numba would refuse; here the
    kernel is then compiled anew in every process, which costs seconds, and nothing else changes.

    Kernels touch no Python object: while one runs, other threads do. Their arguments are annotated
    Any, for numba finds the types at the first call.
    """
    return Kernel(function)


def laborious(function: Callable[..., Any]) -> Any:
    """Return a kernel that looks at what it is given many times: it is compiled for less."""
    return Kernel(function, looks=LABORIOUS)


def borrowing(function: Callable[..., Any]) -> Any:
    """Return a kernel for other kernels to call often, that makes no array and returns none.

    Numba counts who holds an array, by locked additions at every call and for every array of a
    named tuple. Whoever only reads and writes what the caller holds needs none of that.
    """
    return Kernel(function, borrows=True)


def is_kept(folder: Path, module: str = "*") -> bool:
    """Tell whether machine code of a folder's kernels, or a module's, is kept, none outdated.

    It is looked for where numba would keep it; numba is not asked, for that would load it.
    """
    stems = {f.stem for f in folder.glob(f"{module}.py")}
    newest = max(f.stat().st_mtime for f in source_files(folder))
    return any(
        index.name.split(".")[0] in stems and index.stat().st_mtime >= newest
        for index in _indexes(folder)
    )


def _indexes(folder: Path) -> Iterator[Path]:
    """Yield the indexes of kept code where numba would keep that of a folder's kernels."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser(), "numba")
    for place in [Path(chosen)] if chosen else [folder / "__pycache__", home]:
        yield from place.rglob("*.nbi")


@cache
def kept_in(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Return the kernels of a folder by name whose code is kept and current, and where it is.

    What this process compiles later is not looked for: it has that.
    """
    newest = max((f.stat().st_mtime for f in source_files(folder)), default=0.0)
    found: dict[str, tuple[Path, ...]] = {}
    for index in _indexes(folder):
        if index.stat().st_mtime >= newest:
            name = index.name.split(".py")[0]
            found[name] = (*found.get(name, ()), index.parent)
    return found


#: What is said where kernels are compiled that no cache holds.
COMPILING = "compiling kernels for this machine, once: up to a minute"


def _to_stderr(line: str) -> None:
    if sys.stderr is not None:
        with suppress(OSError):
            print(line, file=sys.stderr, flush=True)  # noqa: T201


@cache
def say_once(line: str) -> None:
    """Print a line on standard error, once in this process."""
    _to_stderr(line)


#: Who is told when a kernel is compiled, until they hear numba's own events.
_TO_TELL: list[Callable[[str], None]] = []


@cache
def announce_compilation(say: Callable[[str], None] = _to_stderr) -> None:
    """See to it that ``say`` is told, once, when a kernel is compiled that no cache holds.

    Where the environment variable OPTMAP_QUIET is set nothing is said.
    """
    if "OPTMAP_QUIET" not in os.environ:
        _TO_TELL.append(say)
        if "numba" in sys.modules:
            _listen()


def _listen() -> None:
    """Let numba's events be heard by those who want to be told."""
    from numba.core import event

    class Announcement(event.Listener):
        """Hears that numba compiles, and says so once."""

        def __init__(self, say: Callable[[str], None]) -> None:
            self.say, self.said = say, False

        def on_start(self, event: event.Event) -> None:
            """Say it; a kernel that calls others starts several times."""
            if not self.said:
                self.said = True
                self.say(COMPILING)

        def on_end(self, event: event.Event) -> None:
            """Do nothing."""

    while _TO_TELL:
        event.register("numba:compile", Announcement(_TO_TELL.pop()))  # type: ignore[no-untyped-call]  # numba's gap
