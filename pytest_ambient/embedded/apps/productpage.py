"""Bookinfo's productpage: signs users in, asks details and reviews, shows what they said."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from . import page
from .forwarding import address, ask, forwarded, honest
from .program import Surroundings
from .session import COOKIE, sign, user_of
from .web import Reply, Web, reply

_SECONDS = 3.0
_HTML = "text/html; charset=utf-8"
_SORRY = "Sorry, product {} are currently unavailable for this book."
_PRODUCT = {
    "id": 0,
    "title": page.TITLE,
    "descriptionHtml": "<i>The Comedy of Errors</i> is an early play of <b>William Shakespeare</b>: two pairs of "
    "twins, one town, many mistaken identities.",
}
_Page = Callable[[web.BaseRequest], Awaitable[Reply]]


class Productpage(Web):
    """Serves the bookshop on 9080."""

    def __init__(self, around: Surroundings) -> None:
        port = int(around.args[0]) if around.args and around.args[0].isdigit() else 9080
        super().__init__(around, {port: honest(around, self._answer)})
        self._urls = {name: address(around, name) for name in ("details", "reviews", "ratings")}
        self._results: Counter[tuple[str, int]] = Counter()
        self._pages: dict[str, tuple[str, _Page]] = {
            "/": ("GET", self._index), "/index.html": ("GET", self._index), "/health": ("GET", self._health),
            "/productpage": ("GET", self._product), "/login": ("POST", self._login), "/logout": ("GET", self._logout),
            "/metrics": ("GET", self._metrics), "/api/v1/products": ("GET", self._products),
        }  # fmt: skip

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        known = self._pages.get(request.path) or self._api(request.path)
        if known is None:
            text = (
                "The requested URL was not found on the server. If you entered the URL manually please check your "
                "spelling and try again."
            )
            return _html(page.error(404, "Not Found", text), 404, reason="NOT FOUND")
        method, handler = known
        allowed = "HEAD, OPTIONS, GET" if method == "GET" else f"OPTIONS, {method}"
        if request.method == "OPTIONS":
            return _html("", headers={"Allow": allowed})
        if request.method != method and (request.method, method) != ("HEAD", "GET"):
            body = page.error(405, "Method Not Allowed", "The method is not allowed for the requested URL.")
            return _html(body, 405, headers={"Allow": allowed}, reason="METHOD NOT ALLOWED")
        return await handler(request)

    def _api(self, path: str) -> tuple[str, _Page] | None:
        parts = path.removeprefix("/api/v1/products/").split("/")
        if not path.startswith("/api/v1/products/") or not parts[0].isdigit() or len(parts) > 2:
            return None
        what = parts[1] if len(parts) == 2 else "details"
        if what not in self._urls or (what == "details" and len(parts) == 2):
            return None

        async def answer(request: web.BaseRequest) -> Reply:
            status, value = await self._fetch(what, int(parts[0]), self._headers(request))
            return _json(value, status)

        return "GET", answer

    async def _index(self, _: web.BaseRequest) -> Reply:
        return _html(page.index())

    async def _health(self, _: web.BaseRequest) -> Reply:
        return _html("Product page is healthy")

    async def _products(self, _: web.BaseRequest) -> Reply:
        return _json([_PRODUCT])

    async def _product(self, request: web.BaseRequest) -> Reply:
        headers = self._headers(request)
        details, reviews = await asyncio.gather(self._fetch("details", 0, headers), self._fetch("reviews", 0, headers))
        return _html(page.product(user_of(request.headers), details, reviews), headers={"Vary": "Cookie"})

    async def _login(self, request: web.BaseRequest) -> Reply:
        form = parse_qs((await request.read()).decode(errors="replace"), keep_blank_values=True)
        cookie = f"{COOKIE}={sign(form.get('username', [''])[0])}; HttpOnly; Path=/"
        return _redirect(request, cookie)

    async def _logout(self, request: web.BaseRequest) -> Reply:
        return _redirect(request, f"{COOKIE}=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/")

    async def _metrics(self, _: web.BaseRequest) -> Reply:
        head = "# HELP request_result_total Results of requests\n# TYPE request_result_total counter\n"
        rows = (
            f'request_result_total{{destination_app="{app}",response_code="{code}"}} {count:.1f}\n'
            for (app, code), count in sorted(self._results.items())
        )
        return reply(head + "".join(rows), headers=_named("text/plain; version=0.0.4; charset=utf-8"))

    def _headers(self, request: web.BaseRequest) -> dict[str, str]:
        user = user_of(request.headers)
        return forwarded(request.headers) | ({} if user is None else {"end-user": user})

    async def _fetch(self, service: str, number: int, headers: Mapping[str, str]) -> tuple[int, Any]:
        """What a service says of a product; its own status, 500 when it can't be reached. Reviews is asked twice."""
        url = f"{self._urls[service]}/{service}/{number}"
        for _ in range(2 if service == "reviews" else 1):
            status, answer = await ask(self.around.caller, url, headers, _SECONDS)
            self._results[service, status or 500] += 1
            if status == 200:
                return status, answer
        return status or 500, {"error": _SORRY.format(service)}


def _named(content_type: str) -> dict[str, str]:
    return {"Server": "gunicorn", "Connection": "keep-alive", "Content-Type": content_type}


def _html(
    text: str, status: int = 200, *, headers: Mapping[str, str] | None = None, reason: str | None = None
) -> Reply:
    return reply(text, status, {**_named(_HTML), **(headers or {})}, reason=reason)


def _json(value: Any, status: int = 200) -> Reply:
    return reply(json.dumps(value), status, _named("application/json"))


def _redirect(request: web.BaseRequest, cookie: str) -> Reply:
    where = request.headers.get("referer", "None")
    return _html(page.redirect(where), 302, headers={"Location": where, "Vary": "Cookie", "Set-Cookie": cookie})
