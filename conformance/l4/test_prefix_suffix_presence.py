"""L10: a principal matches by prefix `x*`, by suffix `*x` and by presence `*`."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="L10", profile="AMBIENT-L4")

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")
ANSWERED = Answered(200)
NO_PREFIX = DeniedL4(by="${NAMESPACE}/reviews-only-prefix")
NO_SUFFIX = DeniedL4(by="${NAMESPACE}/reviews-only-suffix")
NO_IDENTITY = DeniedL4(by="${NAMESPACE}/reviews-only-presence")
ALIEN, PLAIN = "outside/curl", "Permissive"
KMESH = {"kmesh": Unsupported("Kmesh decides on identities after the first packets: a short request may be answered")}


@cases(
    case("prefix-admits-own-namespace", "curl", REVIEWS, ANSWERED, state="prefix", unchanged=True),
    case(
        "prefix-resets-other-namespace",
        "other/curl",
        REVIEWS,
        NO_PREFIX,
        state="prefix",
        twin="prefix-admits-own-namespace",
    ),
    case("suffix-admits-the-account", "productpage-v1", REVIEWS, ANSWERED, state="suffix", unchanged=True),
    case("suffix-resets-other-accounts", "curl", REVIEWS, NO_SUFFIX, state="suffix", twin="suffix-admits-the-account"),
    case("presence-admits-any-identity", "other/curl", REVIEWS, ANSWERED, state="presence", unchanged=True),
    case(
        "presence-resets-the-unmeshed",
        ALIEN,
        REVIEWS,
        NO_IDENTITY,
        state="presence",
        twin="presence-admits-any-identity",
        needs=PLAIN,
    ),
    on=KMESH,
)
def test_prefix_suffix_presence(verdict: Verdict) -> None:
    """Wildcards match as far as they reach."""
    verdict.holds()
