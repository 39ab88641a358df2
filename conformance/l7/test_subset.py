"""H12: a VirtualService routes to subsets that a DestinationRule makes of one Service, by header and by weight."""

import pytest

from pytest_ambient import GET, Answered, Split, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("nothing is known of subsets there")}
NEEDS = ("Waypoint", "VirtualService")
pytestmark = pytest.mark.ambient(rule="H12", profile="AMBIENT-L7", needs=NEEDS, on=KMESH)

REVIEWS = "http://reviews:9080/reviews/0"
NORMAL, ANYBODY = GET(REVIEWS, headers={"end-user": "normal"}), GET(REVIEWS)
V1, V2 = Answered(200, backend="reviews-v1"), Answered(200, backend="reviews-v2")
NINETY_TEN = Split({"reviews-v1": 0.9, "reviews-v3": 0.1}, header=("x-split", "subsets"))


@cases(
    case("named-header-reaches-its-subset", "curl", NORMAL, V2, state="header"),
    case("others-reach-the-other", "curl", ANYBODY, V1, state="header"),
    case("weights-are-the-shares", "curl", ANYBODY, NINETY_TEN, state="weights"),
    case("unknown-subset-is-503", "curl", ANYBODY, Answered(503, by_proxy=True), state="unknown"),
    level="extended",
)
def test_subset(verdict: Verdict) -> None:
    """All pods are behind one Service, labels tell them apart."""
    verdict.holds()
