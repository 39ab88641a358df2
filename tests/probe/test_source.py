"""Which pod calls, and with which curl."""

from collections.abc import Sequence
from typing import Any

import pytest

from pytest_ambient import stuck, unstarted
from pytest_ambient._kube_exec import Executed
from pytest_ambient.errors import BrokenEnvironment, Inconclusive, Invalid, Misuse, NotInTime
from pytest_ambient.probe.lent import EPHEMERAL
from pytest_ambient.probe.source import Sources
from tests.pod_security import refused
from tests.probe.bench import PLACES, RUN, Bench, Reply

IMAGE = "mirror.example/curl:1"
MISSING = Executed(b"", b"", None, 'exec: "curl": executable file not found in $PATH')


def sources(bench: Bench, *, run: str = RUN) -> Sources:
    """The sources of a bench; nothing is waited for long."""
    return Sources(bench.real, PLACES, run, image=IMAGE, within=0.1)


@pytest.fixture
def bench() -> Bench:
    """A bench where reviews has no curl."""
    made = Bench(lambda where, method, url: Reply())
    run = made.kube.run

    def without_curl(where: str, container: str, argv: Sequence[str], stdin: bytes | None) -> Executed:
        return MISSING if container == "reviews" else run(where, container, argv, stdin)

    made.kube.run = without_curl
    return made


def starting(bench: Bench) -> list[dict[str, Any]]:
    """Lets ephemeral containers run as soon as they are asked for, and keeps what was asked."""
    asked: list[dict[str, Any]] = []
    patch = bench.kube.patch

    def started(kind: str, name: str, namespace: str, body: dict[str, Any], *rest: str) -> dict[str, Any]:
        (container,) = body["spec"]["ephemeralContainers"]
        asked.append({"rest": rest, **container})
        pod = bench.kube.objects["v1/Pod", namespace, name]
        there = pod["spec"].get("ephemeralContainers") or []
        known = (pod.get("status") or {}).get("ephemeralContainerStatuses") or []
        running = {"name": container["name"], "state": {"running": {}}}
        status = {"ephemeralContainerStatuses": [*known, running]}
        return patch(kind, name, namespace, {"spec": {"ephemeralContainers": [*there, container]}, "status": status})

    bench.kube.patch = started  # type: ignore[method-assign, assignment]  # a double of a double
    return asked


def test_a_containers_own_curl_is_used(bench: Bench) -> None:
    """Words name a workload in the main namespace, in the other one or outside of the mesh."""
    found = sources(bench).find("details-v1")
    assert (found.namespace, found.pod, found.container) == ("shop", "details-v1-x", "details")
    assert found.how == "own curl 8.16.0 (details)"
    assert sources(bench).find("outside/curl").namespace == "outside"
    assert sources(bench).find("other/curl").namespace == "other"


def test_a_pod_without_curl_gets_an_ephemeral_container(bench: Bench) -> None:
    """It comes by strategic merge on the subresource, with all that restricted pod security asks."""
    asked = starting(bench)
    found = sources(bench).find("reviews-v1")
    assert (found.pod, found.container, found.how) == ("reviews-v1-x", EPHEMERAL, f"ephemeral container ({EPHEMERAL})")
    (container,) = asked
    assert container["rest"] == ("strategic", "ephemeralcontainers")
    assert container["image"] == IMAGE
    assert refused({"containers": [container]}) == []
    assert container["securityContext"]["runAsUser"] == 100


def test_an_ephemeral_container_is_made_once(bench: Bench) -> None:
    """A later run of the same pod finds it by its name, since it can never be removed."""
    asked = starting(bench)
    sources(bench).find("reviews-v1")
    sources(bench).find("reviews-v1")
    assert len(asked) == 1


