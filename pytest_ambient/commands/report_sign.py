"""`pytest-ambient report sign`: a signature beside a report, made and checked by minisign or cosign.

The report has the digest of its results, so that one signature holds for both.
"""

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pytest_ambient import _run
from pytest_ambient.errors import CommandFailed, Misuse
from pytest_ambient.report import files

WORDS = "sign a report with a key of yours, by minisign or cosign"
WITHIN = 120.0


class Tool(NamedTuple):
    """One program that signs."""

    suffix: str
    """What is added to the report's name for its signature."""
    sign: Callable[[Path, Path, Path], list[str]]
    """The arguments for a report, a key and the signature."""
    check: Callable[[Path, Path, Path], list[str]]


TOOLS = {
    "minisign": Tool(
        ".minisig",
        lambda file, key, signature: ["-S", "-s", str(key), "-m", str(file), "-x", str(signature)],
        lambda file, key, signature: ["-V", "-q", "-p", str(key), "-m", str(file), "-x", str(signature)],
    ),
    "cosign": Tool(
        ".cosign",
        lambda file, key, signature: [
            "sign-blob", "--yes", "--tlog-upload=false", "--key", str(key), "--output-signature", str(signature),
            str(file),
        ],
        lambda file, key, signature: [
            "verify-blob", "--insecure-ignore-tlog=true", "--key", str(key), "--signature", str(signature), str(file),
        ],
    ),
}  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    """The report, the key and the program."""
    parser.add_argument("path", type=Path, help="a report.yaml, or its folder")
    parser.add_argument("--key", type=Path, metavar="FILE", required=True, help="secret key, as the program keeps it")
    parser.add_argument("--by", choices=tuple(TOOLS), help="the program (the first that is installed)")


def act(parsed: argparse.Namespace) -> int:
    """Sign it; Misuse when there is no program for it, CommandFailed when it does not sign."""
    file = files.found(parsed.path)
    files.read(file)
    name = parsed.by or next((name for name in TOOLS if shutil.which(name)), None)
    if name is None or shutil.which(name) is None:
        raise Misuse(f"{name or ' and '.join(TOOLS)} cannot be found on the PATH")
    signature = file.with_name(file.name + TOOLS[name].suffix)
    with TemporaryDirectory() as folder:  # one that is there stays until there is another
        made = Path(folder) / signature.name
        _run.run([name, *TOOLS[name].sign(file, parsed.key, made)], within=WITHIN)
        files.write(signature, files.text(made))
    sys.stdout.write(f"{signature}\n")
    return 0


def problems(file: Path, key: Path) -> list[str]:
    """Why a report's signature does not hold; Misuse when the program that made it is not there."""
    found = [(name, file.with_name(file.name + tool.suffix)) for name, tool in TOOLS.items()]
    there = [(name, path) for name, path in found if path.is_file()]
    if not there:
        return [f"it is not signed: neither {' nor '.join(path.name for _, path in found)} is beside it"]
    name, signature = there[0]
    if shutil.which(name) is None:
        raise Misuse(f"{signature}: {name}, which made it, cannot be found on the PATH")
    try:
        _run.run([name, *TOOLS[name].check(file, key, signature)], within=WITHIN)
    except CommandFailed as error:
        return [f"its signature does not hold: {' '.join(str(error).split()).rstrip(' :')}"]
    return []
