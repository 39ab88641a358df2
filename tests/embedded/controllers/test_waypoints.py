"""Waypoints, the life of namespaces, events."""

import asyncio
from pathlib import Path

import pytest

from pytest_ambient.embedded.api.copying import copied
from pytest_ambient.embedded.api.store import Store, find
from pytest_ambient.embedded.controllers.gateways import Gateways
from pytest_ambient.embedded.istiod.model import Identity
from pytest_ambient.embedded.kubelet.protocol import PodUnreachable
from pytest_ambient.embedded.objects import Object, annotations_of, labels_of, name_of
from pytest_ambient.embedded.ports import bound

from ..kubelet.bench import DEPLOYMENT, POD, SERVICE, Bench, play
from ..kubelet.specs import CURL, ECHO, deployment, pod, service

NAMESPACE, CONFIG = find("Namespace"), find("ConfigMap")
GATEWAY, ACCOUNT = find("Gateway", "gateway.networking.k8s.io"), find("ServiceAccount")
REDIRECTION = "ambient.istio.io/redirection"
HTTP = {"name": "http", "port": 8000, "targetPort": 8080}


def waypoint(**labels: str) -> Object:
    """A waypoint's Gateway."""
    listener = {"name": "mesh", "port": 15008, "protocol": "HBONE"}
    meta = {"name": "waypoint", "namespace": Bench.space, "labels": labels}
    return {"metadata": meta, "spec": {"gatewayClassName": "istio-waypoint", "listeners": [listener]}}


def test_waypoint(tmp_path: Path) -> None:
    """A Gateway of class istio-waypoint brings account, Service and proxy, all called like it; they go with it."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(GATEWAY, waypoint(team="x"))
        made = await bench.ready_pod("waypoint")
        assert bench.plane.waypoints == [(bench.space, name_of(made), Identity(bench.space, "waypoint"))]
        assert annotations_of(made).get(REDIRECTION) is None
        assert made["spec"]["containers"][0]["image"].endswith("/proxyv2:1.30.3-distroless")
        labels = labels_of(made)
        assert labels["gateway.networking.k8s.io/gateway-name"] == "waypoint"
        assert labels["gateway.istio.io/managed"] == "istio.io-mesh-controller"
        assert labels["team"] == "x"
        assert (await bench.kubelet.fetch(made, 15000, "/config_dump", "POST", local=True))[2] == b"POST /config_dump"
        serving = bench.store.get(SERVICE, "waypoint", bench.space) or {}
        assert [each["port"] for each in serving["spec"]["ports"]] == [15021, 15008]
        assert serving["metadata"]["ownerReferences"][0]["kind"] == "Gateway"
        bench.store.delete(DEPLOYMENT, "waypoint", bench.space)
        await bench.until(lambda: bench.store.get(DEPLOYMENT, "waypoint", bench.space))
        bench.store.delete(GATEWAY, "waypoint", bench.space)
        for each in (DEPLOYMENT, SERVICE, ACCOUNT):
            await bench.gone(each, "waypoint")
        for left in bench.pods("waypoint"):
            bench.store.delete(POD, name_of(left), bench.space, grace=0)
        await bench.until(lambda: not bench.plane.waypoints)

    play(tmp_path, scenario)


def test_waypoints_wait_for_an_istiod() -> None:
    """While none is there nobody makes one; once it is back it is made."""
    away = [True]

    async def scenario() -> None:
        store = Store()
        store.create(NAMESPACE, {"metadata": {"name": Bench.space}})
        controller = Gateways(store, "proxyv2", lambda: away[0])
        store.create(GATEWAY, waypoint())
        await asyncio.sleep(0.1)
        assert store.get(DEPLOYMENT, "waypoint", Bench.space) is None
        away[0] = False
        async with asyncio.timeout(5):
            while store.get(DEPLOYMENT, "waypoint", Bench.space) is None:
                await asyncio.sleep(0.05)
        controller.stop()

    asyncio.run(scenario())


def test_waypoint_is_scaled_by_hand(tmp_path: Path) -> None:
    """The size of a waypoint is its owner's affair."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(GATEWAY, waypoint())
        await bench.ready_pod("waypoint")
        changed = copied(bench.store.get(DEPLOYMENT, "waypoint", bench.space) or {})
        changed["spec"]["replicas"] = 0
        bench.store.replace(DEPLOYMENT, changed)
        await bench.until(lambda: not bench.pods("waypoint"))
        assert (bench.store.get(DEPLOYMENT, "waypoint", bench.space) or {})["spec"]["replicas"] == 0

    play(tmp_path, scenario)


