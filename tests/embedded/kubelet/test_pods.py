"""The life of a pod: images, commands, variables, probes, restarts, logs, execs, its end."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ambient.embedded.kubelet.protocol import PodUnreachable
from pytest_ambient.embedded.objects import Object, annotations_of

from .bench import POD, Bench, is_ready, play
from .seen import reasons, state
from .specs import CURL, ECHO, container, pod


def ended(bench: Bench, name: str) -> Object | None:
    """The pod once all of it has ended well."""
    found = bench.store.get(POD, name, bench.space) or {}
    return found if found.get("status", {}).get("phase") == "Succeeded" else None


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


def test_containers_start_when_the_data_plane_has_the_pod(tmp_path: Path) -> None:
    """A container of a captured pod can't call before ztunnel knows the pod, not even in its first moment."""

    async def scenario(bench: Bench) -> None:
        known = asyncio.Event()
        asked: list[str] = []

        async def programmed(pod: Callable[[], Object], address: str, ports: frozenset[int]) -> None:
            asked.append(address)
            await known.wait()

        object.__setattr__(bench.kubelet._machine, "programmed", programmed)
        bench.store.create(POD, pod("echo", ECHO))
        await bench.until(lambda: asked and bench.pods("echo")[0].get("status", {}).get("podIP") == asked[0])
        assert "Started" not in reasons(bench, "echo")
        known.set()
        await bench.ready_pod("echo")

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
        bench.store.create(POD, pod("curl", CURL))
        await bench.ready_pod("curl")
        assert {captured for ready, captured in seen if ready} == {"enabled"}

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("image", "reason", "message"),
    [
        (
            "nginx:1.27",
            "ImagePullBackOff",
            "it knows, under any hub and tag: all-in-one, alpine, busybox, curl, examples-bookinfo-details-v1",
        ),
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


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("registry.example/release/ztunnel:1.30.9-distroless", "1.30.9"),
        ("pilot:v1.31.0-rc.0", "v1.31.0-rc.0"),
        ("install-cni", "1.30.3"),
        ("proxyv2:1.30.4-debug@sha256:" + "a" * 64, "1.30.4"),
    ],
)
def test_istios_images_tell_their_version(tmp_path: Path, image: str, version: str) -> None:
    """That of their tag, and end."""

    async def scenario(bench: Bench) -> None:
        spec = pod("asked", container(image) | {"args": ["version"]})
        spec["spec"]["restartPolicy"] = "Never"
        bench.store.create(POD, spec)
        found = await bench.until(lambda: ended(bench, "asked"))
        lines = [line.text for line in bench.kubelet.log(found, "main").lines]
        assert lines == [f'version.BuildInfo{{Version:"{version}", BuildStatus:"embedded"}}']

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


def test_successor_of_the_same_name(tmp_path: Path) -> None:
    """A pod that follows at once under the same name has its own address and state, not its predecessor's."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("echo", ECHO))
        first = await bench.ready_pod("echo")
        seen: list[tuple[str, str]] = []
        bench.store.subscribe(
            lambda change: (
                seen.append((change.object["metadata"]["uid"], change.object.get("status", {}).get("podIP", "")))
                if change.resource == POD
                else None
            )
        )
        bench.store.delete(POD, "echo", bench.space, grace=0)
        bench.store.create(POD, pod("echo", ECHO))
        second = await bench.ready_pod("echo")
        assert (second["metadata"]["uid"], first["status"]["podIP"]) not in seen
        assert first["status"]["podIP"] != second["status"]["podIP"]
        assert (await bench.kubelet.fetch(second, 8080, "/get"))[0] == 200

    play(tmp_path, scenario)


def test_host_network(tmp_path: Path) -> None:
    """A pod on the host's network has its node's address, is not captured, and becomes Ready without the data plane."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(POD, pod("host", CURL, hostNetwork=True))
        made = await bench.ready_pod("host")
        assert made["status"]["podIP"] == made["status"]["hostIP"] == bench.addresses.node(0)
        assert "ambient.istio.io/redirection" not in annotations_of(made)

    play(tmp_path, scenario)


def test_unmounted_volume_is_said(tmp_path: Path) -> None:
    """A volume with contents is not there, and an event says so."""

    async def scenario(bench: Bench) -> None:
        volumes = [{"name": "etc", "configMap": {"name": "x"}}, {"name": "tmp", "emptyDir": {}}]
        bench.store.create(POD, pod("curl", CURL, volumes=volumes))
        await bench.ready_pod("curl")
        assert reasons(bench, "curl").count("VolumeNotMounted") == 1

    play(tmp_path, scenario)


def test_a_pod_ends_with_its_main_containers(tmp_path: Path) -> None:
    """What ran beside them all along is ended then, and the pod has succeeded."""

    async def scenario(bench: Bench) -> None:
        beside = container("busybox", "sleep", "inf", name="beside", restartPolicy="Always")
        main = container("busybox", "sh", "-c", "exit 0")
        bench.store.create(POD, pod("job", main, initContainers=[beside], restartPolicy="Never"))
        await bench.until(lambda: "terminated" in state(bench, "job", "initContainerStatuses").get("state", {}))
        assert bench.pods("job")[0]["status"]["phase"] == "Succeeded"
        assert not state(bench, "job", "initContainerStatuses")["ready"]

    play(tmp_path, scenario)


def test_a_pod_past_its_deadline_fails(tmp_path: Path) -> None:
    """Its containers are ended, and it says why."""

    async def scenario(bench: Bench) -> None:
        sleeper = container("busybox", "sleep", "inf")
        bench.store.create(POD, pod("late", sleeper, restartPolicy="Never", activeDeadlineSeconds=1))
        ended = await bench.until(lambda: state(bench, "late").get("state", {}).get("terminated"))
        assert (ended["exitCode"], ended["reason"]) == (143, "Error")
        late = bench.pods("late")[0]["status"]
        assert (late["phase"], late["reason"]) == ("Failed", "DeadlineExceeded")
        assert "DeadlineExceeded" in reasons(bench, "late")

    play(tmp_path, scenario)
