"""Jaeger, as much of it as Istio's sample uses: takes spans in Zipkin's JSON, answers the API that its pages ask."""

import json
from collections import OrderedDict
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from aiohttp import web

from ..objects import Object
from .program import Surroundings
from .web import Web, reply

QUERY, COLLECTOR, HEALTH = 16686, 9411, 13133
BASE = "/jaeger"
MOST = 5_000
"""Traces that are kept."""
_JSON = {"Content-Type": "application/json"}
_NOBODY = {"serviceName": "unknown"}


class Jaeger(Web):
    """Collects on 9411, answers queries on 16686 under `/jaeger`, keeps the last traces."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around, {QUERY: self._query, COLLECTOR: self._collect, HEALTH: self._healthy})
        self._traces: OrderedDict[str, list[Object]] = OrderedDict()

    async def _healthy(self, request: web.BaseRequest) -> web.StreamResponse:
        return reply('{"status":"StatusOK"}', headers=_JSON)

    async def _collect(self, request: web.BaseRequest) -> web.StreamResponse:
        if (request.method, request.path) != ("POST", "/api/v2/spans"):
            return reply(status=HTTPStatus.NOT_FOUND)
        try:
            spans = json.loads(await request.text())
            made = [(_trace_id(each), span(each)) for each in spans]
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            return reply(f"not spans in Zipkin's JSON: {error}", HTTPStatus.BAD_REQUEST)
        for trace, each in made:
            self._traces.setdefault(trace, []).append(each)
        while len(self._traces) > MOST:
            self._traces.popitem(last=False)
        return reply(status=HTTPStatus.ACCEPTED)

    async def _query(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path.removeprefix(BASE)
        if path in ("", "/"):
            return reply("<title>Jaeger UI</title>", headers={"Content-Type": "text/html; charset=utf-8"})
        match path.strip("/").split("/"):
            case ["api", "services"]:
                return _answer(sorted({_service(each) for each in self._spans()}))
            case ["api", "services", name, "operations"]:
                return _answer(sorted({each["operationName"] for each in self._spans() if _service(each) == name}))
            case ["api", "traces", trace]:
                known = self._traces.get(trace.lower().rjust(32, "0"))
                return _answer([_trace(trace.lower(), known)]) if known else _unknown(trace)
            case ["api", "traces"]:
                return self._search(request)
        return reply("404 page not found", HTTPStatus.NOT_FOUND)

    def _search(self, request: web.BaseRequest) -> web.StreamResponse:
        """By service and operation; the newest first."""
        service, operation = request.query.get("service"), request.query.get("operation")
        limit = request.query.get("limit", "20")
        if service is None or not limit.isdigit():
            wrong = "parameter 'service' is required" if service is None else f"limit is no number: {limit!r}"
            return _wrong(HTTPStatus.BAD_REQUEST, wrong)

        def fits(each: Object) -> bool:
            return _service(each) == service and operation in (None, "", "all", each["operationName"])

        found = [_trace(name, spans) for name, spans in reversed(self._traces.items()) if any(map(fits, spans))]
        return _answer(found[: int(limit)])

    def _spans(self) -> Iterator[Object]:
        return (each for spans in self._traces.values() for each in spans)


def span(zipkin: Object) -> Object:
    """A span of Zipkin's as Jaeger shows it; its process stands whole in it."""
    kind = zipkin.get("kind")
    tags = {**({"span.kind": str(kind).lower()} if kind else {}), **(zipkin.get("tags") or {})}
    trace, parent = _trace_id(zipkin), zipkin.get("parentId")
    reference: Object = {"refType": "CHILD_OF", "traceID": trace, "spanID": parent}
    return {
        "traceID": trace,
        "spanID": str(zipkin["id"]),
        "operationName": str(zipkin.get("name") or ""),
        "references": [reference] if parent else [],
        "startTime": int(zipkin.get("timestamp") or 0),
        "duration": int(zipkin.get("duration") or 0),
        "tags": [{"key": key, "type": "string", "value": str(value)} for key, value in tags.items()],
        "logs": [_log(each) for each in zipkin.get("annotations") or ()],
        "process": {"serviceName": (zipkin.get("localEndpoint") or _NOBODY).get("serviceName", ""), "tags": []},
        "warnings": None,
    }


def _log(annotation: Object) -> Object:
    fields = [{"key": "event", "type": "string", "value": str(annotation.get("value", ""))}]
    return {"timestamp": int(annotation.get("timestamp") or 0), "fields": fields}


def _trace(name: str, spans: list[Object]) -> Object:
    """The trace with its processes apart, as Jaeger sends it."""
    processes: dict[str, Object] = {}
    numbers: dict[str, str] = {}
    found = []
    for each in spans:
        number = numbers.setdefault(_service(each), f"p{len(numbers) + 1}")
        processes[number] = each["process"]
        found.append({**{key: value for key, value in each.items() if key != "process"}, "processID": number})
    return {"traceID": name, "spans": found, "processes": processes, "warnings": None}


def _trace_id(zipkin: Object) -> str:
    return str(zipkin["traceId"]).lower().rjust(32, "0")


def _service(each: Object) -> str:
    return str(each["process"]["serviceName"])


def _answer(data: list[Any]) -> web.StreamResponse:
    body: Object = {"data": data, "total": len(data), "limit": 0, "offset": 0, "errors": None}
    return reply(json.dumps(body), headers=_JSON)


def _unknown(trace: str) -> web.StreamResponse:
    return _wrong(HTTPStatus.NOT_FOUND, "trace not found", traceID=trace)


def _wrong(status: HTTPStatus, why: str, **more: str) -> web.StreamResponse:
    error = {"code": int(status), "msg": why, **more}
    return reply(json.dumps({"data": None, "total": 0, "limit": 0, "offset": 0, "errors": [error]}), status, _JSON)
