"""Rounds: one exec for each source, rows told apart, lost execs never read as an answer."""

from collections.abc import Sequence
from threading import Barrier

import pytest

from pytest_ambient._kube_exec import Executed
from pytest_ambient.errors import ExecFailed, Forbidden, Misuse, NotFound
from pytest_ambient.probe.battery import Battery
from pytest_ambient.probe.source import Sources
from pytest_ambient.verdict.call import GET, Call
from pytest_ambient.verdict.outcome import Lost, Outcome
from tests.probe.bench import PLACES, QUICK, RUN, Bench, Reply

URL = "http://reviews:9080/"


def asked(bench: Bench, rows: dict[str, tuple[str, Call]], *, apart: bool = False) -> dict[str, list[Outcome | Lost]]:
    """One round."""
    battery = Battery(bench.real, Sources(bench.real, PLACES, RUN, image="curl", within=0.1), QUICK)
    try:
        return dict(battery.ask(rows, apart=apart).seen)
    finally:
        battery.close()


def status(observations: Sequence[Outcome | Lost]) -> list[int]:
    """The statuses of outcomes."""
    return [one.status for one in observations if isinstance(one, Outcome)]


def test_rows_of_a_source_travel_together() -> None:
    """Two sources, four rows, five requests: two execs, and every row gets its own answers."""
    bench = Bench(lambda where, method, url: Reply(int(url.rpartition("/")[2]) + ("outside" in where)))
    rows = {
        "a": ("curl", GET(f"{URL}201")),
        "b": ("curl", GET(f"{URL}202", count=2)),
        "c": ("outside/curl", GET(f"{URL}300")),
        "d": ("curl", GET(f"{URL}204")),
    }
    seen = asked(bench, rows)
    assert {key: status(found) for key, found in seen.items()} == {"a": [201], "b": [202, 202], "c": [301], "d": [204]}
    assert sorted(where for where, _ in bench.execs) == ["outside/curl-x", "shop/curl-x"]


def test_rows_may_be_asked_apart() -> None:
    """Every row has an exec of its own then, all of them at once, from a source that is looked for once."""
    together = Barrier(3)

    def answer(where: str, method: str, url: str) -> Reply:
        together.wait(10)
        return Reply(int(url.rpartition("/")[2]))

    bench = Bench(answer)
    run, versions = bench.kube.run, list[str]()

    def counted(where: str, container: str, argv: Sequence[str], stdin: bytes | None) -> Executed:
        versions.extend(word for word in argv if word == "--version")
        return run(where, container, argv, stdin)

    bench.kube.run = counted
    rows = {str(n): ("curl", GET(f"{URL}{n}")) for n in (200, 201, 202)}
    seen = asked(bench, rows, apart=True)
    assert {key: status(found) for key, found in seen.items()} == {"200": [200], "201": [201], "202": [202]}
    assert [where for where, _ in bench.execs] == ["shop/curl-x"] * 3
    assert versions == ["--version"]


def test_rows_that_outgrow_arguments_travel_on_standard_input() -> None:
    """Where the API server can't end it, they travel in parts instead."""
    bench = Bench(lambda where, method, url: Reply())
    run, inputs = bench.kube.run, []

    def v4(where: str, container: str, argv: Sequence[str], stdin: bytes | None) -> Executed:
        if stdin is not None:
            inputs.append(stdin)
            raise ExecFailed("cannot end standard input")
        return run(where, container, argv, stdin)

    bench.kube.run = v4
    seen = asked(bench, {str(n): ("curl", GET(f"{URL}{'x' * 800}")) for n in range(12)})
    assert all(status(found) == [200] for found in seen.values())
    assert len(inputs[0]) > 8 * 1024
    assert len(bench.execs) > 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Executed(b"", b"", 0), "the exec gave no output"),
        (Executed(b"", b"sh: no curl", 127), "sh: no curl"),
        (Executed(b"half an", b"", None, "the connection broke"), "the connection broke"),
    ],
)
def test_a_lost_exec_makes_its_rows_lost(answer: Executed, reason: str) -> None:
    """All requests of all its rows, with what is known about the reason."""
    bench = Bench(lambda where, method, url: Reply())
    run = bench.kube.run
    bench.kube.run = lambda *words: run(*words) if "--version" in words[2] else answer
    seen = asked(bench, {"a": ("curl", GET(URL, count=2))})
    assert [reason in one.reason for one in seen["a"] if isinstance(one, Lost)] == [True, True]


def test_a_pod_that_is_gone_is_looked_for_again() -> None:
    """The row is lost this time; the next round finds another pod."""
    bench = Bench(lambda where, method, url: Reply())
    sources = Sources(bench.real, PLACES, RUN, image="curl", within=0.1)
    battery, run = Battery(bench.real, sources, QUICK), bench.kube.run
    first = sources.find("curl")

    def gone(where: str, container: str, argv: Sequence[str], stdin: bytes | None) -> Executed:
        raise NotFound('pods "curl-x" not found')

    bench.kube.run = gone
    assert battery.ask({"a": ("curl", GET(URL))}).seen["a"] == [Lost('pods "curl-x" not found')]
    bench.kube.run = run
    assert status(battery.ask({"a": ("curl", GET(URL))}).seen["a"]) == [200]
    assert sources.find("curl") is not first
    battery.close()


def test_a_user_who_may_not_exec_is_told() -> None:
    """Waiting would not help."""
    bench = Bench(lambda where, method, url: Reply())

    def forbidden(where: str, container: str, argv: Sequence[str], stdin: bytes | None) -> Executed:
        raise Forbidden("pods/exec is forbidden")

    bench.kube.run = forbidden
    with pytest.raises(Forbidden):
        asked(bench, {"a": ("curl", GET(URL))})


def test_sources_are_chosen_before_any_round() -> None:
    """Each once; one that cannot be found is told of by the round that asks it."""
    bench = Bench(lambda where, method, url: Reply())
    battery = Battery(bench.real, Sources(bench.real, PLACES, RUN, image="curl", within=0.1), QUICK)
    try:
        battery.choose(["curl", "nobody", "other/curl"])
        assert (bench.execs, battery.sources.find("curl").pod) == ([], "curl-x")
        bench.kube.objects.clear()
        assert str(battery.sources.find("other/curl")) == "other/curl-x"
        with pytest.raises(Misuse, match="unknown workload 'nobody'"):
            battery.ask({"a": ("nobody", GET(URL))})
    finally:
        battery.close()
