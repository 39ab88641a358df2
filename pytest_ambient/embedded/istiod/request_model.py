"""What waypoints judge requests by: policies with a target. Part of `model`."""

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
    trust_domains: tuple[str, ...] = ()
    not_trust_domains: tuple[str, ...] = ()


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
class Authorizer:
    """A service that is asked about requests over HTTP."""

    service: str
    """Its key."""
    port: int
    path_prefix: str = ""
    told: tuple[str, ...] = ()
    """Headers of the request that it is told."""
    upstream: tuple[str, ...] = ()
    """Headers of its consent that the application gets."""
    downstream: tuple[str, ...] = ()
    """Headers of its refusal that the caller gets."""
    fail_open: bool = False

    @property
    def hostname(self) -> str:
        """The full cluster name."""
        return hostname(self.service)


@dataclass(frozen=True)
class Tracer:
    """Where a waypoint sends spans, in Zipkin's JSON."""

    service: str
    """The collector's key."""
    port: int
    path: str = "/api/v2/spans"
    sampling: float = 1.0
    """Which share of requests, in per cent, is traced where the caller has not decided."""
    tags: tuple[tuple[str, str], ...] = ()
    """What every span says of the waypoint."""
    hands_on: bool = True
    """Whether the next one learns of the trace."""

    @property
    def hostname(self) -> str:
        """The full cluster name."""
        return hostname(self.service)


@dataclass(frozen=True)
class TokenRule:
    """Whose tokens (JWT) are verified, by which keys, and where they are looked for."""

    issuer: str
    audiences: tuple[str, ...] = ()
    keys: str = ""
    """The key set in JSON; empty where it is at `uri`."""
    uri: str = ""
    from_headers: tuple[tuple[str, str], ...] = ()
    """Names, and what goes before the token."""
    from_params: tuple[str, ...] = ()
    from_cookies: tuple[str, ...] = ()
    payload_header: str = ""
    """The header to the application that gets the token's claims."""
    claim_headers: tuple[tuple[str, str], ...] = ()
    """Headers to the application, with the claim that each gets."""
    forwarded: bool = False
    """Whether the application gets the token itself."""
    spaced: tuple[str, ...] = ()
    """Claims that are texts of several words, beside those that are so by custom; each word is a value."""
    timeout: float = 5.0
    """How many seconds whoever has the keys may take to say them."""


@dataclass(frozen=True)
class L7Policy:
    """An AuthorizationPolicy with targetRefs, for the waypoint of its target."""

    name: str
    namespace: str
    action: Literal["ALLOW", "DENY", "CUSTOM"]
    rules: tuple[L7Rule, ...]
    provider: str = ""
    """Whom CUSTOM leaves it to."""
    dry_run: bool = False
    """Whether it only judges."""

    @property
    def key(self) -> str:
        """`NAMESPACE/NAME`."""
        return f"{self.namespace}/{self.name}"


def hostname(key: str) -> str:
    """The full cluster name of a Service."""
    namespace, _, name = key.partition("/")
    return f"{name}.{namespace}.svc.cluster.local"
