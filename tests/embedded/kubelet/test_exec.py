"""Commands and logs of running containers."""

import json
from pathlib import Path

import pytest

from pytest_ambient.embedded.kubelet import agent
from pytest_ambient.embedded.kubelet.protocol import ExecProcess, ExecRefused

from .bench import POD, Bench, Plane, play
from .seen import state
from .specs import CURL, ECHO, container, pod


@pytest.mark.parametrize(
    ("image", "argv", "message"),
    [
        ("curlimages/curl", ["nmap"], 'exec: "nmap": executable file not found in $PATH'),
        ("istio/examples-bookinfo-ratings-v1", ["wget"], 'exec: "wget": executable file not found in $PATH'),
        ("curlimages/curl", ["/opt/tool"], 'exec: "/opt/tool": stat /opt/tool: no such file or directory'),
        ("curlimages/curl", ["python3"], 'exec: "python3": executable file not found in $PATH'),
        ("istio/examples-bookinfo-details-v1", ["curl"], 'exec: "curl": executable file not found in $PATH'),
        ("mccutchen/go-httpbin", ["sh"], 'exec: "sh": executable file not found in $PATH'),
    ],
)
def test_exec_of_what_is_not_there(tmp_path: Path, image: str, argv: list[str], message: str) -> None:
    """A program that the image would not have can't be run, even if this machine has it."""

    async def scenario(bench: Bench) -> None:
        command = ["sleep", "inf"] if "curl" in image else []
        bench.store.create(POD, pod("some", container(image, *command)))
        made = await bench.ready_pod("some")
        with pytest.raises(ExecRefused) as caught:
            await bench.run(made, *argv)
        assert message in str(caught.value)

    play(tmp_path, scenario)


def test_exec_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command sees the pod's name and a fresh environment, whatever this process has."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("SECRET_OF_THE_USER", "1")

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("curl", CURL))
        made = await bench.ready_pod("curl")
        _, out, _ = await bench.run(made, "sh", "-c", "hostname; env; pwd")
        assert out.startswith("curl\n")
        assert (await bench.run(made, "cat", "/nosuch"))[2] == "cat: /nosuch: No such file or directory\n"
        assert "proxy" not in out
        assert "SECRET_OF_THE_USER" not in out
        assert str(tmp_path) in out.splitlines()[-1]

    play(tmp_path, scenario)


def test_exec_streams_and_kill(tmp_path: Path) -> None:
    """Both streams and the exit code come through; a killed command takes what it started with it."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("curl", CURL))
        made = await bench.ready_pod("curl")
        assert await bench.run(made, "sh", "-c", "cat; echo err >&2; exit 7", stdin=b"in") == (7, "in", "err\n")
        process = await bench.kubelet.exec(made, "curl", ["sh", "-c", "sleep 99 & wait"], stdin=False, tty=False)
        process.kill()
        assert await process.wait() == 137
        assert await process.read() is None

    play(tmp_path, scenario)


def test_exec_on_a_terminal(tmp_path: Path) -> None:
    """With a terminal, a shell echoes and answers on one stream."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("curl", CURL))
        made = await bench.ready_pod("curl")
        process = await bench.kubelet.exec(made, "curl", ["sh"], stdin=True, tty=True)
        await process.write(b"echo $HOSTNAME; exit 4\n")
        shown = b""
        while piece := await process.read():
            assert piece[0] == "stdout"
            shown += piece[1]
        assert await process.wait() == 4
        assert b"curl\r\n" in shown

    play(tmp_path, scenario)


def test_ephemeral_container(tmp_path: Path) -> None:
    """An ephemeral container brings its own programs and calls from the pod's address."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("details", container("istio/examples-bookinfo-details-v1", name="details")))
        made = await bench.ready_pod("details")
        extra = container("curlimages/curl:8", "sleep", "infinity", name="probe")
        bench.store.replace(POD, {**made, "spec": {**made["spec"], "ephemeralContainers": [extra]}})
        running = await bench.until(
            lambda: state(bench, "details", "ephemeralContainerStatuses").get("state", {}).get("running")
        )
        assert running
        argv = ("curl", "-s", "-w", " %{local_ip}", "http://localhost:9080/health")
        code, out, _ = await bench.run(made, *argv, container="probe")
        assert (code, out) == (0, f'{{"status":"Details is healthy"}} {made["status"]["podIP"]}')

    play(tmp_path, scenario)


@pytest.mark.parametrize("port", [8080, 80])
def test_a_pod_reaches_itself_past_the_data_plane(tmp_path: Path, port: int) -> None:
    """As localhost and by its own address, and where nobody listens it is refused; others go through ztunnel."""

    async def scenario(bench: Bench) -> None:
        echo = {**ECHO, "env": [{"name": "PORT", "value": str(port)}]}
        bench.store.create(POD, pod("both", echo, CURL))
        made = await bench.ready_pod("both")
        address = made["status"]["podIP"]
        for host, caller in (("localhost", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), (address, address)):
            code, out, _ = await bench.run(made, "curl", "-s", f"http://{host}:{port}/ip", container="curl")
            assert (code, json.loads(out)["origin"].partition(":")[0]) == (0, caller)
            assert (await bench.run(made, "curl", "-s", f"http://{host}:4321/", container="curl"))[0] == 7
        assert bench.plane.calls == []
        bench.store.create(POD, pod("other", CURL))
        other = await bench.ready_pod("other")
        assert (await bench.run(other, "curl", "-s", f"http://{address}:{port}/ip"))[0] == 0
        assert len(bench.plane.calls) == 1

    play(tmp_path, scenario)


def test_log_is_followed(tmp_path: Path) -> None:
    """Following a log gives old lines, new ones as they come, and ends with the container."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("zt", CURL))
        made = await bench.ready_pod("zt")
        bench.kubelet.append_log(bench.space, "zt", "curl", "one")
        lines = bench.kubelet.log(made, "curl").follow()
        assert (await anext(lines)).text == "one"
        bench.kubelet.append_log(bench.space, "zt", "curl", "two")
        assert (await anext(lines)).text == "two"
        bench.store.delete(POD, "zt", bench.space)
        assert [each.text async for each in lines] == []

    play(tmp_path, scenario)


