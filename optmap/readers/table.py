"""Text tables: lines cut into cells by the one separator that fits, and headers in remarks."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from optmap.errors import InputError
from optmap.readers.text import read_text

BLANKS = " "
_MARKS = (",", ";", "\t")
_TOLD = re.compile(r"\"?sep=([,;\t])\"?", re.IGNORECASE)
#: Lines by which a separator is judged.
_SAMPLE = 200


@dataclass(frozen=True)
class Table:
    """The rows of a text file.

    Parameters
    ----------
    path : Path
        The file.
    lines : list of str
        All lines, remarks included.
    separator : str
        A comma, semicolon, tab, or a blank for any number of blanks and tabs.
    expected : str
        What the file should be, for errors.
    """

    path: Path
    lines: list[str]
    separator: str
    expected: str

    def fail(self, where: str, found: str, expected: str = "") -> InputError:
        """Return the error that says what is wrong at a line."""
        return InputError(str(self.path), where, found, expected or self.expected)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line number, stripped cells) of every row that is no remark and not empty."""
        if self.separator == BLANKS:
            for number, line in enumerate(self.lines, start=1):
                cells = line.split()
                if cells and cells[0][0] not in "#%":
                    yield number, cells
            return
        reader = csv.reader(self.lines, delimiter=self.separator, skipinitialspace=True)
        try:
            for record in reader:
                cells = [cell.strip() for cell in record]
                if any(cells) and not cells[0].startswith(("#", "%")):
                    yield reader.line_num, cells
        except csv.Error as error:
            raise self.fail(f"line {reader.line_num}", str(error)) from None

    def remarked_header(self) -> list[str] | None:
        """Return the header that a remark before the first row has, as PyNN and numpy write it.

        ``# columns = ["i", "j", "weight", "delay"]``, or words cut like the rows after it; the last
        remark of as many words as the first row has cells.
        """
        first = next(self.rows(), None)
        if first is None:
            return None
        number, cells = first
        for line in reversed(self.lines[: number - 1]):
            text = line.strip().lstrip("#%").strip()
            name, equals, value = text.partition("=")
            if equals and name.strip().casefold() == "columns":
                words = _listed(value)
            elif self.separator == BLANKS:
                words = text.split()
            else:
                words = [word.strip() for word in text.split(self.separator)]
            if words is not None and len(words) == len(cells):
                return words
        return None


def _listed(text: str) -> list[str] | None:
    """Return the words of a list like ["i", "j"] or ('i', 'j')."""
    inside = text.strip().strip("[]()").replace("'", '"')
    try:
        words = json.loads(f"[{inside}]")
    except (ValueError, RecursionError):
        return None
    return [str(word) for word in words] if all(isinstance(w, str) for w in words) else None


def read_table(path: Path, expected: str) -> Table:
    """Return the table of a text file.

    Raises
    ------
    InputError
        If it is no text, or two separators fit it equally well.
    """
    lines = read_text(path, expected).splitlines()
    told = _TOLD.fullmatch(lines[0].strip())
    if told is not None:  # as spreadsheets write it
        return Table(path, ["", *lines[1:]], told[1], expected)
    return Table(path, lines, _separator(path, lines, expected), expected)


def _separator(path: Path, lines: Sequence[str], expected: str) -> str:
    """Return what cuts the rows into cells: the one mark that gives all the same number."""
    written = (line for line in lines if line.strip() and line.strip()[0] not in "#%")
    sample = list(islice(written, _SAMPLE))
    present = [mark for mark in _MARKS if any(mark in line for line in sample)]
    if not present:
        return BLANKS
    widths = {mark: _widths(sample, mark) for mark in present}
    even = [mark for mark in present if len(widths[mark]) == 1 and min(widths[mark]) > 1]
    if len(present) == 1 or not even:
        return present[0]  # uneven rows are named, one by one, when they are read
    if len(even) > 1:
        found = " and ".join({",": "commas", ";": "semicolons", "\t": "tabs"}[m] for m in even)
        raise InputError(str(path), "", f"rows cut equally well by {found}", "one separator")
    return even[0]


def _widths(sample: Sequence[str], mark: str) -> set[int]:
    """Return the numbers of cells that rows have if ``mark`` separates them."""
    try:
        return {len(record) for record in csv.reader(sample, delimiter=mark, skipinitialspace=True)}
    except csv.Error:
        return set()
