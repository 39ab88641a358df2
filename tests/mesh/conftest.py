"""What tests of operators share: where the mesh is put in."""

from pathlib import Path

import pytest

from tests.mesh.operated import Operated, OperatedTarget, target


@pytest.fixture
def where(kube: Operated, tmp_path: Path) -> OperatedTarget:
    """A cluster that this run does not own; what it is like, a test module says with its `kube`."""
    return target(kube, tmp_path)
