"""The proxies' own words about requests that were recorded on a real mesh (Istio 1.30.3)."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.probe.accesslog import connections, requests
from pytest_ambient.probe.config import allows_at_ztunnel, policies_at_waypoint, protocols
from pytest_ambient.probe.logs import Logs
from pytest_ambient.probe.witness import Asked, Witnesses
from pytest_ambient.testing import FakeKube
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.outcome import Outcome, Witness

RECORDED = Path(__file__).parent / "recorded"
PROBES = [json.loads(line) for line in (RECORDED / "probes.jsonl").read_text().splitlines()]
REVIEWS = "reviews.bookinfo.svc.cluster.local"


def asked(probe: dict[str, Any]) -> Asked:
    """A recorded probe as a call and its outcome."""
    argv, curl = probe["argv"], probe["curl"]
    method = (
        argv[argv.index("-X") + 1] if "-X" in argv else "HEAD" if "-I" in argv else "POST" if "-d" in argv else "GET"
    )
    headers: dict[str, tuple[str, ...]] = {}
    for name, _, value in (line.partition(": ") for line in probe["headers"]):
        headers[name.lower()] = (*headers.get(name.lower(), ()), value)
    url = next(word for word in reversed(argv) if word.startswith("http://"))
    place = {key: curl[key] for key in ("local_ip", "local_port", "remote_ip", "remote_port")}
    outcome = Outcome(probe["exit"], probe["status"], headers, probe["body"], connect_ms=1.0, **place)
    return Asked(Call(method, url), outcome)


def kube(*, access_log: bool = True) -> Kube:
    """A cluster whose ztunnel and waypoints wrote what was recorded."""
    fake = FakeKube()
    pod = {
        "metadata": {"name": "z", "namespace": "istio-system", "labels": {"app": "ztunnel"}},
        "spec": {"containers": [{"name": "istio-proxy"}]},
    }
    fake.objects["v1/Pod", "istio-system", "z"] = pod
    fake.lines["istio-system/z"] = (RECORDED / "ztunnel.log").read_text()
    fake.pages["istio-system/z", "/config_dump"] = json.dumps({"workloads": [], "policies": []})
    for line in connections(fake.lines["istio-system/z"]):
        if "/waypoint-" in line.destination_workload:
            fake.lines[line.destination_workload] = (RECORDED / "waypoint.log").read_text() if access_log else ""
            fake.pages[line.destination_workload, "/config_dump"] = (RECORDED / "waypoint-config_dump.json").read_text()
    return cast(Kube, fake)


def word(probe: dict[str, Any], **options: bool) -> Witness | None:
    """What the proxies say of a recorded probe."""
    witnesses = Witnesses(Logs(kube(**options)), within=0.01)
    try:
        return witnesses.attest([asked(probe)], started=0)[0].witness
    finally:
        witnesses.close()


def labelled(*exits: int, status: int | None = None) -> list[Any]:
    """Recorded probes with one of some exits, and a status."""
    found = [probe for probe in PROBES if probe["exit"] in exits and status in (None, probe["status"])]
    assert found
    return [pytest.param(probe, id=probe["label"].replace(" ", "-")) for probe in found]


@pytest.mark.parametrize("probe", labelled(52, 56))
def test_a_reset_is_refused_by_ztunnel(probe: dict[str, Any]) -> None:
    """Every reset finds its line, for meshed and for un-meshed callers, and a DENY is named in it."""
    witness = word(probe)
    assert witness is not None
    assert (witness.proxy, witness.verdict, witness.source_role) == ("ztunnel", "refused", "caller")
    policy = probe["label"].partition(":")[0]
    if policy.startswith("deny-"):
        assert witness.policy == f"bookinfo/{policy}"
    if "unmeshed" in probe["label"] or "outside" in probe["label"]:
        assert witness.source_identity == ""


@pytest.mark.parametrize("probe", labelled(0, status=403))
def test_a_403_is_refused_by_the_waypoint(probe: dict[str, Any]) -> None:
    """The waypoint's line is found by caller, method, path and address; an ALLOW by its configuration."""
    witness = word(probe)
    assert witness is not None
    assert (witness.proxy, witness.verdict) == ("waypoint", "refused")
    assert witness.policy is None
    assert witness.attached == ("bookinfo/reviews-viewer",)


def test_a_waypoint_without_access_log_is_judged_by_its_configuration() -> None:
    """Where nothing is logged and one policy alone may have refused, that is the word."""
    probe = next(probe for probe in PROBES if probe["label"] == "productpage POST")
    witness = word(probe, access_log=False)
    assert witness is not None
    assert (witness.verdict, witness.attached) == ("refused", ("bookinfo/reviews-viewer",))
    assert "no access log" in witness.reason


@pytest.mark.parametrize("probe", labelled(0, status=503))
def test_a_503_is_the_refusal_of_the_waypoint(probe: dict[str, Any]) -> None:
    """Behind the 503 stands the destination's ztunnel, which refused the waypoint's identity."""
    witness = word(probe)
    assert witness is not None
    assert (witness.proxy, witness.verdict, witness.source_role) == ("ztunnel", "refused", "waypoint")
    assert witness.source_identity == "spiffe://cluster.local/ns/bookinfo/sa/waypoint"


@pytest.mark.parametrize("probe", labelled(0, status=200))
def test_an_answer_was_let_through(probe: dict[str, Any]) -> None:
    """An answer has a witness too, and it never speaks of a refusal."""
    witness = word(probe)
    assert witness is not None
    assert witness.verdict == "allowed"


