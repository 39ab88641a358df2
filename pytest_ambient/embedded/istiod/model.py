"""The mesh as istiod understands it: frozen values made from the API's objects and consumed by the data plane."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .destination_model import Destination, Ejection, Keepalive, Policy, RateLimit, RetryBudget, Subset
from .l4_model import TRUST_DOMAIN, Identity, L4Clause, L4Match, L4Policy, L4Rule, StringMatch
from .request_model import Action, Authorizer, Condition, L7Policy, L7Rule, Operation, Source, TokenRule, Tracer
from .route_model import (
    Backend,
    Certificate,
    Cors,
    HeaderChange,
    HeaderMatch,
    Ingress,
    Injection,
    Mirror,
    Redirect,
    Retries,
    Rewrite,
    Route,
    RouteMatch,
    RouteRule,
    Secured,
)
from .service_model import Endpoint, Locality, Nearness, Place, Service, ServicePort, WaypointRef

__all__ = [
    "ROOT_NAMESPACE",
    "TRUST_DOMAIN",
    "Action",
    "Authorizer",
    "Backend",
    "Certificate",
    "Condition",
    "Cors",
    "Destination",
    "Ejection",
    "Endpoint",
    "Handles",
    "HeaderChange",
    "HeaderMatch",
    "Identity",
    "Ingress",
    "Injection",
    "Keepalive",
    "L4Clause",
    "L4Match",
    "L4Policy",
    "L4Rule",
    "L7Policy",
    "L7Rule",
    "Locality",
    "Mesh",
    "Mirror",
    "Nearness",
    "Operation",
    "Place",
    "Policy",
    "RateLimit",
    "Redirect",
    "Retries",
    "RetryBudget",
    "Rewrite",
    "Route",
    "RouteMatch",
    "RouteRule",
    "Secured",
    "Service",
    "ServicePort",
    "Source",
    "StringMatch",
    "Subset",
    "TokenRule",
    "Tracer",
    "Waypoint",
    "WaypointRef",
    "Workload",
]

ROOT_NAMESPACE = "istio-system"

Handles = Literal["service", "workload", "all", "none"]


@dataclass(frozen=True)
class Workload:
    """One pod with an address."""

    name: str
    namespace: str
    address: str
    identity: Identity
    node: str
    labels: Mapping[str, str]
    controller: str
    """The Deployment's, DaemonSet's or the pod's own name."""
    controller_kind: Literal["deployment", "daemonset", "pod"]
    ready: bool
    captured: bool
    """Whether ztunnel handles its traffic (HBONE)."""
    sockets: Mapping[int, str]
    """Unix sockets of the ports on which its program listens."""
    waypoint: WaypointRef | None = None
    """The ready waypoint for traffic addressed to the pod itself, when there is one."""
    policies: tuple[str, ...] = ()
    """Keys of the selector-scoped L4 policies on it."""
    is_waypoint: bool = False
    gateway_ports: tuple[int, ...] = ()
    """The ports on which it, an ingress gateway, serves by a proxy of its own."""
    tunnelled: bool = True  # HBONE leads to it, as always in a mesh without fault

    @property
    def uid(self) -> str:
        """As ztunnel writes it."""
        return f"Kubernetes//Pod/{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Waypoint:
    """A waypoint Gateway with an address."""

    name: str
    namespace: str
    handles: Handles
    address: str
    """Its Service's virtual address."""
    pods: tuple[str, ...]
    """Workload uids of its ready pods; may be empty (lost)."""
    services: tuple[str, ...] = ()
    """Keys of the Services bound to it."""
    workloads: tuple[str, ...] = ()
    """Uids of the pods bound to it."""
    policies: tuple[L7Policy, ...] = ()
    """Policies that target the Gateway itself (or its class)."""
    tokens: tuple[TokenRule, ...] = ()
    """Likewise whose tokens it verifies."""
    limits: tuple[RateLimit, ...] = ()
    """How many requests it lets through."""

    @property
    def key(self) -> str:
        """`NAMESPACE/NAME`."""
        return f"{self.namespace}/{self.name}"

    @property
    def identity(self) -> Identity:
        """The service account of its pods."""
        return Identity(self.namespace, self.name)


@dataclass(frozen=True)
class Mesh:
    """Everything the data plane needs, at one moment."""

    workloads: Mapping[str, Workload] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    waypoints: Mapping[str, Waypoint] = field(default_factory=dict)
    ingresses: Mapping[str, Ingress] = field(default_factory=dict)
    l4_policies: Mapping[str, L4Policy] = field(default_factory=dict)
    service_policies: Mapping[str, tuple[L7Policy, ...]] = field(default_factory=dict)
    """By Service key: policies that target the Service, for the waypoint it is bound to."""
    service_tokens: Mapping[str, tuple[TokenRule, ...]] = field(default_factory=dict)
    """By Service key: whose tokens are verified for it alone."""
    authorizers: Mapping[str, Authorizer] = field(default_factory=dict)
    """By the name that CUSTOM policies use."""
    unlogged: frozenset[str] = frozenset()
    """`Gateway/NAMESPACE/NAME` and `Service/NAMESPACE/NAME` of those whose requests no waypoint's access log tells."""
    log_filters: Mapping[str, str] = field(default_factory=dict)
    """By the same names: an expression of CEL that must hold for a request so that it is told."""
    tracers: Mapping[str, Tracer] = field(default_factory=dict)
    """By the same names: where waypoints send spans of the requests; nowhere for what is not among them."""
    routes: Mapping[str, tuple[Route, ...]] = field(default_factory=dict)
    """By Service key: routes attached to it, in order of precedence."""
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    """By Service key: what a DestinationRule says of it."""
    localities: Mapping[str, Locality] = field(default_factory=dict)
    """By node."""
    now: "Mesh | None" = None
    """What there is, where the proxies know an older mesh because no istiod tells them."""
