"""Answers and failures recorded on a real mesh (Istio 1.30.3), and what is said of them."""

import json
from pathlib import Path

import pytest

from pytest_ambient.verdict.expectation import (
    Answered,
    DeniedL4,
    DeniedL7,
    Expectation,
    TimedOut,
    Unauthorized,
    Unreachable,
    Word,
    judge,
)
from pytest_ambient.verdict.outcome import Outcome, Witness
from pytest_ambient.verdict.seen import seen

LINES = (Path(__file__).parent / "mesh" / "istio-1.30.3.jsonl").read_text().splitlines()
REFUSED = Witness(
    "ztunnel", "refused", "connection closed due to policy rejection: allow policies exist, but none allowed"
)
BY_WAYPOINT = Witness("waypoint", "refused", "rbac_access_denied_matched_policy[none]")


def outcome(label: str, witness: Witness | None = None) -> Outcome:
    """The recorded probe of that label."""
    probe = next(probe for probe in map(json.loads, LINES) if probe["label"] == label)
    headers: dict[str, tuple[str, ...]] = {}
    for line in probe["headers"]:
        name, _, value = line.partition(":")
        headers[name.lower()] = (*headers.get(name.lower(), ()), value.strip())
    return Outcome(
        exit_code=probe["exit"],
        status=probe["status"],
        headers=headers,
        body=probe["body"],
        error=probe["stderr"].partition(") ")[2],
        connect_ms=probe["curl"]["time_connect"] * 1000,
        total_ms=probe["curl"]["time_total"] * 1000,
        witness=witness,
    )


@pytest.mark.parametrize(
    ("label", "witness", "words", "expectation"),
    [
        (
            "before:bookinfo/curl->reviews",
            None,
            "HTTP 200 from the application in reviews-v1-7bbc4c5497-vmgz9",
            Answered(200, backend="reviews-v1", through=None),
        ),
        (
            "productpage GET",
            None,
            "HTTP 200 from the application in reviews-v1-7bbc4c5497-vmgz9",
            Answered(200, through="waypoint"),
        ),
        (
            "policy:bookinfo/curl-productpage->productpage",
            REFUSED,
            f"connected, then reset without an HTTP byte (curl exit 56), refused by ztunnel: {REFUSED.reason}",
            DeniedL4(),
        ),
        (
            "deny-notnamespaces-bookinfo:unmeshed->productpage",
            REFUSED,
            f"connected, then closed without an HTTP byte (curl exit 52), refused by ztunnel: {REFUSED.reason}",
            DeniedL4(),
        ),
        ("STRICT: un-meshed GET", REFUSED, None, DeniedL4()),
        ("l7-deny-get:curl POST", None, "HTTP 405 from the application", Answered(405, through=None)),
        ("POST", None, "HTTP 405 from the application", Answered(405, through="waypoint")),
        ("404 path", None, "HTTP 404 from the application", Answered(404, through="waypoint")),
        ("unknown service", None, "the name has no address (curl exit 6)", Unreachable("no address")),
        ("productpage POST", None, "HTTP 403 made by a proxy, body 'RBAC: access denied'", DeniedL7()),
        ("productpage HEAD", None, "HTTP 403 made by a proxy, no body", DeniedL7()),
        (
            "svc label ingress-use-waypoint=true + DENY",
            BY_WAYPOINT,
            "HTTP 403 made by the waypoint, body 'RBAC: access denied', "
            "refused by the waypoint: rbac_access_denied_matched_policy[none]",
            DeniedL7(),
        ),
        (
            "L4 names client, fresh waypoint (no pool)",
            Witness("ztunnel", "refused", REFUSED.reason, source_role="waypoint"),
            None,
            DeniedL4(via="waypoint"),
        ),
        ("all weights zero", None, "HTTP 500 made by a proxy, no body", Unreachable("no route")),
        ("no rule matches", None, "HTTP 404 made by a proxy, no body", Unreachable("no route")),
        ("redirect", None, "HTTP 302 made by a proxy, no body", Answered(302, by_proxy=True)),
        (
            "RA only: bad signature",
            None,
            "HTTP 401 made by a proxy, body 'Jwt verification fails'",
            Unauthorized(),
        ),
        ("no route: /status/503", None, "HTTP 503 from the application", Answered(503)),
        (
            "httproute-timeout-500ms-delay-2",
            None,
            "HTTP 504 made by a proxy, body 'upstream request timeout'",
            Answered(504, body="upstream request timeout", by_proxy=True),
        ),
        (
            "waypoint scaled to 0",
            Witness("ztunnel", "failed", "unknown waypoint: waypoint GatewayAddress"),
            "connected, then reset without an HTTP byte (curl exit 56), "
            "failed at ztunnel: unknown waypoint: waypoint GatewayAddress",
            Unreachable("lost waypoint"),
        ),
        (
            "new pod while istiod down (known SA, cert cached?) -> productpage",
            None,
            "the name did not resolve within 15.0 s (curl exit 28)",
            Unreachable("no address"),
        ),
        (
            "ztunnel-down:outside/curl->productpage",
            None,
            "TCP was refused or had no route (curl exit 7)",
            Unreachable("no connection"),
        ),
    ],
)
def test_a_real_meshs_answer_is_understood(
    label: str, witness: Witness | None, words: str | None, expectation: Expectation
) -> None:
    """The words name the mechanism, and exactly one expectation of its kind holds."""
    found = outcome(label, witness)
    if words is not None:
        assert seen(found) == words
    assert judge(expectation, found).word is Word.HOLDS
    rivals = (Answered(found.status or 200), DeniedL4(), DeniedL7(), Unauthorized(), Unreachable(), TimedOut())
    others = [rival for rival in rivals if type(rival) is not type(expectation)]
    assert [rival for rival in others if judge(rival, found).word is Word.HOLDS] == []


@pytest.mark.parametrize(
    "label", ["waypoint scaled to 0", "waypoint 0: ratings", "policy:bookinfo/curl-productpage->productpage"]
)
def test_a_closed_connection_alone_proves_nothing(label: str) -> None:
    """A lost waypoint and a denial look the same from outside: without ztunnel's word neither is claimed."""
    for expectation in (DeniedL4(), Unreachable(), Unreachable("lost waypoint")):
        assert judge(expectation, outcome(label)).word is Word.INCONCLUSIVE
