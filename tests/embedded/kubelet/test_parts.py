"""The parts below the pods: addresses, children of this process, logs, names."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_ambient.embedded.addresses import Addresses, NoAddress
from pytest_ambient.embedded.images import find, known
from pytest_ambient.embedded.kubelet.command import sleeping
from pytest_ambient.embedded.kubelet.directions import DeadEnd, Ends, Neighbour, curl_names, cut_off
from pytest_ambient.embedded.kubelet.environment import expand
from pytest_ambient.embedded.kubelet.programmed import HBONE, REDIRECTION, listening, programmed
from pytest_ambient.embedded.kubelet.state import BackOff
from pytest_ambient.embedded.names import Name
from pytest_ambient.embedded.process import Processes


def test_two_clusters_have_two_blocks() -> None:
    """A block that somebody has is not handed out again until it is left."""
    first = Addresses.claim()
    with pytest.raises(NoAddress, match=f"no free block among 127.{first.block}"):
        Addresses.claim([first.block])
    second = Addresses.claim()
    assert first.block != second.block
    first.close()
    again = Addresses.claim([first.block])
    again.close()
    second.close()


def test_addresses_come_back_late() -> None:
    """An address that was given back is the last to be handed out again; a reserved one is never."""
    addresses = Addresses.claim()
    pool = addresses.services
    first, second = pool.take(), pool.take()
    pool.give_back(first)
    assert pool.take() not in (first, second)
    assert not pool.reserve(second)
    assert not pool.reserve("127.0.0.1")
    wanted = second.rpartition(".")[0] + ".77"
    assert pool.reserve(wanted)
    assert wanted not in {pool.take() for _ in range(100)}
    addresses.close()


def test_what_is_lent_stays_until_nobody_names_it() -> None:
    """A key has one address; what is taken back comes again as late as possible."""
    addresses = Addresses.claim()
    try:
        lent = addresses.hosts
        first, second = lent.of("a/x."), lent.of("a/y.")
        assert (lent.of("a/x."), first == second) == (first, False)
        assert first not in addresses.services
        lent.only(["a/y."])
        assert lent.of("a/y.") == second
        assert lent.of("a/x.") not in (first, second)
    finally:
        addresses.close()


def test_child_lines_and_exit_code() -> None:
    """A child's output comes by line, its exit code is a shell's."""

    async def scenario() -> None:
        processes, lines = Processes(), list[str]()
        child = await processes.start(["/bin/sh", "-c", "echo a; echo b >&2; kill -9 $$"], line=lines.append)
        assert await child.wait() == 137
        assert sorted(lines) == ["a", "b"]
        await processes.stop()

    asyncio.run(scenario())


def test_child_that_left_others_holding_its_pipes() -> None:
    """The end of a process is its end, whoever still holds its output; those are ended too."""

    async def scenario() -> None:
        processes = Processes()
        child = await processes.start(["/bin/sh", "-c", "sleep 60 & echo $!"], stdout=asyncio.subprocess.PIPE)
        assert child.stdout
        left = int(await child.stdout.readline())
        assert await asyncio.wait_for(child.wait(), 2) == 0
        assert await asyncio.wait_for(child.stdout.read(), 2) == b""
        assert _ended(left)
        await processes.stop()

    asyncio.run(scenario())


def test_stubborn_child_is_killed() -> None:
    """A child that ignores the request to end is killed after the grace."""

    async def scenario() -> None:
        processes = Processes()
        script = "trap '' TERM; echo up; while :; do sleep 1; done"
        child = await processes.start(["/bin/sh", "-c", script], stdout=asyncio.subprocess.PIPE)
        assert child.stdout
        await child.stdout.readline()
        assert await child.stop(grace=0.05) == 137
        await processes.stop()

    asyncio.run(scenario())


def test_pipes_of_ended_children_are_closed_at_the_stop() -> None:
    """A child that ended and whose output nobody read leaves no open pipe behind."""

    async def scenario() -> None:
        processes = Processes()
        child = await processes.start(["/bin/sh", "-c", "sleep 60"], stdout=asyncio.subprocess.PIPE)
        child.kill()
        assert await child.wait() == 137
        await processes.stop()
        assert child.closed

    asyncio.run(scenario())


def test_nothing_outlives_a_killed_parent(tmp_path: Path) -> None:
    """SIGKILL of this process takes all children with it, theirs included."""
    script = (
        "import asyncio\nfrom pytest_ambient.embedded.process import Processes\n"
        "async def main():\n"
        "    processes = Processes()\n"
        "    await processes.start(['/bin/sh', '-c', 'sleep 300 & echo $$ $! >pids; wait'])\n"
        "    print('up', flush=True)\n"
        "    await asyncio.sleep(300)\n"
        "asyncio.run(main())\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, env=environment, stdout=subprocess.PIPE)
    pids = tmp_path / "pids"
    _eventually(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    assert parent.stdout
    assert parent.stdout.readline() == b"up\n"
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    assert all(_ended(int(each)) for each in pids.read_text().split())


def _ended(pid: int) -> bool:
    def gone() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    return _eventually(gone)


def _eventually(check: object) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if callable(check) and check():
            return True
        time.sleep(0.01)
    return False


def test_listening_sees_without_touching() -> None:
    """A listener is found by its exact address and port; it sees no connection."""

    async def scenario() -> None:
        calls = []
        server = await asyncio.start_server(lambda *_: calls.append(1), "127.77.1.9", 0)
        port = server.sockets[0].getsockname()[1]
        assert listening("127.77.1.9", port)
        assert not listening("127.77.1.8", port)
        assert not listening("127.77.1.9", port + 1)
        server.close()
        assert not calls

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("argv", "idle"),
    [
        (["sleep", "infinity"], True), (["/bin/sleep", "3600"], True), (["sleep", "1h"], True), (["sleep"], False),
        (["sleep", "x"], False), (["sleep", "1", "2"], False), (["sh", "-c"], False),
    ],
)  # fmt: skip
def test_plain_sleep_needs_no_process(argv: list[str], idle: bool) -> None:
    """A plain sleep is waited for here; anything else is left to the real program."""
    assert (sleeping(argv) is not None) is idle


@pytest.mark.parametrize(
    ("text", "expanded"),
    [("$(A)-$(B)", "1-$(B)"), ("$$(A)", "$(A)"), ("$A", "$A"), ("$(A", "$(A"), ("x", "x")],
)
def test_expansion(text: str, expanded: str) -> None:
    """`$(NAME)` is filled in when known, left alone when not, and can be escaped."""
    assert expand(text, {"A": "1"}) == expanded


def test_back_off() -> None:
    """The first restart is immediate, then waits double up to five minutes."""
    waits = BackOff()
    assert [waits.next() for _ in range(8)] == [0, 10, 20, 40, 80, 160, 300, 300]


ENDS = Ends(closing="127.9.255.252", refusing="127.9.255.253")


def led(lines: list[str], host: str, port: int) -> str:
    """Where curl goes for that host and port."""
    for line in lines:
        from_host, from_port, to_host, to_port = line.removeprefix('connect-to = "').removesuffix('"').split(":")
        if from_host in ("", host) and from_port in ("", str(port)):
            return f"{to_host or host}:{to_port or port}"
    return f"{host}:{port}"


def test_curl_names_put_exact_ports_first() -> None:
    """The first matching line counts: ports, then names, then low ports of bare addresses."""
    lines = curl_names(
        [Name("web", "one", ("127.9.200.1",), (80, 8080), ("127.9.1.1",))], "two", [], ENDS, captured=False
    )
    assert led(lines, "web.one", 80) == led(lines, "web.one.svc.cluster.local.", 80) == "127.9.200.1:20080"
    assert led(lines, "web.one.svc", 8080) == "127.9.200.1:8080"
    assert led(lines, "web", 8080) == "web:8080"
    assert led(lines, "127.9.1.1", 80) == "127.9.1.1:20080"


def test_ztunnel_takes_what_leads_nowhere() -> None:
    """A captured pod's connection to a port that nobody serves is taken and closed; without ztunnel it is refused."""
    names = [Name("web", "one", ("127.9.200.1",), (80,), ("127.9.1.1",))]
    pods = [Neighbour("127.9.1.1", (9080,), captured=True), Neighbour("127.9.1.2", (9080,), captured=False)]
    inside = curl_names(names, "one", pods, ENDS, captured=True)
    for host in ("127.9.1.1", "127.9.1.2"):
        assert led(inside, host, 9999) == "127.9.255.252:15001"
    assert led(inside, "web", 9999) == led(inside, "127.9.200.1", 9999) == "127.9.200.1:15001"
    assert led(inside, "web", 80) == led(inside, "127.9.200.1", 80) == "127.9.200.1:20080"
    assert led(inside, "127.9.1.1", 9080) == "127.9.1.1:9080"
    outside = curl_names(names, "one", pods, ENDS, captured=False)
    assert led(outside, "127.9.1.1", 9999) == "127.9.255.252:15001"
    assert led(outside, "127.9.1.1", 15008) == "127.9.1.1:15008"
    assert led(outside, "127.9.1.2", 9999) == "127.9.1.2:9999"
    assert led(outside, "web", 9999) == "127.9.200.1:9999"


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (b"GET / HTTP/1.1\r\nHost: web:9999\r\n\r\n", ["9999"]),
        (b"GET / HTTP/1.1\r\nHost: web\r\n\r\n", ["80"]),
        (b"\x16\x03\x01", []),
    ],
)
def test_a_port_that_a_service_has_not(request_: bytes, told: list[str]) -> None:
    """It is taken at the Service's own address, told of by its port as far as the request names it, and closed."""

    async def scenario() -> tuple[list[tuple[str, str]], bytes, str]:
        seen = list[tuple[str, str]]()
        addresses = Addresses.claim()
        vip = addresses.services.take()
        end = DeadEnd(addresses, lambda *call: seen.append(call))
        end.serve([vip])
        reader, writer = await asyncio.open_connection(vip, 15001)
        source = ":".join(map(str, writer.get_extra_info("sockname")))
        writer.write(request_)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        end.serve([])
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(vip, 15001)
        end.close()
        addresses.close()
        return seen, answer, f"{source} {vip}"

    seen, answer, ends = asyncio.run(scenario())
    source, vip = ends.split()
    assert (seen, answer) == ([(source, f"{vip}:{port}") for port in told], b"")


