"""The life of a pod: images, commands, variables, probes, restarts, logs, execs, its end."""

import asyncio
import time
from pathlib import Path

import pytest

from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.kubelet.protocol import ExecRefused, PodUnreachable
from pytest_ambient.embedded.objects import Object, annotations_of

from .bench import CURL, ECHO, POD, Bench, container, is_ready, play, pod

EVENT = find("Event")


def reasons(bench: Bench, name: str) -> list[str]:
    """The reasons of a pod's events."""
    events = bench.store.list(EVENT, bench.space)
    return [each["reason"] for each in events if each["involvedObject"]["name"] == name]


def state(bench: Bench, name: str, which: str = "containerStatuses") -> Object:
    """The state of a pod's first container."""
    found: Object = (bench.store.get(POD, name, bench.space) or {}).get("status", {}).get(which, [{}])[0]
    return found


def test_pod_becomes_ready(tmp_path: Path) -> None:
    """A pod gets a node, an address, a running container and all its conditions, and tells of it in events."""

    async def scenario(bench: Bench) -> None:
        began = time.monotonic()
        bench.store.create(POD, pod("echo", ECHO))
        made = await bench.ready_pod("echo")
        assert time.monotonic() - began < 1
        status = made["status"]
        assert status["phase"] == "Running"
        assert status["podIP"].startswith(f"127.{bench.addresses.block}.1.")
        assert [(each["type"], each["status"]) for each in status["conditions"]] == [
            ("PodReadyToStartContainers", "True"), ("Initialized", "True"), ("Ready", "True"),
            ("ContainersReady", "True"), ("PodScheduled", "True"),
        ]  # fmt: skip
        assert set(reasons(bench, "echo")) == {"Scheduled", "Pulled", "Created", "Started"}
        assert (await bench.kubelet.fetch(made, 8080, "/status/204"))[0] == 204

    play(tmp_path, scenario)


def test_capture_precedes_readiness(tmp_path: Path) -> None:
    """In an enrolled namespace no state of the pod is Ready without being captured."""

    async def scenario(bench: Bench) -> None:
        seen: list[tuple[bool, str | None]] = []
        bench.store.subscribe(
            lambda change: (
                seen.append(
                    (is_ready(change.object), annotations_of(change.object).get("ambient.istio.io/redirection"))
                )
                if change.resource == POD
                else None
            )
        )
        bench.store.create(POD, pod("echo", ECHO))
        await bench.ready_pod("echo")
        assert {captured for ready, captured in seen if ready} == {"enabled"}

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("image", "reason", "message"),
    [
        ("nginx:1.27", "ImagePullBackOff", "it knows, under any hub and tag: curl, examples-bookinfo-details-v1"),
        ("docker.io/istio/examples-bookinfo-reviews-v9:1", "ImagePullBackOff", "has no program for it"),
        ("UPPER/Case:1", "InvalidImageName", "invalid reference format"),
    ],
)
def test_unknown_image(tmp_path: Path, image: str, reason: str, message: str) -> None:
    """An image without a program behind it leaves the pod pending, with a message that names the known ones."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("odd", container(image)))
        waiting = await bench.until(lambda: state(bench, "odd").get("state", {}).get("waiting", {}).get("message"))
        assert message in waiting
        assert state(bench, "odd")["state"]["waiting"]["reason"] == reason
        assert (bench.store.get(POD, "odd", bench.space) or {})["status"]["phase"] == "Pending"

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    "image",
    [
        "curlimages/curl", "registry.example:5000/deep/er/curl:8.1", "quay.io/x/curl@sha256:" + "a" * 64,
        "localhost:5000/curl:latest@sha256:" + "b" * 64,
    ],
)  # fmt: skip
def test_any_hub(tmp_path: Path, image: str) -> None:
    """An image is known by the last part of its name, whatever its hub, tag or digest."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("any", container(image, "sleep", "1h")))
        await bench.ready_pod("any")

    play(tmp_path, scenario)


