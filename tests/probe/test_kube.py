"""The door to the API, against the embedded API on the wire."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3

from pytest_ambient._kube import Kube
from pytest_ambient._kube_rest import cause
from pytest_ambient.embedded.faults import Fault
from pytest_ambient.errors import BrokenEnvironment, Conflict, ExecFailed, Invalid, KubeError, NotFound, ServerGone
from tests.probe.wire import POD, Wire, page, shop

POLICY = "security.istio.io/v1/AuthorizationPolicy"


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """An API server with a namespace and a pod that runs."""
    with shop(tmp_path_factory.mktemp("wire")) as made:
        yield made


@pytest.fixture
def kube(wire: Wire) -> Kube:
    """Its client."""
    return wire.kube


def config(name: str, data: dict[str, str], **labels: str) -> dict[str, Any]:
    """A ConfigMap."""
    meta = {"name": name, "namespace": "shop", "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def test_objects_are_applied_found_and_deleted(kube: Kube) -> None:
    """By kind and name, by labels, in one namespace or everywhere; lists carry their kind."""
    kube.apply(config("one", {"a": "1"}, app="x"))
    kube.apply(config("two", {"a": "2"}, app="y"))
    assert (kube.get("v1/ConfigMap", "one", "shop") or {})["data"] == {"a": "1"}
    (found,) = kube.list("v1/ConfigMap", labels="app=y")
    assert (found["kind"], found["apiVersion"], found["metadata"]["name"]) == ("ConfigMap", "v1", "two")
    kube.delete("v1/ConfigMap", "two", "shop", wait=5)
    assert kube.get("v1/ConfigMap", "two", "shop") is None
    kube.delete("v1/ConfigMap", "two", "shop", wait=5)


def test_what_is_rehearsed_is_completed_and_not_kept(kube: Kube) -> None:
    """The API server gives it as it would be, or refuses it as it would."""
    assert kube.rehearse({**POD, "metadata": {"name": "b", "namespace": "shop"}})["spec"]["restartPolicy"] == "Always"
    assert kube.get("v1/Pod", "b", "shop") is None
    with pytest.raises(NotFound, match=r"nowhere"):
        kube.rehearse({**POD, "metadata": {"name": "b", "namespace": "nowhere"}})


def test_what_is_not_there_is_none_and_what_cannot_be_is_an_error(kube: Kube) -> None:
    """An absent object is an answer, an unknown kind is none."""
    assert kube.get(POLICY, "none", "shop") is None
    with pytest.raises(NotFound, match=r"the cluster has no kind example.org/v1/Thing"):
        kube.get("example.org/v1/Thing", "none")


def test_refusals_have_their_kind_and_the_servers_words(kube: Kube) -> None:
    """Each KubeError says what was asked."""
    with pytest.raises(
        Invalid, match=r"field not declared in schema \(PATCH /api/v1/namespaces/shop/configmaps/bad: 500\)"
    ):
        kube.apply({**config("bad", {}), "datum": 1})
    kube.apply(config("owned", {"a": "1"}), field_manager="somebody")
    with pytest.raises(Conflict, match="somebody"):
        kube.apply(config("owned", {"a": "2"}))
    with pytest.raises(NotFound):
        kube.patch("v1/ConfigMap", "nowhere", "shop", {"data": {}})


def test_the_servers_clock_is_known(kube: Kube) -> None:
    """To about a second, since its answers carry their date; this one runs on our own clock."""
    assert abs(kube.ahead()) < 1.5


def test_patches_merge(kube: Kube) -> None:
    """A merge patch removes by null."""
    kube.apply(config("patched", {"a": "1", "b": "2"}))
    assert kube.patch("v1/ConfigMap", "patched", "shop", {"data": {"a": None}})["data"] == {"b": "2"}


def test_many_threads_share_one_client(kube: Kube) -> None:
    """Reads and execs at once, each with its own answer."""

    def ask(number: int) -> bytes:
        assert kube.get("v1/Namespace", "shop") is not None
        return kube.exec("shop", "a", "main", ["sh", "-c", f"echo {number}"], timeout=10).stdout

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(40))) == [f"{number}\n".encode() for number in range(40)]


def test_an_exec_gives_both_streams_and_the_status(kube: Kube) -> None:
    """A failing command is an answer like any other."""
    done = kube.exec("shop", "a", "main", ["sh", "-c", "echo out; echo err >&2; exit 7"], timeout=10)
    assert (done.stdout, done.stderr, done.status) == (b"out\n", b"err\n", 7)


def test_an_exec_reads_standard_input_to_its_end(kube: Kube) -> None:
    """More than one frame of it, over the protocol that can end it."""
    text = b"x" * 100_000
    assert kube.exec("shop", "a", "main", ["wc", "-c"], stdin=text, timeout=10).stdout.strip() == b"100000"


def test_an_exec_that_takes_too_long_is_lost(kube: Kube) -> None:
    """Its deadline is kept, and what it said until then is there."""
    done = kube.exec("shop", "a", "main", ["sh", "-c", "echo early; sleep 5"], timeout=0.5)
    assert (done.stdout, done.status) == (b"early\n", None)
    assert "no end within 0.5 s" in done.error


def test_a_missing_program_and_a_missing_pod_are_told_apart(kube: Kube) -> None:
    """The one proves that it is not there, the other that the pod is gone."""
    try:
        done = kube.exec("shop", "a", "main", ["no-such-program"], timeout=10)
        words = done.error + done.stderr.decode()
        assert done.status != 0
    except ExecFailed as error:
        words = str(error)
    assert "executable file not found" in words
    with pytest.raises(NotFound):
        kube.exec("shop", "gone", "main", ["true"], timeout=10)


def test_logs_come_since_a_moment(wire: Wire) -> None:
    """Or the last lines."""
    wire.kubelet.wrote("a", "main", "one", "two", "three")
    assert wire.kube.logs("shop", "a", "main", tail=1) == "three\n"
    assert wire.kube.logs("shop", "a", "main", since_time="2020-01-01T00:00:00Z").count("\n") == 3
    assert wire.kube.logs("shop", "a", "main", since_time="2099-01-01T00:00:00Z") == ""


def test_a_pods_own_port_is_read_through_a_port_forward(kube: Kube) -> None:
    """Large answers whole; what is no 200 is an error; so is a port where nobody listens."""
    with page({"policies": ["x" * 200_000]}) as port:
        assert len(kube.pod_http("shop", "a", port, "/config_dump")) > 200_000
        with pytest.raises(KubeError, match="answered 404"):
            kube.pod_http("shop", "a", port, "/nothing")
    with pytest.raises(KubeError):
        kube.pod_http("shop", "a", port, "/config_dump")


def test_rights_and_version(kube: Kube) -> None:
    """An administrator may do all."""
    assert kube.can("create", "pods/exec", "shop")
    assert kube.server_version() == "v1.34.4"


def test_a_dead_server_is_told_in_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Address and reason, for objects and for execs, without a traceback's worth of text or anybody's log."""
    wire = Wire(tmp_path)
    wire.stop()
    for act in (
        lambda: wire.kube.get("v1/Namespace", "shop"),
        lambda: wire.kube.exec("shop", "a", "main", ["true"], timeout=5),
    ):
        with pytest.raises(ServerGone, match=rf"no answer from the API server at {wire.url}: .*[Rr]efused") as caught:
            act()
        assert len(str(caught.value)) < 200
    assert caplog.messages == []
    wire.close()


