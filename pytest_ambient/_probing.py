"""What the fixtures and the console script ask of the rooms below, with settings translated into their words."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ambient.cluster.provider import Cluster


@contextmanager
def turn(cluster: "Cluster", *, alone: bool) -> Iterator[None]:
    """Hold the mesh: together with others, or alone."""
    from pytest_ambient import _lock
    from pytest_ambient.cluster.lease import state_folder

    name = hashlib.sha256(f"{cluster.kubeconfig} {cluster.context}".encode()).hexdigest()[:16]
    with (_lock.alone if alone else _lock.shared)(state_folder() / "locks" / f"{name}.db"):
        yield
