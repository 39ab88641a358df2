"""A plugin for pytest that runs rows of level core alone: the catalogue that every conforming mesh must keep."""

import pytest

from pytest_ambient import _gate


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out all others."""
    others = [item for item in items if _gate.facts(item).level != "core"]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in set(others)]
