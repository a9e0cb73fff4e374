"""Ways of numba that cost time and are not needed here, changed in this process.

Its own tests of what it does are not repeated: every change is for something that has one answer,
looked for in a quicker way, but for :func:`index_plainly`, which asks kernels for more care.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from llvmlite import ir
from numba.core import types
from numba.core.targetconfig import TargetConfig
from numba.core.types.functions import BaseFunction
from numba.np import arrayobj

#: How the names of our functions start in machine code.
OURS = ("_ZN6optmap", "_ZN12formulations")


def index_plainly() -> None:
    """Let our kernels use a computed index as it is: none of them counts from an array's end.

    Numba adds the length to every index that is negative; asking takes a fifth of a kernel's time.
    With NUMBA_BOUNDSCHECK=1 a kernel raises IndexError for a negative one, as for one too large.
    """
    careful: Any = arrayobj.fix_integer_index

    def fix(context: Any, builder: Any, of: Any, index: Any, size: Any) -> Any:
        """Return an index as the machine's integer; a constant may be negative."""
        if isinstance(index, ir.Constant) or not builder.function.name.startswith(OURS):
            return careful(context, builder, of, index, size)
        return context.cast(builder, index, of, types.intp if of.signed else types.uintp)

    arrayobj.fix_integer_index = fix


def compare_quickly() -> None:
    """Let numba's options of a compilation be compared by what was set, before all is looked up.

    Numba compares them whenever it looks for a function's implementation: thousands of times. Their
    hash looks all up as well, so it is the type's.
    """
    options: Any = TargetConfig

    def equal(one: Any, other: Any) -> Any:
        if type(one) is not type(other):
            return NotImplemented
        if one._values == other._values:
            return True
        return all(getattr(one, k) == getattr(other, k) for k in {**one._values, **other._values})

    options.__eq__ = equal
    options.__hash__ = lambda one: hash(type(one))


def remember_types() -> None:
    """Let the type of an operation on given types be found once, not wherever it occurs.

    Numba tries all that may be meant, a tenth of the time of compiling. What it compiles to know
    the type is left to it: that depends on the options as well.
    """
    functions: Any = BaseFunction
    find = functions.get_call_type
    known: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()

    def found(function: Any, context: Any, given: Any, named: Any) -> Any:
        of_function = known.setdefault(function, {})
        if not named and (context, given) in of_function:
            return of_function[context, given]
        signature = find(function, context, given, named)
        if not named and function._impl_keys.get(signature.args) is function.typing_key:
            of_function[context, given] = signature
        return signature

    functions.get_call_type = found
