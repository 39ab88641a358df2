"""H11: a TCPRoute sends the connections of a port that is not known to speak HTTP where it says."""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of TCPRoutes there")}
NEEDS = ("Waypoint", "TCPRoute")
pytestmark = pytest.mark.ambient(rule="H11", profile="AMBIENT-L7", needs=NEEDS, on=KMESH)

CALL = GET("http://reviews-tcp:9000/reviews/0")
ROUTED = Answered(200, backend="reviews-v1")


@cases(
    case("connection-goes-to-the-only-backend", "curl", CALL, ROUTED),
    case("other-account-is-routed-too", "details-v1", CALL, ROUTED),
    level="extended",
)
def test_tcp_route(verdict: Verdict) -> None:
    """A backend of weight 0 gets nothing."""
    verdict.holds()
