"""R7: istiod, CNI agents and ztunnels are ready on every node, of one version, and every Bookinfo pod is captured."""

import pytest

from pytest_ambient import Bookinfo, Mesh, Settings, Unsupported, Verdict

pytestmark = pytest.mark.ambient(rule="R7")

NO_AGENT = pytest.mark.ambient(on={"kmesh": Unsupported("Kmesh captures pods by itself, there is no CNI agent")})


@pytest.mark.parametrize("part", ["istiod", pytest.param("istio-cni", marks=NO_AGENT), "ztunnel"])
def test_part_is_ready(ambient_mesh: Mesh, part: str) -> None:
    """Each part of the mesh, ztunnel or what is in its place, is there and ready on every node where it must be."""
    Verdict(ambient_mesh.problem(part)).holds()


def test_versions_agree(ambient_mesh: Mesh, ambient_settings: Settings) -> None:
    """All parts run one version, the one asked for when one was."""
    Verdict(ambient_mesh.disagreement(ambient_settings.istio_version)).holds()


def test_every_pod_is_captured(bookinfo: Bookinfo) -> None:
    """All that the data plane can be asked about every pod in an enrolled namespace says that it is captured."""
    Verdict(bookinfo.uncaptured()).holds()
