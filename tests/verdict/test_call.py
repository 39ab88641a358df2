"""Calls: how they are made, how they read, and which ones can't be made."""

import re
from collections.abc import Callable

import pytest

from pytest_ambient.verdict.call import DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, STATUS, Call, Status

URL = "http://reviews:9080/reviews/0"


@pytest.mark.parametrize("make", [GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS])
def test_a_maker_is_named_after_its_method(make: Callable[..., Call]) -> None:
    """GET(url) is a GET of that URL, and so on."""
    method = getattr(make, "__name__", "")
    call = make(URL, headers={"X-A": "b"}, count=2, signed_in="normal")
    assert call == Call(method, URL, (("X-A", "b"),), None, 2, "normal")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (GET(URL), "GET http://reviews:9080/reviews/0"),
        (POST(URL, body="x", count=2000), "POST http://reviews:9080/reviews/0 2,000 times"),
        (GET(URL, signed_in="normal"), "GET http://reviews:9080/reviews/0 signed in as normal"),
        (STATUS("v1/Service", "reviews", "default"), "status of Service default/reviews"),
        (STATUS("v1/Service", "reviews"), "status of Service ${NAMESPACE}/reviews"),
        (
            STATUS("gateway.networking.k8s.io/v1/GatewayClass", "istio-waypoint", ""),
            "status of GatewayClass istio-waypoint",
        ),
    ],
)
def test_a_call_reads_like_a_sentence(call: Call | Status, words: str) -> None:
    """The words that reports use."""
    assert str(call) == words


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Call("get", URL), "method must be upper-case letters, not 'get'"),
        (lambda: GET("reviews:9080"), "url must be http://HOST/… or https://HOST/…, not 'reviews:9080'"),
        (lambda: GET("http:///x"), "url must be http://HOST/… or https://HOST/…, not 'http:///x'"),
        (
            lambda: GET(f"{URL}#top"),
            f"url must hold no blank, backslash, control character or fragment: '{URL}#top'",
        ),
        (lambda: GET("http://a/ b"), "url must hold no blank, backslash, control character or fragment: 'http://a/ b'"),
        (lambda: GET(URL, headers={"a b": "c"}), "not an HTTP header: 'a b': 'c'"),
        (lambda: GET(URL, headers={"a": "b\r\nc: d"}), "not an HTTP header: 'a': 'b\\r\\nc: d'"),
        (
            lambda: GET(URL, headers={"connection": "keep-alive"}),
            "leave out the header Connection: every call uses a connection of its own",
        ),
        (lambda: GET(URL, count=0), "count must be at least 1, not 0"),
        (lambda: GET(URL, count="2"), "count must be at least 1, not '2'"),  # type: ignore[arg-type]  # the mistake
        (lambda: GET(80), "url must be http://HOST/… or https://HOST/…, not 80"),  # type: ignore[arg-type]  # the mistake
        (lambda: Call("GET", URL, body="x"), "GET carries no body"),
        (lambda: POST(URL, body="\0"), "body must hold no NUL"),
        (lambda: GET(URL, signed_in="a&b"), "signed_in must be a user name, not 'a&b'"),
        (lambda: STATUS("Service", "a"), "kind must be GROUP/VERSION/Kind or v1/Kind, not 'Service'"),
        (lambda: STATUS("v1/Service", ""), "a status needs the object's name"),
    ],
)
def test_a_call_that_cannot_be_sent_fails_when_it_is_made(make: Callable[[], object], text: str) -> None:
    """A mistake is one clear line."""
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        make()
