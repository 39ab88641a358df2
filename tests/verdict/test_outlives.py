"""Connections that were open when a manifest came: what counts as going on, as cut, and as nothing proved."""

import pytest

from pytest_ambient.verdict.expectation import DeniedL4, Outlives
from pytest_ambient.verdict.outcome import Lost, Observation, Outcome
from pytest_ambient.verdict.outlives import Connection
from pytest_ambient.verdict.seen import Doubt

GOES_ON = Outlives("http://httpbin:8000/delay/6", DeniedL4(by="not-from-curl"))
IS_CUT = Outlives("http://httpbin:8000/delay/6", DeniedL4(by="not-from-curl"), cut=True)
WHOLE = Outcome(0, 200, connect_ms=1, total_ms=6000)
CUT = Outcome(52, connect_ms=1, total_ms=900)
OPENED = "the connection opened before: "


@pytest.mark.parametrize(
    ("expectation", "seen", "ended", "reason", "doubt"),
    [
        (GOES_ON, WHOLE, 5.5, None, False),
        (GOES_ON, CUT, 0.4, f"{OPENED}connected, then closed without an HTTP byte (curl exit 52), 0.4 s", False),
        (IS_CUT, CUT, 0.4, None, False),
        (IS_CUT, WHOLE, 5.5, "5.5 s after the apply; new ones were denied after 0.3 s", False),
        (GOES_ON, WHOLE, 1.2, "new ones were denied only after 0.3 s, which proves nothing", True),
        (IS_CUT, WHOLE, 1.2, "new ones were denied only after 0.3 s, which proves nothing", True),
        (IS_CUT, CUT, -0.1, "-0.1 s after the apply; it was not open at that moment", True),
        (IS_CUT, CUT, 1.0, "it was not open at that moment", True),
        (GOES_ON, WHOLE, 6.1, "it was not open at that moment", True),
        (GOES_ON, Outcome(6, total_ms=900), 0.2, "it was not open at that moment", True),
        (GOES_ON, Outcome(0, 503, connect_ms=1, total_ms=900), 0.2, f"{OPENED}HTTP 503", True),
        (IS_CUT, Outcome(28, connect_ms=1, total_ms=11000), 10.0, f"{OPENED}no answer within 11.0 s", True),
        (IS_CUT, Lost("the exec gave no output"), 3.0, f"{OPENED}the exec gave no output", True),
    ],
)  # fmt: skip
def test_fate(expectation: Outlives, seen: Observation, ended: float, reason: str | None, doubt: bool) -> None:
    """Only a connection that was open at the apply, and longer than new ones were let in, proves anything."""
    told = expectation.fate(Connection(seen, ended), 0.3)
    assert isinstance(told, Doubt) is doubt
    assert told is None if reason is None else told is not None and reason in told


def test_new_connections_must_be_denied() -> None:
    """A new connection is judged as the denial says; the words name both."""
    assert GOES_ON.explain(Outcome(0, 200, connect_ms=1)) == "HTTP 200 from the application"
    assert str(GOES_ON).endswith("refused by ztunnel, by not-from-curl; a connection opened before goes on")
    assert str(IS_CUT).endswith("; a connection opened before is cut")
    assert str(GOES_ON.call) == "GET http://httpbin:8000/delay/6"
