"""What stands behind an ingress gateway's answer (lines as recorded on Istio 1.30.3)."""

from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.probe.gateways import Gateways
from pytest_ambient.probe.logs import Logs
from pytest_ambient.probe.witness import Asked, Witnesses
from pytest_ambient.testing import FakeKube
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.expectation import AnyExpectation, DeniedL4, DeniedL7, Word, judge
from pytest_ambient.verdict.outcome import Outcome

NAME, MANAGED = "gateway.networking.k8s.io/gateway-name", "gateway.istio.io/managed"
PAGE = Call("GET", "http://front-istio.shop/productpage")
DENIAL = (
    '[2026-11-21T05:26:00.051Z] "GET /productpage HTTP/1.1" 403 - '
    'rbac_access_denied_matched_policy[ns[shop]-policy[no-page]-rule[0]] - "-" 0 19 0 - "10.0.0.7" "curl/7.88.1" '
    '"4170bca9" "front-istio.shop" "-" inbound-vip|9080|http|productpage.shop.svc.cluster.local - 10.96.0.4:9080 '
    "10.0.0.7:0 - default\n"
)
REFUSAL = (
    "2026-11-21T05:26:05.666026Z\terror\taccess\tconnection complete\t"
    'src.addr=10.0.0.9:34908 src.workload="front-istio-x" src.namespace="shop" '
    'src.identity="spiffe://cluster.local/ns/shop/sa/front-istio" dst.addr=10.0.0.5:15008 dst.hbone_addr=10.0.0.5:9080 '
    'dst.workload="productpage-v1-x" dst.namespace="shop" direction="inbound" bytes_sent=0 bytes_recv=0 '
    'duration="0ms" error="connection closed due to policy rejection: allow policies exist, but none allowed"\n'
)
CONFIGURATION = (
    '{"workloads": [{"namespace": "shop", "name": "productpage-v1-x", "authorizationPolicies": ["shop/not-front"]}],'
    ' "policies": [{"namespace": "shop", "name": "not-front", "action": "Allow", "scope": "WorkloadSelector"}]}'
)


def item(name: str, gateway: str, controller: str, **more: Any) -> dict[str, Any]:
    """A pod or Service of a Gateway."""
    labels = {NAME: gateway, MANAGED: f"istio.io-{controller}-controller"}
    return {"metadata": {"name": name, "namespace": "shop", "labels": labels}, **more}


@pytest.fixture
def kube() -> FakeKube:
    """A cluster with a gateway and a waypoint, whose logs are still empty."""
    fake = FakeKube()
    spec = {"containers": [{"name": "istio-proxy"}]}
    ztunnel = {"metadata": {"name": "z", "namespace": "mesh", "labels": {"app": "ztunnel"}}, "spec": spec}
    fake.objects["v1/Pod", "mesh", "z"] = ztunnel
    pod = item("front-istio-x", "front", "gateway", status={"podIP": "10.0.0.9"}, spec=spec)
    fake.objects["v1/Pod", "shop", "front-istio-x"] = pod
    fake.objects["v1/Pod", "shop", "way-x"] = item("way-x", "way", "mesh", status={"podIP": "10.0.0.8"}, spec=spec)
    service = item("front-istio", "front", "gateway", spec={"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"]})
    fake.objects["v1/Service", "shop", "front-istio"] = service
    fake.objects["v1/Service", "shop", "way"] = item("way", "way", "mesh", spec={"clusterIP": "10.96.0.8"})
    fake.lines |= {"mesh/z": "", "shop/way-x": ""}
    fake.pages["mesh/z", "/config_dump"] = CONFIGURATION
    return fake


