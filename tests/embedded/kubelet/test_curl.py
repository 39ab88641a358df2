"""The curl of a pod: its address, the cluster's names, on every operation however it is written."""

import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.names import Names
from pytest_ambient.embedded.objects import Object

from .bench import DEPLOYMENT, POD, SERVICE, SPACE, Bench, play
from .specs import CURL, container, deployment, pod, service

ENTRY = find("ServiceEntry", "networking.istio.io")
Scenario = Callable[[Bench, Object], Awaitable[None]]
STATUS = "%{http_code} %{exitcode} %{local_ip}\n"


def calling(state: Path, scenario: Scenario) -> None:
    """Play a scenario with a curl pod, and an echo behind the Services `echo` (8000) and `web` (80)."""

    async def whole(bench: Bench) -> None:
        labels = {"app": "echo"}
        bench.store.create(POD, pod("curl", CURL))
        bench.store.create(POD, pod("echo", container("mccutchen/go-httpbin", name="httpbin"), labels=labels))
        bench.store.create(SERVICE, service("echo", {"name": "http", "port": 8000, "targetPort": 8080}))
        web = service("web", {"name": "http", "port": 80, "targetPort": 8080})
        bench.store.create(SERVICE, {**web, "spec": {**web["spec"], "selector": labels}})
        caller = await bench.ready_pod("curl")
        await bench.ready_pod("echo")
        await scenario(bench, caller)

    play(state, whole)


def test_caller_is_the_pod(tmp_path: Path) -> None:
    """A call reaches the Service from the pod's own address."""

    async def scenario(bench: Bench, caller: Object) -> None:
        address = caller["status"]["podIP"]
        code, out, _ = await bench.run(caller, "curl", "-s", "-o", "/dev/null", "-w", STATUS, "http://echo:8000/get")
        assert (code, out) == (0, f"200 0 {address}\n")
        assert bench.plane.calls[-1][0] == address

    calling(tmp_path, scenario)


@pytest.mark.parametrize(
    "host", ["echo", "echo.bookinfo", "echo.bookinfo.svc", "echo.bookinfo.svc.cluster.local", "ECHO"]
)
def test_names(tmp_path: Path, host: str) -> None:
    """Every spelling of a Service's name works and stays in URL and Host."""

    async def scenario(bench: Bench, caller: Object) -> None:
        code, out, _ = await bench.run(caller, "curl", "-s", f"http://{host}:8000/headers")
        assert code == 0
        assert f"{host}:8000" in out

    calling(tmp_path, scenario)


def test_low_port(tmp_path: Path) -> None:
    """A port below 1024 is reached, by name and by address, and Host does not show where."""

    async def scenario(bench: Bench, caller: Object) -> None:
        vip = (bench.store.get(SERVICE, "web", bench.space) or {})["spec"]["clusterIP"]
        for host in ("web", "web:80", vip):
            code, out, _ = await bench.run(caller, "curl", "-s", f"http://{host}/headers")
            assert code == 0
            assert f'"{host.removesuffix(":80")}"' in out

    calling(tmp_path, scenario)


@pytest.mark.parametrize(
    "name", ["nosuch", "echo.nowhere", "example.com", "echo.bookinfo.svc.cluster", socket.gethostname()]
)
def test_unknown_name(tmp_path: Path, name: str) -> None:
    """Any other name does not exist: exit 6, at once, without asking the machine's resolver."""

    async def scenario(bench: Bench, caller: Object) -> None:
        code, out, _ = await bench.run(caller, "curl", "-s", "-w", "%{time_total}", f"http://{name}:8000/")
        assert code == 6
        assert float(out) < 0.5

    calling(tmp_path, scenario)


def test_names_are_waited_for(tmp_path: Path) -> None:
    """The resolver of a pod of which ztunnel was not told does not answer, until it is."""

    async def scenario(bench: Bench, caller: Object) -> None:
        bench.plane.waiting.add(caller["status"]["podIP"])
        asked = "curl", "-sS", "--max-time", "1", "http://echo:8000/get"
        code, _, said = await bench.run(caller, *asked)
        assert (code, said[:32]) == (28, "curl: (28) Resolving timed out a")
        bench.plane.waiting.clear()
        assert (await bench.run(caller, *asked))[0] == 0

    calling(tmp_path, scenario)


def test_other_namespace(tmp_path: Path) -> None:
    """A short name belongs to its namespace; the long one is known everywhere."""

    async def scenario(bench: Bench, caller: Object) -> None:
        await bench.namespace("other")
        bench.store.create(POD, pod("far", CURL, namespace="other"))
        far = await bench.ready_pod("far", "other")
        assert (await bench.run(far, "curl", "-s", "http://echo:8000/get"))[0] == 6
        assert (await bench.run(far, "curl", "-s", "http://echo.bookinfo:8000/get"))[0] == 0

    calling(tmp_path, scenario)


