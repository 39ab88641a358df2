"""Which waypoints, gateways and Services have an access log, and whose tokens are verified where."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from pytest_ambient.embedded.istiod.keys import Keys
from pytest_ambient.embedded.istiod.model import Endpoint, Identity, Mesh, Service, TokenRule, Workload
from pytest_ambient.embedded.istiod.view import View
from pytest_ambient.embedded.objects import Object

from .virtual import seen
from .world import USE_WAYPOINT, mesh_of, meta, namespace, service, waypoint_objects

ON, OFF = {"providers": [{"name": "envoy"}]}, {"providers": [{"name": "envoy"}], "disabled": True}
SERVICE = {"group": "", "kind": "Service", "name": "reviews"}
GATEWAY = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "waypoint"}
FRONT = {**GATEWAY, "name": "front"}
ALL = {"Gateway/bookinfo/waypoint", "Service/bookinfo/reviews", "Service/bookinfo/ratings"}


def _telemetry(entry: Object, *refs: Object, where: str = "bookinfo", name: str = "t") -> Object:
    spec: Object = {"accessLogging": [entry], **({"targetRefs": list(refs)} if refs else {})}
    return {"kind": "Telemetry", "metadata": meta(name, where), "spec": spec}


def _selecting(entry: Object, gateway: str, where: str = "bookinfo") -> Object:
    made = _telemetry(entry, where=where)
    made["spec"]["selector"] = {"matchLabels": {"gateway.networking.k8s.io/gateway-name": gateway}}
    return made


def _view(*, file: str = "/dev/stdout", telemetries: Sequence[Object] = (), tokens: Sequence[Object] = ()) -> View:
    gateway, own = waypoint_objects()
    bound = [service(name, labels={USE_WAYPOINT: "waypoint"}) for name in ("reviews", "ratings")]
    config = {"metadata": meta("istio", "istio-system"), "data": {"mesh": f"accessLogFile: {file}"}}
    return View(
        namespaces=[namespace("bookinfo")], services=[own, *bound], gateways=[gateway], telemetries=telemetries,
        configs=[config], authentications=tokens,
        classes=[{"metadata": meta("istio-waypoint", ""), "spec": {"controllerName": "istio.io/mesh-controller"}}],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("file", "telemetries", "quiet"),
    [
        ("/dev/stdout", [], set()),
        ('""', [], ALL),
        ('""', [_telemetry(ON, GATEWAY)], set()),
        ('""', [_telemetry(ON, SERVICE)], ALL - {"Service/bookinfo/reviews"}),
        ("/dev/stdout", [_telemetry(OFF)], ALL),
        ("/dev/stdout", [_telemetry(OFF), _telemetry(ON, SERVICE, name="u")], ALL - {"Service/bookinfo/reviews"}),
        ("/dev/stdout", [_telemetry({"disabled": True})], set()),
        ("/dev/stdout", [_telemetry(OFF, where="istio-system"), _telemetry({"disabled": False}, name="u")], set()),
        ("/dev/stdout", [_telemetry(OFF, GATEWAY, where="other")], set()),
    ],
    ids=["mesh-on", "mesh-off", "gateway-on", "service-on", "namespace-off", "service-on-again", "no-provider",
         "root-off-namespace-on", "elsewhere"],
)  # fmt: skip
def test_access_logs(file: str, telemetries: Sequence[Object], quiet: set[str]) -> None:
    """The narrowest Telemetry decides; without a provider anywhere the mesh's own configuration does."""
    assert mesh_of(_view(file=file, telemetries=telemetries)).unlogged == quiet


FAILED = "response.code >= 400"
ONLY, OTHERS = ({**ON, "filter": {"expression": each}} for each in (FAILED, "true"))
SILENT: Object = {"disabled": True}
SERVERS, CLIENTS, BOTH = ({"match": {"mode": each}} for each in ("SERVER", "CLIENT", "CLIENT_AND_SERVER"))
REVIEWS = {"Service/bookinfo/reviews"}


