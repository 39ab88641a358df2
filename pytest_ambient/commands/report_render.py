"""`pytest-ambient report render`: a report as a page or as Markdown."""

import argparse
import sys
from pathlib import Path

from pytest_ambient.errors import Misuse
from pytest_ambient.redact import redacted
from pytest_ambient.report import files, html, markdown

WORDS = "draw a report as one page that needs nothing else, or as Markdown"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The report, the form and where it goes."""
    parser.add_argument("path", type=Path, help="a report.yaml, or its folder")
    parser.add_argument("-o", "--output", choices=("html", "markdown"), default="html", help="form (html)")
    parser.add_argument(
        "--to", metavar="FILE", help="where it goes, - for standard output (html: report.html beside it)"
    )


def act(parsed: argparse.Namespace) -> int:
    """Write it whole or not at all; Misuse for what is no report and where nothing can be written."""
    document = files.read(parsed.path)
    made = redacted(html.page(document) if parsed.output == "html" else markdown.whole(document))
    target = parsed.to or ("-" if parsed.output == "markdown" else files.found(parsed.path).parent / files.PAGE)
    if target == "-":
        sys.stdout.write(made)
        return 0
    try:
        files.write(Path(target), made)
    except OSError as error:
        raise Misuse(f"{target}: cannot be written: {error.strerror}") from None
    sys.stdout.write(f"{target}\n")
    return 0
