"""The table of verdicts: every expectation against every kind of outcome, with the exact words."""

import re
from dataclasses import replace

import pytest

from pytest_ambient.verdict.expectation import (
    Answered,
    DeniedL4,
    DeniedL7,
    Doubt,
    Expectation,
    Judgement,
    Outlives,
    Split,
    Statuses,
    TimedOut,
    Unauthorized,
    Unreachable,
    Word,
    judge,
)
from pytest_ambient.verdict.outcome import Lost, Outcome, Witness
from pytest_ambient.verdict.seen import seen
from tests.verdict.outcomes import OUTCOMES
from tests.verdict.table import SEEN, TABLE


@pytest.mark.parametrize("name", OUTCOMES)
def test_what_was_seen_names_its_mechanism(name: str) -> None:
    """Each kind of outcome has its own words, so that a dead backend never reads like a denial."""
    assert seen(OUTCOMES[name]) == SEEN[name]


@pytest.mark.parametrize(("expectation", "holds", "told"), TABLE, ids=[repr(row[0]) for row in TABLE])
def test_an_outcome_is_not_confused_with_another(
    expectation: Expectation, holds: tuple[str, ...], told: dict[str, str]
) -> None:
    """An expectation holds for its own outcomes only; doubt is kept apart from a broken promise."""
    words = {name: Word.HOLDS if name in holds else Word.BROKEN for name in OUTCOMES}
    words |= {name: Word.INCONCLUSIVE for name, text in told.items() if isinstance(text, Doubt)}
    reasons = SEEN | told | dict.fromkeys(holds, "")
    wanted = {name: Judgement(words[name], reasons[name]) for name in OUTCOMES}
    assert {name: judge(expectation, outcome) for name, outcome in OUTCOMES.items()} == wanted
    assert {name: expectation.explain(outcome) or "" for name, outcome in OUTCOMES.items()} == reasons


def test_a_success_without_envoys_headers_is_in_doubt() -> None:
    """A mesh may hide them; then the waypoint's own word decides whether the application answered."""
    hidden = Outcome(0, 200, {"server": ("istio-envoy",)}, "hello", connect_ms=1.0)
    doubt = "HTTP 200 made by a proxy, body 'hello', going by its headers; nothing from the proxy"
    assert judge(Answered(200), hidden) == Judgement(Word.INCONCLUSIVE, doubt)
    forwarded = replace(hidden, witness=Witness("waypoint", "allowed", "via_upstream"))
    assert judge(Answered(200, through="waypoint"), forwarded).word is Word.HOLDS
    assert judge(Answered(200, through=None), forwarded).reason == "HTTP 200 from the application; a proxy forwarded it"
    made = replace(hidden, witness=Witness("waypoint", "failed", "direct_response"))
    assert judge(Answered(200), made).word is Word.BROKEN


@pytest.mark.parametrize("expectation", [row[0] for row in TABLE], ids=repr)
def test_a_lost_probe_proves_nothing(expectation: Expectation) -> None:
    """Neither a denial nor anything else follows from an exec that was lost."""
    lost = Lost("the exec ended without output")
    assert judge(expectation, lost) == Judgement(Word.INCONCLUSIVE, "the exec ended without output")


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        (Answered(), "HTTP 200 from the application"),
        (Answered(404, by_proxy=True), "HTTP 404 made by a proxy"),
        (
            Answered(200, "reviews-v2", ("x-a", "b"), "black", "red", "reviews-waypoint"),
            "HTTP 200 from the application in reviews-v2, header x-a: b, 'black' in the body, no 'red' in the body, "
            "through reviews-waypoint",
        ),
        (Answered(through=None), "HTTP 200 from the application, through no proxy"),
        (DeniedL4(), "denied at L4: connection closed without an HTTP byte, refused by ztunnel"),
        (
            DeniedL4(by="default/x"),
            "denied at L4: connection closed without an HTTP byte, refused by ztunnel, by default/x",
        ),
        (DeniedL4(via="waypoint"), "denied at L4: HTTP 503 from the waypoint, whose identity ztunnel refused"),
        (DeniedL4(via="sidecar"), "denied at L4: HTTP 503 from the sidecar, whose identity ztunnel refused"),
        (
            DeniedL4(by="x", at="waypoint"),
            "denied at L4: connection closed without an HTTP byte, refused by the waypoint, by x",
        ),
        (DeniedL7(), "denied at L7: HTTP 403 from the waypoint"),
        (DeniedL7(at="sidecar"), "denied at L7: HTTP 403 from the sidecar"),
        (DeniedL7(by="get-only"), "denied at L7: HTTP 403 from the waypoint, by get-only"),
        (Unauthorized(), "refused at L7: HTTP 401 from the waypoint"),
        (Unreachable(), "unreachable, not denied"),
        (Unreachable("no address"), "unreachable: the name has no address"),
        (Unreachable("no connection"), "unreachable: TCP refused or without a route"),
        (Unreachable("no route"), "unreachable: a proxy without a route for the request"),
        (Unreachable("no healthy upstream"), "unreachable: a proxy without a healthy upstream"),
        (Unreachable("lost waypoint"), "unreachable: ztunnel without its waypoint"),
        (TimedOut(), "no answer in time"),
        (Split({"a": 80, "b": 10, "c": 10}), "split a 0.8, b 0.1, c 0.1"),
    ],
)
def test_an_expectation_says_what_it_wants(expectation: Expectation, words: str) -> None:
    """The words for "wanted" name the mechanism."""
    assert str(expectation) == words


