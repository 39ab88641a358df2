"""What proxies wrote and counted: rows hold by their own word, and say what else there was."""

import pytest

from pytest_ambient.errors import Misuse
from pytest_ambient.table import case
from pytest_ambient.verdict.call import CERTIFICATES, GET
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.evidence import Counted, Held, Holdings, Logged, OneCertificate, Unlogged
from pytest_ambient.verdict.expectation import Answered, Word, judge
from pytest_ambient.verdict.outcome import Growth, Lost, Outcome, Sample
from pytest_ambient.verdict.variant import Unsupported, World

ANSWER = Outcome(0, 200, {"server": ("x",)}, "hello")
LINE = {"src.identity": "spiffe://here/ns/a/sa/b", "dst.workload": "reviews-v1-x", "direction": "inbound"}
WRITTEN = Outcome(0, 200, {}, "hello", records={"outbound": {}, "inbound": LINE})


def _why(expectation: Logged | Unlogged | Counted, outcome: Outcome) -> tuple[Word, str]:
    found = judge(expectation, outcome)
    return found.word, found.reason


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"src.identity": "spiffe://here/ns/a/sa/b"}, ""),
        ({"dst.workload": "reviews-*", "src.identity": "*/sa/b", "direction": "*"}, ""),
        ({"error": None}, ""),
        ({"error": "*"}, "no error"),
        ({"dst.workload": "ratings-*"}, "dst.workload='reviews-v1-x'"),
        ({"src.identity": None}, "src.identity='spiffe://here/ns/a/sa/b'"),
    ],
)
def test_fields_of_a_line(wanted: dict[str, str | None], reason: str) -> None:
    """Texts are exact, `*` stands for a rest or for anything, None for a field that must be absent."""
    word, why = _why(Logged("inbound", wanted), WRITTEN)
    assert word is (Word.BROKEN if reason else Word.HOLDS)
    assert why.endswith(reason)


def test_line_that_is_missing() -> None:
    """Where no proxy wrote anything nothing is proved; where another one did, the line's absence is the answer."""
    wanted = Logged("waypoint", {"method": "GET"})
    assert _why(wanted, ANSWER)[0] is Word.INCONCLUSIVE
    assert _why(wanted, WRITTEN) == (
        Word.BROKEN,
        "HTTP 200 from the application; the waypoint wrote no line about it",
    )


def test_call_itself_comes_first() -> None:
    """Evidence about a call that did not go as it had to proves nothing of what was asked."""
    failed = Outcome(0, 500, {}, "", records={"inbound": LINE})
    assert _why(Logged("inbound", {"direction": "inbound"}), failed)[0] is Word.BROKEN
    assert Logged("inbound", {"direction": "*"}).denies is False


def test_silence_of_a_waypoint() -> None:
    """It counts only where ztunnel tells that the call was made, and a line breaks it."""
    assert _why(Unlogged(), ANSWER)[0] is Word.INCONCLUSIVE
    assert _why(Unlogged(), WRITTEN)[0] is Word.HOLDS
    spoken = Outcome(0, 200, {}, "", records={"outbound": {}, "waypoint": {"method": "GET"}})
    assert _why(Unlogged(), spoken)[0] is Word.BROKEN


def test_counter_that_grows() -> None:
    """It must grow by as many as were asked, under labels that all fit; the nearest others are told."""
    labels = {"reporter": "source", "code": "200"}
    wanted = Counted("requests_total", labels)
    enough = Growth((Sample("requests_total", labels, 2), Sample("other", labels, 9)), 2)
    assert _why(wanted, Outcome(0, 200, growth=enough))[0] is Word.HOLDS
    short = Growth((Sample("requests_total", {**labels, "code": "503"}, 2),), 2)
    assert _why(wanted, Outcome(0, 200, growth=short)) == (
        Word.BROKEN,
        "HTTP 200 from the application; requests_total of ztunnel grew by 0, not by 2; others: +2 with code='503'",
    )
    assert _why(wanted, ANSWER)[0] is Word.INCONCLUSIVE


def test_counter_that_is_not_there() -> None:
    """A proxy that never counts such a thing is told apart from one that did not count this."""
    none = Outcome(0, 200, growth=Growth((), 1, frozenset({"other"})))
    assert _why(Counted("requests_total", {"code": "200"}, at="waypoint"), none) == (
        Word.BROKEN,
        "HTTP 200 from the application; waypoint has no requests_total, with whatever labels",
    )


@pytest.mark.parametrize(
    ("states", "word"),
    [((("Available",),), Word.HOLDS), ((("Available", "Available"),), Word.BROKEN), (((),), Word.BROKEN),
     ((("Available",), ("Initializing",)), Word.BROKEN), ((), Word.BROKEN)],
)  # fmt: skip
def test_one_certificate(states: tuple[tuple[str, ...], ...], word: Word) -> None:
    """One on each node that has pods of the account, none missing, none twice."""
    held = Holdings(tuple(Held(f"node-{number}", each) for number, each in enumerate(states)))
    assert judge(OneCertificate(), held).word is word
    assert judge(OneCertificate(), Lost("unreadable")).word is Word.INCONCLUSIVE


def test_rows() -> None:
    """Names are filled in everywhere, a question has no source, and a silent data plane can't be asked."""
    labels = {"at": "${NAMESPACE}", "not": None}
    row = case("is-counted", "curl", GET("http://a/"), Counted("m", labels)).filled({"NAMESPACE": "shop"})
    assert isinstance(row.expectation, Counted)
    assert (row.expectation.labels, row.expectation.namespace) == ({"at": "shop", "not": None}, "shop")
    assert isinstance(row.there(World(silent="mute")), Unsupported)
    asked = case("is-certified", None, CERTIFICATES("spiffe://here/ns/a/sa/b"), OneCertificate())
    assert asked.before is None
    with pytest.raises(Misuse, match="says nothing about certificates"):
        Case("wrong", None, asked.call, Answered(200), None)
    with pytest.raises(Misuse, match="says nothing about a call"):
        Case("wrong", "curl", GET("http://a/"), OneCertificate(), None)


def test_mistakes() -> None:
    """A slip is a ValueError in one line."""
    with pytest.raises(ValueError, match=r"line must be one of outbound, inbound, waypoint; not 'inward'"):
        Logged("inward", {"a": "b"})  # type: ignore[arg-type]  # the slip
    with pytest.raises(ValueError, match="at least one field"):
        Logged("inbound", {})
    with pytest.raises(ValueError, match="identity must be"):
        CERTIFICATES("me")
