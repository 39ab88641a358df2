"""What holds for a whole mesh: read where its istiod keeps it, told when it holds for our namespaces too."""

from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.errors import Forbidden
from pytest_ambient.mesh import meshwide
from pytest_ambient.mesh.features import detect
from pytest_ambient.mesh.foreign import look
from pytest_ambient.places import Places
from pytest_ambient.testing import FakeKube

STRICT = {"mtls": {"mode": "STRICT"}}


def mesh(revision: str = "default", **config: str) -> FakeKube:
    """A mesh whose istiod has a revision and a configuration."""
    made = FakeKube()
    meta = {"name": "istiod", "namespace": "mesh", "labels": {"app": "istiod", "istio.io/rev": revision}}
    made.objects["apps/v1/Deployment", "mesh", "istiod"] = {"metadata": meta}
    name = "istio" if revision == "default" else f"istio-{revision}"
    text = "".join(f"{key}: {value}\n" for key, value in config.items())
    made.objects["v1/ConfigMap", "mesh", name] = {"data": {"mesh": text}}
    return made


def policy(kube: FakeKube, kind: str, name: str, namespace: str, spec: dict[str, Any]) -> None:
    """One policy more."""
    item = {"metadata": {"name": name, "namespace": namespace}, "spec": spec}
    kube.objects[f"security.istio.io/v1/{kind}", namespace, name] = item


def real(kube: FakeKube) -> Kube:
    """The double where a Kube is wanted."""
    return cast(Kube, kube)


@pytest.mark.parametrize("revision", ["default", "1-30-3"])
def test_a_revision_has_a_configuration_of_its_own(revision: str) -> None:
    """Its name carries the revision; without words of its own it means Istio's defaults."""
    told = mesh(revision, trustDomain="prod.example", rootNamespace="roots")
    named = "" if revision == "default" else revision
    assert meshwide.read(real(told)) == meshwide.MeshWide("roots", "prod.example", named)
    assert meshwide.read(real(mesh(revision))) == meshwide.MeshWide("mesh", "cluster.local", named)


@pytest.mark.parametrize("kind", ["admissionregistration.k8s.io/v1/MutatingWebhookConfiguration", "v1/Service"])
def test_a_revision_that_is_the_default_one_by_its_tag_needs_no_label(kind: str) -> None:
    """The tag is a webhook's or a Service's; another tag does not count."""
    kube = mesh("1-30-3")
    meta: dict[str, Any] = {"name": "tag", "labels": {"istio.io/rev": "1-30-3", "istio.io/tag": "canary"}}
    kube.objects[kind, "", "tag"] = {"metadata": meta}
    assert meshwide.read(real(kube)).revision == "1-30-3"
    meta["labels"]["istio.io/tag"] = "default"
    assert meshwide.read(real(kube)).revision == ""


@pytest.mark.parametrize("mark", ["annotations", "labels"])
def test_of_several_istiods_the_one_of_the_ztunnels_counts(mark: str) -> None:
    """A canary beside it changes nothing, and one without a revision looks after everything.

    Istio's chart writes ztunnel's revision into an annotation.
    """
    kube = mesh("1-31-0", rootNamespace="new")
    labels = {"app": "istiod", "istio.io/rev": "1-30-3"}
    kube.objects["apps/v1/Deployment", "mesh", "istiod-z"] = {
        "metadata": {"name": "istiod-z", "namespace": "mesh", "labels": labels}
    }
    kube.objects["v1/ConfigMap", "mesh", "istio-1-30-3"] = {"data": {"mesh": "rootNamespace: old"}}
    pods = {"metadata": {"labels": {"app": "ztunnel"}}}
    ztunnel = {"metadata": {"name": "ztunnel", mark: {"istio.io/rev": "1-30-3"}}, "spec": {"template": pods}}
    kube.objects["apps/v1/DaemonSet", "mesh", "ztunnel"] = ztunnel
    assert meshwide.read(real(kube)) == meshwide.MeshWide("old", "cluster.local", "1-30-3")
    labels["istio.io/rev"] = "default"
    assert meshwide.read(real(kube)).revision == ""


def test_a_configuration_that_may_not_be_read_means_the_defaults() -> None:
    """An account without ConfigMaps still has a run."""
    kube = mesh(trustDomain="prod.example")

    def refuse(kind: str, name: str, namespace: str | None = None) -> None:
        raise Forbidden("configmaps is forbidden")

    kube.get = refuse  # type: ignore[method-assign]  # the double is made to refuse
    assert meshwide.read(real(kube)) == meshwide.MeshWide("mesh", "cluster.local")


def test_policies_of_the_root_namespace_are_told() -> None:
    """By kind and name; those of other namespaces are nobody's business."""
    kube = mesh()
    policy(kube, "AuthorizationPolicy", "deny-all", "mesh", {})
    policy(kube, "AuthorizationPolicy", "elsewhere", "shop", {})
    policy(kube, "PeerAuthentication", "default", "mesh", STRICT)
    assert meshwide.policies(real(kube), "mesh") == ("AuthorizationPolicy deny-all", "PeerAuthentication default")


