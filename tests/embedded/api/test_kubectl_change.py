"""kubectl label, annotate, patch, set, scale, rollout, edit: changes of objects that exist."""

import json
from collections.abc import Callable

import pytest

from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.objects import Object

from .world import World, deployment

DEPLOYMENTS = find("Deployment", "apps")


@pytest.fixture
def web(world: World) -> Callable[[], Object]:
    """A fresh Deployment `web`; call it for its present state."""
    if world.call(world.store.get, DEPLOYMENTS, "web", "default"):
        world.call(world.store.delete, DEPLOYMENTS, "web", "default")
    world.kubectl("create", "-f", "-", stdin=json.dumps(deployment()))
    return lambda: world.get("Deployment", "web", "apps")


def test_labels_and_annotations(world: World, web: Callable[[], Object]) -> None:
    """They are set, refused without --overwrite, overwritten and taken away."""
    world.kubectl("label", "deploy", "web", "a=b", "c=d")
    assert "already has a value" in world.kubectl("label", "deploy", "web", "a=x", code=1)
    world.kubectl("label", "deploy", "web", "a=x", "c-", "--overwrite")
    world.kubectl("annotate", "deploy", "web", "note=one two")
    meta = web()["metadata"]
    assert (meta["labels"], meta["annotations"]) == ({"a": "x"}, {"note": "one two"})
    assert "a valid label must be" in world.kubectl("label", "deploy", "web", "a=-", "--overwrite", code=1)


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("strategic", {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "x:2"}]}}}}),
        ("merge", {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "x:2"}]}}}}),
        ("json", [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "x:2"}]),
    ],
)
def test_patches(world: World, web: Callable[[], Object], kind: str, patch: Object) -> None:
    """Each kind of patch changes the image."""
    world.kubectl("patch", "deploy", "web", f"--type={kind}", "-p", json.dumps(patch))
    assert web()["spec"]["template"]["spec"]["containers"][0]["image"] == "x:2"


@pytest.mark.parametrize(
    ("strategy", "refused"),
    [
        ({"type": "Recreate"}, "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is"),
        ({"type": "Recreate", "$retainKeys": ["type"]}, ""),
        ({"type": "Recreate", "rollingUpdate": None}, ""),
        (
            {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}},
            'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
        ),
        ({"rollingUpdate": {"maxSurge": 0}}, ""),
    ],
)
def test_strategies(world: World, web: Callable[[], Object], strategy: Object, refused: str) -> None:
    """What a rolling update had must go when pods are recreated instead, and a rollout needs some room."""
    patch = json.dumps({"spec": {"strategy": strategy}})
    assert refused in world.kubectl("patch", "deploy", "web", "-p", patch, code=1 if refused else 0)


