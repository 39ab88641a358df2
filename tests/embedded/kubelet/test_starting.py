"""How a pod comes up: init containers, variables, probes."""

import asyncio
from pathlib import Path

import pytest

from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.objects import Object

from .bench import POD, Bench, is_ready, play
from .seen import reasons, state
from .specs import CURL, ECHO, container, pod


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


@pytest.mark.parametrize("before", [[], [container("busybox", "true", name="first")]], ids=["none", "one"])
def test_what_a_new_pod_waits_for(tmp_path: Path, before: list[Object]) -> None:
    """Its containers are being created; behind init containers they wait for those."""

    async def scenario(bench: Bench) -> None:
        seen: list[Object] = []
        end = bench.store.subscribe(lambda change: seen.append(change.object) if change.resource == POD else None)
        bench.store.create(POD, pod("new", CURL, initContainers=before))
        await bench.ready_pod("new")
        end()
        states = [each["state"] for item in seen for each in item.get("status", {}).get("containerStatuses", ())]
        waited = list(dict.fromkeys(each["waiting"]["reason"] for each in states if "waiting" in each))
        assert waited[:1] == (["PodInitializing"] if before else ["ContainerCreating"])

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


@pytest.mark.parametrize(
    ("probe", "why"),
    [
        ({"httpGet": {"port": 8080, "path": "/status/503"}}, "HTTP probe failed with statuscode: 503"),
        ({"httpGet": {"port": 81}}, "dial tcp: connect to port 81: connection refused"),
        ({"tcpSocket": {"port": 81}}, "dial tcp: connect to port 81: connection refused"),
        ({"httpGet": {"port": 8080, "path": "/delay/3"}}, "context deadline exceeded"),
        ({"grpc": {"port": 8080}}, "the embedded cluster does not know this kind of probe"),
    ],
    ids=["status", "http-refused", "tcp-refused", "late", "unknown"],
)
def test_a_failed_probe_says_why(tmp_path: Path, probe: Object, why: str) -> None:
    """Its event tells what came of it."""

    async def scenario(bench: Bench) -> None:
        asked = {**probe, "periodSeconds": 1, "failureThreshold": 1}
        bench.store.create(POD, pod("echo", {**ECHO, "readinessProbe": asked}))
        await bench.until(lambda: "Unhealthy" in reasons(bench, "echo"))
        told = [
            each["message"] for each in bench.store.list(find("Event"), bench.space) if each["reason"] == "Unhealthy"
        ]
        assert told[0] == f"Readiness probe failed: {why}"

    play(tmp_path, scenario)


def test_liveness_probe_restarts(tmp_path: Path) -> None:
    """A container whose liveness probe fails is ended and started again."""

    async def scenario(bench: Bench) -> None:
        probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1}
        bench.store.create(POD, pod("sick", {**CURL, "livenessProbe": probe}))
        await bench.until(lambda: state(bench, "sick").get("restartCount", 0) >= 1)
        assert {"Unhealthy", "Killing"} <= set(reasons(bench, "sick"))

    play(tmp_path, scenario)
