"""Waiting as one function: for what, how long at most, and what was seen last."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pytest_ambient import _halt
from pytest_ambient.errors import NotInTime

T = TypeVar("T")

SHORTEST, LONGEST = 0.05, 1.0
GROWTH = 1.5
"""How much longer each pause is than the one before: a look comes late by a third of the time waited, at most."""


@dataclass(frozen=True)
class NotYet:
    """What a check saw in place of what it waits for; `given_up` says that waiting on is pointless."""

    seen: str
    given_up: bool = False


def until(
    check: Callable[[], T | NotYet],
    *,
    what: str,
    within: float,
    times: int = 1,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = _halt.sleep,
) -> T:
    """The check's answer once it has come `times` times in a row, asked at growing intervals (50 ms to 1 s).

    Raises NotInTime after `within` seconds, or at once when the check gives up; its text ends with the last answer.
    KeyboardInterrupt when this thread's work is asked to end.
    """
    from tenacity import RetryCallState, Retrying, retry_if_result, wait_exponential

    start, row = clock(), 0

    def asked() -> T | NotYet:
        nonlocal row
        answer = check()
        row = 0 if isinstance(answer, NotYet) else row + 1
        return answer

    def over(state: RetryCallState) -> bool:
        answer = state.outcome.result() if state.outcome else None
        return (isinstance(answer, NotYet) and answer.given_up) or clock() - start >= within

    def late(state: RetryCallState) -> T:
        answer = state.outcome.result() if state.outcome else None
        seen = answer.seen if isinstance(answer, NotYet) else f"right {row} of {times} times in a row"
        how = "gave up waiting" if isinstance(answer, NotYet) and answer.given_up else f"not within {within:g} s"
        raise NotInTime(f"{what}: {how} ({clock() - start:.1f} s); last: {seen}")

    retrying = Retrying(
        retry=retry_if_result(lambda _answer: row < times),
        wait=wait_exponential(multiplier=SHORTEST, exp_base=GROWTH, min=SHORTEST, max=LONGEST),
        stop=over,
        sleep=sleep,
        retry_error_callback=late,
    )
    answer = retrying(asked)
    if isinstance(answer, NotYet):
        raise NotInTime(f"{what}: {answer.seen}")
    return answer
