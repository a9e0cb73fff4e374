"""What every command shares: version, logging, one line and exit status 2 for bad input."""

from __future__ import annotations

import argparse
import logging
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, NoReturn, TextIO, cast

import optmap
from optmap.errors import InputError, visible, wrapped
from optmap.model.outcome import Limits

if TYPE_CHECKING:
    from optmap.readers.options import ReadOptions

DONE, FAILED, BAD_INPUT = 0, 1, 2
CONSTRAINTS_HELP = "TOML file of demands: pin, together, apart, sizes and balance of clusters"


class _Parser(argparse.ArgumentParser):
    """Answers wrong options in one line, as wrong files are."""

    def error(self, message: str) -> NoReturn:
        _to_stderr(f"error: {message} (see {self.prog} --help)")
        self.exit(BAD_INPUT)


class _Help(argparse.RawDescriptionHelpFormatter):
    """Fills paragraphs; lines that are set in stay whole: examples are copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines: list[str] = []
        for line in text.splitlines():
            if lines and _begins_with_a_word(line) and _begins_with_a_word(lines[-1]):
                lines[-1] += " " + line
            else:
                lines.append(line)
        return "\n".join(fill(line, width) if _begins_with_a_word(line) else line for line in lines)


def _begins_with_a_word(line: str) -> bool:
    return line[:1].strip() != ""


def parser(name: str, about: str, example: str) -> argparse.ArgumentParser:
    """Return a parser with --version, -v and an example below its help."""
    prog = program(name)
    if not prog.startswith("python"):
        example = example.replace("python -m optmap.", "optmap ")
    made = _Parser(
        prog=prog,
        description=about,
        epilog=f"example:\n  {example}",
        formatter_class=_Help,
    )
    made.add_argument("--version", action="version", version=f"optmap {optmap.__version__}")
    made.add_argument("-v", "--verbose", action="store_true", help="log what happens to stderr")
    return made


def file_name(text: str) -> str:
    """Return an option's file or folder; an empty one would be the working directory."""
    if not text:
        raise argparse.ArgumentTypeError("found an empty name, expected a file or folder")
    return text


