"""The console script `pytest-ambient`: what belongs to a run and is done beside pytest, one verb at a time."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Protocol, cast

from pytest_ambient import __version__, _stop
from pytest_ambient.commands import tell
from pytest_ambient.errors import AmbientError, Misuse
from pytest_ambient.options import TABLE, add, misspelt

VERBS = (
    "up",
    "down",
    "cleanup",
    "doctor",
    "images",
    "open",
    "matrix",
    "report",
)
"""Every verb; each is a module of `pytest_ambient.commands`, loaded when it is run or its help is asked for."""


ABOUT = "What is done beside pytest: clusters made to stay and removed, machines and reports looked at."
MORE = "Every --ambient-NAME can also be said as $AMBIENT_NAME. pytest-ambient VERB --help tells the rest."


class Verb(Protocol):
    """What a verb's module has."""

    WORDS: str
    """One line of help."""
    OPTIONS: tuple[str, ...]
    """The names of the `--ambient-` options that it takes.

    What one of them means to this verb alone may be told in `HELP`, a mapping by name; else it is the table's text.
    """
    arguments: Callable[[argparse.ArgumentParser], None]
    """Adds flags of its own."""
    act: Callable[[argparse.Namespace], int]
    """Does it, and returns the exit code."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; 0 when it did what was asked, 1 when the environment did not let it, 2 for a wrong use."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parsed = _parsed(given)
    for line in misspelt(os.environ):
        tell(f"pytest-ambient: {line}")
    before = _stop.heed()
    try:
        return _done(_verb(parsed.verb).act(parsed))
    except Misuse as error:
        tell(f"pytest-ambient: {error}")
        return 2
    except AmbientError as error:
        tell(f"pytest-ambient: {error}")
        return 1
    except KeyboardInterrupt:
        tell("pytest-ambient: interrupted")
        return 130
    except BrokenPipeError:  # who read has gone, as `| head` does: nothing more is written, not at the exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    finally:
        _stop.restore(before)


def _done(code: int) -> int:
    """The code, once all is written: a reader that has gone is noticed here, where it is no error yet."""
    sys.stdout.flush()
    return code


def _parsed(given: list[str]) -> argparse.Namespace:
    """What was said; what nobody knows is told by the verb, with its usage, where argparse would show that of none."""
    parser = _parser(given[0] if given else "")
    parsed, unknown = parser.parse_known_args(given)
    if unknown:
        parsed.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return parsed


def _parser(wanted: str) -> argparse.ArgumentParser:
    """A parser that knows the wanted verb alone in full, or all of them when it is none."""
    parser = argparse.ArgumentParser("pytest-ambient", description=ABOUT, epilog=MORE, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"pytest-ambient {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="verb")
    for name in VERBS:
        if wanted in VERBS and wanted != name:
            verbs.add_parser(name)  # so that a list of what there is has it
            continue
        verb = _verb(name)
        one = verbs.add_parser(name, help=verb.WORDS, description=verb.WORDS, allow_abbrev=False)
        for option in TABLE:
            if option.name in verb.OPTIONS:
                told: Mapping[str, str] = getattr(verb, "HELP", {})
                add(option._replace(help=told.get(option.name, option.help)), one.add_argument)
        verb.arguments(one)
        one.set_defaults(parser=one)
    return parser


def _verb(name: str) -> Verb:
    return cast(Verb, import_module(f"pytest_ambient.commands.{name}"))
