"""The lines that the Envoy of all ztunnels writes, one per connection, and what they say."""

import datetime
from dataclasses import dataclass
from typing import Literal, get_args

from ..objects import Object

Kind = Literal["tunnelled", "direct", "passed", "hbone", "plaintext"]

_EPOCH = datetime.datetime.fromtimestamp(0, datetime.UTC)

SERVICE = "ambient.service"
REFUSAL = "ambient.refusal"

_MEASURES = "%EMIT_TIME(%s%6f)%\t%BYTES_RECEIVED%\t%BYTES_SENT%\t%DURATION%\t%RESPONSE_FLAGS%"
_CALLER, _ADDRESSED = "%DOWNSTREAM_REMOTE_ADDRESS%", "%DOWNSTREAM_LOCAL_ADDRESS%"
_WHY = "%UPSTREAM_TRANSPORT_FAILURE_REASON%"

TUNNELLED = f"tunnelled\t{_CALLER}\t{_ADDRESSED}\t{_MEASURES}\t%UPSTREAM_HOST%\t%FILTER_STATE({SERVICE}:PLAIN)%\t{_WHY}"
"""At the caller's ztunnel: a connection that went into a tunnel."""

FORWARDED: Object = {"header": {"key": "forwarded", "value": f"host=%FILTER_STATE({SERVICE}:PLAIN)%"}}
"""How the caller's ztunnel tells by what name it was asked."""

HBONE = (
    f"hbone\t%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%\t%REQ(:AUTHORITY)%\t{_MEASURES}"
    "\t%REQ(FORWARDED)%\t%RESPONSE_CODE%\t%RESPONSE_CODE_DETAILS%"
)
"""At the destination's ztunnel: a connection that came out of a tunnel."""

PLAINTEXT = (
    f"plaintext\t{_CALLER}\t{_ADDRESSED}\t{_MEASURES}"
    f"\t%UPSTREAM_HOST%\t%FILTER_STATE({REFUSAL}:PLAIN)%\t%CONNECTION_TERMINATION_DETAILS%"
)
"""At the destination's ztunnel: a connection that came without one."""


def direct(service: str, destination: str) -> str:
    """At the caller's ztunnel: a connection that never reached a tunnel."""
    return f"direct\t{_CALLER}\t{destination}\t{_MEASURES}\t%UPSTREAM_HOST%\t{service or '-'}\t{_WHY}"


def passed(destination: str) -> str:
    """At the caller's ztunnel: a connection that it passed on to an address of which it knows nothing."""
    return f"passed\t{_CALLER}\t{destination}\t{_MEASURES}\t-\t-\t-"


@dataclass(frozen=True)
class Line:
    """One of these lines, taken apart."""

    kind: Kind
    source: str
    """The caller's address and port."""
    destination: str
    """The address and port that was asked for."""
    told: int
    """When the connection was over, in microseconds since the epoch."""
    received: int
    """Bytes from the caller."""
    sent: int
    """Bytes to the caller."""
    milliseconds: int
    flags: str
    """Envoy's response flags."""
    first: str
    second: str
    third: str
    """What the kind of line ends with."""

    @property
    def ended(self) -> datetime.datetime:
        """When the connection was over."""
        return _EPOCH + datetime.timedelta(microseconds=self.told)

    @property
    def repeats(self) -> bool:
        """Whether it tells of a tunnel that did not come to be, which has a line of its own."""
        return self.kind == "direct" and self.first.startswith("envoy://originate/")

    @classmethod
    def parse(cls, text: str) -> "Line | None":
        """The line, None for anything else that Envoy says."""
        fields = text.split("\t")
        if len(fields) != 11 or fields[0] not in get_args(Kind):
            return None
        kind: Kind = fields[0]  # type: ignore[assignment]  # checked in the line above
        told, received, sent, milliseconds = (int(each) if each.isdecimal() else 0 for each in fields[3:7])
        return cls(kind, fields[1], fields[2], told, received, sent, milliseconds, *fields[7:])
