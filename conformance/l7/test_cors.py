"""H12: a waypoint tells browsers which origins may read a Service's answers, by HTTPRoute and by VirtualService.

The echo shares its answers with whoever asks, by name; which of their headers may be read, only the waypoint says.
"""

import pytest

from pytest_ambient import GET, OPTIONS, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("nothing is known of CORS there")}
pytestmark = pytest.mark.ambient(rule="H12", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

URL = "http://httpbin:8000/get"
FRIEND, STRANGER = {"Origin": "http://friend.example"}, {"Origin": "http://stranger.example"}
PREFLIGHT = OPTIONS(URL, headers={**FRIEND, "Access-Control-Request-Method": "GET"})
SEEN = Answered(200, header=("access-control-expose-headers", "x-shown"))
NONE = Answered(200, header=("access-control-expose-headers", None))
ALLOWED = Answered(200, header=("access-control-allow-methods", "GET,PUT"), by_proxy=True)
ROUTE, VIRTUAL = "HTTPRouteCors", "VirtualService"


@cases(
    case("route-names-the-origin", "curl", GET(URL, headers=FRIEND), SEEN, state="route", needs=ROUTE),
    case("route-names-no-other", "curl", GET(URL, headers=STRANGER), NONE, state="route", needs=ROUTE, unchanged=True),
    case("route-answers-preflight", "curl", PREFLIGHT, ALLOWED, state="route", needs=ROUTE),
    case("virtual-names-the-origin", "curl", GET(URL, headers=FRIEND), SEEN, state="virtual", needs=VIRTUAL),
    case(
        "virtual-names-no-other",
        "curl",
        GET(URL, headers=STRANGER),
        NONE,
        state="virtual",
        needs=VIRTUAL,
        unchanged=True,
    ),
    case("virtual-answers-preflight", "curl", PREFLIGHT, ALLOWED, state="virtual", needs=VIRTUAL),
    level="extended",
)
def test_cors(verdict: Verdict) -> None:
    """The waypoint speaks to the named origin alone, and answers its preflights."""
    verdict.holds()
