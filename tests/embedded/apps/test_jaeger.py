"""Jaeger: what it takes in Zipkin's JSON it shows as its own API does."""

import json

from pytest_ambient.embedded.apps.jaeger import Jaeger

from .street import Answer, Street, walk

TRACE = "a" * 31 + "b"
ROOT = {
    "traceId": TRACE, "id": "1" * 16, "name": "reviews.shop.svc.cluster.local:9080/*", "kind": "SERVER",
    "timestamp": 5, "duration": 7, "localEndpoint": {"serviceName": "waypoint.shop"}, "tags": {"node_id": "n"},
    "annotations": [{"timestamp": 6, "value": "half"}],
}  # fmt: skip
CHILD = {"traceId": TRACE, "id": "2" * 16, "parentId": "1" * 16, "name": "other"}


def test_spans_come_back_as_jaegers() -> None:
    """By trace, by service, by operation; the newest first."""

    async def scenario(street: Street) -> None:
        await street.open("jaeger", Jaeger, args=("--config", "/etc/config.yaml"))
        assert (await _collect(street, [ROOT, CHILD])).status == 202
        assert (await _collect(street, [{"traceId": "7", "id": "3", "name": "late"}])).status == 202
        shown = json.loads((await _query(street, f"/jaeger/api/traces/{TRACE}")).text)
        (trace,) = shown["data"]
        root, child = trace["spans"]
        assert (root["operationName"], root["startTime"], root["duration"]) == (ROOT["name"], 5, 7)
        assert {tag["key"]: tag["value"] for tag in root["tags"]} == {"span.kind": "server", "node_id": "n"}
        assert root["references"] == []
        assert child["references"] == [{"refType": "CHILD_OF", "traceID": TRACE, "spanID": "1" * 16}]
        assert trace["processes"][root["processID"]]["serviceName"] == "waypoint.shop"
        assert root["logs"][0]["fields"][0]["value"] == "half"
        services = json.loads((await _query(street, "/jaeger/api/services")).text)
        assert services["data"] == ["unknown", "waypoint.shop"]
        operations = json.loads((await _query(street, "/jaeger/api/services/unknown/operations")).text)
        assert operations["data"] == ["late", "other"]
        found = json.loads((await _query(street, "/jaeger/api/traces?service=unknown")).text)["data"]
        assert [each["traceID"] for each in found] == ["7".rjust(32, "0"), TRACE]
        named = json.loads((await _query(street, "/jaeger/api/traces?service=unknown&operation=other&limit=5")).text)
        assert [each["traceID"] for each in named["data"]] == [TRACE]

    walk(scenario)


def test_what_is_wrong_is_told() -> None:
    """An unknown trace, a search without a service, a limit that is none, no spans, no page."""

    async def scenario(street: Street) -> None:
        await street.open("jaeger", Jaeger)
        unknown = await _query(street, "/jaeger/api/traces/7")
        assert (unknown.status, json.loads(unknown.text)["errors"][0]["msg"]) == (404, "trace not found")
        bare = await _query(street, "/jaeger/api/traces")
        assert (bare.status, json.loads(bare.text)["errors"][0]["msg"]) == (400, "parameter 'service' is required")
        assert (await _query(street, "/jaeger/api/traces?service=a&limit=many")).status == 400
        assert (await _query(street, "/jaeger/nosuch")).status == 404
        assert (await _query(street, "/jaeger/")).status == 200
        assert (await _collect(street, {"no": "list"})).status == 400
        assert (await street.ask("jaeger", "/status")).text == '{"status":"StatusOK"}'

    walk(scenario)


async def _collect(street: Street, spans: object) -> Answer:
    return await _at(street, 9411, "/api/v2/spans", "POST", json.dumps(spans))


async def _query(street: Street, path: str) -> Answer:
    return await _at(street, 16686, path)


async def _at(street: Street, port: int, path: str, method: str = "GET", data: str | None = None) -> Answer:
    street.env["JAEGER_SERVICE_PORT"] = str(street.ports[port])
    answer = await street.ask("jaeger", path, method, data=data)
    street.env["JAEGER_SERVICE_PORT"] = str(street.ports[13133])
    return answer
