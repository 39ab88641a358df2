"""H1: an HTTPRoute matches a path exactly or by whole elements of a prefix; the longest match wins."""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of HTTPRoutes there")}
pytestmark = pytest.mark.ambient(rule="H1", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

ANYTHING = "http://httpbin:8000/anything"
EXACT, PREFIX = Answered(200, header=("x-rule", "exact")), Answered(200, header=("x-rule", "prefix"))
LONGER, REST = Answered(200, header=("x-rule", "longer")), Answered(200, header=("x-rule", "rest"))


@cases(
    case("exact-path-matches", "curl", GET(f"{ANYTHING}/exact"), EXACT),
    case("exact-path-with-query-matches", "curl", GET(f"{ANYTHING}/exact?a=b"), EXACT),
    case("longer-than-exact-does-not", "curl", GET(f"{ANYTHING}/exact/more"), REST),
    case("path-in-capitals-does-not", "curl", GET(f"{ANYTHING}/EXACT"), REST),
    case("prefix-matches", "curl", GET(f"{ANYTHING}/prefix"), PREFIX),
    case("element-below-prefix-matches", "curl", GET(f"{ANYTHING}/prefix/more"), PREFIX),
    case("part-of-an-element-does-not", "curl", GET(f"{ANYTHING}/prefixed"), REST),
    case("longest-prefix-wins", "curl", GET(f"{ANYTHING}/prefix/longer/still"), LONGER),
)
def test_match_path(verdict: Verdict) -> None:
    """The rule that answers is the one whose path fits best."""
    verdict.holds()
