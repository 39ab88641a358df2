"""Services and their endpoints."""

import asyncio
import re
import socket
from pathlib import Path

import pytest

from pytest_ambient.embedded.api.copying import copied
from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.names import Names
from pytest_ambient.embedded.objects import Object

from ..kubelet.bench import ENDPOINTS, POD, SERVICE, Bench, play
from ..kubelet.specs import CURL, ECHO, pod, service

SLICE = find("EndpointSlice", "discovery.k8s.io")
HTTP = {"name": "http", "port": 8000, "targetPort": 8080}


def addresses(bench: Bench, name: str, which: str = "addresses") -> list[str]:
    """The addresses in a Service's Endpoints."""
    subsets = (bench.store.get(ENDPOINTS, name, bench.space) or {}).get("subsets") or ()
    return [each["ip"] for subset in subsets for each in subset.get(which) or ()]


def listens(address: str, port: int) -> bool:
    """Whether anybody takes connections there."""
    with socket.socket() as tried:
        return tried.connect_ex((address, port)) == 0


def slices(bench: Bench, name: str) -> list[Object]:
    """A Service's EndpointSlices."""
    return bench.store.list(SLICE, bench.space, {"kubernetes.io/service-name": name})


def test_service_gets_an_address(tmp_path: Path) -> None:
    """A Service has an address for life; it can be asked for, not taken twice, and not changed."""

    async def scenario(bench: Bench) -> None:
        made = bench.store.create(SERVICE, service("one", HTTP))
        address = made["spec"]["clusterIP"]
        assert address.startswith(f"127.{bench.addresses.block}.200.")
        assert made["spec"]["clusterIPs"] == [address]
        again = bench.store.replace(SERVICE, service("one", {**HTTP, "port": 9000}))
        assert again["spec"]["clusterIP"] == address
        with pytest.raises(ApiError, match="may not change once set"):
            bench.store.replace(SERVICE, service("one", HTTP, clusterIP="127.0.0.9"))
        with pytest.raises(ApiError, match="not a free address"):
            bench.store.create(SERVICE, service("two", HTTP, clusterIP=address))
        bench.store.delete(SERVICE, "one", bench.space)
        assert bench.store.create(SERVICE, service("two", HTTP, clusterIP=address))["spec"]["clusterIP"] == address

    play(tmp_path, scenario)


