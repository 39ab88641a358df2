"""The end of a run: its document, its page, and what JUnit's file says of the whole."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pytest_ambient.report import files, html
from pytest_ambient.report.junit import PREFIX

Object: TypeAlias = dict[str, Any]


def publish(document: Object, folder: Path, settle: Callable[[], None]) -> None:
    """Write `report.yaml` and `report.html`, and let the results settle beside them, all or none of it.

    OSError when that cannot be.
    """
    texts = {folder / files.REPORT: files.dumped(document), folder / files.PAGE: html.page(document)}
    files.write_all(texts, settle)


def annotate(config: pytest.Config, document: Object) -> None:
    """Give JUnit's file, where one is written, the results as properties of the whole."""
    from _pytest.junitxml import xml_key

    xml = config.stash.get(xml_key, None)
    if xml is not None:
        for name, value in told(document):
            xml.add_global_property(f"{PREFIX}{name}", value)


def told(document: Object) -> Iterator[tuple[str, str]]:
    """What is said of the whole: its result, and each profile's by level."""
    yield "result", document["result"]
    yield "publishable", str(document["publishable"]).lower()
    for one in document["profiles"]:
        for level in ("core", "extended"):
            yield f"{one['name']}.{level}", one[level]["result"]
