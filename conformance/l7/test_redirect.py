"""H3: an HTTPRoute redirects to another host, port, scheme or path, and Location says where exactly."""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of HTTPRoutes there")}
pytestmark = pytest.mark.ambient(rule="H3", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

ANYTHING = "http://httpbin:8000/anything"


def moved(location: str, status: int = 302) -> Answered:
    """A redirect to that place."""
    return Answered(status, header=("location", location), by_proxy=True)


@cases(
    case("host-is-replaced", "curl", GET(f"{ANYTHING}/host?a=b"), moved("http://other.example:8000/anything/host?a=b")),
    case("status-is-told", "curl", GET(f"{ANYTHING}/status"), moved("http://httpbin:8000/anything/status", 301)),
    case("port-is-replaced", "curl", GET(f"{ANYTHING}/port"), moved("http://httpbin:9000/anything/port")),
    case("scheme-is-replaced", "curl", GET(f"{ANYTHING}/scheme"), moved("https://httpbin:8443/anything/scheme")),
    case("whole-path-is-replaced", "curl", GET(f"{ANYTHING}/whole/path?a=b"), moved("http://httpbin:8000/all?a=b")),
    case("prefix-is-replaced", "curl", GET(f"{ANYTHING}/prefix/more"), moved("http://httpbin:8000/new/prefix/more")),
    case("bare-prefix-is-replaced", "curl", GET(f"{ANYTHING}/prefix"), moved("http://httpbin:8000/new/prefix")),
    case("unmatched-path-is-answered", "curl", GET(f"{ANYTHING}/other"), Answered(200), unchanged=True),
    case(
        "scheme-alone-keeps-the-port",
        "curl",
        GET(f"{ANYTHING}/secure"),
        moved("https://httpbin:8000/anything/secure"),
        level="documented",
    ),
    level="extended",
)
def test_redirect(verdict: Verdict) -> None:
    """What the route does not name stays as it was asked for."""
    verdict.holds()
