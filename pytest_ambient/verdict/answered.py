"""The expectation of an answer: which status, made by whom, holding what."""

from dataclasses import dataclass

from pytest_ambient.verdict.outcome import PROXY_SERVERS, Outcome
from pytest_ambient.verdict.seen import Doubt, quoted, seen

ANY_PATH = "?"
"""The default of `through`: whichever way the answer came."""


@dataclass(frozen=True)
class Answered:
    """An HTTP answer made by the application, not by a proxy in front of it.

    `backend` is the start of the pod's name in the body, `header` a name and its value (None: no such header), `body`
    and `lacks` are texts that the body holds and does not hold, `through` names the waypoint that forwarded the answer
    (None: no proxy did), `by_proxy=True` wants an answer that the proxy itself makes (a redirect, a time-out), and
    `after` and `within` are the seconds that it takes at least and at most.
    """

    status: int = 200
    backend: str | None = None
    header: tuple[str, str | None] | None = None
    body: str | None = None
    lacks: str | None = None
    through: str | None = ANY_PATH
    by_proxy: bool = False
    after: float | None = None
    within: float | None = None

    denies = False

    def __post_init__(self) -> None:
        if not (isinstance(self.status, int) and 100 <= self.status <= 599):
            raise ValueError(f"status must be an HTTP status, not {self.status!r}")
        if self.by_proxy and self.backend is not None:
            raise ValueError("an answer made by a proxy has no backend")
        if self.after is not None and self.within is not None and self.after >= self.within:
            raise ValueError(f"after {self.after:g} s and within {self.within:g} s leave no time")
        if self.by_proxy and self.through is None:
            raise ValueError("an answer made by a proxy cannot come through no proxy")

    @property
    def needs_witness(self) -> bool:
        """Whether a proxy may have made the answer out of the caller's sight: these are what it answers by itself."""
        return self.status in (401, 403, 503, 504)

    @property
    def holds_still(self) -> bool:
        """Whether three equal answers in a row may be luck: a named backend may be one of several."""
        return self.backend is not None

    def explain(self, outcome: Outcome) -> str | None:
        """None when it holds; else the answer or failure that came, and what it lacks."""
        if outcome.status != self.status or outcome.exit_code:
            return seen(outcome)
        if outcome.made_by_proxy != self.by_proxy:
            # A mesh may hide Envoy's own headers (proxyHeaders.envoyDebugHeaders); a proxy hardly ever makes a success.
            unsure = outcome.made_by_proxy and outcome.witness is None and self.status < 300
            return Doubt(f"{seen(outcome)}, going by its headers; nothing from the proxy") if unsure else seen(outcome)
        if outcome.borrowed and outcome.witness is None:
            return Doubt(f"{seen(outcome)} by its headers, {quoted(outcome.body)} in the body; nothing from a proxy")
        lack = self._backend(outcome) or self._header(outcome) or self._body(outcome) or self._path(outcome)
        lack = lack or self._time(outcome)
        return f"{seen(outcome)}; {lack}" if lack else None

    def _backend(self, outcome: Outcome) -> str | None:
        if self.backend is None or serves(self.backend, outcome.served_by):
            return None
        return f"wanted backend {self.backend}" + ("" if outcome.served_by else ", the body names no pod")

    def _header(self, outcome: Outcome) -> str | None:
        if self.header is None:
            return None
        name, value = self.header
        got = outcome.header(name)
        if got == value:
            return None
        wanted = f"no header {name}" if value is None else f"header {name}: {value}"
        return f"wanted {wanted}, got " + ("none of that name" if got is None else got)

    def _body(self, outcome: Outcome) -> str | None:
        if self.body is not None and self.body not in outcome.body:
            return f"wanted {self.body!r} in the body, got {quoted(outcome.body)}"
        if self.lacks is not None and self.lacks in outcome.body:
            return f"wanted no {self.lacks!r} in the body, but it is there"
        return None

    def _path(self, outcome: Outcome) -> str | None:
        proxied = outcome.made_by_proxy or outcome.header("server") in PROXY_SERVERS
        if self.through == ANY_PATH or proxied == (self.through is not None):
            return None
        return "a proxy forwarded it" if proxied else f"no proxy forwarded it, wanted {self.through}"

    def _time(self, outcome: Outcome) -> str | None:
        took = outcome.total_ms / 1000
        if self.after is not None and took < self.after:
            return f"wanted it after {self.after:g} s, it took {took:.2f} s"
        if self.within is not None and took > self.within:
            return f"wanted it within {self.within:g} s, it took {took:.2f} s"
        return None

    def __str__(self) -> str:
        text = f"HTTP {self.status} " + ("made by a proxy" if self.by_proxy else "from the application")
        text += f" in {self.backend}" if self.backend else ""
        if self.header is not None:
            name, value = self.header
            text += f", no header {name}" if value is None else f", header {name}: {value}"
        text += f", {self.body!r} in the body" if self.body is not None else ""
        text += f", no {self.lacks!r} in the body" if self.lacks is not None else ""
        if self.through != ANY_PATH:
            text += f", through {self.through}" if self.through else ", through no proxy"
        text += f", after {self.after:g} s" if self.after is not None else ""
        text += f", within {self.within:g} s" if self.within is not None else ""
        return text


def serves(backend: str, pod: str | None) -> bool:
    """Whether a pod of that name belongs to the backend: the same name, or one that goes on with a dash."""
    return pod is not None and (pod == backend or pod.startswith(f"{backend}-"))