def seen(kube: FakeKube, status: int, *, body: str, behind: bool = False) -> Outcome:
    """The outcome of a call from outside of the mesh, with the word of whoever stands behind it."""
    headers = {"server": ("istio-envoy",), **({"x-envoy-upstream-service-time": ("4",)} if behind else {})}
    outcome = Outcome(
        0, status, headers, body, local_ip="10.0.0.7", local_port=44672, remote_ip="10.96.0.9", remote_port=80,
        connect_ms=1.0,
    )  # fmt: skip
    witnesses = Witnesses(Logs(cast(Kube, kube), namespaces=["shop"]), within=0.01)
    try:
        return witnesses.attest([Asked(PAGE, outcome)], started=0)[0]
    finally:
        witnesses.close()


def word(expectation: AnyExpectation, outcome: Outcome) -> Word:
    """The verdict."""
    return judge(expectation, outcome).word


def test_a_gateway_is_known_by_its_addresses(kube: FakeKube) -> None:
    """By that of its Service and those of its pods; a waypoint is none; what is new counts after forget."""
    gateways = Gateways(cast(Kube, kube), ["shop"])
    for ip in ("10.96.0.9", "10.0.0.9"):
        entry = gateways.at(ip)
        assert entry is not None
        assert (entry.pods, set(entry.ips)) == (("shop/front-istio-x",), {"10.0.0.9"})
    assert gateways.at("10.96.0.8") is None
    assert gateways.waypoints() == ("shop/way-x",)
    del kube.objects["v1/Service", "shop", "front-istio"]
    assert gateways.at("10.96.0.9") is not None
    gateways.forget()
    assert gateways.at("10.96.0.9") is None


def test_a_503_is_the_refusal_of_the_gateway(kube: FakeKube) -> None:
    """The destination's ztunnel names the gateway's identity, although no ztunnel saw the caller."""
    kube.lines["mesh/z"] = REFUSAL
    outcome = seen(kube, 503, body="upstream connect error or disconnect/reset before headers")
    assert outcome.witness is not None
    assert outcome.witness.source_identity == "spiffe://cluster.local/ns/shop/sa/front-istio"
    assert word(DeniedL4(by="shop/not-front", via="gateway"), outcome) is Word.HOLDS
    assert word(DeniedL4(by="shop/other", via="gateway"), outcome) is Word.BROKEN
    assert word(DeniedL4(via="waypoint"), outcome) is Word.BROKEN


def test_a_503_without_refusal_is_no_denial(kube: FakeKube) -> None:
    """Another's refusal says nothing about this gateway."""
    kube.lines["mesh/z"] = REFUSAL.replace("front-istio-x", "way-x")
    outcome = seen(kube, 503, body="upstream connect error or disconnect/reset before headers")
    assert outcome.witness is None
    assert word(DeniedL4(via="gateway"), outcome) is Word.INCONCLUSIVE


def test_a_403_is_the_waypoints_behind_the_gateway(kube: FakeKube) -> None:
    """Its log names the first caller, the policy and the destination."""
    kube.lines["shop/way-x"] = DENIAL
    outcome = seen(kube, 403, body="RBAC: access denied", behind=True)
    assert word(DeniedL7(by="shop/no-page"), outcome) is Word.HOLDS
    assert word(DeniedL7(by="shop/other"), outcome) is Word.BROKEN


def test_a_403_that_the_waypoint_passed_on_is_the_applications(kube: FakeKube) -> None:
    """An application may use Envoy's words; the waypoint's log knows better."""
    matched = "rbac_access_denied_matched_policy[ns[shop]-policy[no-page]-rule[0]]"
    kube.lines["shop/way-x"] = DENIAL.replace(matched, "via_upstream")
    outcome = seen(kube, 403, body="RBAC: access denied", behind=True)
    assert word(DeniedL7(), outcome) is Word.BROKEN


def test_a_403_without_access_log_is_no_verdict(kube: FakeKube) -> None:
    """Behind a gateway the headers cannot tell who refused."""
    outcome = seen(kube, 403, body="RBAC: access denied", behind=True)
    assert word(DeniedL7(), outcome) is Word.INCONCLUSIVE
