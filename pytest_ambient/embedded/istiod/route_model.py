"""What waypoints route by: HTTPRoutes, GRPCRoutes, TCPRoutes and VirtualServices. Part of `model`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .destination_model import Destination
from .request_model import L7Policy, TokenRule

MatchKind = Literal["Exact", "Prefix", "RegularExpression", "Present"]


@dataclass(frozen=True)
class HeaderMatch:
    """A header or query parameter that a route asks for; `:method` and the like are headers too."""

    name: str
    value: str
    kind: MatchKind = "Exact"
    inverted: bool = False
    """Whether it must not match."""


@dataclass(frozen=True)
class RouteMatch:
    """One match of a route rule; all that is given must hold."""

    path: str = "/"
    path_kind: Literal["Exact", "PathPrefix", "RegularExpression", "Prefix"] = "PathPrefix"
    """PathPrefix is one of whole elements, Prefix one of characters."""
    headers: tuple[HeaderMatch, ...] = ()
    queries: tuple[HeaderMatch, ...] = ()
    method: str = ""
    ignore_case: bool = False
    """Of the path."""
    name: str = ""


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
    missing: str = ""
    """The host name that it would have, when it can't be resolved."""
    subset: str = ""


@dataclass(frozen=True)
class Redirect:
    """An answer that sends the caller elsewhere; what is empty stays as it was asked for."""

    status: int
    host: str = ""
    path: str = ""
    """In place of the whole path."""
    prefix: str | None = None
    """In place of the matched prefix."""
    scheme: str = ""
    port: int | Literal["asked", "scheme"] | None = None
    """`asked` is the Service's port, `scheme` the scheme's own; None leaves the host as it is."""


@dataclass(frozen=True)
class Rewrite:
    """What the backend sees in place of what was asked for."""

    prefix: str = ""
    """In place of the matched prefix, or of the whole path where that was matched."""
    expression: tuple[str, str] | None = None
    """A regular expression and what replaces what it matches in the path."""
    host: str = ""


@dataclass(frozen=True)
class Retries:
    """How often a request is tried again, and what for; times in seconds."""

    attempts: int
    on: str = ""
    """Envoy's words for it, empty for Istio's own choice."""
    codes: tuple[int, ...] = ()
    per_try: float | None = None
    backoff: float | None = None
    other_hosts: bool = True
    """Whether an endpoint that failed is passed over."""


@dataclass(frozen=True)
class Mirror:
    """Where a copy of requests goes whose answer nobody gets."""

    backend: Backend
    percent: float = 100.0


@dataclass(frozen=True)
class Cors:
    """Which origins may read the answers, by the headers that browsers ask for."""

    origins: tuple[HeaderMatch, ...] = ()
    """Matches of the origin; their names are empty."""
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int | None = None
    """Seconds."""
    forwards: bool = False
    """Whether preflights of other origins go on to the backend."""


@dataclass(frozen=True)
class Injection:
    """Faults that a route injects on purpose; shares in percent."""

    delay: float | None = None
    """Seconds."""
    delayed: float = 0.0
    status: int | None = None
    aborted: float = 0.0
    grpc: int | None = None
    """The status of gRPC that an abort has in place of one of HTTP."""


@dataclass(frozen=True)
class RouteRule:
    """One rule of a route."""

    matches: tuple[RouteMatch, ...]
    backends: tuple[Backend, ...]
    request_headers: HeaderChange = HeaderChange()
    response_headers: HeaderChange = HeaderChange()
    request_timeout: float | None = None
    """Seconds."""
    direct_status: int | None = None
    """What the waypoint answers by itself in place of any backend (404: none named; 500: all of weight 0)."""
    direct_body: str = ""
    redirect: Redirect | None = None
    rewrite: Rewrite | None = None
    retries: Retries | None = None
    """None for Istio's own."""
    mirrors: tuple[Mirror, ...] = ()
    cors: Cors | None = None
    injection: Injection | None = None
    name: str = ""


@dataclass(frozen=True)
class Route:
    """A route attached to a Service (and one of its ports, when named)."""

    name: str
    namespace: str
    created: str
    port: int | None
    rules: tuple[RouteRule, ...]
    virtual: bool = False
    """Whether it is a VirtualService: its rules are tried in their order, a backend that is not there is 503."""
    hostnames: tuple[str, ...] = ()
    """Which hosts it is for; only gateways look at them, a Service has one name anyway."""
    tcp: bool = False
    """Whether it is for connections that are not known to be HTTP; its first rule takes them all."""


@dataclass(frozen=True)
class Certificate:
    """A chain of certificates and its private key, as PEM text."""

    chain: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class Secured:
    """A listener of a Gateway that ends TLS."""

    hostname: str
    """The name that callers ask for, `*.example.com` for all below it; empty for any, or none."""
    certificates: tuple[Certificate, ...]
    routes: tuple[Route, ...]


@dataclass(frozen=True)
class Ingress:
    """A Gateway through which requests come into the mesh."""

    name: str
    namespace: str
    account: str
    """The service account of its pods; Deployment and Service are called so, too."""
    ports: Mapping[int, tuple[Route, ...]]
    """The routes that it follows on each port on which it listens, the oldest first."""
    policies: tuple[L7Policy, ...] = ()
    """The policies that hold at the gateway itself."""
    tokens: tuple[TokenRule, ...] = ()
    """Whose tokens it verifies."""
    secured: Mapping[int, tuple[Secured, ...]] = field(default_factory=dict)
    """The listeners that end TLS, by port."""
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    """By Service key: what a DestinationRule says of it to this gateway."""
    logged: str | None = ""
    """Of which requests its access log tells: those for which this holds, in CEL; empty for all, None for none."""

    @property
    def key(self) -> str:
        """`NAMESPACE/NAME`."""
        return f"{self.namespace}/{self.name}"
