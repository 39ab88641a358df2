"""Where endpoints lie that a ServiceEntry writes down, and how ztunnel and waypoints reach them."""

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ambient.embedded.dataplane.ca import Authority
from pytest_ambient.embedded.dataplane.connections import Directory, connection
from pytest_ambient.embedded.dataplane.dump import config_dump
from pytest_ambient.embedded.dataplane.lines import Line
from pytest_ambient.embedded.dataplane.places import beyond, looked_up
from pytest_ambient.embedded.dataplane.upstreams import Upstreams
from pytest_ambient.embedded.dataplane.ztunnel import ZtunnelConfiguration
from pytest_ambient.embedded.dataplane.ztunnel_log import written
from pytest_ambient.embedded.istiod.model import Endpoint, Identity, Mesh, Place, Service, ServicePort, Workload
from pytest_ambient.embedded.objects import Object
from pytest_ambient.embedded.ports import announced

POD, VIP, OWN = "127.90.1.1", "127.90.200.1", "127.90.252.1"
SHOWN = "240.240.0.1"
PORT = ServicePort(80, "http", "HTTP")
LINE = "direct\t127.90.1.9:4000\t{to}\t1700000000000000\t1\t2\t3\t{flags}\t{host}\there/a.example.\t-"


def pod(name: str, address: str, *, captured: bool = True) -> Workload:
    """A ready pod of namespace `there`."""
    who = Identity("there", name)
    return Workload(
        name, "there", address, who, "n", {}, name, "pod", ready=True, captured=captured, sockets={8080: name}
    )


def host(*places: Place) -> Service:
    """The host a.example of the ServiceEntry `entry`."""
    return Service("entry", "here", SHOWN, (PORT,), (), host="a.example", served_at=OWN, places=places)


def mesh(*places: Place, captured: bool = True) -> Mesh:
    """One pod behind the Services `web` and, headless, `bare`, and the host with these endpoints."""
    behind = pod("web-1", POD, captured=captured)
    to = (Endpoint(behind.uid, {8000: 8080}),)
    services = [Service("web", "there", VIP, (ServicePort(8000, "http", "HTTP"),), to)]
    services += [Service("bare", "there", "", (ServicePort(8000, "http", "HTTP"),), to), host(*places)]
    return Mesh(workloads={behind.uid: behind}, services={each.key: each for each in services})


@pytest.mark.parametrize(
    ("place", "namespace", "found"),
    [
        ("web.there.svc.cluster.local", "here", [VIP]),
        ("web.there.svc.cluster.local.", "here", [VIP]),
        ("web.there.svc", "here", [VIP]),
        ("web", "there", [VIP]),
        ("web", "here", []),
        ("bare.there.svc.cluster.local", "here", [POD]),
        ("gone.there.svc.cluster.local", "here", []),
        ("web.there.mesh.cluster.local", "here", []),
        (POD, "here", [POD]),
        ("10.9.9.9", "here", []),
        ("a.example", "here", []),
    ],
)
def test_the_cluster_knows_its_own_names(place: str, namespace: str, found: list[str]) -> None:
    """As its DNS does: Services, by short names where the proxy's own namespace has them, and no ServiceEntry."""
    assert looked_up(mesh(), place, namespace) == found


@pytest.mark.parametrize(
    ("place", "outside"),
    [("a.example", True), ("10.9.9.9", True), (POD, False), ("gone.there.svc", False), ("web", False)],
)
def test_what_lies_beyond(place: str, outside: bool) -> None:
    """A name of another domain and an address that no cluster has."""
    assert beyond(Place(place, {})) == ([place] if outside else [])
    assert beyond(Place(place, {}, outside=True)) == [place]


def captured_cluster(tmp_path: Path, found: Mesh) -> Object:
    """What leads captured callers of the host on."""
    made = ZtunnelConfiguration(Authority(tmp_path / "ca"), tmp_path, frozenset()).resources(found)
    return next(each for each in made.clusters if each["name"] == "captured~here/a.example.:80")


def endpoints(cluster: Object) -> list[Object]:
    """Its endpoints' addresses."""
    (group,) = cluster["load_assignment"]["endpoints"]
    return [each["endpoint"]["address"] for each in group["lb_endpoints"]]


