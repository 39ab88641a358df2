"""Makes a document anew from the results beside it, and says wherever the two differ."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ambient.errors import Misuse
from pytest_ambient.report import files, provenance, schema
from pytest_ambient.report.document import API, document

Object: TypeAlias = dict[str, Any]

LONGEST = 60
CUT = f"{files.RESULTS}: its last line, which says how the run ended, is missing: it was cut, or the run was killed"


def problems(path: Path) -> list[str]:
    """What is wrong with a document, line by line, empty when nothing is; Misuse for what cannot be read at all."""
    file = files.found(path)
    told = files.opened(path)
    wrong = schema.errors(told)
    if wrong:
        return wrong
    results = file.parent / files.RESULTS
    if not results.is_file():
        return [f"{files.RESULTS} is not beside it, so that no count can be made again"]
    lines = files.results(results)
    _readable(lines.head, results)
    sums = files.summed(results.read_bytes())
    if lines.head["run"] != told["run"]["id"]:
        return [f"run.id: the document is of run {told['run']['id']}, {files.RESULTS} of run {lines.head['run']}"]
    if lines.end is None:
        return [CUT, *differences(told["results"], sums, "results")]
    return list(differences(told, _anew(lines, sums, results), ""))


def notes(path: Path) -> list[str]:
    """What is worth knowing of a document and no fault of it."""
    told, here = files.opened(path)["suite"], provenance.suite()
    if told["version"] != here["version"]:
        return [f"it was made by pytest-ambient {told['version']}, this is {here['version']}"]
    if told["digest"] != here["digest"]:
        return [f"its tests are not those of the pytest-ambient {here['version']} that is installed here"]
    return []


def _readable(head: Object, results: Path) -> None:
    if head.get("apiVersion") != API:
        raise Misuse(f"{results}: is written in {head.get('apiVersion')}, this version reads {API}")


def _anew(lines: files.Lines, sums: Object, results: Path) -> Object:
    try:
        return document(lines.head, lines.rows, {**(lines.end or {}), "results": sums})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Misuse(f"{results}: is damaged: {error!r}") from None


def differences(told: object, made: object, where: str) -> Iterator[str]:
    """A line for each value that differs, with where it is."""
    if isinstance(told, dict) and isinstance(made, dict):
        for name in dict.fromkeys([*told, *made]):
            yield from differences(told.get(name), made.get(name), f"{where}.{name}".lstrip("."))
    elif isinstance(told, list) and isinstance(made, list):
        if len(told) != len(made):
            yield f"{where}: the document has {len(told)} entries, {files.RESULTS} give {len(made)}"
        for number, (one, other) in enumerate(zip(told, made, strict=False)):
            yield from differences(one, other, f"{where}[{_name(other, number)}]")
    elif told != made:
        yield f"{where}: the document says {_shown(told)}, {files.RESULTS} give {_shown(made)}"


def _name(item: object, number: int) -> str:
    """What a person calls an entry of a list."""
    if not isinstance(item, dict):
        return str(number)
    return next((str(item[key]) for key in ("case", "name", "rule") if key in item), str(number))


def _shown(value: object) -> str:
    words = "nothing" if value is None else repr(value)
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 3]}..."
