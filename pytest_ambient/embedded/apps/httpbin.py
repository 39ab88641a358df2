"""The echo programs: go-httpbin, and the older httpbin whose answers are shaped a little differently."""

import asyncio
import base64
import json
import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from . import log_lines
from .httpbin_pages import LONGEST, Page, Pages
from .program import CannotStart, Surroundings
from .web import Reply, Web, reply

_LARGEST_BODY = 100 * 1024
_JSON = "application/json; charset=utf-8"
_LOCALHOST = ("127.0.0.1", 0)
"""Who is at the other end of the pod's own sockets, which have no addresses."""
_BOUND = ("", "get", "post", "put", "patch", "delete")
"""The pages that go-httpbin binds to a method."""
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, HEAD, PUT, DELETE, PATCH, OPTIONS",
    "Access-Control-Max-Age": "3600",
}


class Httpbin(Web):
    """Says what it was asked; every value of a header or a parameter is in a list."""

    listed = True
    longest = 1 << 20
    strict = False
    """Whether every page is bound to its method."""
    server: Mapping[str, str] = {}

    def __init__(self, around: Surroundings, port: int) -> None:
        super().__init__(around, {port: self._answer})
        self._pages: dict[str, tuple[str, Page]] = {
            "get": ("GET", self._echo), "post": ("POST", self._echo), "put": ("PUT", self._echo),
            "patch": ("PATCH", self._echo), "delete": ("DELETE", self._echo), "anything": ("", self._whole),
            "headers": ("GET", self._headers), "delay": ("", self._delay),
            "ip": ("GET", self._ip), "user-agent": ("GET", self._agent), "hostname": ("GET", self._hostname),
            "uuid": ("GET", self._uuid), "bytes": ("GET", self._bytes), "response-headers": ("", self._given),
            "redirect-to": ("", self._redirect), "base64": ("GET", self._decoded), "": ("GET", self._index),
            **Pages(self).by_name,
        }  # fmt: skip

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Shared with whoever asks, by name (go-httpbin v2.15.0)."""
        began = time.monotonic()
        asked = request.method == "OPTIONS"
        found = reply("", 200, {**self.plain, **_PREFLIGHT}) if asked else await self._page(request)
        found.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin") or "*"
        self.order(found)
        line = self.line(request, found, time.monotonic() - began)
        if line:
            self.around.log(line)
        return found

    def line(self, request: web.BaseRequest, answer: Reply, seconds: float) -> str:
        """What the log says of a request, nothing when it is not told."""
        return log_lines.structured(request, answer, seconds, self._origin(request))

    async def _page(self, request: web.BaseRequest) -> Reply:
        first, _, rest = request.path.removeprefix("/").partition("/")
        method, handler = self._pages.get(first, (None, None))
        if handler is None:
            return self.unknown(404)
        bound = method if self.strict or first in _BOUND else ""
        if bound and request.method != bound and (request.method, bound) != ("HEAD", "GET"):
            return self.unknown(405, bound)
        return await handler(request, rest)

    @property
    def plain(self) -> dict[str, str]:
        """The headers of every answer."""
        return {"Access-Control-Allow-Credentials": "true", **self.server}

    def json(self, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """An answer in JSON."""
        text = json.dumps(value, indent=2) + "\n"
        return reply(text, status, {**self.plain, "Content-Type": _JSON, **(headers or {})})

    def error(self, status: int, detail: str = "") -> Reply:
        """An answer that refuses."""
        body = {"status_code": status, "error": HTTPStatus(status).phrase}
        return self.json(body | ({"detail": detail} if detail else {}), status)

    def unknown(self, status: int, method: str = "") -> Reply:
        """What is said of a path that is no page, or of a method that is not the page's."""
        text = "404 page not found\n" if status == 404 else "Method Not Allowed\n"
        allowed = {"Allow": "GET, HEAD" if method == "GET" else method} if method else {}
        plain = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
        return reply(text, status, {**self.plain, **plain, **allowed})

    def order(self, answer: Reply) -> None:
        """Put the headers into the order in which the program sends them, which is that of the alphabet."""
        found = sorted(answer.headers.items())
        answer.headers.clear()
        answer.headers.extend(found)

    def values(self, items: Mapping[str, list[str]]) -> dict[str, Any]:
        """Names in order with their values, as this program writes them."""
        return {name: items[name] if self.listed else ",".join(items[name]) for name in sorted(items)}

    def _shown_headers(self, request: web.BaseRequest) -> dict[str, Any]:
        found: dict[str, list[str]] = {}
        for name, value in request.headers.items():
            found.setdefault("-".join(part.capitalize() for part in name.split("-")), []).append(value)
        return self.values(found)

    def _origin(self, request: web.BaseRequest) -> str:
        """Who asked: the proxies' word for it, or the other end, localhost where no address was announced."""
        if told := request.headers.get("x-forwarded-for"):
            return told.split(",")[0].strip()
        peer = request.transport.get_extra_info("peername") if request.transport else None
        return self.peer(*(peer if isinstance(peer, tuple) else _LOCALHOST))

    def peer(self, address: str, port: int) -> str:
        """How the other end of a connection is called."""
        return f"{address}:{port}"

    def asked(self, request: web.BaseRequest) -> dict[str, Any]:
        """What the request says, but its body."""
        host = request.headers.get("Host", request.host)  # which leaves out the port of a URL that is whole
        return {
            "args": self.values(parse_qs(request.query_string, keep_blank_values=True)),
            "headers": self._shown_headers(request),
            "method": request.method,
            "origin": self._origin(request),
            "url": f"{request.headers.get('x-forwarded-proto', 'http')}://{host}{request.path_qs}",
        }

    async def _echo(self, request: web.BaseRequest, _: str) -> Reply:
        answer = self.asked(request)
        if request.method in ("POST", "PUT", "PATCH", "DELETE"):
            answer |= self._body(request, await request.read())
        return self.json(answer)

    async def _whole(self, request: web.BaseRequest, _: str) -> Reply:
        return self.json(self.asked(request) | self._body(request, await request.read()))

    def _body(self, request: web.BaseRequest, body: bytes) -> dict[str, Any]:
        text = body.decode(errors="replace")
        form = parse_qs(text) if request.content_type == "application/x-www-form-urlencoded" else {}
        try:
            decoded = json.loads(text) if text else None
        except ValueError:
            decoded = None
        return {"data": text, "files": {}, "form": self.values(form), "json": decoded}

    async def _headers(self, request: web.BaseRequest, _: str) -> Reply:
        return self.json({"headers": self._shown_headers(request)})

    async def _delay(self, request: web.BaseRequest, rest: str) -> Reply:
        try:
            seconds = float(rest.removesuffix("s"))
        except ValueError:
            return self.error(400, f"invalid duration: {rest!r}")
        await asyncio.sleep(min(max(seconds, 0.0), LONGEST))
        return await self._whole(request, "")

    async def _ip(self, request: web.BaseRequest, _: str) -> Reply:
        return self.json({"origin": self._origin(request)})

    async def _agent(self, request: web.BaseRequest, _: str) -> Reply:
        return self.json({"user-agent": request.headers.get("user-agent", "")})

    async def _hostname(self, _: web.BaseRequest, rest: str) -> Reply:
        real = self.around.env.get("USE_REAL_HOSTNAME", "") in ("1", "true") or "-use-real-hostname" in self.around.args
        return self.json({"hostname": self.around.env.get("HOSTNAME", "") if real else "go-httpbin"})

    async def _uuid(self, _: web.BaseRequest, rest: str) -> Reply:
        return self.json({"uuid": str(uuid.uuid4())})

    async def _bytes(self, _: web.BaseRequest, rest: str) -> Reply:
        count = min(int(rest), _LARGEST_BODY) if rest.isdigit() else 0
        return reply(b"\xa5" * count, 200, {**self.plain, "Content-Type": "application/octet-stream"})

    async def _decoded(self, _: web.BaseRequest, rest: str) -> Reply:
        try:
            data = base64.b64decode(rest.removeprefix("decode/"), altchars=b"-_", validate=True)
        except ValueError as error:
            return self.error(400, f"decode failed: {error}")
        return reply(data, 200, {**self.plain, "Content-Type": "text/plain"})

    async def _given(self, request: web.BaseRequest, _: str) -> Reply:
        asked = {name: ",".join(each) for name, each in parse_qs(request.query_string).items()}
        return self.json(self.values(parse_qs(request.query_string)), headers=asked)

    async def _redirect(self, request: web.BaseRequest, _: str) -> Reply:
        where = parse_qs(request.query_string).get("url", [""])[0]
        return reply("", 302, {**self.plain, "Location": where}) if where else self.error(400, "missing URL")

    async def _index(self, _: web.BaseRequest, rest: str) -> Reply:
        return reply(
            "<!DOCTYPE html><title>httpbin</title><h1>httpbin</h1>", 200,
            {**self.plain, "Content-Type": "text/html; charset=utf-8"},
        )  # fmt: skip


