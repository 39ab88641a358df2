"""L4: source IP blocks are matched against the caller's address."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, TimedOut, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="L4", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
ANSWERED = Answered(200)
DENIED = DeniedL4(by="${NAMESPACE}/reviews-deny-all-addresses")
NOT_ALLOWED = DeniedL4(by="${NAMESPACE}/reviews-allow-nobodys-address")
ALIEN, PLAIN = "outside/curl", "Permissive"
EVERYBODY, NOBODY = "deny-all-addresses", "allow-nobodys-address"
DROPPED = {"kmesh": TimedOut()}


@cases(
    case("meshed-pod-is-reset", "curl", REVIEWS, DENIED, state=EVERYBODY, twin="ratings-answers", on=DROPPED),
    case(
        "unmeshed-pod-is-reset",
        ALIEN,
        REVIEWS,
        DENIED,
        state=EVERYBODY,
        twin="ratings-answers-alien",
        needs=PLAIN,
        on=DROPPED,
    ),
    case("ratings-answers", "curl", RATINGS, ANSWERED, state=EVERYBODY, unchanged=True),
    case("ratings-answers-alien", ALIEN, RATINGS, ANSWERED, state=EVERYBODY, unchanged=True, needs=PLAIN),
    case("all-addresses-are-allowed", "curl", REVIEWS, ANSWERED, state="allow-all-addresses", unchanged=True),
    case("other-address-is-reset", "curl", REVIEWS, NOT_ALLOWED, state=NOBODY, twin="unselected-answers", on=DROPPED),
    case("unselected-answers", "curl", RATINGS, ANSWERED, state=NOBODY, unchanged=True),
    case("denied-block-of-nobody-answers", "curl", REVIEWS, ANSWERED, state="deny-nobodys-address", unchanged=True),
    level="extended",
)
def test_ip_blocks(verdict: Verdict) -> None:
    """Blocks that hold the caller's address match, others do not."""
    verdict.holds()
