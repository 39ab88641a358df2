"""Reports as files: written whole or not at all, read with one line for whatever is wrong."""

import hashlib
import json
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeAlias

from pytest_ambient.errors import Misuse
from pytest_ambient.report import schema
from pytest_ambient.report.counting import KINDS
from pytest_ambient.report.document import API, KIND

Object: TypeAlias = dict[str, Any]

REPORT, RESULTS, PAGE = "report.yaml", "results.jsonl", "report.html"


def write(path: Path, text: str) -> None:
    """Put a file there whole; OSError leaves what was there before as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(0o644)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


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


def results(file: Path) -> list[Object]:
    """The lines of a `results.jsonl`: the head and the rows; Misuse names the first that is no such line."""
    lines = []
    for number, line in enumerate(text(file).splitlines(), 1):
        try:
            one = json.loads(line)
        except ValueError:
            raise Misuse(f"{file}: line {number} is damaged") from None
        wanted = ("run",) if number == 1 else ("nodeid", "word")
        if not isinstance(one, dict) or any(not isinstance(one.get(name), str) for name in wanted):
            raise Misuse(f"{file}: line {number} lacks {' and '.join(wanted)}")
        if number > 1 and one["word"] not in KINDS:
            raise Misuse(f"{file}: line {number}: unknown word {one['word']!r}")
        lines.append(one)
    if not lines:
        raise Misuse(f"{file}: is empty")
    return lines


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
