"""Several istiods in one cluster: which one a run is judged by, and that it is said."""

from pathlib import Path
from typing import Any, cast

import pytest

from pytest_ambient import _probing
from pytest_ambient._kube import Kube
from pytest_ambient.errors import BrokenEnvironment, Forbidden
from pytest_ambient.mesh import addons, health, meshwide, readiness
from pytest_ambient.settings import settle
from pytest_ambient.testing import FakeKube

WEBHOOK = "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration"
BESIDE = "beside it there is"


class Cluster(FakeKube):
    """A cluster whose webhooks this user may perhaps not see."""

    blind = False

    def list(self, kind: str, namespace: str | None = None, labels: str = "", fields: str = "") -> list[dict[str, Any]]:
        """As a FakeKube."""
        if self.blind and kind == WEBHOOK:
            raise Forbidden("webhooks is forbidden")
        return super().list(kind, namespace, labels, fields)


def workload(kube: FakeKube, kind: str, name: str, app: str, image: str, **meta: Any) -> None:
    """One part of a mesh, ready."""
    ready = {"availableReplicas": 1, "desiredNumberScheduled": 1, "numberReady": 1}
    namespace, ambient = meta.pop("namespace", "istio-system"), str(meta.pop("ambient", True)).lower()
    env = [{"name": "PILOT_ENABLE_AMBIENT", "value": ambient}]
    pod = {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "x", "image": image, "env": env}]}}
    labels = {"app": app, **meta.pop("labels", {})}
    item = {"metadata": {"name": name, "namespace": namespace, "labels": labels, **meta}, "spec": {"template": pod}}
    kube.objects[f"apps/v1/{kind}", namespace, name] = {"kind": kind, **item, "status": ready}


def istiod(kube: FakeKube, revision: str, version: str, **more: Any) -> None:
    """An istiod of a revision, with a configuration of its own."""
    workload(
        kube,
        "Deployment",
        f"istiod-{revision}",
        "istiod",
        f"x/pilot:{version}",
        labels={"istio.io/rev": revision},
        **more,
    )
    name, namespace = "istio" if revision == "default" else f"istio-{revision}", more.get("namespace", "istio-system")
    kube.objects["v1/ConfigMap", namespace, name] = {"data": {"mesh": f"trustDomain: {revision}.example"}}


def ztunnels(kube: FakeKube, revision: str, version: str = "1.30.3") -> None:
    """The ztunnels; Istio's chart writes their revision as an annotation."""
    workload(kube, "DaemonSet", "ztunnel", "ztunnel", f"x/ztunnel:{version}", annotations={"istio.io/rev": revision})


def tagged(kube: FakeKube, revision: str, kind: str = WEBHOOK) -> None:
    """The default tag."""
    meta = {"name": "tag", "labels": {"istio.io/rev": revision, "istio.io/tag": "default"}}
    kube.objects[kind, "", "tag"] = {"metadata": meta}


def judged(kube: FakeKube) -> tuple[str, str, str]:
    """The version that is found, the trust domain, and what our objects must name."""
    real = cast(Kube, kube)
    mesh, decided = readiness.read(real), meshwide.read(real)
    return mesh.versions["istiod"], decided.trust_domain, decided.revision


@pytest.mark.parametrize("kind", [WEBHOOK, "v1/Service"])
def test_the_default_tags_istiod_is_judged_during_a_canary(kind: str) -> None:
    """Namespaces that name no revision are its own; the canary may come first by name."""
    kube = Cluster()
    istiod(kube, "1-30-3", "1.30.3")
    istiod(kube, "1-31-0", "1.31.0")
    ztunnels(kube, "1-30-3")
    tagged(kube, "1-31-0", kind)
    assert judged(kube) == ("1.31.0", "1-31-0.example", "")
    tagged(kube, "1-30-3", kind)
    assert judged(kube) == ("1.30.3", "1-30-3.example", "")
    assert readiness.read(cast(Kube, kube)).istiods == (
        f"istiod of revision 1-30-3 in istio-system is judged, the default one; {BESIDE} 1-31-0"
    )


def test_without_a_tag_the_one_without_a_name_is_the_default_one() -> None:
    """As Istio itself has it."""
    kube = Cluster()
    istiod(kube, "canary", "1.31.0")
    istiod(kube, "default", "1.30.3")
    ztunnels(kube, "canary")
    assert judged(kube) == ("1.30.3", "default.example", "")


