"""What waypoints judge and route requests by: policies with a target, and HTTPRoutes. Part of `model`."""

from dataclasses import dataclass
from typing import Literal

Action = Literal["ALLOW", "DENY"]


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
    missing: str = ""
    """The host name that it would have, when it can't be resolved."""


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
