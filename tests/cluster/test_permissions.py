"""What may be done in a cluster that is already there: every rule of the documented roles, asked before anything."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import yaml

from pytest_ambient._kube import Kube
from pytest_ambient.cluster import permissions
from pytest_ambient.cluster.existing import Existing
from pytest_ambient.cluster.permissions import MANIFEST, Wish, ask, listed, wishes
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.errors import ProviderError
from pytest_ambient.manifest import read
from pytest_ambient.places import Places
from pytest_ambient.testing import FakeKube

ROOT = Path(permissions.__file__).parent.parent
REMEDY = "all that a run needs is in the ClusterRoles that `pytest-ambient doctor --rbac` prints"


class Limited(FakeKube):
    """Lets its user do what `refused` does not name: `VERB RESOURCE`, and all that writes for `write`."""

    refused: tuple[str, ...] = ()

    def can(self, verb: str, resource: str, namespace: str | None = None) -> bool:
        """As `refused` says; asked for all namespaces."""
        assert namespace is None
        writes = verb in ("create", "patch", "delete") and "write" in self.refused
        return not writes and f"{verb} {resource}" not in self.refused


def kube(*refused: str) -> Kube:
    """A cluster that refuses so much."""
    made = Limited()
    made.refused = refused
    return cast(Kube, made)


@pytest.fixture
def spec(tmp_path: Path) -> ClusterSpec:
    """A kubeconfig that nobody dials."""
    (tmp_path / "config").write_text("{current-context: c, contexts: [{name: c}]}")
    return ClusterSpec("x", tmp_path, kubeconfig=tmp_path / "config")


def attached(monkeypatch: pytest.MonkeyPatch, spec: ClusterSpec, *refused: str) -> Cluster:
    """What `existing` makes of a cluster that refuses so much."""
    monkeypatch.setattr("pytest_ambient._kube.Kube", lambda path, context: kube(*refused))
    return Existing().create(spec)


def test_all_is_granted(monkeypatch: pytest.MonkeyPatch, spec: ClusterSpec) -> None:
    """Then there is nothing to say."""
    cluster = attached(monkeypatch, spec)
    assert (cluster.read_only, cluster.notes, cluster.owned) == ("", "", False)
    assert str(ask(kube()).finding) == f"permissions: all {len(wishes())} that a run needs"


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (("get pods/log",), "get pods/log"),
        (("create namespaces", "patch namespaces"), "create, patch namespaces"),
        (("patch deployments.apps", "list nodes"), "list nodes; patch deployments.apps"),
        (("write", "list nodes"), "list nodes"),
    ],
)
def test_too_little_names_verb_and_resource(
    monkeypatch: pytest.MonkeyPatch, spec: ClusterSpec, refused: tuple[str, ...], told: str
) -> None:
    """In one message, with where to look for what is needed; a reader is told of nothing that it would write."""
    with pytest.raises(ProviderError) as caught:
        attached(monkeypatch, spec, *refused)
    assert str(caught.value) == f"permissions: this user may not {told}: {REMEDY}"


def test_a_reader_gets_a_read_only_run(monkeypatch: pytest.MonkeyPatch, spec: ClusterSpec) -> None:
    """Whether it may exec or not: nothing of ours would be there to exec in."""
    cluster = attached(monkeypatch, spec, "write")
    assert cluster.read_only == "read-only: this user may not create namespaces"
    assert cluster.notes == f"{cluster.read_only}: what has to write is skipped"
    assert Cluster.from_json(cluster.to_json()) == cluster
    finding = ask(kube("write", "get pods/exec", "get pods/log")).finding
    assert (finding.state, finding.what) == ("warning", "permissions")
    assert "bind the ClusterRole pytest-ambient-write" in finding.remedy


def test_who_may_write_a_little_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch, spec: ClusterSpec) -> None:
    """A run that skips nearly everything is not what somebody wanted who may change things."""
    most = [f"{wish.verb} {wish.resource}" for wish in wishes() if wish.changes and wish.resource != "services"]
    with pytest.raises(ProviderError, match=r"may not create, patch, delete namespaces; .* serviceaccounts; "):
        attached(monkeypatch, spec, *most)


def test_groups_of_verbs_stay_together() -> None:
    """However many there are."""
    assert listed([Wish("a", "get", False), Wish("b.g", "get", False), Wish("a", "list", False)]) == (
        "get, list a; get b.g"
    )


def test_the_read_role_reads_and_the_other_writes() -> None:
    """Nobody who is given the first can change anything; neither has a wildcard or a Secret in it."""
    roles = {role["metadata"]["name"]: role for role in yaml.safe_load_all(MANIFEST.read_text())}
    assert list(roles) == ["pytest-ambient-read", "pytest-ambient-write"]
    reads = {verb for rule in roles["pytest-ambient-read"]["rules"] for verb in rule["verbs"]}
    assert reads == {"get", "list"}
    everything = [rule for role in roles.values() for rule in role["rules"]]
    assert not any("*" in rule[key] for rule in everything for key in ("apiGroups", "resources", "verbs"))
    assert not any(name.startswith("secrets") for rule in everything for name in rule["resources"])


USES = {"ServiceAccount": {"create", "patch"}, "DaemonSet": {"get", "patch"}}
"""Verbs on the kinds that are not made, changed, read and removed alike."""


NEXT = {f"NEXT_{name}": "x" for name in ("PILOT", "INSTALL_CNI", "ZTUNNEL", "PROXYV2")}


def manifests() -> Iterator[dict[str, str]]:
    """Every object of Bookinfo and of the suite."""
    for folder in (ROOT / "mesh" / "manifests", ROOT.parent / "conformance"):
        for path in folder.rglob("*.yaml"):
            for item in read(path, Places("a", "b", "c", following=NEXT)):
                group = item.object["apiVersion"].rpartition("/")[0]
                yield {"kind": item.object["kind"], "group": group, "path": str(path)}


def test_every_kind_of_the_suite_is_in_the_roles() -> None:
    """Whatever a manifest of ours holds can be created, changed, read and removed; the mesh's DaemonSets changed."""
    granted = {(wish.resource, wish.verb) for wish in wishes()}
    plurals = {
        "AuthorizationPolicy": "authorizationpolicies",
        "Telemetry": "telemetries",
        "ServiceEntry": "serviceentries",
    }
    for item in manifests():
        plural = plurals.get(item["kind"], f"{item['kind'].lower()}s")
        resource = f"{plural}.{item['group']}" if item["group"] else plural
        verbs = USES.get(item["kind"], {"get", "create", "patch", "delete"})
        wanted = {(resource, verb) for verb in verbs}
        assert wanted <= granted, f"{item['path']}: {wanted - granted}"
