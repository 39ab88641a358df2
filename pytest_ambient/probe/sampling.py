"""Traffic splits: when one has converged, and its one sample."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from pytest_ambient._kube import Object
from pytest_ambient.errors import Misuse
from pytest_ambient.manifest import Document
from pytest_ambient.probe.converge import many
from pytest_ambient.probe.rounds import Probe, Rounds
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Answered, AnyExpectation, Split, Statuses
from pytest_ambient.verdict.outcome import Lost, Observation, Outcome
from pytest_ambient.verdict.split import Sample

TRIES = 3
"""Samples at most: a further one is taken only where something of the one before was lost, never for its numbers."""
EXECS = 4
"""Execs that share the answers of a look, a part each: one request keeps a single proxy busy at a time."""


def converging(case: Case, documents: Sequence[Document]) -> AnyExpectation:
    """What every single answer must be; for a split, an answer that its route has marked."""
    if isinstance(case.expectation, Split) and not isinstance(case.expectation, Statuses):
        return Answered(200, header=marked(case, documents).header)
    return case.expectation


def marked(case: Case, documents: Sequence[Document]) -> Split:
    """The case's split with the response header that its HTTPRoute adds; Misuse when the route adds none."""
    assert isinstance(case.expectation, Split)
    assert isinstance(case.call, Call)
    if case.expectation.header is not None:
        return case.expectation
    host = (urlsplit(case.call.url).hostname or "").partition(".")[0]
    for document in documents:
        if document.object["kind"] == "HTTPRoute" and host in _parents(document.object):
            header = next(_headers(document.object), None)
            if header is not None:
                return replace(case.expectation, header=header)
    raise Misuse(
        f"case {case.id!r}: a Split needs an HTTPRoute for {host} whose ResponseHeaderModifier adds a header to every "
        "answer, so that the sample can be told from answers of before"
    )


def sampled(rounds: Rounds, probe: Probe, split: Split) -> Sample:
    """One sample of a split, asked on until it decides; taken anew when something of it was lost."""
    for _ in range(TRIES):
        seen: list[Observation] = []
        sample = split.sample(seen)
        while sample.more:
            seen += _asked(rounds, probe, sample.more)
            sample = split.sample(seen)
        if sample.doubt is None:
            break
    return sample


def _asked(rounds: Rounds, probe: Probe, count: int) -> list[Observation]:
    """What so many requests saw, every one over a new connection, asked by some execs at once."""
    parts = (count // EXECS + (number < count % EXECS) for number in range(EXECS))
    rows = {f"sample {number}": many(probe, part) for number, part in enumerate(parts) if part}
    judged = rounds.look(rows, apart=True)
    return [one for row in judged.values() for one in row.all if isinstance(one, Outcome | Lost)]


def _parents(route: Object) -> set[str]:
    return {str(parent.get("name")) for parent in route.get("spec", {}).get("parentRefs") or []}


def _headers(route: Object) -> Iterator[tuple[str, str]]:
    """Headers that all rules of a route add alike."""
    rules = route.get("spec", {}).get("rules") or []
    found = [list(_rule_headers(rule)) for rule in rules]
    for header in found[0] if found else []:
        if all(header in others for others in found):
            yield header


def _rule_headers(rule: Object) -> Iterator[tuple[str, str]]:
    for filter_ in rule.get("filters") or []:
        if filter_.get("type") == "ResponseHeaderModifier":
            change = filter_.get("responseHeaderModifier") or {}
            for entry in [*(change.get("set") or []), *(change.get("add") or [])]:
                yield str(entry["name"]), str(entry["value"])
