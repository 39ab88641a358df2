"""E1: labelling a namespace captures its running pods, taking the label off releases them; neither needs a restart."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="E1", profile="AMBIENT-ENROLMENT", needs="Permissive")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
RATINGS = GET("http://ratings.${NAMESPACE}:9080/ratings/0")
REFUSED = DeniedL4(by="${NAMESPACE}/reviews-only-newcomer")
ANSWERED = Answered(200)
KMESH = {"kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered")}


@cases(
    case("labelled-namespace-has-an-identity", "outside/curl", REVIEWS, ANSWERED, before=REFUSED),
    case("its-other-calls-go-on", "outside/curl", RATINGS, ANSWERED, unchanged=True),
    case("calls-of-others-go-on", "curl", RATINGS, ANSWERED, unchanged=True),
    on=KMESH,
)
def test_enrolment_namespace(verdict: Verdict) -> None:
    """A policy that admits the namespace's account shows whether its pods are captured."""
    verdict.holds()
