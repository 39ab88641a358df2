"""H12: a waypoint gives an endpoint that keeps failing no more requests, as a DestinationRule says."""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("nothing is known of outlier detection there")}
NEEDS = ("Waypoint", "VirtualService")
pytestmark = pytest.mark.ambient(rule="H12", profile="AMBIENT-L7", needs=NEEDS, on=KMESH)

FAILING, SPARED = GET("http://httpbin:8000/status/500"), GET("http://httpbin-spared:8000/status/500")
EJECTED = Answered(503, body="no healthy upstream", by_proxy=True)


@cases(
    case("failing-endpoint-is-ejected", "curl", FAILING, EJECTED, before=Answered(500)),
    case("service-without-a-limit-goes-on", "curl", SPARED, Answered(500), unchanged=True),
    level="extended",
)
def test_circuit_breaker(verdict: Verdict) -> None:
    """Where the only endpoint is out, the waypoint answers for it."""
    verdict.holds()