def test_service_without_endpoints() -> None:
    """Without ztunnel a Service that has no endpoint refuses connections; ztunnel takes them first."""
    names = [Name("web", "one", ("127.9.200.1",), (80,))]
    outside = curl_names(names, "one", [], ENDS, captured=False)
    assert led(outside, "web", 80) == led(outside, "127.9.200.1", 80) == "127.9.255.253:20080"
    assert led(curl_names(names, "one", [], ENDS, captured=True), "web", 80) == "127.9.200.1:20080"


def test_ztunnel_is_gone() -> None:
    """Captured pods of a node without ztunnel know no name and are refused; whoever calls them is refused too."""
    names = [Name("web", "one", ("127.9.200.1",), (80,), ("127.9.1.1",))]
    pods = [Neighbour("127.9.1.1", (9080,), captured=True, cut_off=True)]
    inside = cut_off(names, pods, ENDS)
    assert led(inside, "web", 80) == "web:80"
    assert led(inside, "127.9.200.1", 80) == "127.9.255.253:80"
    assert led(inside, "127.9.1.1", 9080) == "127.9.255.253:9080"
    outside = curl_names(names, "one", pods, ENDS, captured=False)
    assert led(outside, "web", 80) == "127.9.255.253:20080"
    assert led(outside, "127.9.1.1", 9080) == "127.9.255.253:9080"
    elsewhere = curl_names(names, "one", pods, ENDS, captured=True)
    assert led(elsewhere, "127.9.1.1", 9080) == "127.9.255.252:15001"