def test_ztunnel_goes_to_a_clusters_name_without_a_tunnel(tmp_path: Path) -> None:
    """By the Service's address, so past ztunnel's knowledge of who is behind it."""
    cluster = captured_cluster(tmp_path, mesh(Place("web.there.svc.cluster.local", {80: 8000})))
    (address,) = endpoints(cluster)
    inner = address["envoy_internal_address"]
    assert inner["server_listener_name"].startswith("inbound~")
    assert inner["endpoint_id"] == f"{VIP}:8000 {POD}"
    assert cluster["type"] == "STATIC"


def test_ztunnel_goes_to_a_pod_that_is_not_captured(tmp_path: Path) -> None:
    """To its program, to which it says who calls."""
    assert endpoints(captured_cluster(tmp_path, mesh(Place(POD, {80: 8080}), captured=False))) == [
        {"pipe": {"path": announced("web-1")}}
    ]


def test_a_name_from_outside_is_looked_up(tmp_path: Path) -> None:
    """By the resolver of this machine; nobody calls it from a pod's address, which could not be answered."""
    found = mesh(Place("a.example", {80: 443}))
    cluster = captured_cluster(tmp_path, found)
    assert cluster["type"] == "STRICT_DNS"
    assert endpoints(cluster) == [{"socket_address": {"address": "a.example", "port_value": 443}}]
    clusters = Upstreams(found, "here", upstream_bind_config={})
    clusters.add(found.services["here/a.example."], PORT)
    (made,) = clusters
    assert (made["type"], "upstream_bind_config" in made) == ("STRICT_DNS", False)


def test_an_address_from_outside_is_not_called_from_a_pods(tmp_path: Path) -> None:
    """It could not be answered."""
    found = mesh(Place("10.9.9.9", {80: 443}))
    clusters = Upstreams(found, "here", upstream_bind_config={})
    clusters.add(found.services["here/a.example."], PORT)
    (made,) = clusters
    assert (made["type"], "upstream_bind_config" in made) == ("STATIC", False)
    assert captured_cluster(tmp_path, found)["type"] == "STATIC"


@pytest.mark.parametrize(
    ("place", "captured", "wanted"),
    [
        (Place("web.there.svc.cluster.local", {80: 8000}), True, {"address": VIP, "port_value": 8000}),
        (Place("bare.there.svc.cluster.local", {80: 80}), True, {"address": POD, "port_value": 20080}),
        (Place(POD, {80: 8080}), False, {"address": POD, "port_value": 8080}),
    ],
)
def test_a_waypoint_goes_to_addresses(place: Place, captured: bool, wanted: Object) -> None:
    """Those that the cluster's DNS tells, where the machine serves them."""
    found = mesh(place, captured=captured)
    clusters = Upstreams(found, "here")
    clusters.add(found.services["here/a.example."], PORT)
    (made,) = clusters
    assert endpoints(made) == [{"socket_address": wanted}]


def test_a_waypoint_tunnels_to_a_captured_pods_address() -> None:
    """Which it knows as such."""
    found = mesh(Place(POD, {80: 8080}))
    clusters = Upstreams(found, "here")
    clusters.add(found.services["here/a.example."], PORT)
    (made,) = clusters
    (address,) = endpoints(made)
    assert address["envoy_internal_address"]["server_listener_name"] == "connect_originate"


@pytest.mark.parametrize(
    ("flags", "upstream", "texts"),
    [
        ("-", f"envoy://inbound~{POD}/{VIP}:8000 {POD}", [f"dst.addr={VIP}:8000", 'dst.service="a.example"']),
        ("-", f"envoy://inbound~{POD}/{VIP}:8000 {POD}", ['dst.workload="entry"', 'dst.namespace="here"', "\tinfo\t"]),
        ("UH", "-", ["\twarn\t", 'error="no ip addresses were resolved for workload: Kubernetes/networking.istio.io/']),
    ],
)
def test_ztunnels_line_about_an_endpoint_that_was_written_down(flags: str, upstream: str, texts: list[str]) -> None:
    """The entry stands for the workload; what no resolver knows is said."""
    found = mesh(Place("web.there.svc.cluster.local", {80: 8000}))
    line = Line.parse(LINE.format(to=f"{SHOWN}:80", flags=flags, host=upstream))
    assert line is not None
    text = written(connection(line, Directory(found)), line.ended)
    assert [each for each in texts if each not in text] == []


