"""What came of a case, in the plain values that a report's properties and lines of results carry."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_ambient.probe.result import CaseResult
    from pytest_ambient.report.junit import Json
    from pytest_ambient.verdict.failure import Failure
    from pytest_ambient.verdict.split import Share
    from pytest_ambient.verdict.steady import Stream


def facts(result: "CaseResult", *, whole: bool) -> "dict[str, Json]":
    """A result in plain values; what does not apply to it is None or empty. `whole` takes its text along."""
    return {
        "verdict": str(result.word),
        "reason": result.reason,
        "phase": result.phase if result.reason else None,
        "text": result.text if whole else None,
        "attempts": result.attempts,
        "first_ms": result.first_ms,
        "stable_ms": result.stable_ms,
        "seconds": result.seconds,
        "expected_on": result.case.where,
        "evidence": list(result.evidence),
        "split": [_share(share) for share in result.sample.shares] if result.sample else None,
        "stream": _stream(result.stream) if result.stream else None,
        "manifest": result.manifest,
        **(_story(result.failure) if result.failure else {}),
        **({"got": str(result.sample)} if result.sample and not result.reason else {}),
    }


def _story(told: "Failure") -> "dict[str, Json]":
    return {
        "called": told.caller,
        "wanted": told.promise,
        "got": told.got or None,
        "applied": list(told.applied),
        "repeat": told.repeat,
    }


def _stream(one: "Stream") -> "Json":
    return {
        "requests": one.requests,
        "seconds": round(one.seconds, 3),
        "rate": round(one.rate, 2),
        "good": one.good,
        "wrong": one.wrong,
        "lost": one.lost,
        "errors": dict(one.errors),
        "gaps": [{"start_ms": round(1000 * gap.start), "ms": round(1000 * gap.seconds)} for gap in one.gaps],
    }


def _share(one: "Share") -> "Json":
    return {
        "backend": one.backend,
        "wanted": one.wanted,
        "share": round(one.share, 6),
        "low": round(one.low, 6),
        "high": round(one.high, 6),
        "total": one.total,
        "p": one.p_value,
    }
