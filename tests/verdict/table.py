"""The words for every kind of outcome, and what each expectation makes of them."""

from pytest_ambient.verdict.expectation import (
    Answered,
    DeniedL4,
    DeniedL7,
    Doubt,
    Expectation,
    Split,
    TimedOut,
    Unauthorized,
    Unreachable,
)

POD = "reviews-v1-7bbc4c5497-vmgz9"
RESET = "connected, then reset without an HTTP byte (curl exit 56)"
EMPTY = "connected, then closed without an HTTP byte (curl exit 52)"
REJECTED = "connection closed due to policy rejection"
DENIED = f"refused by ztunnel: {REJECTED}: explicitly denied by: default/deny-details"
MISSED = f"refused by ztunnel: {REJECTED}: allow policies exist, but none allowed"
MISSED_WAYPOINT = f"refused by ztunnel for the waypoint's identity: {REJECTED}: allow policies exist, but none allowed"
BY_WAYPOINT = "HTTP 403 made by the waypoint, body 'RBAC: access denied'"
MATCHED = "refused by the waypoint: rbac_access_denied_matched_policy[ns[default]-policy[deny-details]-rule[0]]"
UNMATCHED = "refused by the waypoint: rbac_access_denied_matched_policy[none]"
UPSTREAM = "HTTP 503 made by a proxy, body 'upstream connect error or disconnect/reset before headers. …'"
UNREAD = "the proxy's configuration, which would name the policy, is missing"

SEEN = {
    "answer": f"HTTP 200 from the application in {POD}",
    "answer through the waypoint": f"HTTP 200 from the application in {POD}",
    "answer 405": "HTTP 405 from the application",
    "answer 503 of the application": "HTTP 503 from the application",
    "answer 403 of the application": "HTTP 403 from the application",
    "answer 403 that passed a proxy, no word": "HTTP 403 from the application",
    "answer 403 that passed a gateway": f"{BY_WAYPOINT}, {MATCHED}",
    "answer 403 of the application, own page": "HTTP 403 from the application",
    "empty 403 that passed a proxy, no word": "HTTP 403 from the application",
    "answer 401 of the application": "HTTP 401 from the application",
    "waypoint's 403, no word": "HTTP 403 made by a proxy, body 'RBAC: access denied'",
    "waypoint's 403 by a DENY": f"{BY_WAYPOINT}, {MATCHED}",
    "waypoint's 403 by an ALLOW": f"{BY_WAYPOINT}, {UNMATCHED}",
    "waypoint's 403 to a HEAD": f"HTTP 403 made by the waypoint, no body, {MATCHED}",
    "waypoint's 403, it says allowed": BY_WAYPOINT,
    "waypoint's 403, longer": f"HTTP 403 made by the waypoint, body 'RBAC: access denied, really', {MATCHED}",
    "waypoint's 401": "HTTP 401 made by a proxy, body 'Jwt verification fails'",
    "waypoint's 503, no word": UPSTREAM,
    "waypoint's 503, waypoint refused": f"{UPSTREAM}, {MISSED_WAYPOINT}",
    "waypoint's 503, backend down": f"{UPSTREAM}, failed at ztunnel: no healthy upstream: default/waypoint",
    "waypoint's 503, no upstream": "HTTP 503 made by a proxy, body 'no healthy upstream'",
    "waypoint's 404": "HTTP 404 made by a proxy, no body",
    "reset, no word": RESET,
    "reset by a DENY": f"{RESET}, {DENIED}",
    "reset by an ALLOW": f"{RESET}, {MISSED}",
    "reset by one of two ALLOWs": f"{RESET}, {MISSED}",
    "reset by an unread ALLOW": f"{RESET}, {MISSED}",
    "reset of the waypoint": f"{RESET}, {MISSED_WAYPOINT}",
    "reset, ztunnel let it through": f"{RESET}, let through by ztunnel",
    "reset, waypoint lost": f"{RESET}, failed at ztunnel: no healthy upstream: default/waypoint",
    "reset of nothing": f"reset without an HTTP byte (curl exit 56), {DENIED}",
    "empty by an ALLOW": f"{EMPTY}, {MISSED}",
    "empty, no word": EMPTY,
    "closed by the waypoint's DENY": f"{EMPTY}, {MATCHED}",
    "closed by the waypoint's ALLOW": f"{RESET}, {UNMATCHED}",
    "closed, the waypoint failed": f"{EMPTY}, failed at the waypoint: UF,URX",
    "no address": "the name has no address (curl exit 6)",
    "no address in time": "the name did not resolve within 15.0 s (curl exit 28)",
    "refused": "TCP was refused or had no route (curl exit 7)",
    "no tls": "the TLS handshake failed (curl exit 35)",
    "silent": "no answer within 1.0 s, TCP connected (curl exit 28)",
    "never connected": "no answer within 0.5 s, TCP never connected (curl exit 28)",
    "silent in the body": ("HTTP 200 from the application, then no answer within 1.0 s, TCP connected (curl exit 28)"),
    "cut short": "HTTP 200 from the application, then the body was cut short (curl exit 18)",
    "reset in the body": "HTTP 200 from the application, then reset in the middle of the body (curl exit 56)",
    "answer 403 under --fail": (
        "HTTP 403 made by a proxy, no body, then The requested URL returned error: 403 (curl exit 22)"
    ),
}

