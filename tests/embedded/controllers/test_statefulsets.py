"""StatefulSets on a running cluster."""

import time
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.embedded.api.copying import copied
from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import Change, find
from pytest_ambient.embedded.controllers.statefulsets import PAUSE
from pytest_ambient.embedded.names import Names
from pytest_ambient.embedded.objects import Object, labels_of, name_of

from ..kubelet.bench import Bench, is_ready, play
from ..kubelet.specs import ECHO, service

SET = find("StatefulSet", "apps")


def stateful(bench: Bench, name: str, **more: Any) -> Object:
    """A StatefulSet, made, of echoes."""
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [ECHO], "terminationGracePeriodSeconds": 0},
    }
    spec = {"selector": {"matchLabels": {"app": name}}, "serviceName": name, "template": template, **more}
    return bench.store.create(SET, {"metadata": {"name": name, "namespace": bench.space}, "spec": spec})


def changed(bench: Bench, name: str, **spec: object) -> None:
    """Change fields of its spec."""
    new = copied(bench.store.get(SET, name, bench.space) or {})
    new["spec"].update(spec)
    bench.store.replace(SET, new)


def names(bench: Bench, name: str) -> list[str]:
    """Its pods that are ready."""
    return sorted(name_of(each) for each in bench.pods(name) if is_ready(each))


def test_pods_keep_their_names(tmp_path: Path) -> None:
    """They come one after another, go from the last, and one that is deleted comes back under its name."""

    async def scenario(bench: Bench) -> None:
        stateful(bench, "db", replicas=2)
        await bench.until(lambda: bench.pods("db"))
        assert [name_of(each) for each in bench.pods("db")] == ["db-0"]
        await bench.until(lambda: names(bench, "db") == ["db-0", "db-1"])
        first = bench.pods("db")[0]
        assert (first["spec"]["hostname"], first["spec"]["subdomain"]) == (name_of(first), "db")
        bench.store.create(find("Service"), service("db", {"port": 8080}, clusterIP="None"))
        known = Names(bench.store, bench.addresses.hosts)
        await bench.until(lambda: known.resolve("db-0.db", bench.space))
        for name in (f"db-0.db.{bench.space}", f"db-0.db.{bench.space}.svc.cluster.local"):
            assert known.resolve(name, "elsewhere") == (first["status"]["podIP"],)
        assert known.resolve("db-7.db", bench.space) == ()
        assert labels_of(first)["statefulset.kubernetes.io/pod-name"] == name_of(first)
        changed(bench, "db", replicas=1)
        await bench.until(lambda: names(bench, "db") == ["db-0"])
        uid = bench.pods("db")[0]["metadata"]["uid"]
        bench.store.delete(find("Pod"), "db-0", bench.space)
        await bench.until(lambda: names(bench, "db") == ["db-0"] and bench.pods("db")[0]["metadata"]["uid"] != uid, 15)

    play(tmp_path, scenario)


def test_a_name_stays_free_for_a_while(tmp_path: Path) -> None:
    """So that whoever waits for the end of a pod sees it, before another of that name is there."""

    async def scenario(bench: Bench) -> None:
        stateful(bench, "db")
        await bench.until(lambda: names(bench, "db") == ["db-0"])
        gone: list[float] = []
        made: list[float] = []

        def seen(change: Change) -> None:
            if change.resource == find("Pod") and change.type in ("ADDED", "DELETED"):
                (made if change.type == "ADDED" else gone).append(time.monotonic())

        end = bench.store.subscribe(seen)
        bench.store.delete(find("Pod"), "db-0", bench.space)
        await bench.until(lambda: made)
        end()
        assert made[0] - gone[0] > PAUSE / 2

    play(tmp_path, scenario)


def test_a_new_template_replaces_from_the_last(tmp_path: Path) -> None:
    """One at a time, down to the partition; the status tells both revisions."""

    async def scenario(bench: Bench) -> None:
        stateful(bench, "db", replicas=2, podManagementPolicy="Parallel")
        await bench.until(lambda: names(bench, "db") == ["db-0", "db-1"])
        template = copied((bench.store.get(SET, "db", bench.space) or {})["spec"]["template"])
        template["metadata"]["annotations"] = {"round": "two"}
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
        changed(bench, "db", template=template, updateStrategy=strategy)

        def told() -> Object:
            found: Object = (bench.store.get(SET, "db", bench.space) or {})["status"]
            return found

        await bench.until(lambda: told().get("updatedReplicas") == 1 and told().get("readyReplicas") == 2, 15)
        assert told()["currentRevision"] != told()["updateRevision"]
        changed(bench, "db", updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}})
        await bench.until(lambda: told().get("updatedReplicas") == 2 and told().get("readyReplicas") == 2, 15)
        assert told()["currentRevision"] == told()["updateRevision"]

    play(tmp_path, scenario)


def test_claims_of_volumes_are_refused(tmp_path: Path) -> None:
    """There are no volumes that outlive a pod."""

    async def scenario(bench: Bench) -> None:
        with pytest.raises(ApiError, match="does not implement volumes that outlive a pod"):
            stateful(bench, "db", volumeClaimTemplates=[{"metadata": {"name": "v"}}])

    play(tmp_path, scenario)
