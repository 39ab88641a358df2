"""R1: an HTTPRoute sends the user `normal` to reviews-v2 and everybody else to reviews-v1."""

import pytest

from pytest_ambient import GET, Answered, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh is known to route by VirtualService, nothing is known of HTTPRoutes there")}
pytestmark = pytest.mark.ambient(rule="R1", profile="AMBIENT-L7", needs="Waypoint", on=KMESH)

REVIEWS = "http://reviews:9080/reviews/0"
PAGE = "http://productpage:9080/productpage"
V1 = Answered(200, backend="reviews-v1")
V2 = Answered(200, backend="reviews-v2")
BLACK_STARS = Answered(200, backend="reviews-v2", body="gap-x-1 text-black-500")
NO_STARS = Answered(200, backend="reviews-v1", lacks="glyphicon-star")
PAGE_AS_NORMAL = GET(f"{PAGE}?u=normal", signed_in="normal")
PAGE_AS_TEST = GET(f"{PAGE}?u=test", signed_in="test")
NORMAL = {"end-user": "normal"}
TEST = {"end-user": "test"}


@cases(
    case("header-normal-reaches-v2", "productpage-v1", GET(REVIEWS, headers=NORMAL), V2, state="by-header"),
    case("header-test-reaches-v1", "productpage-v1", GET(REVIEWS, headers=TEST), V1, state="by-header"),
    case("no-header-reaches-v1", "productpage-v1", GET(REVIEWS), V1, state="by-header"),
    case("signed-in-normal-sees-black-stars", "curl", PAGE_AS_NORMAL, BLACK_STARS, state="by-header"),
    case("signed-in-test-sees-no-stars", "curl", PAGE_AS_TEST, NO_STARS, state="by-header"),
    case("query-is-not-the-header", "curl", GET(f"{PAGE}?u=normal"), NO_STARS, state="by-header", level="documented"),
    case("query-normal-reaches-v2", "productpage-v1", GET(f"{REVIEWS}?u=normal"), V2, state="by-query"),
    case("query-test-reaches-v1", "productpage-v1", GET(f"{REVIEWS}?u=test"), V1, state="by-query"),
)
def test_route_by_user(verdict: Verdict) -> None:
    """The version of reviews follows the user."""
    verdict.holds()