UNSEEN = "nothing from ztunnel about this connection"
MAYBE = "nothing from ztunnel about it, it may have been a denial"
L4_DOUBT: dict[str, str] = {
    "reset, no word": Doubt(f"{RESET}; {UNSEEN}"),
    "empty, no word": Doubt(f"{EMPTY}; {UNSEEN}"),
}
AT_WAYPOINT_DOUBT: dict[str, str] = {
    "reset, no word": Doubt(f"{RESET}; nothing from the waypoint about this connection"),
    "empty, no word": Doubt(f"{EMPTY}; nothing from the waypoint about this connection"),
}
VIA_DOUBT: dict[str, str] = {"waypoint's 503, no word": Doubt(f"{UPSTREAM}; {UNSEEN}")}
MAYBE_503: dict[str, str] = {"waypoint's 503, no word": Doubt(f"{UPSTREAM}; {MAYBE}")}
MAYBE_CLOSED: dict[str, str] = {
    "reset, no word": Doubt(f"{RESET}; {MAYBE}"),
    "empty, no word": Doubt(f"{EMPTY}; {MAYBE}"),
}
L7_DOUBT: dict[str, str] = {
    "answer 403 that passed a proxy, no word": Doubt(
        "HTTP 403 from the application by its headers; nothing from the waypoint"
    ),
    "empty 403 that passed a proxy, no word": Doubt(
        "HTTP 403 from the application by its headers; nothing from the waypoint"
    ),
    "waypoint's 403, it says allowed": Doubt(f"{BY_WAYPOINT}; yet let through by the waypoint: via_upstream"),
    "waypoint's 403, longer": (
        f"HTTP 403 made by the waypoint, body 'RBAC: access denied, really', {MATCHED}; "
        "the waypoint's own 403 says 'RBAC: access denied'"
    ),
    "answer 403 of the application, own page": (
        "HTTP 403 from the application; the waypoint's own 403 says 'RBAC: access denied'"
    ),
}
UNNAMED: dict[str, str] = {
    "waypoint's 403, no word": Doubt(
        "HTTP 403 made by a proxy, body 'RBAC: access denied'; nothing from the waypoint that names the policy"
    )
}
BOTH = ("answer", "answer through the waypoint")
ONLY = "default/only-productpage"

