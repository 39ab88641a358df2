"""Deployments, ReplicaSets, DaemonSets and the scheduler on a running cluster."""

from pathlib import Path

import pytest

from pytest_ambient.embedded import seed
from pytest_ambient.embedded.api.copying import copied
from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.objects import Object, annotations_of, name_of

from ..kubelet.bench import CURL, DEPLOYMENT, ECHO, POD, Bench, container, deployment, is_ready, play, pod

SET, DAEMONS, NODE, EVENT = find("ReplicaSet", "apps"), find("DaemonSet", "apps"), find("Node"), find("Event")
REVISION = "deployment.kubernetes.io/revision"


def current(bench: Bench, name: str) -> Object:
    """The Deployment as it is."""
    return bench.store.get(DEPLOYMENT, name, bench.space) or {}


def complete(bench: Bench, name: str) -> bool:
    """What `kubectl rollout status` waits for."""
    found = current(bench, name)
    wanted, status = found["spec"]["replicas"], found.get("status", {})
    return status.get("observedGeneration", 0) >= found["metadata"]["generation"] and all(
        status.get(word, 0) == wanted for word in ("updatedReplicas", "replicas", "availableReplicas")
    )


def changed(bench: Bench, name: str, **spec: object) -> None:
    """Change fields of a Deployment's spec."""
    new = copied(current(bench, name))
    new["spec"].update(spec)
    bench.store.replace(DEPLOYMENT, new)


def template(bench: Bench, name: str, **annotations: str) -> Object:
    """The Deployment's pod template with annotations, as `rollout restart` writes it."""
    found = copied(current(bench, name)["spec"]["template"])
    found["metadata"]["annotations"] = annotations
    return found


def test_rollout(tmp_path: Path) -> None:
    """A new template replaces pods without the Deployment ever having fewer available than it must."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(DEPLOYMENT, deployment("echo", ECHO, replicas=2))
        await bench.until(lambda: complete(bench, "echo"))
        first = {name_of(each) for each in bench.pods("echo")}
        lowest = [2]
        bench.store.subscribe(
            lambda change: lowest.append(sum(map(is_ready, bench.pods("echo")))) if change.resource == POD else None
        )
        changed(bench, "echo", template=template(bench, "echo", restartedAt="now"))
        assert not complete(bench, "echo")
        await bench.until(lambda: complete(bench, "echo"))
        await bench.until(lambda: len(bench.pods("echo")) == 2)
        assert first.isdisjoint(name_of(each) for each in bench.pods("echo"))
        assert min(lowest) == 2
        assert annotations_of(current(bench, "echo"))[REVISION] == "2"
        conditions = {each["type"]: each for each in current(bench, "echo")["status"]["conditions"]}
        assert conditions["Progressing"]["reason"] == "NewReplicaSetAvailable"
        assert conditions["Available"]["status"] == "True"

    play(tmp_path, scenario)


def test_going_back(tmp_path: Path) -> None:
    """An earlier template gets its old ReplicaSet back, as the newest revision."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(DEPLOYMENT, deployment("echo", ECHO))
        await bench.until(lambda: complete(bench, "echo"))
        old = copied(current(bench, "echo")["spec"]["template"])
        first = {name_of(each) for each in bench.store.list(SET, bench.space)}
        changed(bench, "echo", template=template(bench, "echo", round="two"))
        await bench.until(lambda: complete(bench, "echo"))
        changed(bench, "echo", template=old)
        await bench.until(lambda: complete(bench, "echo"))
        sets = {name_of(each): each for each in bench.store.list(SET, bench.space)}
        active = [name for name, each in sets.items() if each["spec"]["replicas"]]
        assert set(active) == first
        assert annotations_of(sets[active[0]])[REVISION] == "3"
        assert len(sets) == 2

    play(tmp_path, scenario)


def test_scaling(tmp_path: Path) -> None:
    """Scaling makes and deletes pods, down to none, and is told in events."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(DEPLOYMENT, deployment("echo", ECHO))
        await bench.until(lambda: complete(bench, "echo"))
        for count in (3, 1, 0):
            changed(bench, "echo", replicas=count)
            await bench.until(lambda: complete(bench, "echo"))
            await bench.count("echo", count)
        events = [each for each in bench.store.list(EVENT, bench.space) if each["reason"] == "ScalingReplicaSet"]
        told = {each["message"].rpartition(" from ")[2] for each in events}
        assert told == {"0 to 1", "1 to 3", "3 to 1", "1 to 0"}

    play(tmp_path, scenario)


def test_bad_image_keeps_the_old_pods(tmp_path: Path) -> None:
    """A rollout to an unknown image stops with the old pod serving; the status says that it progresses no further."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(DEPLOYMENT, deployment("echo", ECHO, progressDeadlineSeconds=1))
        await bench.until(lambda: complete(bench, "echo"))
        broken = template(bench, "echo")
        broken["spec"]["containers"][0]["image"] = "nginx"
        changed(bench, "echo", template=broken)
        await bench.until(lambda: len(bench.pods("echo")) == 2)
        await bench.until(
            lambda: any(
                each["reason"] == "ProgressDeadlineExceeded" for each in current(bench, "echo")["status"]["conditions"]
            )
        )
        assert current(bench, "echo")["status"]["availableReplicas"] == 1

    play(tmp_path, scenario)


