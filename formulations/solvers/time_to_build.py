"""Whether a model may be built in the time that is left: what would end too late is not begun."""

from __future__ import annotations


def too_long(model: str, parts: str, seconds: float, left: float) -> str:
    """Return why a model is not built; empty if it takes no longer than what is left.

    Parameters
    ----------
    model : str
        What is not there, as "no order model".
    parts : str
        What it would be made of, as "900 tasks".
    seconds, left : float
        What building is expected to take, and what there is.

    Examples
    --------
    >>> too_long("no order model", "900 tasks", 0.5, 1.0)
    ''
    >>> too_long("no order model", "900 tasks", 2.0, -0.1)
    'no order model: 900 tasks take some 2.0 s to build, 0.0 s are left'
    """
    if seconds <= left:
        return ""
    return f"{model}: {parts} take some {seconds:,.1f} s to build, {max(left, 0):,.1f} s are left"
