"""Mistakes in the use of this package's words, found while tests are collected: what, where and what to do instead.

Else some end in a traceback through this package, and some in a summary line that says nothing.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import pytest

import pytest_ambient
from pytest_ambient import _xdist
from pytest_ambient.errors import Misuse

PACKAGE = pytest_ambient.__name__
SUITE = f"{PACKAGE}.conformance"
"""The rules that come with the package are modules of tests like any other."""
_CALLED = re.compile(r"(\w+)\(\) ")
_KEYWORD = re.compile(r"unexpected keyword argument '(\w+)'")
_UNKNOWN = re.compile(r"name '(\w+)'")


@dataclass(frozen=True)
class Place:
    """A line that ran, and the names that it knew."""

    path: Path
    line: int
    names: Mapping[str, object]

    @property
    def ours(self) -> bool:
        """Whether it is this package's own."""
        module = f"{self.names.get('__name__')}."
        return module.startswith(f"{PACKAGE}.") and not module.startswith(f"{SUITE}.")


def tell(report: pytest.CollectReport, found: pytest.ExceptionInfo[BaseException], collector: pytest.Collector) -> None:
    """Put one line in place of what pytest would show, and of its summary; any other failure stays as it is."""
    cause = found.value.__cause__
    error = cause if isinstance(cause, ImportError) else found.value
    places = list(_places(error.__traceback__))
    own = next((number for number, place in enumerate(places) if place.ours), len(places))
    if own == 0:
        return
    user = places[own - 1]
    text = _refused(error) if own < len(places) else _unknown(error, user.names)
    if text is not None:
        _show(report, collector, user.path, user.line, text)


def refuse(report: pytest.CollectReport, collector: pytest.Collector) -> None:
    """Turn a report of tests into one line where a marker of theirs says what cannot be."""
    seen = set[int]()
    for item in report.result:
        for node, mark in item.iter_markers_with_node("ambient") if isinstance(item, pytest.Item) else ():
            text = _marked(mark) if id(mark) not in seen else None
            seen.add(id(mark))
            if text is not None:
                report.outcome, report.result = "failed", []
                _show(report, collector, node.path, _line_of(node), text)
                return


def _marked(mark: pytest.Mark) -> str | None:
    """What is wrong with a marker, None for one that can be."""
    from pytest_ambient import _facts, _words

    try:
        needs = _facts.merged([mark], None).needs
    except Misuse as error:
        return str(error)
    wrong = _words.needed(needs)
    return f"marker ambient: {wrong}" if wrong else None


def _line_of(node: object) -> int | None:
    """Where a test or a class of tests begins; None for a module, whose marker may stand anywhere."""
    if isinstance(node, pytest.Item | pytest.Class):
        line = node.reportinfo()[1]
        return None if line is None else line + 1
    return None


def _show(report: pytest.CollectReport, collector: pytest.Collector, path: Path, line: int | None, text: str) -> None:
    root = collector.config.rootpath
    place = str(path.relative_to(root) if path.is_relative_to(root) else path)
    told = f"{place}:{line}: {text}" if line is not None else f"{place}: {text}"
    if _xdist.worker_id(collector.config):
        report.longrepr = told  # the controller shows equal texts of several workers once, other values each time
        return
    try:
        _fail(told)
    except pytest.Collector.CollectError:
        shown = pytest.ExceptionInfo.from_current().getrepr(style="value", chain=False)
    if shown.reprcrash is not None:
        # of the summary, whose lines open with the file and end where the terminal does
        own = text if line is None else f"line {line}: {text}"
        shown.reprcrash.message = own if path == collector.path else told
    report.longrepr = shown


def _fail(text: str) -> NoReturn:
    raise pytest.Collector.CollectError(text)


def _places(trace: TracebackType | None) -> Iterator[Place]:
    while trace is not None:
        frame = trace.tb_frame
        yield Place(Path(frame.f_code.co_filename), trace.tb_lineno, {**frame.f_globals, **frame.f_locals})
        trace = trace.tb_next


def _refused(error: BaseException) -> str | None:
    """What one of our words says against how it was used."""
    return str(error) if isinstance(error, ValueError | pytest.Collector.CollectError) else None


def _unknown(error: BaseException, names: Mapping[str, object]) -> str | None:
    """What Python says of a word of ours, or of one that is none."""
    if isinstance(error, TypeError):
        return _called(str(error).partition(". Did you mean")[0].replace(".__init__()", "()"), names)
    if isinstance(error, ImportError) and error.name == PACKAGE:
        return _named(str(error).partition(f" from '{PACKAGE}'")[0] + f" from {PACKAGE}")
    if isinstance(error, NameError) and any(_is_ours(value) for value in names.values()):
        return _named(str(error).partition(". Did you mean")[0])
    return None


def _called(text: str, names: Mapping[str, object]) -> str | None:
    called = _CALLED.match(text)
    word = names.get(called[1]) if called else None
    if not callable(word) or not _is_ours(word):
        return None
    taken = list(inspect.signature(word).parameters)
    keyword = _KEYWORD.search(text)
    near = get_close_matches(keyword[1], taken, 1) if keyword else []
    return f"{text}, is {near[0]} meant?" if near else f"{text}; it takes {', '.join(taken)}"


def _named(text: str) -> str | None:
    unknown = _UNKNOWN.search(text)
    near = sorted(get_close_matches(unknown[1], pytest_ambient.__all__)) if unknown else []
    return f"{text}, is {' or '.join(near)} meant?" if near else None


def _is_ours(value: object) -> bool:
    return str(getattr(value, "__module__", "")).startswith(f"{PACKAGE}.")
