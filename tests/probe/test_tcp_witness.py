"""A waypoint's own word about connections that it closed, as recorded on a real mesh (Istio 1.30.3)."""

import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.probe.accesslog import connections, requests
from pytest_ambient.probe.logs import Logs
from pytest_ambient.probe.witness import Asked, Witnesses
from pytest_ambient.testing import FakeKube
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.denied import DeniedL4
from pytest_ambient.verdict.outcome import Outcome, Witness

RECORDED = Path(__file__).parent / "recorded" / "tcp"
ZTUNNEL, WAYPOINT = (RECORDED / "ztunnel.log").read_text(), (RECORDED / "waypoint.log").read_text()
CLOSED = [each for each in connections(ZTUNNEL) if "/waypoint-" in each.destination_workload]
NO_GET = "bookinfo/svc-targetref-deny-methods-get-on-tcp"
REFUSED = "connection closed due to policy rejection: allow policies exist, but none allowed"


def asked(line_number: int) -> Asked:
    """A recorded connection to tcp-echo as one of curl's that was closed."""
    line = CLOSED[line_number]
    (ip, _, port), (to, _, called) = line.source.rpartition(":"), line.tunnelled.rpartition(":")
    call = Call("GET", f"http://tcp-echo.bookinfo:{called}/")
    place = {"local_ip": ip, "local_port": int(port), "remote_ip": to, "remote_port": int(called)}
    return Asked(call, Outcome(52, connect_ms=1.0, **place))  # type: ignore[arg-type]  # texts and numbers by name


def word(one: Asked, *, log: str = WAYPOINT, more: str = "") -> Witness | None:
    """What the proxies say of it, where the waypoint logs that and ztunnel that much more."""
    fake = FakeKube()
    fake.objects["v1/Pod", "istio-system", "z"] = {
        "metadata": {"name": "z", "namespace": "istio-system", "labels": {"app": "ztunnel"}},
        "spec": {"containers": [{"name": "istio-proxy"}]},
    }
    fake.lines["istio-system/z"] = ZTUNNEL + more
    waypoint = CLOSED[0].destination_workload
    fake.lines[waypoint] = log
    for page in (waypoint, "istio-system/z"):
        fake.pages[page, "/config_dump"] = json.dumps({"configs": [], "workloads": [], "policies": []})
    witnesses = Witnesses(Logs(cast(Kube, fake)), within=0.01)
    try:
        return witnesses.attest([one], started=0)[0].witness
    finally:
        witnesses.close()


@pytest.mark.parametrize("number", range(len(CLOSED)))
def test_a_waypoint_says_that_it_closed_a_connection(number: int) -> None:
    """Each connection finds its line, by an ALLOW whose only rule plain TCP can't meet first, by a DENY then."""
    assert len(CLOSED) == 8
    witness = word(asked(number))
    assert witness is not None
    assert (witness.proxy, witness.verdict) == ("waypoint", "refused")
    assert witness.policy == (None if number < 4 else NO_GET)
    by = None if number < 4 else NO_GET
    assert DeniedL4(by, at="waypoint").explain(replace(asked(number).outcome, witness=witness)) is None


def test_a_stale_refusal_of_the_waypoint_does_not_stand_before_its_own_word() -> None:
    """ztunnel may just have refused another connection of that waypoint."""
    other = next(line for line in ZTUNNEL.splitlines() if 'direction="inbound"' in line and "T05:36:20" in line)
    witness = word(asked(4), more=f'{other} error="{REFUSED}"\n')
    assert (witness is not None and witness.proxy) == "waypoint"


def test_without_its_log_nobody_knows_who_closed_it() -> None:
    """Of a connection without an answer no configuration tells who ended it, so that there is only doubt."""
    assert word(asked(0), log="") is None


@pytest.mark.parametrize(
    ("flags", "verdict", "reason"), [("UF,URX", "failed", "UF,URX"), ("NC", "failed", "NC"), ("-", "allowed", "")]
)
def test_a_connection_that_no_policy_closed(flags: str, verdict: str, reason: str) -> None:
    """Envoy's flags say what went wrong; without any it went on to the destination, which ended it."""
    line = WAYPOINT.splitlines()[0].replace('" 0 - - rbac_access_denied_matched_policy[none]', f'" 0 {flags} - -')
    witness = word(asked(0), log=line)
    assert witness is not None
    assert (witness.proxy, witness.verdict, witness.reason) == ("waypoint", verdict, reason)


def test_a_json_line_about_a_connection_reads_like_text() -> None:
    """What a connection has nothing to say of is null there."""
    line = {
        "start_time": "2026-11-21T05:36:20.175Z", "method": None, "path": None, "response_code": 0,
        "response_code_details": None, "response_flags": "-", "upstream_cluster": "inbound-vip|9000|tcp|tcp-echo",
        "connection_termination_details": "rbac_access_denied_matched_policy[ns[bookinfo]-policy[no]-rule[0]]",
        "downstream_remote_address": "10.244.0.69:49112", "downstream_local_address": "10.96.180.46:9000",
    }  # fmt: skip
    (found,) = requests(json.dumps(line))
    assert (found.method, found.denied, found.policy, found.flags) == ("", True, "bookinfo/no", "")
