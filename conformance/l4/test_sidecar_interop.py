"""E9: pods with sidecars and pods in ambient mode call each other over mTLS and know each other by account.

A sidecar sends HBONE to captured pods, past their waypoints (Istio 1.26 to 1.30, endpoint_builder.go: supportTunnel,
and findServiceWaypoint, which is for gateways alone). ztunnel sends HBONE to a pod that says so itself (workloads.go,
setTunnelProtocol: label networking.istio.io/tunnel), plaintext to any other that it has not captured. The injector
makes pods say so where the mesh sets ISTIO_META_ENABLE_HBONE, as the ambient profile does; elsewhere no account reaches
a sidecar, and nothing is expected of it.
"""

import pytest

from pytest_ambient import GET, Answered, DeniedL4, DeniedL7, Unsupported, Verdict, case, cases

KMESH = {"kmesh": Unsupported("Kmesh has no mutual TLS between pods")}
NEEDS = ("Sidecar", "VirtualService")
pytestmark = pytest.mark.ambient(rule="E9", profile="AMBIENT-L4", needs=NEEDS, on=KMESH)

AMBIENT = GET("http://httpbin.${NAMESPACE}:8000/get")
BESIDE = GET("http://sidecar.${OUTSIDE_NAMESPACE}:8000/get")
SIDECAR, BARE, OK = "outside/sidecar", "outside/curl", Answered(200)
ONLY_SIDECAR = DeniedL4(by="${NAMESPACE}/httpbin-only-sidecar")
NO_SIDECAR = DeniedL4(by="${NAMESPACE}/httpbin-no-sidecar", via="sidecar")
PLAIN = DeniedL4(by="${ROOT_NAMESPACE}/istio_converted_static_strict")
BY_SIDECAR, BY_WAYPOINT = DeniedL7(at="sidecar"), DeniedL7(by="${NAMESPACE}/httpbin-no-get")
ADMITTED, SPARED, STRICT = "sidecars-account-is-answered", "captured-pod-is-answered", "strict-answers-sidecar"
KNOWN, PAST = "captured-account-is-answered", "sidecar-goes-past-a-waypoint"
ALLOW, DENY, SERVES, BEHIND = "at-ztunnel", "denied-at-ztunnel", "at-sidecar", "waypoint"
HBONE, OPEN, WAY = "SidecarHbone", "Permissive", "Waypoint"


@cases(
    case("sidecars-account-is-answered", SIDECAR, AMBIENT, OK, state=ALLOW, unchanged=True),
    case("captured-pod-is-reset", "curl", AMBIENT, ONLY_SIDECAR, state=ALLOW, twin=ADMITTED),
    case("same-account-without-sidecar-is-reset", BARE, AMBIENT, ONLY_SIDECAR, state=ALLOW, twin=ADMITTED, needs=OPEN),
    case("sidecars-account-is-refused", SIDECAR, AMBIENT, NO_SIDECAR, state=DENY, twin=SPARED),
    case("captured-pod-is-answered", "curl", AMBIENT, OK, state=DENY, unchanged=True),
    case("strict-answers-sidecar", SIDECAR, AMBIENT, OK, state="strict", unchanged=True),
    case("strict-resets-the-same-without", BARE, AMBIENT, PLAIN, state="strict", twin=STRICT, needs=OPEN),
    case("captured-account-is-answered", "curl", BESIDE, OK, state=SERVES, unchanged=True, needs=HBONE),
    case("other-account-is-denied-at-l7", "other/curl", BESIDE, BY_SIDECAR, state=SERVES, twin=KNOWN, needs=HBONE),
    case("no-account-is-denied-at-l7", BARE, BESIDE, BY_SIDECAR, state=SERVES, twin=KNOWN, needs=(HBONE, OPEN)),
    case(
        "sidecar-goes-past-a-waypoint",
        SIDECAR,
        AMBIENT,
        OK,
        state=BEHIND,
        unchanged=True,
        level="documented",
        needs=WAY,
    ),
    case("captured-pod-meets-it", "curl", AMBIENT, BY_WAYPOINT, state=BEHIND, twin=PAST, level="documented", needs=WAY),
    level="extended",
)
def test_sidecar_interop(verdict: Verdict) -> None:
    """Calls one way and the other, told apart by policies at ztunnel and at a sidecar."""
    verdict.holds()
