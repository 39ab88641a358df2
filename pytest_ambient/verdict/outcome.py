"""What curl saw for one request, what a proxy itself said about it, or that nothing was proved."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

TIMEOUT = 28
"""curl's exit when its time ran out."""
PROXY_SERVERS = ("istio-envoy", "envoy")
DENIAL_BODY = "RBAC: access denied"
UPSTREAM_ERROR = "upstream connect error"
PROXY_BODIES = (DENIAL_BODY, UPSTREAM_ERROR, "no healthy upstream", "upstream request timeout", "Jwt ")
"""How the answers begin that Envoy makes itself."""

_SERVED_BY = (
    re.compile(r'"podname"\s*:\s*"([^"]+)"'),
    re.compile(r"Reviews served by:(?:\s|<[^>]*>)*([a-z0-9][-a-z0-9.]*)"),
    re.compile(r'"hostname"\s*:\s*"([^"]+)"', re.IGNORECASE),
    re.compile(r"^Hostname\s*[:=]\s*(\S+)", re.MULTILINE | re.IGNORECASE),
    re.compile(r"^Hello version: \S+, instance: (\S+)", re.MULTILINE),
)


@dataclass(frozen=True)
class Witness:
    """What one proxy said about one connection or request: second, independent evidence beside curl's."""

    proxy: Literal["ztunnel", "waypoint", "gateway"]
    verdict: Literal["allowed", "refused", "failed"]
    """`refused` by a policy; `failed` when the proxy tried and could not (no route, no upstream)."""
    reason: str
    """The proxy's own words: ztunnel's error text, the waypoint's response code details."""
    policy: str | None = None
    """`NAMESPACE/NAME` of the DENY policy that it names; None for an ALLOW that did not match."""
    attached: tuple[str, ...] = ()
    """`NAMESPACE/NAME` of the ALLOW policies that the proxy's own configuration attaches to the destination."""
    source_identity: str = ""
    destination_identity: str = ""
    line: str = ""
    """The raw log line."""
    source_role: Literal["caller", "sidecar", "waypoint", "gateway"] = "caller"
    """Whose identity `source_identity` is: a proxy between caller and destination has its own."""

    def __str__(self) -> str:
        word = {"refused": "refused by", "failed": "failed at", "allowed": "let through by"}[self.verdict]
        who = self.proxy if self.proxy == "ztunnel" else f"the {self.proxy}"
        whose = "" if self.source_role == "caller" else f" for the {self.source_role}'s identity"
        return f"{word} {who}{whose}" + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True)
class Sample:
    """One counter under one set of labels."""

    name: str
    labels: Mapping[str, str] = field(hash=False)
    value: float


@dataclass(frozen=True)
class Growth:
    """The counters that grew during a round, by how much, and how many requests of it were alike."""

    samples: tuple[Sample, ...]
    requests: int
    names: frozenset[str] | None = None
    """The counters that are there at all, grown or not; None where nobody looked."""


@dataclass(frozen=True)
class Span:
    """What one proxy told of one request to a collector of traces."""

    id: str
    parent: str
    """The span that it hangs on; empty for none."""
    operation: str
    proxy: str
    """`POD.NAMESPACE`; empty for what is no proxy of the mesh."""
    cluster: str = ""
    """Where the proxy sent the request, by its own name for it."""

    def __str__(self) -> str:
        return f"{self.operation} by {self.proxy or 'no proxy'}"


@dataclass(frozen=True)
class Spans:
    """What Jaeger has of the trace of one request."""

    trace: str
    found: tuple[Span, ...] = ()
    traces: bool | None = None
    """Whether the waypoint's own configuration says where spans go; None where nobody looked or could."""


@dataclass(frozen=True)
class Outcome:
    """What curl saw for one request."""

    exit_code: int
    status: int = 0
    """The HTTP status, 0 when no HTTP byte came."""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    """Response headers, names in lower case."""
    body: str = ""
    error: str = ""
    """curl's own message, without its `curl: (N)`."""
    local_ip: str = ""
    local_port: int = 0
    remote_ip: str = ""
    remote_port: int = 0
    connect_ms: float = 0.0
    """Milliseconds until TCP was connected, 0 when it never was."""
    total_ms: float = 0.0
    witness: Witness | None = None
    records: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False, repr=False)
    """The fields of what proxies wrote about it, by line: `outbound`, `inbound`, `waypoint`."""
    growth: Growth | None = field(default=None, repr=False)
    """What proxies counted meanwhile; None where nobody looked or could."""
    spans: Spans | None = field(default=None, repr=False)
    """What Jaeger has of it; None where nobody looked or could."""

    @property
    def connected(self) -> bool:
        """Whether TCP was connected."""
        return self.connect_ms > 0

    @property
    def served_by(self) -> str | None:
        """The pod that says in the body that it answered."""
        found = (pattern.search(self.body) for pattern in _SERVED_BY)
        return next((match[1] for match in found if match), None)

    @property
    def behind_proxy(self) -> bool:
        """Whether the answer passed an Envoy that got it from somewhere else."""
        return "x-envoy-upstream-service-time" in self.headers

    @property
    def made_by_proxy(self) -> bool:
        """Whether a proxy made this answer: the last one by its headers, one behind it by its own word."""
        word = self.witness if self.witness is not None and self.witness.proxy != "ztunnel" else None
        if word is not None and word.verdict != "allowed":
            return self.status > 0
        if word is not None and self.status < 300:
            return False
        return not self.behind_proxy and self.header("server") in PROXY_SERVERS

    @property
    def borrowed(self) -> bool:
        """Whether the body reads like a proxy's own, so that behind another proxy the headers alone can't tell."""
        return self.behind_proxy and self.body.startswith(PROXY_BODIES)

    @property
    def cut_off(self) -> bool:
        """Whether a proxy's connection to the backend ended under the request: a policy, a crash, or a stale one."""
        return self.status == 503 and self.made_by_proxy and self.body.startswith(UPSTREAM_ERROR)

    @property
    def silent(self) -> bool:
        """Whether curl's time ran out before any HTTP byte came."""
        return self.exit_code == TIMEOUT and not self.status

    def header(self, name: str) -> str | None:
        """The value of a response header, several joined by `, `; None when absent."""
        values = self.headers.get(name.lower())
        return None if values is None else ", ".join(values)


@dataclass(frozen=True)
class Lost:
    """A probe that proved nothing: the exec was lost, its output empty, the pod gone."""

    reason: str


Observation: TypeAlias = Outcome | Lost


def stale(wrong: Sequence[object], asked: int) -> bool:
    """Whether what is wrong with many answers may be no more than stale connections in a proxy's pool, or a busy node.

    Now and then a request takes one that has just ended, and a healthy waypoint answers 503 (recorded on Istio 1.30.3);
    or it is the one of thousands that runs out of time.
    """
    by_chance = all(isinstance(one, Outcome) and (one.cut_off or one.silent) for one in wrong)
    return asked > 1 and len(wrong) <= 1 + asked // 1000 and by_chance
