"""`pytest-ambient report verify`: whether a report is what its results give, line by line."""

import argparse
import sys
from pathlib import Path

from pytest_ambient import commands
from pytest_ambient.commands import report_sign
from pytest_ambient.report import files, verify

WORDS = "recompute a report from the results beside it and say what is wrong; exit code 1 when anything is"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The report, and whose signature it must have."""
    parser.add_argument("path", type=Path, help="a report.yaml, or its folder")
    parser.add_argument("--key", type=Path, metavar="FILE", help="public key of whom it must be signed by (not asked)")


def act(parsed: argparse.Namespace) -> int:
    """Print what is wrong; Misuse for what is no report."""
    file = files.found(parsed.path)
    wrong = verify.problems(parsed.path)
    if parsed.key is not None:
        wrong += report_sign.problems(file, parsed.key)
    for line in wrong:
        sys.stdout.write(f"{line}\n")
    for line in verify.notes(parsed.path):
        commands.tell(f"note: {line}")
    if wrong:
        commands.tell(f"{file}: {len(wrong)} wrong")
        return 1
    told = files.opened(parsed.path)
    signed = ", its signature holds" if parsed.key is not None else ""
    number = told["results"]["lines"] - 2
    sys.stdout.write(f"{file}: {told['result']}; all of it follows from {number} rows of {files.RESULTS}{signed}\n")
    return 0
