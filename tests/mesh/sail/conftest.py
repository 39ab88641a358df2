"""The cluster and the Helm of tests of Sail."""

from pathlib import Path

import pytest

from pytest_ambient.mesh import sail_operator
from pytest_ambient.mesh.installer import MeshSpec
from tests.doubles import Doubles, alone
from tests.mesh.operated import OperatedTarget, target
from tests.mesh.sail.worlds import World, planned, reconciled, taken_back


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doubles:
    """A double of Helm that pulls, installs and uninstalls without complaint; there is no release before."""
    made = alone(tmp_path, monkeypatch)
    made.answer("helm", r"version --template \{\{\.Version\}\}", "v3.19.0")
    return made


@pytest.fixture
def kube(helm: Doubles) -> World:
    """A cluster with nothing in it."""
    made = World(applied=reconciled, finished=taken_back)
    made.helm, made.broken = helm, {}
    return made


@pytest.fixture
def spec(tmp_path: Path) -> MeshSpec:
    """Istio 1.30.3, with little patience."""
    (tmp_path / "run").mkdir()
    return MeshSpec("1.30.3", tmp_path / "run", within=1)


@pytest.fixture
def openshift(kube: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OperatedTarget:
    """An OpenShift, on which OLM does Helm's work."""
    monkeypatch.setattr(sail_operator, "NAMES", ("sail-operator-by-olm",))
    kube.applied = planned
    return target(kube, tmp_path, platform="openshift")