def test_foreign_command(tmp_path: Path) -> None:
    """A command that the image does not have fails as on a real node: started in vain, then backed off."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("odd", container("curlimages/curl", "python3", "-c", "1")))
        await bench.until(
            lambda: state(bench, "odd").get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff"
        )
        last = state(bench, "odd")["lastState"]["terminated"]
        assert (last["exitCode"], last["reason"]) == (128, "StartError")
        assert last["message"].endswith('exec: "python3": executable file not found in $PATH')
        assert state(bench, "odd")["restartCount"] == 1
        assert {"Failed", "BackOff"} <= set(reasons(bench, "odd"))

    play(tmp_path, scenario)


def test_real_command(tmp_path: Path) -> None:
    """A shell command of the image really runs: its output is the log, its exit code the container's end."""

    async def scenario(bench: Bench) -> None:
        script = "echo from $HOSTNAME at $ADDRESS; exit 3"
        env = [{"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
        made = pod("job", container("curlimages/curl", "sh", "-c", script, env=env), restartPolicy="Never")
        bench.store.create(POD, made)
        done = await bench.until(
            lambda: (
                p
                if (p := bench.store.get(POD, "job", bench.space) or {}).get("status", {}).get("phase") == "Failed"
                else None
            )
        )
        assert state(bench, "job")["state"]["terminated"]["exitCode"] == 3
        lines = bench.kubelet.log(done, "main").lines
        assert [each.text for each in lines] == [f"from job at {done['status']['podIP']}"]

    play(tmp_path, scenario)


def test_restart_keeps_the_previous_log(tmp_path: Path) -> None:
    """A container that ends is started again at once; what it wrote before is its previous log."""

    async def scenario(bench: Bench) -> None:
        script = "test -e mark && exec sleep 100; touch mark; echo first; exit 1"
        bench.store.create(POD, pod("twice", container("curlimages/curl", "sh", "-c", script)))
        await bench.until(lambda: state(bench, "twice").get("restartCount") == 1)
        again = await bench.ready_pod("twice")
        assert [each.text for each in bench.kubelet.log(again, "main", previous=True).lines] == ["first"]
        assert state(bench, "twice")["lastState"]["terminated"]["reason"] == "Error"

    play(tmp_path, scenario)


def test_init_containers(tmp_path: Path) -> None:
    """Init containers run one after the other before the others start, and their failure is retried."""

    async def scenario(bench: Bench) -> None:
        first = container("curlimages/curl", "sh", "-c", "echo one >>order", name="first")
        second = container("curlimages/curl", "sh", "-c", "echo two >>order", name="second")
        bench.store.create(POD, pod("ordered", CURL, initContainers=[first, second]))
        made = await bench.ready_pod("ordered")
        assert (await bench.run(made, "cat", "order"))[1] == "one\ntwo\n"
        ended = [each["state"]["terminated"]["reason"] for each in made["status"]["initContainerStatuses"]]
        assert ended == ["Completed", "Completed"]

    play(tmp_path, scenario)


def test_variables(tmp_path: Path) -> None:
    """Variables come from values, the pod, its resources and ConfigMaps, and are expanded in one another."""

    async def scenario(bench: Bench) -> None:
        config = {"metadata": {"name": "words", "namespace": bench.space}, "data": {"greeting": "hi"}}
        bench.store.create(find("ConfigMap"), config)
        env = [
            {"name": "A", "value": "x$(HOSTNAME)$$"},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "WORD", "valueFrom": {"configMapKeyRef": {"name": "words", "key": "greeting"}}},
            {"name": "NONE", "valueFrom": {"secretKeyRef": {"name": "no", "key": "no", "optional": True}}},
        ]
        made = container("curlimages/curl", "sleep", "inf", env=env, resources={"limits": {"cpu": "2"}})
        bench.store.create(POD, pod("vars", made))
        ready = await bench.ready_pod("vars")
        _, out, _ = await bench.run(ready, "sh", "-c", 'echo "$A $NODE $APP $CPU $WORD ${NONE-unset}"')
        assert out == "xvars$ ambient-control-plane vars 2 hi unset\n"

    play(tmp_path, scenario)


def test_missing_variable_source(tmp_path: Path) -> None:
    """A ConfigMap that is not there keeps the container waiting, with the kubelet's words."""

    async def scenario(bench: Bench) -> None:
        env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "no", "key": "k"}}}]
        bench.store.create(POD, pod("vars", container("curlimages/curl", "sleep", "inf", env=env)))
        await bench.until(lambda: state(bench, "vars").get("state", {}).get("waiting", {}).get("message"))
        assert state(bench, "vars")["state"]["waiting"] == {
            "reason": "CreateContainerConfigError", "message": 'configmap "no" not found',
        }  # fmt: skip

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    "probe",
    [
        {"httpGet": {"path": "/status/200", "port": 8080}},
        {"httpGet": {"path": "/status/200", "port": "web"}},
        {"tcpSocket": {"port": 8080}},
    ],
)
def test_readiness_probe_passes(tmp_path: Path, probe: Object) -> None:
    """HTTP and TCP probes, by number or name, make a pod Ready long before their period is over."""

    async def scenario(bench: Bench) -> None:
        ports = [{"containerPort": 8080, "name": "web"}]
        bench.store.create(POD, pod("echo", {**ECHO, "readinessProbe": probe, "ports": ports}))
        await bench.ready_pod("echo")

    play(tmp_path, scenario)


