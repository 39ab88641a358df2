"""Steady streams of requests, a thread each, that go on while something is broken and mended."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from pytest_ambient.probe.rounds import Probe
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.curl import Row
from pytest_ambient.verdict.outcome import Lost, Observation, Outcome
from pytest_ambient.verdict.steady import PER_SECOND, Request

BATCH = PER_SECOND
"""Requests in one exec: a second's. The next one follows at once."""
LIMIT = 2.0
"""Seconds that one request may take: a stream that waits long measures nothing."""
AGAIN = 0.2
"""Seconds until it is tried again to ask where that failed."""
BEGIN = 15.0
"""Seconds in which a stream must have its first answers."""


class Asker(Protocol):
    """What sends one batch."""

    def batch(self, word: str, row: Row) -> list[Observation]:
        """What its requests saw."""
        ...


@dataclass
class _Thread:
    """One stream: what it has seen so far, and how often it was through with a batch."""

    word: str
    call: Call
    seen: list[Request] = field(default_factory=list)
    batches: int = 0


class Flows:
    """Flows by key, from `start` to `end`."""

    def __init__(self, asker: Asker, probes: Mapping[str, Probe], now: Callable[[], float] = time.monotonic) -> None:
        self._asker, self._now = asker, now
        self._threads = {key: _Thread(p.source or "", p.call) for key, p in probes.items() if isinstance(p.call, Call)}
        self._over = threading.Event()
        self._news = threading.Condition()
        self._running: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to ask; gives back when each stream has had its first answers."""
        for key, one in self._threads.items():
            # a daemon: nothing that is interrupted has to wait for its last answers
            self._running.append(threading.Thread(target=self._run, args=(one,), name=f"ambient-{key}", daemon=True))
        for thread in self._running:
            thread.start()
        self._more()

    def end(self) -> dict[str, list[Request]]:
        """What all have seen, once each has sent a batch that began after this moment."""
        self._more()
        self.stop()
        for thread in self._running:
            thread.join(BATCH * LIMIT + BEGIN)
        return {key: list(one.seen) for key, one in self._threads.items()}

    def stop(self) -> None:
        """Ask no more; nothing is waited for."""
        self._over.set()

    def _more(self) -> None:
        """Wait until every stream has ended a batch that it has not begun yet, or is too slow."""
        with self._news:
            wanted = {key: one.batches + (2 if one.batches else 1) for key, one in self._threads.items()}
            self._news.wait_for(lambda: all(self._threads[key].batches >= n for key, n in wanted.items()), BEGIN)

    def _run(self, one: _Thread) -> None:
        row = Row(replace(one.call, count=BATCH), timeout=LIMIT, connect_timeout=LIMIT, rate=PER_SECOND)
        while not self._over.is_set():
            begun = self._now()
            answers = self._asker.batch(one.word, row)
            ended = self._now()
            with self._news:
                one.seen += timed(answers, begun, ended)
                one.batches += 1
                self._news.notify_all()
            if all(isinstance(answer, Lost) for answer in answers):
                self._over.wait(AGAIN)


def timed(answers: Sequence[Observation], begun: float, ended: float) -> Iterator[Request]:
    """When each request of a batch was: curl begins one every so often, or when the one before has ended.

    The batch is known to have ended with its exec; how long that took to begin is not.
    """
    starts, at = list[float](), 0.0
    for answer in answers:
        starts.append(at)
        at = max(at + 1 / PER_SECOND, at + _seconds(answer))
    last = starts[-1] + _seconds(answers[-1]) if answers else 0.0
    first = max(begun, ended - last)
    for start, answer in zip(starts, answers, strict=True):
        yield Request(min(first + start, ended), min(first + start + _seconds(answer), ended), answer)


def _seconds(answer: Observation) -> float:
    return answer.total_ms / 1000 if isinstance(answer, Outcome) else 0.0