def test_a_connection_that_broke_is_tried_once_more(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kept connection that the server has closed meanwhile costs nothing."""
    kube = Kube(wire.path, "wire")
    kube.get("v1/Namespace", "shop")
    send, broken = urllib3.connection.HTTPSConnection.request, [True]

    def once(*given: Any, **words: Any) -> None:
        if broken and broken.pop():
            raise ConnectionResetError
        send(*given, **words)

    monkeypatch.setattr(urllib3.connection.HTTPSConnection, "request", once)
    assert kube.get("v1/Namespace", "shop") is not None
    assert broken == []
    kube.close()


CAUSES = {
    "HTTPSConnection(host='127.0.0.1', port=1): Failed to establish a new connection": "Failed to establish a new "
    "connection",
    "<urllib3.connection.HTTPSConnection object at 0x7f>: Failed: refused": "Failed: refused",
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: x (_ssl.c:1)": "[SSL: CERTIFICATE_VERIFY_FAILED] "
    "certificate verify failed: x (_ssl.c:1)",
}


@pytest.mark.parametrize(("text", "reason"), CAUSES.items())
def test_the_reason_of_a_broken_connection_is_told_whole(text: str, reason: str) -> None:
    """Without the client's own objects, and with every word of the reason."""
    assert cause(OSError(text)) == reason


@pytest.mark.parametrize(("text", "error"), [("", "kubeconfig"), ("{", "kubeconfig"), (None, "kubeconfig")])
def test_an_unusable_kubeconfig_is_told_with_its_path(tmp_path: Path, text: str | None, error: str) -> None:
    """Empty, broken or missing."""
    path = tmp_path / "config"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BrokenEnvironment, match=f"{error} {path}"):
        Kube(path).server_version()


def test_no_proxy_stands_before_this_machine(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with kubectl, whatever the environment says."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    kube = Kube(wire.path, "wire")
    assert kube.server_version() == "v1.34.4"
    assert kube.exec("shop", "a", "main", ["true"], timeout=5).status == 0
    kube.close()


def test_an_unknown_context_is_told(wire: Wire) -> None:
    """By its name."""
    with pytest.raises(BrokenEnvironment, match=r"context nowhere: .*nowhere"):
        Kube(wire.path, "nowhere").server_version()


@pytest.mark.parametrize("fault", [Fault.EXEC_LOSES_STATUS, Fault.EXEC_RETURNS_NOTHING])
def test_a_faulty_exec_channel_never_gives_a_wrong_status(tmp_path: Path, fault: Fault) -> None:
    """A command that fails is never read as one that did well, unless its whole output is missing."""
    wire = Wire(tmp_path, fault)
    wire.kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    wire.kube.apply(POD)
    done = [wire.kube.exec("shop", "a", "main", ["sh", "-c", "echo out; exit 3"], timeout=5) for _ in range(12)]
    assert all(one.status in (3, None) or not one.stdout for one in done)
    wire.close()


def test_a_lost_server_ends_an_exec_that_runs(tmp_path: Path) -> None:
    """A connection that breaks in the middle is lost, not successful."""
    wire = Wire(tmp_path)
    wire.kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    wire.kube.apply(POD)
    stopper = threading.Timer(0.3, wire.stop)
    stopper.start()
    done = wire.kube.exec("shop", "a", "main", ["sh", "-c", "echo early; sleep 3"], timeout=10)
    stopper.join()
    assert done.status is None
    wire.close()
