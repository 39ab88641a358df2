"""H1: an HTTPRoute matches by method; several matches of one rule are alternatives."""

import pytest

from pytest_ambient import DELETE, GET, POST, PUT, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of HTTPRoutes there")}
pytestmark = pytest.mark.ambient(rule="H1", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

ANYTHING = "http://httpbin:8000/anything"
EITHER = Answered(200, header=("x-rule", "put-or-delete"))


@cases(
    case("post-matches", "curl", POST(ANYTHING), Answered(200, header=("x-rule", "post"))),
    case("put-matches-the-first-alternative", "curl", PUT(ANYTHING), EITHER),
    case("delete-matches-the-second", "curl", DELETE(ANYTHING), EITHER),
    case("get-matches-neither", "curl", GET(ANYTHING), Answered(200, header=("x-rule", "rest"))),
)
def test_match_method(verdict: Verdict) -> None:
    """Each method finds its rule."""
    verdict.holds()