def test_an_ephemeral_container_of_another_image_is_left_alone(bench: Bench) -> None:
    """A run before, in namespaces that were kept, asked for one that does not come; this one has its own."""
    asked = starting(bench)
    pod = bench.kube.objects["v1/Pod", "shop", "reviews-v1-x"]
    waiting = {"name": EPHEMERAL, "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    pod["spec"]["ephemeralContainers"] = [{"name": EPHEMERAL, "image": "unreachable.example/curl:1"}]
    pod.setdefault("status", {})["ephemeralContainerStatuses"] = [waiting]
    for _ in range(2):
        assert sources(bench).find("reviews-v1").container == f"{EPHEMERAL}-2"
    assert [container["image"] for container in asked] == [IMAGE]


def test_an_ephemeral_container_that_runs_is_used_whatever_its_image_is_called(bench: Bench) -> None:
    """Whoever admits pods may have written another mirror there."""
    asked = starting(bench)
    pod = bench.kube.objects["v1/Pod", "shop", "reviews-v1-x"]
    pod["spec"]["ephemeralContainers"] = [{"name": EPHEMERAL, "image": "elsewhere.example/curl:1"}]
    pod.setdefault("status", {})["ephemeralContainerStatuses"] = [{"name": EPHEMERAL, "state": {"running": {}}}]
    assert sources(bench).find("reviews-v1").container == EPHEMERAL
    assert asked == []


def test_an_ephemeral_container_that_has_ended_is_followed_by_another(bench: Bench) -> None:
    """Its name is taken for good; one that somebody else has put in is not ours."""
    starting(bench)
    pod = bench.kube.objects["v1/Pod", "shop", "reviews-v1-x"]
    pod["spec"]["ephemeralContainers"] = [{"name": name, "image": IMAGE} for name in ("debugger", EPHEMERAL)]
    ended = [{"name": EPHEMERAL, "state": {"terminated": {"exitCode": 137}}}, {"name": "debugger"}]
    pod.setdefault("status", {})["ephemeralContainerStatuses"] = ended
    assert sources(bench).find("reviews-v1").container == f"{EPHEMERAL}-2"


def test_nothing_is_added_to_a_namespace_that_is_not_ours(bench: Bench) -> None:
    """Not even when the pod has no other way to call."""
    with pytest.raises(BrokenEnvironment, match="its namespace does not belong to this run, so none may be added"):
        sources(bench, run="another").find("reviews-v1")


def test_a_twin_pod_stands_in_where_ephemeral_containers_are_refused(bench: Bench) -> None:
    """It has the same account, enrolment and wish for a sidecar, and no label that makes it part of the application."""
    pod = bench.kube.objects["v1/Pod", "shop", "reviews-v1-x"]
    meshed = {"istio.io/dataplane-mode": "none", "sidecar.istio.io/inject": "true", "istio.io/rev": "1-30"}
    pod["metadata"]["labels"] |= meshed

    def refuse(*arguments: object) -> dict[str, Any]:
        raise Invalid("ephemeral containers are disabled")

    bench.kube.patch = refuse  # type: ignore[method-assign, assignment]  # a double of a double
    apply = bench.kube.apply

    def ready(obj: dict[str, Any]) -> dict[str, Any]:
        return apply({**obj, "status": {"conditions": [{"type": "Ready", "status": "True"}]}})

    bench.kube.apply = ready  # type: ignore[method-assign, assignment]  # a double of a double
    found = sources(bench).find("reviews-v1")
    twin = bench.kube.objects["v1/Pod", "shop", "reviews-v1-twin"]
    assert (found.pod, found.container) == ("reviews-v1-twin", "curl")
    assert "ephemeral containers are disabled" in found.how
    assert twin["spec"]["serviceAccountName"] == "sa-reviews"
    assert twin["metadata"]["labels"] == meshed | {"pytest-ambient/twin-of": "reviews-v1"}


@pytest.mark.parametrize("ephemeral", [True, False])
def test_a_curl_whose_image_does_not_come_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, ephemeral: bool
) -> None:
    """In either place, with what helps."""
    monkeypatch.setattr(stuck, "PULLED_WITHIN", 0.1)
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such host"}}
    patch, apply = bench.kube.patch, bench.kube.apply

    def added(kind: str, name: str, namespace: str, body: dict[str, Any], *rest: str) -> dict[str, Any]:
        if not ephemeral:
            raise Invalid("ephemeral containers are disabled")
        (container,) = body["spec"]["ephemeralContainers"]
        status = {"name": container["name"], "image": container["image"], "state": waiting}
        return patch(kind, name, namespace, {**body, "status": {"ephemeralContainerStatuses": [status]}})

    def applied(obj: dict[str, Any]) -> dict[str, Any]:
        return apply({**obj, "status": {"containerStatuses": [{"name": "curl", "image": IMAGE, "state": waiting}]}})

    bench.kube.patch = added  # type: ignore[method-assign, assignment]  # a double of a double
    bench.kube.apply = applied  # type: ignore[method-assign, assignment]  # a double of a double
    name, what = ("reviews-v1-x", "curl in pod") if ephemeral else ("reviews-v1-twin", "twin pod")
    words = (
        rf"^{what} shop/{name}: gave up waiting .*; last: pod shop/{name} does not get image {IMAGE} for \d+ s: "
        "ErrImagePull: no such host: take images from a mirror with --ambient-hub, or bring this one to the nodes$"
    )
    with pytest.raises(NotInTime, match=words):
        Sources(bench.real, PLACES, RUN, image=IMAGE, within=10).find("reviews-v1")


