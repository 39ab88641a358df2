"""Pages to look at: which Service, which pod, which port, and one clear line when there is none."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.errors import BrokenEnvironment, Forbidden, KubeError, Misuse, NotFound, NotInTime
from pytest_ambient.mesh.pages import PAGES, connect, find, target
from tests.mesh.fake_mesh import Cluster

READY = {"conditions": [{"type": "Ready", "status": "True"}]}
SERVICE = {
    "metadata": {"name": "kiali", "namespace": "istio-system"},
    "spec": {"selector": {"app": "kiali"}, "ports": [{"port": 20001, "targetPort": "http"}]},
}


class Forwarding(Cluster):
    """A cluster that notes what is forwarded, after errors."""

    def __init__(self, *errors: KubeError) -> None:
        super().__init__()
        self.errors = list(errors)
        self.forwarded: list[tuple[str, str, int]] = []

    def forward(self, namespace: str, pod: str, port: int, *, timeout: float = 10) -> object:
        """A way that leads nowhere."""
        if self.errors:
            raise self.errors.pop(0)
        self.forwarded.append((namespace, pod, port))
        return self

    def service(self, name: str, namespace: str) -> None:
        """Have a Service."""
        item = {"metadata": {"name": name, "namespace": namespace}, "spec": {"selector": {"app": name}}}
        self.objects["v1/Service", namespace, name] = item

    def pod(self, name: str, status: Mapping[str, Any] = READY, **meta: object) -> None:
        """Have a pod of Kiali's."""
        about = {"name": name, "namespace": "istio-system", "labels": {"app": "kiali"}, **meta}
        ports = [{"name": "http", "containerPort": 20001}]
        item = {"metadata": about, "spec": {"containers": [{"ports": ports}]}, "status": dict(status)}
        self.objects["v1/Pod", "istio-system", name] = item


def real(kube: Forwarding) -> Kube:
    """The double where a Kube is wanted."""
    return cast(Kube, kube)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("kiali", "no Service kiali in the cluster; --ambient-addons=kiali,prometheus puts it in"),
        ("jaeger", "no Service tracing in the cluster; --ambient-addons=jaeger puts it in"),
        ("grafana", "no Service grafana in the cluster; --ambient-addons=grafana puts it in"),
        ("prometheus", "no Service prometheus in the cluster; --ambient-addons=prometheus puts it in"),
        ("productpage", "no Service productpage in the cluster; pytest-ambient up puts Bookinfo in"),
    ],
)
def test_what_is_not_installed_is_one_line(name: str, text: str) -> None:
    """That says what was looked for and how to have it."""
    with pytest.raises(BrokenEnvironment) as told:
        find(real(Forwarding()), name)
    assert str(told.value) == f"{name} is not installed: {text}"


def test_a_namespace_that_is_named_is_the_only_one() -> None:
    """The line names it then."""
    kube = Forwarding()
    kube.service("kiali", "istio-system")
    with pytest.raises(BrokenEnvironment, match="no Service kiali in namespace other; "):
        find(real(kube), "kiali", "other")
    assert find(real(kube), "kiali", "istio-system")["metadata"]["namespace"] == "istio-system"


def test_what_is_ours_or_beside_istiod_goes_first() -> None:
    """Others may have things of that name; where none is ours, one alone is clear."""
    kube = Forwarding()
    kube.service("kiali", "monitoring")
    assert find(real(kube), "kiali")["metadata"]["namespace"] == "monitoring"
    kube.service("kiali", "istio-system")
    assert find(real(kube), "kiali")["metadata"]["namespace"] == "istio-system"
    for namespace in ("default", "shop"):
        kube.service("productpage", namespace)
    meta = {"name": "shop", "labels": {"pytest-ambient/run": "r1"}}
    kube.objects["v1/Namespace", "", "shop"] = {"metadata": meta}
    assert find(real(kube), "productpage")["metadata"]["namespace"] == "shop"


def test_several_are_one_too_many() -> None:
    """They are listed, with the option that chooses."""
    kube = Forwarding()
    for namespace in ("b", "a"):
        kube.service("productpage", namespace)
    with pytest.raises(Misuse) as told:
        find(real(kube), "productpage")
    assert str(told.value) == "productpage is in several namespaces, choose with --ambient-namespace: a, b"


def test_a_pod_that_is_ready_serves() -> None:
    """By the port behind the Service's; one that is about to go does not."""
    kube = Forwarding()
    kube.pod("a", deletionTimestamp="now")
    kube.pod("b", status={})
    kube.pod("c")
    connect(real(kube), SERVICE, 20001, within=1)
    assert kube.forwarded == [("istio-system", "c", 20001)]


def test_a_pod_that_is_being_replaced_is_waited_for() -> None:
    """The API server may still tell of one that has gone."""
    kube = Forwarding(NotFound('pods "a" not found'), KubeError("not running"))
    kube.pod("a")
    connect(real(kube), SERVICE, 20001, within=5)
    assert kube.forwarded == [("istio-system", "a", 20001)]


def test_why_nothing_serves_is_told() -> None:
    """After a while; who may not forward is told at once."""
    kube = Forwarding()
    kube.pod("a", status={})
    told = r"a pod of Service istio-system/kiali: not within 0.1 s .*last: 1 pods, none of them Ready"
    with pytest.raises(NotInTime, match=told):
        connect(real(kube), SERVICE, 20001, within=0.1)
    kube = Forwarding(Forbidden("cannot create pods/portforward"))
    kube.pod("a")
    with pytest.raises(Forbidden, match="cannot create pods/portforward"):
        connect(real(kube), SERVICE, 20001, within=5)


@pytest.mark.parametrize(
    ("ports", "found"),
    [
        ([{"port": 80, "targetPort": 16686}], 16686),
        ([{"port": 80, "targetPort": "16686"}], 16686),
        ([{"port": 80}], 80),
        ([{"port": 1, "targetPort": 2}, {"port": 80, "targetPort": "ui"}], 16686),
        ([], 80),
    ],
)
def test_the_pods_port_is_the_services_target(ports: list[dict[str, Any]], found: int) -> None:
    """A number, a number in quotes, none, or a name."""
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{}, {"ports": [{"name": "ui", "containerPort": 16686}]}]}}
    assert target({"spec": {"ports": ports}}, 80, pod) == found
    if ports and ports[-1].get("targetPort") == "ui":
        with pytest.raises(BrokenEnvironment, match="pod q has no port ui, which its Service names"):
            target({"spec": {"ports": ports}}, 80, {"metadata": {"name": "q"}, "spec": {"containers": [{}]}})


def test_a_service_without_selector_leads_to_no_pod() -> None:
    """One line rather than any pod of the namespace."""
    with pytest.raises(BrokenEnvironment, match="Service kiali selects no pods"):
        connect(real(Forwarding()), {**SERVICE, "spec": {}}, 20001, within=1)


def test_pages_have_the_paths_that_their_programs_serve() -> None:
    """As in Istio's samples."""
    assert {name: (page.service, page.port, page.path) for name, page in PAGES.items()} == {
        "grafana": ("grafana", 3000, "/"),
        "jaeger": ("tracing", 80, "/jaeger"),
        "kiali": ("kiali", 20001, "/kiali"),
        "productpage": ("productpage", 9080, "/productpage"),
        "prometheus": ("prometheus", 9090, "/"),
    }
