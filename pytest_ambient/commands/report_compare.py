"""`pytest-ambient report compare`: what changed between two reports, or between the reports of two nights."""

import argparse
import json
import sys
from pathlib import Path

from pytest_ambient.redact import redacted
from pytest_ambient.report import compared, files, gathered
from pytest_ambient.report.compare import Comparison, compare

WORDS = "say what changed between two reports; exit code 1 when something got worse"
FORMS = ("text", "markdown", "json")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The two, the form, and whether suites may differ."""
    parser.add_argument("old", type=Path, help="a report.yaml, its folder, or a folder of such folders")
    parser.add_argument("new", type=Path, help="the same of the later run; folders are paired by name")
    parser.add_argument("-o", "--output", choices=FORMS, default="text", help="form of the answer (text)")
    parser.add_argument("--across", action="store_true", help="compare what two versions of the suite have in common")


def act(parsed: argparse.Namespace) -> int:
    """Print it; 1 when something got worse or a report is missing, Misuse for what cannot be compared."""
    found: dict[str, Comparison] = {}
    alone: dict[str, str] = {}
    for name, (old, new) in gathered.pairs(parsed.old, parsed.new).items():
        if old is None or new is None:
            alone[name] = "is new, there is nothing to compare it with" if new else "is missing in the new folder"
        else:
            found[name] = compare(files.read(old), files.read(new), across=parsed.across)
    missing = [name for name in alone if "missing" in alone[name]]
    worse = bool(missing) or any(one.worse for one in found.values())
    sys.stdout.write(redacted(_told(found, alone, parsed.output, worse=worse)))
    return 1 if worse else 0


def _told(found: dict[str, Comparison], alone: dict[str, str], form: str, *, worse: bool) -> str:
    if form == "json":
        one = found.get("")
        many = {"worse": worse, "reports": {name: compared.plain(each) for name, each in found.items()}, "alone": alone}
        return json.dumps(compared.plain(one) if one else many, indent=2) + "\n"
    if form == "markdown":
        parts = [compared.markdown(one, name) for name, one in found.items()]
        return "\n".join([*parts, *(f"## {name}\n\n**it {why}**\n" for name, why in alone.items())])
    parts = [(f"{name}\n" if name else "") + compared.text(one) for name, one in found.items()]
    return "\n".join([*parts, *(f"{name} {why}\n" for name, why in alone.items())])
