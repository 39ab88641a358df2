"""One cluster for all of these tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .estate import Estate, estate


@pytest.fixture(scope="session")
def owned_by_others() -> Iterator[Estate]:
    """A cluster that no run of these tests made; its folder's path is short, as its sockets' must be."""
    with tempfile.TemporaryDirectory(prefix="est") as folder, estate(Path(folder)) as found:
        yield found