def test_headless_name_is_its_pods() -> None:
    """A headless Service's name stands for a pod, whatever the port."""
    lines = curl_names([Name("db", "one", ("127.9.1.1",), (80,), headless=True)], "one", [], ENDS, captured=True)
    assert led(lines, "db", 80) == "127.9.1.1:20080"
    assert led(lines, "db", 9999) == "127.9.1.1:9999"


@pytest.mark.parametrize(
    ("image", "command", "args", "embedded", "argv"),
    [
        ("curl", [], [], False, ("curl",)),
        ("curl", [], ["sleep", "9"], False, ("sleep", "9")),
        ("curl", [], ["-s", "http://x"], False, ("curl", "-s", "http://x")),
        ("curl", ["/bin/sleep"], ["9"], False, ("/bin/sleep", "9")),
        ("go-httpbin", [], ["-port", "80"], True, ("-port", "80")),
        ("go-httpbin", ["/bin/go-httpbin"], ["-port", "80"], True, ("-port", "80")),
        ("go-httpbin", ["sh"], [], False, ("sh",)),
        ("examples-bookinfo-ratings-v1", [], [], True, ()),
        ("examples-bookinfo-ratings-v1", ["node", "ratings.js", "9080"], [], True, ("ratings.js", "9080")),
        ("examples-bookinfo-ratings-v1", ["sleep"], ["9"], False, ("sleep", "9")),
    ],
)
def test_what_an_image_runs(
    image: str, command: list[str], args: list[str], embedded: bool, argv: tuple[str, ...]
) -> None:
    """A pod's command and args replace an image's own as they do in a real one."""
    maker, words = find(image).invocation(command, args)
    assert (maker is not None, words) == (embedded, argv)


def test_known_images() -> None:
    """The list of images is what the messages name."""
    assert {"curl", "go-httpbin", "httpbin", "netshoot", "tcp-echo-server", "ztunnel", "pilot"} <= set(known())


def test_a_captured_pod_is_served_both_ways_or_not_at_all() -> None:
    """That ztunnel listens for the pod is not enough: what leaves the pod must be taken, too."""

    async def scenario() -> None:
        pod = {"metadata": {"name": "p", "annotations": {REDIRECTION: "enabled"}}}
        served: set[str] = set()
        with socket.create_server(("127.0.9.9", HBONE)):
            waiting = asyncio.create_task(
                programmed(lambda: pod, "127.0.9.9", frozenset(), serves=lambda address: address in served)
            )
            done, _ = await asyncio.wait([waiting], timeout=0.2)
            assert not done
            served.add("127.0.9.9")
            await asyncio.wait_for(waiting, 2)

    asyncio.run(scenario())
