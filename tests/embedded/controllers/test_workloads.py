"""Deployments, ReplicaSets, DaemonSets and the scheduler on a running cluster."""

from pathlib import Path

from pytest_ambient.embedded.api.copying import copied
from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.objects import Object, annotations_of, name_of

from ..kubelet.bench import DEPLOYMENT, POD, Bench, is_ready, play
from ..kubelet.seen import EVENT, complete, current
from ..kubelet.specs import ECHO, container, deployment

SET = find("ReplicaSet", "apps")
REVISION = "deployment.kubernetes.io/revision"


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


def test_old_template_is_not_run(tmp_path: Path) -> None:
    """A container that gives the image a command of its own is part of the template and runs as given."""

    async def scenario(bench: Bench) -> None:
        idle = container("istio/examples-bookinfo-ratings-v1", "sleep", "infinity", name="ratings")
        bench.store.create(DEPLOYMENT, deployment("ratings", idle))
        made = await bench.ready_pod("ratings")
        assert not bench.kubelet.sockets(made["metadata"]["uid"])

    play(tmp_path, scenario)
