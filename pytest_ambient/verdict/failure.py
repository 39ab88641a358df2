"""The text of a red test: who called whom, wanted, got, what was applied, how to repeat it by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_ambient.verdict.call import Call, Question

Phase = Literal["control", "becomes", "stays", "undo", "throughout"]

_WANTED: dict[Phase, str] = {
    "control": "before the manifest: ",
    "becomes": "",
    "stays": "to stay: ",
    "undo": "once the manifest is undone: ",
    "throughout": "",
}
_MARGIN = "\n" + " " * 11


@dataclass(frozen=True)
class Failure:
    """What is known about a verdict that did not hold; `str()` of it is the text for a person."""

    source: str
    """The words of the case; empty for a status."""
    pod: str
    """`NAMESPACE/NAME` of the pod that called; for a status, who answered."""
    call: Call | Question
    wanted: str
    got: str
    attempts: int
    seconds: float
    """From the first attempt to the last."""
    alike: int
    """How many of the last attempts gave the same."""
    applied: Sequence[str]
    """`FILE: KIND NAMESPACE/NAME, …`, one for each manifest in effect."""
    repeat: str
    phase: Phase = "becomes"
    evidence: Sequence[str] = ()
    """Lines of the proxies' logs, as they are."""

    def __str__(self) -> str:
        rows = [
            ("wanted", [self.promise]),
            ("got", [f"{self.got}, {self._effort()}"]),
            ("said", self.evidence),
            ("applied", self.applied or ["nothing"] if self.phase != "control" else self.applied),
            ("repeat", [self.repeat]),
        ]
        return "\n".join([self.caller, *(f"  {name:<9}{_MARGIN.join(lines)}" for name, lines in rows if lines)])

    @property
    def promise(self) -> str:
        """What was wanted, and when."""
        return _WANTED[self.phase] + self.wanted

    @property
    def caller(self) -> str:
        """Who called whom."""
        if not isinstance(self.call, Call):
            return str(self.call)
        return f"{self.source} ({self.pod}) -> {self.call}" if self.pod else f"{self.source} -> {self.call}"

    def _effort(self) -> str:
        if self.phase == "throughout":
            return f"{self.attempts:,} requests in {self.seconds:.1f} s"
        if self.attempts == 1:
            return f"1 attempt in {self.seconds:.1f} s"
        return f"{self.attempts:,} attempts in {self.seconds:.1f} s, last {self.alike:,} alike"
