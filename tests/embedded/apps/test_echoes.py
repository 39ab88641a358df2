"""The echo programs and samples."""

import asyncio
import base64
import json
import re
from collections.abc import Callable
from functools import partial

import pytest

from pytest_ambient.embedded.apps.httpbin import Httpbin, go_httpbin, old_httpbin
from pytest_ambient.embedded.apps.istio import Proxy
from pytest_ambient.embedded.apps.program import CannotStart, Surroundings
from pytest_ambient.embedded.apps.samples import Helloworld, TcpEcho

from ..kubelet.bench import Plane
from .street import Street, walk


def test_go_httpbin() -> None:
    """go-httpbin says what it was asked, every value in a list, as recorded."""

    async def scenario(street: Street) -> None:
        await street.open("httpbin", go_httpbin, {"USE_REAL_HOSTNAME": "1"})
        shown = await street.ask(
            "httpbin", "/headers", headers={"x-request-id": "7", "User-Agent": "u", "Host": "h:8000"}
        )
        found = json.loads(shown.text)["headers"]
        assert (found["X-Request-Id"], found["User-Agent"], found["Host"]) == (["7"], ["u"], ["h:8000"])
        assert shown.text.startswith('{\n  "headers": {\n    "Accept": [\n      "*/*"\n')
        assert shown.headers["Access-Control-Allow-Origin"] == "*"
        assert shown.headers["Content-Type"] == "application/json; charset=utf-8"
        assert "Server" not in shown.headers
        asked = json.loads((await street.ask("httpbin", "/get?a=1&a=2")).text)
        assert (asked["args"], asked["method"]) == ({"a": ["1", "2"]}, "GET")
        posted = json.loads((await street.ask("httpbin", "/post", "POST", data={"k": "v"})).text)
        assert (posted["form"], posted["data"]) == ({"k": ["v"]}, "k=v")
        assert json.loads((await street.ask("httpbin", "/anything/x", "PUT", data="{}")).text)["json"] == {}
        assert json.loads((await street.ask("httpbin", "/hostname")).text) == {"hostname": "httpbin-pod"}

    walk(scenario)


def test_go_httpbin_sends_on_and_asks_who_calls() -> None:
    """Redirects count down, cookies are set and shown, credentials are compared."""

    async def scenario(street: Street) -> None:
        await street.open("httpbin", go_httpbin)

        async def led(path: str) -> str:
            return (await street.ask("httpbin", path, headers={"Host": "h:8000"})).headers.get("Location", "")

        assert await led("/redirect/3") == "/relative-redirect/2"
        assert await led("/relative-redirect/1") == "/get"
        assert await led("/absolute-redirect/2") == "http://h:8000/absolute-redirect/1"
        assert (await street.ask("httpbin", "/redirect/0")).status == 400
        given = await street.ask("httpbin", "/cookies/set?a=1")
        assert (given.status, given.headers["Location"], given.headers["Set-Cookie"]) == (
            302,
            "/cookies",
            "a=1; HttpOnly",
        )
        shown = await street.ask("httpbin", "/cookies", headers={"Cookie": "a=1; b=2"})
        assert json.loads(shown.text) == {"a": "1", "b": "2"}
        assert (await street.ask("httpbin", "/cookies/eat")).status == 404
        right = {"Authorization": "Basic " + base64.b64encode(b"u:p").decode()}
        assert json.loads((await street.ask("httpbin", "/basic-auth/u/p", headers=right)).text)["authorized"]
        wrong = await street.ask("httpbin", "/basic-auth/u/q", headers=right)
        assert (wrong.status, wrong.headers["WWW-Authenticate"]) == (401, 'Basic realm="Fake Realm"')
        assert (await street.ask("httpbin", "/basic-auth/u/q", headers={"Authorization": "Basic ?"})).status == 401
        assert (await street.ask("httpbin", "/bearer")).headers["WWW-Authenticate"] == "Bearer"
        borne = await street.ask("httpbin", "/bearer", headers={"Authorization": "Bearer t"})
        assert json.loads(borne.text) == {"authenticated": True, "token": "t"}

    walk(scenario)


def test_go_httpbin_answers_in_pieces() -> None:
    """Lines of JSON, and bytes that come one by one."""

    async def scenario(street: Street) -> None:
        await street.open("httpbin", go_httpbin)
        lines = (await street.ask("httpbin", "/stream/3")).text.splitlines()
        assert [json.loads(each)["id"] for each in lines] == [0, 1, 2]
        assert (await street.ask("httpbin", "/stream/x")).status == 400
        dripped = await street.ask("httpbin", "/drip?duration=0.1&delay=0&numbytes=3&code=201")
        assert (dripped.status, dripped.text, dripped.headers["Content-Length"]) == (201, "***", "3")
        assert (await street.ask("httpbin", "/drip?duration=9&delay=9")).status == 400
        assert (await street.ask("httpbin", "/drip?duration=x")).status == 400

    walk(scenario)