def test_recreate(tmp_path: Path) -> None:
    """With strategy Recreate old and new pods never live together."""

    async def scenario(bench: Bench) -> None:
        made = deployment("echo", ECHO, strategy={"type": "Recreate"})
        bench.store.create(DEPLOYMENT, made)
        await bench.until(lambda: complete(bench, "echo"))
        most = [1]
        bench.store.subscribe(lambda change: most.append(len(bench.pods("echo"))))
        changed(bench, "echo", template=template(bench, "echo", round="two"))
        await bench.until(lambda: complete(bench, "echo"))
        assert max(most) == 1

    play(tmp_path, scenario)


def test_lost_pod_is_replaced(tmp_path: Path) -> None:
    """A deleted pod comes again under another name, and no rollout is reported."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(DEPLOYMENT, deployment("echo", ECHO))
        await bench.until(lambda: complete(bench, "echo"))
        lost = name_of(bench.pods("echo")[0])
        bench.store.delete(POD, lost, bench.space)
        await bench.until(lambda: [p for p in bench.pods("echo") if name_of(p) != lost and is_ready(p)])
        await bench.until(lambda: complete(bench, "echo"))
        assert annotations_of(current(bench, "echo"))[REVISION] == "1"

    play(tmp_path, scenario)


def test_deletion_cascades(tmp_path: Path) -> None:
    """With its Deployment a pod goes too."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(DEPLOYMENT, deployment("echo", ECHO))
        await bench.until(lambda: complete(bench, "echo"))
        bench.store.delete(DEPLOYMENT, "echo", bench.space)
        await bench.until(lambda: not bench.pods("echo"))
        assert not bench.store.list(SET, bench.space)

    play(tmp_path, scenario)


def test_paused(tmp_path: Path) -> None:
    """A paused Deployment takes no step towards its new template, but is scaled."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(DEPLOYMENT, deployment("echo", ECHO))
        await bench.until(lambda: complete(bench, "echo"))
        before = bench.pods("echo")[0]
        changed(bench, "echo", paused=True, template=template(bench, "echo", round="two"))
        await bench.until(
            lambda: any(each["reason"] == "DeploymentPaused" for each in current(bench, "echo")["status"]["conditions"])
        )
        assert [name_of(each) for each in bench.pods("echo")] == [name_of(before)]
        changed(bench, "echo", paused=False)
        await bench.until(lambda: complete(bench, "echo"))

    play(tmp_path, scenario)


def test_istio_is_there(tmp_path: Path) -> None:
    """istiod, and on every node ztunnel and istio-cni, are seeded, run, and carry the release's labels."""

    async def scenario(bench: Bench) -> None:
        seed.istio(bench.store)
        root = "istio-system"

        def counts(name: str) -> tuple[int, int]:
            status = (bench.store.get(DAEMONS, name, root) or {}).get("status", {})
            return status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)

        await bench.until(lambda: counts("ztunnel") == (2, 2) == counts("istio-cni-node"))
        await bench.until(lambda: (bench.store.get(DEPLOYMENT, "istiod", root) or {})["status"].get("readyReplicas"))
        ztunnel = bench.store.list(POD, root, {"app": "ztunnel"})
        assert {each["spec"]["nodeName"] for each in ztunnel} == {"ambient-control-plane", "ambient-worker"}
        assert ztunnel[0]["spec"]["containers"][0]["image"].endswith("/ztunnel:1.30.3-distroless")
        assert (await bench.kubelet.fetch(ztunnel[0], 15021, "/healthz/ready"))[2] == b"ready\n"
        status, _, dump = await bench.kubelet.fetch(ztunnel[0], 15000, "/config_dump")
        assert (status, ztunnel[0]["spec"]["nodeName"].encode() in dump) == (200, True)
        assert 15000 not in bench.kubelet.sockets(ztunnel[0]["metadata"]["uid"])

    play(tmp_path, scenario, nodes=2)


def test_fault_of_one_node(tmp_path: Path) -> None:
    """With ztunnel-not-ready one node's ztunnel says so, and no other pod is put there."""

    async def scenario(bench: Bench) -> None:
        seed.istio(bench.store)
        bench.store.create(DEPLOYMENT, deployment("echo", ECHO, replicas=3))
        await bench.until(lambda: complete(bench, "echo"))
        assert {each["spec"]["nodeName"] for each in bench.pods("echo")} == {"ambient-control-plane"}
        pods = bench.store.list(POD, "istio-system", {"app": "ztunnel"})
        await bench.until(
            lambda: (
                [is_ready(each) for each in bench.store.list(POD, "istio-system", {"app": "ztunnel"})].count(True) == 1
            )
        )
        broken = next(each for each in pods if each["spec"]["nodeName"] == "ambient-worker")
        assert (await bench.kubelet.fetch(broken, 15021, "/healthz/ready"))[0] == 500

    play(tmp_path, scenario, nodes=2, faults=frozenset({Fault.ZTUNNEL_NOT_READY}))


