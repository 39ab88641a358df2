"""H6: a request that takes longer than its route allows is answered 504 by the waypoint, a faster one as ever."""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of HTTPRoutes there")}
pytestmark = pytest.mark.ambient(rule="H6", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

SLOW, FAST = GET("http://httpbin:8000/delay/2"), GET("http://httpbin:8000/delay/0")
LATE = Answered(504, body="upstream request timeout", by_proxy=True)


@cases(
    case("slow-request-is-504", "curl", SLOW, LATE, state="request"),
    case("fast-request-is-answered", "curl", FAST, Answered(200), state="request", unchanged=True),
    case("slow-backend-is-504", "curl", SLOW, LATE, state="backend-request"),
    case("fast-backend-is-answered", "curl", FAST, Answered(200), state="backend-request", unchanged=True),
    case("virtual-service-has-one-too", "curl", SLOW, LATE, state="virtual-service", needs="VirtualService"),
    level="extended",
)
def test_timeout(verdict: Verdict) -> None:
    """The waypoint gives up on the backend, not the caller."""
    verdict.holds()