def test_go_httpbin_tells_of_each_request(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, as a text logger of Go writes it: what is more than one plain word is quoted."""

    async def scenario(street: Street) -> None:
        await street.open("httpbin", go_httpbin)
        await street.ask("httpbin", "/status/503", headers={"User-Agent": "curl/8"})
        await street.ask("httpbin", "/get?a=1", headers={"User-Agent": "a b", "X-Forwarded-For": "10.0.0.1, 10.0.0.2"})

    walk(scenario)
    broken, fine = capsys.readouterr().out.splitlines()[1:]
    words = r" status=503 method=GET uri=/status/503 size_bytes=0 duration_ms=[\d.e-]+ user_agent=curl/8 "
    words += r"client_ip=127.0.0.1:\d+"
    assert re.fullmatch(rf'time=\S+Z level=ERROR msg="503 GET /status/503 [\d.]+ms"{words}', broken)
    assert ' level=INFO msg="200 GET /get?a=1 ' in fine
    assert ' uri="/get?a=1" ' in fine
    assert fine.endswith(' user_agent="a b" client_ip=10.0.0.1')


@pytest.mark.parametrize(
    ("args", "told"), [(["--access-logfile", "-"], True), (["--access-logfile=-"], True), ([], False)]
)
def test_httpbin_tells_of_requests_when_it_is_asked_to(
    args: list[str], told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the combined format, as gunicorn does with that argument alone."""

    async def scenario(street: Street) -> None:
        await street.open("httpbin", old_httpbin, args=[*args, "-b", "0.0.0.0:80", "httpbin:app"])
        await street.ask("httpbin", "/status/418?x", headers={"User-Agent": "curl/8"})

    walk(scenario)
    lines = capsys.readouterr().out.splitlines()[1:]
    assert len(lines) == told
    line = r'127\.0\.0\.1 - - \[\d\d/\w+/\d{4}:[\d:]{8} \+0000\] "GET /status/418\?x HTTP/1\.1" 418 0 "-" "curl/8"'
    assert all(re.fullmatch(line, each) for each in lines)


@pytest.mark.parametrize("program", [go_httpbin, old_httpbin])
def test_httpbin_shares_with_whoever_asks(program: Callable[[Surroundings], Httpbin]) -> None:
    """Each answer is shared with the origin that asked, not with everybody, as the real programs' are."""

    async def scenario(street: Street) -> None:
        await street.open("httpbin", program)
        friend = {"Origin": "http://friend.example"}
        for method, path in (("GET", "/get"), ("OPTIONS", "/get"), ("GET", "/nosuch")):
            asked = await street.ask("httpbin", path, method, headers=friend)
            assert asked.headers["Access-Control-Allow-Origin"] == "http://friend.example"
            assert ("Access-Control-Allow-Methods" in asked.headers) is (method == "OPTIONS")
        anybody = await street.ask("httpbin", "/get")
        assert anybody.headers["Access-Control-Allow-Origin"] == "*"

    walk(scenario)


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/status/204", "GET", 204), ("/status/503", "DELETE", 503), ("/status/x", "GET", 400),
        ("/status/999", "GET", 400), ("/get", "POST", 405), ("/post", "GET", 405), ("/nosuch", "GET", 404),
        ("/headers", "POST", 200), ("/uuid", "DELETE", 200), ("/status/401", "PUT", 401),
        ("/delay/0", "GET", 200), ("/delay/x", "GET", 400), ("/get", "HEAD", 200), ("/redirect-to?url=/x", "GET", 302),
    ],
)  # fmt: skip
def test_go_httpbin_statuses(path: str, method: str, status: int) -> None:
    """Statuses on demand, refusals for wrong methods, paths and values."""

    async def scenario(street: Street) -> None:
        await street.open("httpbin", go_httpbin)
        answer = await street.ask("httpbin", path, method)
        assert answer.status == status
        if path == "/status/503":
            assert (answer.headers["Content-Type"], answer.headers["Content-Length"]) == (
                "text/plain; charset=utf-8",
                "0",
            )

    walk(scenario)


def test_go_httpbin_in_small() -> None:
    """A teapot, pages that are none, methods that are not a page's: as the real program answers them."""

    async def scenario(street: Street) -> None:
        await street.open("httpbin", go_httpbin)
        pot = await street.ask("httpbin", "/status/418")
        assert (pot.text, pot.headers["X-More-Info"]) == ("I'm a teapot!", "http://tools.ietf.org/html/rfc2324")
        named = [each for each in pot.headers if each not in ("Content-Length", "Date")]
        assert named == sorted(named)
        unknown = await street.ask("httpbin", "/nosuch")
        assert (unknown.text, unknown.headers["Content-Type"]) == ("404 page not found\n", "text/plain; charset=utf-8")
        refused = await street.ask("httpbin", "/post")
        assert (refused.text, refused.headers["Allow"]) == ("Method Not Allowed\n", "POST")
        for path in ("/anything/x", "/delay/0"):
            shown = json.loads((await street.ask("httpbin", path)).text)
            assert [shown[each] for each in ("data", "files", "form", "json")] == ["", {}, {}, None]

    walk(scenario)


