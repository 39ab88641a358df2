"""What came of one case, with all that a report or a person wants to know about it."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_ambient._kube import Kube
from pytest_ambient.errors import AmbientError
from pytest_ambient.probe.converge import Track
from pytest_ambient.probe.rounds import Probe
from pytest_ambient.probe.source import Source, Sources
from pytest_ambient.verdict.call import Call, Certificates, Question
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.curl import pasteable
from pytest_ambient.verdict.expectation import Judgement, Word
from pytest_ambient.verdict.failure import Failure, Phase
from pytest_ambient.verdict.outcome import Lost, Outcome
from pytest_ambient.verdict.seen import seen
from pytest_ambient.verdict.split import Sample
from pytest_ambient.verdict.steady import Stream


@dataclass(frozen=True)
class CaseResult:
    """One case's verdict and how it came about; times are milliseconds since the manifest was applied."""

    case: Case
    word: Word
    reason: str = ""
    """Why it is broken or inconclusive; empty when it holds."""
    phase: Phase = "becomes"
    """The step that decided."""
    attempts: int = 0
    first_ms: float | None = None
    """To the first effect."""
    stable_ms: float | None = None
    """To the beginning of the stable effect: the convergence time."""
    seconds: float = 0.0
    """From the first probe of the deciding step to the last."""
    evidence: tuple[str, ...] = ()
    """Lines of proxies' logs, and whose curl it was."""
    sample: Sample | None = field(default=None, compare=False)
    """The numbers of a split."""
    stream: Stream | None = field(default=None, compare=False)
    """The numbers of a steady stream."""
    failure: Failure | None = field(default=None, compare=False, repr=False)
    """Who called whom, what was wanted, got, applied and how to repeat it, of a case that holds, too."""
    manifest: str = ""
    """What was applied, its files with all names filled in: of a case that does not hold, of a state that does once."""
    text: str = ""
    """The whole failure, ready to be shown; empty when the case holds."""
    output: str = field(default="", compare=False, repr=False)
    """All that curl gave for the request that decided; empty where nobody called."""
    scene: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Texts by file name that show the cluster as it was when a case of the state did not hold."""


@dataclass(frozen=True)
class Finding:
    """The step that decided a case."""

    phase: Phase
    probe: Probe
    judgement: Judgement
    track: Track


def result(
    case: Case,
    finding: Finding,
    became: Track | None,
    applied: Sequence[str],
    kube: Kube,
    sources: Sources,
    said: Sequence[str] = (),
) -> CaseResult:
    """The case's result; `became` has the convergence times, `applied` says which manifests are in effect.

    What is `said` comes before the proxies' lines.
    """
    judgement, track = finding.judgement, finding.track
    source = _source(case, sources)
    lines = (*said, *_lines(track))
    told = _failure(case, finding, source, lines, applied, kube)
    return CaseResult(
        case,
        judgement.word,
        judgement.reason,
        finding.phase,
        track.attempts,
        _milliseconds(became.first if became else None),
        _milliseconds(became.stable if became else None),
        round(track.ended, 3),
        (*lines, *([f"curl: {source.how}"] if source else [])),
        failure=told,
        output=_output(track),
        text="" if judgement.word is Word.HOLDS else str(told),
    )


def repeat(call: Call | Question, source: Source | None, word: str, kube: Kube) -> str:
    """The line that repeats a probe by hand."""
    context, kubeconfig = kube.context or "", str(kube.kubeconfig or "")
    if isinstance(call, Certificates):
        words = ["istioctl", *(["--kubeconfig", kubeconfig] if kubeconfig else [])]
        return shlex.join([*words, *(["--context", context] if context else []), "ztunnel-config", "certificates"])
    if not isinstance(call, Call):
        words = ["kubectl", *(["--kubeconfig", kubeconfig] if kubeconfig else [])]
        words += ["--context", context] if context else []
        words += ["-n", call.namespace] if call.namespace else []
        version, _, kind = call.kind.rpartition("/")
        group = version.rpartition("/")[0]
        return shlex.join(
            [*words, "get", f"{kind.lower()}.{group}" if group else kind.lower(), call.name, "-o", "yaml"]
        )
    if source is None:
        return f"(no pod of {word} was found)"
    own = source.how.startswith("own")
    target = f"deploy/{word.rpartition('/')[2]}" if own else f"pod/{source.pod}"
    return pasteable(call, target, source.namespace, context=context, kubeconfig=kubeconfig, container=source.container)


def _failure(
    case: Case, finding: Finding, source: Source | None, lines: Sequence[str], applied: Sequence[str], kube: Kube
) -> Failure:
    probe, track = finding.probe, finding.track
    return Failure(
        source=case.source or "",
        pod=str(source) if source else "",
        call=probe.call,
        wanted=_wanted(case, finding),
        got=finding.judgement.reason or _saw(track),
        attempts=track.attempts,
        seconds=track.ended,
        alike=track.alike,
        applied=applied,
        repeat=repeat(probe.call, source, case.source or "", kube),
        phase=finding.phase,
        evidence=lines,
    )


def _wanted(case: Case, finding: Finding) -> str:
    """What was expected, with the condition under which it is."""
    elsewhere = case.where and finding.phase in ("becomes", "stays")
    return f"{finding.probe.expectation} (expected on {case.where})" if elsewhere else str(finding.probe.expectation)


def _source(case: Case, sources: Sources) -> Source | None:
    try:
        return sources.find(case.source) if case.source else None
    except AmbientError:
        return None


def _lines(track: Track) -> tuple[str, ...]:
    seen = track.last.observed if track.last else None
    if not isinstance(seen, Outcome):
        return ()
    traced = (f"trace {seen.spans.trace}: {', '.join(map(str, seen.spans.found)) or 'no span'}",) if seen.spans else ()
    return (*((seen.witness.line,) if seen.witness and seen.witness.line else ()), *traced)


def _output(track: Track) -> str:
    """The last answer, as curl gave it: headers, body, its own message, addresses and times."""
    seen = track.last.observed if track.last else None
    if not isinstance(seen, Outcome):
        return f"lost: {seen.reason}\n" if isinstance(seen, Lost) else ""
    head = [f"HTTP {seen.status}", *(f"{name}: {value}" for name, values in seen.headers.items() for value in values)]
    times = f"connected after {seen.connect_ms:g} ms, ended after {seen.total_ms:g} ms"
    ends = f"{seen.local_ip}:{seen.local_port} -> {seen.remote_ip}:{seen.remote_port}"
    said = f"curl: ({seen.exit_code}) {seen.error or 'no message'}"
    return "\n".join([*(head if seen.status else ()), "", seen.body, "", said, ends, times, ""])


def _saw(track: Track) -> str:
    """What the last answer was, of a case that holds."""
    last = track.last.observed if track.last else None
    if isinstance(last, Outcome):
        return seen(last)
    return "" if last is None or isinstance(last, Lost) else str(last)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
