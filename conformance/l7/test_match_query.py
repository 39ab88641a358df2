"""H1: an HTTPRoute matches by query parameters, all of a match at once; more parameters win."""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of HTTPRoutes there")}
pytestmark = pytest.mark.ambient(rule="H1", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

URL = "http://httpbin:8000/anything"
BOTH, WHALE = Answered(200, header=("x-rule", "both")), Answered(200, header=("x-rule", "whale"))
REST = Answered(200, header=("x-rule", "rest"))


@cases(
    case("both-parameters-match", "curl", GET(f"{URL}?animal=whale&color=blue"), BOTH),
    case("their-order-does-not-matter", "curl", GET(f"{URL}?color=blue&animal=whale"), BOTH),
    case("one-parameter-falls-through", "curl", GET(f"{URL}?animal=whale"), WHALE),
    case("other-parameter-value-does-not", "curl", GET(f"{URL}?animal=whales"), REST),
    case("no-query-does-not-match", "curl", GET(URL), REST),
)
def test_match_query(verdict: Verdict) -> None:
    """Parameters are told apart by name and value."""
    verdict.holds()
