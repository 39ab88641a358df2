"""MetalLB: a pool that fits the nodes' network, applied once the webhook answers, and taken out whole."""

import ipaddress
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient import _fetch
from pytest_ambient.errors import InstallerError, Invalid, KubeError, NotInTime
from pytest_ambient.mesh import metallb
from pytest_ambient.mesh.addons import steps, uninstall
from tests.mesh.fake_mesh import Cluster, spec, target

DOCKER = ("fc00:f853:ccd:e793::/64", "172.18.0.0/16")
NATIVE = """\
apiVersion: v1
kind: Namespace
metadata: {name: metallb-system, labels: {pod-security.kubernetes.io/enforce: privileged}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ipaddresspools.metallb.io}
spec: {group: metallb.io}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: controller, namespace: metallb-system}
spec: {selector: {matchLabels: {app: metallb}}, template: {spec: {containers: [{name: c, image: q/controller:v1}]}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: speaker, namespace: metallb-system}
spec: {selector: {matchLabels: {app: metallb}}, template: {spec: {containers: [{name: s, image: q/speaker:v1}]}}}
"""


class Webhooked(Cluster):
    """A cluster whose webhook answers only after so many refusals."""

    def __init__(self, refusals: int, error: KubeError) -> None:
        super().__init__()
        self.refusals, self.error = refusals, error

    def apply(
        self, obj: dict[str, Any], *, force: bool = False, field_manager: str = "", strict: bool = True
    ) -> dict[str, Any]:
        """Refuse what the webhook would be asked about."""
        if obj["apiVersion"].startswith("metallb.io/") and self.refusals:
            self.refusals -= 1
            raise self.error
        return super().apply(obj, force=force, field_manager=field_manager, strict=strict)


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was asked to be downloaded; the manifest is one of our own writing."""
    asked: list[dict[str, Any]] = []
    path = tmp_path / "native.yaml"
    path.write_text(NATIVE)

    def fetch(url: str, **more: Any) -> Path:
        asked.append({"url": url, **more})
        return path

    monkeypatch.setattr(_fetch, "fetch", fetch)
    return asked


def install(cluster: Cluster, folder: Path, subnets: tuple[str, ...] = DOCKER, **more: Any) -> None:
    """Do the one step."""
    ((step,),) = steps(target(cluster, subnets=subnets), spec(folder, **more), ("metallb",))
    step.do()


@pytest.mark.parametrize(
    ("subnets", "pool"),
    [
        (("172.18.0.0/16",), "172.18.255.204-172.18.255.253"),
        (DOCKER, "172.18.255.204-172.18.255.253"),
        (("10.89.1.0/24",), "10.89.1.204-10.89.1.253"),
        (("10.0.0.0/25",), "10.0.0.95-10.0.0.125"),
        (("192.168.7.16/28",), "192.168.7.27-192.168.7.29"),
        (("192.168.7.16/29",), "192.168.7.21-192.168.7.21"),
        (("172.18.0.1/16", "172.19.0.0/16"), "172.18.255.204-172.18.255.253"),
    ],
)
def test_the_pool_is_near_the_end_of_the_real_subnet(subnets: tuple[str, ...], pool: str) -> None:
    """At most fifty addresses and a quarter of all; never the network's last one nor its broadcast address."""
    assert metallb.pool(subnets) == pool
    network = next(
        net for text in subnets if isinstance(net := ipaddress.ip_network(text, strict=False), ipaddress.IPv4Network)
    )
    first, last = map(ipaddress.IPv4Address, pool.split("-"))
    assert network.network_address + 1 < first <= last < network.broadcast_address - 1


@pytest.mark.parametrize(
    ("subnets", "text"),
    [
        ((), "no IPv4 subnet of the nodes' network is known, there are none"),
        (("fc00::/64",), "no IPv4 subnet of the nodes' network is known, there are fc00::/64"),
        (("10.0.0.0/30",), "subnet 10.0.0.0/30 is too small to give addresses away"),
        (("10.0.0.0/31",), "subnet 10.0.0.0/31 is too small to give addresses away"),
    ],
)
def test_where_there_is_no_room_nothing_is_done(
    subnets: tuple[str, ...], text: str, tmp_path: Path, fetched: list[dict[str, Any]]
) -> None:
    """One line, before anything is downloaded or applied."""
    cluster = Cluster()
    before = dict(cluster.objects)
    with pytest.raises(InstallerError) as told:
        install(cluster, tmp_path, subnets)
    assert str(told.value) == f"addon metallb: {text}"
    assert (cluster.objects, fetched) == (before, [])


