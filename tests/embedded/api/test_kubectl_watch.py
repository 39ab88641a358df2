"""kubectl get -w and wait: changes as they happen."""

import json
import time
from typing import IO

from pytest_ambient.embedded.api.store import find

from .world import World, pod, running_status


def line(stream: IO[str] | None) -> list[str]:
    """The next line's cells."""
    assert stream is not None
    return stream.readline().split()


def test_watched_pods_change_their_rows(world: World) -> None:
    """A watch prints a row for each change, as a table."""
    world.call(world.store.create, find("Pod"), pod("p"))
    with world.start_kubectl("get", "pods", "-w") as watching:
        assert line(watching.stdout)[:3] == ["NAME", "READY", "STATUS"]
        assert line(watching.stdout)[:3] == ["p", "0/1", "Pending"]
        world.call(world.store.set_status, find("Pod"), "p", "default", running_status())
        assert line(watching.stdout)[:3] == ["p", "1/1", "Running"]
        world.call(world.store.delete, find("Pod"), "p", "default")
        assert line(watching.stdout)[:3] == ["p", "1/1", "Terminating"]
        watching.kill()


def test_watch_follows_its_label_selector(world: World) -> None:
    """An object that comes to match is added, one that no longer matches is deleted."""
    world.kubectl("create", "configmap", "moves")
    with world.start_kubectl("get", "cm", "-l", "in=yes", "-w", "--output-watch-events", "--no-headers") as watching:
        time.sleep(0.3)  # nothing tells when a watch without objects has begun
        world.kubectl("label", "cm", "moves", "in=yes")
        assert line(watching.stdout)[:2] == ["ADDED", "moves"]
        world.kubectl("label", "cm", "moves", "in-")
        assert line(watching.stdout)[:2] == ["DELETED", "moves"]
        watching.kill()


def test_wait_for_a_condition(world: World) -> None:
    """wait ends when the condition comes true, or in time."""
    world.call(world.store.create, find("Pod"), pod("later"))
    with world.start_kubectl("wait", "--for=condition=Ready", "pod/later", "--timeout=20s") as waiting:
        world.call(world.store.set_status, find("Pod"), "later", "default", running_status())
        output, _ = waiting.communicate(timeout=20)
    assert output == "pod/later condition met\n"
    assert "timed out waiting" in world.kubectl("wait", "--for=condition=Odd", "pod/later", "--timeout=1s", code=1)


def test_raw_watch_ends_in_time_with_bookmarks_of_the_start(world: World) -> None:
    """sendInitialEvents sends what is there and then a bookmark; timeoutSeconds ends the watch."""
    query = (
        "watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1"
    )
    answer = world.kubectl("get", "--raw", f"/api/v1/namespaces?{query}")
    events = [json.loads(each) for each in answer.splitlines()]
    assert [each["type"] for each in events] == ["ADDED", "ADDED", "BOOKMARK"]
    assert events[-1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_watch_from_a_forgotten_version_is_gone(world: World) -> None:
    """A version that is no longer remembered gives an error event with 410."""
    answer = world.kubectl("get", "--raw", "/api/v1/namespaces?watch=true&resourceVersion=1&timeoutSeconds=1")
    event = json.loads(answer)
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_watch_from_no_version_is_refused(world: World) -> None:
    """A version that is no number is a bad request, as for a list, before any event."""
    for query in ("watch=true&resourceVersion=abc", "resourceVersion=abc"):
        refused = world.kubectl("get", "--raw", f"/api/v1/namespaces?{query}", code=1)
        assert refused == 'Error from server (BadRequest): strconv.ParseInt: parsing "abc": invalid syntax\n'
