"""What an embedded program is, and what it is given by the container in which it runs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..faults import Fault
from ..istiod.model import Identity
from ..objects import Object, name_of, namespace_of
from .caller import Caller


class CannotStart(Exception):
    """The program does not work with the arguments or variables that it was given; the text says what is not there."""


class MeshPlane(Protocol):
    """The part of the data plane that Istio's own programs stand for."""

    @property
    def ready(self) -> bool:
        """Whether ztunnel serves."""

    def serves(self, address: str) -> bool:
        """Whether ztunnel takes what leaves that captured pod, and what comes to it."""
        ...

    def waits(self, address: str) -> bool:
        """Whether ztunnel waits to be told of that captured pod: what it calls and what calls it is in vain."""
        ...

    def no_upstream(self, source: str, destination: str, size: int) -> None:
        """Takes in that a captured pod called a port (`ADDRESS:PORT`) that its Service lacks, with so many bytes."""

    async def start_waypoint(self, name: str, namespace: str, address: str, identity: Identity) -> None:
        """Serve as the waypoint pod of that name; returns when it is ready."""

    async def stop_waypoint(self, name: str, namespace: str) -> None:
        """End that waypoint's proxy."""

    async def start_gateway(self, name: str, namespace: str, address: str, identity: Identity, gateway: str) -> None:
        """Serve as that pod of an ingress Gateway, `NAMESPACE/NAME`; returns when it is ready."""

    async def stop_gateway(self, name: str, namespace: str) -> None:
        """End that gateway's proxy."""

    def ztunnel_metrics(self, node: str) -> str:
        """The counters of a node's ztunnel as Prometheus text."""

    def ztunnel_config_dump(self, node: str) -> Object:
        """The configuration of a node's ztunnel."""

    def proxy_serves(self, name: str, namespace: str) -> bool:
        """Whether that waypoint's or gateway's proxy has ever taken a configuration."""
        ...

    async def waypoint_admin(
        self, name: str, namespace: str, path: str, method: str = "GET"
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of what a waypoint's or gateway's Envoy answers; OSError when it is not there."""


@dataclass(frozen=True)
class Surroundings:
    """What a program finds when it starts."""

    pod: Object
    container: str
    address: str
    env: Mapping[str, str]
    args: Sequence[str]
    log: Callable[[str], None]
    listen: Callable[[int, Callable[[], asyncio.BaseProtocol]], Awaitable[None]]
    """Serve a port of the pod, for all."""
    listen_locally: Callable[[int, Callable[[], asyncio.BaseProtocol]], Awaitable[None]]
    """Serve a port on the pod's own localhost."""
    caller: Caller
    """Calls from the pod's address, by the cluster's names, on fresh connections."""
    mesh: MeshPlane
    faults: frozenset[Fault] = frozenset()
    last_node: str = ""
    """The cluster's last node, where the fault of one node strikes."""

    @property
    def hostname(self) -> str:
        """The pod's name."""
        return name_of(self.pod)

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return namespace_of(self.pod)

    @property
    def node(self) -> str:
        """The node on which the pod runs."""
        return str(self.pod.get("spec", {}).get("nodeName", ""))


class Program(Protocol):
    """One run of an image's program."""

    async def start(self) -> None:
        """Begin to serve; CannotStart with what is missing."""

    async def wait(self) -> int:
        """Wait until it ends by itself and return its exit code."""

    async def stop(self) -> None:
        """End it; what it held is free when this returns."""


Maker = Callable[[Surroundings], Program]
"""Makes an image's program, not yet started."""
