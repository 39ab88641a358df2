"""The parts below the pods: names, ways to what they name, images, back-off."""

import asyncio
import socket

import pytest

from pytest_ambient.embedded.addresses import Addresses
from pytest_ambient.embedded.images import find, known
from pytest_ambient.embedded.kubelet.command import sleeping
from pytest_ambient.embedded.kubelet.directions import DeadEnd, Ends, Neighbour, curl_names, cut_off
from pytest_ambient.embedded.kubelet.environment import expand
from pytest_ambient.embedded.kubelet.programmed import HBONE, REDIRECTION, listening, programmed
from pytest_ambient.embedded.kubelet.state import BackOff
from pytest_ambient.embedded.names import Name


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
    bare = [Name("bare", "one", ("127.9.1.1",), (80,), ("127.9.1.1",), headless=True)]
    pod_itself = curl_names(bare, "one", pods, ENDS, captured=True)
    assert led(pod_itself, "bare", 9080) == "127.9.1.1:9080"
    assert led(pod_itself, "bare", 80) == led(pod_itself, "bare", 9999) == "127.9.255.252:15001"
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

    async def scenario() -> tuple[list[tuple[str, str, int]], bytes, str]:
        seen = list[tuple[str, str, int]]()
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
    assert (seen, answer) == ([(source, f"{vip}:{port}", len(request_)) for port in told], b"")


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


def test_ztunnel_was_not_told_of_a_pod() -> None:
    """Its resolver does not answer, so names lead nowhere; it calls by address, and is called at whatever port."""
    names = [Name("web", "one", ("127.9.200.1",), (9080,))]
    pods = [Neighbour("127.9.1.1", (9080,), captured=True, waits=True)]
    inside = curl_names(names, "one", pods, ENDS, captured=True, named=False)
    assert led(inside, "web", 9080) == "web:9080"
    assert led(inside, "127.9.200.1", 9080) == "127.9.200.1:9080"
    for captured in (True, False):
        others = curl_names(names, "one", pods, ENDS, captured=captured)
        assert led(others, "127.9.1.1", 9080) == "127.9.1.1:9080"
        assert led(others, "127.9.1.1", 9999) == "127.9.1.1:15008"


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