def seconds(text: str) -> float:
    """Return an option's seconds, a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected seconds above 0")
    return value


def whole(least: int) -> Callable[[str], int]:
    """Return the reader of an option that is a whole number of at least ``least``."""

    def read(text: str) -> int:
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()) or int(text) < least:
            raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number >= {least}")
        return int(text)

    return read


def program(name: str) -> str:
    """Return how the command was called: ``optmap NAME`` or ``python -m optmap.NAME``."""
    called = Path(sys.argv[0])
    by_script = called.name == "optmap" or called.parts[-2:] == ("optmap", "__main__.py")
    return f"optmap {name}" if by_script else f"python -m optmap.{name}"


def add_method_files(made: argparse.ArgumentParser) -> None:
    """Add ``--method-file`` for commands that judge a run again."""
    made.add_argument(
        "--method-file",
        action="append",
        default=[],
        metavar="FILE",
        help="a file that registers methods of the run which are not optmap's own",
    )


def reading_arguments(made: argparse.ArgumentParser) -> None:
    """Add what says how files are to be read, where they do not say it themselves.

    The readers are imported here: a command that reads no network starts a tenth sooner.
    """
    from optmap.readers.formats import FORMATS
    from optmap.readers.options import OPTION_HELP, OPTION_NAMES, OUTSIDE_HELP

    made.add_argument("--allow-outside", action="store_true", help=OUTSIDE_HELP)
    for name in OPTION_NAMES:
        said = OPTION_HELP[name]
        if name == "format":
            said += ": " + ", ".join(form.name for form in FORMATS)
        made.add_argument("--" + name.replace("_", "-"), metavar="TEXT", help=said)


def reading_of(args: argparse.Namespace) -> ReadOptions:
    """Return what a command line says of how files are to be read."""
    from optmap.readers.options import OPTION_NAMES, read_options

    return read_options({name: getattr(args, name) for name in OPTION_NAMES})


def guarded(main: Callable[[list[str]], int], arguments: list[str] | None = None) -> int:
    """Run a command; bad input becomes one line on standard error and exit status 2.

    Ctrl-C ends with 130, as shells expect; a reader that closes the pipe ends it silently; output
    that cannot be written, to a full disk for example, is one line and exit status 1. What is told
    on standard error and cannot be written is dropped: a full log ends no work.
    """
    with _told_aside():
        return _guarded(main, sys.argv[1:] if arguments is None else arguments)


def _guarded(main: Callable[[list[str]], int], arguments: list[str]) -> int:
    if sys.stdout is None:
        complain("standard output is closed")
        return FAILED
    level = logging.INFO if {"-v", "--verbose"} & set(arguments) else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        for text in arguments:
            if not _printable(text):
                raise InputError("arguments", "", f"bytes that are no UTF-8 in {text!r}", "text")
        status = main(arguments)
        sys.stdout.flush()
        return status
    except ValueError as error:  # InputError and its kin; the message has the numbers
        if level == logging.INFO:
            logging.getLogger(__name__).info("where it was found", exc_info=True)
        complain(str(error))
        return BAD_INPUT
    except KeyboardInterrupt:
        _to_stderr("interrupted")
        return 130
    except BrokenPipeError:
        _discard_output()
        return DONE
    except OSError as error:  # input is read under InputError: this is output
        _discard_output()
        where = error.filename or "standard output"
        complain(f"{where}: {error.strerror or error}")
        return FAILED


class _Aside:
    """Standard error without its full disk: what cannot be written is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write, or drop."""
        self._try(lambda: self.stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush, or leave it."""
        self._try(self.stream.flush)

    def __getattr__(self, name: str) -> object:
        """Be the stream in all else."""
        return getattr(self.stream, name)

    @staticmethod
    def _try(function: Callable[[], object]) -> None:
        try:
            function()
        except BrokenPipeError:  # nobody reads any more: this does end the work
            raise
        except OSError:
            pass


@contextmanager
def _told_aside() -> Iterator[None]:
    """Let standard error drop what it cannot write; it stays so where something is still unwritten.

    The interpreter would otherwise try that again at its end and exit with 120.
    """
    stream = sys.stderr
    if stream is None:
        yield
        return
    sys.stderr = cast(TextIO, _Aside(stream))
    try:
        yield
    finally:
        with suppress(OSError):
            stream.flush()
            sys.stderr = stream


def complain(text: str) -> None:
    """Say on standard error, in one line, what is wrong."""
    _to_stderr(f"error: {visible(text)}")


def _to_stderr(text: str) -> None:
    """Print where it can be printed: the exit status says the same where it cannot."""
    if sys.stderr is not None:
        with suppress(OSError):
            if sys.stderr.isatty():  # one line for programs, broken between words for people
                width = os.get_terminal_size(sys.stderr.fileno()).columns
                text = wrapped(text, width)
            print(text, file=sys.stderr)  # noqa: T201


def _printable(text: str) -> bool:
    """Tell whether an argument is text: bytes that are none arrive as lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _discard_output() -> None:
    """Let go of what standard output still holds, so that the end does not write it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


#: Seconds that a unit of counted work may take before a run counts as hung.
SECONDS_A_UNIT = 30.0


def add_work(parser: argparse.ArgumentParser) -> None:
    """Add ``--work``, which takes the place of ``--limit``."""
    text = "units of counted work in place of seconds: one seed then repeats on any machine (none)"
    parser.add_argument("--work", type=whole(1), metavar="N", help=text)


def limits_of(args: argparse.Namespace, seed: int) -> Limits:
    """Return the limits of a run from ``--limit``, ``--work``, ``--threads`` and ``--memory``."""
    wall_s = args.limit if args.work is None else SECONDS_A_UNIT * args.work
    return Limits(wall_s, args.threads, seed, args.memory, args.work)
