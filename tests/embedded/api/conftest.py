"""One API server for each test module."""

from collections.abc import Iterator

import pytest

from .world import World, running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A served store with a fake kubelet."""
    with running(tmp_path_factory.mktemp("api")) as served:
        yield served