def test_metallb_is_downloaded_checked_and_told_its_pool(tmp_path: Path, fetched: list[dict[str, Any]]) -> None:
    """Everything says whose it is, the pool and its announcement too; images come from the mirror."""
    cluster = Cluster()
    install(cluster, tmp_path, hub="mirror.example")
    (asked,) = fetched
    assert asked["url"].endswith("/metallb/v0.15.3/config/manifests/metallb-native.yaml")
    assert (asked["sha256"], asked["name"]) == (metallb.SHA256, "metallb/v0.15.3/metallb-native.yaml")
    pool = cluster.objects["metallb.io/v1beta1/IPAddressPool", "metallb-system", "pytest-ambient"]
    assert pool["spec"] == {"addresses": ["172.18.255.204-172.18.255.253"]}
    announced = cluster.objects["metallb.io/v1beta1/L2Advertisement", "metallb-system", "pytest-ambient"]
    assert announced["spec"] == {"ipAddressPools": ["pytest-ambient"]}
    made = {key: item for key, item in cluster.objects.items() if key[2] not in ("istiod", "istio")}
    assert {item["metadata"]["labels"]["pytest-ambient/run"] for item in made.values()} == {"r1"}
    controller = cluster.objects["apps/v1/Deployment", "metallb-system", "controller"]
    assert controller["spec"]["template"]["spec"]["containers"][0]["image"] == "mirror.example/controller:v1"


def test_the_pool_is_applied_again_until_the_webhook_answers(tmp_path: Path, fetched: list[dict[str, Any]]) -> None:
    """Its endpoints come a little after the pods are Ready."""
    cluster = Webhooked(3, KubeError('failed calling webhook "ipaddresspool…": connection refused'))
    install(cluster, tmp_path, within=5)
    assert cluster.refusals == 0
    assert ("metallb.io/v1beta1/L2Advertisement", "metallb-system", "pytest-ambient") in cluster.objects


def test_a_webhook_that_never_answers_is_told(tmp_path: Path, fetched: list[dict[str, Any]]) -> None:
    """With the last refusal."""
    cluster = Webhooked(1000, KubeError("connection refused"))
    with pytest.raises(NotInTime, match=r"metallb to take its IPAddressPool: .*last: connection refused"):
        install(cluster, tmp_path, within=0.1)


def test_a_pool_that_is_wrong_is_not_tried_again(tmp_path: Path, fetched: list[dict[str, Any]]) -> None:
    """What the API server refuses for what it says stays refused."""
    cluster = Webhooked(1000, Invalid("spec.addresses: no"))
    with pytest.raises(Invalid, match=r"spec\.addresses: no"):
        install(cluster, tmp_path, within=5)
    assert cluster.refusals == 999


def test_metallb_of_others_is_left_with_its_own_pools(tmp_path: Path, fetched: list[dict[str, Any]]) -> None:
    """Nothing is added, and nothing goes with the run."""
    cluster = Cluster()
    meta = {"name": "controller", "namespace": "metallb-system"}
    for kind, name in (("Deployment", "controller"), ("DaemonSet", "speaker")):
        item = {"apiVersion": "apps/v1", "kind": kind, "metadata": {**meta, "name": name}, "spec": {}}
        cluster.apply(item)
    before = dict(cluster.objects)
    install(cluster, tmp_path)
    uninstall(target(cluster), spec(tmp_path))
    assert cluster.objects == before


def test_undoing_takes_pools_workloads_kinds_and_namespace(tmp_path: Path, fetched: list[dict[str, Any]]) -> None:
    """Custom objects first: their kinds go with the CRDs; the namespace last."""
    cluster = Cluster()
    before = dict(cluster.objects)
    gone: list[str] = []
    delete = cluster.delete

    def noted(kind: str, *rest: Any, **more: Any) -> None:
        gone.append(kind.rpartition("/")[2])
        delete(kind, *rest, **more)

    cluster.delete = noted  # type: ignore[method-assign]  # a double of a double
    install(cluster, tmp_path)
    uninstall(target(cluster), spec(tmp_path))
    assert gone == [
        "IPAddressPool", "L2Advertisement", "DaemonSet", "Deployment", "CustomResourceDefinition", "Namespace",
    ]  # fmt: skip
    assert cluster.objects == before
