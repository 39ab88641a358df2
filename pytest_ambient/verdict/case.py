"""One row of a rule's table: who calls, what, and what must happen, before the manifest and after."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from pytest_ambient.errors import Misuse
from pytest_ambient.verdict.call import Call, Status
from pytest_ambient.verdict.expectation import (
    Answered,
    AnyExpectation,
    HasCondition,
    LacksCondition,
    Split,
)

Level = Literal["core", "extended", "documented"]
Scope = Literal["namespace", "mesh"]
_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SOURCE = re.compile(r"((other|outside)/)?[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_NAME = re.compile(r"\$\{([A-Z_]+)\}")
_OWN_NAMESPACE = re.compile(r"\.\$\{NAMESPACE\}(\.svc(\.cluster\.local)?)?$")
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Case:
    """One item of a rule. An illegal combination raises Misuse, one line, when it is made."""

    id: str
    source: str | None
    """A workload in our namespace, `other/NAME`, `outside/NAME`; None for a Status, which no pod asks for."""
    call: Call | Status
    expectation: AnyExpectation
    before: AnyExpectation | None
    """What holds before the manifest; None when nothing is asked then."""
    state: str | None = None
    """Which of the rule's manifests, `test_<stem>.<state>.yaml`, it belongs to."""
    unchanged: bool = False
    twin: str | None = None
    """The id of the answered case that differs from this denial in one thing."""
    level: Level = "core"
    profile: str | None = None
    features: tuple[str, ...] = ()
    scope: Scope = "namespace"
    answered_twin: "Case | None" = field(default=None, repr=False)
    """The twin itself, probed beside the denial even when it was not selected; filled in by the table."""

    def __post_init__(self) -> None:
        reason = _shape(self) or _kinds(self) or _change(self)
        if reason is not None:
            raise Misuse(f"case {self.id!r}: {reason}")

    @property
    def title(self) -> str:
        """Who does what, in words."""
        return f"{self.source} -> {self.call}" if self.source else str(self.call)

    @property
    def holds_still(self) -> bool:
        """Whether the verdict must be seen to stay."""
        return self.expectation.holds_still or (self.unchanged and isinstance(self.call, Call))

    def filled(self, names: Mapping[str, str]) -> "Case":
        """The case with `${NAMESPACE}` and its like filled in everywhere; Misuse for a name that is not given."""
        try:
            return _filled(self, names)
        except KeyError as error:
            raise Misuse(f"case {self.id!r}: no value for ${{{error.args[0]}}}") from None


def pair(cases: Iterable[Case]) -> tuple[Case, ...]:
    """A table whose ids are unique and whose denials know their answered twin; Misuse for one that is not so."""
    table = tuple(cases)
    ids = [case.id for case in table]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise Misuse(f"case {twice[0]!r}: the id stands twice in its table")
    return tuple(_paired(case, table) for case in table)


def differences(case: Case, other: Case) -> tuple[str, ...]:
    """In which things two calls differ: source, method, host, port, path, headers, body, person."""
    mine, theirs = _parts(case), _parts(other)
    return tuple(name for name in mine if mine[name] != theirs[name])


def _paired(case: Case, table: tuple[Case, ...]) -> Case:
    if not case.expectation.denies:
        if case.twin is not None:
            raise Misuse(f"case {case.id!r}: only a denial has a twin")
        return case
    answered = [other for other in table if _answers(other) and other.state == case.state]
    if case.twin is None:
        fitting = [other for other in answered if len(differences(case, other)) == 1]
        if len(fitting) == 1:
            return replace(case, twin=fitting[0].id, answered_twin=fitting[0])
        found = ", ".join(other.id for other in fitting) or "none"
        raise Misuse(
            f"case {case.id!r}: a denial needs twin=, an answered case that differs in one thing; found {found}"
        )
    twin = next((other for other in answered if other.id == case.twin), None)
    if twin is None:
        raise Misuse(f"case {case.id!r}: twin {case.twin!r} is no answered case of the same table and state")
    differing = differences(case, twin)
    if len(differing) != 1 and not ("host" in differing and "source" not in differing):
        told = " and ".join(differing) or "nothing"
        raise Misuse(f"case {case.id!r}: twin {twin.id!r} differs in {told}; it must differ in one thing")
    return replace(case, answered_twin=twin)


def _answers(case: Case) -> bool:
    return isinstance(case.expectation, Answered | Split) and isinstance(case.call, Call)


def _parts(case: Case) -> dict[str, object]:
    """`reviews` and `reviews.${NAMESPACE}` are one host: callers of another namespace must write the longer name."""
    assert isinstance(case.call, Call)
    url = urlsplit(case.call.url)
    return {
        "source": case.source,
        "method": case.call.method,
        "host": _OWN_NAMESPACE.sub("", url.netloc.rpartition(":")[0] if ":" in url.netloc else url.netloc),
        "port": url.netloc.rpartition(":")[2] if ":" in url.netloc else url.scheme,
        "path": (url.path, url.query),
        "headers": case.call.headers,
        "person": case.call.signed_in,
    }


def _shape(case: Case) -> str | None:
    if not _KEBAB.fullmatch(case.id):
        return "the id must be a sentence in kebab case, like get-is-answered"
    if case.level not in ("core", "extended", "documented"):
        return f"level must be core, extended or documented, not {case.level!r}"
    if case.scope not in ("namespace", "mesh"):
        return f"scope must be namespace or mesh, not {case.scope!r}"
    if case.state is not None and not _KEBAB.fullmatch(case.state):
        return f"state must be in kebab case, not {case.state!r}"
    if case.source is not None and not _SOURCE.fullmatch(case.source):
        return f"source must be WORKLOAD, other/WORKLOAD or outside/WORKLOAD, not {case.source!r}"
    return None


def _kinds(case: Case) -> str | None:
    about_status = isinstance(case.call, Status)
    if about_status != (case.source is None):
        return "a status has no source" if about_status else "a call needs a source"
    for expectation in (case.expectation, case.before):
        if expectation is not None and about_status != isinstance(expectation, HasCondition | LacksCondition):
            return f"{expectation!r} says nothing about {'a status' if about_status else 'a call'}"
    if isinstance(case.before, Split):
        return "before can't be a Split: the control is one probe"
    if isinstance(case.call, Call) and isinstance(case.expectation, Split) and case.call.count != 1:
        return "a Split chooses the number of its answers itself; leave out count"
    return None


def _change(case: Case) -> str | None:
    same = case.before == case.expectation
    if same and not case.unchanged:
        return "before and after are equal, which proves nothing; say unchanged=True if that is the point"
    if case.unchanged and not same:
        return f"unchanged=True, but before is {case.before!r} and after {case.expectation!r}"
    return None


def _filled(value: _Value, names: Mapping[str, str]) -> _Value:
    """The value with every text in it filled in, however deep."""
    filled: object = value
    if isinstance(value, str):
        filled = _NAME.sub(lambda name: names[name[1]], value)
    elif isinstance(value, tuple):
        filled = tuple(_filled(item, names) for item in value)
    elif isinstance(value, dict):
        filled = {_filled(key, names): item for key, item in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        changes = {part.name: _filled(getattr(value, part.name), names) for part in fields(value)}
        filled = replace(value, **changes)
    return filled  # type: ignore[return-value]  # the branches above keep the type