@pytest.mark.parametrize(
    ("argv", "stdin", "answers"),
    [
        (["-s", "-w", STATUS, "-o", "/dev/null", "http://echo:8000/get", "--next"], None, 2),
        (["http://echo:8000/get", "-o", "/dev/null", "-s", "-w", STATUS, "-:"], None, 2),
        (["-q", "-s", "-w", STATUS, "http://echo:8000/status/[200-204]"], None, 5),
        (["-q", "-s", "-K", "-"], f'url = "http://echo:8000/status/200"\nwrite-out = "{STATUS[:-1]}\\n"\n', 1),
        (["-sK", "-"], f'url = "http://web/status/200"\nwrite-out = "{STATUS[:-1]}\\n"\n', 1),
    ],
    ids=["next", "short-next", "globbing", "config-on-stdin", "config-behind-short-options"],
)
def test_every_operation(tmp_path: Path, argv: list[str], stdin: str | None, answers: int) -> None:
    """Options in any order, several operations, globs and files of options all leave from the pod."""

    async def scenario(bench: Bench, caller: Object) -> None:
        more = [each for each in argv if each not in ("--next", "-:")] if argv[-1] in ("--next", "-:") else []
        code, out, err = await bench.run(caller, "curl", *argv, *more, stdin=stdin.encode() if stdin else None)
        assert (code, err) == (0, "")
        assert [line.split()[1:] for line in out.splitlines()] == [["0", caller["status"]["podIP"]]] * answers

    calling(tmp_path, scenario)


@pytest.mark.parametrize("where", ["-", "rows"])
def test_next_in_a_config(tmp_path: Path, where: str) -> None:
    """A file of options with `next` in it is completed at each of its operations, from a file or standard input."""

    async def scenario(bench: Bench, caller: Object) -> None:
        row = f'url = "http://echo:8000/status/200"\nwrite-out = "{STATUS[:-1]}\\n"\n'
        rows = "next\n".join([row] * 3).encode()
        code, out, err = await bench.run(caller, "sh", "-c", f"cat >rows; curl -q -s -K {where} <rows", stdin=rows)
        assert (code, err) == (0, "")
        assert out == f"200 0 {caller['status']['podIP']}\n" * 3

    calling(tmp_path, scenario)


def test_shell_loop(tmp_path: Path) -> None:
    """A loop in a shell is captured like a single call."""

    async def scenario(bench: Bench, caller: Object) -> None:
        script = "for i in 1 2 3; do curl -s -o /dev/null -w '%{local_ip}\\n' http://echo:8000/get; done"
        code, out, _ = await bench.run(caller, "sh", "-c", script)
        assert (code, out) == (0, f"{caller['status']['podIP']}\n" * 3)

    calling(tmp_path, scenario)


def test_exit_code_and_version(tmp_path: Path) -> None:
    """curl's own exit code comes through, from a pipe too; its version and help can be asked."""

    async def scenario(bench: Bench, caller: Object) -> None:
        assert (await bench.run(caller, "curl", "-sf", "http://echo:8000/status/404"))[0] == 22
        config = b'url = "http://echo:8000/status/404"\nfail\n'
        assert (await bench.run(caller, "curl", "-s", "-K", "-", stdin=config))[0] == 22
        code, out, _ = await bench.run(caller, "curl", "--version")
        assert (code, out[:5]) == (0, "curl ")
        assert (await bench.run(caller, "curl"))[0] == 2

    calling(tmp_path, scenario)


def test_new_service(tmp_path: Path) -> None:
    """A Service that comes later is known to pods that run already, and forgotten when it goes."""

    async def scenario(bench: Bench, caller: Object) -> None:
        late = service("late", {"name": "http", "port": 8000, "targetPort": 8080})
        bench.store.create(SERVICE, {**late, "spec": {**late["spec"], "selector": {"app": "echo"}}})
        await bench.until(lambda: bench.store.get(SERVICE, "late", bench.space))
        names = tmp_path / "names" / f"{bench.space}.plain.curlrc"
        await bench.until(lambda: "late" in names.read_text())
        bench.store.delete(SERVICE, "late", bench.space)
        await bench.until(lambda: "late" not in names.read_text())
        assert (await bench.run(caller, "curl", "-s", "http://late:8000/get"))[0] == 6

    calling(tmp_path, scenario)


