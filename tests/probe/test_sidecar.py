"""What stands behind the 503 of a caller's own sidecar: the destination's ztunnel refused the caller's account."""

from dataclasses import replace
from typing import cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.probe.logs import Logs
from pytest_ambient.probe.witness import Asked, Witnesses
from pytest_ambient.testing import FakeKube
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.expectation import AnyExpectation, DeniedL4, Word, judge
from pytest_ambient.verdict.outcome import Outcome

CALL = Call("GET", "http://httpbin.shop:8000/get")
REFUSAL = (
    "2026-11-21T05:26:05.666026Z\terror\taccess\tconnection complete\t"
    'src.addr=10.0.0.7:54302 src.workload="sidecar-x" src.namespace="outside" '
    'src.identity="spiffe://cluster.local/ns/outside/sa/curl" dst.addr=10.0.0.5:15008 dst.hbone_addr=10.0.0.5:8080 '
    'dst.workload="httpbin-x" dst.namespace="shop" direction="inbound" bytes_sent=0 bytes_recv=0 '
    'duration="0ms" error="connection closed due to policy rejection: explicitly denied by: shop/no-sidecar"\n'
)
PLAIN = REFUSAL.replace("dst.addr=10.0.0.5:15008 dst.hbone_addr=10.0.0.5:8080", "dst.addr=10.0.0.5:8080")
CAPTURED = (
    REFUSAL.replace("10.0.0.7:54302", "10.0.0.7:44600")
    .replace('direction="inbound"', 'direction="outbound"')
    .replace("dst.hbone_addr=10.0.0.5:8080", 'dst.hbone_addr=10.0.0.5:8080 dst.service="other.shop.svc.cluster.local"')
)
BODY = "upstream connect error or disconnect/reset before headers. reset reason: connection termination"
SEEN = Outcome(
    0, 503, {"server": ("envoy",)}, BODY, local_ip="10.0.0.7", local_port=44672, remote_ip="10.96.0.9",
    remote_port=8000, connect_ms=1.0,
)  # fmt: skip


def told(lines: str, outcome: Outcome = SEEN) -> Outcome:
    """The outcome with what the ztunnel's lines say of it."""
    kube, spec = FakeKube(), {"containers": [{"name": "istio-proxy"}]}
    meta = {"name": "z", "namespace": "mesh", "labels": {"app": "ztunnel"}}
    kube.objects["v1/Pod", "mesh", "z"] = {"metadata": meta, "spec": spec, "status": {"phase": "Running"}}
    kube.lines["mesh/z"] = lines
    kube.list = lambda kind, *_, **__: [kube.objects["v1/Pod", "mesh", "z"]] if kind == "v1/Pod" else []  # type: ignore[method-assign]  # selectors do not matter here
    witnesses = Witnesses(Logs(cast(Kube, kube), namespaces=["shop"]), within=0.01)
    try:
        return witnesses.attest([Asked(CALL, outcome)], started=0)[0]
    finally:
        witnesses.close()


def word(expectation: AnyExpectation, outcome: Outcome) -> Word:
    """The verdict."""
    return judge(expectation, outcome).word


def test_a_503_is_the_refusal_of_the_callers_account() -> None:
    """The sidecar calls on from the caller's own address, by tunnel, under the caller's own account."""
    outcome = told(REFUSAL)
    assert outcome.witness is not None
    assert outcome.witness.source_identity == "spiffe://cluster.local/ns/outside/sa/curl"
    assert word(DeniedL4(by="shop/no-sidecar", via="sidecar"), outcome) is Word.HOLDS
    assert word(DeniedL4(by="shop/other", via="sidecar"), outcome) is Word.BROKEN
    assert word(DeniedL4(via="gateway"), outcome) is Word.BROKEN
    assert word(DeniedL4(), outcome) is Word.BROKEN


@pytest.mark.parametrize("lines", ["", PLAIN, REFUSAL.replace("10.0.0.7", "10.0.0.17"), CAPTURED + REFUSAL])
def test_a_503_without_refusal_is_no_denial(lines: str) -> None:
    """A refusal of another address, of what came as plaintext or of a captured pod's other call says nothing of it."""
    outcome = told(lines)
    assert outcome.witness is None
    assert word(DeniedL4(via="sidecar"), outcome) is Word.INCONCLUSIVE


@pytest.mark.parametrize(
    "outcome",
    [
        replace(SEEN, status=200, body="hello"),
        replace(SEEN, body="no healthy upstream"),
        replace(SEEN, headers={"server": ("envoy",), "x-envoy-upstream-service-time": ("4",)}),
        replace(SEEN, status=0, exit_code=56, headers={}, body=""),
    ],
)
def test_no_other_answer_is_such_a_denial(outcome: Outcome) -> None:
    """It is the sidecar's own 503 about its upstream, or none."""
    assert word(DeniedL4(via="sidecar"), told(REFUSAL, outcome)) is not Word.HOLDS
