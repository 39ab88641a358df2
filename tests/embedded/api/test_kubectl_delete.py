"""kubectl delete, drain and wait: how objects end."""

import json
from typing import Any

import pytest

from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.objects import Object

from .world import World, deployment, job, pod


def replica_set(world: World, owner: Object, number: int = 1) -> Object:
    """A ReplicaSet that a Deployment controls, as its controller would make it."""
    meta: dict[str, Any] = {"name": f"{owner['metadata']['name']}-{number}", "namespace": "default"}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": owner["metadata"]["name"], "controller": True}
    meta["ownerReferences"] = [reference | {"uid": owner["metadata"]["uid"], "blockOwnerDeletion": True}]
    return world.call(world.store.create, find("ReplicaSet", "apps"), {"metadata": meta, "spec": owner["spec"]})


def owned(world: World, name: str) -> Object:
    """A Deployment with a ReplicaSet."""
    world.kubectl("create", "-f", "-", stdin=json.dumps(deployment(name)))
    replica_set(world, world.get("Deployment", name, "apps"))
    return world.get("Deployment", name, "apps")


def job_with_pod(world: World, name: str) -> None:
    """A Job with a pod."""
    world.kubectl("create", "-f", "-", stdin=json.dumps(job(name)))
    uid = world.get("Job", name, "batch")["metadata"]["uid"]
    made = pod(name)
    made["metadata"]["ownerReferences"] = [{"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid}]
    del made["spec"]["nodeName"]
    world.call(world.store.create, find("Pod"), made)


def test_cascades(world: World) -> None:
    """A deleted Deployment takes its ReplicaSet along; as an orphan the ReplicaSet stays."""
    owned(world, "one")
    assert world.kubectl("delete", "deployment", "one") == 'deployment.apps "one" deleted\n'
    assert world.kubectl("get", "rs", "-o", "name") == ""
    owned(world, "two")
    world.kubectl("delete", "deployment", "two", "--cascade=orphan")
    assert world.kubectl("get", "rs", "-o", "name") == "replicaset.apps/two-1\n"
    owned(world, "three")
    world.kubectl("delete", "deployment", "three", "--cascade=foreground")
    assert world.kubectl("get", "rs", "-o", "name") == "replicaset.apps/two-1\n"


JOBS = "/apis/batch/v1/namespaces/default/jobs"


@pytest.mark.parametrize("path", [f"{JOBS}/spares", JOBS], ids=["one", "all"])
def test_a_jobs_pods_stay_unless_told_otherwise(world: World, path: str) -> None:
    """A deletion that does not say what becomes of a Job's pods leaves them, with a warning."""
    job_with_pod(world, "spares")
    assert world.complaint("delete", "--raw", path) == (
        "Warning: child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to "
        "remove them or set propagationPolicy=Orphan to suppress this warning\n"
    )
    assert "ownerReferences" not in world.get("Pod", "spares")["metadata"]
    world.kubectl("delete", "pod", "spares")


@pytest.mark.parametrize("query", ["propagationPolicy=Background", "orphanDependents=false"])
def test_a_jobs_pods_go_when_the_deletion_says_so(world: World, query: str) -> None:
    """A deletion that says what becomes of a Job's pods brings no warning."""
    job_with_pod(world, "takes")
    assert world.complaint("delete", "--raw", f"{JOBS}/takes?{query}") == ""
    assert "NotFound" in world.kubectl("get", "pod", "takes", code=1)


def test_kubectl_takes_a_jobs_pods_along(world: World) -> None:
    """kubectl says that a Job's pods go with it."""
    job_with_pod(world, "along")
    world.kubectl("delete", "job", "along")
    assert "NotFound" in world.kubectl("get", "pod", "along", code=1)


@pytest.mark.parametrize("copies", [4, 400])
def test_many_dependents_go_in_the_foreground(world: World, copies: int) -> None:
    """A foreground deletion ends when the last of many that go at once is gone."""
    owner = owned(world, "crowd")
    for number in range(2, copies + 1):
        replica_set(world, owner, number)
    said = world.kubectl("delete", "deployment", "crowd", "--cascade=foreground", "--timeout=20s")
    assert said == 'deployment.apps "crowd" deleted\n'
    assert "crowd" not in world.kubectl("get", "deployments,rs", "-o", "name")


def test_pod_deletion_waits_for_the_node(world: World) -> None:
    """A pod is Terminating until its kubelet ends it; kubectl waits for that."""
    world.kubectl("create", "-f", "-", stdin=json.dumps(pod("slow")))
    deleting = world.start_kubectl("delete", "pod", "slow")
    waiting = world.start_kubectl("wait", "--for=delete", "pod/slow", "--timeout=20s")
    world.kubectl("wait", "--for=jsonpath={.metadata.deletionGracePeriodSeconds}=30", "pod/slow", "--timeout=20s")
    assert world.kubectl("get", "pod", "slow").splitlines()[1].split()[2] == "Terminating"
    world.call(world.store.delete, find("Pod"), "slow", "default", grace=0)
    with deleting, waiting:
        assert (deleting.wait(20), waiting.wait(20)) == (0, 0)


def test_forced_deletion_is_at_once(world: World) -> None:
    """--force with grace 0 does not wait."""
    world.kubectl("create", "-f", "-", stdin=json.dumps(pod("fast")))
    world.kubectl("delete", "pod", "fast", "--force", "--grace-period=0")
    assert "NotFound" in world.kubectl("get", "pod", "fast", code=1)


def test_many_by_label_and_by_manifest(world: World) -> None:
    """Objects go by label, all at once, or as a manifest lists them."""
    for name in ("a", "b"):
        world.kubectl("create", "configmap", f"del-{name}")
        world.kubectl("label", "configmap", f"del-{name}", "del=yes")
    assert world.kubectl("delete", "cm", "-l", "del=yes").count("deleted") == 2
    manifest = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "del-c"}})
    world.kubectl("create", "-f", "-", stdin=manifest)
    assert world.kubectl("delete", "-f", "-", stdin=manifest) == 'configmap "del-c" deleted\n'
    assert world.kubectl("delete", "cm", "del-c", "--ignore-not-found") == ""


