"""`pytest-ambient report`: what is done with reports once they are written; each sub-verb has a module of its own."""

import argparse
from importlib import import_module
from types import ModuleType

WORDS = "verify, render, sign, compare reports, or draw their history"
OPTIONS = ()
VERBS = ("verify", "render", "sign", "compare", "history")
"""Every sub-verb; each is a module `report_VERB` with WORDS, `arguments(parser)` and `act(parsed)`."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-verbs, with their own arguments."""
    verbs = parser.add_subparsers(required=True, metavar="VERB", dest="report")
    for name in VERBS:
        verb = _verb(name)
        one = verbs.add_parser(name, help=verb.WORDS, description=verb.WORDS, allow_abbrev=False)
        verb.arguments(one)


def act(parsed: argparse.Namespace) -> int:
    """What the sub-verb does, and its exit code."""
    return int(_verb(parsed.report).act(parsed))


def _verb(name: str) -> ModuleType:
    return import_module(f"pytest_ambient.commands.report_{name}")
