"""The named sets of rules that reports count by, and what somebody who wrote another name perhaps meant."""

from typing import Final

PREFIX = "AMBIENT-"
PROFILES: Final = ("AMBIENT-L4", "AMBIENT-L7", "AMBIENT-ENROLMENT", "AMBIENT-TELEMETRY")
ALIKE = 0.5
"""How much of a word must be right: short names have few letters."""


def unknown(name: object) -> str | None:
    """What is wrong with a name, in words that go on from `profile`; None for one that is known."""
    if name in PROFILES:
        return None
    near = _nearest(name.upper().removeprefix(PREFIX)) if isinstance(name, str) else []
    meant = f" ({' or '.join(near)}?)" if near else ""
    return f"must be {', '.join(PROFILES[:-1])} or {PROFILES[-1]}, not {name!r}{meant}"


def _nearest(word: str) -> list[str]:
    from difflib import SequenceMatcher

    alike = {name: SequenceMatcher(None, word, name.removeprefix(PREFIX)).ratio() for name in PROFILES}
    return [name for name, ratio in alike.items() if ratio == max(alike.values()) >= ALIKE]
