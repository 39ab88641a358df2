"""Many reports at once: those below a folder, and those of two folders side by side."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ambient.errors import Misuse
from pytest_ambient.report import files

Object: TypeAlias = dict[str, Any]


def below(folder: Path) -> list[Path]:
    """Every folder with a document, in order of their names; Misuse for what is no folder or cannot be looked into."""
    if not folder.is_dir():
        raise Misuse(f"{folder}: {'is no folder' if folder.exists() else 'no such folder'}")
    return sorted(_with_document(folder))


def _with_document(folder: Path) -> Iterator[Path]:
    def stop(error: OSError) -> None:
        raise Misuse(f"{error.filename}: cannot be read: {error.strerror}")

    for name, _, names in os.walk(folder, onerror=stop):
        if files.REPORT in names:
            yield Path(name)


def pairs(old: Path, new: Path) -> dict[str, tuple[Path | None, Path | None]]:
    """What to compare: two documents under an empty name, or those of two folders by where they are in them."""
    if not (_holds_many(old) or _holds_many(new)):
        return {"": (files.found(old), files.found(new))}
    before, after = ({path.relative_to(root).as_posix(): path for path in below(root)} for root in (old, new))
    if not after:
        raise Misuse(f"{new}: it has no {files.REPORT}, nor has a folder in it")
    return {name: (before.get(name), after.get(name)) for name in sorted({*before, *after})}


def _holds_many(path: Path) -> bool:
    return path.is_dir() and not (path / files.REPORT).exists()
