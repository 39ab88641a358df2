"""The faults that a VirtualService's rule injects, and whom its CORS policy lets read the answers."""

from ..objects import Object
from .model import Cors, HeaderMatch, Injection
from .virtual_match import text_match
from .words import seconds

GRPC_STATUSES = {
    name: number
    for number, name in enumerate((
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ))
}  # fmt: skip
"""The numbers of gRPC's statuses."""


def injection(asked: Object | None) -> Injection | None:
    """The faults; without a percentage an abort is for nobody."""
    if asked is None:
        return None
    delay: Object = asked.get("delay") or {}
    abort: Object = asked.get("abort") or {}
    return Injection(
        delay=seconds(delay["fixedDelay"]) if "fixedDelay" in delay else None,
        delayed=percent(delay, "percentage", float(delay.get("percent", 0))),
        status=int(abort["httpStatus"]) if "httpStatus" in abort else None,
        grpc=GRPC_STATUSES.get(str(abort.get("grpcStatus"))),
        aborted=percent(abort, "percentage", 0),
    )


def cors(asked: Object | None) -> Cors | None:
    """The policy; preflights of origins that are not named go on to the backend unless it says otherwise."""
    if asked is None:
        return None
    older = tuple(HeaderMatch("", str(each)) for each in asked.get("allowOrigin") or ())
    return Cors(
        origins=tuple(text_match("", each) for each in asked.get("allowOrigins") or ()) or older,
        methods=tuple(asked.get("allowMethods") or ()),
        headers=tuple(asked.get("allowHeaders") or ()),
        exposed=tuple(asked.get("exposeHeaders") or ()),
        credentials=bool(asked.get("allowCredentials")),
        max_age=int(seconds(asked["maxAge"])) if "maxAge" in asked else None,
        forwards=asked.get("unmatchedPreflights") != "IGNORE",
    )


def percent(part: Object, field: str, otherwise: float) -> float:
    """The share that the field gives; without a value in it none."""
    return float((part[field] or {}).get("value", 0)) if field in part else otherwise
