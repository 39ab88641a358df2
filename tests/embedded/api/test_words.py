"""Selectors, paths, ages and the other small languages of the API."""

from typing import Any

import pytest

from pytest_ambient.embedded.api import ages, columns_pod, jsonpath, selectors
from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.objects import Object

LABELS = {"app": "web", "tier": "front"}


@pytest.mark.parametrize(
    ("selector", "holds"),
    [
        ("", True), ("app=web", True), ("app==web", True), ("app!=web", False), ("other!=x", True), ("app", True),
        ("!app", False), ("!other", True), ("app in (web,db)", True), ("app notin (web)", False),
        ("app=web,tier=back", False), ("app in (web), tier", True), ("app=", False), ("example.com/x!=y", True),
    ],
)  # fmt: skip
def test_label_selectors(selector: str, holds: bool) -> None:
    """Equality, sets and existence, joined by commas."""
    assert selectors.by_labels(selector)({"metadata": {"labels": LABELS}}) is holds


def test_malformed_selectors_are_refused() -> None:
    """What is no selector is a bad request."""
    with pytest.raises(ApiError, match="unable to parse requirement"):
        selectors.by_labels("a b c")
    with pytest.raises(ApiError, match=r"field label not supported: spec\.foo"):
        selectors.by_fields(find("Pod"), "spec.foo=1")


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (".a.b", [1]), (".l[*].n", ["x", "y"]), (".l[1].n", ["y"]), (".l[-1].n", ["y"]), ('.l[?(@.n=="x")].v', [7]),
        (".nothing.at.all", []), (".d.x\\.y/z", [2]), ("{.a.b}", [1]), (".a['b']", [1]),
    ],
)  # fmt: skip
def test_json_paths(path: str, values: list[Any]) -> None:
    """Fields, indices, filters, quoted and escaped names."""
    item = {"a": {"b": 1}, "l": [{"n": "x", "v": 7}, {"n": "y"}], "d": {"x.y/z": 2}}
    assert jsonpath.found(path, item) == values


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (119, "119s"), (120, "2m"), (185, "3m5s"), (600, "10m"), (10799, "179m"), (10800, "3h"),
        (11100, "3h5m"), (86400, "24h"), (172800, "2d"), (190800, "2d5h"), (864000, "10d"),
        (63072000, "2y"), (-9, "<invalid>"),
    ],
)  # fmt: skip
def test_ages(seconds: float, text: str) -> None:
    """Durations as kubectl prints them."""
    assert ages.short(seconds) == text


def container(**state: Object) -> list[Object]:
    return [{"state": state}]


def waits(reason: str) -> list[Object]:
    return container(waiting={"reason": reason})


def pod_in(state: Object, **more: Any) -> Object:
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}, "status": state} | more


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ({"phase": "Pending"}, "Pending"),
        ({"phase": "Running", "containerStatuses": waits("CrashLoopBackOff")}, "CrashLoopBackOff"),
        ({"phase": "Pending", "containerStatuses": waits("ImagePullBackOff")}, "ImagePullBackOff"),
        ({"phase": "Failed", "containerStatuses": container(terminated={"reason": "Error"})}, "Error"),
        ({"phase": "Succeeded", "containerStatuses": container(terminated={"reason": "Completed"})}, "Completed"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        ({"phase": "Running", "containerStatuses": container(terminated={"exitCode": 3})}, "ExitCode:3"),
    ],
)  # fmt: skip
def test_what_a_pod_is_doing(state: Object, word: str) -> None:
    """The status column says the most telling word."""
    assert columns_pod.status(pod_in(state)) == word


def test_init_containers_come_first() -> None:
    """While they run, the status counts init containers."""
    spec = {"containers": [{"name": "c"}], "initContainers": [{"name": "a"}, {"name": "b"}]}
    done = {"name": "a", "state": {"terminated": {"exitCode": 0}}}
    busy = {"name": "b", "state": {"running": {}}}
    state = {"phase": "Pending", "initContainerStatuses": [done, busy]}
    assert columns_pod.status(pod_in(state, spec=spec)) == "Init:1/2"
