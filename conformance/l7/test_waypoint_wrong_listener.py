"""W11: a waypoint's listener that is not HBONE on port 15008 is not accepted."""

import pytest

from pytest_ambient import STATUS, HasCondition, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="W11", profile="AMBIENT-L7", needs="Waypoint")

GATEWAY = "gateway.networking.k8s.io/v1/Gateway"
REFUSED = HasCondition("Accepted", "False", "UnsupportedProtocol", listener="mesh")


@cases(
    case("other-port-is-refused", None, STATUS(GATEWAY, "wrong-port"), REFUSED),
    case("other-protocol-is-refused", None, STATUS(GATEWAY, "wrong-protocol"), REFUSED),
)
def test_waypoint_wrong_listener(verdict: Verdict) -> None:
    """The listener says so, not the Gateway."""
    verdict.holds()
