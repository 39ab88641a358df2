"""Which request headers Bookinfo's services pass on, and how they call one another."""

import json
from collections.abc import Mapping

from aiohttp import web

from ..faults import WOULD_DENY, Fault
from .caller import Caller, Unanswered
from .program import Surroundings
from .web import Handler, reply

TRACING = (
    "x-request-id", "x-ot-span-context", "x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-sampling-priority",
    "traceparent", "tracestate", "x-cloud-trace-context", "grpc-trace-bin", "sw8", "user-agent", "cookie",
    "authorization", "jwt", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
)  # fmt: skip


def forwarded(headers: Mapping[str, str], *more: str) -> dict[str, str]:
    """Those of a request's headers that go along to the next service."""
    return {name: headers[name] for name in (*TRACING, *more) if name in headers}


def address(around: Surroundings, service: str) -> str:
    """The URL under which Bookinfo's service is called, as its environment says."""
    domain = around.env.get("SERVICES_DOMAIN", "")
    host = around.env.get(f"{service.upper()}_HOSTNAME", service)
    port = around.env.get(f"{service.upper()}_SERVICE_PORT", "9080")
    return f"http://{host}{'.' + domain if domain else ''}:{port}"


async def ask(caller: Caller, url: str, headers: Mapping[str, str], seconds: float) -> tuple[int, object]:
    """Status and decoded JSON (None when it is none) of a GET; status 0 when nobody answers in time."""
    try:
        status, body = await caller.get(url, headers, seconds)
    except Unanswered:
        return 0, None
    try:
        return status, json.loads(body)
    except ValueError:
        return status, None


def honest(around: Surroundings, handler: Handler) -> Handler:
    """The handler itself, or under the fault application-makes-403 one that refuses whom the waypoint points at."""
    name, denied = WOULD_DENY
    if Fault.APPLICATION_MAKES_403 not in around.faults:
        return handler

    async def refusing(request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get(name) == denied:
            return reply("RBAC: access denied", 403, {"Content-Type": "text/plain"})
        return await handler(request)

    return refusing