@pytest.mark.parametrize(
    ("expectation", "needs_witness", "denies", "holds_still"),
    [
        (Answered(), False, False, False),
        (Answered(backend="reviews-v1"), False, False, True),
        (Answered(403), True, False, False),
        (DeniedL4(), True, True, True),
        (DeniedL4(at="waypoint"), True, True, True),
        (DeniedL7(), True, True, True),
        (Unauthorized(), True, True, True),
        (Unreachable(), True, False, False),
        (TimedOut(), False, False, False),
        (Split({"a": 1}), False, False, False),
        (Statuses({"200": 9, "418": 1}, header=("x", "y")), False, False, False),
        (Outlives("http://a/delay/6", DeniedL4()), True, True, False),
    ],
    ids=repr,
)
def test_an_expectation_says_how_it_is_probed(
    expectation: Expectation, needs_witness: bool, denies: bool, holds_still: bool
) -> None:
    """Denials need a witness, a twin and a hold; a named backend needs the hold, for luck may pick it."""
    assert isinstance(expectation, Expectation)
    asked = (expectation.needs_witness, expectation.denies, expectation.holds_still)
    assert asked == (needs_witness, denies, holds_still)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Answered(20), "status must be an HTTP status, not 20"),
        (lambda: Answered("200"), "status must be an HTTP status, not '200'"),  # type: ignore[arg-type]  # the mistake
        (lambda: Answered(302, backend="a", by_proxy=True), "an answer made by a proxy has no backend"),
        (lambda: Answered(302, through=None, by_proxy=True), "an answer made by a proxy cannot come through no proxy"),
        (lambda: DeniedL4(by="a/b/c"), "by must be NAME or NAMESPACE/NAME, not 'a/b/c'"),
        (lambda: DeniedL4(at="gateway"), "at must be 'ztunnel' or 'waypoint', not 'gateway'"),  # type: ignore[arg-type]  # the mistake
        (
            lambda: DeniedL4(via="gateway", at="waypoint"),
            "via says whose identity ztunnel refused: it does not go with at='waypoint'",
        ),
        (lambda: DeniedL7(by=""), "by must be NAME or NAMESPACE/NAME, not ''"),
        (lambda: DeniedL4(via="car"), "via must be 'sidecar', 'waypoint' or 'gateway', not 'car'"),  # type: ignore[arg-type]  # the mistake
        (lambda: DeniedL7(at="gateway"), "at must be 'waypoint' or 'sidecar', not 'gateway'"),  # type: ignore[arg-type]  # the mistake
        (lambda: DeniedL7(by="x", at="sidecar"), "nobody tells which policy a sidecar refused by"),
        (
            lambda: Unreachable("gone"),  # type: ignore[arg-type]  # the mistake
            "why must be one of no address, no connection, no route, no healthy upstream, lost waypoint; not 'gone'",
        ),
        (lambda: Split({}), "shares must be weights of at least 0, one of them above, not {}"),
        (
            lambda: Split({"a": -1, "b": 2}),
            "shares must be weights of at least 0, one of them above, not {'a': -1, 'b': 2}",
        ),
        (lambda: Split({"a": 1, "a-b": 1}), "a pod of a-b would count for another backend too"),
        (lambda: Statuses({"a": 1}, header=("x", "y")), "a share is that of an HTTP status, not of 'a'"),
        (
            lambda: Statuses({"200": 1}),
            "Statuses needs the header that tells an answer of the route from one before it",
        ),
    ],
)
def test_an_impossible_expectation_fails_when_it_is_made(make: object, text: str) -> None:
    """A mistake is one clear line."""
    assert callable(make)
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        make()
