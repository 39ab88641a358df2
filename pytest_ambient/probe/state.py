"""One state of a rule: control, becoming, sample, staying and the control again, each step deciding what it can."""

from collections.abc import Iterable, Mapping, Sequence

from pytest_ambient.manifest import Document
from pytest_ambient.probe.connections import Connections
from pytest_ambient.probe.converge import Clock, Track, many, settle, stay
from pytest_ambient.probe.result import Finding
from pytest_ambient.probe.rounds import Probe, Rounds
from pytest_ambient.probe.sampling import converging, marked, sampled
from pytest_ambient.probe.timing import Timing
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Judgement, Outlives, Split, Steady, Word
from pytest_ambient.verdict.failure import Phase
from pytest_ambient.verdict.split import Sample
from pytest_ambient.verdict.steady import Request, Stream


class State:
    """The cases of one state; call the steps in their order. What a step decided against is left out of the rest."""

    def __init__(
        self, cases: Sequence[Case], documents: Sequence[Document], rounds: Rounds, timing: Timing, clock: Clock
    ) -> None:
        twins = [case.answered_twin for case in cases if case.answered_twin is not None]
        everyone = {case.id: case for case in [*twins, *cases]}
        self.cases = {case.id: case for case in cases}
        self.splits = {c.id: marked(c, documents) for c in cases if isinstance(c.expectation, Split)}
        made = {key: Probe(c.source, c.call, converging(c, documents), c.twin) for key, c in everyone.items()}
        self.streamed = {key: probe for key, probe in made.items() if isinstance(probe.expectation, Steady)}
        """What is asked in steady flows."""
        self._probes = {key: probe for key, probe in made.items() if key not in self.streamed}
        self._before = {c.id: Probe(c.source, c.call, c.before) for c in cases if c.before is not None}
        self._rounds, self._timing, self._clock = rounds, timing, clock
        self._applied = 0.0
        self.findings: dict[str, Finding] = {}
        """The step that decided against a case."""
        self.became: dict[str, Track] = {}
        self.samples: dict[str, Sample] = {}
        self._connections = Connections(rounds.battery)
        self.flows: dict[str, Stream] = {}
        self._flowed: dict[str, Finding] = {}
        self.late: dict[str, str] = {}
        """What was seen of rows that took seconds longer than their three rounds told."""

    @property
    def open(self) -> list[str]:
        """The cases that nothing was found against yet."""
        return [key for key in self.cases if key not in self.findings]

    @property
    def sources(self) -> set[str]:
        """The words of all that will call, twins included."""
        return {probe.source for probe in (*self._probes.values(), *self.streamed.values()) if probe.source}

    def control(self) -> None:
        """Before the manifest every case must be answered as it says, or the manifest could prove nothing."""
        asked, within = self._before, self._timing.control
        tracks = settle(self._rounds, asked, self._timing, within=within, times=1, clock=self._clock)
        self._note("control", asked, tracks, times=1)

    def open_connections(self) -> None:
        """Connections that must be open when the manifest comes; the last step before it is applied."""
        wanted = {key: self.cases[key] for key in self.open if isinstance(self.cases[key].expectation, Outlives)}
        asked = {key: self._before[key] for key in wanted if key in self._before}
        self._connections.open(wanted)
        if asked:
            timing = self._timing
            settle(self._rounds, asked, timing, within=timing.control, times=timing.rounds, clock=self._clock)
        self._connections.applied()

    def flow(self, seen: Mapping[str, Sequence[Request]], applied: float) -> None:
        """What came of the steady flows, those that are answered first: each denial's twin is among them."""
        wanted = {key: p.expectation for key, p in self.streamed.items() if isinstance(p.expectation, Steady)}
        for key in sorted(wanted, key=lambda key: wanted[key].denies):
            probe = self.streamed[key]
            stream = wanted[key].weigh(seen[key], applied, self.flows.get(probe.twin or ""))
            self.flows[key] = stream
            if key not in self.cases or key in self.findings:
                continue
            judgement = Judgement.of(stream.reason or stream.doubt)
            last = Track(stream.requests, alike=stream.requests, ended=stream.seconds)
            found = Finding("throughout", probe, judgement, last)
            (self.findings if judgement.word is not Word.HOLDS else self._flowed)[key] = found

    def void(self, reason: str, but: Word | None = None) -> None:
        """Nothing that was seen proves anything, `but` what has that word: what the manifest changed was not so."""
        for key in self.cases:
            found = self.finding(key)
            if found.phase != "control" and found.judgement.word is not but:
                self.findings[key] = Finding(
                    found.phase, found.probe, Judgement(Word.INCONCLUSIVE, reason), found.track
                )

    def becomes(self, since: float, started: float = 0.0) -> None:
        """The manifest takes effect; `since` is when it was applied, by our clock, `started` how long its pods took."""
        asked = self._with_twins(self.open)
        timing, self._applied = self._timing, since
        longer = {key: case.within + started for key, case in self.cases.items() if case.within is not None}
        tracks = settle(
            self._rounds,
            asked,
            timing,
            within=timing.becomes + started,
            times=timing.rounds,
            clock=self._clock,
            since=since,
            longer=longer,
        )
        self.became = {key: track for key, track in tracks.items() if key in self.cases}
        self._note("becomes", asked, self.became, times=timing.rounds)

    def sample(self) -> None:
        """One sample of each split that has converged."""
        for key in [key for key in self.open if key in self.splits]:
            start = self._clock.now()
            sample = sampled(self._rounds, self._probes[key], self.splits[key])
            self.samples[key] = sample
            reason = sample.doubt or sample.reason
            if reason is not None:
                word = Word.INCONCLUSIVE if sample.doubt else Word.BROKEN
                track = Track(attempts=sample.total, alike=sample.total, ended=self._clock.now() - start)
                probe = Probe(self.cases[key].source, self.cases[key].call, self.splits[key])
                self.findings[key] = Finding("becomes", probe, Judgement(word, reason), track)

    def outlived(self) -> None:
        """What became of connections that were open before."""
        for key in self.open:
            expectation = self.cases[key].expectation
            if isinstance(expectation, Outlives):
                judgement, track = self._connections.judged(key, expectation, self.became[key].stable or 0.0)
                if judgement.word is not Word.HOLDS:
                    self.findings[key] = Finding("becomes", self._probes[key], judgement, track)

    def stays(self) -> None:
        """Denials, named backends and what must not change are looked at again after the hold."""
        others = (*self.splits, *self.streamed)
        still = {key: self.cases[key].holds_still for key in self.open if key not in others}
        asked = self._with_twins([key for key, wanted in still.items() if wanted])
        held = (self.became[key].stable or 0.0 for key in asked if key in self.became)
        since = self._applied + max(held, default=0.0)
        tracks = stay(self._rounds, asked, still, self._timing, self._clock, since=since)
        self.late = {key: f"late: after the hold {track.late}" for key, track in tracks.items() if track.late}
        for key in self.late.keys() & self.became.keys():
            self.became[key].stable = self._clock.now() - self._applied
        self._note("stays", asked, tracks, times=1)

    def undone(self) -> None:
        """With the manifest gone, every case must be answered as before it, by all of some requests sent at once."""
        timing = self._timing
        asked = {key: many(self._before[key], timing.rounds) for key in self.open if key in self._before}
        tracks = settle(self._rounds, asked, timing, within=timing.undo, times=1, clock=self._clock)
        self._note("undo", asked, tracks, times=1)

    def finding(self, key: str) -> Finding:
        """What decided a case: a step against it, or that it became and stayed."""
        if key in self.findings or key in self._flowed:
            return self.findings.get(key) or self._flowed[key]
        probe = self._probes.get(key) or self.streamed[key]
        return Finding("becomes", probe, Judgement(Word.HOLDS), self.became.get(key, Track()))

    def _with_twins(self, keys: Iterable[str]) -> dict[str, Probe]:
        wanted = {*keys, *(self._probes[key].twin for key in keys if key in self._probes)}
        return {key: probe for key, probe in self._probes.items() if key in wanted}

    def _note(self, phase: Phase, asked: Mapping[str, Probe], tracks: Mapping[str, Track], *, times: int) -> None:
        for key, track in tracks.items():
            if track.row >= times or track.last is None or key in self.findings or key not in self.cases:
                continue
            track.last = self._rounds.explained(asked[key], track.last)
            judgement = track.last.judgement
            if judgement.word is Word.HOLDS:
                judgement = Judgement(Word.BROKEN, f"what was wanted, but never {times} times in a row")
            self.findings[key] = Finding(phase, asked[key], judgement, track)
