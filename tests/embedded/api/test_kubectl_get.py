"""kubectl get, explain, describe and discovery: what people see."""

import json
import re

import pytest

from pytest_ambient.embedded.api.store import find
from pytest_ambient.embedded.objects import Object

from .world import World, deployment, pod, running_status

NODE = {
    "metadata": {"name": "n1", "labels": {"node-role.kubernetes.io/control-plane": ""}},
    "status": {
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}],
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "capacity": {"cpu": "2", "memory": "1Gi"},
        "nodeInfo": {
            "kubeletVersion": "v1.34.4",
            "osImage": "here",
            "kernelVersion": "6",
            "containerRuntimeVersion": "x://1",
        },
    },
}
ROUTE = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "route", "namespace": "default"},
    "spec": {"hostnames": ["a.example", "b.example"], "parentRefs": [{"group": "", "kind": "Service", "name": "s"}]},
}

ENTRY = {
    "metadata": {"name": "far", "namespace": "default"},
    "spec": {"hosts": ["far.example"], "location": "MESH_INTERNAL", "resolution": "STATIC"},
}

GATEWAY = {
    "metadata": {"name": "gate", "namespace": "default"},
    "spec": {"gatewayClassName": "istio-waypoint", "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}]},
}


@pytest.fixture(scope="module", autouse=True)
def populated(world: World) -> None:
    """A few objects of most kinds."""
    store = world.store
    world.call(store.create, find("Node"), NODE)
    world.call(store.create, find("Pod"), pod("busy", "main", "side", app="busy"))
    world.call(store.set_status, find("Pod"), "busy", "default", running_status("main", "side"))
    world.call(store.create, find("Pod"), pod("new", app="new"))
    for number in range(7):
        world.call(
            store.create,
            find("ConfigMap"),
            {"metadata": {"name": f"c{number}", "namespace": "default", "labels": {"n": str(number % 2)}}},
        )
    world.call(store.create, find("HTTPRoute", "gateway.networking.k8s.io"), ROUTE)
    world.call(store.create, find("ServiceEntry", "networking.istio.io"), ENTRY)
    gateways = find("Gateway", "gateway.networking.k8s.io")
    made = world.call(world.store.create, gateways, GATEWAY)
    addresses = [{"value": "127.64.200.1"}, {"value": "gate.default.svc.cluster.local"}]
    world.call(world.store.set_status, gateways, "gate", "default", made["status"] | {"addresses": addresses})
    status = {"observedGeneration": 1, "replicas": 2, "readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1}
    world.kubectl("create", "-f", "-", stdin=json.dumps(deployment("seen")))
    world.call(store.set_status, find("Deployment", "apps"), "seen", "default", status)


def rows(text: str) -> list[list[str]]:
    """A printed table, cells told apart by two blanks, ages taken out."""
    return [re.sub(r"\b\d+s\b", "AGE", line).split() for line in text.splitlines()]


def test_pods(world: World) -> None:
    """Pods show how many containers are ready and what the pod is doing."""
    assert rows(world.kubectl("get", "pods"))[:2] == [
        ["NAME", "READY", "STATUS", "RESTARTS", "AGE"],
        ["busy", "2/2", "Running", "0", "AGE"],
    ]
    wide = world.kubectl("get", "pods", "new", "-o", "wide").splitlines()
    assert wide[0].split("   ")[-1].strip() == "READINESS GATES"
    assert wide[1].split()[-4:] == ["<none>", "n1", "<none>", "<none>"]


@pytest.mark.parametrize(
    ("kind", "head", "row"),
    [
        ("nodes", "NAME STATUS ROLES AGE VERSION", "n1 Ready control-plane AGE v1.34.4"),
        ("deploy", "NAME READY UP-TO-DATE AVAILABLE AGE", "seen 1/2 2 1 AGE"),
        ("ns", "NAME STATUS AGE", "default Active AGE"),
        ("cm", "NAME DATA AGE", "c0 0 AGE"),
        ("sa", "NAME SECRETS AGE", "default 0 AGE"),
        ("httproute", "NAME HOSTNAMES AGE", 'route ["a.example","b.example"] AGE'),
        ("gtw", "NAME CLASS ADDRESS PROGRAMMED AGE", "gate istio-waypoint 127.64.200.1 Unknown AGE"),
        ("se", "NAME HOSTS LOCATION RESOLUTION AGE", 'far ["far.example"] MESH_INTERNAL STATIC AGE'),
        ("crd", "NAME CREATED AT", "authorizationpolicies.security.istio.io"),
    ],
)  # fmt: skip
def test_columns(world: World, kind: str, head: str, row: str) -> None:
    """Each kind has the columns of a real cluster."""
    printed = rows(world.kubectl("get", kind))
    assert [" ".join(cells) for cells in printed[:1]] == ([head] if head else [])
    assert not row or " ".join(printed[1]).startswith(row)


def test_all_is_a_category(world: World) -> None:
    """`get all` shows pods and workloads under their names."""
    names = world.kubectl("get", "all", "-o", "name").split()
    assert names == ["pod/busy", "pod/new", "deployment.apps/seen"]


def test_selectors(world: World) -> None:
    """Label and field selectors choose."""
    assert world.kubectl("get", "cm", "-l", "n=1", "-o", "name").split() == [
        "configmap/c1",
        "configmap/c3",
        "configmap/c5",
    ]
    assert world.kubectl("get", "cm", "-l", "n notin (0,2)", "-o", "name").split()[0] == "configmap/c1"
    assert world.kubectl("get", "pods", "--field-selector", "status.phase!=Running", "-o", "name") == "pod/new\n"
    assert (
        world.kubectl("get", "pods", "--field-selector=spec.nodeName=n1,metadata.name=busy", "-o", "name")
        == "pod/busy\n"
    )
    assert "field label not supported" in world.kubectl("get", "cm", "--field-selector", "data=1", code=1)


def test_pages_make_one_list(world: World) -> None:
    """A list in pages of two is the list."""
    assert world.kubectl("get", "cm", "--chunk-size=2", "-o", "name") == world.kubectl("get", "cm", "-o", "name")
    page = json.loads(world.kubectl("get", "--raw", "/api/v1/namespaces/default/configmaps?limit=3"))
    assert (len(page["items"]), page["metadata"]["remainingItemCount"]) == (3, 4)


def test_output_forms(world: World) -> None:
    """yaml, jsonpath, custom columns, sorting and label columns work on what is answered."""
    assert world.kubectl("get", "pod", "busy", "-o", "jsonpath={.status.phase}") == "Running"
    assert world.kubectl("get", "pod", "busy", "-o", "custom-columns=N:.metadata.name") == "N\nbusy\n"
    assert world.kubectl("get", "cm", "-L", "n").splitlines()[1].split()[-1] == "0"
    assert world.kubectl("get", "cm", "--sort-by=.metadata.labels.n", "-o", "name").split()[0] == "configmap/c0"
    assert "kind: Pod" in world.kubectl("get", "pod", "busy", "-o", "yaml")


def test_discovery(world: World) -> None:
    """Groups, kinds, short names and versions are found; the version is the one that is told."""
    kinds = world.kubectl("api-resources", "--api-group=gateway.networking.k8s.io", "--no-headers")
    assert rows(kinds)[0] == ["gatewayclasses", "gc", "gateway.networking.k8s.io/v1", "false", "GatewayClass"]
    assert "security.istio.io/v1\n" in world.kubectl("api-versions")
    assert json.loads(world.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"] == "v1.34.4"
    assert world.kubectl("get", "--raw", "/readyz") == "ok"
    assert "is running at https://127.0.0.1" in world.kubectl("cluster-info")
    assert "Metrics API not available" in world.kubectl("top", "pods", code=1)


def test_both_forms_of_discovery_agree(world: World) -> None:
    """What aggregated discovery tells is what the single lists tell."""
    single = json.loads(world.kubectl("get", "--raw", "/apis/apps/v1"))
    names = [each["name"] for each in single["resources"] if "/" not in each["name"]]
    assert names == ["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"]
    groups = json.loads(world.kubectl("get", "--raw", "/apis"))["groups"]
    assert {each["name"] for each in groups} >= {"apps", "security.istio.io", "rbac.authorization.k8s.io"}


def test_explain(world: World) -> None:
    """explain knows built-in and custom kinds."""
    assert "maxSurge\t<IntOrString>" in world.kubectl("explain", "deployment.spec.strategy.rollingUpdate")
    shown = world.kubectl("explain", "authorizationpolicy.spec.rules.from.source")
    assert "notPrincipals\t<[]string>" in shown
    assert "ENUM:\n    ALLOW\n    DENY\n" in world.kubectl("explain", "authorizationpolicy.spec.action")
    assert "targetPort\t<integer>" in world.kubectl("explain", "se.spec.ports", "--api-version=networking.istio.io/v1")


@pytest.mark.parametrize("what", ["pod/busy", "deploy/seen", "node/n1", "ns/default", "httproute/route", "crd"])
def test_describe(world: World, what: str) -> None:
    """describe reads each kind and its events."""
    assert "Name:" in world.kubectl("describe", what)


def test_events_are_found_by_their_object(world: World) -> None:
    """Events show in `events`, in `get events` and in describe."""
    about = {
        "kind": "Pod",
        "namespace": "default",
        "name": "busy",
        "apiVersion": "v1",
        "uid": world.get("Pod", "busy")["metadata"]["uid"],
    }
    event: Object = {
        "metadata": {"name": "busy.1", "namespace": "default"}, "involvedObject": about, "reason": "Started",
        "message": "Started container main", "type": "Normal", "count": 1, "source": {"component": "kubelet"},
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    world.call(world.store.create, find("Event"), event)
    assert "Started container main" in world.kubectl("describe", "pod", "busy")
    assert "Pod/busy" in world.kubectl("events", "--for", "pod/busy")
    assert world.kubectl("get", "events").splitlines()[1].split()[1:4] == ["Normal", "Started", "pod/busy"]


def test_missing_things_are_named(world: World) -> None:
    """What is not there is named as usual."""
    assert 'pods "nope" not found' in world.kubectl("get", "pod", "nope", code=1)
    assert 'the server doesn\'t have a resource type "wasmplugins"' in world.kubectl("get", "wasmplugins", code=1)
