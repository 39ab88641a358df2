"""One round of a rule: every row asked, judged, doubts put to the proxies, denials weighed against their twins."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from pytest_ambient._kube import Kube
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import NotInTime
from pytest_ambient.probe.battery import Battery
from pytest_ambient.probe.counters import Counters, Page, Place, grown, place_of
from pytest_ambient.probe.holdings import holdings
from pytest_ambient.probe.spans import Traces, carrying, fresh
from pytest_ambient.probe.status import status_of
from pytest_ambient.probe.witness import Asked, Witnesses
from pytest_ambient.verdict.call import Call, Certificates, Question
from pytest_ambient.verdict.condition import ObjectStatus
from pytest_ambient.verdict.evidence import Counted, Holdings
from pytest_ambient.verdict.expectation import AnyExpectation, Judgement, Word, judge
from pytest_ambient.verdict.outcome import Growth, Lost, Outcome, Spans, stale
from pytest_ambient.verdict.traced import Traced

Observed = Outcome | ObjectStatus | Holdings | Lost


@dataclass(frozen=True)
class Probe:
    """A row of a round: what is asked, what is expected of every answer."""

    source: str | None
    call: Call | Question
    expectation: AnyExpectation
    twin: str | None = None
    """The key of the row that must hold beside this one, a denial."""


@dataclass(frozen=True)
class Judged:
    """What a row saw in one round and the word on it; of several requests the one that decided."""

    judgement: Judgement
    observed: Observed
    started: float
    """When the round began, seconds since the epoch."""
    at: float = 0.0
    """When its answers had come, by the clock of the rule; the proxies are asked only then."""
    all: tuple[Observed, ...] = ()
    """What every request of the row saw."""

    @property
    def holds(self) -> bool:
        """Whether the expectation held."""
        return self.judgement.word is Word.HOLDS


class Rounds:
    """Asks rows of probes; `forget` the proxies' configuration when a manifest comes or goes."""

    def __init__(self, kube: Kube, battery: Battery, witnesses: Witnesses, now: Callable[[], float]) -> None:
        self.kube, self.battery, self.witnesses, self.now = kube, battery, witnesses, now
        self.counters, self.traces = Counters(kube, witnesses.logs), Traces(kube, witnesses.logs)

    def look(self, probes: Mapping[str, Probe], *, apart: bool = False) -> dict[str, Judged]:
        """The word on every row of one round; with `apart` rows of one source are asked side by side."""
        calls = {key: (p.source or "", p.call) for key, p in probes.items() if isinstance(p.call, Call)}
        counted = [p.expectation for p in probes.values() if isinstance(p.expectation, Counted)]
        before = self.counters.read(counted)
        traces = {key: fresh() for key in calls if isinstance(probes[key].expectation, Traced)}
        calls |= {key: (calls[key][0], carrying(calls[key][1], trace)) for key, trace in traces.items()}
        answers = self.battery.ask(calls, apart=apart)
        seen: dict[str, list[Observed]] = {key: list(found) for key, found in answers.seen.items()}
        seen |= {key: [self._looked(p.call)] for key, p in probes.items() if not isinstance(p.call, Call)}
        at = self.now()
        if counted:
            self._count(probes, seen, before)
        if traces:
            self._trace(probes, seen, traces)
        self._call_witnesses(probes, seen, answers.started)
        judged = {key: decided(probe, seen[key], answers.started, at) for key, probe in probes.items()}
        return {key: beside(probe, judged, key) for key, probe in probes.items()}

    def explained(self, probe: Probe, judged: Judged) -> Judged:
        """A verdict that does not hold, with the proxies' words about it where they say something."""
        outcome = judged.observed
        if judged.holds or not isinstance(outcome, Outcome) or not isinstance(probe.call, Call):
            return judged
        if outcome.witness is not None or (outcome.status not in (0, 401, 403, 503)):
            return judged
        told = self.witnesses.attest([Asked(probe.call, outcome)], judged.started)[0]
        again = judge(probe.expectation, told)
        if told.witness is None or again.word is not judged.judgement.word:
            return judged
        return replace(judged, judgement=again, observed=told)

    def _looked(self, asked: Question) -> Observed:
        if isinstance(asked, Certificates):
            return holdings(self.kube, self.witnesses.logs, asked)
        return status_of(self.kube.get(asked.kind, asked.name, asked.namespace or None))

    def _count(
        self, probes: Mapping[str, Probe], seen: dict[str, list[Observed]], before: Mapping[Place, Page | None]
    ) -> None:
        """What was counted meanwhile; a proxy counts a connection when it ends, so it is given a little time."""
        rows = {key: p.expectation for key, p in probes.items() if isinstance(p.expectation, Counted)}
        found: dict[str, Growth | None] = {}

        def look() -> bool | NotYet:
            after = self.counters.read(rows.values())
            for key, row in rows.items():
                place = place_of(row)
                found[key] = grown(before[place], after[place], _requests(key, probes, seen))
            lacking = (row.lacking(growth) for key, row in rows.items() if (growth := found[key]) is not None)
            return next((NotYet(reason) for reason in lacking if reason), True)

        with suppress(NotInTime):
            until(look, what="the proxies' counters", within=self.witnesses.within)
        for key, growth in found.items():
            seen[key] = [replace(one, growth=growth) if isinstance(one, Outcome) else one for one in seen[key]]

    def _trace(self, probes: Mapping[str, Probe], seen: dict[str, list[Observed]], traces: Mapping[str, str]) -> None:
        """What Jaeger has of the requests; proxies send their spans now and then, so they are given time."""
        wanted = {key: one for key in traces if isinstance(one := probes[key].expectation, Traced)}
        found: dict[str, Spans | None] = {}

        def look() -> bool | NotYet:
            lacking = []
            for key, row in wanted.items():
                if row.lacking(found.get(key)):
                    found[key] = self.traces.of(traces[key], row)
                lacking.append(row.lacking(found[key]))
            return next((NotYet(reason) for reason in lacking if reason), True)

        look()
        told = {key: self.traces.explained(found[key], row) for key, row in wanted.items()}
        nothing_will_come = all(one is not None and one.traces is False for one in told.values())
        if not nothing_will_come:
            with suppress(NotInTime):
                until(look, what="the spans at Jaeger", within=self.battery.timing.spans)
            told = {key: self.traces.explained(found[key], row) for key, row in wanted.items()}
        for key, spans in told.items():
            seen[key] = [replace(one, spans=spans) if isinstance(one, Outcome) else one for one in seen[key]]

    def _call_witnesses(self, probes: Mapping[str, Probe], seen: dict[str, list[Observed]], started: float) -> None:
        """Only for outcomes that can't be judged without: an extra look into the logs costs more than the round."""
        sent = [
            (key, index, Asked(probe.call, one))
            for key, probe in probes.items()
            for index, one in enumerate(seen[key])
            if isinstance(one, Outcome) and isinstance(probe.call, Call)
        ]
        wanting = [
            (key, index, asked)
            for key, index, asked in sent
            if judge(probes[key].expectation, asked.outcome).word is Word.INCONCLUSIVE
        ]
        asked, among = ([one for _, _, one in part] for part in (wanting, sent))
        told = self.witnesses.attest(asked, started, among) if asked else []
        for (key, index, _), outcome in zip(wanting, told, strict=True):
            seen[key][index] = outcome


