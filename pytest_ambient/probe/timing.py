"""How long each wait of a rule may take."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Timing:
    """Seconds, and numbers of rounds and requests, for the steps of one rule."""

    setup: float = 240.0
    """For a set-up manifest to be ready."""
    control: float = 10.0
    """For a case to be answered as before its manifest."""
    becomes: float = 30.0
    """For a manifest to take effect."""
    hold: float = 1.0
    """Between becoming and the look whether it stays."""
    undo: float = 30.0
    """For a manifest to be gone, and for its effect to go."""
    request: float = 5.0
    """For one HTTP request."""
    witness: float = 2.0
    """For a proxy's log line to appear after its connection."""
    spans: float = 20.0
    """For a request's spans to come to Jaeger: proxies send them every 5 s, a collector between may wait too."""
    rounds: int = 3
    """Equal verdicts in a row that make one stable."""
    stays: int = 20
    """Requests in the look whether it stays."""
    shortest: float = 0.05
    """The first pause between two rounds; each further one is longer, up to `longest`."""
    longest: float = 1.0

    @classmethod
    def of(cls, seconds: Mapping[str, float]) -> "Timing":
        """The defaults with those of the given seconds that concern a rule."""
        known = {entry.name for entry in fields(cls)}
        return cls(**{name: value for name, value in seconds.items() if name in known})  # type: ignore[arg-type]  # seconds only