def test_preconditions(world: World) -> None:
    """A deletion that names another uid is refused."""
    world.kubectl("create", "configmap", "kept")
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "other"}}
    manifest = world.folder / "options.json"
    manifest.write_text(json.dumps(options))
    path = "/api/v1/namespaces/default/configmaps/kept"
    refused = world.kubectl("delete", "--raw", path, "-f", str(manifest), code=1)
    assert "Precondition failed: UID in precondition: other" in refused


def test_namespace_is_terminating_until_finalized(world: World) -> None:
    """A namespace refuses new content while it ends, and goes when it is finalized."""
    world.kubectl("create", "namespace", "ends")
    world.kubectl("delete", "namespace", "ends", "--wait=false")
    assert world.kubectl("get", "ns", "ends").splitlines()[1].split()[1] == "Terminating"
    refused = world.kubectl("create", "configmap", "late", "-n", "ends", code=1)
    assert "unable to create new content in namespace ends because it is being terminated" in refused
    finalized = world.get("Namespace", "ends", namespace="") | {"spec": {"finalizers": []}}
    world.kubectl("replace", "--raw", "/api/v1/namespaces/ends/finalize", "-f", "-", stdin=json.dumps(finalized))
    assert "NotFound" in world.kubectl("get", "ns", "ends", code=1)


def test_some_namespaces_stay(world: World) -> None:
    """The namespaces that every cluster needs can't be deleted."""
    refused = world.kubectl("delete", "namespace", "default", code=1)
    assert 'namespaces "default" is forbidden: this namespace may not be deleted' in refused


def test_finalizers_hold(world: World) -> None:
    """An object with a finalizer stays until it is taken out."""
    content = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["example.com/x"]}}
    world.kubectl("create", "-f", "-", stdin=json.dumps(content))
    world.kubectl("delete", "cm", "held", "--wait=false")
    assert "deletionTimestamp" in world.get("ConfigMap", "held")["metadata"]
    world.kubectl("patch", "cm", "held", "--type=json", "-p", '[{"op":"remove","path":"/metadata/finalizers"}]')
    assert "NotFound" in world.kubectl("get", "cm", "held", code=1)


def test_drain_evicts(world: World) -> None:
    """drain cordons the node and evicts its pods."""
    world.call(world.store.create, find("Node"), {"metadata": {"name": "n1"}})
    world.kubectl("create", "-f", "-", stdin=json.dumps(pod("evicted")))
    draining = world.start_kubectl("drain", "n1", "--force", "--timeout=20s")
    world.kubectl("wait", "--for=jsonpath={.metadata.deletionTimestamp}", "pod/evicted", "--timeout=20s")
    world.call(world.store.delete, find("Pod"), "evicted", "default", grace=0)
    with draining:
        output, complaint = draining.communicate(timeout=30)
    assert draining.returncode == 0, complaint
    assert "node/n1 drained" in output
    assert world.get("Node", "n1", namespace="")["spec"]["unschedulable"] is True
    world.kubectl("uncordon", "n1")
