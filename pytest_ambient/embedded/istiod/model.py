"""The mesh as istiod understands it: frozen values made from the API's objects and consumed by the data plane."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

TRUST_DOMAIN = "cluster.local"
ROOT_NAMESPACE = "istio-system"

Action = Literal["ALLOW", "DENY"]
Handles = Literal["service", "workload", "all", "none"]


@dataclass(frozen=True)
class Identity:
    """A service account as the mesh knows it."""

    namespace: str
    account: str

    @property
    def principal(self) -> str:
        """As policies write it: without the scheme."""
        return f"{TRUST_DOMAIN}/ns/{self.namespace}/sa/{self.account}"

    @property
    def uri(self) -> str:
        """As certificates and logs carry it."""
        return f"spiffe://{self.principal}"


@dataclass(frozen=True)
class StringMatch:
    """One string of a policy: exact, or with the `*` forms of Istio."""

    kind: Literal["exact", "prefix", "suffix", "presence"]
    value: str = ""


@dataclass(frozen=True)
class L4Match:
    """One match of a ztunnel policy: every field that is not empty must hold, any value of a field is enough."""

    principals: tuple[StringMatch, ...] = ()
    not_principals: tuple[StringMatch, ...] = ()
    namespaces: tuple[StringMatch, ...] = ()
    not_namespaces: tuple[StringMatch, ...] = ()
    service_accounts: tuple[Identity, ...] = ()
    not_service_accounts: tuple[Identity, ...] = ()
    source_ips: tuple[str, ...] = ()
    not_source_ips: tuple[str, ...] = ()
    destination_ips: tuple[str, ...] = ()
    not_destination_ips: tuple[str, ...] = ()
    destination_ports: tuple[int, ...] = ()
    not_destination_ports: tuple[int, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is asked; ztunnel skips such a match (rbac_empty_policy)."""
        return self == L4Match()


@dataclass(frozen=True)
class L4Clause:
    """Matches of which one must hold."""

    matches: tuple[L4Match, ...]


@dataclass(frozen=True)
class L4Rule:
    """Clauses (from, to, each when) that must all hold."""

    clauses: tuple[L4Clause, ...]


@dataclass(frozen=True)
class L4Policy:
    """An AuthorizationPolicy or PeerAuthentication as ztunnel gets it (facts: ztunnel's Authorization message)."""

    name: str
    namespace: str
    scope: Literal["Global", "Namespace", "WorkloadSelector"]
    action: Action
    rules: tuple[L4Rule, ...]

    @property
    def key(self) -> str:
        """`NAMESPACE/NAME`, as logs name it."""
        return f"{self.namespace}/{self.name}"


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

    @property
    def uid(self) -> str:
        """As ztunnel writes it."""
        return f"Kubernetes//Pod/{self.namespace}/{self.name}"


@dataclass(frozen=True)
class ServicePort:
    """A port of a Service; what says neither HTTP nor TCP counts as HTTP."""

    port: int
    name: str
    protocol: Literal["HTTP", "TCP"]
    app_protocol: str = ""


@dataclass(frozen=True)
class Endpoint:
    """A pod behind a Service, with the target port of each Service port."""

    workload: str
    """The workload's uid."""
    ports: Mapping[int, int]


@dataclass(frozen=True)
class Service:
    """A Service with its address and endpoints."""

    name: str
    namespace: str
    vip: str
    """Empty for a headless Service, which has endpoints but no address to listen on."""
    ports: tuple[ServicePort, ...]
    endpoints: tuple[Endpoint, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    waypoint: WaypointRef | None = None
    """The waypoint that traffic to the Service must pass, when bound to one that has an address."""

    @property
    def key(self) -> str:
        """`NAMESPACE/NAME`."""
        return f"{self.namespace}/{self.name}"

    @property
    def hostname(self) -> str:
        """The full cluster name."""
        return f"{self.name}.{self.namespace}.svc.cluster.local"


@dataclass(frozen=True)
class Condition:
    """One `when` of an AuthorizationPolicy."""

    key: str
    values: tuple[str, ...] = ()
    not_values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One `from.source` of an AuthorizationPolicy; strings as the user wrote them, `*` forms included."""

    principals: tuple[str, ...] = ()
    not_principals: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    not_namespaces: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    not_service_accounts: tuple[str, ...] = ()
    ip_blocks: tuple[str, ...] = ()
    not_ip_blocks: tuple[str, ...] = ()
    remote_ip_blocks: tuple[str, ...] = ()
    not_remote_ip_blocks: tuple[str, ...] = ()
    request_principals: tuple[str, ...] = ()
    not_request_principals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One `to.operation` of an AuthorizationPolicy."""

    hosts: tuple[str, ...] = ()
    not_hosts: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    not_ports: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    not_methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    not_paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class L7Rule:
    """One rule of an AuthorizationPolicy as written."""

    sources: tuple[Source, ...] = ()
    operations: tuple[Operation, ...] = ()
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class L7Policy:
    """An AuthorizationPolicy with targetRefs, for the waypoint of its target."""

    name: str
    namespace: str
    action: Action
    rules: tuple[L7Rule, ...]

    @property
    def key(self) -> str:
        """`NAMESPACE/NAME`."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class HeaderMatch:
    """A header or query parameter that a route asks for."""

    name: str
    value: str
    kind: Literal["Exact", "RegularExpression"] = "Exact"


@dataclass(frozen=True)
class RouteMatch:
    """One match of a route rule; all that is given must hold."""

    path: str = "/"
    path_kind: Literal["Exact", "PathPrefix", "RegularExpression"] = "PathPrefix"
    headers: tuple[HeaderMatch, ...] = ()
    queries: tuple[HeaderMatch, ...] = ()
    method: str = ""


@dataclass(frozen=True)
class HeaderChange:
    """A header modifier filter."""

    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class Backend:
    """A weighted backend; `service` is the Service's key, None when it can't be resolved (500)."""

    service: str | None
    port: int
    weight: int = 1
    request_headers: HeaderChange = HeaderChange()
    response_headers: HeaderChange = HeaderChange()


@dataclass(frozen=True)
class RouteRule:
    """One rule of an HTTPRoute."""

    matches: tuple[RouteMatch, ...]
    backends: tuple[Backend, ...]
    request_headers: HeaderChange = HeaderChange()
    response_headers: HeaderChange = HeaderChange()
    request_timeout: float | None = None
    """Seconds."""
    direct_status: int | None = None
    """What the waypoint answers by itself, with an empty body, in place of any backend (404: none named; 500: all of
    weight 0)."""


@dataclass(frozen=True)
class Route:
    """An HTTPRoute attached to a Service (and one of its ports, when named)."""

    name: str
    namespace: str
    created: str
    port: int | None
    rules: tuple[RouteRule, ...]


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
    l4_policies: Mapping[str, L4Policy] = field(default_factory=dict)
    service_policies: Mapping[str, tuple[L7Policy, ...]] = field(default_factory=dict)
    """By Service key: policies that target the Service, for the waypoint it is bound to."""
    routes: Mapping[str, tuple[Route, ...]] = field(default_factory=dict)
    """By Service key: routes attached to it, in order of precedence."""