@pytest.mark.parametrize(
    ("wide", "narrow", "quiet", "told"),
    [
        (ONLY, {}, set(), dict.fromkeys(ALL, FAILED)),
        ({}, ONLY, set(), dict.fromkeys(REVIEWS, FAILED)),
        (ONLY, OTHERS, set(), dict.fromkeys(ALL, FAILED) | dict.fromkeys(REVIEWS, "true")),
        (ONLY, ON, set(), dict.fromkeys(ALL - REVIEWS, FAILED)),
        (ONLY, SILENT, REVIEWS, dict.fromkeys(ALL - REVIEWS, FAILED)),
        (ONLY, {"filter": {"expression": "true"}}, set(), dict.fromkeys(ALL, FAILED)),
        ({}, OFF | SERVERS, REVIEWS, {}),
        ({}, OFF | BOTH, REVIEWS, {}),
        ({}, OFF | {"match": {}}, REVIEWS, {}),
        ({}, OFF | CLIENTS, set(), {}),
        (OFF | CLIENTS, SILENT, set(), {}),
        (OFF, ONLY | CLIENTS, ALL, {}),
    ],
    ids=["namespace", "service", "the-services-own", "the-services-all", "off-for-the-service",
         "a-filter-of-no-provider", "off-for-servers", "off-for-both", "off-for-any", "off-for-clients",
         "no-provider-but-for-clients", "on-for-clients"],
)  # fmt: skip
def test_filters_and_sides(wide: Object, narrow: Object, quiet: set[str], told: dict[str, str]) -> None:
    """The last entry that names a provider has the expression; to waypoints only what is for servers counts."""
    written = [*([_telemetry(wide)] if wide else []), *([_telemetry(narrow, SERVICE, name="u")] if narrow else [])]
    mesh = mesh_of(_view(telemetries=written))
    assert mesh.unlogged == quiet
    assert mesh.log_filters == told


ELSEWHERE = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "way"}
SERVICES = {"Service/bookinfo/reviews", "Service/bookinfo/ratings"}


@pytest.mark.parametrize(
    ("telemetry", "quiet"),
    [
        (_telemetry(OFF, SERVICE), {"Service/bookinfo/reviews"}),
        (_telemetry(OFF), SERVICES),
        (_telemetry(OFF, ELSEWHERE, where="other"), {"Gateway/other/way"}),
        (_telemetry(OFF, where="other"), {"Gateway/other/way"} | SERVICES),
    ],
    ids=["service", "its-namespace", "gateway", "the-gateways-namespace"],
)
def test_access_logs_of_a_waypoint_in_another_namespace(telemetry: Object, quiet: set[str]) -> None:
    """A Service's own namespace has the last word on it; what targets the waypoint is not asked then."""
    config = {"metadata": meta("istio", "istio-system"), "data": {"mesh": "accessLogFile: /dev/stdout"}}
    assert mesh_of(replace(seen(), telemetries=[telemetry], configs=[config])).unlogged == quiet


@pytest.mark.parametrize(
    ("telemetries", "logged"),
    [
        ([], ""),
        ([_telemetry(OFF, FRONT)], None),
        ([_telemetry(OFF)], None),
        ([_telemetry(OFF, where="istio-system")], None),
        ([_telemetry(OFF, where="other")], ""),
        ([_telemetry(OFF, FRONT, where="other")], ""),
        ([_telemetry(OFF, FRONT, where="istio-system")], ""),
        ([_telemetry(OFF, GATEWAY)], ""),
        ([_telemetry(OFF), _telemetry(ON, FRONT, name="u")], ""),
        ([_telemetry(OFF | CLIENTS, FRONT)], None),
        ([_telemetry(OFF | SERVERS, FRONT)], ""),
        ([_telemetry(SILENT, FRONT)], ""),
        ([_telemetry(ONLY)], FAILED),
        ([_telemetry(ONLY), _telemetry(OTHERS, FRONT, name="u")], "true"),
        ([_telemetry(ONLY), _telemetry(ON, FRONT, name="u")], ""),
        ([_telemetry(ONLY), _telemetry(SILENT, FRONT, name="u")], None),
        ([_telemetry(ONLY | CLIENTS, FRONT)], FAILED),
        ([_telemetry(ONLY | SERVERS, FRONT)], ""),
        ([_selecting(OFF, "front")], None),
        ([_selecting(OFF, "back")], ""),
        ([_selecting(OFF, "front", where="istio-system")], ""),
    ],
)
def test_access_log_of_a_gateway(telemetries: Sequence[Object], logged: str | None) -> None:
    """Telemetries for callers' proxies count: those for all, for its namespace, and those there that mean its pods."""
    view = _view(telemetries=telemetries)
    front: Object = {"metadata": meta("front"), "spec": {"gatewayClassName": "istio"}}
    mesh = mesh_of(replace(view, gateways=[*view.gateways, front]))
    assert mesh.ingresses["bookinfo/front"].logged == logged