def test_without_a_default_one_that_of_the_ztunnels_is_judged() -> None:
    """By their annotation; our objects then name it, or nobody would look at them."""
    kube = Cluster()
    istiod(kube, "1-29-6", "1.29.6")
    istiod(kube, "1-30-3", "1.30.3", namespace="istio-new")
    ztunnels(kube, "1-30-3")
    assert judged(kube) == ("1.30.3", "1-30-3.example", "1-30-3")
    assert readiness.read(cast(Kube, kube)).istiods == (
        "istiod of revision 1-30-3 in istio-new is judged, the one of the ztunnels, none is the default one in ambient "
        f"mode; {BESIDE} 1-29-6"
    )
    assert addons.root(cast(Kube, kube)) == "istio-new"


def test_a_default_one_for_sidecars_alone_is_not_judged() -> None:
    """Ambient mode was put beside it."""
    kube = Cluster()
    istiod(kube, "default", "1.29.6", ambient=False)
    istiod(kube, "ambient", "1.30.3")
    ztunnels(kube, "ambient")
    assert judged(kube) == ("1.30.3", "ambient.example", "ambient")


def test_where_nothing_names_one_the_first_is_judged_and_that_is_said() -> None:
    """Somebody has to look."""
    kube = Cluster()
    istiod(kube, "a", "1.30.3")
    istiod(kube, "b", "1.30.3")
    assert judged(kube) == ("1.30.3", "a.example", "a")
    assert readiness.read(cast(Kube, kube)).istiods == (
        "istiod of revision a in istio-system is judged, the first one, neither a tag nor the ztunnels name one; "
        f"{BESIDE} b"
    )


def test_who_may_not_see_tags_names_the_revision() -> None:
    """That is right whichever is the default one; an istiod alone is mostly that."""
    kube = Cluster()
    kube.blind = True
    istiod(kube, "1-30-3", "1.30.3")
    ztunnels(kube, "1-30-3")
    assert judged(kube) == ("1.30.3", "1-30-3.example", "")
    istiod(kube, "1-31-0", "1.31.0")
    assert judged(kube) == ("1.30.3", "1-30-3.example", "1-30-3")


def test_a_run_says_which_one_it_judges() -> None:
    """Before anything else is said of the mesh."""
    kube, told = Cluster(), list[str]()
    istiod(kube, "1-30-3", "1.30.3")
    istiod(kube, "1-31-0", "1.31.0")
    ztunnels(kube, "1-30-3")
    tagged(kube, "1-30-3")
    settings = settle({"ambient_timeout": ["mesh=0.01"]}, {}, {}, Path())
    with pytest.raises(BrokenEnvironment, match=r"^there is no working ambient mesh: no istio-cni: "):
        _probing.mesh(cast(Kube, kube), settings, told.append)
    assert told[-1] == "istiod of revision 1-30-3 in istio-system is judged, the default one; beside it there is 1-31-0"


@pytest.mark.parametrize(
    ("version", "remedy"),
    [("1.30.3", "ask for that one, or for none, with --ambient-istio-version"), ("1.29.6", "upgrade what lags behind")],
)
def test_doctor_says_what_to_do_about_another_version(version: str, remedy: str) -> None:
    """Where all is of one version the question was wrong; else something lags behind."""
    kube = Cluster()
    istiod(kube, "default", "1.30.3")
    ztunnels(kube, "default", version)
    (found,) = (one for one in health.findings(cast(Kube, kube), "1.28") if one.what == "versions")
    assert found.remedy == remedy


def test_doctor_says_which_one_it_looked_at() -> None:
    """Beside its version."""
    kube = Cluster()
    istiod(kube, "1-30-3", "1.30.3-fips")
    istiod(kube, "1-31-0", "1.31.0")
    ztunnels(kube, "1-30-3")
    tagged(kube, "1-30-3")
    told = [str(one) for one in health.findings(cast(Kube, kube))]
    assert told[0] == "istiod: ready, 1.30.3-fips"
    assert (
        "istiods: istiod of revision 1-30-3 in istio-system is judged, the default one; beside it there is 1-31-0: "
        "move the tag `default` if another is to be judged"
    ) in told