def test_a_strict_mesh_answers_nobody_without_mutual_tls() -> None:
    """Rows with a caller outside of the mesh are skipped there; a policy for some workloads or ports is none."""
    kube = mesh()
    policy(kube, "PeerAuthentication", "default", "shop", STRICT)
    policy(kube, "PeerAuthentication", "some", "mesh", {**STRICT, "selector": {"matchLabels": {"app": "x"}}})
    assert detect(real(kube))["Permissive"].present
    policy(kube, "PeerAuthentication", "default", "mesh", STRICT)
    found = detect(real(kube))["Permissive"]
    assert (found.present, found.reason) == (False, "PeerAuthentication mesh/default is STRICT for the whole mesh")


def test_an_authorizer_must_be_named_by_the_mesh() -> None:
    """By our name for it, and leading to a Service that is there."""
    kube = mesh()
    missing = detect(real(kube))["ExtAuthz"]
    assert not missing.present
    assert "no extensionProvider pytest-ambient-ext-authz" in missing.reason
    provider = "{name: pytest-ambient-ext-authz, envoyExtAuthzHttp: {service: asked.tools.svc.cluster.local, port: 1}}"
    kube = mesh(extensionProviders=f"[{provider}]")
    assert "leads to no Service: 'asked.tools.svc.cluster.local'" in detect(real(kube))["ExtAuthz"].reason
    kube.objects["v1/Service", "tools", "asked"] = {"metadata": {"name": "asked", "namespace": "tools"}}
    assert detect(real(kube))["ExtAuthz"].present


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({}, ""),
        ({"accessLogFile": "/dev/stdout", "accessLogEncoding": "JSON"}, ""),
        ({"accessLogFormat": "'%REQ(:METHOD)%'"}, "the mesh configuration has an accessLogFormat of its own"),
        ({"extensionProviders": "[{name: envoy, envoyFileAccessLog: {path: /dev/stdout}}]"}, ""),
        (
            {"extensionProviders": "[{name: envoy, envoyFileAccessLog: {logFormat: {text: x}}}]"},
            "the mesh configuration has an extensionProvider envoy that logs in its own way",
        ),
    ],
)
def test_access_logs_are_read_in_istios_own_formats(config: dict[str, str], reason: str) -> None:
    """Text or JSON; lines of another format would look like none at all."""
    assert detect(real(mesh(**config)))["AccessLogFormat"].reason == reason


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({}, ""),
        ({"defaultHttpRetryPolicy": "{attempts: 1}"}, "the mesh configuration has a defaultHttpRetryPolicy of its own"),
    ],
)
def test_who_says_nothing_of_retries_gets_istios(config: dict[str, str], reason: str) -> None:
    """A mesh may decide otherwise for everybody."""
    assert detect(real(mesh(**config)))["DefaultRetries"].reason == reason


@pytest.mark.parametrize(
    ("headers", "hidden"),
    [
        ("{}", False),
        ("{proxyHeaders: {requestId: {disabled: true}, server: {}}}", False),
        ("{proxyHeaders: {server: {value: istio-envoy}}}", False),
        ("{proxyHeaders: {server: {disabled: true}}}", True),
        ("{proxyHeaders: {server: {value: shop}}}", True),
        ("{proxyHeaders: {envoyDebugHeaders: {disabled: true}}}", True),
    ],
)
def test_waypoints_are_told_by_headers_that_a_mesh_may_hide(headers: str, hidden: bool) -> None:
    """What passed one would look as if it had not."""
    words = "the mesh configuration hides waypoints' own headers (defaultConfig.proxyHeaders)"
    kube = mesh(defaultConfig=headers)
    assert meshwide.hidden_headers(real(kube)) == (words if hidden else "")
    assert look(real(kube), Places("a", "b", "c"), "r").hidden == (words if hidden else "")


def test_a_rule_for_the_whole_mesh_counts_only_if_it_is_the_oldest() -> None:
    """The one named `default` is taken over, one for some workloads is none, another name goes before ours."""
    kube = mesh()
    policy(kube, "PeerAuthentication", "default", "mesh", {"mtls": {"mode": "PERMISSIVE"}})
    policy(kube, "PeerAuthentication", "some", "mesh", {"selector": {"matchLabels": {"app": "x"}}})
    assert detect(real(kube))["MeshPeerAuthentication"].present
    policy(kube, "PeerAuthentication", "everybody", "mesh", {"mtls": {"mode": "PERMISSIVE"}})
    assert detect(real(kube))["MeshPeerAuthentication"].reason == (
        "PeerAuthentication mesh/everybody is there already, and of several the oldest counts"
    )
