"""E9 against a mesh with sidecars of our own making: green where it is right, red row by row where it is not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conformance.l4 import test_sidecar_interop as suite
from pytest_ambient.manifest import Manifests
from pytest_ambient.probe.converge import Clock
from pytest_ambient.probe.result import CaseResult
from pytest_ambient.probe.rule import RuleRun
from pytest_ambient.probe.source import Sources
from pytest_ambient.verdict.case import Case
from tests.probe.bench import NONE_ALLOWED, PLACES, QUICK, RUN, Bench, Reply, pod

(MARK,) = [mark for mark in suite.test_sidecar_interop.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]  # set by the mark
CASES: Mapping[str, Case] = {case.id: case for param in MARK.args[1] if (case := param.values[0]).state != "waypoint"}
SECURITY = "security.istio.io/v1"
OWN = {"server": "istio-envoy", "x-envoy-upstream-service-time": "2"}
THROUGH = OWN | {"server": "envoy"}
RESET = "upstream connect error or disconnect/reset before headers. reset reason: connection termination"
DENIED_BY = "connection closed due to policy rejection: explicitly denied by:"
SIDECAR, BARE = "outside/sidecar-x", "outside/curl-x"
OF_SIDECAR, OF_CURL = "outside/curl", "shop/curl"


@dataclass
class Mesh:
    """What a mesh does wrong."""

    sends_plaintext: bool = False
    """Sidecars call captured pods as if there were no mesh."""
    gets_plaintext: bool = False
    """ztunnels call sidecars as if there were no mesh."""
    lax_sidecars: bool = False
    """Sidecars enforce nothing."""
    lax_ztunnels: bool = False
    """ztunnels enforce nothing."""
    warm: bool = False
    """Whether the sidecar keeps a connection to the captured pod: ztunnel lets an open one go on."""
    bench: Bench = field(init=False)

    def __post_init__(self) -> None:
        self.bench = Bench(self.answer)
        self.bench.attach("shop/httpbin-only-sidecar")
        ready = {"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}
        deployment = {"metadata": {"name": "sidecar"}, "spec": {}, "status": ready}
        self.bench.kube.objects["apps/v1/Deployment", "outside", "sidecar"] = deployment
        beside = pod("outside", "sidecar-x", "sidecar", "curl")
        beside["spec"]["containers"] = [{"name": name} for name in ("istio-proxy", "curl", "httpbin")]
        self.bench.kube.objects["v1/Pod", "outside", "sidecar-x"] = beside

    def answer(self, where: str, method: str, url: str) -> Reply:
        """What a call meets."""
        host = (urlsplit(url).hostname or "").partition(".")[0]
        return self._beside(where) if host == "sidecar" else self._captured(where)

    def _beside(self, where: str) -> Reply:
        account = None if self.gets_plaintext or where == BARE else where.removesuffix("-x")
        closed = self._there("AuthorizationPolicy", "outside", "sidecar-only-curl") and not self.lax_sidecars
        if closed and account != OF_CURL:
            return Reply(403, "RBAC: access denied", {"server": "istio-envoy"}, silent=True)
        return Reply(200, headers=OWN, silent=True)

    def _captured(self, where: str) -> Reply:
        plain = where == BARE or (where == SIDECAR and self.sends_plaintext)
        account = None if plain else OF_SIDECAR if where == SIDECAR else where.removesuffix("-x")
        why = "" if self.lax_ztunnels else self._refusal(account)
        if where != SIDECAR:
            return Reply(status=0, body="", exit=56, refused=why) if why else Reply()
        if not why or self.warm:
            self.warm = not self._one_request_each()
            return Reply(200, headers=THROUGH, silent=True)
        self._log(why, tunnelled=account is not None)
        return Reply(503, RESET, {"server": "envoy"}, silent=True)

    def _refusal(self, account: str | None) -> str:
        if self._there("PeerAuthentication", "shop", "strict") and account is None:
            return f"{DENIED_BY} istio-system/istio_converted_static_strict"
        if self._there("AuthorizationPolicy", "shop", "httpbin-no-sidecar") and account == OF_SIDECAR:
            return f"{DENIED_BY} shop/httpbin-no-sidecar"
        only = self._there("AuthorizationPolicy", "shop", "httpbin-only-sidecar")
        return NONE_ALLOWED if only and account != OF_SIDECAR else ""

    def _one_request_each(self) -> bool:
        rule = self.bench.kube.objects.get(("networking.istio.io/v1/DestinationRule", "shop", "httpbin"), {})
        pool = (rule.get("spec") or {}).get("trafficPolicy", {}).get("connectionPool", {})
        return bool(pool.get("http", {}).get("maxRequestsPerConnection") == 1)

    def _there(self, kind: str, namespace: str, name: str) -> bool:
        return (f"{SECURITY}/{kind}", namespace, name) in self.bench.kube.objects

    def _log(self, why: str, *, tunnelled: bool) -> None:
        """The destination's ztunnel sees a connection of the sidecar's own, from a port that curl does not know."""
        ip = self.bench.kube.objects["v1/Pod", "outside", "sidecar-x"]["status"]["podIP"]
        to = "dst.addr=10.0.0.99:15008 dst.hbone_addr=10.0.0.99:8080" if tunnelled else "dst.addr=10.0.0.99:8080"
        self.bench.kube.lines["istio-system/ztunnel-a"] += (
            f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}\terror\taccess\tconnection complete\tsrc.addr={ip}:7 "
            f'src.workload="sidecar-x" src.namespace="outside" {to} dst.workload="httpbin-x" dst.namespace="shop" '
            f'direction="inbound" duration="0ms" error="{why}"\n'
        )

    def judged(self) -> dict[str, CaseResult]:
        """What comes of every row but those behind a waypoint."""
        sources = Sources(self.bench.real, PLACES, RUN, image="curl", within=1)
        clock = Clock(self.bench.clock, self.bench.clock.sleep)
        manifests = Manifests.beside(Path(suite.__file__))
        cases = tuple(CASES.values())
        run = RuleRun(self.bench.real, PLACES, manifests, cases, sources=sources, timing=QUICK, clock=clock)
        try:
            return {case.id: run.result(case) for case in cases}
        finally:
            run.close()


def test_a_mesh_that_is_right_is_green() -> None:
    """Every row holds, and calls leave from the pod's own container."""
    mesh = Mesh()
    assert {key: result.text for key, result in mesh.judged().items() if result.text} == {}
    assert {where for where, _ in mesh.bench.execs} == {SIDECAR, BARE, "shop/curl-x", "other/curl-x"}


