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

LOG = "bookinfo/front-istio-abc"


def counted(entry: Entry, *parts: str) -> tuple[int, int]:
    """How many requests with all these labels both its metrics have."""
    return entry.world.counted(entry.gateway.name, *parts)


def test_it_counts_requests(entry: Entry) -> None:
    """It is their source, whoever called it; refused ones and those that no route matches count, too."""
    own = 'reporter="source"', 'source_workload="front-istio"', 'source_principal="unknown"'
    there = 'destination_service="reviews.bookinfo.svc.cluster.local"', 'connection_security_policy="unknown"'
    answered = 'destination_workload="reviews"', 'response_code="200"'
    entry.world.call(entry.outsider, entry.front, "/reviews/counted")
    assert eventually(lambda: all(counted(entry, *own, *there, *answered)))
    entry.world.call(entry.outsider, entry.front, "/other")
    assert eventually(lambda: all(counted(entry, *own, 'destination_service="unknown"', 'response_code="404"')))
    refused = 'destination_workload="unknown"', 'response_code="403"'
    with entry.following(policies=(L7Policy("p", "bookinfo", "ALLOW", ()),)):
        entry.world.call(entry.outsider, entry.front, "/reviews/refused")
    assert eventually(lambda: all(counted(entry, *own, *there, *refused)))


@pytest.mark.parametrize(
    ("logged", "told"),
    [("", ["DELETE", "GET"]), (None, []), ("response.code >= 400", ["DELETE"])],
    ids=["all", "none", "an-expression"],
)
def test_it_logs_what_it_is_told_to(entry: Entry, logged: str | None, told: list[str]) -> None:
    """Each of those requests in one line as always; all are counted once, logged or not."""
    entry.world.logs[LOG] = []
    entry.world.call(entry.outsider, entry.front, "/first")
    assert entry.world.logged(LOG, '"GET /first ')
    before, _ = counted(entry)
    entry.world.logs[LOG] = []
    with entry.following(logged=logged):
        for method in ("DELETE", "GET"):
            entry.world.call(entry.outsider, entry.front, "/reviews/told", "-X", method)
    entry.world.call(entry.outsider, entry.front, "/last")
    assert entry.world.logged(LOG, '"GET /last ')
    assert [each.split('"')[1].split()[0] for each in entry.world.logged(LOG, "/reviews/told ", within=0.1)] == told
    assert all(each.startswith("[2") for each in entry.world.logs[LOG])
    assert counted(entry) == (before + 3, before + 3)


@pytest.mark.parametrize("faults", [frozenset[Fault](), frozenset({Fault.TELEMETRY_IGNORED})])
def test_the_fault_is_one_of_gateways_too(tmp_path: Path, faults: frozenset[Fault]) -> None:
    """Under it everything is logged, whatever is chosen."""
    configuration = GatewayConfiguration("127.0.0.1", FRONT, Authority(tmp_path), faults)
    for logged in (None, "false"):
        made = configuration.resources(Mesh(), Ingress("front", "bookinfo", "front-istio", {80: ()}, logged=logged))
        assert (QUIET in repr(made.listeners)) is (not faults)
