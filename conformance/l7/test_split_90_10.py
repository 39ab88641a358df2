"""R4: an HTTPRoute's weights are the shares in which its backends answer."""

import pytest

from pytest_ambient import GET, Split, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of HTTPRoutes there")}
pytestmark = pytest.mark.ambient(rule="R4", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

REVIEWS = GET("http://reviews:9080/reviews/0")
NINETY_TEN = Split({"reviews-v1": 0.9, "reviews-v2": 0.1})
ALL_TO_ONE = Split({"reviews-v1": 1.0, "reviews-v2": 0.0})
HALVES = Split({"reviews-v1": 0.5, "reviews-v2": 0.5})
THREE_WAYS = Split({"reviews-v1": 0.8, "reviews-v2": 0.1, "reviews-v3": 0.1})


@cases(
    case("ninety-ten-is-served-ninety-ten", "curl", REVIEWS, NINETY_TEN, state="90-10"),
    case("zero-weight-is-never-served", "curl", REVIEWS, ALL_TO_ONE, state="100-0"),
    case("halves-are-served-as-halves", "curl", REVIEWS, HALVES, state="50-50"),
    case("three-ways-are-served-as-weighted", "curl", REVIEWS, THREE_WAYS, state="80-10-10"),
)
def test_split(verdict: Verdict) -> None:
    """The shares of the answers are the weights."""
    verdict.holds()
