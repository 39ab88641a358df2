"""Which pods are workloads of the mesh."""

import pytest

from pytest_ambient.embedded.istiod.model import Place
from pytest_ambient.embedded.istiod.view import View

from .world import endpoint_slice, mesh_of, pod, service


@pytest.mark.parametrize(
    ("phase", "address", "known"),
    [
        ("Pending", "127.80.1.1", True),
        ("Running", "127.80.1.1", True),
        ("Pending", "", False),
        ("Succeeded", "127.80.1.1", False),
        ("Failed", "127.80.1.1", False),
    ],
)
def test_a_pod_is_known_from_its_address_to_its_end(phase: str, address: str, known: bool) -> None:
    """A pod that has an address and has not ended is a workload, before its first container starts."""
    item = pod("p", "reviews", address)
    item["status"]["phase"] = phase
    assert bool(mesh_of(View(pods=[item])).workloads) == known


@pytest.mark.parametrize("address", ["127.80.1.1", "127.80.1.9"])
def test_an_endpoint_that_somebody_wrote_is_no_pod(address: str) -> None:
    """A Service without a selector leads where its EndpointSlice says; a pod at that address is another workload."""
    written = endpoint_slice("by-hand")
    written["endpoints"] = [{"addresses": [address], "conditions": {"ready": True}}]
    view = View(services=[service("by-hand")], pods=[pod("p", "reviews", "127.80.1.1")], slices=[written])
    found = mesh_of(view).services["bookinfo/by-hand"]
    assert found.endpoints == ()
    assert found.places == (Place(address, {9080: 9080}, {}, "by-hand-x"),)


def test_a_port_without_a_number_leads_nowhere() -> None:
    """Who writes a slice may leave it out; other ports, and other Services, are not touched by it."""
    written = endpoint_slice("by-hand")
    written["ports"] = [{"name": "http"}]
    written["endpoints"] = [{"addresses": ["127.80.1.1"], "conditions": {"ready": True}}]
    found = mesh_of(View(services=[service("by-hand")], slices=[written])).services["bookinfo/by-hand"]
    assert [each.ports for each in found.places] == [{}]


def test_where_the_api_answers_is_outside_of_the_cluster() -> None:
    """Its own Service leads there, whatever the address looks like."""
    written = endpoint_slice("kubernetes", namespace="default")
    written["endpoints"] = [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}]
    found = mesh_of(View(services=[service("kubernetes", "default")], slices=[written])).services
    assert [each.outside for each in found["default/kubernetes"].places] == [True]


@pytest.mark.parametrize(
    ("kind", "controller"), [("ReplicaSet", "reviews-v1"), ("Job", "once"), ("StatefulSet", "once")]
)
def test_a_workload_is_called_as_what_made_its_pods(kind: str, controller: str) -> None:
    """A ReplicaSet stands for its Deployment, all else for itself."""
    item = pod("p", "reviews", "127.80.1.1")
    name = "reviews-v1-abc" if kind == "ReplicaSet" else "once"
    item["metadata"]["ownerReferences"] = [{"kind": kind, "name": name, "controller": True}]
    (found,) = mesh_of(View(pods=[item])).workloads.values()
    assert found.controller == controller
