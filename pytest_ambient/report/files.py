"""Reports as files: written whole or not at all, read with one line for whatever is wrong."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple, TypeAlias

from pytest_ambient.errors import Misuse
from pytest_ambient.report import lines, schema
from pytest_ambient.report.counting import KINDS
from pytest_ambient.report.document import API, KIND

Object: TypeAlias = dict[str, Any]

REPORT, RESULTS, PAGE = "report.yaml", lines.RESULTS, "report.html"
END = ("seconds", "state", "ended", "environment", "features")
"""What the last line of results says: how the run ended, on what it ran, what that can do."""


def write(path: Path, text: str) -> None:
    """Put a file there whole; OSError leaves what was there before as it was."""
    write_all({path: text})


def write_all(texts: Mapping[Path, str], beside: Callable[[], None] = lambda: None) -> None:
    """Put files there, all of them whole, and do what is done beside once all have found room.

    OSError leaves what was there before as it was.
    """
    ready: dict[Path, Path] = {}
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(
                "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
            ) as file:
                ready[path] = Path(file.name)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            ready[path].chmod(0o644)
        beside()
        for path in texts:
            ready.pop(path).replace(path)
    finally:
        for left in ready.values():
            left.unlink(missing_ok=True)


def dumped(document: Object) -> str:
    """A document as YAML, keys in their own order."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the one in C is ten times as fast, and not everywhere
    return str(yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120))


def found(path: Path) -> Path:
    """The document that a path means: the file, or the one in the folder; Misuse when there is none."""
    file = path / REPORT if path.is_dir() else path
    if not file.is_file():
        raise Misuse(f"{path}: no such file or folder" if not path.exists() else f"{path}: it has no {REPORT}")
    return file


def read(path: Path) -> Object:
    """The document of a file or a folder; Misuse, one line, for what is no document that this version reads."""
    document = _document(found(path))
    wrong = schema.errors(document)
    if wrong:
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise Misuse(f"{found(path)}: {wrong[0]}{more}")
    return document


def opened(path: Path) -> Object:
    """The document of a file, its schema unchecked: of our kind, of a version that is known, and whole."""
    return _document(found(path))


def _document(file: Path) -> Object:
    import yaml

    try:
        loaded = yaml.load(text(file), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except yaml.YAMLError as error:
        raise Misuse(f"{file}: is damaged: {_where(error)}") from None
    if not isinstance(loaded, dict) or loaded.get("kind") != KIND:
        kind = f"of kind {loaded['kind']}" if isinstance(loaded, dict) and loaded.get("kind") else "something else"
        raise Misuse(f"{file}: is no {KIND}, it is {kind}")
    if loaded.get("apiVersion") != API:
        raise Misuse(f"{file}: is written in {loaded.get('apiVersion')}, this version reads {API}")
    if "results" not in loaded:
        raise Misuse(f"{file}: is truncated: it has no results at its end")
    return loaded


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    line = f"line {mark.line + 1}: " if mark is not None else ""
    return f"{line}{getattr(error, 'problem', None) or ' '.join(str(error).split())}"


def text(file: Path) -> str:
    """What is in a file; Misuse when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise Misuse(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Misuse(f"{file}: is damaged: it is no text") from None


class Lines(NamedTuple):
    """What a `results.jsonl` says."""

    head: Object
    rows: list[Object]
    end: Object | None
    """How the run ended; None where it was killed, or the file was cut."""


def results(file: Path) -> Lines:
    """The lines of a `results.jsonl`; Misuse names the first that is no such line."""
    found = [_line(file, number, line) for number, line in enumerate(text(file).splitlines(), 1)]
    if not found:
        raise Misuse(f"{file}: is empty")
    head, *rows = found
    end = rows.pop() if rows and "nodeid" not in rows[-1] else None
    for number, row in enumerate(rows, 2):
        _holds(file, number, row, ("nodeid", "word"))
        if row["word"] not in KINDS:
            raise Misuse(f"{file}: line {number}: unknown word {row['word']!r}")
    _holds(file, 1, head, ("run",))
    if end is not None:
        missing = [name for name in END if name not in end]
        if missing:
            raise Misuse(f"{file}: line {len(found)} lacks {' and '.join(missing)}")
    return Lines(head, rows, end)


def _line(file: Path, number: int, line: str) -> Object:
    try:
        one = json.loads(line)
    except ValueError:
        raise Misuse(f"{file}: line {number} is damaged") from None
    if not isinstance(one, dict):
        raise Misuse(f"{file}: line {number} is damaged")
    return one


def _holds(file: Path, number: int, line: Object, names: tuple[str, ...]) -> None:
    if any(not isinstance(line.get(name), str) for name in names):
        raise Misuse(f"{file}: line {number} lacks {' and '.join(names)}")


def summed(data: bytes) -> Object:
    """What a document says of its results: their digest and number of lines."""
    return {"file": RESULTS, "sha256": hashlib.sha256(data).hexdigest(), "lines": data.count(b"\n")}


def implementation(path: Path) -> Object:
    """Who made the mesh, as a file says; Misuse, one line, when it does not say it."""
    import yaml

    try:
        loaded = yaml.safe_load(text(path))
    except yaml.YAMLError as error:
        raise Misuse(f"{path}: {_where(error)}") from None
    wrong = schema.errors(loaded, "implementation")
    if wrong:
        raise Misuse(f"{path}: {wrong[0]}")
    told: Object = loaded
    return told
