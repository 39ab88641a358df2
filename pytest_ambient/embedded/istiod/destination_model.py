"""How waypoints deal with the endpoints of Services, as DestinationRules ask. Part of `model`."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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


@dataclass(frozen=True)
class Subset:
    """The endpoints with these labels."""

    labels: Mapping[str, str]
    policy: Policy


@dataclass(frozen=True)
class Destination:
    """What a DestinationRule says of a Service."""

    policy: Policy = Policy()
    subsets: Mapping[str, Subset] = field(default_factory=dict)


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
