"""The rows about sidecars, of which the embedded mesh has none, against what real meshes show, right and wrong."""

from collections.abc import Mapping
from typing import cast

import pytest

from conformance.l4 import test_sidecar_interop as suite
from pytest_ambient.verdict.case import Case
from pytest_ambient.verdict.expectation import Word, judge
from pytest_ambient.verdict.outcome import Outcome, Witness

NAMES = {
    "NAMESPACE": "shop", "OTHER_NAMESPACE": "other", "OUTSIDE_NAMESPACE": "outside", "ROOT_NAMESPACE": "istio-system",
    "TRUST_DOMAIN": "cluster.local",
}  # fmt: skip
OWN, UPSTREAM = {"server": ("istio-envoy",)}, {"server": ("envoy",)}
PASSED = {"x-envoy-upstream-service-time": ("2",)}
RESET = "upstream connect error or disconnect/reset before headers. reset reason: connection termination"
DENIAL = "RBAC: access denied"
MISS = "connection closed due to policy rejection: allow policies exist, but none allowed"
STRICT = "istio-system/istio_converted_static_strict"


def answer(status: int, body: str, headers: Mapping[str, tuple[str, ...]], witness: Witness | None = None) -> Outcome:
    """What curl sees of an answer."""
    return Outcome(0, status, headers, body, local_ip="10.0.0.7", connect_ms=1.0, witness=witness)


def refusal(policy: str | None = None, *attached: str, by: str = "caller") -> Witness:
    """The word of the destination's ztunnel."""
    return Witness("ztunnel", "refused", MISS, policy, attached, source_role=by)  # type: ignore[arg-type]  # a role


def reset(witness: Witness | None) -> Outcome:
    """What curl sees of a connection that ends at once."""
    return Outcome(56, error="Recv failure: Connection reset by peer", connect_ms=1.0, witness=witness)


SEEN: Mapping[str, Outcome] = {
    "answered by the application": answer(200, "{}", {"content-type": ("application/json",)}),
    "answered through the caller's sidecar": answer(200, "{}", UPSTREAM | PASSED),
    "answered through the destination's sidecar": answer(200, "{}", OWN | PASSED),
    "403 of the destination's sidecar": answer(403, DENIAL, OWN),
    "403 of the waypoint": answer(
        403, DENIAL, OWN, Witness("waypoint", "refused", "rbac_access_denied_matched_policy", "shop/httpbin-no-get")
    ),
    "403 of the application": answer(403, DENIAL, {"server": ("gunicorn",)}),
    "403 of the application behind the sidecar": answer(403, DENIAL, OWN | PASSED),
    "503 of the sidecar, refused by the policy": answer(
        503, RESET, UPSTREAM, refusal("shop/httpbin-no-sidecar", by="sidecar")
    ),
    "503 of the sidecar, refused by another": answer(503, RESET, UPSTREAM, refusal("shop/other", by="sidecar")),
    "503 of the sidecar, nobody's refusal": answer(503, RESET, UPSTREAM),
    "503 of the sidecar without endpoints": answer(503, "no healthy upstream", UPSTREAM),
    "reset by the ALLOW": reset(refusal(None, "shop/httpbin-only-sidecar")),
    "reset by the DENY": reset(refusal("shop/httpbin-no-sidecar")),
    "reset by STRICT": reset(refusal(STRICT)),
    "reset, nobody says why": reset(None),
    "no answer": Outcome(28, error="Operation timed out", connect_ms=1.0),
}
ANY = [name for name in SEEN if name.startswith("answered")]
UNPROVED = ["reset, nobody says why"]
WORDS: Mapping[str, tuple[list[str], list[str]]] = {
    "sidecars-account-is-answered": (ANY, []),
    "captured-pod-is-reset": (["reset by the ALLOW"], UNPROVED),
    "same-account-without-sidecar-is-reset": (["reset by the ALLOW"], UNPROVED),
    "sidecars-account-is-refused": (
        ["503 of the sidecar, refused by the policy"],
        ["503 of the sidecar, nobody's refusal"],
    ),
    "captured-pod-is-answered": (ANY, []),
    "strict-answers-sidecar": (ANY, []),
    "strict-resets-the-same-without": (["reset by STRICT"], UNPROVED),
    "captured-account-is-answered": (ANY, []),
    "other-account-is-denied-at-l7": (["403 of the destination's sidecar"], []),
    "no-account-is-denied-at-l7": (["403 of the destination's sidecar"], []),
    "sidecar-goes-past-a-waypoint": (ANY, []),
    "captured-pod-meets-it": (
        ["403 of the waypoint"],
        ["403 of the application behind the sidecar", "403 of the destination's sidecar"],
    ),
}
"""By row: what holds, and what proves nothing; all else is broken."""

(MARK,) = [mark for mark in suite.test_sidecar_interop.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]  # set by the mark
CASES: tuple[Case, ...] = tuple(cast(Case, param.values[0]).filled(NAMES) for param in MARK.args[1])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_row_holds_for_what_is_right_alone(case: Case) -> None:
    """A denial of another kind, by another proxy or policy or by nobody that is known is not the one that is meant."""
    right, unproved = WORDS[case.id]
    words = {name: judge(case.expectation, outcome).word for name, outcome in SEEN.items()}
    assert sorted(name for name, word in words.items() if word is Word.HOLDS) == sorted(right)
    assert sorted(name for name, word in words.items() if word is Word.INCONCLUSIVE) == sorted(unproved)


def test_every_row_is_looked_at() -> None:
    """The table above has each, and no other."""
    assert set(WORDS) == {case.id for case in CASES}
