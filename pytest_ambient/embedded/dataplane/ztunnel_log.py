"""ztunnel's access log lines (in the text format of Istio 1.30)."""

import datetime

from ..istiod.model import Workload
from ..ports import original
from .connections import Connection


def written(seen: Connection, at: datetime.datetime, *, nameless: bool = False) -> str:
    """The line that ztunnel writes for it; without identities under the fault `identity-missing-in-log`."""
    level, event = ("error" if seen.error else "info"), "connection complete"
    if not seen.known:
        level, event = "warn", "connection failed"
    fields = _fields(seen, identified=seen.mutual_tls and not nameless)
    said = " ".join([f"{key}={value}" for key, value in fields.items()])
    return f"{stamp(at)}\t{level}\taccess\t{event}\t{said}"


def stamp(at: datetime.datetime) -> str:
    """The time as ztunnel writes it."""
    return f"{at.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _fields(seen: Connection, *, identified: bool) -> dict[str, str]:
    destination = seen.destination_address.rpartition(":")
    fields = {"src.addr": seen.source_address}
    if seen.known:
        fields |= _party("src", seen.source, identified=identified)
    fields["dst.addr"] = f"{destination[0]}:{original(int(destination[2] or 0))}"
    if seen.known:
        if seen.hbone_address:
            fields["dst.hbone_addr"] = seen.hbone_address
        if seen.service:
            fields["dst.service"] = f'"{seen.service.hostname}"'
        fields |= _party("dst", seen.destination, identified=identified)
    fields["direction"] = f'"{seen.direction}"'
    if seen.known:
        fields |= {"bytes_sent": str(seen.sent), "bytes_recv": str(seen.received)}
        fields["duration"] = f'"{seen.milliseconds}ms"'
    if seen.error:
        fields["error"] = f'"{seen.error}"'
    return fields


def _party(side: str, workload: Workload | None, *, identified: bool) -> dict[str, str]:
    if workload is None:
        return {}
    found = {f"{side}.workload": f'"{workload.name}"', f"{side}.namespace": f'"{workload.namespace}"'}
    return found | {f"{side}.identity": f'"{workload.identity.uri}"'} if identified else found
