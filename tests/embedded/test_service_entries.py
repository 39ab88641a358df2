"""ServiceEntries as a user of kubectl meets them: a whole cluster, names as captured pods see them, and refusals."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ambient.embedded.objects import Object

from .test_cluster import kubectl, ready, running

OBJECTS = Path(__file__).parent / "service_entries.yaml"
QUICK = ("-sS", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cluster with callers inside and outside of the mesh, an echo, and entries that lead to it."""
    folder = tmp_path_factory.mktemp("state")
    with running(folder) as process:
        ready(folder, process)
        kubectl(folder, "apply", "-f", str(OBJECTS))
        for space in ("shop", "outside"):
            kubectl(folder, "wait", "-n", space, "--for=condition=Available", "deploy", "--all", "--timeout=60s")
        kubectl(folder, "wait", "-n", "shop", "--for=jsonpath={.status.addresses}", "se", "--all", "--timeout=20s")
        address = kubectl(folder, "get", "pod", "-n", "outside", "-l", "app=echo", "-o", "jsonpath={..podIP}")
        apply(folder, entry("given", workloadSelector={"labels": {"app": "echo"}}, addresses=["10.77.0.1"]))
        apply(folder, entry("by-address", endpoints=[{"address": address}]))
        yield folder


def entry(name: str, **spec: object) -> Object:
    """A ServiceEntry of resolution STATIC, port 80."""
    ports = [{"name": "http", "number": 80, "protocol": "HTTP", "targetPort": 8080}]
    spec = {"hosts": [f"{name}.example"], "resolution": "STATIC", "ports": ports, **spec}
    meta = {"name": name, "namespace": "shop"}
    return {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": meta, "spec": spec}


def apply(state: Path, item: Object) -> subprocess.CompletedProcess[str]:
    """What kubectl says to its `apply`."""
    command = ["kubectl", "--kubeconfig", str(state / "kubeconfig"), "apply", "-f", "-"]
    return subprocess.run(command, input=json.dumps(item), capture_output=True, text=True, check=False, timeout=60)


def call(state: Path, space: str, url: str, *options: str) -> str:
    """What the namespace's curl says: the status, or `exit CODE`."""
    words = ["exec", "-n", space, "deploy/curl", "--", "curl", *QUICK, *options, url]
    command = ["kubectl", "--kubeconfig", str(state / "kubeconfig"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout if done.returncode == 0 else f"exit {done.returncode}"


def becomes(state: Path, space: str, url: str, wanted: str, *options: str) -> None:
    """Wait until that is what it says."""
    deadline = time.monotonic() + 15
    while (said := call(state, space, url, *options)) != wanted:
        assert time.monotonic() < deadline, f"{url}: {said}"
        time.sleep(0.1)


@pytest.mark.parametrize(
    "url",
    [
        "http://selected.example/get",
        "http://selected.example:81/get",
        "http://second.example/get",
        "http://by-name.example/get",
        "http://given.example/get",
        "http://10.77.0.1/get",
        "http://by-address.example/get",
        "http://echo.outside.svc.cluster.local:8000/get",
    ],
)
def test_a_captured_pod_reaches_what_an_entry_names(state: Path, url: str) -> None:
    """By selector, written endpoints, a Service's name, and addresses, on every port."""
    becomes(state, "shop", url, "200")


@pytest.mark.parametrize("host", ["selected.example", "by-name.example", "given.example"])
def test_nobody_else_knows_the_names(state: Path, host: str) -> None:
    """A pod outside of the mesh is told that there is no such name."""
    assert call(state, "outside", f"http://{host}/get") == "exit 6"


def test_a_port_that_it_has_not_leads_nowhere(state: Path) -> None:
    """ztunnel takes the connection and ends it."""
    becomes(state, "shop", "http://selected.example/get", "200")
    assert call(state, "shop", "http://selected.example:82/get") in ("exit 52", "exit 56")


def test_a_name_that_no_resolver_knows(state: Path) -> None:
    """It has an address in the mesh; the connection ends when nobody can say where it leads."""
    becomes(state, "shop", "http://nowhere.invalid/get", "exit 52", "-m", "3")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"resolution": "NONE"}, "does not implement ServiceEntries of resolution NONE, only of STATIC, DNS and"),
        ({"resolution": "NO"}, 'Unsupported value: "NO": supported values: "NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN"'),
        ({"endpoints": [{"address": "x.example"}]}, 'endpoint address "x.example" is not a valid IP address'),
        ({"hosts": []}, "spec.hosts in body should have at least 1 items"),
    ],
)
def test_what_is_refused(state: Path, spec: Object, said: str) -> None:
    """By the API, by Istio's webhook, or because nothing here carries it out."""
    assert said in apply(state, entry("wrong", **spec)).stderr


def test_what_get_and_status_say(state: Path) -> None:
    """Columns, and the addresses that istiod gave, one of each family for each host."""
    head = kubectl(state, "get", "serviceentries", "-n", "shop").splitlines()[0]
    assert head.split() == ["NAME", "HOSTS", "LOCATION", "RESOLUTION", "AGE"]
    shown = kubectl(state, "get", "se", "-n", "shop", "two", "--no-headers").split()
    assert shown[:4] == ["two", '["selected.example","second.example"]', "MESH_INTERNAL", "STATIC"]
    status = json.loads(kubectl(state, "get", "se", "-n", "shop", "two", "-o", "json"))["status"]
    assert [each["host"] for each in status["addresses"]] == ["selected.example"] * 2 + ["second.example"] * 2
    assert [each["value"].startswith("240.240.0.") for each in status["addresses"]] == [True, False] * 2
    given = json.loads(kubectl(state, "get", "se", "-n", "shop", "given", "-o", "json"))
    assert "addresses" not in given.get("status", {})