def test_waypoint_is_restarted_by_hand(tmp_path: Path) -> None:
    """`kubectl rollout restart` of a waypoint brings a new pod: the annotation that it sets stays."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(GATEWAY, waypoint())
        first = await bench.ready_pod("waypoint")
        changed = copied(bench.store.get(DEPLOYMENT, "waypoint", bench.space) or {})
        changed["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] = "now"
        bench.store.replace(DEPLOYMENT, changed)
        await bench.until(lambda: name_of(first) not in [name_of(each) for each in bench.pods("waypoint")])
        notes = annotations_of(await bench.ready_pod("waypoint"))
        assert (notes["kubectl.kubernetes.io/restartedAt"], notes["istio.io/rev"]) == ("now", "default")

    play(tmp_path, scenario)


def test_ingress(tmp_path: Path) -> None:
    """A Gateway of class istio brings what is called NAME-istio, outside of the mesh's capture, on its own ports."""

    async def scenario(bench: Bench) -> None:
        gateway = waypoint()
        gateway["metadata"]["annotations"] = {"networking.istio.io/service-type": "ClusterIP"}
        gateway["spec"] = {
            "gatewayClassName": "istio",
            "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
        }
        bench.store.create(GATEWAY, gateway)
        made = await bench.ready_pod("waypoint-istio")
        who = Identity(bench.space, "waypoint-istio")
        assert bench.plane.gateways == [(f"{bench.space}/waypoint", name_of(made), who)]
        assert bench.plane.waypoints == []
        assert labels_of(made)["istio.io/dataplane-mode"] == "none"
        item = bench.store.get(SERVICE, "waypoint-istio", bench.space)
        assert item
        assert [each["port"] for each in item["spec"]["ports"]] == [15021, 80]
        assert labels_of(item)["gateway.networking.k8s.io/gateway-class-name"] == "istio"
        assert item["spec"]["type"] == "ClusterIP"
        assert annotations_of(item) == annotations_of(gateway)
        assert annotations_of(made)["networking.istio.io/service-type"] == "ClusterIP"

    play(tmp_path, scenario)


