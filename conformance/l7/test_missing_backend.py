"""H9: a route to a backend that is not there answers 500, a request that no rule matches 404."""

import pytest

from pytest_ambient import GET, STATUS, Answered, HasCondition, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of HTTPRoutes there")}
pytestmark = pytest.mark.ambient(rule="H9", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

ROUTE = STATUS("gateway.networking.k8s.io/v1/HTTPRoute", "missing")
NOT_FOUND = HasCondition("ResolvedRefs", "False", "BackendNotFound")
ERROR, UNMATCHED = Answered(500, by_proxy=True), Answered(404, by_proxy=True)
GOT, HEADERS = GET("http://httpbin:8000/get"), GET("http://httpbin:8000/headers")


@cases(
    case("missing-backend-is-500", "curl", GOT, ERROR, state="no-backend"),
    case("missing-backend-is-told", None, ROUTE, NOT_FOUND, state="no-backend"),
    case("matched-request-is-answered", "curl", GOT, Answered(200), state="no-match", unchanged=True),
    case("unmatched-request-is-404", "curl", HEADERS, UNMATCHED, state="no-match"),
)
def test_missing_backend(verdict: Verdict) -> None:
    """The proxy itself says that there is no way."""
    verdict.holds()
