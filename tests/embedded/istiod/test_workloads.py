"""Which pods are workloads of the mesh."""

import pytest

from pytest_ambient.embedded.istiod.view import View

from .world import mesh_of, pod


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
