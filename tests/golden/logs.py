"""What proxies said, as sets of facts."""

from collections.abc import Callable, Iterable

from . import words
from .cluster import Bench
from .differences import Difference
from .recording import Recording

_READS = {
    "ztunnel": ("istio-system", "app=ztunnel", words.ztunnel),
    "waypoint": ("bookinfo", "gateway.networking.k8s.io/gateway-class-name=istio-waypoint", words.waypoint),
}


class Logs:
    """Gathers what the proxies of one replay say, while their pods last."""

    def __init__(self, bench: Bench, recording: Recording) -> None:
        self._bench, self._recording = bench, recording
        self._lines: dict[str, set[str]] = {name: set() for name in _READS}

    def gather(self) -> None:
        """Read all logs that there are now."""
        for name, (namespace, selector, facts) in _READS.items():
            self._lines[name] |= _facts(self._bench.logs(namespace, selector), facts)

    def differences(self) -> list[Difference]:
        """How what was gathered, and what ztunnel counts, differs from the recording."""
        found = [each for name in _READS for each in self._of(name)]
        counted = words.counters(self._bench.counters())
        return [*found, *_sets("counters", self._recording.counters, counted, cut=False)]

    def _of(self, name: str) -> list[Difference]:
        log = self._recording.logs.get(name)
        if log is None:
            return []
        return _sets(name, _facts(log.lines, _READS[name][2]), self._lines[name], cut=log.cut)


def _facts(lines: Iterable[str], facts: Callable[[str], str | None]) -> set[str]:
    return {fact for fact in map(facts, lines) if fact is not None}


def _sets(name: str, recorded: Iterable[str], seen: Iterable[str], *, cut: bool) -> list[Difference]:
    one, other = set(recorded), set(seen)
    missing = [Difference(name, "missing", each, "-") for each in sorted(one - other) if not words.chance(each)]
    extra = [Difference(name, "extra", "-", each) for each in sorted(other - one) if not words.chance(each)]
    return missing + ([] if cut else extra)
