"""Bookinfo's services answer as recorded on a real cluster."""

from functools import partial

import pytest

from pytest_ambient.embedded.apps.details import Details
from pytest_ambient.embedded.apps.program import CannotStart
from pytest_ambient.embedded.apps.ratings import Ratings
from pytest_ambient.embedded.apps.reviews import Reviews

from .street import NO_RATINGS, V1, V2, V3, Answer, Street, walk

DATED = {"Date"}
POD = len("reviews-v1-7bbc4c5497-vmgz9") - len("reviews-pod")
"""By how much the recorded answers are longer."""
LISTED = (
    '{{"id": "0","podname": "reviews-pod","clustername": "null","reviews": [{{  "reviewer": "Reviewer1",  "text": '
    '"An extremely entertaining play by Shakespeare. The slapstick humour is refreshing!"{0}}},{{  "reviewer": '
    '"Reviewer2",  "text": "Absolutely fun and entertaining. The play lacks thematic depth when compared to other '
    'plays by Shakespeare."{1}}}]}}'
)


def headers(answer: Answer) -> dict[str, str]:
    """The headers without the date."""
    return {key: value for key, value in answer.headers.items() if key not in DATED}


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
