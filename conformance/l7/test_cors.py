"""H12: a waypoint tells browsers which origins may read a Service's answers, by HTTPRoute and by VirtualService."""

import pytest

from pytest_ambient import GET, OPTIONS, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("nothing is known of CORS there")}
pytestmark = pytest.mark.ambient(rule="H12", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

URL = "http://httpbin:8000/get"
FRIEND, STRANGER = {"Origin": "http://friend.example"}, {"Origin": "http://stranger.example"}
PREFLIGHT = OPTIONS(URL, headers={**FRIEND, "Access-Control-Request-Method": "GET"})
NAMED = Answered(200, header=("access-control-allow-origin", "http://friend.example"))
OWN = Answered(200, header=("access-control-allow-origin", "*"))
ALLOWED = Answered(200, header=("access-control-allow-methods", "GET,PUT"), by_proxy=True)
ROUTE, VIRTUAL = "HTTPRouteCors", "VirtualService"


@cases(
    case("route-names-the-origin", "curl", GET(URL, headers=FRIEND), NAMED, state="route", needs=ROUTE),
    case("route-names-no-other", "curl", GET(URL, headers=STRANGER), OWN, state="route", needs=ROUTE, unchanged=True),
    case("route-answers-preflight", "curl", PREFLIGHT, ALLOWED, state="route", needs=ROUTE),
    case("virtual-names-the-origin", "curl", GET(URL, headers=FRIEND), NAMED, state="virtual", needs=VIRTUAL),
    case(
        "virtual-names-no-other",
        "curl",
        GET(URL, headers=STRANGER),
        OWN,
        state="virtual",
        needs=VIRTUAL,
        unchanged=True,
    ),
    case("virtual-answers-preflight", "curl", PREFLIGHT, ALLOWED, state="virtual", needs=VIRTUAL),
    level="extended",
)
def test_cors(verdict: Verdict) -> None:
    """The echo itself shares its answers with everybody; the waypoint names the origin, and answers preflights."""
    verdict.holds()
