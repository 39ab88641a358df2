"""What waypoints tell of a request to a collector of traces, and the expectation of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_ambient.verdict.answered import Answered
from pytest_ambient.verdict.outcome import Outcome, Span, Spans
from pytest_ambient.verdict.seen import Doubt, seen

ANSWERED = Answered(200)
MOST = 6
"""How many other spans a reason lists."""


@dataclass(frozen=True)
class Traced:
    """The call went as `of` says, and Jaeger has a span of its trace in which a waypoint tells of a call to a Service.

    `under` names the Service of another such span on which this one hangs, directly or through others.
    """

    service: str
    waypoint: str
    under: str | None = None
    of: Answered = ANSWERED
    namespace: str = "${NAMESPACE}"
    """Where the Services and the waypoint are."""
    root: str = "${ROOT_NAMESPACE}"
    """Where Jaeger runs."""

    needs_witness = False
    denies = False
    holds_still = False

    def explain(self, outcome: Outcome) -> str | None:
        """None when it holds; else what the trace has in its place, as a Doubt where it is not known who lost it."""
        reason = self.of.explain(outcome)
        if reason is not None:
            return reason
        reason, spans = self.lacking(outcome.spans), outcome.spans
        if reason is None:
            return None
        sure = spans is not None and (spans.found or spans.traces is False)
        text = f"{seen(outcome)}; {reason}"
        return text if sure else Doubt(text)

    def lacking(self, spans: Spans | None) -> str | None:
        """None when the trace has what is wanted; else what it has."""
        if spans is None:
            return "Jaeger could not be asked for its trace"
        if not spans.found:
            return f"Jaeger has no span of its trace{self._sent(spans)}"
        mine = [span for span in spans.found if self._tells(span, self.service)]
        if not mine:
            return f"no span of {self.waypoint} tells of a call to {self.service}, but {_listed(spans)}"
        if self.under is None or any(self._tells(one, self.under) for span in mine for one in _above(span, spans)):
            return None
        return f"the span of {self.service} hangs on none of {self.under}, but on {_chain(mine[0], spans)}"

    def _tells(self, span: Span, service: str) -> bool:
        pod, _, namespace = span.proxy.partition(".")
        named = namespace == self.namespace and pod.startswith(f"{self.waypoint}-")
        host = f"{service}.{self.namespace}.svc."
        return named and (span.operation.startswith(host) or f"|{host}" in span.cluster)

    def _sent(self, spans: Spans) -> str:
        if spans.traces is None:
            return ""
        return f", {self.waypoint} is {'told' if spans.traces else 'not told'} where to send them"

    def __str__(self) -> str:
        chain = f", under that of {self.under}" if self.under else ""
        return f"{self.of}; Jaeger has a span of {self.waypoint} about the call to {self.service}{chain}"


def _above(span: Span, spans: Spans) -> Iterator[Span]:
    """The spans on which one hangs, the nearest first."""
    known = {one.id: one for one in spans.found}
    passed = {span.id}
    while (parent := known.get(span.parent)) is not None and parent.id not in passed:
        yield parent
        passed.add(parent.id)
        span = parent


def _chain(span: Span, spans: Spans) -> str:
    return ", ".join(map(str, _above(span, spans))) or "no span that is there"


def _listed(spans: Spans) -> str:
    there = list(dict.fromkeys(map(str, spans.found)))
    more = f" and {len(there) - MOST} more" if len(there) > MOST else ""
    return f"there are {', '.join(there[:MOST])}{more}"
