"""The proxies' logs and configurations of the last moments, fetched side by side and no further back than needed."""

import json
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import KubeError, NotFound
from pytest_ambient.probe.accesslog import Connection, Request, connections, requests
from pytest_ambient.probe.gateways import Gateways

ZTUNNEL_LABEL = "app=ztunnel"
PROXY_CONTAINER = "istio-proxy"
ADMIN = 15000
UNKNOWN_CLOCK = 30.0
"""Seconds by which a node's clock may lag behind the API server's, as long as nothing is known about it."""
SERVER = "API server"
"""Whose clock stands beside the proxies' in what is remembered of clocks."""
MARGIN = 1.5


@dataclass(frozen=True)
class Proxy:
    """A proxy's pod and the container that logs."""

    namespace: str
    name: str
    container: str = PROXY_CONTAINER
    node: str = ""

    @property
    def key(self) -> str:
        """`NAMESPACE/POD`."""
        return f"{self.namespace}/{self.name}"


class Logs:
    """What the proxies wrote since a moment of our clock; one that can't be read counts as silent.

    `clocks` remembers, beyond one rule, by how many seconds each proxy's clock is ahead of ours at least.
    """

    def __init__(
        self,
        kube: Kube,
        clocks: dict[str, float] | None = None,
        namespaces: Sequence[str] = (),
        label: str = ZTUNNEL_LABEL,
    ) -> None:
        self.kube, self._namespaces, self._label = kube, namespaces, label
        self.gateways = Gateways(kube, namespaces)
        self._ztunnels: list[Proxy] = []
        self._nodes: set[str] = set()
        self._clocks = {} if clocks is None else clocks
        self._dumps: dict[str, Object] = {}
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="ambient-logs")

    def forget(self) -> None:
        """Lets configurations and the list of ztunnels be read anew."""
        self._dumps.clear()
        self.gateways.forget()
        self._forget_pods()

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown()

    def connections(
        self, ips: Iterable[str], started: float, *, everywhere: bool = False
    ) -> list[tuple[Proxy, Connection]]:
        """The refusals and the connections from some addresses, as the ztunnels near to us or all of them saw them."""
        known = tuple(ips)

        def wanted(line: str) -> bool:
            return "policy rejection" in line or any(ip in line for ip in known)

        def read(proxy: Proxy) -> list[tuple[Proxy, Connection]]:
            lines = list(connections(self._log(proxy, started), wanted))
            self._learn(proxy, [line.at for line in lines])
            return [(proxy, line) for line in lines]

        return [
            entry
            for found in self._threads.map(read, self.ztunnels() if everywhere else self.near())
            for entry in found
        ]

    def requests(self, waypoints: Iterable[str], started: float) -> dict[str, list[Request]]:
        """The requests that waypoint pods (`NAMESPACE/POD`) served."""

        def read(key: str) -> tuple[str, list[Request]]:
            proxy = Proxy(*key.split("/", 1))
            lines = list(requests(self._log(proxy, started)))
            self._learn(proxy, [line.at for line in lines])
            return key, lines

        return dict(self._threads.map(read, sorted(set(waypoints))))

    def dump(self, proxy: Proxy, *, fresh: bool = False) -> Object:
        """A proxy's `config_dump`, kept until `forget`; empty when it can't be read."""
        if fresh or proxy.key not in self._dumps:
            try:
                text = self.kube.pod_http(proxy.namespace, proxy.name, ADMIN, "/config_dump")
                self._dumps[proxy.key] = json.loads(text)
            except (KubeError, ValueError):
                return {}
        return self._dumps[proxy.key]

    def since(self, proxy: Proxy, started: float) -> str:
        """What a proxy, or an agent beside it, wrote since a moment of our clock."""
        return self._log(proxy, max(started, 0.0)) or "nothing since then, or not to be read\n"

    def ztunnels(self) -> list[Proxy]:
        """The ztunnel pods, in whatever namespace they are."""
        if not self._ztunnels:
            self._ztunnels = ztunnels(self.kube, self._label)
        return list(self._ztunnels)

    def near(self) -> list[Proxy]:
        """The ztunnels of nodes with pods of ours: in a large cluster the others write much and nothing about us."""
        if not self._nodes:
            pods = [pod for namespace in self._namespaces for pod in self.kube.list("v1/Pod", namespace)]
            self._nodes = {pod["spec"].get("nodeName", "") for pod in pods}
        return [proxy for proxy in self.ztunnels() if proxy.node in self._nodes] or self.ztunnels()

    def _forget_pods(self) -> None:
        self._ztunnels.clear()
        self._nodes.clear()

    def _log(self, proxy: Proxy, started: float) -> str:
        try:
            moment = datetime.fromtimestamp(max(int(started + self._ahead(proxy) - MARGIN), 0), UTC)
            since = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
            return self.kube.logs(proxy.namespace, proxy.name, proxy.container, since_time=since)
        except NotFound:
            self._forget_pods()  # replaced by another pod
        except KubeError:
            return ""
        return ""

    def _learn(self, proxy: Proxy, moments: list[float]) -> None:
        """The node's clock is at least as far as its last line."""
        if moments:
            ahead = moments[-1] - time.time()
            self._clocks[proxy.key] = max(ahead, self._ahead(proxy))

    def _ahead(self, proxy: Proxy) -> float:
        """At least so many seconds is a proxy's clock ahead of ours."""
        if proxy.key in self._clocks:
            return self._clocks[proxy.key]
        if SERVER not in self._clocks:
            self._clocks[SERVER] = self.kube.ahead()
        return self._clocks[SERVER] - UNKNOWN_CLOCK


def ztunnels(kube: Kube, label: str = ZTUNNEL_LABEL) -> list[Proxy]:
    """The ztunnel pods that run, by label in all namespaces: not every distribution keeps them in istio-system."""
    pods = kube.list("v1/Pod", labels=label, fields="status.phase=Running")
    return [_proxy(pod) for pod in pods]


def _proxy(pod: Object) -> Proxy:
    names = [container["name"] for container in pod["spec"]["containers"]]
    name = PROXY_CONTAINER if PROXY_CONTAINER in names else names[0]
    return Proxy(pod["metadata"]["namespace"], pod["metadata"]["name"], name, pod["spec"].get("nodeName", ""))
