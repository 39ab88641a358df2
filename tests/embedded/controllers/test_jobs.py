"""Jobs on a running cluster."""

from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.controllers import jobs
from pytest_ambient.embedded.objects import Object, labels_of, name_of

from ..kubelet.bench import POD, Bench, play
from ..kubelet.seen import reasons
from ..kubelet.specs import container

JOB = find("Job", "batch")
WELL = container("docker.io/curlimages/curl:8.16.0", "/bin/sh", "-c", "echo done")
ILL = container("docker.io/curlimages/curl:8.16.0", "/bin/sh", "-c", "exit 3")
LONG = container("docker.io/curlimages/curl:8.16.0", "/bin/sleep", "infinity")


def job(bench: Bench, name: str, spec: Object, **more: Any) -> Object:
    """A Job, made, with that container."""
    template = {"spec": {"containers": [spec], "restartPolicy": "Never", "terminationGracePeriodSeconds": 0}}
    item = {"metadata": {"name": name, "namespace": bench.space}, "spec": {"template": template, **more}}
    return bench.store.create(JOB, item)


def status(bench: Bench, name: str) -> Object:
    """What is told of it."""
    found: Object = (bench.store.get(JOB, name, bench.space) or {}).get("status", {})
    return found


def ended(bench: Bench, name: str) -> list[str]:
    """The types of its conditions, once it has ended."""
    return [each["type"] for each in status(bench, name).get("conditions", ())]


def pods(bench: Bench, name: str) -> list[Object]:
    """Its pods."""
    return [each for each in bench.store.list(POD, bench.space) if labels_of(each).get("job-name") == name]


def test_a_job_is_complete_when_its_pod_ended_well(tmp_path: Path) -> None:
    """One pod, known by the Job's labels, runs once and stays to be read."""

    async def scenario(bench: Bench) -> None:
        made = job(bench, "well", WELL)
        await bench.until(lambda: ended(bench, "well"))
        assert ended(bench, "well") == ["SuccessCriteriaMet", "Complete"]
        told = status(bench, "well")
        assert (told["succeeded"], told["ready"], "active" in told) == (1, 0, False)
        assert told["completionTime"]
        (only,) = pods(bench, "well")
        assert made["spec"]["selector"]["matchLabels"].items() <= labels_of(only).items()
        assert only["status"]["phase"] == "Succeeded"
        assert sorted(reasons(bench, "well")) == ["Completed", "SuccessfulCreate"]
        bench.store.delete(JOB, "well", bench.space)
        await bench.until(lambda: not pods(bench, "well"))

    play(tmp_path, scenario)


def test_completions_and_parallelism(tmp_path: Path) -> None:
    """So many pods end well, no more than so many at a time."""

    async def scenario(bench: Bench) -> None:
        job(bench, "many", WELL, completions=3, parallelism=2)
        await bench.until(lambda: ended(bench, "many"))
        assert (status(bench, "many")["succeeded"], len(pods(bench, "many"))) == (3, 3)

    play(tmp_path, scenario)


def test_a_job_fails_when_its_pods_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed pod is followed by another one until the limit is passed."""
    monkeypatch.setattr(jobs, "_FIRST", 0.05)

    async def scenario(bench: Bench) -> None:
        job(bench, "ill", ILL, backoffLimit=1)
        await bench.until(lambda: ended(bench, "ill"))
        assert ended(bench, "ill") == ["FailureTarget", "Failed"]
        assert status(bench, "ill")["conditions"][1]["reason"] == "BackoffLimitExceeded"
        assert (status(bench, "ill")["failed"], len(pods(bench, "ill"))) == (2, 2)

    play(tmp_path, scenario)


def test_a_job_that_takes_too_long_fails(tmp_path: Path) -> None:
    """Behind its deadline its pods are ended; when its time has passed it goes itself."""

    async def scenario(bench: Bench) -> None:
        job(bench, "long", LONG, activeDeadlineSeconds=1, ttlSecondsAfterFinished=0)
        await bench.until(lambda: bench.store.get(JOB, "long", bench.space) is None)
        await bench.until(lambda: not pods(bench, "long"))
        assert "DeadlineExceeded" in reasons(bench, "long")

    play(tmp_path, scenario)


def test_what_jobs_can_not_do_here_is_refused(tmp_path: Path) -> None:
    """By name, as everything that nobody would act on."""

    async def scenario(bench: Bench) -> None:
        with pytest.raises(ApiError, match="does not implement completionMode"):
            job(bench, "indexed", WELL, completionMode="Indexed")
        assert [name_of(each) for each in bench.store.list(JOB, bench.space)] == []

    play(tmp_path, scenario)
