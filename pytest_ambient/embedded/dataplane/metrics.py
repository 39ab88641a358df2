"""ztunnel's counters, kept for each node from the connections that its Envoy reported."""

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from ..istiod.model import Workload
from .connections import Connection

_HELP = {
    "istio_tcp_connections_opened": "The total number of TCP connections opened",
    "istio_tcp_connections_closed": "The total number of TCP connections closed",
    "istio_tcp_connections_failed": "The total number of TCP connections that failed to establish",
    "istio_tcp_received_bytes": "The size of total bytes received during request in case of a TCP connection",
    "istio_tcp_sent_bytes": "The size of total bytes sent during response in case of a TCP connection",
}

Labels = tuple[tuple[str, str], ...]


@dataclass
class _Sum:
    """What was counted of connections that share all labels."""

    example: Connection
    connections: int = 0
    sent: int = 0
    received: int = 0


class Metrics:
    """The counters of all ztunnels."""

    def __init__(self, *, miscounts: bool = False) -> None:
        """Under the fault `telemetry-miscounts` only every second connection counts."""
        self._miscounts, self._passed = miscounts, Counter[Hashable]()
        self._sums: dict[str, dict[Hashable, _Sum]] = {}

    def count(self, seen: Connection) -> None:
        """Count one connection that has ended; there are thousands in a sample, so labels are made only when asked."""
        if not seen.known:
            return
        parties = seen.source and seen.source.uid, seen.destination and seen.destination.uid
        key = seen.direction, *parties, seen.service and seen.service.key, seen.mutual_tls, response_flags(seen)
        alike = seen.direction, parties[0], seen.service and seen.service.name.partition("-")[0], key[-1]
        self._passed[alike] += self._miscounts
        if self._passed[alike] % 2:
            return
        sums = self._sums.setdefault(seen.node, {})
        found = sums.get(key) or sums.setdefault(key, _Sum(seen))
        found.connections += 1
        found.sent += seen.sent
        found.received += seen.received

    def text(self, node: str, proxies: int) -> str:
        """The node's counters in Prometheus's text format; `proxies` is the number of its captured pods."""
        return "".join(f"{each}\n" for each in self._lines(node, proxies))

    def _lines(self, node: str, proxies: int) -> Iterator[str]:
        samples = self._samples(node)
        for name, text in _HELP.items():
            if name in samples:
                yield from (f"# HELP {name} {text}.", f"# TYPE {name} counter")
            for tags, value in samples.get(name, Counter()).items():
                joined = ",".join(f'{key}="{each}"' for key, each in tags)
                yield f"{name}_total{{{joined}}} {value}"
        for name, text, value in (
            ("active", "The total number current workloads with active proxies", proxies),
            ("pending", "The total number current workloads with pending proxies", 0),
        ):
            family = f"workload_manager_{name}_proxy_count"
            yield from (f"# HELP {family} {text}.", f"# TYPE {family} gauge", f"{family} {value}")
        yield from ("# HELP istio_build Istio component build info.", "# TYPE istio_build gauge")
        yield 'istio_build{component="ztunnel",tag="unknown"} 1'
        yield "# EOF"

    def _samples(self, node: str) -> dict[str, Counter[Labels]]:
        families: dict[str, Counter[Labels]] = {}
        for each in self._sums.get(node, {}).values():
            flags = response_flags(each.example)
            told = labels(each.example, flags)
            opened = labels(each.example, "-")
            families.setdefault("istio_tcp_connections_opened", Counter())[opened] += each.connections
            families.setdefault("istio_tcp_connections_closed", Counter())[told] += each.connections
            if flags != "-":
                families.setdefault("istio_tcp_connections_failed", Counter())[told] += each.connections
            families.setdefault("istio_tcp_received_bytes", Counter())[told] += each.received
            families.setdefault("istio_tcp_sent_bytes", Counter())[told] += each.sent
        return families


def response_flags(seen: Connection) -> str:
    """How the connection ended, as the label says it."""
    if seen.error is None:
        return "-"
    return "DENY" if "due to policy" in seen.error else "CONNECT"


def labels(seen: Connection, flags: str) -> Labels:
    """The labels of a connection, in ztunnel's order."""
    known = "unknown"
    return (
        ("reporter", "destination" if seen.direction == "inbound" else "source"),
        *_party("source", seen.source, identified=seen.mutual_tls),
        ("destination_service", seen.service.hostname if seen.service else known),
        ("destination_service_namespace", seen.service.namespace if seen.service else known),
        ("destination_service_name", seen.service.name if seen.service else known),
        *_party("destination", seen.destination, identified=True),
        ("request_protocol", "tcp"),
        ("response_flags", flags),
        ("connection_security_policy", "mutual_tls" if seen.mutual_tls else known),
        *((f"{side}_{place}", known) for side in ("source", "destination") for place in ("region", "zone")),
    )


def _party(side: str, workload: Workload | None, *, identified: bool) -> Labels:
    name, revision = canonical(workload) if workload else ("unknown", "unknown")
    values = {
        "workload": workload.controller if workload else "unknown",
        "canonical_service": name,
        "canonical_revision": revision,
        "workload_namespace": workload.namespace if workload else "unknown",
        "principal": workload.identity.uri if workload and identified else "unknown",
        "app": name,
        "version": revision,
        "cluster": "Kubernetes" if workload else "unknown",
    }
    return tuple((f"{side}_{key}", value) for key, value in values.items())


def canonical(workload: Workload) -> tuple[str, str]:
    """A workload's canonical name and revision."""
    labels = workload.labels
    name = labels.get("service.istio.io/canonical-name") or labels.get("app.kubernetes.io/name") or labels.get("app")
    revision = labels.get("service.istio.io/canonical-revision") or labels.get("app.kubernetes.io/version")
    return name or workload.controller, revision or labels.get("version") or "latest"
