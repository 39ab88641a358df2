"""H1: headers of one match must all fit, matches of one rule are alternatives; more headers win."""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of HTTPRoutes there")}
pytestmark = pytest.mark.ambient(rule="H1", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

URL = "http://httpbin:8000/anything"
ALICE, BOTH = {"x-user": "alice"}, {"x-user": "alice", "x-team": "red"}
EITHER = Answered(200, header=("x-rule", "either"))
REST = Answered(200, header=("x-rule", "rest"))


@cases(
    case("both-headers-match", "curl", GET(URL, headers=BOTH), Answered(200, header=("x-rule", "both"))),
    case("name-in-capitals-matches", "curl", GET(URL, headers={"X-USER": "bob"}), EITHER),
    case("one-of-both-falls-through", "curl", GET(URL, headers=ALICE), EITHER),
    case("the-other-alone-does-not-match", "curl", GET(URL, headers={"x-team": "red"}), REST),
    case("second-alternative-matches", "curl", GET(URL, headers={"x-user": "bob"}), EITHER),
    case("other-value-does-not-match", "curl", GET(URL, headers={"x-user": "alicia"}), REST),
    case("no-header-does-not-match", "curl", GET(URL), REST),
)
def test_match_header(verdict: Verdict) -> None:
    """AND within a match, OR between matches."""
    verdict.holds()
