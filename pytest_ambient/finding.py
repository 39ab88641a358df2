"""What a look at a machine or a cluster found: one line, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failed", "unknown"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `failed` keeps a run from starting, `unknown` could not be looked at."""

    what: str
    """What was looked at, in a few words: `inotify instances`."""
    state: State
    seen: str
    """What was found: `128, 512 are needed for 3 nodes`."""
    remedy: str = ""
    """What to do, ready to paste where it is a command; empty when it is ok."""

    def __str__(self) -> str:
        text = f"{self.what}: {self.seen}"
        return f"{text}: {self.remedy}" if self.remedy else text
