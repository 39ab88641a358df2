"""What an ingress gateway logs and counts."""

from pathlib import Path

import pytest

from pytest_ambient.embedded.dataplane.ca import Authority
from pytest_ambient.embedded.dataplane.checks import QUIET
from pytest_ambient.embedded.dataplane.gateway import GatewayConfiguration
from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.istiod.model import Ingress, L7Policy, Mesh

from .entrance import FRONT, Entry
from .world import eventually


def counted(entry: Entry, *parts: str) -> bool:
    """Whether its counter of requests has a line with all these parts."""
    _, _, body = entry.world.run(entry.world.plane.waypoint_admin(entry.gateway.name, "bookinfo", "/stats/prometheus"))
    lines = [each for each in body.decode().splitlines() if each.startswith("istio_requests_total{")]
    return any(all(part in line for part in parts) for line in lines)


def test_it_counts_requests(entry: Entry) -> None:
    """It is their source, whoever called it; refused ones and those that no route matches count, too."""
    own = 'reporter="source"', 'source_workload="front-istio"', 'source_principal="unknown"'
    there = 'destination_service="reviews.bookinfo.svc.cluster.local"', 'connection_security_policy="unknown"'
    entry.world.call(entry.outsider, entry.front, "/reviews/counted")
    assert eventually(lambda: counted(entry, *own, *there, 'destination_workload="reviews"', 'response_code="200"'))
    entry.world.call(entry.outsider, entry.front, "/other")
    assert eventually(lambda: counted(entry, *own, 'destination_service="unknown"', 'response_code="404"'))
    with entry.following(policies=(L7Policy("p", "bookinfo", "ALLOW", ()),)):
        entry.world.call(entry.outsider, entry.front, "/reviews/refused")
    assert eventually(lambda: counted(entry, *own, *there, 'destination_workload="unknown"', 'response_code="403"'))


@pytest.mark.parametrize("logged", [True, False])
def test_it_logs_unless_it_is_told_not_to(entry: Entry, logged: bool) -> None:
    """What is not logged is counted nevertheless."""
    with entry.following(logged=logged):
        entry.world.call(entry.outsider, entry.front, f"/reviews/logged/{logged}", "-X", "DELETE")
    assert bool(entry.world.logged("bookinfo/front-istio-abc", f"/reviews/logged/{logged} ")) is logged
    assert eventually(lambda: counted(entry, 'response_code="405"'))


@pytest.mark.parametrize("faults", [frozenset[Fault](), frozenset({Fault.TELEMETRY_IGNORED})])
def test_the_fault_is_one_of_gateways_too(tmp_path: Path, faults: frozenset[Fault]) -> None:
    """Under it everything is logged."""
    configuration = GatewayConfiguration("127.0.0.1", FRONT, Authority(tmp_path), faults)
    made = configuration.resources(Mesh(), Ingress("front", "bookinfo", "front-istio", {80: ()}, logged=False))
    assert (QUIET in repr(made.listeners)) is (not faults)
