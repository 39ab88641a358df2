"""One word on the many answers of a row."""

import pytest

from pytest_ambient.probe.rounds import Probe, decided
from pytest_ambient.verdict.call import GET
from pytest_ambient.verdict.expectation import Answered, Word
from pytest_ambient.verdict.outcome import Outcome

GOOD = Outcome(0, 200, {"x-envoy-upstream-service-time": ("1",), "server": ("istio-envoy",)})
CUT = Outcome(
    0,
    503,
    {"server": ("istio-envoy",)},
    "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
)
"""As a healthy waypoint answers now and then (golden 12b of Istio 1.30.3)."""
LATE = Outcome(28, error="Operation timed out", connect_ms=1.0, total_ms=5000.0)
"""As one of thousands of requests ends on a node that has much to do."""
ROW = Probe("curl", GET("http://httpbin:8000/get"), Answered(200))


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        ([GOOD] * 20, Word.HOLDS),
        ([*[GOOD] * 19, CUT], Word.INCONCLUSIVE),
        ([*[GOOD] * 18, CUT, CUT], Word.BROKEN),
        ([*[GOOD] * 19, LATE], Word.INCONCLUSIVE),
        ([*[GOOD] * 18, LATE, CUT], Word.BROKEN),
        ([LATE], Word.BROKEN),
        ([*[GOOD] * 19, Outcome(0, 500, {"server": ("istio-envoy",)})], Word.BROKEN),
        ([*[GOOD] * 18, CUT, Outcome(0, 404)], Word.BROKEN),
        ([CUT], Word.BROKEN),
    ],
)
def test_one_stale_connection_among_many_decides_nothing(seen: list[Outcome], word: Word) -> None:
    """Such a row is asked again; two, or anything else, break it, and so does the only answer."""
    judged = decided(ROW, seen, 0.0, 0.0)
    assert judged.judgement.word is word
    if word is Word.INCONCLUSIVE:
        wrong = {CUT: "HTTP 503 made by a proxy, body 'upstream connect error", LATE: "no answer within 5.0 s"}
        assert judged.judgement.reason.startswith(f"1 of 20 times {wrong[seen[-1]]}")