def test_readiness_probe_fails_and_recovers(tmp_path: Path) -> None:
    """A pod whose probe fails is not Ready; once it passes, it is."""

    async def scenario(bench: Bench) -> None:
        probe = {"exec": {"command": ["test", "-e", "ready"]}, "periodSeconds": 1}
        bench.store.create(POD, pod("late", {**CURL, "readinessProbe": probe}))
        await bench.until(lambda: "running" in state(bench, "late").get("state", {}))
        await asyncio.sleep(0.1)
        made = bench.pods("late")[0]
        assert not is_ready(made)
        unready = next(each for each in made["status"]["conditions"] if each["type"] == "Ready")
        assert unready["message"] == "containers with unready status: [curl]"
        await bench.run(made, "touch", "ready")
        await bench.ready_pod("late")

    play(tmp_path, scenario)


def test_liveness_probe_restarts(tmp_path: Path) -> None:
    """A container whose liveness probe fails is ended and started again."""

    async def scenario(bench: Bench) -> None:
        probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1}
        bench.store.create(POD, pod("sick", {**CURL, "livenessProbe": probe}))
        await bench.until(lambda: state(bench, "sick").get("restartCount", 0) >= 1)
        assert {"Unhealthy", "Killing"} <= set(reasons(bench, "sick"))

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("image", "argv", "message"),
    [
        ("curlimages/curl", ["wget"], 'exec: "wget": executable file not found in $PATH'),
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
        argv = ["curl", "-s", "-w", " %{local_ip}", "http://localhost:9080/health"]
        process = await bench.kubelet.exec(made, "probe", argv, stdin=False, tty=False)
        piece = await process.read()
        assert piece == ("stdout", f'{{"status":"Details is healthy"}} {made["status"]["podIP"]}'.encode())

    play(tmp_path, scenario)


def test_deletion(tmp_path: Path) -> None:
    """A deleted pod ends its processes, frees address and folder, and is then forgotten."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("shell", container("curlimages/curl", "sh", "-c", "echo hi; sleep 99")))
        made = await bench.ready_pod("shell")
        bench.store.delete(POD, "shell", bench.space)
        await bench.until(lambda: bench.store.get(POD, "shell", bench.space) is None, 2)
        await bench.until(lambda: "Killing" in reasons(bench, "shell"), 1)
        await bench.until(lambda: not (tmp_path / "pods" / made["metadata"]["uid"]).exists(), 2)
        with pytest.raises(PodUnreachable):
            await bench.kubelet.fetch(made, 80, "/")

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


def test_unmounted_volume_is_said(tmp_path: Path) -> None:
    """A volume with contents is not there, and an event says so."""

    async def scenario(bench: Bench) -> None:
        volumes = [{"name": "etc", "configMap": {"name": "x"}}, {"name": "tmp", "emptyDir": {}}]
        bench.store.create(POD, pod("curl", CURL, volumes=volumes))
        await bench.ready_pod("curl")
        assert reasons(bench, "curl").count("VolumeNotMounted") == 1

    play(tmp_path, scenario)


def test_deep_state_folder(tmp_path: Path) -> None:
    """A state folder too deep for sockets works all the same."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("echo", ECHO))
        assert (await bench.kubelet.fetch(await bench.ready_pod("echo"), 8080, "/get"))[0] == 200

    play(deep, scenario)
