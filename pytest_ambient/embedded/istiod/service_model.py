"""What is called by a name: Services and hosts of ServiceEntries, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..entries import key_of_host

Locality = tuple[str, str, str]
"""Region, zone and subzone."""

Nearness = Literal["anywhere", "zone", "node", "own-node"]
"""Which endpoints ztunnel takes: any, those of the caller's zone or node if there are, those of its node alone."""


@dataclass(frozen=True)
class WaypointRef:
    """The waypoint that something is bound to."""

    namespace: str
    name: str

    @property
    def key(self) -> str:
        """`NAMESPACE/NAME`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class ServicePort:
    """A port of a Service; one that says neither HTTP nor TCP counts as HTTP, and is sniffed: its connections tell."""

    port: int
    name: str
    protocol: Literal["HTTP", "TCP"]
    sniffed: bool = False
    http2: bool = False
    """Whether proxies speak HTTP/2 to it, whatever they were asked in."""


@dataclass(frozen=True)
class Endpoint:
    """A pod behind a Service, with the target port of each Service port."""

    workload: str
    """The workload's uid."""
    ports: Mapping[int, int]


@dataclass(frozen=True)
class Place:
    """An endpoint that a ServiceEntry writes down, or somebody by hand for a Service."""

    address: str
    """An address, or a name that a resolver knows."""
    ports: Mapping[int, int]
    labels: Mapping[str, str] = field(default_factory=dict)
    slice: str = ""
    """The EndpointSlice that tells of it, for a Service."""
    outside: bool = False
    """Whether it lies outside of the cluster although its address does not look so."""


@dataclass(frozen=True)
class Service:
    """A Service, or a host of a ServiceEntry, with its address and endpoints."""

    name: str
    namespace: str
    vip: str
    """Empty for a headless Service, which has endpoints but no address to listen on."""
    ports: tuple[ServicePort, ...]
    endpoints: tuple[Endpoint, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    waypoint: WaypointRef | None = None
    """The waypoint that traffic to the Service must pass, when bound to one that has an address."""
    ingress_too: bool = False
    """Whether ingress gateways must pass it, too."""
    host: str = ""
    """The name that a ServiceEntry gives it."""
    served_at: str = ""
    """Where connections to it are really taken, when not at its own address."""
    more_vips: tuple[str, ...] = ()
    """Its addresses but the first."""
    places: tuple[Place, ...] = ()
    """Endpoints that are no pods, as far as anybody knows: of a ServiceEntry, or written into an EndpointSlice."""
    nearness: Nearness = "anywhere"
    node_nearness: Nearness = "anywhere"
    """The same for callers without a ztunnel, whose node chooses."""
    unready_too: bool = False
    """Whether ztunnel takes endpoints that are not ready (publishNotReadyAddresses)."""
    sticky: bool = False
    """Whether callers without a ztunnel stay with one endpoint (sessionAffinity); ztunnel does not know of that."""

    @property
    def key(self) -> str:
        """`NAMESPACE/NAME`, for a ServiceEntry's host that of its own."""
        return key_of_host(self.namespace, self.host) if self.host else f"{self.namespace}/{self.name}"

    @property
    def hostname(self) -> str:
        """The full name."""
        return self.host or f"{self.name}.{self.namespace}.svc.cluster.local"

    @property
    def listens(self) -> str:
        """The address of this machine at which connections to it are taken, empty when there is none."""
        return self.served_at or self.vip
