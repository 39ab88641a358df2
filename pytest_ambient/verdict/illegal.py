"""Why a row cannot be: what contradicts itself or names what is not, found as soon as it is written."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_ambient.verdict.call import Call, Certificates, Status
from pytest_ambient.verdict.expectation import (
    Expectation,
    HasCondition,
    LacksCondition,
    OneCertificate,
    Outlives,
    Split,
    Steady,
    Traced,
)
from pytest_ambient.verdict.profiles import unknown
from pytest_ambient.verdict.variant import Unsupported

if TYPE_CHECKING:
    from pytest_ambient.verdict.case import Case

_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SOURCE = re.compile(r"((other|outside)/)?[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_JUDGES: Mapping[type, tuple[str, tuple[type, ...]]] = {
    Status: ("a status", (HasCondition, LacksCondition)),
    Certificates: ("certificates", (OneCertificate,)),
}
_OF_QUESTIONS = (HasCondition, LacksCondition, OneCertificate)


def illegal(case: "Case") -> str | None:
    """The first reason against a row, in words that go on from its name; None for one that can be."""
    return _shape(case) or _values(case) or _kinds(case) or _change(case)


def _written(value: object, form: re.Pattern[str]) -> bool:
    """Whether it is a text of that form: nobody has checked the types of a user's module."""
    return isinstance(value, str) and form.fullmatch(value) is not None


def _values(case: "Case") -> str | None:
    call: object = case.call
    if not isinstance(call, Call | Status | Certificates):
        return f"call must be GET(url), STATUS(kind, name) or the like, not {_said(call)}"
    expected: list[tuple[str, object]] = [("expectation", case.expectation)]
    expected += [("before", case.before)] if case.before is not None else []
    expected += [(f"on {one.where.text}", one.expected) for one in case.on if not isinstance(one.expected, Unsupported)]
    for name, value in expected:
        if isinstance(value, type) or not isinstance(
            value, Expectation | HasCondition | LacksCondition | OneCertificate
        ):
            return f"{name} must be Answered(200), DeniedL4() or the like, not {_said(value)}"
    wrong = [feature for feature in case.features if not isinstance(feature, str)]
    return f"needs must be names of features, not {wrong[0]!r}" if wrong else None


def _said(value: object) -> str:
    name = getattr(value, "__name__", None)
    return f"{name} without ()" if name and callable(value) else repr(value)


def _shape(case: "Case") -> str | None:
    if not _written(case.id, _KEBAB):
        return "the id must be a sentence in kebab case, like get-is-answered"
    if case.level not in ("core", "extended", "documented"):
        return f"level must be core, extended or documented, not {case.level!r}"
    if case.scope not in ("namespace", "mesh"):
        return f"scope must be namespace or mesh, not {case.scope!r}"
    if case.profile is not None and (wrong := unknown(case.profile)):
        return f"profile {wrong}"
    if case.state is not None and not _written(case.state, _KEBAB):
        return f"state must be in kebab case, not {case.state!r}"
    if case.source is not None and not _written(case.source, _SOURCE):
        return f"source must be WORKLOAD, other/WORKLOAD or outside/WORKLOAD, not {case.source!r}"
    if case.within is not None and not (isinstance(case.within, int | float) and case.within > 0):
        return f"within must be seconds above 0, not {case.within!r}"
    return None


def _kinds(case: "Case") -> str | None:
    words, fitting = _JUDGES.get(type(case.call), ("a call", None))
    if (fitting is None) == (case.source is None):
        return f"{words} has no source" if fitting else "a call needs a source"
    for expectation in (case.expectation, case.before):
        if expectation is None:
            continue
        if not isinstance(expectation, fitting) if fitting else isinstance(expectation, _OF_QUESTIONS):
            return f"{expectation!r} says nothing about {words}"
    if isinstance(case.before, Split | Outlives | Steady):
        what = {Split: "a Split", Outlives: "an Outlives", Steady: "a Steady"}[type(case.before)]
        return f"before can't be {what}: the control is one probe"
    if isinstance(case.call, Call) and isinstance(case.expectation, Split | Steady) and case.call.count != 1:
        return f"a {type(case.expectation).__name__} chooses the number of its answers itself; leave out count"
    if isinstance(case.call, Call) and isinstance(case.expectation, Traced) and case.call.count != 1:
        return "a Traced is about one request; leave out count"
    return None


def _change(case: "Case") -> str | None:
    same = case.before == case.expectation
    if same and not case.unchanged and case.where:
        return "before and after are equal there, which proves nothing; say Unsupported there and write a row for it"
    if same and not case.unchanged:
        return "before and after are equal, which proves nothing; say unchanged=True if that is the point"
    if case.unchanged and not same:
        return f"unchanged=True, but before is {case.before!r} and after {case.expectation!r}"
    return None
