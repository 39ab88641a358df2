"""Istio's own pods: they stand for what the data plane and the control plane of this process do."""

import asyncio
import json

from aiohttp import web

from ..faults import Fault
from ..istiod.model import Identity
from ..objects import Object, labels_of
from ..versions import version_of
from .program import CannotStart, Surroundings
from .web import Reply, Web, reply

_TEXT = {"Content-Type": "text/plain"}
_NOT_READY = "not ready, pending: state manager, cert manager\n"
_REJECTED = "config received from XDS server, but was rejected\n"


def _version(around: Surroundings) -> str:
    """The version that runs, by the image of the container."""
    spec = around.pod.get("spec", {})
    containers: list[Object] = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return version_of(next((str(each.get("image", "")) for each in containers if each["name"] == around.container), ""))


class Build:
    """`version`: tells what would run, and ends."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def start(self) -> None:
        """Tell it."""
        self._around.log(f'version.BuildInfo{{Version:"{_version(self._around)}", BuildStatus:"embedded"}}')

    async def wait(self) -> int:
        """It has ended."""
        return 0

    async def stop(self) -> None:
        """There is nothing to end."""


class Istiod(Web):
    """Ready on 8080, its version on 15014."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around, {8080: self._ready, 15014: self._monitoring})

    async def _ready(self, request: web.BaseRequest) -> web.StreamResponse:
        return reply("", 200 if request.path == "/ready" else 404)

    async def _monitoring(self, request: web.BaseRequest) -> web.StreamResponse:
        path = f"/{request.path.lstrip('/')}"  # istioctl asks for //version
        if path == "/version":
            return reply(f"{_version(self.around)}-embedded-Clean", 200, _TEXT)
        if path == "/metrics":
            return reply(f'istio_build{{component="pilot",tag="{_version(self.around)}"}} 1\n', 200, _TEXT)
        return reply("404 page not found\n", 404, _TEXT)


class Cni(Web):
    """Ready on 8000."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around, {8000: self._ready, 15014: self._metrics})

    async def _ready(self, request: web.BaseRequest) -> web.StreamResponse:
        return reply("", 200 if request.path in ("/readyz", "/healthz") else 404)

    async def _metrics(self, request: web.BaseRequest) -> web.StreamResponse:
        return reply(f'istio_build{{component="cni",tag="{_version(self.around)}"}} 1\n', 200, _TEXT)


class Ztunnel(Web):
    """One node's ztunnel: readiness, metrics, and on localhost its configuration."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around, {15021: self._health, 15020: self._stats}, local={15000: self._admin})

    @property
    def _is_ready(self) -> bool:
        broken = Fault.ZTUNNEL_NOT_READY in self.around.faults and self.around.last_node == self.around.node
        return self.around.mesh.ready and not broken

    async def _health(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/healthz/ready":
            return reply("Not Found", 404, _TEXT)
        return reply("ready\n", 200, _TEXT) if self._is_ready else reply(_NOT_READY, 500, _TEXT)

    async def _stats(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path not in ("/metrics", "/stats/prometheus"):
            return reply("Not Found", 404, _TEXT)
        text = self.around.mesh.ztunnel_metrics(self.around.node)
        return reply(text, 200, {"Content-Type": "application/openmetrics-text;charset=utf-8;version=1.0.0"})

    async def _admin(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/config_dump":
            dump = self.around.mesh.ztunnel_config_dump(self.around.node)
            return reply(json.dumps(dump, indent=2), 200, {"Content-Type": "application/json"})
        if request.path.lstrip("/") == "logging":
            return self._logging(request)
        if request.path == "/":
            return reply("<html><body><a href='config_dump'>config_dump</a></body></html>", 200, {
                "Content-Type": "text/html; charset=utf-8"
            })  # fmt: skip
        return reply("Not Found", 404, _TEXT)

    def _logging(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.query.get("level", "info") not in ("", "info"):
            return reply("the embedded ztunnel does not implement other levels of its log\n", 501, _TEXT)
        return reply("current log level is hickory_server::server=off,info\n", 200, _TEXT)


class Proxy(Web):
    """A waypoint's or an ingress gateway's pod: an Envoy of the data plane for as long as it lives."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(
            around,
            {15021: self._health, 15020: self._stats, 15090: self._stats},
            local={15000: self._admin},
        )

    async def start(self) -> None:
        """Start the proxy; CannotStart when the arguments ask for another kind of proxy."""
        around = self.around
        account = str(around.pod["spec"].get("serviceAccountName", "default"))
        pod = (around.hostname, around.namespace, around.address, Identity(around.namespace, account))
        match list(around.args[:2]):
            case ["proxy", "waypoint"]:
                await around.mesh.start_waypoint(*pod)
            case ["proxy", "router"]:
                gateway = labels_of(around.pod).get("gateway.networking.k8s.io/gateway-name", "")
                await around.mesh.start_gateway(*pod, f"{around.namespace}/{gateway}")
            case _:
                what = " ".join(around.args)
                raise CannotStart(f"the embedded proxyv2 runs waypoints and gateways only, not {what!r}")
        await super().start()

    async def stop(self) -> None:
        """End the proxy."""
        mesh, pod = self.around.mesh, (self.around.hostname, self.around.namespace)
        await asyncio.gather(super().stop(), mesh.stop_waypoint(*pod), mesh.stop_gateway(*pod))

    async def _health(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/healthz/ready":
            return reply("", 404)
        serves = self.around.mesh.proxy_serves(self.around.hostname, self.around.namespace)
        return reply("", 200) if serves else reply(_REJECTED, 503, _TEXT)

    async def _stats(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self._page("/stats/prometheus")

    async def _admin(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self._page(request.path_qs, request.method)

    async def _page(self, path: str, method: str = "GET") -> Reply:
        mesh, around = self.around.mesh, self.around
        try:
            status, headers, body = await mesh.waypoint_admin(around.hostname, around.namespace, path, method)
        except OSError as error:
            return reply(f"{error}\n", 503, _TEXT)
        return reply(body, status, {"Content-Type": headers.get("content-type", "text/plain")})
