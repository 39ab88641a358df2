"""E8: the kubelet's probes reach a pod under STRICT, although the kubelet has no identity."""

import pytest

from pytest_ambient import GET, STATUS, Answered, DeniedL4, HasCondition, Verdict, case, cases

pytestmark = pytest.mark.ambient(rule="E8", profile="AMBIENT-L4")

AVAILABLE = HasCondition("Available", "True", "MinimumReplicasAvailable")
DEPLOYMENT = "apps/v1/Deployment"
ECHO = GET("http://httpbin.${NAMESPACE}:8000/get")
REFUSED = DeniedL4(by="${ROOT_NAMESPACE}/istio_converted_static_strict")


@cases(
    case("new-pod-becomes-ready", None, STATUS(DEPLOYMENT, "probed"), AVAILABLE),
    case("old-pod-stays-ready", None, STATUS(DEPLOYMENT, "httpbin"), AVAILABLE, unchanged=True),
    case("strict-is-in-effect", "outside/curl", ECHO, REFUSED, twin="meshed-pod-is-answered", needs="Permissive"),
    case("meshed-pod-is-answered", "curl", ECHO, Answered(200), unchanged=True),
)
def test_probes_under_strict(verdict: Verdict) -> None:
    """Readiness is told by plaintext from the node, and still told."""
    verdict.holds()
