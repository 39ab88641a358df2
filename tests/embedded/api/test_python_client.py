"""The Python client: typed and dynamic calls, watches, exec, port-forward."""

import contextlib
import gc
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config, dynamic, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import portforward, stream

from pytest_ambient.embedded.api.store import find

from .world import World, deployment, job, pod, running_status

# The client leaves the connections of watches and port-forwards that ended to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

GROUP = ("gateway.networking.k8s.io", "v1", "default", "httproutes")


@pytest.fixture
def api(world: World) -> Iterator[Any]:
    """An ApiClient of the administrator."""
    load: Any = config.new_client_from_config
    with load(str(world.kubeconfig)) as made:
        yield made
    gc.collect()


@pytest.fixture
def running_pod(world: World) -> str:
    """The name of a pod that runs."""
    if world.call(world.store.get, find("Pod"), "p", "default") is None:
        world.call(world.store.create, find("Pod"), pod("p", app="p"))
        world.call(world.store.set_status, find("Pod"), "p", "default", running_status())
    return "p"


def of(kind: Any, api: Any) -> Any:
    """A part of the client, untyped: it takes dictionaries where its hints ask for models."""
    return kind(api)


def test_typed_objects_come_and_go(api: Any) -> None:
    """Typed creation, reading, patching, scaling and deletion answer what the client's models expect."""
    apps = of(client.AppsV1Api, api)
    made = apps.create_namespaced_deployment("default", deployment())
    assert made.spec.strategy.rolling_update.max_surge == "25%"
    patched = apps.patch_namespaced_deployment("web", "default", {"spec": {"replicas": 3}})
    assert patched.metadata.generation == 2
    scale = apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 4}})
    assert scale.spec.replicas == 4
    assert [each.metadata.name for each in apps.list_namespaced_deployment("default").items] == ["web"]
    assert apps.delete_namespaced_deployment("web", "default")["status"] == "Success"


@pytest.mark.parametrize(
    ("kind", "zero"),
    [
        ("deployment", {}),
        ("replica_set", {"replicas": 0}),
        ("stateful_set", {"replicas": 0, "available_replicas": 0}),
        (
            "daemon_set",
            {
                "current_number_scheduled": 0,
                "desired_number_scheduled": 0,
                "number_misscheduled": 0,
                "number_ready": 0,
            },
        ),
    ],
)
def test_new_workloads_have_a_status(api: Any, kind: str, zero: dict[str, int]) -> None:
    """A workload that nobody has looked at yet has a status, with the numbers that its kind always has."""
    apps, body = of(client.AppsV1Api, api), deployment("fresh")
    body["kind"] = kind.title().replace("_", "")
    if kind == "daemon_set":
        del body["spec"]["replicas"]
    made = getattr(apps, f"create_namespaced_{kind}")("default", body)
    read = getattr(apps, f"read_namespaced_{kind}")("fresh", "default")
    for status in (made.status, read.status):
        assert {key: value for key, value in status.to_dict().items() if value is not None} == zero


def test_a_new_job_has_a_status(api: Any) -> None:
    """A Job that nobody has looked at yet has a status without numbers."""
    made = of(client.BatchV1Api, api).create_namespaced_job("default", job("fresh"))
    assert (made.status.active, made.status.succeeded) == (None, None)


def test_a_replaced_status_keeps_its_numbers(api: Any) -> None:
    """A status that is written without the numbers that its kind always has gets them."""
    apps = of(client.AppsV1Api, api)
    body = deployment("rewritten") | {"kind": "DaemonSet"}
    del body["spec"]["replicas"]
    apps.create_namespaced_daemon_set("default", body)
    patch = [{"op": "replace", "path": "/status", "value": {"numberReady": 1}}]
    status = apps.patch_namespaced_daemon_set_status("rewritten", "default", patch).status
    assert (status.number_ready, status.desired_number_scheduled) == (1, 0)


def test_pods_and_services_are_returned_when_deleted(api: Any, world: World) -> None:
    """A deleted pod or Service comes back as itself, as the models expect."""
    core = of(client.CoreV1Api, api)
    core.create_namespaced_pod("default", pod("gone"))
    assert core.delete_namespaced_pod("gone", "default").metadata.deletion_grace_period_seconds == 30
    world.call(world.store.delete, find("Pod"), "gone", "default", grace=0)
    core.create_namespaced_service("default", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    assert core.delete_namespaced_service("s", "default").metadata.name == "s"


def test_errors_carry_their_status(api: Any) -> None:
    """404, 409 and 422 arrive as ApiException with the Status as body."""
    core = of(client.CoreV1Api, api)
    with pytest.raises(ApiException) as missing:
        core.read_namespaced_config_map("nope", "default")
    core.create_namespaced_config_map("default", {"metadata": {"name": "dup"}})
    with pytest.raises(ApiException) as taken:
        core.create_namespaced_config_map("default", {"metadata": {"name": "dup"}})
    with pytest.raises(ApiException) as invalid:
        core.create_namespaced_config_map("default", {"metadata": {"name": "No"}})
    assert [each.value.status for each in (missing, taken, invalid)] == [404, 409, 422]
    assert '"reason":"AlreadyExists"' in str(taken.value.body)


def test_custom_objects(api: Any) -> None:
    """Custom objects can be created, patched by merge, and their status replaced."""
    custom = of(client.CustomObjectsApi, api)
    body = {
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "r"},
        "spec": {"parentRefs": [{"name": "g"}]},
    }  # fmt: skip
    made = custom.create_namespaced_custom_object(*GROUP, body)
    assert made["spec"]["parentRefs"][0]["kind"] == "Gateway"
    assert len(custom.list_namespaced_custom_object(*GROUP)["items"]) == 1
    custom.delete_namespaced_custom_object(*GROUP, "r")


