"""The expectations of a refusal, by ztunnel or by the waypoint: each needs the proxy's own word."""

from dataclasses import dataclass
from typing import Literal

from pytest_ambient.verdict.outcome import DENIAL_BODY, PROXY_SERVERS, UPSTREAM_ERROR, Outcome, Witness
from pytest_ambient.verdict.seen import CLOSED, Doubt, seen


@dataclass(frozen=True)
class DeniedL4:
    """ztunnel refused the connection: it opened, ended without an HTTP byte, and ztunnel says that a policy did it.

    `by` names the policy, `NAME` or `NAMESPACE/NAME`. `via` names the proxy between caller and destination whose
    identity was refused, a caller's own sidecar having the caller's; the caller then sees that proxy's 503. With
    `at="waypoint"` it is the waypoint that refused and says so, as it does on a port that is not known to speak HTTP.
    """

    by: str | None = None
    via: Literal["sidecar", "waypoint", "gateway"] | None = None
    at: Literal["ztunnel", "waypoint"] = "ztunnel"

    needs_witness = True
    denies = True
    holds_still = True

    def __post_init__(self) -> None:
        _check_policy(self.by)
        if self.via not in (None, "sidecar", "waypoint", "gateway"):
            raise ValueError(f"via must be 'sidecar', 'waypoint' or 'gateway', not {self.via!r}")
        if self.at not in ("ztunnel", "waypoint"):
            raise ValueError(f"at must be 'ztunnel' or 'waypoint', not {self.at!r}")
        if self.via is not None and self.at != "ztunnel":
            raise ValueError("via says whose identity ztunnel refused: it does not go with at='waypoint'")

    def explain(self, outcome: Outcome) -> str | None:
        """None when it holds; else what happened, as a Doubt when the proxy's word is missing."""
        if not (self._closed(outcome) if self.via is None else self._unavailable(outcome)):
            return seen(outcome)
        witness = outcome.witness
        if witness is None:
            who = "ztunnel" if self.at == "ztunnel" else "the waypoint"
            return Doubt(f"{seen(outcome)}; nothing from {who} about this connection")
        role = self.via or "caller"
        if witness.proxy != self.at or witness.verdict != "refused" or witness.source_role != role:
            return seen(outcome)
        return _policy(self.by, witness, outcome)

    def _closed(self, outcome: Outcome) -> bool:
        return outcome.exit_code in CLOSED and outcome.connected and not outcome.status

    def _unavailable(self, outcome: Outcome) -> bool:
        made = outcome.made_by_proxy or (outcome.behind_proxy and self.via == "waypoint")
        return outcome.status == 503 and made and outcome.body.startswith(UPSTREAM_ERROR)

    def __str__(self) -> str:
        if self.via is None:
            who = "ztunnel" if self.at == "ztunnel" else "the waypoint"
            text = f"denied at L4: connection closed without an HTTP byte, refused by {who}"
        else:
            text = f"denied at L4: HTTP 503 from the {self.via}, whose identity ztunnel refused"
        return f"{text}, by {self.by}" if self.by else text


