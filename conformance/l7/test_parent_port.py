"""H10: an HTTPRoute whose parent names a port holds for that port alone."""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of HTTPRoutes there")}
pytestmark = pytest.mark.ambient(rule="H10", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

FIRST, SECOND = GET("http://httpbin:8000/get"), GET("http://httpbin:8001/get")
RULE = '"X-Rule"'


@cases(
    case("named-port-is-routed", "curl", FIRST, Answered(200, body=RULE), level="extended"),
    case("other-port-is-not", "curl", SECOND, Answered(200, lacks=RULE), unchanged=True, level="extended"),
)
def test_parent_port(verdict: Verdict) -> None:
    """The other port of the Service goes on as before."""
    verdict.holds()
