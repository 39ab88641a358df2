"""What proxies count and tell, and its faults: half of it counted, identities left out of the log."""

import datetime

from pytest_ambient.embedded.dataplane.connections import Directory, connection
from pytest_ambient.embedded.dataplane.lines import Line
from pytest_ambient.embedded.dataplane.metrics import Metrics
from pytest_ambient.embedded.dataplane.request_labels import Request, at_gateway, at_waypoint
from pytest_ambient.embedded.dataplane.requests import Requests
from pytest_ambient.embedded.dataplane.ztunnel_log import written
from pytest_ambient.embedded.istiod.model import Identity, Mesh, Workload

POD = Workload(
    "a-x", "shop", "127.80.1.1", Identity("shop", "a"), "node", {}, "a", "deployment", ready=True, captured=True,
    sockets={},
)  # fmt: skip
PEER = Workload(
    "b-x", "shop", "127.80.1.2", Identity("shop", "b"), "node", {}, "b", "deployment", ready=True, captured=True,
    sockets={},
)  # fmt: skip
MESH = Directory(Mesh({POD.uid: POD, PEER.uid: PEER}))
SEEN = Line("hbone", "127.80.1.1:4000", "127.80.1.2:80", 0, 5, 7, 1, "-", POD.identity.uri, "200", "-")
REQUEST = (
    '[2026-11-21T05:25:03.417Z] "GET / HTTP/1.1" 200 - via_upstream - "-" 0 1 1 1 "-" "curl" "id" "b:80" '
    '"127.80.1.2:80" inbound-vip|80|http|b.shop.svc.cluster.local - 127.80.200.1:80 127.80.1.1:4000 - default'
)


def test_every_second_connection_counts() -> None:
    """Four connections are two; without the fault they are four."""
    for miscounts, count in ((True, 2), (False, 4)):
        metrics = Metrics(miscounts=miscounts)
        for _ in range(4):
            metrics.count(connection(SEEN, MESH))
        opened = [
            line for line in metrics.text("node", 1).splitlines() if line.startswith("istio_tcp_connections_opened_")
        ]
        assert [line.rpartition(" ")[2] for line in opened] == [str(count)]


def test_every_second_request_counts() -> None:
    """As with connections, code by code."""
    for miscounts, count in ((True, "2"), (False, "4")):
        requests = Requests(at_waypoint, miscounts=miscounts)
        for _ in range(4):
            requests.count(REQUEST, MESH)
        assert requests.text().split()[-1] == count


def test_how_long_requests_took() -> None:
    """A histogram with Envoy's bounds, under the labels of the counter."""
    requests = Requests(at_waypoint)
    for milliseconds in (0, 1, 7, 7200000):
        requests.count(REQUEST.replace(" 0 1 1 1 ", f" 0 1 {milliseconds} 1 "), MESH)
    lines = requests.text().splitlines()
    assert "# TYPE istio_request_duration_milliseconds histogram" in lines
    (labels,) = {line.partition("{")[2].rpartition("}")[0] for line in lines if line.startswith("istio_requests_total")}
    buckets = {line.rpartition('le="')[2].partition('"')[0]: line for line in lines if "_bucket{" in line}
    assert {bound: buckets[bound] for bound in ("0.5", "1", "5", "10", "3600000", "+Inf")} == {
        bound: f'istio_request_duration_milliseconds_bucket{{{labels},le="{bound}"}} {value}'
        for bound, value in (("0.5", 1), ("1", 2), ("5", 2), ("10", 3), ("3600000", 3), ("+Inf", 4))
    }
    assert lines[-2:] == [
        f"istio_request_duration_milliseconds_sum{{{labels}}} 7200008",
        f"istio_request_duration_milliseconds_count{{{labels}}} 4",
    ]


def test_whom_a_gateway_counts() -> None:
    """Itself and an endpoint as it is listed, nobody's certificate; where no endpoint was asked, nobody."""
    found = dict(at_gateway(POD.address, Request("200", "-", '"envoy://x/127.80.1.2:80"', "-", "127.0.0.1"), MESH))
    assert {key for key, value in found.items() if value == "unknown"} == {
        "source_principal", "destination_principal", "destination_app", "destination_version", "destination_service",
        "destination_service_name", "destination_service_namespace", "connection_security_policy",
    }  # fmt: skip
    assert (found["reporter"], found["source_workload"], found["source_app"]) == ("source", "a", "")
    assert (found["destination_workload"], found["destination_canonical_service"]) == ("b", "b")
    found = dict(at_gateway(POD.address, Request("404", "NR", '"-"', "-", "127.0.0.1"), MESH))
    assert (found["destination_workload"], found["destination_canonical_revision"]) == ("unknown", "latest")


def test_identities_are_left_out() -> None:
    """The rest of the line stays."""
    at = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    line = written(connection(SEEN, MESH), at, nameless=True)
    assert "identity" not in line
    assert 'dst.workload="b-x"' in line
    assert 'src.identity="spiffe://cluster.local/ns/shop/sa/a"' in written(connection(SEEN, MESH), at)