TABLE: list[tuple[Expectation, tuple[str, ...], dict[str, str]]] = [
    (Answered(200), BOTH, {}),
    (Answered(200, backend="reviews-v1"), BOTH, {}),
    (
        Answered(200, backend="reviews-v2"),
        (),
        dict.fromkeys(BOTH, f"HTTP 200 from the application in {POD}; wanted backend reviews-v2"),
    ),
    (
        Answered(200, backend="reviews-v"),
        (),
        dict.fromkeys(BOTH, f"HTTP 200 from the application in {POD}; wanted backend reviews-v"),
    ),
    (
        Answered(200, through=None),
        ("answer",),
        {"answer through the waypoint": f"HTTP 200 from the application in {POD}; a proxy forwarded it"},
    ),
    (
        Answered(200, through="reviews-waypoint"),
        ("answer through the waypoint",),
        {"answer": f"HTTP 200 from the application in {POD}; no proxy forwarded it, wanted reviews-waypoint"},
    ),
    (
        Answered(200, header=("x-route", "v2")),
        (),
        dict.fromkeys(
            BOTH, f"HTTP 200 from the application in {POD}; wanted header x-route: v2, got none of that name"
        ),
    ),
    (
        Answered(200, header=("Content-Type", "text/html")),
        (),
        {
            "answer": f"HTTP 200 from the application in {POD}; "
            "wanted header Content-Type: text/html, got application/json",
            "answer through the waypoint": f"HTTP 200 from the application in {POD}; "
            "wanted header Content-Type: text/html, got none of that name",
        },
    ),
    (Answered(200, header=("x-route", None)), BOTH, {}),
    (
        Answered(200, header=("Content-Type", None)),
        ("answer through the waypoint",),
        {
            "answer": f"HTTP 200 from the application in {POD}; wanted no header Content-Type, got application/json",
        },
    ),
    (
        Answered(200, body="stars"),
        (),
        dict.fromkeys(
            BOTH,
            f"HTTP 200 from the application in {POD}; wanted 'stars' in the body, got "
            '\'{"id": "0","podname": "reviews-v1-7bbc4c5497-vmgz9","cluste…\'',
        ),
    ),
    (
        Answered(200, lacks="podname"),
        (),
        dict.fromkeys(
            BOTH, f"HTTP 200 from the application in {POD}; wanted no 'podname' in the body, but it is there"
        ),
    ),
    (Answered(405), ("answer 405",), {}),
    (Answered(503), ("answer 503 of the application",), {}),
    (
        Answered(403),
        (
            "answer 403 of the application",
            "answer 403 of the application, own page",
            "empty 403 that passed a proxy, no word",
        ),
        {
            "answer 403 that passed a proxy, no word": Doubt(
                "HTTP 403 from the application by its headers, 'RBAC: access denied' in the body; nothing from a proxy"
            )
        },
    ),
    (Answered(404, by_proxy=True), ("waypoint's 404",), {}),
    (
        DeniedL4(),
        (
            "reset by a DENY",
            "reset by an ALLOW",
            "reset by one of two ALLOWs",
            "reset by an unread ALLOW",
            "empty by an ALLOW",
        ),
        L4_DOUBT,
    ),
    (
        DeniedL4(by="deny-details"),
        ("reset by a DENY",),
        L4_DOUBT
        | {
            "reset by an ALLOW": f"{RESET}, {MISSED}; wanted policy deny-details, attached: {ONLY}",
            "empty by an ALLOW": f"{EMPTY}, {MISSED}; wanted policy deny-details, attached: {ONLY}",
            "reset by one of two ALLOWs": (
                f"{RESET}, {MISSED}; wanted policy deny-details, attached: {ONLY}, default/other"
            ),
            "reset by an unread ALLOW": Doubt(f"{RESET}, {MISSED}; {UNREAD}"),
        },
    ),
    (
        DeniedL4(by=ONLY),
        ("reset by an ALLOW", "empty by an ALLOW"),
        L4_DOUBT
        | {
            "reset by a DENY": f"{RESET}, {DENIED}; wanted policy {ONLY}",
            "reset by one of two ALLOWs": (
                f"{RESET}, {MISSED}; wanted policy {ONLY} alone, attached: {ONLY}, default/other"
            ),
            "reset by an unread ALLOW": Doubt(f"{RESET}, {MISSED}; {UNREAD}"),
        },
    ),
    (DeniedL4(via="waypoint"), ("waypoint's 503, waypoint refused",), VIA_DOUBT),
    (DeniedL4(by="only-productpage", via="waypoint"), ("waypoint's 503, waypoint refused",), VIA_DOUBT),
    (DeniedL4(via="gateway"), (), VIA_DOUBT),
    (
        DeniedL4(at="waypoint"),
        ("closed by the waypoint's DENY", "closed by the waypoint's ALLOW"),
        AT_WAYPOINT_DOUBT,
    ),
    (
        DeniedL4(by="deny-details", at="waypoint"),
        ("closed by the waypoint's DENY",),
        AT_WAYPOINT_DOUBT
        | {"closed by the waypoint's ALLOW": (f"{RESET}, {UNMATCHED}; wanted policy deny-details, attached: {ONLY}")},
    ),
    (
        DeniedL4(by=ONLY, at="waypoint"),
        ("closed by the waypoint's ALLOW",),
        AT_WAYPOINT_DOUBT | {"closed by the waypoint's DENY": f"{EMPTY}, {MATCHED}; wanted policy {ONLY}"},
    ),
    (
        DeniedL7(),
        (
            "answer 403 that passed a gateway",
            "waypoint's 403, no word",
            "waypoint's 403 by a DENY",
            "waypoint's 403 by an ALLOW",
            "waypoint's 403 to a HEAD",
        ),
        L7_DOUBT,
    ),
    (
        DeniedL7(by="default/deny-details"),
        ("answer 403 that passed a gateway", "waypoint's 403 by a DENY", "waypoint's 403 to a HEAD"),
        L7_DOUBT
        | UNNAMED
        | {
            "waypoint's 403 by an ALLOW": (
                f"{BY_WAYPOINT}, {UNMATCHED}; wanted policy default/deny-details, attached: {ONLY}"
            )
        },
    ),
    (
        DeniedL7(by="only-productpage"),
        ("waypoint's 403 by an ALLOW",),
        L7_DOUBT
        | UNNAMED
        | {
            "answer 403 that passed a gateway": f"{BY_WAYPOINT}, {MATCHED}; wanted policy only-productpage",
            "waypoint's 403 by a DENY": f"{BY_WAYPOINT}, {MATCHED}; wanted policy only-productpage",
            "waypoint's 403 to a HEAD": (
                f"HTTP 403 made by the waypoint, no body, {MATCHED}; wanted policy only-productpage"
            ),
        },
    ),
    (Unauthorized(), ("waypoint's 401",), {}),
    (
        Unreachable(),
        (
            "waypoint's 503, backend down",
            "waypoint's 503, no upstream",
            "waypoint's 404",
            "reset, waypoint lost",
            "no address",
            "no address in time",
            "refused",
            "closed, the waypoint failed",
        ),
        MAYBE_503 | MAYBE_CLOSED,
    ),
    (Unreachable("no address"), ("no address", "no address in time"), {}),
    (Unreachable("no connection"), ("refused",), {}),
    (Unreachable("no route"), ("waypoint's 404",), {}),
    (
        Unreachable("no healthy upstream"),
        ("waypoint's 503, backend down", "waypoint's 503, no upstream", "closed, the waypoint failed"),
        MAYBE_503 | MAYBE_CLOSED,
    ),
    (Unreachable("lost waypoint"), ("reset, waypoint lost",), MAYBE_CLOSED),
    (TimedOut(), ("silent", "never connected"), {}),
    (Split({"reviews-v1": 90, "reviews-v2": 10}), BOTH, {}),
    (Split({"reviews-v1": 0, "reviews-v2": 1}), (), dict.fromkeys(BOTH, f"answered by {POD}, wanted reviews-v2")),
]
"""An expectation, the outcomes for which it holds, and the texts that say more than what was seen."""
