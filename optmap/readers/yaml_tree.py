"""YAML as a tree of texts with their lines: nothing is guessed from how a word looks.

Numbers stay texts until a reader asks for one, so that ``0..9``, ``1e-9`` or ``no`` mean what the
file's own tool takes them for. Anchors, aliases, tags and several documents are refused: no
description of a chip or a network needs them, and they can unfold to any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from pathlib import Path

import yaml

from optmap.errors import InputError
from optmap.readers.text import read_text

_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, "" where nothing stands; ``line`` counts from 1."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A sequence."""

    line: int
    items: list[Node]


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping, in the order of the file; keys may come twice."""

    line: int
    entries: list[tuple[Scalar, Node]]


Node = Scalar | Items | Fields


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A file and its tree; asks for parts, and says in one line what is wrong with them."""

    path: Path
    root: Node
    expected: str

    def fail(self, node: Node, found: str, expected: str) -> InputError:
        """Return the error that names the line of a node."""
        return InputError(str(self.path), f"line {node.line}", found, expected)

    def fields(self, node: Node, what: str) -> dict[str, Node]:
        """Return the fields of a mapping, or of a list of mappings, each once.

        Raises
        ------
        InputError
            If the node is something else, a field comes twice, is a number without a value (the
            rest of a decimal comma), or merges others in.
        """
        entries = _flat(node)
        if entries is None:
            raise self.fail(node, repr(_shown(node)), f"{what}: fields with values")
        found: dict[str, Node] = {}
        for key, value in entries:
            if key.text in found:
                raise self.fail(key, f"{key.text!r} a second time", f"{what}: each field once")
            if key.text == "<<" or (key.text.isdigit() and value == Scalar(value.line, "")):
                raise self.fail(key, repr(key.text[:40]), f"{what}: fields with names and values")
            found[key.text] = value
        return found

    def items(self, node: Node, what: str) -> list[Node]:
        """Return the items of a sequence; none where nothing stands."""
        if isinstance(node, Items):
            return node.items
        if isinstance(node, Scalar) and not node.text:
            return []
        raise self.fail(node, repr(_shown(node)), f"{what}: a list")

    def text(self, node: Node, what: str) -> str:
        """Return a text that is not empty."""
        if not isinstance(node, Scalar) or not node.text:
            raise self.fail(node, repr(_shown(node)), what)
        return node.text

    def whole(self, node: Node, what: str, least: int = 0, most: int = 2**31 - 1) -> int:
        """Return a whole number."""
        text = self.text(node, f"{what}: a whole number")
        if not (text.isascii() and text.isdigit() and len(text) < 12):
            raise self.fail(node, repr(text[:40]), f"{what}: a whole number")
        if not least <= int(text) <= most:
            raise self.fail(node, text, f"{what}: {least} to {most}")
        return int(text)

    def real(self, node: Node, what: str) -> float:
        """Return a finite number."""
        text = self.text(node, f"{what}: a number")
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not isfinite(value):
            raise self.fail(node, repr(text[:40]), f"{what}: finite numbers")
        return value

    def exact(self, node: Node, what: str) -> Fraction:
        """Return a number from 0 on, to 12 significant digits: more is the noise of floats."""
        value = self.real(node, what)
        if value < 0 or (value and not 1e-30 < value < 1e30):
            text = self.text(node, what)
            raise self.fail(node, text[:40], f"{what}: a number from 0 on")
        return Fraction(f"{value:.12g}")


def read_yaml(path: Path, expected: str) -> YamlFile:
    """Return the tree of a YAML file.

    Parameters
    ----------
    path : Path
        The file.
    expected : str
        What it should be, for errors.

    Raises
    ------
    InputError
        If it is no text, no YAML, or uses what is refused, naming the line.
    """
    return parse_yaml(path, read_text(path, expected), expected)


def parse_yaml(path: Path, text: str, expected: str) -> YamlFile:
    """Return the tree of YAML text; see :func:`read_yaml`."""
    try:
        root = _tree(path, text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f"line {mark.line + 1}"
        problem = getattr(error, "problem", None) or str(error).split("\n", maxsplit=1)[0]
        raise InputError(str(path), where, f"no YAML ({problem})", expected) from None
    if root is None:
        raise InputError(str(path), "", "no content", expected)
    return YamlFile(path, root, expected)


def _tree(path: Path, text: str) -> Node | None:
    """Build the tree from the parser's events, on a stack of its own: no depth can harm."""
    root: Node | None = None
    stack: list[Items | Fields] = []
    keys: list[Scalar | None] = []  # of each open mapping: the key that waits for its value

    def refuse(line: int, what: str) -> InputError:
        return InputError(str(path), f"line {line}", what, "plain YAML")

    def add(node: Node) -> None:
        nonlocal root
        if not stack:
            root = node
        elif isinstance(stack[-1], Items):
            stack[-1].items.append(node)
        elif keys[-1] is None:
            if not isinstance(node, Scalar):
                raise refuse(node.line, "a list or a mapping as a key")
            keys[-1] = node
        else:
            stack[-1].entries.append((keys[-1], node))
            keys[-1] = None

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for event in yaml.parse(text, Loader=loader):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise refuse(line, "an anchor or alias")
        if getattr(event, "tag", None):
            raise refuse(line, f"the tag {event.tag[:40]!r}")
        if isinstance(event, yaml.DocumentStartEvent) and root is not None:
            raise refuse(line, "a second document")
        if isinstance(event, yaml.ScalarEvent):
            plain = event.style in (None, "")
            nothing = plain and event.value in ("~", "null")
            add(Scalar(line, "" if nothing else event.value))
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            if len(stack) >= _DEEPEST:
                raise refuse(line, f"more than {_DEEPEST} levels")
            is_list = isinstance(event, yaml.SequenceStartEvent)
            opened: Items | Fields = Items(line, []) if is_list else Fields(line, [])
            add(opened)
            stack.append(opened)
            keys.append(None)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            stack.pop()
            keys.pop()
    return root


def _flat(node: Node) -> list[tuple[Scalar, Node]] | None:
    """Return the entries of a mapping, or of a list of mappings; None for anything else."""
    if isinstance(node, Fields):
        return node.entries
    if isinstance(node, Scalar):
        return None if node.text else []
    entries: list[tuple[Scalar, Node]] = []
    for item in node.items:
        if not isinstance(item, Fields):
            return None
        entries += item.entries
    return entries


def _shown(node: Node) -> str:
    """Return a node in few words."""
    if isinstance(node, Scalar):
        return node.text[:60]
    return "a list" if isinstance(node, Items) else "fields"