async def _all(process: ExecProcess) -> bytes:
    found = b""
    while piece := await process.read():
        found += piece[1]
    return found


def test_attach_to_what_reads(tmp_path: Path) -> None:
    """Who attaches to a program that began with an open input sees all of its output and is read by it."""

    async def scenario(bench: Bench) -> None:
        asked = container("busybox", "sh", "-c", "echo one; read a; echo got $a; cat; exit 3", stdin=True)
        bench.store.create(POD, pod("asks", asked, restartPolicy="Never"))
        made = await bench.ready_pod("asks")
        process = await bench.kubelet.attach(made, "main", stdin=True, tty=False)
        await process.write(b"me\nyou\n")
        await process.close_input()
        assert await _all(process) == b"one\ngot me\nyou\n"
        assert await process.wait() == 0
        await bench.until(lambda: state(bench, "asks")["state"].get("terminated", {}).get("exitCode") == 3)

    play(tmp_path, scenario)


def test_attach_leaves_the_program_alone(tmp_path: Path) -> None:
    """It shows what comes from now on; when the client goes the program stays."""

    async def scenario(bench: Bench) -> None:
        speaks = container("busybox", "sh", "-c", "echo old; while [ ! -e go ]; do sleep 0.02; done; echo new; sleep 9")
        bench.store.create(POD, pod("talks", speaks))
        made = await bench.ready_pod("talks")
        await bench.until(lambda: bench.kubelet.log(made, "main").lines)
        process = await bench.kubelet.attach(made, "main", stdin=False, tty=True)
        await bench.run(made, "touch", "go")
        assert await process.read() == ("stdout", b"new\r\n")
        process.kill()
        assert await process.read() is None
        assert "running" in state(bench, "talks")["state"]
        with pytest.raises(ExecRefused, match="not valid"):
            await bench.kubelet.attach(made, "other", stdin=False, tty=False)

    play(tmp_path, scenario)


def test_a_proxys_agent_asks_its_envoy(tmp_path: Path) -> None:
    """Istio's proxy image has `pilot-agent request` and nothing else; it reaches the pod's own port 15000."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("proxy", container("istio/proxyv2", args=["proxy", "waypoint"])))
        made = await bench.ready_pod("proxy")
        assert await bench.run(made, "pilot-agent", "request", "GET", "stats?filter=a") == (
            0,
            "GET /stats?filter=a",
            "",
        )
        assert (await bench.run(made, "pilot-agent", "request", "post", "/logging"))[1] == "POST /logging"
        said = "Error: of pilot-agent the embedded cluster has: request METHOD PATH [BODY]\n"
        assert await bench.run(made, "pilot-agent", "wait") == (255, "", said)
        with pytest.raises(ExecRefused):
            await bench.run(made, "sh")

    play(tmp_path, scenario)


def test_a_proxys_agent_says_what_was_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another status than 200 ends it with that status and what came with it, a proxy that is gone with the reason."""

    async def refused(*_: object) -> tuple[int, dict[str, str], bytes]:
        return 404, {}, b"no such page"

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("proxy", container("istio/proxyv2", args=["proxy", "waypoint"])))
        made = await bench.ready_pod("proxy")
        monkeypatch.setattr(Plane, "waypoint_admin", refused)
        said = "Error: received unsuccessful status code 404: no such page\n"
        assert await bench.run(made, "pilot-agent", "request", "GET", "x") == (255, "", said)

    play(tmp_path, scenario)
    monkeypatch.setenv(agent.ADMIN, str(tmp_path / "nosuch"))
    assert agent.main(["request", "GET", "stats"]) == 255


def test_an_initializer_that_is_done_counts_as_ready(tmp_path: Path) -> None:
    """As the kubelet reports it: ready, though it has ended."""

    async def scenario(bench: Bench) -> None:
        initial = container("busybox", "true", name="init")
        bench.store.create(POD, pod("curl", CURL, initContainers=[initial]))
        await bench.ready_pod("curl")
        found = state(bench, "curl", "initContainerStatuses")
        assert found["state"]["terminated"]["reason"] == "Completed"
        assert found["ready"]

    play(tmp_path, scenario)
