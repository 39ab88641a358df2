"""Puts an outcome into words that name the mechanism, so that a dead backend never reads like a denial."""

from pytest_ambient.verdict.outcome import TIMEOUT, Outcome

CLOSED = (52, 56)
"""curl's exits for a connection that ended without an answer: both are common for an L4 refusal (Istio 1.30.3)."""

RESOLVE, CONNECT, PARTIAL, TLS = 6, 7, 18, 35


class Doubt(str):
    """An explanation that decides nothing: evidence is missing or contradicts itself."""

    __slots__ = ()


def seen(outcome: Outcome) -> str:
    """What happened, in one line: status and who made it, or which way the connection failed and who says so."""
    return _answer(outcome) if outcome.status else _failure(outcome)


def quoted(body: str, limit: int = 60) -> str:
    """The start of a body, on one line and in quotes."""
    line = " ".join(body.split())
    return repr(line if len(line) <= limit else line[: limit - 1] + "…")


def unresolved(outcome: Outcome) -> bool:
    """Whether curl's time ran out while it asked for the name's address."""
    return outcome.exit_code == TIMEOUT and outcome.error.startswith("Resolving timed out")


def _answer(outcome: Outcome) -> str:
    if outcome.made_by_proxy:
        maker = outcome.witness.proxy if outcome.witness and outcome.witness.proxy != "ztunnel" else "a proxy"
        text = f"HTTP {outcome.status} made by {maker if maker == 'a proxy' else 'the ' + maker}"
        text += f", body {quoted(outcome.body)}" if outcome.body else ", no body"
    else:
        text = f"HTTP {outcome.status} from the application"
        text += f" in {outcome.served_by}" if outcome.served_by else ""
    if outcome.witness is not None and outcome.witness.verdict != "allowed":
        text += f", {outcome.witness}"
    if outcome.exit_code:
        text += f", then {_words(outcome)}"
    return text


def _failure(outcome: Outcome) -> str:
    text = _words(outcome)
    return f"{text}, {outcome.witness}" if outcome.witness is not None else text


def _words(outcome: Outcome) -> str:
    code, cut, opened = outcome.exit_code, outcome.status > 0, "connected, then " if outcome.connected else ""
    if code == RESOLVE:
        words = "the name has no address"
    elif code == CONNECT:
        words = "TCP was refused or had no route"
    elif unresolved(outcome):
        words = f"the name did not resolve within {outcome.total_ms / 1000:.1f} s"
    elif code == TIMEOUT:
        state = "TCP connected" if outcome.connected else "TCP never connected"
        words = f"no answer within {outcome.total_ms / 1000:.1f} s, {state}"
    elif code == TLS:
        words = "the TLS handshake failed"
    elif code == 52:
        words = f"{opened}closed without an HTTP byte"
    elif code == 56:
        words = "reset in the middle of the body" if cut else f"{opened}reset without an HTTP byte"
    elif code == PARTIAL:
        words = "the body was cut short"
    else:
        words = outcome.error or "no HTTP answer"
    return f"{words} (curl exit {code})"
