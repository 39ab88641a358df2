"""One file for each case whose evidence is to be kept: what happened, and what proxies wrote about it."""

import re
from collections.abc import Callable
from pathlib import Path

from pytest_ambient.redact import redacted
from pytest_ambient.report.results import Row

LARGEST = 4 << 20
"""Characters of each file."""


class Artifacts:
    """Writes evidence into `FOLDER/RULE/CASE.txt`; `always` also of what holds."""

    def __init__(self, folder: Path, complain: Callable[[str], None], *, always: bool) -> None:
        self._folder, self._complain, self._always = folder, complain, always
        self._broken = False

    def write(self, row: Row, text: str) -> None:
        """Keep what is known of a row; a folder that takes nothing is told once and costs nothing else."""
        if self._broken or row.word in ("skipped", "unsupported") or (row.word == "holds" and not self._always):
            return
        path = self._folder / plain(row.rule) / f"{plain(row.case)}.txt"
        try:
            write(path, "\n".join(_lines(row, text)) + "\n")
        except OSError as error:
            self._broken = True
            self._complain(f"{self._folder} cannot be written: {error.strerror}; the run goes on without them")


def write(path: Path, text: str, *, executable: bool = False) -> None:
    """Put a text there without what looks like a secret; of a very long one the beginning."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(redacted(text)[:LARGEST], encoding="utf-8", errors="replace")
    if executable:
        path.chmod(0o755)


def _lines(row: Row, text: str) -> list[str]:
    evidence = row.facts.get("evidence")
    said = [f"  {line}" for line in evidence] if isinstance(evidence, list) else []
    numbers = [
        f"  {name} {row.facts[name]}" for name in ("attempts", "seconds", "first_ms", "stable_ms") if name in row.facts
    ]
    parts = [[f"{row.nodeid}: {row.word}"], text.strip().splitlines(), ["evidence", *said] if said else [], numbers]
    return [line for part in parts if part for line in [*part, ""]][:-1]


def plain(name: str) -> str:
    """A name that is safe in any file system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:120] or "case"
