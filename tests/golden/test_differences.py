"""The replay's own parts: what counts as the same, what is left to chance, and the ledger of differences."""

import pytest

from . import comparing, recording, words
from .asking import Answer
from .differences import Difference, Ledger, Meant, read

FOUND = Difference("unknown port", "exit", "52", "7")
MEANT = Meant(("istio-1.30.3/07-*",), "unknown *", "because", aspect="exit", seen="7*")


def test_unlisted_difference_is_told() -> None:
    """What nobody lists is in the report, recorded beside seen."""
    ledger = Ledger([])
    ledger.add(FOUND)
    assert ledger.report() == "unknown port: exit\n    recorded  52\n    seen      7"


def test_listed_difference_is_silent() -> None:
    """What is listed is not reported."""
    ledger = Ledger([MEANT])
    assert ledger.add(FOUND) is MEANT
    assert ledger.report() == ""


def test_stale_entry_is_told() -> None:
    """An entry that nothing meets is an error, unless chance decides."""
    assert Ledger([MEANT]).report() == "differences.toml: no longer so: unknown port: exit".replace("port", "*")
    assert Ledger([Meant((), "x", "because", sometimes=True)]).report() == ""


def test_every_entry_has_a_scenario_and_a_reason() -> None:
    """Entries name scenarios that exist, and say why."""
    for each in read():
        assert each.reason
        assert set(each.scenario) <= set(recording.names())


def test_answers_are_compared() -> None:
    """A proxy's marks, bodies and statuses must be alike; which of two exits a refusal has is chance."""
    step = {
        "probe": "x", "exit": 0, "status": "HTTP/1.1 403 Forbidden", "headers": ["server: istio-envoy", "date: now"],
        "body": "RBAC: access denied",
    }  # fmt: skip
    same = Answer(0, "HTTP/1.1 403 Forbidden", (("server", "istio-envoy"),), "RBAC: access denied")
    assert comparing.probe(step, same) == []
    bare = Answer(0, "HTTP/1.1 403 Forbidden", (), "no")
    assert [aspect for aspect, _, _ in comparing.probe(step, bare)] == ["header server", "body"]
    assert comparing.probe(step, Answer(0, "HTTP/1.1 200 OK"))[0][0] == "status"
    assert comparing.probe({"probe": "x", "exit": 52}, Answer(56)) == []
    assert comparing.probe({"probe": "x", "exit": 52}, Answer(7))[0][0] == "exit"


@pytest.mark.parametrize(("seen", "told"), [({"a": 90, "b": 10}, []), ({"a": 50, "b": 50}, ["share a", "share b"])])
def test_shares_are_compared(seen: dict[str, int], told: list[str]) -> None:
    """Shares that chance does not explain differ."""
    step = {"counts": "x", "n": 100, "seen": {"a": 92, "b": 8}}
    assert [aspect for aspect, _, _ in comparing.counts(step, seen)] == told


def test_log_line_facts() -> None:
    """A line's level, message, parties and error count; its times, addresses and sizes do not."""
    line = (
        '2026-01-01T00:00:00Z\terror\taccess\tconnection complete\tsrc.addr=10.0.0.1:4711 src.workload="curl" '
        'dst.addr=10.0.0.2:15008 dst.workload="reviews-v2-7b5b4d5d65-ktwsk" direction="outbound" bytes_sent=7 error="x"'
    )
    assert words.ztunnel(line) == (
        'error connection complete src.addr=IP:N src.workload="curl" dst.addr=IP:15008 '
        'dst.workload="reviews-v*" direction="outbound" bytes_sent= error="x"'
    )
    assert words.ztunnel("2026-01-01T00:00:00Z\tinfo\txds\tupdate\t") is None
    assert words.waypoint("some other line") is None


def test_recordings_can_be_read() -> None:
    """Every scenario has steps of known kinds."""
    kinds = {"apply", "delete", "run", "probe", "turns", "counts", "status", "open", "held"}
    for name in recording.names():
        found = recording.read(name)
        assert found.steps
        assert {recording.kind(step) for step in found.steps} <= kinds
