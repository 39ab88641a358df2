"""L6: a not-form in a DENY resets everybody but those it names, callers without identity included."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="L6", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
ANSWERED = Answered(200)
ALIEN, PLAIN = "outside/curl", "Permissive"
WHO, WHERE, ADDRESS, PORT = "not-principals", "not-namespaces", "not-ip-blocks", "not-ports"
BY_WHO, BY_WHERE = DeniedL4(by="reviews-not-principals"), DeniedL4(by="reviews-not-namespaces")
BY_ADDRESS, BY_PORT = DeniedL4(by="reviews-not-ip-blocks"), DeniedL4(by="reviews-not-ports")
ONE, HERE = "named-principal-is-answered", "named-namespace-is-answered"
KMESH = {"kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered")}


@cases(
    case("named-principal-is-answered", "productpage-v1", REVIEWS, ANSWERED, state=WHO, unchanged=True),
    case("other-principal-is-reset", "curl", REVIEWS, BY_WHO, state=WHO, twin=ONE),
    case("no-principal-is-reset", ALIEN, REVIEWS, BY_WHO, state=WHO, twin=ONE, needs=PLAIN),
    case("named-namespace-is-answered", "curl", REVIEWS, ANSWERED, state=WHERE, unchanged=True),
    case("other-namespace-is-reset", "other/curl", REVIEWS, BY_WHERE, state=WHERE, twin=HERE),
    case("no-namespace-is-reset", ALIEN, REVIEWS, BY_WHERE, state=WHERE, twin=HERE, needs=PLAIN),
    case("other-address-is-reset", "curl", REVIEWS, BY_ADDRESS, state=ADDRESS, twin="unselected-is-answered"),
    case("unselected-is-answered", "curl", RATINGS, ANSWERED, state=ADDRESS, unchanged=True),
    case("other-port-is-reset", "curl", REVIEWS, BY_PORT, state=PORT, twin="ratings-is-answered"),
    case("ratings-is-answered", "curl", RATINGS, ANSWERED, state=PORT, unchanged=True),
    on=KMESH,
)
def test_not_fields(verdict: Verdict) -> None:
    """Not-forms match whoever is not named, and whoever has no name."""
    verdict.holds()