def test_names_are_written_when_they_change(tmp_path: Path) -> None:
    """A change of a pod that leads nobody elsewhere leaves all files alone: there are many such changes."""

    async def scenario(bench: Bench, caller: Object) -> None:
        def files() -> dict[Path, int]:
            return {each: each.stat().st_ino for each in tmp_path.rglob("*curlrc")}

        before, name = None, caller["metadata"]["name"]
        while before != (before := files()):
            await bench.run(caller, "true")  # a command that starts finds all as it is now
        now = bench.store.get(POD, name, bench.space)
        assert now is not None
        bench.store.replace(POD, {**now, "metadata": {**now["metadata"], "labels": {"new": "label"}}})
        await bench.run(caller, "true")
        assert files() == before
        bench.store.create(SERVICE, service("late", {"name": "http", "port": 8000}))
        await bench.run(caller, "true")
        assert files() != before
        own = {each for each in before if each.name == "curlrc"}
        assert all(files()[each] == before[each] for each in own)

    calling(tmp_path, scenario)


def entry(host: str, **spec: object) -> Object:
    """A ServiceEntry of one host, port 80."""
    ports = [{"name": "http", "number": 80, "protocol": "HTTP"}]
    return {"metadata": {"name": "entry", "namespace": SPACE}, "spec": {"hosts": [host], "ports": ports, **spec}}


@pytest.mark.parametrize(
    ("spec", "shown"),
    [({"resolution": "STATIC", "addresses": ["10.1.2.3"]}, "10.1.2.3"), ({"resolution": "STATIC"}, "240.240.0.1")],
)
def test_names_of_service_entries(tmp_path: Path, spec: Object, shown: str) -> None:
    """Captured pods alone know them, in any spelling and by the address that they show, until they are gone."""

    async def scenario(bench: Bench, caller: Object) -> None:
        made = bench.store.create(ENTRY, entry("far.example", **spec))
        status = {"addresses": [{"host": "far.example", "value": "240.240.0.1"}]}
        bench.store.set_status(ENTRY, "entry", SPACE, (made.get("status") or {}) | status)
        plain, captured = (tmp_path / "names" / f"{SPACE}.{way}.curlrc" for way in ("plain", "captured"))
        await bench.until(lambda: captured.exists() and "far.example" in captured.read_text())
        names, own = Names(bench.store, bench.addresses.hosts), bench.addresses.hosts.of("bookinfo/far.example.")
        for spelling in ("far.example", "far.example.", shown):
            assert f'connect-to = "{spelling}:80:{own}:20080"' in captured.read_text()
            assert f'connect-to = "{spelling}::{own}:15001"' in captured.read_text()
        assert "far.example" not in plain.read_text()
        assert names.resolve("far.example", SPACE) == ()
        assert names.resolve("far.example", SPACE, captured=True) == (own,)
        bench.store.delete(ENTRY, "entry", SPACE)
        await bench.until(lambda: "far.example" not in captured.read_text())

    calling(tmp_path, scenario)


def test_an_entry_may_take_a_services_name_in_its_own_namespace(tmp_path: Path) -> None:
    """Its callers there mean the entry, also by the short forms; all others the Service."""

    async def scenario(bench: Bench, caller: Object) -> None:
        await bench.namespace("other")
        there = service("echo", {"name": "http", "port": 8000})
        made = bench.store.create(SERVICE, {**there, "metadata": {"name": "echo", "namespace": "other"}})
        host, vip = "echo.other.svc.cluster.local", made["spec"]["clusterIP"]
        bench.store.create(ENTRY, entry(host, resolution="STATIC", addresses=["10.1.2.3"]))
        names, own = Names(bench.store, bench.addresses.hosts), bench.addresses.hosts.of(f"bookinfo/{host}.")
        for spelling in (host, "echo.other"):
            assert names.resolve(spelling, SPACE, captured=True) == (own,)
            assert names.resolve(spelling, "other", captured=True) == (vip,)
            assert names.resolve(spelling, SPACE) == (vip,)

    calling(tmp_path, scenario)


def test_post_body_from_stdin(tmp_path: Path) -> None:
    """Standard input is the caller's: a body can be read from it."""

    async def scenario(bench: Bench, caller: Object) -> None:
        code, out, _ = await bench.run(caller, "curl", "-s", "-d", "@-", "http://echo:8000/post", stdin=b"hello")
        assert code == 0
        assert '"data": "hello"' in out

    calling(tmp_path, scenario)


def test_deployments_share_nothing(tmp_path: Path) -> None:
    """Two pods of one Deployment call from two addresses and have folders of their own."""

    async def scenario(bench: Bench, caller: Object) -> None:
        bench.store.create(DEPLOYMENT, deployment("twin", CURL, replicas=2))
        pods = await bench.until(lambda: p if len(p := bench.pods("twin")) == 2 else None)
        seen = set()
        for each in pods:
            ready = await bench.ready_pod(each["metadata"]["name"])
            seen.add((await bench.run(ready, "curl", "-s", "-w", "%{local_ip}", "-o", "x", "http://echo:8000/get"))[1])
            assert (await bench.run(ready, "ls"))[1] == "x\n"
        assert len(seen) == 2

    calling(tmp_path, scenario)
