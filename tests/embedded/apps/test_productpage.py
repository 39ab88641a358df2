"""Productpage: what it shows, who is signed in, what it passes on; and the fault of the applications."""

import json
from functools import partial

import pytest
from aiohttp import web

from pytest_ambient.embedded.apps.details import Details
from pytest_ambient.embedded.apps.productpage import Productpage
from pytest_ambient.embedded.apps.program import Surroundings
from pytest_ambient.embedded.apps.ratings import Ratings
from pytest_ambient.embedded.apps.reviews import Reviews
from pytest_ambient.embedded.apps.session import sign, user_of
from pytest_ambient.embedded.apps.web import Web, reply
from pytest_ambient.embedded.faults import WOULD_DENY, Fault

from .street import NO_RATINGS, V1, V2, V3, Street, walk


async def whole(street: Street, reviews: partial[Reviews] = V2) -> None:
    """Open all four services."""
    await street.open("details", Details)
    await street.open("ratings", Ratings)
    await street.open("reviews", reviews)
    await street.open("productpage", Productpage)


@pytest.mark.parametrize(
    ("maker", "color", "stars"), [(V1, "", 0), (V2, "black", 9), (V3, "red", 9)], ids=["v1", "v2", "v3"]
)
def test_product_page(maker: partial[Reviews], color: str, stars: int) -> None:
    """The page shows by its marks which version of reviews served it."""

    async def scenario(street: Street) -> None:
        await whole(street, maker)
        answer = await street.ask("productpage", "/productpage?u=normal")
        assert (answer.status, answer.headers["Server"], answer.headers["Vary"]) == (200, "gunicorn", "Cookie")
        for mark in ("<title>Simple Bookstore App</title>", "Book Details", "Book Reviews", "Reviews served by:"):
            assert mark in answer.text
        assert "<u>reviews-pod</u>" in answer.text
        assert answer.text.count('<svg id="glyphicon glyphicon-star"') == stars
        assert (f'<div class="flex gap-x-1 text-{color}-500">' in answer.text) is bool(color)
        assert "Signed in" not in answer.text

    walk(scenario)


def test_product_page_without_backends() -> None:
    """The page is 200 whatever fails behind it, and says what is missing; the API tells the upstream's status."""

    async def scenario(street: Street) -> None:
        nowhere = {f"{name}_SERVICE_PORT": "1" for name in ("DETAILS", "REVIEWS", "RATINGS")}
        hosts = {f"{name}_HOSTNAME": "127.0.0.1" for name in ("DETAILS", "REVIEWS", "RATINGS")}
        await street.open("productpage", Productpage, nowhere | hosts)
        answer = await street.ask("productpage", "/productpage")
        assert answer.status == 200
        for what in ("details", "reviews"):
            assert f'<p class="text-2xl text-red-500">Error fetching product {what}</p>' in answer.text
            assert f"Sorry, product {what} are currently unavailable for this book." in answer.text
        for what in ("", "/reviews", "/ratings"):
            assert (await street.ask("productpage", f"/api/v1/products/0{what}")).status == 500

    walk(scenario)


def test_product_page_without_ratings() -> None:
    """Reviews without stars carry ratings' excuse."""

    async def scenario(street: Street) -> None:
        await street.open("details", Details)
        await street.open("reviews", V3, NO_RATINGS)
        await street.open("productpage", Productpage)
        answer = await street.ask("productpage", "/productpage")
        assert '<p class="text-red-500">Ratings service is currently unavailable</p>' in answer.text
        assert "gap-x-1 text-red-500" not in answer.text

    walk(scenario)


def test_session() -> None:
    """Signing in sets a signed cookie and goes back where one came from; signed in, `end-user` reaches reviews."""

    async def scenario(street: Street) -> None:
        await whole(street)
        here = "http://productpage:9080/productpage"
        form = {"username": "normal", "passwd": "x"}
        answer = await street.ask("productpage", "/login", "POST", data=form, headers={"Referer": here})
        assert (answer.status, answer.headers["Location"], answer.headers["Vary"]) == (302, here, "Cookie")
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("session=eyJ1c2VyIjoibm9ybWFsIn0.")
        assert cookie.endswith("; HttpOnly; Path=/")
        jar = {"Cookie": cookie.split(";")[0]}
        assert "<b>normal</b>" in (await street.ask("productpage", "/productpage", headers=jar)).text
        out = await street.ask("productpage", "/logout", headers={**jar, "Referer": here})
        assert (out.status, out.headers["Set-Cookie"].split(";")[0]) == (302, "session=")
        lost = await street.ask("productpage", "/login", "POST", data=form)
        assert (lost.status, lost.headers["Location"]) == (302, "None")

    walk(scenario)