def test_daemonset_restart(tmp_path: Path) -> None:
    """A new template replaces a DaemonSet's pods node by node."""

    async def scenario(bench: Bench) -> None:
        seed.istio(bench.store)
        root = "istio-system"
        await bench.until(lambda: sum(map(is_ready, bench.store.list(POD, root, {"app": "ztunnel"}))) == 2)
        before = {name_of(each) for each in bench.store.list(POD, root, {"app": "ztunnel"})}
        new = copied(bench.store.get(DAEMONS, "ztunnel", root) or {})
        new["spec"]["template"]["metadata"]["annotations"] = {"restartedAt": "now"}
        new["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 0
        bench.store.replace(DAEMONS, new)
        await bench.until(
            lambda: (
                len(pods := bench.store.list(POD, root, {"app": "ztunnel"})) == 2
                and all(map(is_ready, pods))
                and before.isdisjoint(map(name_of, pods))
            )
        )
        status = (bench.store.get(DAEMONS, "ztunnel", root) or {})["status"]
        await bench.until(
            lambda: (
                status.get("updatedNumberScheduled") == 2
                or (bench.store.get(DAEMONS, "ztunnel", root) or {})["status"]["updatedNumberScheduled"] == 2
            )
        )

    play(tmp_path, scenario, nodes=2)


def test_scheduling(tmp_path: Path) -> None:
    """Pods are spread over the nodes; a selector is kept; what fits nowhere stays pending and says why."""

    async def scenario(bench: Bench) -> None:
        bench.store.create(DEPLOYMENT, deployment("spread", CURL, replicas=4))
        await bench.until(lambda: complete(bench, "spread"))
        nodes = sorted(each["spec"]["nodeName"] for each in bench.pods("spread"))
        assert nodes == ["ambient-control-plane"] * 2 + ["ambient-worker"] * 2
        bench.store.create(POD, pod("there", CURL, nodeSelector={"kubernetes.io/hostname": "ambient-worker"}))
        assert (await bench.ready_pod("there"))["spec"]["nodeName"] == "ambient-worker"
        bench.store.create(POD, pod("nowhere", CURL, nodeSelector={"disk": "ssd"}))
        await bench.until(lambda: any(e["reason"] == "FailedScheduling" for e in bench.store.list(EVENT, bench.space)))
        conditions = bench.pods("nowhere")[0]["status"]["conditions"]
        assert conditions[0]["reason"] == "Unschedulable"

    play(tmp_path, scenario, nodes=2)


def test_missing_account(tmp_path: Path) -> None:
    """A pod of an unknown ServiceAccount is refused; a Deployment's pods come once the account is there."""

    async def scenario(bench: Bench) -> None:
        with pytest.raises(ApiError, match='serviceaccount "nobody" not found'):
            bench.store.create(POD, pod("curl", CURL, serviceAccountName="nobody"))
        made = deployment("echo", ECHO)
        made["spec"]["template"]["spec"]["serviceAccountName"] = "late"
        bench.store.create(DEPLOYMENT, made)
        await bench.until(lambda: any(e["reason"] == "FailedCreate" for e in bench.store.list(EVENT, bench.space)))
        bench.store.create(find("ServiceAccount"), {"metadata": {"name": "late", "namespace": bench.space}})
        await bench.ready_pod("echo")

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    "kind", [("StatefulSet", "apps"), ("NetworkPolicy", "networking.k8s.io"), ("Ingress", "networking.k8s.io")]
)
def test_kinds_that_nobody_runs(tmp_path: Path, kind: tuple[str, str]) -> None:
    """A kind on which nobody would act is refused by name instead of being kept in silence."""

    async def scenario(bench: Bench) -> None:
        with pytest.raises(ApiError, match="the embedded cluster does not implement"):
            bench.store.create(find(*kind), {"metadata": {"name": "x", "namespace": bench.space}, "spec": {}})

    play(tmp_path, scenario)


def test_old_template_is_not_run(tmp_path: Path) -> None:
    """A container that gives the image a command of its own is part of the template and runs as given."""

    async def scenario(bench: Bench) -> None:
        idle = container("istio/examples-bookinfo-ratings-v1", "sleep", "infinity", name="ratings")
        bench.store.create(DEPLOYMENT, deployment("ratings", idle))
        made = await bench.ready_pod("ratings")
        assert not bench.kubelet.sockets(made["metadata"]["uid"])

    play(tmp_path, scenario)