def test_a_connection_that_no_proxy_saw_has_no_witness() -> None:
    """Another port of the same pod is another connection."""
    one = asked(next(probe for probe in PROBES if probe["exit"] == 56))
    witnesses = Witnesses(Logs(kube()), within=0.01)
    stranger = Outcome(56, local_ip=one.outcome.local_ip, local_port=1, connect_ms=1.0)
    assert witnesses.attest([Asked(one.call, stranger)], started=0)[0].witness is None
    witnesses.close()


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("own", [True, False])
def test_a_port_that_was_used_for_two_destinations(own: bool, before: bool) -> None:
    """What was let through to another Service from the same port says nothing of the refusal, whichever came last."""
    one = asked(next(probe for probe in PROBES if probe["exit"] == 56))
    port = f"src.addr={one.outcome.local_ip}:{one.outcome.local_port} "
    fake = cast(FakeKube, kube())
    lines = fake.lines["istio-system/z"].splitlines()
    about = [line for line in lines if port in line]
    assert about
    elsewhere = " ".join(
        [
            about[0].partition("src.addr=")[0] + port,
            'src.workload="w" src.namespace="bookinfo" dst.addr=10.244.0.99:15008 dst.hbone_addr=10.244.0.99:9080',
            'dst.service="ratings.bookinfo.svc.cluster.local" dst.workload="ratings-v1" dst.namespace="bookinfo"',
            'direction="outbound" bytes_sent=1 bytes_recv=1 duration="1ms"',
        ]
    )
    lines = lines if own else [line for line in lines if line not in about]
    fake.lines["istio-system/z"] = "\n".join([elsewhere, *lines] if before else [*lines, elsewhere])
    witnesses = Witnesses(Logs(cast(Kube, fake)), within=0.01)
    witness = witnesses.attest([one], started=0)[0].witness
    witnesses.close()
    assert (witness is not None and witness.verdict) == ("refused" if own else False)


def test_a_line_testifies_once() -> None:
    """A later connection from the same port needs a line of its own: an old refusal proves nothing about it."""
    one = asked(next(probe for probe in PROBES if probe["exit"] == 56))
    witnesses = Witnesses(Logs(kube()), within=0.01)
    assert witnesses.attest([one], started=0)[0].witness is not None
    assert witnesses.attest([one], started=0)[0].witness is None
    witnesses.close()


def test_json_lines_read_like_text() -> None:
    """ztunnel's LOG_FORMAT=json has the same keys, flat."""
    line = {
        "level": "error", "time": "2026-11-21T05:11:36.190996Z", "scope": "access", "message": "connection complete",
        "src.addr": "10.244.0.74:56838", "dst.addr": "10.244.0.68:9080", "dst.workload": "productpage-v1-x",
        "dst.namespace": "bookinfo", "direction": "inbound", "bytes_sent": 0,
        "error": "connection closed due to policy rejection: explicitly denied by: bookinfo/no-curl",
    }  # fmt: skip
    (found,) = connections(json.dumps(line))
    assert (found.rejected, found.policy, found.destination_workload) == (
        True,
        "bookinfo/no-curl",
        "bookinfo/productpage-v1-x",
    )


def test_a_waypoints_json_line_reads_like_text() -> None:
    """Mesh-wide JSON access logs are understood as well."""
    line = {
        "start_time": "2026-11-21T05:16:30.171Z", "method": "GET", "path": "/reviews/0", "response_code": 403,
        "response_code_details": "rbac_access_denied_matched_policy[ns[bookinfo]-policy[no-get]-rule[0]]",
        "downstream_remote_address": "10.244.0.79:38618", "downstream_local_address": "10.96.190.103:9080",
        "upstream_cluster": None,
    }  # fmt: skip
    (found,) = requests(json.dumps(line))
    assert (found.denied, found.policy, found.client) == (True, "bookinfo/no-get", "10.244.0.79")


def test_a_waypoints_policies_are_those_of_the_called_service() -> None:
    """Each Service has a filter chain of its own in the waypoint's configuration."""
    dump = json.loads((RECORDED / "waypoint-config_dump.json").read_text())
    assert policies_at_waypoint(dump, REVIEWS, "9080") == {"ALLOW": ("bookinfo/reviews-viewer",), "DENY": ()}
    assert policies_at_waypoint(dump, "details.bookinfo.svc.cluster.local", "9080") == {"ALLOW": (), "DENY": ()}


@pytest.mark.parametrize("as_mapping", [False, True])
def test_ztunnels_policies_by_scope(as_mapping: bool) -> None:
    """A selector policy counts where the workload lists it, a namespace's in it, a global one everywhere."""
    policies = [
        {"name": "by-selector", "namespace": "shop", "scope": "WorkloadSelector", "action": "Allow"},
        {"name": "of-another-pod", "namespace": "shop", "scope": "WorkloadSelector", "action": "Allow"},
        {"name": "of-namespace", "namespace": "shop", "scope": "Namespace", "action": "Allow"},
        {"name": "of-another-namespace", "namespace": "other", "scope": "Namespace", "action": "Allow"},
        {"name": "everywhere", "namespace": "istio-system", "scope": "Global", "action": "Allow"},
        {"name": "denies", "namespace": "shop", "scope": "Namespace", "action": "Deny"},
    ]
    workloads = [
        {"name": "cart-x", "namespace": "shop", "protocol": "HBONE", "authorizationPolicies": ["shop/by-selector"]}
    ]
    dump: dict[str, Any] = {"workloads": workloads, "policies": policies}
    if as_mapping:
        dump = {key: {str(index): entry for index, entry in enumerate(entries)} for key, entries in dump.items()}
    assert allows_at_ztunnel(dump, "shop/cart-x") == (
        "istio-system/everywhere",
        "shop/by-selector",
        "shop/of-namespace",
    )
    assert protocols(dump) == {"shop/cart-x": "HBONE"}
