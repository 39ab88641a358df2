"""Bookinfo's services answer as recorded on a real cluster."""

import json
from functools import partial

import pytest
from aiohttp import web

from pytest_ambient.embedded.apps.details import Details
from pytest_ambient.embedded.apps.productpage import Productpage
from pytest_ambient.embedded.apps.program import CannotStart, Surroundings
from pytest_ambient.embedded.apps.ratings import Ratings
from pytest_ambient.embedded.apps.reviews import Reviews
from pytest_ambient.embedded.apps.session import sign, user_of
from pytest_ambient.embedded.apps.web import Web, reply
from pytest_ambient.embedded.faults import Fault

from .street import Answer, Street, walk

DATED = {"Date"}
POD = len("reviews-v1-7bbc4c5497-vmgz9") - len("reviews-pod")
"""By how much the recorded answers are longer."""
NO_RATINGS = {"RATINGS_HOSTNAME": "127.0.0.1", "RATINGS_SERVICE_PORT": "1"}
V1, V2, V3 = (partial(Reviews, color=color) for color in ("", "black", "red"))
LISTED = (
    '{{"id": "0","podname": "reviews-pod","clustername": "null","reviews": [{{  "reviewer": "Reviewer1",  "text": '
    '"An extremely entertaining play by Shakespeare. The slapstick humour is refreshing!"{0}}},{{  "reviewer": '
    '"Reviewer2",  "text": "Absolutely fun and entertaining. The play lacks thematic depth when compared to other '
    'plays by Shakespeare."{1}}}]}}'
)


def headers(answer: Answer) -> dict[str, str]:
    """The headers without the date."""
    return {key: value for key, value in answer.headers.items() if key not in DATED}


async def whole(street: Street, reviews: partial[Reviews] = V2) -> None:
    """Open all four services."""
    await street.open("details", Details)
    await street.open("ratings", Ratings)
    await street.open("reviews", reviews)
    await street.open("productpage", Productpage)


def test_details() -> None:
    """Details tells the book byte by byte, with its server's headers, and refuses what is no number."""

    async def scenario(street: Street) -> None:
        await street.open("details", Details)
        book = await street.ask("details", "/details/0")
        assert book.text == (
            '{"id":0,"author":"William Shakespeare","year":1595,"type":"paperback","pages":200,'
            '"publisher":"PublisherA","language":"English","ISBN-10":"1234567890","ISBN-13":"123-1234567890"}'
        )
        assert headers(book) == {
            "Content-Type": "application/json", "Server": "WEBrick/1.8.1 (Ruby/3.1.2/2022-04-12)",
            "Content-Length": "178", "Connection": "Keep-Alive",
        }  # fmt: skip
        assert (await street.ask("details", "/details/x")).status == 400
        assert (await street.ask("details", "/health")).text == '{"status":"Details is healthy"}'
        assert (await street.ask("details", "/")).status == 404
        refused = await street.ask("details", "/details/0", "DELETE")
        assert (refused.status, refused.headers["Content-Type"]) == (405, "text/html; charset=ISO-8859-1")
        assert (await street.ask("details", "/details/0", "POST")).status == 200

    walk(scenario)


def test_ratings() -> None:
    """Ratings tells its stars in chunks, stores what is posted, and refuses what is no number or no JSON."""

    async def scenario(street: Street) -> None:
        await street.open("ratings", Ratings)
        stars = await street.ask("ratings", "/ratings/0")
        assert stars.text == '{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}'
        assert headers(stars) == {
            "Content-Type": "application/json", "Connection": "keep-alive", "Keep-Alive": "timeout=5",
            "Transfer-Encoding": "chunked",
        }  # fmt: skip
        assert (await street.ask("ratings", "/ratings/0", "POST", data='{"Reviewer1":1}')).status == 200
        assert (await street.ask("ratings", "/ratings/0")).text == '{"id":0,"ratings":{"Reviewer1":1}}'
        assert (await street.ask("ratings", "/ratings/0", "POST", data="{")).status == 400
        assert (await street.ask("ratings", "/ratings/x")).status == 400
        assert (await street.ask("ratings", "/ratings/0", "DELETE")).status == 404
        assert (await street.ask("ratings", "/health")).text == '{"status":"Ratings is healthy"}'

    walk(scenario)


def test_ratings_without_database() -> None:
    """The variant that reads a database says that there is none."""

    async def scenario(street: Street) -> None:
        with pytest.raises(CannotStart, match="has no database: SERVICE_VERSION=v2"):
            await street.open("ratings", Ratings, {"SERVICE_VERSION": "v2"})

    walk(scenario)


@pytest.mark.parametrize(
    ("maker", "first", "second", "length"),
    [
        (V1, "", "", 358 - POD),
        (V2, ', "rating": {"stars": 5, "color": "black"}', ', "rating": {"stars": 4, "color": "black"}', 442 - POD),
        (V3, ', "rating": {"stars": 5, "color": "red"}', ', "rating": {"stars": 4, "color": "red"}', 438 - POD),
    ],
    ids=["v1", "v2", "v3"],
)
def test_reviews(maker: partial[Reviews], first: str, second: str, length: int) -> None:
    """Each version of reviews has the recorded text, up to the pod's name, and the recorded headers."""

    async def scenario(street: Street) -> None:
        await street.open("ratings", Ratings)
        await street.open("reviews", maker)
        answer = await street.ask("reviews", "/reviews/0")
        assert answer.text == LISTED.format(first, second)
        assert headers(answer) == {
            "X-Powered-By": "Servlet/3.1", "Content-Type": "application/json", "Content-Language": "en-US",
            "Content-Length": str(length),
        }  # fmt: skip

    walk(scenario)


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/reviews/0", "POST", 405), ("/reviews/0", "DELETE", 405), ("/nosuch", "GET", 404), ("/reviews/x", "GET", 404)],
)
def test_reviews_refuses(path: str, method: str, status: int) -> None:
    """Other methods and paths get an empty page of the servlet's."""

    async def scenario(street: Street) -> None:
        await street.open("reviews", V1)
        answer = await street.ask("reviews", path, method)
        assert (answer.status, answer.text) == (status, "")
        assert answer.headers["X-Powered-By"] == "Servlet/3.1"
        assert answer.headers["Content-Type"] == "text/html"
        assert "Server" not in answer.headers
        assert (await street.ask("reviews", "/health")).text == '{"status": "Reviews is healthy"}'

    walk(scenario)


def test_reviews_without_ratings() -> None:
    """When ratings can't be reached, reviews still answers 200 and says so of every review."""

    async def scenario(street: Street) -> None:
        await street.open("reviews", V2, NO_RATINGS)
        answer = await street.ask("reviews", "/reviews/0")
        error = ', "rating": {"error": "Ratings service is currently unavailable"}'
        assert (answer.status, answer.text) == (200, LISTED.format(error, error))

    walk(scenario)


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
    """With the fault the application itself refuses what its waypoint marked; without it the mark means nothing."""

    async def scenario(street: Street) -> None:
        await street.open("details", Details)
        await street.open("reviews", V1, faults=frozenset({Fault.APPLICATION_MAKES_403}))
        marked = {"x-ambient-shadow": "denied"}
        answer = await street.ask("reviews", "/reviews/0", headers=marked)
        assert (answer.status, answer.text) == (403, "RBAC: access denied")
        assert (await street.ask("reviews", "/reviews/0")).status == 200
        assert (await street.ask("details", "/details/0", headers=marked)).status == 200

    walk(scenario)
