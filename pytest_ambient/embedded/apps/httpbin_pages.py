"""Pages of the echo programs that are about more than the request: redirects, cookies, callers' names, slow bodies."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl

from aiohttp import web

from .web import Reply, reply

Page = Callable[[web.BaseRequest, str], Awaitable[Reply]]
_MOST_LINES = 100
_ANSWERS: Mapping[int, tuple[str, Mapping[str, str]]] = {
    **dict.fromkeys((301, 302, 303, 305, 307), ("", {"Location": "/redirect/1"})),
    **dict.fromkeys((300, 308), ("", {"Location": "/image/jpeg"})),
    401: ("", {"WWW-Authenticate": 'Basic realm="Fake Realm"'}),
    407: ("", {"Proxy-Authenticate": 'Basic realm="Fake Realm"'}),
    418: ("I'm a teapot!", {"X-More-Info": "http://tools.ietf.org/html/rfc2324"}),
}
"""What statuses on demand come with."""
LONGEST = 10.0
"""Seconds that a request may take."""


class Echo(Protocol):
    """The program whose pages these are."""

    listed: bool
    strict: bool

    @property
    def plain(self) -> dict[str, str]:
        """The headers of every answer."""

    def json(self, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """An answer in JSON."""

    def error(self, status: int, detail: str = "") -> Reply:
        """An answer that refuses."""

    def asked(self, request: web.BaseRequest) -> dict[str, Any]:
        """What the request says, but its body."""


class Pages:
    """The pages of one program."""

    def __init__(self, echo: Echo) -> None:
        self._echo = echo

    @property
    def by_name(self) -> dict[str, tuple[str, Page]]:
        """Each page with the method that it wants, empty for any, by the first word of its path."""
        return {
            "redirect": ("GET", self._redirect), "relative-redirect": ("GET", self._redirect),
            "absolute-redirect": ("GET", self._redirect), "cookies": ("GET", self._cookies),
            "basic-auth": ("GET", self._basic), "bearer": ("GET", self._bearer),
            "status": ("", self._status), "stream": ("GET", self._stream), "drip": ("GET", self._drip),
        }  # fmt: skip

    async def _status(self, _: web.BaseRequest, rest: str) -> Reply:
        if not rest.isdigit() or not 100 <= int(rest) <= 599:
            return self._echo.error(400, f"invalid status code: {rest!r}")
        code = int(rest)
        body, more = ("", {}) if self._echo.strict and code == 418 else _ANSWERS.get(code, ("", {}))
        reason = "I'm a teapot" if code == 418 else None
        headers = {**self._echo.plain, "Content-Type": "text/plain; charset=utf-8", **more}
        return reply(body, code, headers, reason=reason)

    def _to(self, where: str) -> Reply:
        return reply("", 302, {**self._echo.plain, "Location": where})

    async def _redirect(self, request: web.BaseRequest, rest: str) -> Reply:
        if not rest.isdigit() or int(rest) < 1:
            return self._echo.error(400, "redirect count must be > 0")
        kind, left = request.path.split("/")[1], int(rest) - 1
        absolute = kind == "absolute-redirect" or (kind == "redirect" and request.query.get("absolute") == "true")
        there = f"/{'absolute' if absolute else 'relative'}-redirect/{left}" if left else "/get"
        scheme = request.headers.get("x-forwarded-proto", "http")
        return self._to(f"{scheme}://{request.host}{there}" if absolute else there)

    async def _cookies(self, request: web.BaseRequest, rest: str) -> Reply:
        if rest not in ("", "set", "delete"):
            return self._echo.error(404)
        if not rest:
            known = dict(request.cookies)
            return self._echo.json(known if self._echo.listed else {"cookies": known})
        found = self._to("/cookies")
        more = "; Max-Age=0" if rest == "delete" else ""
        for name, value in parse_qsl(request.query_string):
            found.headers.add("Set-Cookie", f"{name}={value}; HttpOnly{more}")
        return found

    async def _basic(self, request: web.BaseRequest, rest: str) -> Reply:
        kind, _, said = request.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(said).decode() if kind == "Basic" else ":"
        except ValueError:
            given = ":"
        right, user = given == rest.replace("/", ":", 1), given.partition(":")[0]
        told = {"authorized" if self._echo.listed else "authenticated": right, "user": user}
        return self._echo.json(told, *((200,) if right else (401, {"WWW-Authenticate": 'Basic realm="Fake Realm"'})))

    async def _bearer(self, request: web.BaseRequest, _: str) -> Reply:
        words = request.headers.get("Authorization", "").split()
        if len(words) == 2 and words[0] == "Bearer":
            return self._echo.json({"authenticated": True, "token": words[1]})
        refused = self._echo.error(401)
        refused.headers["WWW-Authenticate"] = "Bearer"
        return refused

    async def _stream(self, request: web.BaseRequest, rest: str) -> Reply:
        if not rest.isdigit():
            return self._echo.error(400, f"invalid count: {rest!r}")
        told = self._echo.asked(request)
        del told["method"]
        lines = (json.dumps({"id": each, **told}) for each in range(min(max(int(rest), 1), _MOST_LINES)))
        return reply("".join(f"{line}\n" for line in lines), 200, self._echo.plain)

    async def _drip(self, request: web.BaseRequest, _: str) -> Reply:
        asked = request.query
        try:
            duration, delay = (float(asked.get(name, "2").removesuffix("s")) for name in ("duration", "delay"))
            count, code = int(asked.get("numbytes", "10")), int(asked.get("code", "200"))
        except ValueError as error:
            return self._echo.error(400, str(error))
        if min(duration, delay) < 0 or duration + delay > LONGEST or count < 1:
            return self._echo.error(400, "too much time, or no bytes")
        await asyncio.sleep(delay)
        headers = {**self._echo.plain, "Content-Type": "text/plain; charset=utf-8", "Content-Length": str(count)}
        return Reply(body=_dripping(count, duration / max(count - 1, 1)), status=code, headers=headers)


async def _dripping(count: int, pause: float) -> AsyncIterator[bytes]:
    for number in range(count):
        if number:
            await asyncio.sleep(pause)
        yield b"*"
