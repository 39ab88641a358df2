"""The table of a rule: `case` makes a row, `cases` turns rows into test items."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pytest

from pytest_ambient._words import needed
from pytest_ambient.errors import Misuse
from pytest_ambient.verdict.call import Call, Question
from pytest_ambient.verdict.case import Case, Level, Scope
from pytest_ambient.verdict.expectation import (
    Answered,
    AnyExpectation,
    HasCondition,
    LacksCondition,
    OneCertificate,
    Steady,
)
from pytest_ambient.verdict.pairing import pair
from pytest_ambient.verdict.variant import Unsupported, Variant, variants


class _Default:
    """Marks `before` as not given: an answer for a call, absence for a condition."""


_DEFAULT = _Default()


def case(
    id: str,
    source: str | None,
    call: Call | Question,
    expectation: AnyExpectation,
    *,
    before: AnyExpectation | _Default | None = _DEFAULT,
    state: str | None = None,
    unchanged: bool = False,
    twin: str | None = None,
    level: Level = "core",
    profile: str | None = None,
    needs: str | Sequence[str] = (),
    scope: Scope = "namespace",
    on: Mapping[str, AnyExpectation | Unsupported] | None = None,
    within: float | None = None,
) -> Case:
    """One row: `source` sends `call`, and `expectation` must come to hold.

    `before` must hold until the manifest is applied: `Answered(200)` unless given, or the condition's absence, or what
    a `Steady` stream gets; with `unchanged` it is the expectation itself. `needs` names features, one or several. `on`
    says what is expected elsewhere, by data plane (`kmesh`) and version (`istio<1.29`, `kmesh istio>=1.27`): the first
    condition that holds counts, and `Unsupported(why)` skips the row there. `within` gives the effect more seconds than
    the time-out `becomes` has. A mistake fails collection with one line.
    """
    if isinstance(before, _Default):
        before = _before(expectation, unchanged)
    if on is not None and not isinstance(on, Mapping):
        raise pytest.Collector.CollectError(
            f"case {id!r}: on must be a dict like {{'kmesh': Answered(200)}}, not {on!r}"
        )
    features = tuple(needs) if isinstance(needs, Iterable) and not isinstance(needs, str) else (needs,)
    row = (id, source, call, expectation, before, state, unchanged, twin, level, profile, features, scope)
    try:
        made = Case(*row, on=variants(on or {}), within=within)
    except Misuse as error:
        raise pytest.Collector.CollectError(str(error)) from None
    except ValueError as error:
        raise pytest.Collector.CollectError(f"case {id!r}: on: {error}") from None
    if wrong := needed(made.features):
        raise pytest.Collector.CollectError(f"case {id!r}: {wrong}")
    return made


def cases(
    *rows: Case,
    level: Level = "core",
    scope: Scope = "namespace",
    on: Mapping[str, AnyExpectation | Unsupported] | None = None,
) -> pytest.MarkDecorator:
    """Makes a test function run once for each row, each an item of its own that `verdict` judges.

    `level`, `scope` and `on` hold for every row that does not say its own.
    """
    if not rows:
        raise pytest.Collector.CollectError("cases: a table needs at least one case(...)")
    for row in rows:
        if not isinstance(row, Case):
            raise pytest.Collector.CollectError(f"cases: a table is made of case(...) rows, not of {row!r}")
    try:
        elsewhere = variants(on or {})
        table = pair([_with(row, level, scope, elsewhere) for row in rows])
    except Misuse as error:
        raise pytest.Collector.CollectError(str(error)) from None
    except ValueError as error:
        raise pytest.Collector.CollectError(f"cases: on: {error}") from None
    params = [pytest.param(row, id=row.id) for row in table]
    return pytest.mark.parametrize("verdict", params, indirect=True)


def _with(row: Case, level: Level, scope: Scope, on: tuple[Variant, ...]) -> Case:
    return replace(
        row,
        level=level if row.level == "core" else row.level,
        scope=scope if row.scope == "namespace" else row.scope,
        on=row.on or on,
    )


def _before(expectation: AnyExpectation, unchanged: bool) -> AnyExpectation | None:
    if unchanged:
        return expectation
    if isinstance(expectation, HasCondition):
        return LacksCondition(expectation.type, expectation.status, expectation.reason, expectation.listener)
    if isinstance(expectation, Steady):
        return expectation.of
    return None if isinstance(expectation, OneCertificate) else Answered(200)
