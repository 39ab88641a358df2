"""The istioctl and the cluster of these tests."""

from pathlib import Path

import pytest

from pytest_ambient.mesh import istioctl
from tests.doubles import Doubles, alone
from tests.mesh.istioctl.asked import VERSION
from tests.mesh.landing import Cluster


@pytest.fixture
def doubles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doubles:
    """An istioctl that leaves marks for the cluster; little patience."""
    found = alone(tmp_path, monkeypatch)
    monkeypatch.setattr(istioctl, "LAST", 0.3)
    found.answer("istioctl", "version --remote=false -o json", VERSION)
    return found


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A cluster without Istio."""
    return Cluster(tmp_path)