SIDECAR = {"name": "istio-proxy", "securityContext": {"runAsUser": 1337}}
"""As the injector puts it before all others where they are to wait for it; its image has a curl."""


def test_a_sidecars_curl_is_never_used(bench: Bench) -> None:
    """Its user's calls go past the sidecar: they would leave as plaintext, under no identity."""
    spec = bench.kube.objects["v1/Pod", "shop", "details-v1-x"]["spec"]
    spec["containers"] = [SIDECAR, *spec["containers"]]
    assert sources(bench).find("details-v1").container == "details"


def test_curl_beside_a_sidecar_never_runs_as_its_user(bench: Bench) -> None:
    """That user is what the redirection of a pod leaves alone."""
    asked = starting(bench)
    spec = bench.kube.objects["v1/Pod", "shop", "reviews-v1-x"]["spec"]
    spec["containers"] = [SIDECAR, *spec["containers"]]
    sources(bench).find("reviews-v1")
    assert asked[0]["securityContext"]["runAsUser"] == 100


def test_a_pod_that_is_nothing_but_a_proxy_calls_as_that(bench: Bench) -> None:
    """A waypoint's or gateway's pod has no other container."""
    bench.kube.objects["v1/Pod", "shop", "details-v1-x"]["spec"]["containers"] = [SIDECAR]
    assert sources(bench).find("details-v1").container == "istio-proxy"


@pytest.mark.parametrize("version", [b"curl 7.82.0 (x)\n", b"curl 7.9.1\n"])
def test_too_old_a_curl_counts_as_none(bench: Bench, version: bytes) -> None:
    """Before 7.83 it can't print all headers."""
    bench.kube.run = lambda where, container, argv, stdin: Executed(version, b"", 0)
    with pytest.raises(BrokenEnvironment, match=r"has no curl of 7\.83 or newer"):
        sources(bench, run="another").find("details-v1")


def test_an_exec_that_gives_nothing_does_not_mean_that_curl_is_missing(bench: Bench) -> None:
    """It is asked again; an ephemeral container can't be taken back."""
    answers = iter([Executed(b"", b"", 0), Executed(b"", b"", 0), Executed(b"curl 8.5.0\n", b"", None, "lost")])
    bench.kube.run = lambda where, container, argv, stdin: next(answers)
    assert sources(bench).find("details-v1").how == "own curl 8.5.0 (details)"
    bench.kube.run = lambda where, container, argv, stdin: Executed(b"", b"", 0)
    with pytest.raises(Inconclusive, match="curl --version gave nothing, 3 times"):
        sources(bench).find("details-v1")


