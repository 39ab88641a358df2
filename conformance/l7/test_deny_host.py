"""Z1: a DENY at a waypoint matches the host that the request names."""

import pytest

from pytest_ambient import GET, Answered, DeniedL7, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="Z1", profile="AMBIENT-L7", needs="Waypoint")

URL = "http://httpbin:8000/anything"
DENIED = DeniedL7(by="${NAMESPACE}/no-such-host")


@cases(
    case(
        "named-host-is-denied",
        "curl",
        GET(URL, headers={"host": "denied.example"}),
        DENIED,
        twin="own-host-is-answered",
    ),
    case(
        "host-below-is-denied",
        "curl",
        GET(URL, headers={"host": "a.denied.example"}),
        DENIED,
        twin="own-host-is-answered",
    ),
    case(
        "host-in-capitals-is-denied",
        "curl",
        GET(URL, headers={"host": "DENIED.example"}),
        DENIED,
        twin="own-host-is-answered",
    ),
    case("own-host-is-answered", "curl", GET(URL), Answered(200), unchanged=True),
)
def test_deny_host(verdict: Verdict) -> None:
    """The Host header decides, whatever its case."""
    verdict.holds()
