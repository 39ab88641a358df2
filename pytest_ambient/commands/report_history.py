"""`pytest-ambient report history`: what became of each rule over many runs, as a table and as a page with plots."""

import argparse
import json
import sys
from pathlib import Path

from pytest_ambient import commands
from pytest_ambient.errors import Misuse
from pytest_ambient.redact import redacted
from pytest_ambient.report import files, gathered, history, history_page

WORDS = "say since when which rule is red, over all reports below a folder; draw it as a page"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The folder, the form and the page."""
    parser.add_argument("folder", type=Path, help="folder with reports anywhere in it")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="form of the answer (text)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also draw it as one self-contained page")


def act(parsed: argparse.Namespace) -> int:
    """Print it and draw the page; Misuse for no report, for a damaged one and for a page that cannot be written."""
    found = gathered.below(parsed.folder)
    if not found:
        raise Misuse(f"{parsed.folder}: it has no {files.REPORT}, nor has a folder in it")
    groups = history.groups([files.read(folder) for folder in found])
    if parsed.output == "json":
        sys.stdout.write(redacted(json.dumps(history.plain(groups), indent=2)) + "\n")
    else:
        sys.stdout.write(redacted("\n".join(history.table(groups))) + "\n")
    if parsed.html is not None:
        try:
            files.write(parsed.html, redacted(history_page.page(groups)))
        except OSError as error:
            raise Misuse(f"{parsed.html}: cannot be written: {error.strerror}") from None
        commands.tell(f"drawn in {parsed.html}")
    return 0