def test_endpoints_that_somebody_wrote_have_slices(tmp_path: Path) -> None:
    """For a Service without a selector, one for each subset, for as long as they are there and are to be mirrored."""

    async def scenario(bench: Bench) -> None:
        plain = service("by-hand", HTTP)
        del plain["spec"]["selector"]
        bench.store.create(SERVICE, plain)
        ready = {"addresses": [{"ip": "10.0.0.1"}], "notReadyAddresses": [{"ip": "10.0.0.2"}]}
        ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
        written = {"metadata": {"name": "by-hand", "namespace": bench.space}, "subsets": [{**ready, "ports": ports}]}
        made = bench.store.create(ENDPOINTS, written)
        await bench.until(lambda: slices(bench, "by-hand"))
        (found,) = slices(bench, "by-hand")
        assert found["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == (
            "endpointslicemirroring-controller.k8s.io"
        )
        assert [(each["addresses"], each["conditions"]["ready"]) for each in found["endpoints"]] == [
            (["10.0.0.1"], True), (["10.0.0.2"], False),
        ]  # fmt: skip
        assert found["ports"] == ports
        subset = {"addresses": [{"ip": "10.0.0.3"}], "ports": ports}
        fewer = bench.store.replace(ENDPOINTS, {**made, "subsets": [subset]})
        await bench.until(lambda: len(slices(bench, "by-hand")[0]["endpoints"]) == 1)
        assert slices(bench, "by-hand")[0]["metadata"]["name"] == found["metadata"]["name"]
        twice = [subset, {"addresses": [{"ip": "10.0.0.4"}], "ports": ports}]
        fewer = bench.store.replace(ENDPOINTS, {**fewer, "subsets": twice})
        await bench.until(lambda: len(slices(bench, "by-hand")[0]["endpoints"]) == 2)
        assert len(slices(bench, "by-hand")) == 1
        skipped = {**fewer["metadata"], "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}
        bench.store.replace(ENDPOINTS, {**fewer, "metadata": skipped})
        await bench.until(lambda: not slices(bench, "by-hand"))

    play(tmp_path, scenario)


def test_ports_at_the_nodes(tmp_path: Path) -> None:
    """Given out when a Service is to have them, kept, served at every node, and taken back with their type."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("open", ECHO))
        made = bench.store.create(SERVICE, service("open", HTTP, type="NodePort"))
        number = made["spec"]["ports"][0]["nodePort"]
        assert 30000 <= number < 32768
        assert made["spec"]["externalTrafficPolicy"] == "Cluster"
        await bench.ready_pod("open")
        (node, *_) = (each["status"]["addresses"][0]["address"] for each in bench.store.list(find("Node")))
        reader, writer = await asyncio.open_connection(node, number)
        writer.write(b"GET /status/204 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 204")
        writer.close()
        assert bench.plane.calls[-1][0] == node
        again = bench.store.replace(SERVICE, service("open", HTTP, type="LoadBalancer"))
        assert again["spec"]["ports"][0]["nodePort"] == number
        closed = bench.store.replace(SERVICE, service("open", HTTP))
        assert "nodePort" not in closed["spec"]["ports"][0]
        assert "externalTrafficPolicy" not in closed["spec"]
        await bench.until(lambda: not listens(node, number))

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("kind", "port", "why"),
    [
        ("NodePort", 80, "Invalid value: 80: provided port is not in the valid range"),
        ("NodePort", 30123, "Invalid value: 30123: provided port is already allocated"),
        ("ClusterIP", 30124, "Forbidden: may not be used when `type` is 'ClusterIP'"),
    ],
)
def test_wrong_ports_at_the_nodes(tmp_path: Path, kind: str, port: int, why: str) -> None:
    """Refused in the API's words."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(SERVICE, service("first", {**HTTP, "nodePort": 30123}, type="NodePort"))
        with pytest.raises(ApiError, match=re.escape(f"spec.ports[0].nodePort: {why}")):
            bench.store.create(SERVICE, service("second", {**HTTP, "nodePort": port}, type=kind))

    play(tmp_path, scenario)


def test_another_name_has_no_address(tmp_path: Path) -> None:
    """It means what it says of: a Service wherever that is, or what a resolver knows; it can become a Service."""

    async def scenario(bench: Bench) -> None:
        web = bench.store.create(SERVICE, service("web", HTTP))
        full = f"web.{bench.space}.svc.cluster.local"
        made = bench.store.create(SERVICE, service("other", type="ExternalName", externalName=full, ports=[]))
        assert not {"clusterIP", "clusterIPs", "ipFamilies", "internalTrafficPolicy"} & made["spec"].keys()
        known = Names(bench.store, bench.addresses.hosts)
        assert known.resolve("other", bench.space) == (web["spec"]["clusterIP"],)
        assert next(each.ports for each in known.all() if each.service == "other") == (8000,)
        for elsewhere, meant in (("a.example", ("a.example",)), (full.replace("web", "gone"), ())):
            bench.store.replace(SERVICE, service("other", type="ExternalName", externalName=elsewhere, ports=[]))
            assert known.resolve("other", bench.space) == meant
        now = bench.store.replace(SERVICE, service("other", HTTP))
        assert known.resolve("other", bench.space) == (now["spec"]["clusterIP"],)
        bench.store.replace(SERVICE, service("other", type="ExternalName", externalName="a.example", ports=[]))
        again = bench.store.create(SERVICE, service("third", HTTP, clusterIP=now["spec"]["clusterIP"]))
        assert again["spec"]["clusterIP"] == now["spec"]["clusterIP"]

    play(tmp_path, scenario)


def test_callers_that_stay_stay_for_three_hours(tmp_path: Path) -> None:
    """Unless the Service says how long."""

    async def scenario(bench: Bench) -> None:
        made = bench.store.create(SERVICE, service("web", HTTP, sessionAffinity="ClientIP"))
        assert made["spec"]["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"externalIPs": ["1.2.3.4"]}, "spec.externalIPs"),
        ({"ports": [{"port": 53, "protocol": "UDP"}]}, r"spec.ports\[0\].protocol"),
    ],
)  # fmt: skip
def test_service_that_nobody_serves(tmp_path: Path, more: Object, path: str) -> None:
    """What the data plane can't carry is refused, naming the field."""

    async def scenario(bench: Bench) -> None:
        with pytest.raises(ApiError, match=f"{path}: Forbidden: the embedded cluster does not implement"):
            bench.store.create(SERVICE, {**service("x", HTTP), "spec": {**service("x", HTTP)["spec"], **more}})

    play(tmp_path, scenario)


