"""Bookinfo's reviews, all three versions: without stars, with black ones, with red ones."""

import json
import re

from aiohttp import web

from .forwarding import address, ask, forwarded, honest
from .program import Surroundings
from .web import Web, reply

_PATH = re.compile(r"/reviews/(\d+)")
_TEXTS = (
    ("Reviewer1", "An extremely entertaining play by Shakespeare. The slapstick humour is refreshing!"),
    (
        "Reviewer2",
        "Absolutely fun and entertaining. The play lacks thematic depth when compared to other plays by Shakespeare.",
    ),
)
_JSON = {"X-Powered-By": "Servlet/3.1", "Content-Type": "application/json", "Content-Language": "en-US"}
_NONE = {**_JSON, "Content-Type": "text/html"}


class Reviews(Web):
    """Serves reviews on 9080; asks ratings for stars of the given colour."""

    def __init__(self, around: Surroundings, color: str) -> None:
        super().__init__(around, {9080: honest(around, self._answer)})
        env = around.env
        self._rated = env.get("ENABLE_RATINGS", "true" if color else "false") == "true"
        self._color = env.get("STAR_COLOR", color or "black")
        self._seconds = 10.0 if self._color == "black" else 2.5
        self._ratings = address(around, "ratings")
        self._pod = env.get("HOSTNAME", around.hostname)
        self._cluster = env.get("CLUSTER_NAME", "null")

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        found = _PATH.fullmatch(path)
        if not found and path != "/health":
            return reply("", 404, _NONE)
        if request.method not in ("GET", "HEAD"):
            return reply("", 405, {**_NONE, "Allow": "GET,OPTIONS,HEAD"})
        if not found:
            return _json('{"status": "Reviews is healthy"}')
        number = found[1]
        stars = await self._stars(request, number) if self._rated else None
        return _json(self._page(number, stars))

    async def _stars(self, request: web.BaseRequest, number: str) -> dict[str, int]:
        """Stars by reviewer; -1 for those that ratings did not tell."""
        headers = forwarded(request.headers, "end-user")
        status, answer = await ask(self.around.caller, f"{self._ratings}/ratings/{number}", headers, self._seconds)
        stars = answer.get("ratings") if status == 200 and isinstance(answer, dict) else None
        found = stars if isinstance(stars, dict) else {}
        return {name: found.get(name, -1) for name, _ in _TEXTS}

    def _page(self, number: str, stars: dict[str, int] | None) -> str:
        entries = []
        for name, text in _TEXTS:
            entry = f'{{  "reviewer": "{name}",  "text": "{text}"'
            if stars is not None:
                entry += f', "rating": {self._rating(stars[name])}'
            entries.append(entry + "}")
        head = f'"id": "{number}","podname": {json.dumps(self._pod)},"clustername": {json.dumps(self._cluster)}'
        return f'{{{head},"reviews": [{",".join(entries)}]}}'

    def _rating(self, stars: int) -> str:
        if stars == -1:
            return '{"error": "Ratings service is currently unavailable"}'
        return f'{{"stars": {json.dumps(stars)}, "color": {json.dumps(self._color)}}}'


def _json(text: str) -> web.Response:
    return reply(text, headers=_JSON)