@pytest.mark.parametrize(
    ("mesh", "red"),
    [
        (
            Mesh(sends_plaintext=True),
            {
                "sidecars-account-is-answered": "HTTP 503 made by a proxy",
                "sidecars-account-is-refused": "HTTP 200 from the application",
                "strict-answers-sidecar": "HTTP 503 made by a proxy",
                "captured-pod-is-reset": "its twin sidecars-account-is-answered must be answered beside it",
                "same-account-without-sidecar-is-reset": "its twin sidecars-account-is-answered must be answered",
                "strict-resets-the-same-without": "its twin strict-answers-sidecar must be answered beside it",
            },
        ),
        (
            Mesh(gets_plaintext=True),
            {
                "captured-account-is-answered": "HTTP 403 made by a proxy, body 'RBAC: access denied'",
                "other-account-is-denied-at-l7": "its twin captured-account-is-answered must be answered beside it",
                "no-account-is-denied-at-l7": "its twin captured-account-is-answered must be answered beside it",
            },
        ),
        (
            Mesh(lax_sidecars=True),
            {
                "other-account-is-denied-at-l7": "HTTP 200 from the application",
                "no-account-is-denied-at-l7": "HTTP 200 from the application",
            },
        ),
        (
            Mesh(lax_ztunnels=True),
            {
                "captured-pod-is-reset": "HTTP 200 from the application",
                "same-account-without-sidecar-is-reset": "HTTP 200 from the application",
                "sidecars-account-is-refused": "HTTP 200 from the application",
                "strict-resets-the-same-without": "HTTP 200 from the application",
            },
        ),
    ],
    ids=["sends plaintext", "gets plaintext", "lax sidecars", "lax ztunnels"],
)
def test_a_mesh_that_is_wrong_is_red(mesh: Mesh, red: dict[str, str]) -> None:
    """In the rows about it and in no others, and each says what was seen."""
    found = mesh.judged()
    assert {key for key, result in found.items() if result.text} == set(red)
    assert {key: result.word for key, result in found.items() if key in red} == dict.fromkeys(red, "broken")
    for key, words in red.items():
        assert words in (found[key].text or ""), key
