"""Requests to stop that come where no exception gets out."""

import signal
import sys
from collections.abc import Iterator

import pytest

from pytest_ambient import _stop


class Last:
    """Asks to stop as it goes."""

    def __init__(self, asked: BaseException) -> None:
        self.asked = asked

    def __del__(self) -> None:
        raise self.asked


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What others hear of exceptions that got nowhere, while requests are heeded."""
    heard: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: heard.append(lost.exc_type.__name__))
    others, before = sys.unraisablehook, _stop.heed()
    yield heard
    _stop.restore(before)
    assert sys.unraisablehook is others


def test_a_lost_ctrl_c_is_heard_later(told: list[str]) -> None:
    """Whoever else listens hears of it as before."""
    Last(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt, match="SIGINT"):
        _stop.hear()
    assert told == ["KeyboardInterrupt"]


def test_other_errors_in_finalizers_ask_for_nothing(told: list[str]) -> None:
    """They are for whoever else listens."""
    Last(ValueError("mine"))
    _stop.hear()
    assert told == ["ValueError"]


def test_a_ctrl_c_that_got_out_is_not_heard_again(told: list[str]) -> None:
    """Somebody has dealt with it."""
    with pytest.raises(KeyboardInterrupt):
        signal.default_int_handler(signal.SIGINT, None)
    _stop.hear()
    assert told == []


def test_who_listens_in_front_of_us_stays_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook that others set meanwhile is theirs to take back, and goes on through ours, the second time too."""
    heard: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: heard.append("first"))
    monkeypatch.setattr(_stop, "_before_us", [])
    before = _stop.heed()
    ours = sys.unraisablehook

    def front(lost: "sys.UnraisableHookArgs") -> None:
        heard.append("front")
        ours(lost)

    sys.unraisablehook = front
    for _ in range(2):
        Last(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            _stop.hear()
        _stop.restore(before)
        assert sys.unraisablehook is front
        before = _stop.heed()
    _stop.restore(before)
    assert heard == ["front", "first"] * 2
