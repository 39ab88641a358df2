"""Bookinfo's details."""

import json

from aiohttp import web

from .forwarding import honest
from .program import CannotStart, Surroundings
from .web import Web, reply

_SERVER = "WEBrick/1.8.1 (Ruby/3.1.2/2022-04-12)"
_BOOK = {
    "author": "William Shakespeare", "year": 1595, "type": "paperback", "pages": 200, "publisher": "PublisherA",
    "language": "English", "ISBN-10": "1234567890", "ISBN-13": "123-1234567890",
}  # fmt: skip


class Details(Web):
    """Serves the book's details on 9080."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around, {_port(around): honest(around, self._answer)})

    async def start(self) -> None:
        """Serve, unless asked to query a book service outside the cluster."""
        if self.around.env.get("ENABLE_EXTERNAL_BOOK_SERVICE") == "true":
            raise CannotStart("the embedded details has no external book service (ENABLE_EXTERNAL_BOOK_SERVICE)")
        await super().start()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method not in ("GET", "HEAD", "POST", "PUT", "PATCH", "OPTIONS"):
            return _page(405, "Method Not Allowed", f"unsupported method `{request.method}'.", request.host)
        path = request.path
        if path == "/health":
            return _json({"status": "Details is healthy"})
        if not path.startswith("/details"):
            return _page(404, "Not Found", f"`{path}' not found.", request.host)
        number = path.rpartition("/")[2]
        if not number.isdigit():
            return _json({"error": "please provide numeric product id"}, 400)
        return _json({"id": int(number), **_BOOK})


def _port(around: Surroundings) -> int:
    return int(around.args[0]) if around.args and around.args[0].isdigit() else 9080


def _json(value: object, status: int = 200) -> web.Response:
    text = json.dumps(value, separators=(",", ":"))
    return reply(text, status, {"Content-Type": "application/json", "Server": _SERVER, "Connection": "Keep-Alive"})


def _page(status: int, title: str, text: str, host: str) -> web.Response:
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1>{text}<hr>{_SERVER} at {host}</body></html>"
    headers = {"Content-Type": "text/html; charset=ISO-8859-1", "Server": _SERVER}
    return reply(body, status, headers, reason=title)
