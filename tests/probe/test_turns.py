"""Lines of ztunnel's log that bear another port than the caller's are found by their turn."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from pytest_ambient._kube import Kube
from pytest_ambient.probe.accesslog import Connection, connections
from pytest_ambient.probe.logs import Logs
from pytest_ambient.probe.turns import BETWEEN, by_turn, ends
from pytest_ambient.probe.witness import Asked, Witnesses
from pytest_ambient.testing import FakeKube
from pytest_ambient.verdict.call import Call
from pytest_ambient.verdict.outcome import Outcome, Witness

CALL = Call("GET", "http://reviews:9080/reviews/0")
LOG = (Path(__file__).parent / "recorded" / "renamed-port.log").read_text()
"""Eight refused connections of one curl; the third one's port, 40456, was 9294 at ztunnel (Istio 1.30.3)."""
PORTS = (40444, 40446, 40456, 40458, 40460, 40462, 40472, 40478)


def refused(port: int, seconds: float = 0.0014) -> Outcome:
    """What curl saw of one of them."""
    place = {"local_ip": "10.244.2.7", "remote_ip": "10.96.170.199"}
    return Outcome(56, connect_ms=0.1, total_ms=seconds * 1000, local_port=port, remote_port=9080, **place)  # type: ignore[arg-type]


def words(asked: Sequence[Outcome], among: Sequence[Outcome]) -> list[Witness | None]:
    """What ztunnel says of some outcomes among all of a round."""
    fake = FakeKube()
    fake.objects["v1/Pod", "istio-system", "z"] = {
        "metadata": {"name": "z", "namespace": "istio-system", "labels": {"app": "ztunnel"}},
        "spec": {"containers": [{"name": "istio-proxy"}]},
    }
    fake.lines["istio-system/z"] = LOG
    witnesses = Witnesses(Logs(cast(Kube, fake)), within=0.01)
    both = [[Asked(CALL, one) for one in part] for part in (asked, among)]
    try:
        return [one.witness for one in witnesses.attest(both[0], started=0, among=both[1])]
    finally:
        witnesses.close()


def test_recorded() -> None:
    """The line with another port is about the request that has none of its own, and names the policy."""
    round_of_curl = [refused(port) for port in PORTS]
    found = words(round_of_curl, round_of_curl)
    assert [word and word.policy for word in found] == ["bookinfo/reviews-not-curl"] * len(PORTS)
    assert words(round_of_curl, ())[2] is None


def line(port: int, at: float, service: str = "reviews.a.svc.cluster.local", seconds: float = 0.0) -> Connection:
    """A line about a call that was answered."""
    return Connection(
        at, f"{port} at {at}", "outbound", f"10.0.0.1:{port}", "a/curl", "i", "10.0.0.2:15008", "10.0.0.2:9080",
        service, "a/reviews", "j", "", seconds, answer=100,
    )  # fmt: skip


def sent(*ports: int, seconds: float = 0.01) -> list[tuple[Call, Outcome]]:
    """Requests that were answered, one after the other."""
    place = {"local_ip": "10.0.0.1", "remote_ip": "10.96.0.1"}
    made = [Outcome(0, 200, connect_ms=1, total_ms=seconds * 1000, local_port=port, remote_port=9080) for port in ports]
    return [(CALL, replace(one, **place)) for one in made]  # type: ignore[arg-type]


def found(requests: Sequence[tuple[Call, Outcome]], *lines: Connection) -> dict[int, float]:
    """By the port of a request without a line of its own, when the one that is found ended."""
    of_port = {int(one.source.rpartition(":")[2]): one for one in lines}
    own = {ends(one): of_port[one.local_port] for _, one in requests if one.local_port in of_port}
    return {key[1]: one.at for key, one in by_turn(requests, own, lines).items()}


ROUND = sent(1, 2, 3, 4)


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        pytest.param((line(1, 1.0), line(77, 1.1), line(78, 1.2), line(4, 1.3)), {2: 1.1, 3: 1.2}, id="between"),
        pytest.param((line(1, 1.0), line(2, 1.1), line(78, 1.15), line(77, 1.2)), {3: 1.15, 4: 1.2}, id="at-the-end"),
        pytest.param((line(77, 1.0), line(2, 1.1), line(3, 1.2), line(4, 1.3)), {1: 1.0}, id="at-the-beginning"),
        pytest.param((line(1, 1.0), line(77, 1.1), line(4, 1.3)), {}, id="one-is-still-to-come"),
        pytest.param((line(1, 1.0), *(line(p, 1.1) for p in (7, 8, 9)), line(4, 1.3)), {}, id="somebody-elses-too"),
        pytest.param((line(77, 1.0), line(78, 1.1), line(79, 1.2), line(80, 1.3)), {}, id="no-line-of-their-own"),
        pytest.param((line(4, 1.0), line(77, 1.1), line(78, 1.2), line(1, 1.3)), {}, id="not-in-turn"),
        pytest.param(
            (line(77, 1.0 - 3 * BETWEEN), line(2, 1.0), line(3, 1.1), line(4, 1.2)), {}, id="of-an-earlier-round"
        ),
        pytest.param(
            (line(1, 1.0), line(77, 1.1), line(78, 1.2, "details.a.svc.cluster.local"), line(79, 1.25), line(4, 1.3)),
            {2: 1.1, 3: 1.25},
            id="beside-another-service",
        ),
        pytest.param(
            (line(1, 1.0), line(77, 9.0, seconds=7.9), line(78, 1.2), line(4, 1.3)), {2: 9.0, 3: 1.2}, id="ended-late"
        ),
    ],
)
def test_turns(lines: tuple[Connection, ...], wanted: dict[int, float]) -> None:
    """As many lines as requests between two that are sure, and about the same: else none is taken."""
    assert found(ROUND, *lines) == wanted


def test_requests_that_never_connected_have_no_line() -> None:
    """They take no turn."""
    lost = (CALL, replace(ROUND[1][1], connect_ms=0.0, status=0, exit_code=7))
    lines = (line(1, 1.0), line(77, 1.1), line(4, 1.3))
    assert found([ROUND[0], lost, *ROUND[2:]], *lines) == {3: 1.1}


def test_the_recorded_lines() -> None:
    """One curl, eight connections, both ends of each, one with another port."""
    ports = [int(one.source.rpartition(":")[2]) for one in connections(LOG) if one.direction == "outbound"]
    assert [port for port in ports if port not in PORTS] == [9294]