def test_ztunnels_line_about_a_pod_outside_of_the_mesh_that_was_written_down() -> None:
    """It is the entry's endpoint, at the address that is written there, and not the pod that answers."""
    found = mesh(Place("web.there.svc.cluster.local", {80: 8000}), captured=False)
    line = Line.parse(LINE.format(to=f"{SHOWN}:80", flags="-", host="web-1"))
    assert line is not None
    text = written(connection(line, Directory(found)), line.ended)
    for each in (f"dst.addr={VIP}:8000", 'dst.workload="entry"', 'dst.namespace="here"'):
        assert each in text


@pytest.mark.parametrize("flags", ["UF", "-"])
def test_ztunnels_line_about_a_port_that_the_pod_which_was_written_down_has_not(flags: str) -> None:
    """The endpoint is told of all the same; what Envoy was led to instead has no address."""
    found = mesh(Place(POD, {80: 81}), captured=False)
    line = Line.parse(LINE.format(to=f"{SHOWN}:80", flags=flags, host="/tmp/nothing.sock"))
    assert line is not None
    text = written(connection(line, Directory(found)), line.ended)
    assert f'dst.addr={POD}:81 dst.service="a.example" dst.workload="entry"' in text
    assert ("connection failed: Connection refused" in text) is (flags == "UF")


def test_ztunnels_dump_lists_hosts_and_their_endpoints(tmp_path: Path) -> None:
    """In its own shape."""
    dump = config_dump(mesh(Place("web.there.svc.cluster.local", {80: 8000})), "n", Authority(tmp_path))
    entry = next(each for each in dump["services"] if each["hostname"] == "a.example")
    uid = "Kubernetes/networking.istio.io/ServiceEntry/here/entry/web.there.svc.cluster.local"
    assert (entry["name"], entry["namespace"], entry["vips"], entry["ports"]) == (
        "entry",
        "here",
        [f"/{SHOWN}"],
        {"80": 8000},
    )
    assert entry["endpoints"] == {uid: {"workloadUid": uid, "port": {"80": 8000}, "status": "Healthy"}}
    (workload,) = (each for each in dump["workloads"] if each["uid"] == uid)
    assert (workload["hostname"], workload["protocol"], workload["services"]) == (
        "web.there.svc.cluster.local",
        "TCP",
        ["here/a.example"],
    )


def test_one_host_in_two_namespaces_is_two_destinations(tmp_path: Path) -> None:
    """Whoever is led to one of them by its name is never served by the other's endpoints."""
    found, far = mesh(Place(POD, {80: 8080})), host(Place("10.9.9.9", {80: 80}))
    theirs = replace(far, namespace="there", vip="240.240.0.9", served_at="127.90.3.9")
    both = replace(found, services={**found.services, theirs.key: theirs})
    made = ZtunnelConfiguration(Authority(tmp_path / "ca"), tmp_path, frozenset()).resources(both)
    ways = {each["name"]: endpoints(each) for each in made.clusters if ".example.:" in each["name"]}
    assert ways["captured~there/a.example.:80"] == [{"socket_address": {"address": "10.9.9.9", "port_value": 80}}]
    assert ways["captured~here/a.example.:80"] != ways["captured~there/a.example.:80"]


def test_an_endpoint_of_a_slice_is_told_of_by_the_slices_name(tmp_path: Path) -> None:
    """In ztunnel's dump, where nothing more is known of it, and in its log."""
    far = Service("far", "here", VIP, (PORT,), (), places=(Place("10.9.9.9", {80: 8080}, {}, "far-1"),))
    found = Mesh(services={far.key: far})
    dump = config_dump(found, "n", Authority(tmp_path))
    (workload,) = dump["workloads"]
    uid = "Kubernetes/discovery.k8s.io/EndpointSlice/here/far-1/10.9.9.9"
    assert (workload["uid"], workload["name"], workload["networkMode"]) == (uid, "far-1", "HostNetwork")
    assert (workload["serviceAccount"], list(dump["services"][0]["endpoints"])) == ("", [uid])
    line = Line.parse(LINE.format(to=f"{VIP}:80", flags="-", host="10.9.9.9:8080").replace("here/a.example.", far.key))
    assert line is not None
    assert 'dst.workload="far-1"' in written(connection(line, Directory(found)), line.ended)
