"""The Helm and the cluster of these tests."""

from pathlib import Path

import pytest

from pytest_ambient.mesh import releases
from tests.doubles import Doubles, alone
from tests.mesh.landing import Cluster


@pytest.fixture
def doubles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doubles:
    """A helm 3.19 that knows of no releases unless told."""
    found = alone(tmp_path, monkeypatch)
    monkeypatch.setattr(releases, "LAST", 0.3)
    found.answer("helm", r"version --template \{\{.Version\}\}", "v3.19.0")
    return found


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A cluster without Istio."""
    return Cluster(tmp_path)