def test_a_missing_curl_is_believed_without_an_exit_status(bench: Bench) -> None:
    """Where endings get lost, the shell says it on standard output."""

    def lossy(where: str, container: str, argv: Sequence[str], stdin: bytes | None) -> Executed:
        return Executed(b"no curl here\n" if argv[0] == "sh" else b"", b"", None, "lost")

    bench.kube.run = lossy
    with pytest.raises(BrokenEnvironment, match="has no curl"):
        sources(bench, run="another").find("details-v1")


def test_a_source_is_chosen_once_until_it_is_forgotten(bench: Bench) -> None:
    """Its curl is looked for once; a pod that is gone is replaced by another."""
    found = sources(bench)
    first = found.find("details-v1")
    pod = bench.kube.objects.pop(("v1/Pod", "shop", "details-v1-x"))
    bench.kube.objects["v1/Pod", "shop", "details-v1-y"] = {
        **pod,
        "metadata": {**pod["metadata"], "name": "details-v1-y"},
    }
    assert found.find("details-v1") is first
    found.forget("details-v1")
    assert found.find("details-v1").pod == "details-v1-y"


def test_an_unknown_place_is_a_mistake(bench: Bench) -> None:
    """Only the three namespaces of a run have words."""
    with pytest.raises(Misuse, match="unknown place 'mars', known are other, outside"):
        sources(bench).find("mars/curl")


@pytest.mark.parametrize("selector", [{}, {"matchLabels": {"app": "x"}, "matchExpressions": [{"key": "a"}]}])
def test_a_selector_that_is_not_understood_picks_no_pod(bench: Bench, selector: dict[str, Any]) -> None:
    """Any pod of the namespace would be taken for the workload's, and its identity for the case's."""
    bench.kube.objects["apps/v1/Deployment", "shop", "details-v1"]["spec"]["selector"] = selector
    with pytest.raises(
        Misuse, match="workload 'details-v1' in namespace shop does not select its pods by matchLabels alone"
    ):
        sources(bench).find("details-v1")


@pytest.mark.parametrize("twin", [True, False])
def test_what_a_node_said_last_stands_in_the_end_of_a_wait(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, twin: bool
) -> None:
    """Of a twin pod, and of a source that has no pod that is Ready."""
    monkeypatch.setattr(unstarted, "ASKED_AFTER", 0.0)
    waiting = [{"name": "curl", "state": {"waiting": {"reason": "ContainerCreating"}}}]
    creating = {"spec": {"nodeName": "n"}, "status": {"containerStatuses": waiting}}
    name = "reviews-v1-twin" if twin else "reviews-v1-x"
    event = {"reason": "FailedCreatePodSandBox", "message": "no ztunnel", "involvedObject": {"name": name}}
    bench.kube.objects["v1/Event", "shop", "e"] = {"metadata": {"name": "e", "namespace": "shop"}, **event}
    apply = bench.kube.apply

    def refuse(*arguments: object) -> dict[str, Any]:
        raise Invalid("ephemeral containers are disabled")

    bench.kube.patch = refuse  # type: ignore[method-assign, assignment]  # a double of a double
    bench.kube.apply = lambda obj: apply(obj | creating)  # type: ignore[method-assign, assignment, misc]  # as above
    if not twin:
        bench.kube.objects["v1/Pod", "shop", name] |= creating
    seen = "not Ready" if twin else "1 pods, none of them Ready"
    words = f"last: {seen}; pod shop/{name}: FailedCreatePodSandBox: no ztunnel$"
    with pytest.raises(NotInTime, match=words):
        sources(bench).find("reviews-v1")
