"""`pytest-ambient matrix`: the combinations of versions that are tested, for people or for a CI strategy."""

import argparse
import datetime
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_ambient import commands
from pytest_ambient.errors import Misuse

if TYPE_CHECKING:
    from pytest_ambient.matrix import Combination

WORDS = "print the combinations of versions that are tested, as a table or for a CI strategy"
OPTIONS: tuple[str, ...] = ()
HEAD = ("Istio", "until", "Kubernetes", "until", "Gateway API", "data plane", "provider", "node image")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to leave out, and `--output`."""
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="form of the answer (text)")
    parser.add_argument("--newest", action="store_true", help="only the newest pair of each data plane and provider")
    parser.add_argument("--supported-on", metavar="DATE", help="only what upstream patches that day: YYYY-MM-DD, today")
    parser.add_argument("--provider", metavar="NAME", help="only clusters of this provider")


def act(parsed: argparse.Namespace) -> int:
    """Print them; Misuse for no date and for a provider without rows."""
    from pytest_ambient import matrix

    date = _date(parsed.supported_on) if parsed.supported_on is not None else None
    rows = matrix.chosen(provider=parsed.provider, supported_on=date, newest=parsed.newest)
    if parsed.output == "json":
        sys.stdout.write(json.dumps({"include": [row.to_json() for row in rows]}) + "\n")
        return 0
    if not rows:
        commands.tell("no combination is like that")
    for line in _table(rows) if rows else ():
        sys.stdout.write(line + "\n")
    return 0


def _date(text: str) -> str:
    if text == "today":
        return datetime.datetime.now(datetime.UTC).date().isoformat()
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise Misuse(f"--supported-on: wanted a date like 2026-11-30, or today, got {text!r}") from None


def _table(rows: "Sequence[Combination]") -> list[str]:
    body = [
        (
            row.istio,
            row.istio_end_of_life or "-",
            row.kubernetes,
            row.kubernetes_end_of_life,
            row.gateway_api,
            row.dataplane,
            row.provider,
            row.image.partition("@")[0],
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in (HEAD, *body)) for column in range(len(HEAD))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in (HEAD, *body)]
