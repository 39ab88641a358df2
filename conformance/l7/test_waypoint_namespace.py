"""W1: a namespace's waypoint serves all its Services but those that name another one, or none."""

import pytest

from pytest_ambient import GET, Answered, DeniedL7, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="W1", profile="AMBIENT-L7", needs="Waypoint")

RATINGS, REVIEWS = "http://ratings:9080/ratings/0", "http://reviews:9080/reviews/0"
DETAILS = "http://details:9080/details/0"
REFUSE = {"x-refuse": "yes"}
BY_NAMESPACE = DeniedL7(by="${NAMESPACE}/refused-at-namespace-waypoint")
BY_OWN = DeniedL7(by="${NAMESPACE}/refused-at-reviews-waypoint")
PAST = Answered(200, through=None)
THROUGH_NAMESPACES = Answered(200, through="namespace-waypoint")
THROUGH_OWN = Answered(200, through="reviews-waypoint")


@cases(
    case("service-without-label-passes", "productpage-v1", GET(RATINGS), THROUGH_NAMESPACES, before=PAST),
    case(
        "and-it-is-the-namespaces",
        "productpage-v1",
        GET(RATINGS, headers=REFUSE),
        BY_NAMESPACE,
        twin="service-without-label-passes",
    ),
    case("service-with-label-passes", "productpage-v1", GET(REVIEWS), THROUGH_OWN, before=PAST),
    case("and-it-is-its-own", "productpage-v1", GET(REVIEWS, headers=REFUSE), BY_OWN, twin="service-with-label-passes"),
    case(
        "service-that-opted-out-passes-none",
        "productpage-v1",
        GET(DETAILS, headers=REFUSE),
        PAST,
        before=PAST,
        unchanged=True,
    ),
)
def test_waypoint_namespace(verdict: Verdict) -> None:
    """The Service's word goes before the namespace's."""
    verdict.holds()