def test_endpoints_follow_readiness(tmp_path: Path) -> None:
    """Endpoints hold ready pods, with the port that the pod calls by that name; others are listed apart."""

    async def scenario(bench: Bench) -> None:
        probe = {"exec": {"command": ["test", "-e", "ready"]}, "periodSeconds": 1}
        ports = [{"containerPort": 8080, "name": "web"}]
        bench.store.create(SERVICE, service("curl", {"name": "http", "port": 80, "targetPort": "web"}))
        bench.store.create(POD, pod("curl", {**CURL, "readinessProbe": probe, "ports": ports}))
        await bench.until(lambda: addresses(bench, "curl", "notReadyAddresses"))
        assert not addresses(bench, "curl")
        await bench.until(lambda: bench.pods("curl")[0]["status"]["phase"] == "Running")
        made = bench.pods("curl")[0]
        await bench.run(made, "touch", "ready")
        assert await bench.until(lambda: addresses(bench, "curl")) == [made["status"]["podIP"]]
        found = slices(bench, "curl")[0]
        assert found["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
        assert found["endpoints"][0]["conditions"] == {"ready": True, "serving": True, "terminating": False}
        bench.store.delete(POD, "curl", bench.space)
        await bench.until(lambda: not addresses(bench, "curl"))

    play(tmp_path, scenario)


def test_endpoints_follow_labels_and_selector(tmp_path: Path) -> None:
    """A pod that is labelled out, or a selector that changes, is seen at once; a deleted Service leaves nothing."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(SERVICE, service("echo", HTTP))
        bench.store.create(POD, pod("echo", ECHO))
        await bench.until(lambda: addresses(bench, "echo"))
        out = copied(bench.pods("echo")[0])
        out["metadata"]["labels"] = {"app": "other"}
        bench.store.replace(POD, out)
        await bench.until(lambda: not addresses(bench, "echo"))
        changed = service("echo", HTTP)
        changed["spec"]["selector"] = {"app": "other"}
        bench.store.replace(SERVICE, changed)
        await bench.until(lambda: addresses(bench, "echo"))
        bench.store.delete(SERVICE, "echo", bench.space)
        await bench.until(lambda: bench.store.get(ENDPOINTS, "echo", bench.space) is None)
        assert not slices(bench, "echo")

    play(tmp_path, scenario)


def test_headless_service(tmp_path: Path) -> None:
    """A headless Service has no address of its own; its name leads to its pods."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(SERVICE, service("echo", {"name": "http", "port": 8080}, clusterIP="None"))
        bench.store.create(POD, pod("echo", ECHO))
        bench.store.create(POD, pod("curl", CURL))
        caller, target = await bench.ready_pod("curl"), await bench.ready_pod("echo")
        names = tmp_path / "names" / f"{bench.space}.plain.curlrc"
        await bench.until(lambda: f'"echo::{target["status"]["podIP"]}:' in names.read_text())
        code, out, said = await bench.run(
            caller, "curl", "-sS", "-o", "x", "-w", "%{http_code} %{remote_ip}", "http://echo:8080/get"
        )
        assert (out, said, code) == (f"200 {target['status']['podIP']}", "", 0)

    play(tmp_path, scenario)
