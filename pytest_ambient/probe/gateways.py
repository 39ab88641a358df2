"""The ingress gateways of our namespaces: which pods stand behind the address that was called, and their waypoints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_ambient._kube import Kube, Object

GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
"""The label by which Istio says for which Gateway something is."""
_MANAGED, _WAYPOINT = "gateway.istio.io/managed", "istio.io-mesh-controller"


@dataclass(frozen=True)
class Entry:
    """One ingress gateway."""

    pods: tuple[str, ...]
    """`NAMESPACE/POD` of each."""
    ips: frozenset[str]


class Gateways:
    """What there is, read once until `forget`."""

    def __init__(self, kube: Kube, namespaces: Sequence[str]) -> None:
        self._kube, self._namespaces = kube, namespaces
        self._entries: dict[str, Entry] | None = None
        self._waypoints: tuple[str, ...] = ()

    def forget(self) -> None:
        """Lets them be read anew."""
        self._entries = None

    def at(self, ip: str) -> Entry | None:
        """The gateway whose Service or pod has that address."""
        return self._known().get(ip)

    def waypoints(self) -> tuple[str, ...]:
        """`NAMESPACE/POD` of the waypoints that a gateway may have used."""
        self._known()
        return self._waypoints

    def _known(self) -> Mapping[str, Entry]:
        if self._entries is None:
            pods = self._all("v1/Pod")
            self._waypoints = tuple(_key(pod) for pod in pods if _is_waypoint(pod))
            self._entries = {}
            for service in self._all("v1/Service"):
                if not _is_waypoint(service):
                    self._add(service, [pod for pod in pods if _gateway(pod) == _gateway(service)])
        return self._entries

    def _add(self, service: Object, pods: Sequence[Object]) -> None:
        ips = frozenset(str(pod["status"]["podIP"]) for pod in pods if (pod.get("status") or {}).get("podIP"))
        entry = Entry(tuple(map(_key, pods)), ips)
        for ip in (*service["spec"].get("clusterIPs", ()), service["spec"].get("clusterIP", ""), *ips):
            if self._entries is not None:
                self._entries[ip] = entry

    def _all(self, kind: str) -> list[Object]:
        return [
            item for namespace in self._namespaces for item in self._kube.list(kind, namespace, labels=GATEWAY_NAME)
        ]


def _key(item: Object) -> str:
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"


def _gateway(item: Object) -> tuple[str, str]:
    return item["metadata"]["namespace"], item["metadata"]["labels"][GATEWAY_NAME]


def _is_waypoint(item: Object) -> bool:
    return bool(item["metadata"]["labels"].get(_MANAGED) == _WAYPOINT)