class OldHttpbin(Httpbin):
    """The Python httpbin: single values are strings, and a server is named."""

    listed = False
    longest = Web.longest
    strict = True
    server: Mapping[str, str] = {"Server": "gunicorn/19.9.0", "Connection": "keep-alive"}

    def line(self, request: web.BaseRequest, answer: Reply, seconds: float) -> str:
        """The line of gunicorn's access log, when the arguments ask for one."""
        args = " ".join(self.around.args).replace("=", " ")
        return log_lines.common(request, answer) if "--access-logfile -" in args else ""

    def unknown(self, status: int, method: str = "") -> Reply:
        """An answer in JSON."""
        return self.error(status)

    def peer(self, address: str, port: int) -> str:
        """The address alone."""
        return address

    def order(self, answer: Reply) -> None:
        """They come as they were set."""


def go_httpbin(around: Surroundings) -> Httpbin:
    """go-httpbin on 8080 or where PORT or `-port` say; CannotStart for arguments that it does not know."""
    port, words = around.env.get("PORT", "8080"), list(around.args)
    while words:
        word = words.pop(0)
        name, _, value = word.lstrip("-").partition("=")
        if name == "use-real-hostname":
            continue
        if name not in ("port", "host"):
            raise CannotStart(f"the embedded go-httpbin has no argument {word!r}: -port, -host and -use-real-hostname")
        value = value or (words.pop(0) if words else "")
        port = value if name == "port" else port
    return Httpbin(around, _number(port))


def old_httpbin(around: Surroundings) -> Httpbin:
    """httpbin on 80, or where gunicorn's `-b HOST:PORT` says."""
    words = list(around.args)
    bind = words[words.index("-b") + 1] if "-b" in words[:-1] else "0.0.0.0:80"
    return OldHttpbin(around, _number(bind.rpartition(":")[2]))


def _number(port: str) -> int:
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise CannotStart(f"{port!r} is not a port")
    return int(port)
