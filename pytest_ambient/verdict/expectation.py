"""What must happen to a call, and the judgement of one observation by it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

from pytest_ambient.verdict.answered import Answered
from pytest_ambient.verdict.condition import HasCondition, LacksCondition, ObjectStatus
from pytest_ambient.verdict.denied import DeniedL4, DeniedL7, Unauthorized
from pytest_ambient.verdict.distribution import Split, Statuses
from pytest_ambient.verdict.evidence import Counted, Holdings, Logged, OneCertificate, Unlogged
from pytest_ambient.verdict.failed import TimedOut, Unreachable
from pytest_ambient.verdict.graph import HasEdge, HasWorkload
from pytest_ambient.verdict.outcome import Lost, Outcome
from pytest_ambient.verdict.outlives import Outlives
from pytest_ambient.verdict.seen import Doubt
from pytest_ambient.verdict.steady import Steady
from pytest_ambient.verdict.traced import Traced

__all__ = [
    "Answered",
    "AnyExpectation",
    "Counted",
    "DeniedL4",
    "DeniedL7",
    "Doubt",
    "Expectation",
    "HasCondition",
    "HasEdge",
    "HasWorkload",
    "Judgement",
    "LacksCondition",
    "Logged",
    "OneCertificate",
    "Outlives",
    "Split",
    "Statuses",
    "Steady",
    "TimedOut",
    "Traced",
    "Unauthorized",
    "Unlogged",
    "Unreachable",
    "Word",
    "judge",
]


@runtime_checkable
class Expectation(Protocol):
    """A frozen value that says what must happen to a call; `str()` of it is the words for "wanted"."""

    @property
    def needs_witness(self) -> bool:
        """Whether a proxy's own word belongs to the evidence."""
        ...

    @property
    def denies(self) -> bool:
        """Whether it is a denial, which counts only beside its twin."""
        ...

    @property
    def holds_still(self) -> bool:
        """Whether it must be seen to stay: it denies, or names a backend that luck could pick."""
        ...

    def explain(self, outcome: Outcome, /) -> str | None:
        """None when it holds; else why not, naming the mechanism that was seen. A Doubt when nothing is proved."""
        ...


AnyExpectation: TypeAlias = Expectation | HasCondition | LacksCondition | OneCertificate
Evidence: TypeAlias = Outcome | ObjectStatus | Holdings


class Word(StrEnum):
    """The three answers to whether an expectation holds."""

    HOLDS = "holds"
    BROKEN = "broken"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Judgement:
    """The word on one observation; `reason` is empty when it holds."""

    word: Word
    reason: str = ""

    @classmethod
    def of(cls, reason: str | None) -> "Judgement":
        """The word that an explanation means: None holds, a Doubt proves nothing, any other breaks."""
        if reason is None:
            return cls(Word.HOLDS)
        return cls(Word.INCONCLUSIVE if isinstance(reason, Doubt) else Word.BROKEN, str(reason))


def judge(expectation: AnyExpectation, observation: Evidence | Lost) -> Judgement:
    """Whether the expectation holds for what was seen. What proves nothing is neither kept nor broken."""
    if isinstance(observation, Lost):
        return Judgement(Word.INCONCLUSIVE, observation.reason)
    return Judgement.of(_explain(expectation, observation))


def _explain(expectation: AnyExpectation, evidence: Evidence) -> str | None:
    if isinstance(expectation, HasCondition | LacksCondition):
        if isinstance(evidence, ObjectStatus):
            return expectation.explain(evidence)
    elif isinstance(expectation, OneCertificate):
        if isinstance(evidence, Holdings):
            return expectation.explain(evidence)
    elif isinstance(evidence, Outcome):
        return expectation.explain(evidence)
    raise TypeError(f"{expectation!r} cannot judge {type(evidence).__name__}")
