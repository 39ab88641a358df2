"""The verbs of the console script, a module each, and how all of them read their options and speak.

A verb's module has `WORDS`, its line in the help; `OPTIONS`, the names of the `--ambient-` options that it takes, and
perhaps `HELP`, what these mean to it alone; `arguments(parser)`, which adds flags of its own; and `act(parsed)`, which
does it and returns the exit code.
"""

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path

from pytest_ambient.options import TABLE
from pytest_ambient.redact import redacted
from pytest_ambient.settings import Settings, settle

BENCH = "bench"
"""What a cluster is called that is given no name."""
ANOTHER = f"name that `pytest-ambient up` gave the cluster ({BENCH})"
"""The help for `--ambient-name` of verbs that look for one."""


def settings(parsed: argparse.Namespace) -> Settings:
    """What was chosen for a verb, of the options that it takes, on the command line or in the environment."""
    known = {option.variable: os.environ.get(option.variable, "") for option in TABLE if hasattr(parsed, option.ini)}
    return settle(vars(parsed), known, {}, Path.cwd())


def tell(line: str) -> None:
    """Say a line that is no answer: standard output is for those."""
    with suppress(OSError):  # a terminal that has gone must not keep anything from being undone
        sys.stderr.write(redacted(line) + "\n")
