"""Steady streams at work: threads that ask without a pause, until they have seen what came after the end."""

import threading
import time
from dataclasses import dataclass, field

from pytest_ambient.probe.flows import BATCH, LIMIT, Flows, timed
from pytest_ambient.probe.rounds import Probe
from pytest_ambient.verdict.call import GET
from pytest_ambient.verdict.curl import Row, arguments
from pytest_ambient.verdict.expectation import Answered, Steady
from pytest_ambient.verdict.outcome import Lost, Observation, Outcome
from pytest_ambient.verdict.steady import PER_SECOND

GOOD = Outcome(0, 200, total_ms=10)
PROBE = Probe("curl", GET("http://a/"), Steady(Answered(200)))


@dataclass
class Asker:
    """Answers each batch after a moment."""

    answers: list[Observation] = field(default_factory=lambda: [GOOD] * BATCH)
    seconds: float = 0.02
    rows: list[tuple[str, Row]] = field(default_factory=list)
    began: list[float] = field(default_factory=list)

    def batch(self, word: str, row: Row) -> list[Observation]:
        """Wait and answer."""
        self.rows.append((word, row))
        self.began.append(time.monotonic())
        time.sleep(self.seconds)
        return self.answers


def test_it_goes_on_from_the_start_until_after_the_end() -> None:
    """There is an answer when it starts, and one that was asked for after it was told to end."""
    asker = Asker()
    streams = Flows(asker, {"a": PROBE, "b": PROBE})
    streams.start()
    assert {word for word, _ in asker.rows} == {"curl"}
    told = time.monotonic()
    seen = streams.end()
    assert set(seen) == {"a", "b"}
    assert all(len(one) >= 3 * BATCH for one in seen.values())
    assert all(one[-1].begun >= told for one in seen.values())
    asked = len(asker.rows)
    time.sleep(0.1)
    assert len(asker.rows) == asked


def test_a_batch_is_limited_in_rate_and_time() -> None:
    """One exec has a second's requests, one after another."""
    asker = Asker()
    streams = Flows(asker, {"a": PROBE})
    streams.start()
    streams.stop()
    (_, row), *_ = asker.rows
    assert (row.call.count, row.rate, row.timeout, row.connect_timeout) == (BATCH, PER_SECOND, LIMIT, LIMIT)
    assert "--rate 10/s" in " ".join(arguments([row], "token"))
    assert "--rate" not in arguments([Row(GET("http://a/"))], "token")


def test_an_exec_that_fails_is_not_hammered() -> None:
    """Nothing is known of its requests; a stop is heeded at once."""
    asker = Asker([Lost("gone")] * BATCH, seconds=0.0)
    streams = Flows(asker, {"a": PROBE})
    streams.start()
    time.sleep(0.5)
    streams.stop()
    assert len(asker.rows) <= 5
    time.sleep(0.1)
    assert not [one for one in threading.enumerate() if one.name == "ambient-a"]


def test_when_each_request_was_follows_from_the_rate() -> None:
    """One every 100 ms, later after one that took longer; the exec's end is what is known of a batch."""
    slow = Outcome(28, total_ms=250)
    found = list(timed([GOOD, slow, GOOD, Lost("cut short")], 50.0, 50.6))
    assert [round(one.begun, 3) for one in found] == [50.15, 50.25, 50.5, 50.6]
    assert round(found[1].ended, 3) == 50.5
    assert list(timed([], 1.0, 2.0)) == []
