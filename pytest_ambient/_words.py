"""Words out of closed lists: which are none of them, and which were perhaps meant."""

from collections.abc import Collection, Iterable

from pytest_ambient.mesh.names import FEATURES


def unknown(names: Iterable[str], known: Collection[str]) -> list[str]:
    """The names that are not known, each with those that were perhaps meant."""
    wrong = [name for name in names if name not in known]
    if not wrong:
        return []
    from difflib import get_close_matches

    near = {name: get_close_matches(name, known) for name in wrong}
    return [f"{name} ({' or '.join(alike)}?)" if alike else name for name, alike in near.items()]


def needed(names: Iterable[str]) -> str | None:
    """Why features of those names cannot be needed, in one line; None when all are known."""
    wrong = unknown(names, FEATURES)
    if not wrong:
        return None
    known = "" if all(name.endswith("?)") for name in wrong) else f", known are {', '.join(sorted(FEATURES))}"
    return f"needs: unknown feature {', '.join(wrong)}{known}"
