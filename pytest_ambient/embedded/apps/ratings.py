"""Bookinfo's ratings, with the misbehaviour that its SERVICE_VERSION asks for."""

import asyncio
import json
import random
import time

from aiohttp import web

from .forwarding import honest
from .program import CannotStart, Surroundings
from .web import Reply, Web, reply

_VARIANTS = {"", "v1", "v-faulty", "v-delayed", "v-unavailable", "v-unhealthy"}
_UNAVAILABLE_SECONDS = 60
_UNHEALTHY_SECONDS = 15 * 60
_DELAY = 7.0


class Ratings(Web):
    """Serves stars on 9080 and keeps those that are posted in memory."""

    def __init__(self, around: Surroundings) -> None:
        port = int(around.args[0]) if around.args and around.args[0].isdigit() else 9080
        super().__init__(around, {port: honest(around, self._answer)})
        self._variant = around.env.get("SERVICE_VERSION", "v1")
        self._stored: dict[int, object] = {}
        self._began = time.monotonic()

    async def start(self) -> None:
        """Serve, unless asked to read a database."""
        if self._variant not in _VARIANTS:
            known = ", ".join(sorted(_VARIANTS - {""}))
            raise CannotStart(
                f"the embedded ratings has no database: SERVICE_VERSION={self._variant} is not one of {known}"
            )
        await super().start()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path, method = request.path, request.method
        if path == "/health" and method == "GET":
            return self._health()
        if not path.startswith("/ratings/") or method not in ("GET", "POST"):
            return reply("", 404, {"Content-Type": "text/html"})
        number = path.split("/")[2]
        if not number.isdigit():
            return _json({"error": "please provide numeric product ID"}, 400)
        return await (self._post(request, int(number)) if method == "POST" else self._get(int(number)))

    async def _get(self, number: int) -> web.StreamResponse:
        if self._variant == "v-delayed" and random.random() < 0.5:  # noqa: S311 - a coin, not a secret
            await asyncio.sleep(_DELAY)
        if self._failing():
            return _json({"error": "Service unavailable"}, 503)
        return _json(self._stored.get(number, {"id": number, "ratings": {"Reviewer1": 5, "Reviewer2": 4}}))

    async def _post(self, request: web.BaseRequest, number: int) -> web.StreamResponse:
        try:
            given = json.loads(await request.read())
        except ValueError:
            return _json({"error": "please provide valid ratings JSON"}, 400)
        self._stored[number] = {"id": number, "ratings": given}
        return _json(self._stored[number])

    def _health(self) -> web.StreamResponse:
        if self._variant == "v-unhealthy" and self._failing():
            return _json({"status": "Ratings is not healthy"}, 500)
        return _json({"status": "Ratings is healthy"})

    def _failing(self) -> bool:
        seconds = time.monotonic() - self._began
        if self._variant == "v-faulty":
            return random.random() < 0.5  # noqa: S311 - a coin, not a secret
        if self._variant == "v-unavailable":
            return seconds // _UNAVAILABLE_SECONDS % 2 == 1
        return self._variant == "v-unhealthy" and seconds // _UNHEALTHY_SECONDS % 2 == 1


def _json(value: object, status: int = 200) -> Reply:
    text = json.dumps(value, separators=(",", ":"))
    headers = {"Content-type": "application/json", "Connection": "keep-alive", "Keep-Alive": "timeout=5"}
    answer = reply(text, status, headers)
    answer.enable_chunked_encoding()
    return answer