def _requests(key: str, probes: Mapping[str, Probe], seen: Mapping[str, Sequence[Observed]]) -> int:
    """How many requests of a round were alike: rows that ask the same grow the same counters."""
    own = _alike(probes[key])
    return sum(len(seen[other]) for other, probe in probes.items() if _alike(probe) == own)


def _alike(probe: Probe) -> tuple[str | None, Question | Call]:
    call = probe.call
    return probe.source, replace(call, count=1) if isinstance(call, Call) else call


def decided(probe: Probe, seen: Sequence[Observed], started: float, at: float) -> Judged:
    """One word on all requests of a row: broken by one, unless that may be a stale connection, inconclusive by one."""
    words = [(judge(probe.expectation, one), one) for one in seen]
    for word in (Word.BROKEN, Word.INCONCLUSIVE, Word.HOLDS):
        found = [(judgement, one) for judgement, one in words if judgement.word is word]
        if found:
            judgement, one = found[0]
            if len(seen) > 1 and judgement.reason:
                judgement = replace(judgement, reason=f"{len(found)} of {len(seen)} times {judgement.reason}")
            if word is Word.BROKEN and stale([one for _, one in found], len(seen)):
                judgement = replace(judgement, word=Word.INCONCLUSIVE)
            return Judged(judgement, one, started, at, tuple(seen))
    lost = Lost("nothing was asked")
    return Judged(Judgement(Word.INCONCLUSIVE, lost.reason), lost, started, at)


def beside(probe: Probe, judged: Mapping[str, Judged], key: str) -> Judged:
    """A denial whose twin did not hold in the same round says nothing about any policy."""
    own, twin = judged[key], judged.get(probe.twin or "")
    if probe.twin is None or not own.holds or (twin is not None and twin.holds):
        return own
    if twin is None:
        return replace(own, judgement=Judgement(Word.INCONCLUSIVE, f"its twin {probe.twin} was not asked"))
    seen = twin.judgement.reason
    reason = f"denied, which proves nothing: its twin {probe.twin} must be answered beside it and saw {seen}"
    return replace(own, judgement=Judgement(twin.judgement.word, reason))
