"""DaemonSets, the scheduler, and what is not admitted."""

import re
from pathlib import Path

import pytest

from pytest_ambient.embedded import seed
from pytest_ambient.embedded.api.copying import copied
from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.kubelet.protocol import PodUnreachable
from pytest_ambient.embedded.objects import name_of

from ..kubelet.bench import DEPLOYMENT, POD, Bench, is_ready, play
from ..kubelet.seen import EVENT, complete
from ..kubelet.specs import CURL, ECHO, deployment, pod

DAEMONS = find("DaemonSet", "apps")


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
        assert not bench.store.list(DAEMONS, root, {"app": "ztunnel"})
        ztunnel = bench.store.list(POD, root, {"app": "ztunnel"})
        assert {each["spec"]["nodeName"] for each in ztunnel} == {"ambient-control-plane", "ambient-worker"}
        assert ztunnel[0]["spec"]["containers"][0]["image"].endswith("/ztunnel:1.30.3-distroless")
        assert (await bench.kubelet.fetch(ztunnel[0], 15021, "/healthz/ready"))[2] == b"ready\n"
        status, _, dump = await bench.kubelet.fetch(ztunnel[0], 15000, "/config_dump", local=True)
        assert (status, ztunnel[0]["spec"]["nodeName"].encode() in dump) == (200, True)
        with pytest.raises(PodUnreachable, match=r"dial tcp 127\.[\d.]+:15000: connect: connection refused"):
            await bench.kubelet.fetch(ztunnel[0], 15000, "/config_dump")
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


def failure(bench: Bench, name: str) -> str:
    """Why the Deployment says that its pods can't be made."""
    conditions = (bench.store.get(DEPLOYMENT, name, bench.space) or {}).get("status", {}).get("conditions") or ()
    return next((each["message"] for each in conditions if each["type"] == "ReplicaFailure"), "")


def test_missing_account(tmp_path: Path) -> None:
    """A pod of an unknown ServiceAccount is refused; a Deployment's pods come once the account is there."""

    async def scenario(bench: Bench) -> None:
        with pytest.raises(ApiError, match='serviceaccount "nobody" not found'):
            bench.store.create(POD, pod("curl", CURL, serviceAccountName="nobody"))
        made = deployment("echo", ECHO)
        made["spec"]["template"]["spec"]["serviceAccountName"] = "late"
        bench.store.create(DEPLOYMENT, made)
        await bench.until(lambda: any(e["reason"] == "FailedCreate" for e in bench.store.list(EVENT, bench.space)))
        told = next(e["message"] for e in bench.store.list(EVENT, bench.space) if e["reason"] == "FailedCreate")
        assert re.fullmatch(r'Error creating: pods "echo-[a-z0-9]+-" is forbidden: error looking up .*', told)
        await bench.until(lambda: failure(bench, "echo"))
        assert told.removeprefix("Error creating: ") == failure(bench, "echo")
        bench.store.create(find("ServiceAccount"), {"metadata": {"name": "late", "namespace": bench.space}})
        await bench.ready_pod("echo")
        await bench.until(lambda: not failure(bench, "echo"))

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    "kind", [("PersistentVolumeClaim", ""), ("NetworkPolicy", "networking.k8s.io"), ("Ingress", "networking.k8s.io")]
)
def test_kinds_that_nobody_runs(tmp_path: Path, kind: tuple[str, str]) -> None:
    """A kind on which nobody would act is refused by name instead of being kept in silence."""

    async def scenario(bench: Bench) -> None:
        with pytest.raises(ApiError, match="the embedded cluster does not implement"):
            bench.store.create(find(*kind), {"metadata": {"name": "x", "namespace": bench.space}, "spec": {}})

    play(tmp_path, scenario)


def test_spread(tmp_path: Path) -> None:
    """Pods that must spread go to different nodes whatever else runs there."""

    async def scenario(bench: Bench) -> None:
        constraint = {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"spread": "yes"}},
        }
        crowd = deployment("crowd", ECHO, replicas=3)
        crowd["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/hostname": "ambient-worker"}
        bench.store.create(DEPLOYMENT, crowd)
        await bench.until(lambda: complete(bench, "crowd"))
        for name in ("one", "two"):
            made = deployment(name, ECHO, labels={"app": name, "spread": "yes"})
            made["spec"]["template"]["spec"]["topologySpreadConstraints"] = [constraint]
            bench.store.create(DEPLOYMENT, made)
            await bench.ready_pod(name)
        nodes = {name: bench.pods(name)[0]["spec"]["nodeName"] for name in ("one", "two")}
        assert set(nodes.values()) == {"ambient-control-plane", "ambient-worker"}

    play(tmp_path, scenario, nodes=2)
