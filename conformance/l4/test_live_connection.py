"""E5: whether a policy that now denies cuts a connection that is open; new ones are refused at once in any case.

Recorded on Istio 1.28.10 and 1.30.3: ztunnel looks at its open connections again when a policy of a whole namespace
comes, not when a workload gets one by selector or by STRICT.
"""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Outlives, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="E5", profile="AMBIENT-L4", needs="Identity")

CALL = GET("http://httpbin.${NAMESPACE}:8000/get")
SLOW = "http://httpbin.${NAMESPACE}:8000/delay/6"
DENIED = DeniedL4(by="${NAMESPACE}/httpbin-not-from-curl")
NONE_ALLOWED = DeniedL4(by="${NAMESPACE}/httpbin-only-details")
PLAINTEXT = DeniedL4(by="${ROOT_NAMESPACE}/istio_converted_static_strict")
GOES_ON, IS_CUT = Outlives(SLOW, DENIED), Outlives(SLOW, DENIED, cut=True)
ALLOW_MISSED, STRICT = Outlives(SLOW, NONE_ALLOWED), Outlives(SLOW, PLAINTEXT)
OTHER = Answered(200)


@cases(
    case("namespaces-deny-cuts-it", "curl", CALL, IS_CUT, state="namespace-deny", twin="deny-spares-details"),
    case("deny-spares-details", "details-v1", CALL, OTHER, state="namespace-deny", unchanged=True),
    case("selectors-deny-does-not", "curl", CALL, GOES_ON, state="selector-deny", twin="selector-spares-details"),
    case("selector-spares-details", "details-v1", CALL, OTHER, state="selector-deny", unchanged=True),
    case("selectors-allow-does-not", "curl", CALL, ALLOW_MISSED, state="selector-allow", twin="allow-admits-details"),
    case("allow-admits-details", "details-v1", CALL, OTHER, state="selector-allow", unchanged=True),
    case(
        "strict-does-not", "outside/curl", CALL, STRICT, state="strict", twin="strict-admits-curl", needs="Permissive"
    ),
    case("strict-admits-curl", "curl", CALL, OTHER, state="strict", unchanged=True),
    level="documented",
    on={"kmesh": Unsupported("what Kmesh does with open connections was never recorded")},
)
def test_live_connection(verdict: Verdict) -> None:
    """A request under way tells what becomes of its connection."""
    verdict.holds()
