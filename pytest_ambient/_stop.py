"""A request to stop (SIGTERM, a terminal that hangs up) ends a process as Ctrl-C does: with everything undone."""

import signal
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

REQUESTS = (signal.SIGTERM, signal.SIGHUP)

Handlers: TypeAlias = "Mapping[signal.Signals, Callable[[int, FrameType | None], object] | int | None]"

_came: list[str] = []
"""Requests since they are heeded; of Ctrl-C, which anybody may catch who likes, only those that were lost."""
_before_us: "list[Callable[[UnraisableHookArgs], object]]" = []
"""Who was told of exceptions that Python lets nowhere."""


def heed() -> Handlers:
    """Turn requests to stop into KeyboardInterrupt, and return who handled them before.

    What this process was started to ignore (`nohup`) stays ignored.
    """
    _came.clear()
    if not _before_us:
        _before_us.append(sys.unraisablehook)
        sys.unraisablehook = _lost
    heeded = [number for number in REQUESTS if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, _interrupt) for number in heeded}


def hear() -> None:
    """KeyboardInterrupt for a request that came earlier and ended nothing.

    It came inside of a finalizer, of which Python lets no exception out.
    """
    if _came:
        raise KeyboardInterrupt(_came[-1])


def ignore(before: Handlers) -> None:
    """Be deaf to requests to stop: whoever asks during the undoing gets his wish anyway."""
    for number in before:
        signal.signal(number, signal.SIG_IGN)


def restore(before: Handlers) -> None:
    """Give requests to stop back to who handled them."""
    for number, handler in before.items():
        signal.signal(number, handler if handler is not None else signal.SIG_DFL)
    if sys.unraisablehook is _lost:
        sys.unraisablehook = _before_us.pop()
    _came.clear()


def _interrupt(number: int, frame: FrameType | None) -> None:
    _came.append(signal.Signals(number).name)
    raise KeyboardInterrupt(_came[-1])


def _lost(told: "UnraisableHookArgs") -> None:
    if issubclass(told.exc_type, KeyboardInterrupt):
        _came.append(str(told.exc_value or "") or signal.SIGINT.name)
    _before_us[-1](told)
