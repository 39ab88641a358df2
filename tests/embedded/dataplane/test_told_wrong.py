"""Faults of what proxies tell: half of the connections counted, identities left out of the log."""

import datetime

from pytest_ambient.embedded.dataplane.connections import Directory, connection
from pytest_ambient.embedded.dataplane.lines import Line
from pytest_ambient.embedded.dataplane.metrics import Metrics
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
        requests = Requests(miscounts=miscounts)
        for _ in range(4):
            requests.count(REQUEST, MESH)
        assert requests.text().split()[-1] == count


def test_identities_are_left_out() -> None:
    """The rest of the line stays."""
    at = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    line = written(connection(SEEN, MESH), at, nameless=True)
    assert "identity" not in line
    assert 'dst.workload="b-x"' in line
    assert 'src.identity="spiffe://cluster.local/ns/shop/sa/a"' in written(connection(SEEN, MESH), at)
