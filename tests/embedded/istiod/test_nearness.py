"""How near a Service wants its endpoints, and where nodes are."""

import pytest

from pytest_ambient.embedded.istiod.model import Nearness
from pytest_ambient.embedded.istiod.nearness import DISTRIBUTION, localities
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object

from .world import mesh_of, meta, namespace, service


@pytest.mark.parametrize(
    ("spec", "own", "of_namespace", "wanted", "at_nodes"),
    [
        ({}, "", "", "anywhere", "anywhere"),
        ({"internalTrafficPolicy": "Cluster"}, "", "", "anywhere", "anywhere"),
        ({"internalTrafficPolicy": "Local", "trafficDistribution": "PreferClose"}, "", "", "own-node", "own-node"),
        ({"trafficDistribution": "PreferClose"}, "PreferSameNode", "", "zone", "zone"),
        ({"trafficDistribution": "PreferSameZone"}, "", "", "zone", "zone"),
        ({"trafficDistribution": "PreferSameNode"}, "", "", "node", "node"),
        ({}, "preferclose", "PreferSameNode", "zone", "anywhere"),
        ({}, "Any", "PreferSameNode", "anywhere", "anywhere"),
        ({}, "", "PreferSameNode", "node", "anywhere"),
    ],
)
def test_a_service_says_how_near_its_endpoints_must_be(
    spec: Object, own: str, of_namespace: str, wanted: Nearness, at_nodes: Nearness
) -> None:
    """Its field counts before its annotation, that before its namespace's; nodes know of no annotation."""
    item, home = service("web"), namespace("bookinfo")
    item["spec"] |= spec
    for each, said in ((item, own), (home, of_namespace)):
        each["metadata"]["annotations"] = {DISTRIBUTION: said} if said else {}
    found = mesh_of(View(services=[item], namespaces=[home])).services["bookinfo/web"]
    assert (found.nearness, found.node_nearness) == (wanted, at_nodes)


def test_endpoints_that_are_not_ready_and_callers_that_stay() -> None:
    """Both are said by the Service."""
    item = service("web")
    item["spec"] |= {"publishNotReadyAddresses": True, "sessionAffinity": "ClientIP"}
    found = mesh_of(View(services=[item, service("plain")])).services
    assert [(each.unready_too, each.sticky) for each in found.values()] == [(True, True), (False, False)]


def test_where_nodes_are() -> None:
    """By their labels; a node without any is nowhere."""
    labels = {"topology.kubernetes.io/region": "r", "topology.kubernetes.io/zone": "z"}
    nodes: list[Object] = [{"metadata": meta("a", "", labels)}, {"metadata": meta("b", "")}]
    assert localities(nodes) == {"a": ("r", "z", "")}