def test_strategic_patch_of_a_custom_resource_is_no_format(world: World) -> None:
    """Custom kinds answer 415 to a strategic patch and take a merge patch."""
    policy = {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": {"name": "p"}, "spec": {}}
    world.kubectl("create", "-f", "-", stdin=json.dumps(policy))
    body = '{"spec":{"mtls":{"mode":"STRICT"}}}'
    refused = world.kubectl("patch", "peerauthentication", "p", "--type=strategic", "-p", body, code=1)
    assert "the body of the request was in an unknown format" in refused
    world.kubectl("patch", "pa", "p", "--type=merge", "-p", body)
    assert world.kubectl("get", "pa", "p").splitlines()[1].split()[1] == "STRICT"


def test_failed_json_patch_says_so(world: World, web: Callable[[], Object]) -> None:
    """A JSON patch whose test fails changes nothing."""
    patch = [
        {"op": "test", "path": "/spec/replicas", "value": 9},
        {"op": "replace", "path": "/spec/replicas", "value": 1},
    ]
    refused = world.kubectl("patch", "deploy", "web", "--type=json", "-p", json.dumps(patch), code=1)
    assert refused == "The request is invalid: the server rejected our request due to an error in our request\n"
    assert web()["spec"]["replicas"] == 2


def test_set_image_env_resources(world: World, web: Callable[[], Object]) -> None:
    """The `set` verbs patch one container."""
    assert world.kubectl("set", "image", "deploy/web", "main=nginx:3") == "deployment.apps/web image updated\n"
    world.kubectl("set", "env", "deploy/web", "A=1", "B=2")
    world.kubectl("set", "env", "deploy/web", "A-")
    world.kubectl("set", "resources", "deploy/web", "--limits=cpu=1")
    (container,) = web()["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["env"]) == ("nginx:3", [{"name": "B", "value": "2"}])
    assert container["resources"] == {"limits": {"cpu": "1"}}
    world.kubectl("set", "serviceaccount", "deploy/web", "other")
    assert web()["spec"]["template"]["spec"]["serviceAccountName"] == "other"


def test_scale(world: World, web: Callable[[], Object]) -> None:
    """scale goes through the scale subresource, preconditions included."""
    assert world.kubectl("scale", "deploy/web", "--replicas=5") == "deployment.apps/web scaled\n"
    assert web()["spec"]["replicas"] == 5
    assert "Expected replicas to be 2, was 5" in world.kubectl(
        "scale", "deploy/web", "--current-replicas=2", "--replicas=1", code=1
    )


def test_rollout(world: World, web: Callable[[], Object]) -> None:
    """restart stamps the template; status follows observedGeneration and the counters; pause and resume."""
    world.kubectl("rollout", "restart", "deploy/web")
    assert "kubectl.kubernetes.io/restartedAt" in web()["spec"]["template"]["metadata"]["annotations"]
    watching = world.start_kubectl("rollout", "status", "deploy/web", "--timeout=20s")
    status = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1, "readyReplicas": 1}
    world.call(world.store.set_status, DEPLOYMENTS, "web", "default", status)
    world.call(world.store.set_status, DEPLOYMENTS, "web", "default", status | {"availableReplicas": 2})
    with watching:
        output, _ = watching.communicate(timeout=20)
    assert output.endswith('deployment "web" successfully rolled out\n')
    world.kubectl("rollout", "pause", "deploy/web")
    assert web()["spec"]["paused"] is True
    world.kubectl("rollout", "resume", "deploy/web")
    assert "No rollout history found" in world.kubectl("rollout", "history", "deploy/web")


def test_edit(world: World, web: Callable[[], Object]) -> None:
    """edit sends the difference as a patch."""
    before = web()["metadata"]["resourceVersion"]
    script = world.folder / "editor"
    script.write_text("#!/bin/sh\nsed -i 's/replicas: 2/replicas: 3/' \"$1\"\n")
    script.chmod(0o700)
    edited = world.kubectl("edit", "deploy/web", env={"EDITOR": str(script)})
    assert edited == "deployment.apps/web edited\n"
    assert (web()["spec"]["replicas"], web()["metadata"]["resourceVersion"] != before) == (3, True)


def test_selector_is_immutable(world: World, web: Callable[[], Object]) -> None:
    """A workload's selector can't be changed."""
    patch = {"spec": {"selector": {"matchLabels": {"app": "x"}}, "template": {"metadata": {"labels": {"app": "x"}}}}}
    assert "field is immutable" in world.kubectl("patch", "deploy", "web", "-p", json.dumps(patch), code=1)


def test_status_is_its_own_endpoint(world: World, web: Callable[[], Object]) -> None:
    """A patch of the object leaves the status alone, one of the status leaves the rest alone."""
    both = json.dumps({"spec": {"replicas": 9}, "status": {"replicas": 9}})
    world.kubectl("patch", "deploy", "web", "--subresource=status", "--type=merge", "-p", both)
    assert (web()["spec"]["replicas"], web()["status"]["replicas"]) == (2, 9)
    world.kubectl(
        "patch", "deploy", "web", "--type=merge", "-p", json.dumps({"spec": {"replicas": 8}, "status": {"replicas": 8}})
    )
    assert (web()["spec"]["replicas"], web()["status"]["replicas"]) == (8, 9)


def test_stale_replace_is_a_conflict(world: World, web: Callable[[], Object]) -> None:
    """replace with an old resourceVersion is refused."""
    stale = json.dumps(web())
    world.kubectl("label", "deploy", "web", "x=y")
    assert "the object has been modified" in world.kubectl("replace", "-f", "-", stdin=stale, code=1)