@dataclass(frozen=True)
class DeniedL7:
    """The waypoint refused the request: its own 403, not the application's.

    `by` names the policy, `NAME` or `NAMESPACE/NAME`; `says` is the whole body where an external authorizer chose it.
    `at` names the proxy that refuses, which may be the destination's own sidecar: its answers tell no policy.
    """

    by: str | None = None
    says: str = DENIAL_BODY
    at: Literal["waypoint", "sidecar"] = "waypoint"

    needs_witness = True
    denies = True
    holds_still = True

    def __post_init__(self) -> None:
        _check_policy(self.by)
        if self.at not in ("waypoint", "sidecar"):
            raise ValueError(f"at must be 'waypoint' or 'sidecar', not {self.at!r}")
        if self.at == "sidecar" and self.by is not None:
            raise ValueError("nobody tells which policy a sidecar refused by")

    def explain(self, outcome: Outcome) -> str | None:
        """None when it holds; else what happened, as a Doubt when only the waypoint's log could tell and is missing."""
        if outcome.status != 403 or outcome.exit_code:
            return seen(outcome)
        if not _is_denial_body(outcome, self.says):
            return f"{seen(outcome)}; the {self.at}'s own 403 says {self.says!r}"
        witness = _word_of_waypoint(outcome)
        if self.at == "sidecar":
            return None if outcome.made_by_proxy and witness is None else seen(outcome)
        reason = _made_by_waypoint(outcome, witness)
        if reason is not None or self.by is None:
            return reason
        if witness is None:
            return Doubt(f"{seen(outcome)}; nothing from the waypoint that names the policy")
        return _policy(self.by, witness, outcome)

    def __str__(self) -> str:
        words = "" if self.says == DENIAL_BODY else f", {self.says!r}"
        return f"denied at L7: HTTP 403 from the {self.at}" + (f", by {self.by}" if self.by else "") + words


@dataclass(frozen=True)
class Unauthorized:
    """The waypoint refused the request's token: its own 401, not the application's.

    `says` is the whole body, the reason that the waypoint gives.
    """

    says: str | None = None

    needs_witness = True
    denies = True
    holds_still = True

    def explain(self, outcome: Outcome) -> str | None:
        """None when it holds; else what happened."""
        if outcome.status != 401 or outcome.exit_code:
            return seen(outcome)
        if self.says not in (None, outcome.body):
            return f"{seen(outcome)}; wanted the body {self.says!r}"
        return _made_by_waypoint(outcome, _word_of_waypoint(outcome))

    def __str__(self) -> str:
        return "refused at L7: HTTP 401 from the waypoint" + (f", {self.says!r}" if self.says else "")


def _check_policy(by: str | None) -> None:
    if by is not None and (by.count("/") > 1 or not all(by.split("/"))):
        raise ValueError(f"by must be NAME or NAMESPACE/NAME, not {by!r}")


def _is_denial_body(outcome: Outcome, body: str) -> bool:
    """The exact text; an answer to HEAD has only its length."""
    length = outcome.header("content-length")
    return outcome.body == body or (not outcome.body and length == str(len(body)))


def _word_of_waypoint(outcome: Outcome) -> Witness | None:
    return outcome.witness if outcome.witness is not None and outcome.witness.proxy != "ztunnel" else None


def _made_by_waypoint(outcome: Outcome, witness: Witness | None) -> str | None:
    """Behind another proxy the headers look like the application's: there only the waypoint's word decides."""
    if witness is not None and witness.verdict == "refused":
        return None
    if outcome.behind_proxy:
        if witness is None and (outcome.borrowed or not outcome.body):
            return Doubt(f"{seen(outcome)} by its headers; nothing from the waypoint")
        return seen(outcome)
    if outcome.header("server") not in PROXY_SERVERS:
        return seen(outcome)
    return Doubt(f"{seen(outcome)}; yet {witness}") if witness else None


def _policy(by: str | None, witness: Witness, outcome: Outcome) -> str | None:
    """An ALLOW that did not match is not named: it was this one if it is the only one attached to the destination."""
    if by is None or _names(by, witness.policy):
        return None
    if witness.policy is not None:
        return f"{seen(outcome)}; wanted policy {by}"
    if not witness.attached:
        return Doubt(f"{seen(outcome)}; the proxy's configuration, which would name the policy, is missing")
    if len(witness.attached) == 1 and _names(by, witness.attached[0]):
        return None
    alone = " alone" if any(_names(by, policy) for policy in witness.attached) else ""
    return f"{seen(outcome)}; wanted policy {by}{alone}, attached: {', '.join(witness.attached)}"


def _names(by: str, policy: str | None) -> bool:
    return policy is not None and by in (policy, policy.rpartition("/")[2])
