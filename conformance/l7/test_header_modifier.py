"""H2: an HTTPRoute sets, adds and removes headers of requests and answers, whatever their case."""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of HTTPRoutes there")}
pytestmark = pytest.mark.ambient(rule="H2", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

HEADERS = "http://httpbin:8000/headers"
OWN = {"x-set": "by-the-caller"}
REMOVED = {"X-REMOVED": "by-the-caller"}
BY_ROUTE, BY_CALLER = '"by-the-route"', '"by-the-caller"'


@cases(
    case("header-is-set", "curl", GET(HEADERS), Answered(200, body='"X-Set"')),
    case("header-is-set-anew", "curl", GET(HEADERS, headers=OWN), Answered(200, body=BY_ROUTE, lacks=BY_CALLER)),
    case("header-is-added", "curl", GET(HEADERS), Answered(200, body='"X-Added"')),
    case("header-is-removed", "curl", GET(HEADERS, headers=REMOVED), Answered(200, lacks="by-the-caller")),
    case("answer-gets-a-header", "curl", GET(HEADERS), Answered(200, header=("x-answer", "by-the-route"))),
    case("answer-loses-a-header", "curl", GET(HEADERS), Answered(200, header=("access-control-allow-origin", None))),
)
def test_header_modifier(verdict: Verdict) -> None:
    """Both ways, the route has the last word."""
    verdict.holds()