def test_dynamic_client_applies(api: Any) -> None:
    """The dynamic client finds kinds by discovery and applies server-side."""
    found = of(dynamic.DynamicClient, api).resources.get(api_version="apps/v1", kind="Deployment")
    body = deployment("applied")
    found.server_side_apply(body=body, field_manager="tests")
    body["spec"]["replicas"] = 5
    again = found.server_side_apply(body=body, field_manager="tests")
    assert (again.spec.replicas, again.metadata.generation) == (5, 2)
    assert [each.manager for each in again.metadata.managedFields] == ["tests"]
    found.delete(name="applied", namespace="default")


def test_watch_goes_on_from_a_list(api: Any, world: World) -> None:
    """Changes after a list's version come, in order, and the watch ends in time."""
    core = of(client.CoreV1Api, api)
    version = core.list_namespaced_config_map("default").metadata.resource_version
    core.create_namespaced_config_map("default", {"metadata": {"name": "w"}})
    core.patch_namespaced_config_map("w", "default", {"data": {"a": "b"}})
    core.delete_namespaced_config_map("w", "default")
    watching: Any = watch.Watch
    events = watching().stream(
        core.list_namespaced_config_map, "default", resource_version=version, timeout_seconds=1
    )  # fmt: skip
    assert [each["type"] for each in events] == ["ADDED", "MODIFIED", "DELETED"]


def test_watch_from_too_far_back_is_gone(api: Any) -> None:
    """A watch from a forgotten version raises 410."""
    core = of(client.CoreV1Api, api)
    watching: Any = watch.Watch
    events = watching().stream(core.list_namespaced_config_map, "default", resource_version="1", timeout_seconds=5)
    with pytest.raises(ApiException) as gone:
        list(events)
    assert gone.value.status == 410


def test_exec(api: Any, running_pod: str) -> None:
    """Output, input and exit code go through the client's stream."""
    core = of(client.CoreV1Api, api)
    session = stream(
        core.connect_get_namespaced_pod_exec, running_pod, "default",
        command=["sh", "-c", "read x; echo got $x; exit 7"],
        stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False,
    )  # fmt: skip
    session.write_stdin("hello\n")
    session.run_forever(timeout=10)
    assert (session.read_stdout(), session.returncode) == ("got hello\n", 7)
    session.close()


def test_port_forward(api: Any, running_pod: str, web_port: int) -> None:
    """Bytes go through the client's port-forward."""
    core = of(client.CoreV1Api, api)
    forward = portforward(core.connect_get_namespaced_pod_portforward, running_pod, "default", ports=str(web_port))
    with contextlib.closing(forward.socket(web_port)) as connection:
        connection.settimeout(10)
        connection.sendall(b"GET /x HTTP/1.0\r\n\r\n")
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert received.endswith(b"/x" * 10_000)
    assert forward.error(web_port) is None


def test_logs(api: Any, world: World, running_pod: str) -> None:
    """Logs come as text."""
    world.kubelet.wrote(running_pod, "main", "one", "two")
    core = of(client.CoreV1Api, api)
    assert core.read_namespaced_pod_log(running_pod, "default") == "one\ntwo\n"
    assert core.read_namespaced_pod_log(running_pod, "default", tail_lines=1) == "two\n"


def test_typed_lists_of_every_kind_are_read(api: Any) -> None:
    """The client's models take what the server says of nodes, events, roles, slices, leases and definitions."""
    calls = (
        of(client.CoreV1Api, api).list_node, of(client.CoreV1Api, api).list_event_for_all_namespaces,
        of(client.CoreV1Api, api).list_namespace, of(client.RbacAuthorizationV1Api, api).list_cluster_role,
        of(client.DiscoveryV1Api, api).list_endpoint_slice_for_all_namespaces,
        of(client.CoordinationV1Api, api).list_lease_for_all_namespaces,
        of(client.ApiextensionsV1Api, api).list_custom_resource_definition,
        of(client.NetworkingV1Api, api).list_network_policy_for_all_namespaces,
    )  # fmt: skip
    for call in calls:
        assert call().metadata.resource_version
    assert of(client.VersionApi, api).get_code().git_version == "v1.34.4"


def test_access_reviews(api: Any) -> None:
    """An access review says whether the caller may."""
    attributes = client.V1ResourceAttributes(verb="create", resource="pods", namespace="default")
    review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes))
    assert of(client.AuthorizationV1Api, api).create_self_subject_access_review(review).status.allowed is True
