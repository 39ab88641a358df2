"""S3: while the pods of a workload are replaced under load nothing passes that must not, and service comes back."""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, Steady, Unsupported, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="S3", needs=("Identity", "Permissive"), disruptive=True)

CHURNED, SERVED, ALIEN = GET("http://churned.${NAMESPACE}:8000/get"), Answered(200), "outside/curl"
BY_POLICY = DeniedL4(by="${NAMESPACE}/churned-not-from-details")
BY_STRICT = DeniedL4(by="${ROOT_NAMESPACE}/istio_converted_static_strict")
KMESH = {"kmesh": Unsupported("Kmesh has no mutual TLS between pods")}


@cases(
    case("call-is-answered", "curl", CHURNED, SERVED, unchanged=True),
    case("calls-resume", "curl", CHURNED, Steady(SERVED)),
    case("denied-calls-never-pass", "details-v1", CHURNED, Steady(BY_POLICY), twin="calls-resume"),
    case("unauthenticated-calls-never-pass", ALIEN, CHURNED, Steady(BY_STRICT), twin="calls-resume"),
    on=KMESH,
)
def test_pod_churn(verdict: Verdict) -> None:
    """A pod that takes calls has its identity and its policies; how many calls failed meanwhile is told."""
    verdict.holds()
