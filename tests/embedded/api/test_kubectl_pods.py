"""kubectl exec, cp, logs, debug, port-forward and the proxies: what reaches into a pod."""

import json
import re
import urllib.request

import pytest

from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.objects import Object

from .world import World, deployment, pod, running_status


@pytest.fixture(scope="module", autouse=True)
def running_pods(world: World) -> None:
    """`two` has two containers, its default is `side`; `one` has one; both run."""
    two = pod("two", "main", "side", app="two")
    two["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "side"}
    one = pod("one", app="one")
    one["spec"]["containers"][0]["ports"] = [{"containerPort": 8080, "name": "web"}]
    for each, names in ((two, ("main", "side")), (one, ("main",))):
        world.call(world.store.create, find("Pod"), each)
        world.call(world.store.set_status, find("Pod"), each["metadata"]["name"], "default", running_status(*names))


def test_exec_carries_output_and_exit_code(world: World) -> None:
    """Output, errors and the exit code of a command come through."""
    with world.start_kubectl("exec", "one", "--", "sh", "-c", "echo out; echo err >&2; exit 3") as process:
        output, complaint = process.communicate(timeout=20)
    assert (output, process.returncode) == ("out\n", 3)
    assert complaint == "err\ncommand terminated with exit code 3\n"


def test_exec_half_closes_input(world: World) -> None:
    """The command sees the end of its input (v5), and large input arrives whole."""
    lines = "line\n" * 100_000
    assert world.kubectl("exec", "-i", "one", "--", "wc", "-l", stdin=lines).strip() == "100000"


def test_exec_chooses_the_container(world: World) -> None:
    """The annotated default container is taken, or the one that is named; a wrong name is refused."""
    say = ("--", "sh", "-c", "echo $CONTAINER")
    assert world.kubectl("exec", "two", *say) == "side\n"
    assert world.kubectl("exec", "two", "-c", "main", *say) == "main\n"
    assert "container nope is not valid for pod two" in world.kubectl("exec", "two", "-c", "nope", *say, code=1)


def test_exec_names_what_is_missing(world: World) -> None:
    """A program that is not there is an error of the runtime."""
    refused = world.kubectl("exec", "one", "--", "no-such-program", code=1)
    assert 'exec: "no-such-program": executable file not found in $PATH' in refused
    assert (
        "Internal error occurred: Internal error occurred: error executing command in container: failed to" in refused
    )


def test_large_output_comes_whole(world: World) -> None:
    """Megabytes arrive in order."""
    printed = world.kubectl("exec", "one", "--", "seq", "1", "300000")
    assert printed.splitlines()[-1] == "300000"
    assert printed.count("\n") == 300000


def test_copy(world: World) -> None:
    """cp reads a file by tar over exec."""
    source = world.folder / "source.txt"
    source.write_text("content")
    world.kubectl("cp", f"one:{source}", str(world.folder / "target.txt"))
    assert (world.folder / "target.txt").read_text() == "content"


def test_logs(world: World) -> None:
    """logs shows all, the last lines, with timestamps, of one container, of a Deployment's selector."""
    world.kubelet.wrote("one", "main", "first", "second", "third")
    assert world.kubectl("logs", "one") == "first\nsecond\nthird\n"
    assert world.kubectl("logs", "one", "--tail=1") == "third\n"
    assert world.kubectl("logs", "one", "--since=1h", "--limit-bytes=3") == "fir"
    assert world.kubectl("logs", "one", "--since-time=2999-01-01T00:00:00Z") == ""
    stamped = world.kubectl("logs", "one", "--tail=1", "--timestamps")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z third\n", stamped)
    assert world.kubectl("logs", "-l", "app=one", "--prefix").startswith("[pod/one/main] first")
    assert 'previous terminated container "main" in pod "one" not found' in world.kubectl("logs", "one", "-p", code=1)


def test_logs_follow(world: World) -> None:
    """logs -f goes on with new lines."""
    world.kubelet.wrote("two", "main", "old")
    with world.start_kubectl("logs", "-f", "two", "-c", "main") as following:
        assert following.stdout is not None
        assert following.stdout.readline() == "old\n"
        world.call(world.kubelet.wrote, "two", "main", "new")
        assert following.stdout.readline() == "new\n"
        following.kill()


def test_waiting_container_has_no_log(world: World) -> None:
    """A container that has not started says what it waits for."""
    world.call(world.store.create, find("Pod"), pod("pulling"))
    waiting = {"name": "main", "ready": False, "restartCount": 0, "image": "x", "imageID": ""}
    status = {
        "phase": "Pending",
        "containerStatuses": [waiting | {"state": {"waiting": {"reason": "ImagePullBackOff"}}}],
    }
    world.call(world.store.set_status, find("Pod"), "pulling", "default", status)
    refused = world.kubectl("logs", "pulling", code=1)
    assert "is waiting to start: trying and failing to pull image" in refused


def test_debug_adds_an_ephemeral_container(world: World) -> None:
    """debug patches the ephemeralcontainers subresource; one that exists can't be changed."""
    world.kubectl(
        "debug", "one", "--image=curlimages/curl:8.2", "--container=dbg", "--attach=false", "--", "sleep", "1"
    )
    (added,) = world.get("Pod", "one")["spec"]["ephemeralContainers"]
    assert (added["name"], added["image"], added["command"]) == ("dbg", "curlimages/curl:8.2", ["sleep", "1"])
    change = {"spec": {"ephemeralContainers": [{"name": "dbg", "image": "other"}]}}
    path = ("patch", "pod", "one", "--subresource=ephemeralcontainers")
    refused = world.kubectl(*path, "-p", json.dumps(change), code=1)
    assert "existing ephemeral containers may not be changed or removed" in refused


def test_attach(world: World) -> None:
    """It carries the streams of a container's own program."""
    said = world.kubectl("attach", "-i", "one", "-c", "main", stdin="hello\n")
    assert "one/main stdin=True tty=False\nhello\n" in said


def test_proxies(world: World) -> None:
    """The pod proxy takes numbers and names of ports, the Service proxy finds a ready pod."""
    root = "/api/v1/namespaces/default"
    assert world.kubectl("get", "--raw", f"{root}/pods/one:15021/proxy/ready?a=b") == "one:15021/ready?a=b "
    assert world.kubectl("get", "--raw", f"{root}/pods/one:web/proxy/") == "one:8080/ "
    service: Object = {"metadata": {"name": "s", "namespace": "default"}}
    service["spec"] = {"selector": {"app": "one"}, "ports": [{"name": "http", "port": 80, "targetPort": "web"}]}
    world.call(world.store.create, find("Service"), service)
    assert world.kubectl("get", "--raw", f"{root}/services/s:http/proxy/x") == "one:8080/x "
    refused = world.kubectl("get", "--raw", f"{root}/pods/one:1/proxy/", code=1)
    assert "error trying to reach service: dial tcp 127.64.1.1:1: connect: connection refused" in refused


def test_port_forward(world: World, web_port: int) -> None:
    """port-forward carries several connections, one after another and side by side."""
    with world.start_kubectl("port-forward", "pod/one", f":{web_port}", "--address=127.0.0.1") as forwarding:
        assert forwarding.stdout is not None
        port = int(re.search(r"127\.0\.0\.1:(\d+)", forwarding.stdout.readline())[1])  # type: ignore[index]  # or it fails
        for path in ("/a", "/b"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                assert answer.read() == path.encode() * 10000
        forwarding.kill()


def test_workloads_stand_for_their_pods(world: World) -> None:
    """exec and logs of a Deployment reach a pod that its selector finds."""
    world.kubectl("create", "-f", "-", stdin=json.dumps(deployment("one")))
    assert world.kubectl("exec", "deploy/one", "--", "sh", "-c", "echo $POD") == "one\n"
    world.kubelet.wrote("one", "main", "third")
    assert world.kubectl("logs", "deploy/one", "--tail=1") == "third\n"
