"""How waypoints deal with the endpoints of Services, as DestinationRules ask. Part of `model`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Ejection:
    """When an endpoint that fails gets no more requests for a while; times in seconds, None for Envoy's own."""

    errors: int | None = None
    """Answers of 5xx in a row, 0 for never."""
    gateway_errors: int | None = None
    """Answers of 502, 503 and 504 in a row, 0 for never."""
    interval: float | None = None
    base_time: float | None = None
    max_percent: int | None = None
    min_health: int = 0
    """Percent of endpoints that must be left, else all get requests."""
    apart: bool = False
    """Whether failures to connect and the like are counted apart from answers."""
    own_errors: int | None = None
    """How many of those in a row, None for Envoy's own number; nothing unless they are counted apart."""


@dataclass(frozen=True)
class Hash:
    """What of a request chooses its endpoint, so that like ones come to the same."""

    kind: Literal["header", "cookie", "query", "source"]
    name: str = ""
    """Of the header, cookie or query parameter; `source` is the caller's address."""
    ttl: float | None = None
    """Seconds for which a caller without the cookie gets one; None gives none, 0 one of the session."""
    path: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    """Of a cookie that is given, too."""
    maglev: bool = False
    """Whether by Maglev's table instead of a ring."""
    size: int | None = None
    """Of the ring or table."""


@dataclass(frozen=True)
class Keepalive:
    """How TCP asks whether the other side of a connection is still there; None for what the machine does."""

    probes: int | None = None
    time: int | None = None
    """Whole seconds of silence until it asks, as the next between two questions."""
    interval: int | None = None


@dataclass(frozen=True)
class RetryBudget:
    """How many requests may be tried again at one time, in place of a number."""

    percent: float = 20.0
    """Of those that are under way."""
    least: int = 3
    """So many may always."""


@dataclass(frozen=True)
class Policy:
    """How a waypoint deals with the endpoints of a Service (a DestinationRule's trafficPolicy); times in seconds."""

    balancing: str = "LEAST_REQUEST"
    max_connections: int | None = None
    max_pending: int | None = None
    max_requests: int | None = None
    max_retries: int | None = None
    requests_per_connection: int | None = None
    connect_timeout: float | None = None
    ejection: Ejection | None = None
    hash: Hash | None = None
    keepalive: Keepalive | None = None
    idle: float | None = None
    """How long a connection on which nothing happens stays open, 0 for ever."""
    http_idle: float | None = None
    """The same where it carries requests, when there it is another time."""
    longest: float | None = None
    """How long any connection stays open."""
    speaks: Literal["", "HTTP/2", "client's"] = ""
    """The protocol for endpoints where it is not the port's own."""
    budget: RetryBudget | None = None
    streams: int | None = None
    """How many requests one connection of HTTP/2 carries at a time, where the port itself speaks that."""


@dataclass(frozen=True)
class Subset:
    """The endpoints with these labels."""

    labels: Mapping[str, str]
    policy: Policy
    ports: Mapping[int, Policy] = field(default_factory=dict)
    """In place of the policy, by the Service's port."""


@dataclass(frozen=True)
class Destination:
    """What a DestinationRule says of a Service."""

    policy: Policy = Policy()
    subsets: Mapping[str, Subset] = field(default_factory=dict)
    ports: Mapping[int, Policy] = field(default_factory=dict)
    """In place of the policy, by the Service's port."""

    def chosen(self, subset: str, port: int) -> Subset | None:
        """The endpoints of a subset, all for an empty name, and how a port of theirs is dealt with; None for none."""
        found = self.subsets.get(subset) if subset else Subset({}, self.policy, self.ports)
        return Subset(found.labels, found.ports.get(port, found.policy)) if found else None


@dataclass(frozen=True)
class RateLimit:
    """A bucket of tokens at a waypoint: a request takes one, and without one it is answered 429."""

    tokens: int
    refill: int
    """Tokens that come back each interval."""
    interval: float
    """Seconds."""
    headers: tuple[tuple[str, str], ...] = ()
    """Added to answers of 429."""