def test_forged_session() -> None:
    """A cookie that was changed signs nobody in."""
    value = sign("test")
    assert user_of({"cookie": f"a=b; session={value}"}) == "test"
    payload, rest = sign("admin").split(".", 1)[0], value.split(".", 1)[1]
    for forged in (f"{payload}.{rest}", value[:-2], "x", "", value + "x"):
        assert user_of({"cookie": f"session={forged}"}) is None
    assert user_of({}) is None


def test_forwarded_headers() -> None:
    """Tracing headers go on to the services behind; an `end-user` from outside does not, one's own does."""

    async def scenario(street: Street) -> None:
        seen: list[dict[str, str]] = []

        class Listener(Web):
            """Remembers what it is sent."""

            def __init__(self, around: Surroundings) -> None:
                super().__init__(around, {9080: self.note})

            async def note(self, request: web.BaseRequest) -> web.StreamResponse:
                """Remember."""
                seen.append({key.lower(): value for key, value in request.headers.items()})
                return reply(json.dumps({"ratings": {}, "reviews": []}))

        await street.open("details", Listener)
        await street.open("reviews", Listener)
        await street.open("productpage", Productpage)
        sent = {"X-Request-Id": "r1", "end-user": "mallory", "traceparent": "t", "X-Other": "o", "User-Agent": "ua"}
        await street.ask("productpage", "/productpage", headers=sent)
        assert len(seen) == 2
        for each in seen:
            assert (each["x-request-id"], each["traceparent"], each["user-agent"]) == ("r1", "t", "ua")
            assert not {"end-user", "x-other"} & each.keys()
        seen.clear()
        await street.ask("productpage", "/productpage", headers={"Cookie": f"session={sign('normal')}"})
        assert [each["end-user"] for each in seen] == ["normal", "normal"]
        seen.clear()
        await street.open("ratings", Listener)
        await street.open("reviews", V2)
        await street.ask("reviews", "/reviews/0", headers={"end-user": "normal", "x-b3-traceid": "b"})
        assert (seen[0]["end-user"], seen[0]["x-b3-traceid"]) == ("normal", "b")

    walk(scenario)


@pytest.mark.parametrize(
    ("path", "method", "status", "allow"),
    [
        ("/productpage", "POST", 405, "HEAD, OPTIONS, GET"), ("/productpage", "DELETE", 405, "HEAD, OPTIONS, GET"),
        ("/login", "GET", 405, "OPTIONS, POST"), ("/productpage", "OPTIONS", 200, "HEAD, OPTIONS, GET"),
        ("/nosuch", "GET", 404, None), ("/api/v1/products/0/nosuch", "GET", 404, None), ("/health", "HEAD", 200, None),
    ],
)  # fmt: skip
def test_productpage_methods(path: str, method: str, status: int, allow: str | None) -> None:
    """Wrong methods and paths get the framework's own pages."""

    async def scenario(street: Street) -> None:
        await street.open("productpage", Productpage)
        answer = await street.ask("productpage", path, method)
        assert (answer.status, answer.headers.get("Allow")) == (status, allow)
        if status == 405:
            assert (answer.reason, answer.headers["Content-Length"]) == ("METHOD NOT ALLOWED", "153")

    walk(scenario)


def test_productpage_api() -> None:
    """The API lists the one book, hands on what the services say, and counts what they answered."""

    async def scenario(street: Street) -> None:
        await whole(street)
        assert (await street.ask("productpage", "/health")).text == "Product page is healthy"
        books = json.loads((await street.ask("productpage", "/api/v1/products")).text)
        assert [(each["id"], each["title"]) for each in books] == [(0, "The Comedy of Errors")]
        reviews = json.loads((await street.ask("productpage", "/api/v1/products/0/reviews")).text)
        assert reviews["podname"] == "reviews-pod"
        assert json.loads((await street.ask("productpage", "/api/v1/products/0")).text)["year"] == 1595
        assert json.loads((await street.ask("productpage", "/api/v1/products/0/ratings")).text)["ratings"]
        metrics = (await street.ask("productpage", "/metrics")).text
        assert 'request_result_total{destination_app="reviews",response_code="200"} 1.0' in metrics

    walk(scenario)


def test_fault_application_makes_403() -> None:
    """With the fault the application itself refuses whom its waypoint points at; without it, it never does."""

    async def scenario(street: Street) -> None:
        await street.open("details", Details)
        await street.open("reviews", V1, faults=frozenset({Fault.APPLICATION_MAKES_403}))
        pointed_at = dict([WOULD_DENY])
        answer = await street.ask("reviews", "/reviews/0", headers=pointed_at)
        assert (answer.status, answer.text) == (403, "RBAC: access denied")
        assert (await street.ask("reviews", "/reviews/0")).status == 200
        assert (await street.ask("details", "/details/0", headers=pointed_at)).status == 200

    walk(scenario)