def test_tokens_are_verified_for_their_targets() -> None:
    """For a Service or for the whole waypoint; without a target nowhere, as ztunnel verifies none."""
    rule = {"issuer": "i", "jwks": "{}", "fromHeaders": [{"name": "x", "prefix": "p "}], "forwardOriginalToken": True}
    rule |= {"spaceDelimitedClaims": ["roles"], "timeout": "1m"}
    kind, wanted = (
        {"kind": "RequestAuthentication"},
        TokenRule("i", keys="{}", from_headers=(("x", "p "),), forwarded=True, spaced=("roles",), timeout=60.0),
    )
    items = [
        kind | {"metadata": meta(name), "spec": {"jwtRules": [rule], **({"targetRefs": [ref]} if ref else {})}}
        for name, ref in (("s", SERVICE), ("g", GATEWAY), ("n", None))
    ]
    mesh = mesh_of(_view(tokens=items))
    assert mesh.service_tokens == {"bookinfo/reviews": (wanted,)}
    assert mesh.waypoints["bookinfo/waypoint"].tokens == (wanted,)


@pytest.mark.parametrize(("timeout", "there"), [(5.0, True), (0.05, False)])
def test_key_sets_are_fetched_from_a_service(tmp_path: Path, timeout: float, there: bool) -> None:
    """From a pod behind it; nobody's keys until they are there in time, and none where there is no such Service."""
    keys = json.dumps({"keys": []})

    async def served() -> tuple[str, str]:
        async def answer(request: web.BaseRequest) -> web.Response:
            await asyncio.sleep(0.2)
            return web.Response(text=keys if request.path == "/jwks" else "none", status=200)

        runner = web.ServerRunner(web.Server(answer))
        await runner.setup()
        await web.UnixSite(runner, str(tmp_path / "s")).start()
        changed = asyncio.Event()
        found = Keys(changed.set)
        try:
            before = found.filled(_mesh(tmp_path / "s", timeout)).service_tokens["bookinfo/reviews"][0].keys
            await asyncio.wait_for(changed.wait(), 5)
            return before, found.filled(_mesh(tmp_path / "s", timeout)).service_tokens["bookinfo/reviews"][0].keys
        finally:
            await found.stop()
            await runner.cleanup()

    assert asyncio.run(served()) == ("", keys if there else "")


def _mesh(socket: Path, timeout: float) -> Mesh:
    pod = Workload(
        "keys-x", "other", "127.80.1.1", Identity("other", "keys"), "node", {}, "keys", "deployment", ready=True,
        captured=True, sockets={8080: str(socket)},
    )  # fmt: skip
    holder = Service("keys", "other", "127.80.200.5", (), (Endpoint(pod.uid, {8000: 8080}),))
    rule = TokenRule("i", uri="http://keys.other.svc.cluster.local:8000/jwks", timeout=timeout)
    tokens = (rule, replace(rule, uri="http://nobody.other:80/"))
    return Mesh({pod.uid: pod}, {holder.key: holder}, service_tokens={"bookinfo/reviews": tokens})
