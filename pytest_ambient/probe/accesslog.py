"""Access logs taken apart by key: ztunnel's connections and a waypoint's requests, as text or as JSON."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

REJECTION = "policy rejection"
_PAIR = re.compile(r'([\w.]+)=("(?:[^"\\]|\\.)*"|\S*)')
_ESCAPE = re.compile(r"\\(.)")
_DENY = re.compile(r"explicitly denied by: (\S+/\S+)")
_MATCHED = re.compile(r"rbac_access_denied_matched_policy\[ns\[([^\]]*)\]-policy\[([^\]]*)\]-rule\[\d+\]\]")
_REQUEST = re.compile(
    r'\[(?P<start_time>[^\]]+)\] "(?P<method>\S+) (?P<path>\S+) [^"]*" (?P<response_code>\d+) (?P<response_flags>\S+) '
    r'(?P<response_code_details>\S+) (?P<connection_termination_details>\S+) "[^"]*" \S+ \S+ \S+ \S+ '
    r'"[^"]*" "[^"]*" "[^"]*" "(?P<authority>[^"]*)" '
    r'"(?P<upstream_host>[^"]*)" (?P<upstream_cluster>\S+) \S+ (?P<downstream_local_address>\S+) '
    r"(?P<downstream_remote_address>\S+)"
)


@dataclass(frozen=True)
class Connection:
    """One line of ztunnel's access log; unset fields are empty."""

    at: float
    """Seconds since the epoch, by the node's clock."""
    line: str
    direction: str
    source: str
    """`IP:PORT`; the port is the caller's own only on the outbound and the plaintext line."""
    source_workload: str
    source_identity: str
    destination: str
    tunnelled: str
    """`IP:PORT` behind the tunnel; empty for plaintext."""
    service: str
    destination_workload: str
    """`NAMESPACE/POD`."""
    destination_identity: str
    error: str
    seconds: float
    """How long it was open; `at` is when it ended."""
    answer: int | None = None
    """Bytes that went to the caller; None when the line does not say."""
    fields: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """All that the line says."""

    @property
    def rejected(self) -> bool:
        """Whether a policy refused it."""
        return REJECTION in self.error

    @property
    def policy(self) -> str | None:
        """`NAMESPACE/NAME` of the DENY policy that refused it."""
        found = _DENY.search(self.error)
        return found[1] if found else None


@dataclass(frozen=True)
class Request:
    """One line of a waypoint's access log: about a request, or about a connection that it did not take for HTTP."""

    at: float
    line: str
    method: str
    """Empty for a connection."""
    path: str
    status: int
    details: str
    """How it was answered, or why the connection was closed."""
    flags: str
    """Envoy's own word for what went wrong, empty when nothing did."""
    client: str
    """The caller's IP; the port is that of its tunnel."""
    address: str
    """`IP:PORT` that was called."""
    cluster: str
    fields: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """All that the line says, by the names that it has as JSON."""

    @property
    def denied(self) -> bool:
        """Whether an authorization policy, a token's check or an authorizer refused it."""
        return self.details.startswith(("rbac_access_denied", "jwt_authn_access_denied", "ext_authz_denied"))

    @property
    def passed(self) -> bool:
        """Whether it went on to the destination."""
        return self.details == "via_upstream" or not (self.method or self.details or self.flags)

    @property
    def policy(self) -> str | None:
        """`NAMESPACE/NAME` of the DENY policy that refused it."""
        found = _MATCHED.search(self.details)
        return f"{found[1]}/{found[2]}" if found else None


def connections(log: str, wanted: Callable[[str], bool] = lambda line: True) -> Iterator[Connection]:
    """The connections in ztunnel's log; lines that `wanted` turns down are not even parsed."""
    for line in log.splitlines():
        if "access" not in line or not wanted(line):
            continue
        fields = _json(line) if line.startswith("{") else _text(line)
        if fields is not None and fields.get("scope") == "access" and "src.addr" in fields:
            yield _connection(fields, line)


def requests(log: str) -> Iterator[Request]:
    """The requests in a waypoint's log, in Istio's default text format or as JSON."""
    for line in log.splitlines():
        found = _REQUEST.match(line)
        fields = found.groupdict() if found else _json(line) if line.startswith("{") else None
        if fields is None or "response_code" not in fields or not fields.get("start_time"):
            continue
        yield Request(
            at=moment(fields["start_time"]),
            line=line,
            method=_said(fields, "method"),
            path=_said(fields, "path"),
            status=int(fields["response_code"]),
            details=_said(fields, "response_code_details") or _said(fields, "connection_termination_details"),
            flags=_said(fields, "response_flags"),
            client=host_of(fields.get("downstream_remote_address", "")),
            address=fields.get("downstream_local_address", ""),
            cluster=fields.get("upstream_cluster", ""),
            fields=fields,
        )


def _said(fields: Mapping[str, str], name: str) -> str:
    """What the line says, empty where it has nothing to say."""
    return "" if fields.get(name, "-") == "-" else fields[name]


def address(ip: str, port: int) -> str:
    """`IP:PORT` as proxies write it, an IPv6 address in brackets."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def host_of(text: str) -> str:
    """The IP of `IP:PORT`."""
    return text.rpartition(":")[0].strip("[]")


def moment(text: str) -> float:
    """Seconds since the epoch of an RFC 3339 time."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.replace("Z", "+00:00"))).timestamp()


def _text(line: str) -> dict[str, str] | None:
    """`TIME⇥level⇥scope⇥message⇥key=value …`."""
    parts = line.split("\t", 4)
    if len(parts) < 5:
        return None
    pairs = {key: _plain(value) for key, value in _PAIR.findall(parts[4])}
    return {**pairs, "time": parts[0], "level": parts[1], "scope": parts[2], "message": parts[3]}


def _plain(value: str) -> str:
    return _ESCAPE.sub(r"\1", value[1:-1]) if value.startswith('"') else value


def _json(line: str) -> dict[str, str] | None:
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return (
        {key: "" if value is None else str(value) for key, value in fields.items()}
        if isinstance(fields, dict)
        else None
    )


def _connection(fields: dict[str, str], line: str) -> Connection:
    namespace = fields.get("dst.namespace", "")
    source_namespace = fields.get("src.namespace", "")
    answer = fields.get("bytes_recv" if fields.get("direction") == "outbound" else "bytes_sent", "")
    return Connection(
        at=moment(fields["time"]),
        line=line,
        direction=fields.get("direction", ""),
        source=fields["src.addr"],
        source_workload=f"{source_namespace}/{fields.get('src.workload', '')}",
        source_identity=fields.get("src.identity", ""),
        destination=fields.get("dst.addr", ""),
        tunnelled=fields.get("dst.hbone_addr", ""),
        service=fields.get("dst.service", ""),
        destination_workload=f"{namespace}/{fields.get('dst.workload', '')}",
        destination_identity=fields.get("dst.identity", ""),
        error=fields.get("error", ""),
        seconds=float(fields.get("duration", "").removesuffix("ms") or 0) / 1000,
        answer=int(answer) if answer.isdecimal() else None,
        fields=fields,
    )
