"""Keeps secrets out of what pytest reports of our tests, on whatever way they came into it."""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from pytest_ambient.redact import cleaned, credentials, redacted


@cache
def known(*kubeconfigs: Path | None) -> frozenset[str]:
    """The credentials in some kubeconfigs, those that can be read."""
    found = set[str]()
    for path in kubeconfigs:
        try:
            found |= credentials(path.read_text(encoding="utf-8")) if path else frozenset()
        except (OSError, UnicodeDecodeError):
            continue
    return frozenset(found)


def conceal(report: pytest.TestReport, values: Iterable[str]) -> None:
    """Take secrets out of a report: what was raised, what was captured, what was noted."""
    values = frozenset(values)
    if isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        report.longrepr = (path, line, redacted(reason, values))
    elif report.longrepr is not None:
        text = report.longreprtext
        clean = redacted(text, values)
        if clean != text:  # the form of it, which pytest can colour, is only worth keeping where nothing is in it
            report.longrepr = clean
    report.sections = [(title, redacted(text, values)) for title, text in report.sections]
    report.user_properties = [(name, _value(value, values)) for name, value in report.user_properties]


def _value(value: object, values: frozenset[str]) -> object:
    """Ours are JSON, of which the quotes must stay."""
    if not isinstance(value, str):
        return value
    try:
        return json.dumps(cleaned(json.loads(value), values))
    except ValueError:
        return redacted(value, values)
