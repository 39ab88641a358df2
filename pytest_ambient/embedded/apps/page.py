"""Productpage's HTML: our own page with the marks by which its readers tell versions and failures apart."""

from collections.abc import Mapping
from html import escape
from typing import Any

TITLE = "The Comedy of Errors"
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<title>Simple Bookstore App</title>
</head>
"""
_FAILED = """<p class="text-2xl text-red-500">Error fetching product {what}</p>
<p>{error}</p>
"""


def index() -> str:
    """The page at `/`."""
    return _page(
        '<h1>Bookinfo</h1>\n<ul>\n<li><a href="/productpage?u=normal">Normal user</a></li>\n'
        '<li><a href="/productpage?u=test">Test user</a></li>\n</ul>\n'
    )


def product(user: str | None, details: tuple[int, Any], reviews: tuple[int, Any]) -> str:
    """The page at `/productpage`, from the status and the answer of each of the two services."""
    return _page(_sign(user) + f'<h1 class="text-4xl">{TITLE}</h1>\n' + _details(*details) + _reviews(*reviews))


def error(code: int, name: str, text: str) -> str:
    """The page of a refused request."""
    return f"<!doctype html>\n<html lang=en>\n<title>{code} {name}</title>\n<h1>{name}</h1>\n<p>{text}</p>\n"


def redirect(location: str) -> str:
    """The page that goes with a redirection."""
    there = escape(location)
    return (
        "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n"
        f'<p>You should be redirected automatically to the target URL: <a href="{there}">{there}</a>.\n'
    )


def _page(body: str) -> str:
    return f"{_HEAD}<body>\n{body}</body>\n</html>\n"


def _sign(user: str | None) -> str:
    if user is not None:
        return f'<p>Signed in as <b>{escape(user)}</b> (<a href="logout">sign out</a>)</p>\n'
    return (
        '<form method="post" action="login">\n<input name="username" placeholder="User Name">\n'
        '<input name="passwd" type="password" placeholder="Password">\n'
        '<button type="submit">Sign in</button>\n</form>\n'
    )


def _details(status: int, details: Any) -> str:
    if status != 200 or not isinstance(details, Mapping):
        return _FAILED.format(what="details", error=escape(_error(details)))
    rows = "".join(
        f"<tr><th>{label}</th><td>{escape(str(details.get(key, '')))}</td></tr>\n"
        for key, label in (
            ("ISBN-10", "ISBN-10"), ("publisher", "Publisher"), ("pages", "Pages"), ("type", "Type"),
            ("language", "Language"),
        )
    )  # fmt: skip
    return f'<h2 class="text-2xl">Book Details</h2>\n<table>\n{rows}</table>\n'


def _reviews(status: int, answer: Any) -> str:
    if status != 200 or not isinstance(answer, Mapping):
        return _FAILED.format(what="reviews", error=escape(_error(answer)))
    quotes = "".join(_review(each) for each in answer.get("reviews", ()))
    served = f"<p>Reviews served by: <u>{escape(str(answer.get('podname')))}</u></p>\n"
    cluster = answer.get("clustername")
    where = f"<p>on cluster: <u>{escape(str(cluster))}</u></p>\n" if cluster not in (None, "null") else ""
    return f'<h2 class="text-2xl">Book Reviews</h2>\n{quotes}{served}{where}'


def _review(review: Mapping[str, Any]) -> str:
    quote = f"<blockquote>{escape(str(review.get('text', '')))}</blockquote>\n<cite>{review.get('reviewer')}</cite>\n"
    rating = review.get("rating")
    if not rating:
        return quote
    if "error" in rating:
        return f'{quote}<p class="text-red-500">{escape(str(rating["error"]))}</p>\n'
    color, stars = escape(str(rating.get("color", "black"))), int(rating.get("stars", 0))
    star = '<svg id="glyphicon glyphicon-star" viewBox="0 0 20 20" fill="currentColor"></svg>\n' * stars
    empty = '<svg id="glyphicon glyphicon-empty" viewBox="0 0 20 20"></svg>\n' * (5 - stars)
    return f'{quote}<div class="flex gap-x-1 text-{color}-500">\n{star}{empty}</div>\n'


def _error(answer: Any) -> str:
    return str(answer.get("error", "")) if isinstance(answer, Mapping) else ""
