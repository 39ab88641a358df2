"""Outcomes for tables: recorded from a real curl, with the words of proxies put beside them."""

import json
from dataclasses import replace
from pathlib import Path

from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.curl import Row, parse
from pytest_ambient.verdict.outcome import Lost, Outcome, Witness

RECORDED = Path(__file__).parent / "recorded"
TOKEN = "c0ffee5ca1ab1e0ddba11ad0be5eeded"

DENY = "connection closed due to policy rejection: explicitly denied by: default/deny-details"
MISS = "connection closed due to policy rejection: allow policies exist, but none allowed"
LOST = "no healthy upstream: default/waypoint"


def replayed(name: str) -> list[Outcome | Lost]:
    """What is parsed from a recording."""
    data = json.loads((RECORDED / f"{name}.json").read_text())
    call = Call(**data["call"] | {"headers": tuple(map(tuple, data["call"]["headers"]))})
    return parse([Row(call)], TOKEN, data["stdout"].encode("latin-1"))[0]


def outcome(name: str, witness: Witness | None = None) -> Outcome:
    """The only outcome of a recording, as that witness would add to it."""
    (seen,) = replayed(name)
    assert isinstance(seen, Outcome)
    return replace(seen, witness=witness)


ZTUNNEL_DENY = Witness("ztunnel", "refused", DENY, policy="default/deny-details")
ZTUNNEL_MISS = Witness("ztunnel", "refused", MISS, attached=("default/only-productpage",))
ZTUNNEL_MISS_OF_TWO = Witness("ztunnel", "refused", MISS, attached=("default/only-productpage", "default/other"))
ZTUNNEL_MISS_UNREAD = Witness("ztunnel", "refused", MISS)
ZTUNNEL_ALLOWED = Witness("ztunnel", "allowed", "")
ZTUNNEL_LOST = Witness("ztunnel", "failed", LOST)
OF_WAYPOINT = replace(ZTUNNEL_MISS, source_role="waypoint")
WAYPOINT_DENY = Witness(
    "waypoint",
    "refused",
    "rbac_access_denied_matched_policy[ns[default]-policy[deny-details]-rule[0]]",
    policy="default/deny-details",
)
WAYPOINT_MISS = Witness(
    "waypoint", "refused", "rbac_access_denied_matched_policy[none]", attached=("default/only-productpage",)
)
WAYPOINT_ALLOWED = Witness("waypoint", "allowed", "via_upstream")

OUTCOMES: dict[str, Outcome] = {
    "answer": outcome("0-answered"),
    "answer through the waypoint": outcome("0-through-waypoint"),
    "answer 405": outcome("0-application-405"),
    "answer 503 of the application": outcome("0-application-503"),
    "answer 403 of the application": outcome("0-application-403", WAYPOINT_ALLOWED),
    "answer 403 that passed a proxy, no word": outcome("0-application-403"),
    "answer 403 that passed a gateway": outcome("0-application-403", WAYPOINT_DENY),
    "answer 403 of the application, own page": replace(outcome("0-application-405"), status=403),
    "empty 403 that passed a proxy, no word": replace(outcome("0-application-403"), body=""),
    "answer 401 of the application": replace(outcome("0-application-405"), status=401),
    "waypoint's 403, no word": outcome("0-waypoint-403"),
    "waypoint's 403 by a DENY": outcome("0-waypoint-403", WAYPOINT_DENY),
    "waypoint's 403 by an ALLOW": outcome("0-waypoint-403", WAYPOINT_MISS),
    "waypoint's 403 to a HEAD": outcome("0-waypoint-403-head", WAYPOINT_DENY),
    "waypoint's 403, it says allowed": outcome("0-waypoint-403", WAYPOINT_ALLOWED),
    "waypoint's 403, longer": replace(outcome("0-waypoint-403", WAYPOINT_DENY), body="RBAC: access denied, really"),
    "waypoint's 401": outcome("0-waypoint-401"),
    "waypoint's 503, no word": outcome("0-waypoint-503"),
    "waypoint's 503, waypoint refused": outcome("0-waypoint-503", OF_WAYPOINT),
    "waypoint's 503, backend down": outcome("0-waypoint-503", ZTUNNEL_LOST),
    "waypoint's 503, no upstream": outcome("0-no-healthy-upstream"),
    "waypoint's 404": outcome("0-no-route"),
    "reset, no word": outcome("56-reset"),
    "reset by a DENY": outcome("56-reset", ZTUNNEL_DENY),
    "reset by an ALLOW": outcome("56-reset", ZTUNNEL_MISS),
    "reset by one of two ALLOWs": outcome("56-reset", ZTUNNEL_MISS_OF_TWO),
    "reset by an unread ALLOW": outcome("56-reset", ZTUNNEL_MISS_UNREAD),
    "reset of the waypoint": outcome("56-reset", OF_WAYPOINT),
    "reset, ztunnel let it through": outcome("56-reset", ZTUNNEL_ALLOWED),
    "reset, waypoint lost": outcome("56-reset", ZTUNNEL_LOST),
    "reset of nothing": replace(outcome("56-reset", ZTUNNEL_DENY), connect_ms=0.0),
    "empty by an ALLOW": outcome("52-empty", ZTUNNEL_MISS),
    "empty, no word": outcome("52-empty"),
    "closed by the waypoint's DENY": outcome("52-empty", WAYPOINT_DENY),
    "closed by the waypoint's ALLOW": outcome("56-reset", WAYPOINT_MISS),
    "closed, the waypoint failed": outcome("52-empty", Witness("waypoint", "failed", "UF,URX")),
    "no address": outcome("6-no-address"),
    "no address in time": replace(
        outcome("6-no-address"), exit_code=28, error="Resolving timed out after 15000 milliseconds", total_ms=15000.0
    ),
    "refused": outcome("7-refused"),
    "no tls": outcome("35-no-tls"),
    "silent": outcome("28-silent"),
    "never connected": outcome("28-never-connected"),
    "silent in the body": replace(
        outcome("28-silent"), status=200, error="Operation timed out after 1000 milliseconds with 4 bytes received"
    ),
    "cut short": outcome("18-cut-short"),
    "reset in the body": outcome("56-reset-in-body"),
    "answer 403 under --fail": outcome("22-fail"),
}
"""Every kind of outcome that an expectation may meet, by name."""
