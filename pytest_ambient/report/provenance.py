"""Where this suite comes from: version, commit, a digest of its tests, its rules, and what it is proven to catch."""

import ast
import hashlib
import json
import platform
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any, TypeAlias

import pytest_ambient

Object: TypeAlias = dict[str, Any]

PACKAGE = Path(pytest_ambient.__file__).parent
FAULTS = Path(__file__).parent / "faults.json"
"""The digest of the fault table, which lies with this project's own tests."""
PARTS = (".py", ".yaml")


def suite() -> Object:
    """What a report says of the suite that made it."""
    folder = conformance()
    return {
        "name": "pytest-ambient",
        "version": pytest_ambient.__version__,
        "commit": commit(PACKAGE.parent),
        "digest": digest(folder) if folder else "",
        "python": platform.python_version(),
        "pytest": version("pytest"),
        "faults": json.loads(FAULTS.read_text(encoding="utf-8")),
        "expected": rules(folder) if folder else {},
        "files": modules(folder) if folder else {},
    }


def conformance() -> Path | None:
    """The folder of the suite: in the wheel a part of the package, in a checkout beside it."""
    found = (folder for folder in (PACKAGE / "conformance", PACKAGE.parent / "conformance") if folder.is_dir())
    return next(found, None)


def digest(folder: Path) -> str:
    """One digest of all tests and manifests in a folder, by name and content."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in PARTS):
        whole.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return f"sha256:{whole.hexdigest()}"


def rules(folder: Path) -> dict[str, list[str]]:
    """The suite's rules by profile, as the marks of its modules name them; those of no profile under an empty name."""
    found: dict[str, set[str]] = {}
    for _, mark in _ruled(folder):
        found.setdefault(mark.get("profile", ""), set()).add(mark["rule"])
    return {profile: sorted(names) for profile, names in sorted(found.items())}


def modules(folder: Path) -> dict[str, list[str]]:
    """The files of each rule, as `l4/test_port.py`."""
    found: dict[str, set[str]] = {}
    for path, mark in _ruled(folder):
        found.setdefault(mark["rule"], set()).add(path.relative_to(folder).as_posix())
    return {rule: sorted(names) for rule, names in sorted(found.items())}


def _ruled(folder: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    for path in sorted(folder.rglob("test_*.py")):
        yield from ((path, mark) for mark in _marks(ast.parse(path.read_text(encoding="utf-8"))) if "rule" in mark)


def _marks(tree: ast.AST) -> Iterator[dict[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "ambient":
            yield {word.arg: word.value.value for word in node.keywords if word.arg and _text(word.value)}  # type: ignore[attr-defined]  # _text has looked


def _text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def commit(folder: Path) -> str:
    """The commit of a checkout or of an installation from one; empty where none is known."""
    return _installed() or _checked_out(folder / ".git")


def _installed() -> str:
    try:
        told = json.loads(distribution("pytest-ambient").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return ""
    return str((told.get("vcs_info") or {}).get("commit_id") or "")


def _checked_out(git: Path) -> str:
    """Git's own files, read without git: a branch's file, or its line among the packed ones."""
    try:
        if git.is_file():  # a worktree, which shares its branches with where it came from
            git = (git.parent / git.read_text().removeprefix("gitdir:").strip()).resolve()
        common = (git / (git / "commondir").read_text().strip()).resolve() if (git / "commondir").exists() else git
        head = (git / "HEAD").read_text().strip()
        name = head.removeprefix("ref: ")
        packed = (common / "packed-refs").read_text().splitlines() if (common / "packed-refs").exists() else []
        loose = common / name
        found = head if name == head else loose.read_text().strip() if loose.exists() else _packed(packed, name)
    except OSError:
        return ""
    return found if re.fullmatch(r"[0-9a-f]{40}", found) else ""


def _packed(lines: Iterable[str], name: str) -> str:
    return next((line.partition(" ")[0] for line in lines if line.partition(" ")[2] == name), "")