def test_delay() -> None:
    """A delay is kept."""

    async def scenario(street: Street) -> None:
        await street.open("httpbin", go_httpbin)
        began = asyncio.get_running_loop().time()
        await street.ask("httpbin", "/delay/0.2")
        assert asyncio.get_running_loop().time() - began >= 0.2

    walk(scenario)


@pytest.mark.parametrize(
    ("args", "env", "port"),
    [
        ([], {}, 8080), ([], {"PORT": "9"}, 9), (["-port", "81"], {}, 81), (["--port=82", "-host", "0.0.0.0"], {}, 82),
    ],
)  # fmt: skip
def test_go_httpbin_port(args: list[str], env: dict[str, str], port: int) -> None:
    """The port comes from argument, variable, or the image."""

    async def scenario(street: Street) -> None:
        await street.open("httpbin", go_httpbin, env, args=args)
        assert list(street.ports) == [port]

    walk(scenario)


@pytest.mark.parametrize("args", [["-nosuch"], ["-port", "x"], ["-port", "70000"]])
def test_go_httpbin_arguments(args: list[str]) -> None:
    """An argument that it does not know is said, not ignored."""

    async def scenario(street: Street) -> None:
        with pytest.raises(CannotStart):
            await street.open("httpbin", go_httpbin, args=args)

    walk(scenario)


def test_old_httpbin() -> None:
    """The older httpbin writes single values and names its server."""

    async def scenario(street: Street) -> None:
        await street.open("httpbin", old_httpbin, args=["-b", "0.0.0.0:8080", "httpbin:app"])
        answer = await street.ask("httpbin", "/headers", headers={"X-One": "1"})
        assert json.loads(answer.text)["headers"]["X-One"] == "1"
        assert answer.headers["Server"] == "gunicorn/19.9.0"
        assert list(street.ports) == [8080]

    walk(scenario)


def test_helloworld() -> None:
    """helloworld names its version and its pod."""

    async def scenario(street: Street) -> None:
        await street.open("hello", partial(Helloworld, version="v2"))
        assert (await street.ask("hello", "/hello")).text == "Hello version: v2, instance: hello-pod\n"
        assert (await street.ask("hello", "/health")).text == "Helloworld is healthy"
        assert (await street.ask("hello", "/x")).status == 404
        assert (await street.ask("hello", "/hello", "POST")).status == 405

    walk(scenario)


def test_tcp_echo() -> None:
    """tcp-echo greets each whole line, on every port that it is given."""

    async def scenario(street: Street) -> None:
        await street.open("echo", TcpEcho, args=["9000,9001", "hi"])
        assert list(street.ports) == [9000, 9001]
        for port in street.ports.values():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"one\ntwo\n")
            assert await reader.readline() == b"hi one\n"
            assert await reader.readline() == b"hi two\n"
            writer.write(b"three")
            writer.write_eof()
            assert await reader.read() == b"", "what has no end of line is no request"
            writer.close()
        with pytest.raises(CannotStart, match="list of ports"):
            await street.open("wrong", TcpEcho, args=["x"])

    walk(scenario)


def test_proxy_runs_waypoints_and_gateways_only() -> None:
    """The proxy image refuses to be anything but a waypoint or an ingress gateway."""

    async def scenario(street: Street) -> None:
        with pytest.raises(CannotStart, match="runs waypoints and gateways only, not 'proxy sidecar'"):
            await street.open("gateway", Proxy, args=["proxy", "sidecar"])

    walk(scenario)


def test_a_proxy_that_took_no_configuration_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Istio's agent has it, until it takes one."""

    async def scenario(street: Street) -> None:
        await street.open("proxy", Proxy, args=["proxy", "waypoint"])
        street.env |= {"HEALTH_HOSTNAME": "127.0.0.1", "HEALTH_SERVICE_PORT": str(street.ports[15021])}
        monkeypatch.setattr(Plane, "proxy_serves", lambda *_: False)
        said = await street.ask("health", "/healthz/ready")
        assert (said.status, said.text) == (503, "config received from XDS server, but was rejected\n")
        monkeypatch.setattr(Plane, "proxy_serves", lambda *_: True)
        assert [(await street.ask("health", path)).status for path in ("/healthz/ready", "/other")] == [200, 404]

    walk(scenario)
