"""Denials and their twins: the answered case beside each, which differs from it in one thing."""

import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from pytest_ambient.errors import Misuse
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Answered, Split, Steady
from pytest_ambient.verdict.variant import Unsupported, Variant, chosen, worlds

_OWN_NAMESPACE = re.compile(r"\.\$\{NAMESPACE\}(\.svc(\.cluster\.local)?)?$")


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
    found = _twinned(case, table)
    if found.answered_twin is not None:
        _beside_everywhere(found, found.answered_twin)
    return found


def _beside_everywhere(case: Case, twin: Case) -> None:
    """Misuse where the case is a denial while its twin is not answered, whatever runs."""
    for world in worlds((*case.on, *twin.on)):
        mine, other = case.there(world), twin.there(world)
        if isinstance(mine, Unsupported) or not mine.twin or (isinstance(other, Case) and _answers(other)):
            continue
        variant = chosen(twin.on, world)
        where = variant.where.text if isinstance(variant, Variant) else world.dataplane
        said = other if isinstance(other, Unsupported) else f"must see {other.expectation}"
        raise Misuse(f"case {case.id!r}: on {where} its twin {twin.id!r} is no answered case there: {said}")


def _ever_denies(case: Case) -> bool:
    others = [variant.expected for variant in case.on if not isinstance(variant.expected, Unsupported)]
    return any(expectation.denies for expectation in (case.expectation, *others))


def _twinned(case: Case, table: tuple[Case, ...]) -> Case:
    if not _ever_denies(case):
        if case.twin is not None:
            raise Misuse(f"case {case.id!r}: only a denial has a twin")
        return case
    steady = isinstance(case.expectation, Steady)
    answered = [other for other in table if _answers(other) and other.state == case.state]
    answered = [other for other in answered if isinstance(other.expectation, Steady) == steady]
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
    """Whether it wants answers; a stream that does is the twin of a stream that is denied."""
    wanted = case.expectation.of if isinstance(case.expectation, Steady) else case.expectation
    return isinstance(wanted, Answered | Split) and isinstance(case.call, Call)


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
