"""Answers that must take a time, or must not."""

import pytest

from pytest_ambient.verdict.answered import Answered
from pytest_ambient.verdict.outcome import Outcome


def took(seconds: float) -> Outcome:
    """An answer of the application after so many seconds."""
    return Outcome(0, 200, connect_ms=1, total_ms=seconds * 1000)


@pytest.mark.parametrize(
    ("wanted", "seconds", "reason"),
    [
        (Answered(after=2), 2.0, None),
        (Answered(after=2), 1.9, "HTTP 200 from the application; wanted it after 2 s, it took 1.90 s"),
        (Answered(within=1.5), 1.5, None),
        (Answered(within=1.5), 2.0, "HTTP 200 from the application; wanted it within 1.5 s, it took 2.00 s"),
        (Answered(after=1, within=2), 1.5, None),
    ],
)
def test_time(wanted: Answered, seconds: float, reason: str | None) -> None:
    """curl's own measure decides, and the failure names it."""
    assert wanted.explain(took(seconds)) == reason


def test_words() -> None:
    """What is wanted says so; a time that cannot be is refused at once."""
    assert str(Answered(after=1, within=2)) == "HTTP 200 from the application, after 1 s, within 2 s"
    with pytest.raises(ValueError, match="after 2 s and within 1 s leave no time"):
        Answered(after=2, within=1)
