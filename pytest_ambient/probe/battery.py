"""One round of probes: the rows of one source travel in one exec of curl, unless they are to be asked apart."""

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from pytest_ambient._kube import Executed, Kube
from pytest_ambient.errors import AmbientError, ExecFailed, Forbidden, Inconclusive, KubeError, NotFound, NotInTime
from pytest_ambient.probe.source import Source, Sources
from pytest_ambient.probe.timing import Timing
from pytest_ambient.verdict import curl
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.outcome import Lost, Observation

SIDE_BY_SIDE = 8
"""Execs at a time."""
PER_REQUEST = 0.25
"""Seconds that each further request of a row may add to its exec."""


@dataclass(frozen=True)
class Round:
    """What one round saw, and when (seconds since the epoch)."""

    seen: Mapping[str, list[Observation]] = field(hash=False)
    started: float
    ended: float


class Battery:
    """Asks all rows at once; `close` ends its threads."""

    def __init__(self, kube: Kube, sources: Sources, timing: Timing | None = None) -> None:
        self.kube, self.sources, self.timing = kube, sources, timing or Timing()
        self._threads = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="ambient-probe")

    def choose(self, words: Iterable[str]) -> None:
        """Finds the sources and starts a curl where one is missing; what fails, the round that asks it tells.

        A round in which one source waits for its curl's image would end after the time of all the others.
        """

        def chosen(word: str) -> None:
            with suppress(AmbientError):
                self.sources.find(word)

        list(self._threads.map(chosen, sorted(set(words))))

    def ask(self, rows: Mapping[str, tuple[str, Call]], *, apart: bool = False) -> Round:
        """For each key of `rows` (a source word and a call) what its requests saw; a lost exec makes them Lost.

        With `apart` every row has an exec of its own. Raises Misuse for an unknown workload, Forbidden when this user
        may not exec, BrokenEnvironment without a curl.
        """
        groups: dict[tuple[str, str], list[str]] = {}
        for key, (word, _call) in rows.items():
            groups.setdefault((word, key if apart else ""), []).append(key)
        words = [word for word, _ in groups]
        if apart:
            self.choose(words)  # not each thread for itself
        started = time.time()
        calls = ([rows[key][1] for key in keys] for keys in groups.values())
        answers = self._threads.map(self._from_source, words, calls)
        seen = {
            key: found
            for keys, answer in zip(groups.values(), answers, strict=True)
            for key, found in zip(keys, answer, strict=True)
        }
        return Round(seen, started, time.time())

    def connection(self, word: str, call: Call, seconds: float) -> "Future[tuple[Observation, float]]":
        """One request whose answer takes so long, sent at once: what it saw in the end, and when that was."""

        def watched() -> tuple[Observation, float]:
            seen = self._from_source(word, [call], seconds)[0][0]
            return seen, time.time()

        return self._threads.submit(watched)

    def batch(self, word: str, row: curl.Row) -> list[Observation]:
        """What the requests of one row saw, from the thread that asks; Lost for what proves nothing."""
        try:
            return self._sent(self.sources.find(word), [row])[0]
        except AmbientError as error:
            if isinstance(error, NotFound):
                self.sources.forget(word)
            return [Lost(str(error))] * row.call.count

    def close(self) -> None:
        """Ends the threads; running execs are waited for."""
        self._threads.shutdown()

    def _from_source(self, word: str, calls: Sequence[Call], longer: float = 0.0) -> list[list[Observation]]:
        try:
            return self._sent(self.sources.find(word), self._rows(calls, longer))
        except Forbidden:
            raise
        except (KubeError, NotInTime, Inconclusive) as error:
            if isinstance(error, NotFound):
                self.sources.forget(word)
            return [[Lost(str(error))] * call.count for call in calls]

    def _rows(self, calls: Sequence[Call], longer: float) -> list[curl.Row]:
        limit = self.timing.request
        return [curl.Row(call, timeout=limit + longer, connect_timeout=limit) for call in calls]

    def _sent(self, source: Source, rows: Sequence[curl.Row]) -> list[list[Observation]]:
        token = f"ambient-{secrets.token_hex(8)}"
        argv, stdin = curl.command(rows, token)
        if stdin is not None and len(rows) == 1:
            argv, stdin = ["curl", *curl.arguments(rows, token)], None
        timeout = 10 + sum(row.timeout + PER_REQUEST * row.call.count for row in rows)
        where = (source.namespace, source.pod, source.container)
        try:
            done = self.kube.exec(*where, argv, stdin=stdin, timeout=timeout)
        except ExecFailed:
            if stdin is None:
                raise
            # Without the v5 protocol standard input can't be ended: the rows travel in parts that fit arguments.
            half = len(rows) // 2
            return self._sent(source, rows[:half]) + self._sent(source, rows[half:])
        found = curl.parse(rows, token, done.stdout)
        return [[_told(one, done) for one in row] for row in found]


def _told(one: Observation, done: Executed) -> Observation:
    """What was lost, with all that the exec says about it."""
    if not isinstance(one, Lost):
        return one
    reason = one.reason if done.stdout else "the exec gave no output"
    words = " ".join(filter(None, (done.error, done.stderr.decode(errors="replace").strip())))
    return Lost(f"{reason} ({words})" if words else reason)