def test_a_gateways_ports_are_reached_past_the_mesh(tmp_path: Path) -> None:
    """By port-forward and the API's pod proxy too, though it is the data plane that listens there."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    async def scenario(bench: Bench) -> None:
        gateway = waypoint()
        gateway["spec"] = {
            "gatewayClassName": "istio",
            "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
        }
        bench.store.create(GATEWAY, gateway)
        made = await bench.ready_pod("waypoint-istio")
        with pytest.raises(PodUnreachable, match="dial tcp: connect to port 80: connection refused"):
            await bench.kubelet.dial(made, 80)
        server = await asyncio.start_server(answer, made["status"]["podIP"], bound(80))
        reader, writer = await bench.kubelet.dial(made, 80)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 204 No Content\r\n"
        writer.close()
        assert (await bench.kubelet.fetch(made, 80, "/"))[0] == 204
        server.close()

    play(tmp_path, scenario)


def test_ingress_by_a_load_balancer(tmp_path: Path) -> None:
    """What Istio asks for when the Gateway says nothing else; nobody here gives it an address."""

    async def scenario(bench: Bench) -> None:
        gateway = waypoint()
        gateway["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
        listeners = [
            {"name": name, "port": port, "protocol": "HTTP", "hostname": f"{name}.example"}
            for name, port in (("a.b", 80), ("b", 8080), ("c", 80))
        ]
        gateway["spec"] = {"gatewayClassName": "istio", "listeners": listeners}
        bench.store.create(GATEWAY, gateway)
        await bench.ready_pod("waypoint-istio")
        item = bench.store.get(SERVICE, "waypoint-istio", bench.space)
        assert item
        assert item["spec"]["type"] == "LoadBalancer"
        ports = [(each["name"], each["port"]) for each in item["spec"]["ports"]]
        assert ports == [("status-port", 15021), ("a-b", 80), ("b", 8080)]
        assert annotations_of(item) == {}
        assert (item["spec"]["ipFamilies"], item["spec"]["ipFamilyPolicy"]) == (["IPv4"], "PreferDualStack")

    play(tmp_path, scenario)


def test_a_waypoint_offers_what_its_listeners_say(tmp_path: Path) -> None:
    """Right or wrong for a waypoint, as on a real mesh: Service and proxy come, and the status tells of it."""

    async def scenario(bench: Bench) -> None:
        made = waypoint()
        made["spec"]["listeners"].append({"name": "a.b", "port": 80, "protocol": "HTTP"})
        bench.store.create(GATEWAY, made)
        await bench.ready_pod("waypoint")
        item = bench.store.get(SERVICE, "waypoint", bench.space)
        assert item
        ports = [(each["name"], each["port"], each["appProtocol"]) for each in item["spec"]["ports"]]
        assert ports == [("status-port", 15021, "tcp"), ("mesh", 15008, "hbone"), ("a-b", 80, "http")]

    play(tmp_path, scenario)


def test_gateways_without_proxy(tmp_path: Path) -> None:
    """Other classes bring nothing."""

    async def scenario(bench: Bench) -> None:
        made = waypoint()
        made["spec"]["gatewayClassName"] = "istio-remote"
        bench.store.create(GATEWAY, made)
        bench.store.create(DEPLOYMENT, deployment("echo", ECHO))
        await bench.ready_pod("echo")
        assert bench.store.get(DEPLOYMENT, "waypoint", bench.space) is None

    play(tmp_path, scenario)


def test_namespace_life(tmp_path: Path) -> None:
    """A namespace has its account and certificates from the start, again when deleted, and ends empty."""

    async def scenario(bench: Bench) -> None:
        await bench.until(lambda: bench.store.get(CONFIG, "kube-root-ca.crt", bench.space))
        bench.store.delete(ACCOUNT, "default", bench.space)
        await bench.until(lambda: bench.store.get(ACCOUNT, "default", bench.space))
        bench.store.create(DEPLOYMENT, deployment("echo", ECHO))
        bench.store.create(SERVICE, service("echo", HTTP))
        bench.store.create(GATEWAY, waypoint())
        await bench.ready_pod("echo")
        bench.store.delete(NAMESPACE, bench.space)
        assert (bench.store.get(NAMESPACE, bench.space) or {})["status"]["phase"] == "Terminating"
        await bench.until(lambda: bench.store.get(NAMESPACE, bench.space) is None)
        assert not [each for each in bench.store.registry if each.namespaced and bench.store.list(each, bench.space)]
        await bench.until(lambda: not list((tmp_path / "pods").iterdir()))

    play(tmp_path, scenario)


def test_no_event_without_namespace(tmp_path: Path) -> None:
    """An event about something whose namespace has gone is not written."""

    async def scenario(bench: Bench) -> None:
        lost = pod("curl", CURL, namespace="gone") | {"apiVersion": "v1", "kind": "Pod"}
        bench.controllers.emit(lost, "Normal", "Killing", "late")
        assert not bench.store.list(find("Event"), "gone")

    play(tmp_path, scenario)


def test_repeated_event_is_counted(tmp_path: Path) -> None:
    """An event that repeats is one event with a count."""

    async def scenario(bench: Bench) -> None:
        made = bench.store.create(POD, pod("curl", CURL))
        for _ in range(3):
            bench.controllers.emit(made, "Warning", "Odd", "the same")
        found = [each for each in bench.store.list(find("Event"), bench.space) if each["reason"] == "Odd"]
        assert [each["count"] for each in found] == [3]

    play(tmp_path, scenario)
