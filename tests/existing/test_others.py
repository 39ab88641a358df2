"""What others do on the same cluster: their policies must not be taken for a broken mesh, nor be touched."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .estate import Estate

POLICY = "security.istio.io/v1/AuthorizationPolicy"
L4, L7 = "conformance/l4/test_allow_principal.py", "conformance/l7/test_allow_method.py"


@contextmanager
def theirs(estate: Estate, name: str, **spec: Any) -> Iterator[dict[str, Any]]:
    """A policy of somebody else in the root namespace for a while; it must be as it was at the end."""
    meta = {"name": name, "namespace": "istio-system"}
    policy = {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": meta, "spec": spec}
    made = estate.kube.apply(policy, field_manager="them")
    try:
        yield made
        now = estate.kube.get(POLICY, name, "istio-system")
        assert now is not None
        assert now["metadata"]["generation"] == made["metadata"]["generation"]
        assert now["metadata"]["uid"] == made["metadata"]["uid"]
    finally:
        estate.kube.delete(POLICY, name, "istio-system", wait=10)


def test_a_foreign_policy_that_decides_gates_its_rows(owned_by_others: Estate, tmp_path: Path) -> None:
    """A mesh-wide deny-all makes no row red: those with a call are skipped by name, the mesh's own facts are judged."""
    with theirs(owned_by_others, "deny-all"):
        words = (L4, "conformance/install", "--ambient-timeout=bookinfo=60")
        ran = owned_by_others.pytest(
            owned_by_others.cluster.kubeconfig, *words, state=tmp_path, report=tmp_path / "report"
        )
    reason = "AuthorizationPolicy istio-system/deny-all of somebody else could decide it"
    assert {row["reason"] for row in ran.rows.values() if row.get("case")} == {reason}
    assert {row["word"] for row in ran.rows.values()} == {"skipped", "holds"}, ran.text
    assert ran.status == 0


def test_a_foreign_policy_about_others_gates_nothing(owned_by_others: Estate, tmp_path: Path) -> None:
    """It speaks of another namespace's callers, and verdicts stand."""
    rules = [{"from": [{"source": {"namespaces": ["legacy"]}}]}]
    with theirs(owned_by_others, "no-legacy", action="DENY", rules=rules):
        ran = owned_by_others.pytest(owned_by_others.cluster.kubeconfig, L4, state=tmp_path, report=tmp_path / "report")
    assert {row["word"] for row in ran.rows.values()} == {"holds"}, ran.text


def test_a_foreign_policy_for_waypoints_gates_rows_behind_them(owned_by_others: Estate, tmp_path: Path) -> None:
    """And leaves L4 alone."""
    target = {"group": "gateway.networking.k8s.io", "kind": "GatewayClass", "name": "istio-waypoint"}
    with theirs(owned_by_others, "all-waypoints", targetRefs=[target], rules=[{}]):
        ran = owned_by_others.pytest(
            owned_by_others.cluster.kubeconfig, L4, L7, state=tmp_path, report=tmp_path / "report"
        )
    words = {(row["rule"], row["word"]) for row in ran.rows.values()}
    assert words == {("R2", "holds"), ("R3", "skipped")}, ran.text


def test_a_mesh_that_hides_waypoints_headers_gates_rows_behind_them(owned_by_others: Estate, tmp_path: Path) -> None:
    """By headers alone what passed a waypoint would look as if it had not; L4 is judged as ever."""
    kube = owned_by_others.kube
    before = kube.get("v1/ConfigMap", "istio", "istio-system")
    assert before is not None
    text = str(before["data"]["mesh"])
    hiding = text.replace("defaultConfig:\n", "defaultConfig:\n  proxyHeaders: {server: {disabled: true}}\n")
    assert hiding != text
    kube.patch("v1/ConfigMap", "istio", "istio-system", {"data": {"mesh": hiding}})
    try:
        ran = owned_by_others.pytest(
            owned_by_others.cluster.kubeconfig, L4, L7, state=tmp_path, report=tmp_path / "report"
        )
    finally:
        kube.patch("v1/ConfigMap", "istio", "istio-system", {"data": {"mesh": text}})
    words = {(row["rule"], row["word"]) for row in ran.rows.values()}
    assert words == {("R2", "holds"), ("R3", "skipped")}, ran.text
    reasons = {row["reason"] for row in ran.rows.values() if row["rule"] == "R3"}
    assert reasons == {"the mesh configuration hides waypoints' own headers (defaultConfig.proxyHeaders)"}
